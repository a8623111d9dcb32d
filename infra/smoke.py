#!/usr/bin/env python3
"""Sends one request to every function of a running backend and checks the answer: `python3 infra/smoke.py URL`.

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

# The requests and the expected responses: the status, and a field of the JSON body with its value (`...` for any).
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
]


def ask(url, method, body):
    """The status, the headers and the body of a response with any status."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.headers, refusal.read()


def problem(check, url):
    """The error of the response to a check, or None."""
    _, method, path, body, status, (field, value) = check
    try:
        got, _, text = ask(url.rstrip("/") + path, method, body)
    except OSError as error:
        return f"no answer: {error}"
    shown = text[:200].decode(errors="replace")
    if got != status:
        return f"status {got} instead of {status}: {shown}"
    try:
        found = json.loads(text)
    except ValueError:
        return f"no JSON: {shown}"
    if field not in found or value is not ... and found[field] != value:
        return f"{field!r} is not {'there' if value is ... else value!r}: {shown}"
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
