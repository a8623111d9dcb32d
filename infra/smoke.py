#!/usr/bin/env python3
"""Sends a few requests to every function of a running backend and checks the answers: `python3 infra/smoke.py URL`.

For a stage that was just deployed, and for the local run. It needs no credential, sends no text message and changes
nothing but the counters of the caller's IP address. Exits with 1 at the first failure.
"""

import json
import sys
import time
import urllib.error
import urllib.request

SECONDS = 30
# A host that was just made may not be reachable at once.
TRIES = 5
WAIT_SECONDS = 2

# Clients of the Supabase API that send this expect the error's code as a word in `code`, others its status.
WORDS = {"X-Supabase-Api-Version": "2024-01-01"}
# The number is one of those for films, so nobody waits for a code there.
GUESS = {"type": "sms", "phone": "12025550123", "token": "000000"}
REFRESH = "/auth/v1/token?grant_type=refresh_token"


def of_curves(keys):
    """Whether all keys are of the kind that clients of the Supabase API can read."""
    return bool(keys) and all(key["kty"] == "EC" for key in keys)


# The requests and the expected responses: the status, and a field of the JSON body with its value, or a function that
# accepts it (`...` for any). Of a page or a script, a piece of its text. Some have headers.
CHECKS = [
    ("auth: the public keys", "GET", "/.well-known/jwks.json", None, 200, ("keys", ...)),
    ("codes: no text to what is no number", "POST", "/verify_code", {"zone": "86", "number": "1"}, 400, ("error", ...)),
    ("profiles: not signed in", "PUT", "/users/me/nickname", {"value": "x"}, 401, ("error", ...)),
    ("media: not signed in", "POST", "/images", {}, 401, ("error", ...)),
    ("resize: no such picture", "GET", "/images/none", None, 404, ("error", ...)),
    ("social: not signed in", "GET", "/friendship/all", None, 403, ("code", 10000)),
    ("rooms: no password", "POST", "/login/", {}, 400, ("status", "FAIL")),
    ("rooms: an unknown path", "GET", "/no/such/path", None, 404, ("error", ...)),
    ("rooms: a wrong method", "GET", "/user/login", None, 405, ("code", 405)),
    ("web: nobody is signed in", "GET", "/api/v1.0/session", None, 200, ("errno", ...)),
    ("device: not signed in", "POST", "/users/1/update-device-token", {"device_token": "x"}, 401, ("success", False)),
    ("supabase: the server", "GET", "/auth/v1/health", None, 200, ("name", "GoTrue")),
    ("supabase: the settings", "GET", "/auth/v1/settings", None, 200, ("external", lambda found: found["phone"])),
    ("supabase: the public keys", "GET", "/auth/v1/.well-known/jwks.json", None, 200, ("keys", of_curves)),
    ("supabase: no text to what is no number", "POST", "/auth/v1/otp", {"phone": "1"}, 400, ("code", 400)),
    ("supabase: the same in words", "POST", "/auth/v1/otp", {"phone": "1"}, 400, ("code", "validation_failed"), WORDS),
    ("supabase: a wrong code", "POST", "/auth/v1/verify", GUESS, 403, ("code", 403)),
    ("supabase: the same in words", "POST", "/auth/v1/verify", GUESS, 403, ("code", "otp_expired"), WORDS),
    ("supabase: no session to refresh", "POST", REFRESH, {"refresh_token": "x"}, 400, ("code", 400)),
    ("supabase: an unknown path", "GET", "/auth/v1/no/such/path", None, 404, ("error_code", "validation_failed")),
    ("common: the service answers", "GET", "/healthz", None, 200, ("status", "ok")),
    ("common: the settings", "GET", "/v1/config", None, 200, ("code_digits", ...)),
    ("common: the description", "GET", "/openapi.json", None, 200, ("paths", lambda found: "/v1/me" in found)),
    ("common: the reference page", "GET", "/docs", None, 200, "/docs/page.js"),
    ("common: the script of that page", "GET", "/docs/page.js", None, 200, "/openapi.json"),
    ("common: the page to delete an account", "GET", "/account/delete", None, 200, "/account/delete.js"),
    ("common: the script of that page", "GET", "/account/delete.js", None, 200, "/v1/me"),
    ("common: profiles, not signed in", "GET", "/v1/me", None, 401, ("code", "credential_missing")),
    ("common: auth, not signed in", "GET", "/v1/sessions", None, 401, ("code", "credential_missing")),
    ("common: social, not signed in", "GET", "/v1/friends", None, 401, ("code", "credential_missing")),
    ("common: media, not signed in", "GET", "/v1/media", None, 401, ("code", "credential_missing")),
    ("common: an unknown path", "GET", "/v1/no/such/path", None, 404, ("code", "no_route")),
]


def ask(url, method, body, headers):
    """The status and the body of a response with any status."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read()


def accepts(value, found):
    """Whether a field has the expected value."""
    return value is ... or (value(found) if callable(value) else found == value)


def problem(check, url):
    """The error of the response to a check, or None."""
    _, method, path, body, status, expected, *headers = check
    try:
        got, text = ask(url.rstrip("/") + path, method, body, *headers or [{}])
    except OSError as error:
        return f"no answer: {error}"
    shown = text[:200].decode(errors="replace")
    if got != status:
        return f"status {got} instead of {status}: {shown}"
    if isinstance(expected, str):
        return None if expected in text.decode(errors="replace") else f"no {expected!r}: {shown}"
    field, value = expected
    try:
        found = json.loads(text)
    except ValueError:
        return f"no JSON: {shown}"
    if field not in found or not accepts(value, found[field]):
        return f"{field!r} is not {'as it should be' if value is ... or callable(value) else repr(value)}: {shown}"
    return None


def main():
    if len(sys.argv) != 2 or not sys.argv[1].startswith(("http://", "https://")):
        sys.exit("use: python3 infra/smoke.py http://localhost:3000")
    for check in CHECKS:
        for _ in range(TRIES):
            wrong = problem(check, sys.argv[1])
            if wrong is None or not wrong.startswith("no answer"):
                break
            time.sleep(WAIT_SECONDS)
        if wrong:
            sys.exit(f"FAILED {check[0]} ({check[1]} {check[2]}): {wrong}")
        print(f"ok     {check[0]}")


if __name__ == "__main__":
    main()
