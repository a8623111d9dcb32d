"""Every flow of the contract, in short, through supabase_auth, whose clients wait or are waited for.

    python flows.py sync|async http://localhost:3000 http://localhost:4000

The second address is the server's, the last one that of proxy.mjs, which holds the answers to the schemas.
"""

import asyncio
import inspect
import itertools
import json
import sys
import time
import urllib.parse
import urllib.request
import uuid

from supabase_auth import AsyncGoTrueClient, AsyncMemoryStorage, SyncGoTrueClient, SyncMemoryStorage
from supabase_auth.errors import AuthApiError, AuthError, AuthRetryableError, AuthWeakPasswordError

KIND, SERVER, PROXY = sys.argv[1:]
CLIENT, STORAGE = {
    "sync": (SyncGoTrueClient, SyncMemoryStorage),
    "async": (AsyncGoTrueClient, AsyncMemoryStorage),
}[KIND]
PASSWORD = "P@ssw0rd-77"
NUMBERS = itertools.count(13970000001 if KIND == "sync" else 13980000001)


def holds(what, truth, seen=None):
    if not truth:
        raise SystemExit(f"does not hold: python {KIND}: {what}: {seen!r}")


def same(what, seen, wanted):
    holds(f"{what} is {wanted!r}", seen == wanted, seen)


async def done(value):
    """The value of a call of either client."""
    return await value if inspect.isawaitable(value) else value


async def refused(what, call, status, code, kind=AuthApiError):
    """The error of a call, which has to be of this class, status and code."""
    try:
        answer = await done(call())
    except AuthError as error:
        same(f"the error of {what}", (type(error), error.status, error.code), (kind, status, code))
        return error
    holds(f"{what} is refused", False, answer)


def client(storage=None):
    return CLIENT(
        url=f"{PROXY}/auth/v1", headers={"apikey": "sb_publishable_handset"}, auto_refresh_token=False,
        storage=storage or STORAGE(),
    )


def fresh_phone():
    return f"+86{next(NUMBERS)}"


def texts(phone):
    with urllib.request.urlopen(f"{SERVER}/_local/sms?phone={urllib.parse.quote(phone)}") as answer:
        return json.load(answer)


def code_for(phone):
    return texts(phone)[0]["code"]


def next_text():
    """Lets the second pass that the run asks for between two texts to a number."""
    time.sleep(1.1)


def faults(*wanted):
    """What the next refreshes meet."""
    request = urllib.request.Request(f"{PROXY}/_proxy/faults", json.dumps(wanted).encode(), method="POST")
    urllib.request.urlopen(request).close()


async def sign_in(one, phone, **options):
    await done(one.sign_in_with_otp({"phone": phone, "options": options}))
    answer = await done(one.verify_otp({"phone": phone, "token": code_for(phone), "type": "sms"}))
    holds("a session is there", answer.session is not None, answer)
    return answer.session


async def a_code():
    phone, one = fresh_phone(), client()
    session = await sign_in(one, phone, data={"name": "Tom"})
    user = session.user
    same("the user", (user.phone, user.user_metadata, user.is_anonymous), (phone[1:], {"name": "Tom"}, False))
    same("the provider", user.app_metadata, {"provider": "phone", "providers": ["phone"]})
    next_text()
    again = await sign_in(client(), phone)
    same("the account", again.user.id, user.id)
    read = await done(one.get_user())
    same("the user is read", read.user.id, user.id)
    other = fresh_phone()
    await refused(
        "a code never asked for", lambda: one.verify_otp({"phone": other, "token": "123456", "type": "sms"}), 403,
        "otp_expired",
    )
    await done(one.sign_in_with_otp({"phone": other, "options": {"should_create_user": False}}))
    same("texts", texts(other), [])


async def a_password():
    phone, one = fresh_phone(), client()
    made = await done(one.sign_up({"phone": phone, "password": PASSWORD, "options": {"data": {"name": "Ann"}}}))
    holds("no session yet", made.session is None, made)
    next_text()
    await done(one.resend({"type": "sms", "phone": phone}))
    session = (await done(one.verify_otp({"phone": phone, "token": code_for(phone), "type": "sms"}))).session
    same("the account", (session.user.id, session.user.user_metadata), (made.user.id, {"name": "Ann"}))
    other = client()
    signed = await done(other.sign_in_with_password({"phone": phone, "password": PASSWORD}))
    same("by password", signed.user.id, made.user.id)
    wrong = {"phone": phone, "password": "not-it-at-all-1"}
    await refused("a wrong password", lambda: other.sign_in_with_password(wrong), 400, "invalid_credentials")
    weak = await refused(
        "a weak one", lambda: one.update_user({"password": "ab1"}), 422, "weak_password", AuthWeakPasswordError,
    )
    holds("the reason", "length" in weak.reasons, weak.reasons)
    await refused("the same", lambda: one.update_user({"password": PASSWORD}), 422, "same_password")
    await done(one.update_user({"password": "N3w-P@ssw0rd"}))
    await refused("the other session", lambda: other.get_user(), 403, "session_not_found")
    changed = await done(one.update_user({"data": {"name": None, "level": 3}}))
    same("merged", changed.user.user_metadata, {"level": 3})
    next_text()
    await done(one.reauthenticate())
    await done(one.update_user({"password": PASSWORD, "nonce": code_for(phone)}))


async def nobody_in_particular():
    one, phone = client(), fresh_phone()
    made = await done(one.sign_in_anonymously())
    same("anonymous", (made.user.is_anonymous, made.user.app_metadata, made.user.identities), (True, {}, []))
    asked = await done(one.update_user({"phone": phone}))
    same("the number waits", asked.user.new_phone, phone[1:])
    token = code_for(phone)
    made_permanent = await done(one.verify_otp({"phone": phone, "token": token, "type": "phone_change"}))
    same("permanent", (made_permanent.user.id, made_permanent.user.is_anonymous), (made.user.id, False))
    same("the number", made_permanent.user.phone, phone[1:])
    identities = (await done(one.get_user_identities())).identities
    same("one identity", [identity.provider for identity in identities], ["phone"])
    await refused("the last one", lambda: one.unlink_identity(identities[0]), 422, "single_identity_not_deletable")


async def claims():
    one = client()
    session = await sign_in(one, fresh_phone())
    read = await done(one.get_claims())
    same("whose", (read["claims"]["sub"], read["claims"]["role"]), (session.user.id, "authenticated"))
    same("how it is signed", read["headers"]["alg"], "ES256")
    other = client()
    held = await done(other.set_session(session.access_token, session.refresh_token))
    same("a session that is handed over", held.user.id, session.user.id)


async def refreshing():
    storage = STORAGE()
    one = client(storage)
    session = await sign_in(one, fresh_phone())
    (key,) = storage.storage

    def expire():
        kept = json.loads(storage.storage[key])
        storage.storage[key] = json.dumps({**kept, "expires_at": int(time.time()) - 60})

    expire()
    held = await done(one.get_session())
    holds("another refresh token", held.refresh_token != session.refresh_token)
    same("the user", held.user.id, session.user.id)
    fresh = await done(one.refresh_session())
    holds("and on", fresh.session.refresh_token != held.refresh_token)

    # A start while the server has trouble keeps the session for later.
    expire()
    faults(*[503] * 20)
    later = client(storage)
    try:
        await done(later.initialize())
    except AuthRetryableError:
        pass
    holds("it is kept", key in storage.storage, list(storage.storage))
    faults()
    again = await done(client(storage).get_session())
    same("the session", again.user.id if again else None, session.user.id)

    old = session.refresh_token
    await refused("an old token", lambda: client().refresh_session(old), 400, "refresh_token_already_used")
    await refused("garbage", lambda: client().refresh_session("garbage"), 400, "refresh_token_not_found")
    await refused("the session is over", lambda: one.get_user(held.access_token), 403, "session_not_found")


async def ways_out():
    phone = fresh_phone()
    one, other = client(), client()
    session = await sign_in(one, phone)
    next_text()
    await sign_in(other, phone)
    await done(one.sign_out({"scope": "others"}))
    await refused("the other", lambda: other.get_user(), 403, "session_not_found")
    await done(one.get_user())
    await done(one.sign_out({"scope": "local"}))
    holds("no session", await done(one.get_session()) is None)
    await refused("this one", lambda: one.get_user(session.access_token), 403, "session_not_found")


async def what_is_off():
    one, email = client(), "tom@example.com"
    off = "email_provider_disabled"
    await refused("a code", lambda: one.sign_in_with_otp({"email": email}), 400, off)
    await refused("signing up", lambda: one.sign_up({"email": email, "password": PASSWORD}), 400, off)
    await refused("a password", lambda: one.sign_in_with_password({"email": email, "password": PASSWORD}), 400, off)
    await refused("resetting", lambda: one.reset_password_for_email(email), 400, off)
    await refused("SSO", lambda: one.sign_in_with_sso({"domain": "example.com"}), 404, "saml_provider_disabled")
    token = {"provider": "azure", "token": "a.b.c"}
    await refused("a provider", lambda: one.sign_in_with_id_token(token), 400, "provider_disabled")
    await refused("the users", lambda: one.admin.list_users(), 403, "not_admin")
    await refused("a user", lambda: one.admin.get_user_by_id(str(uuid.uuid4())), 403, "not_admin")
    await sign_in(one, fresh_phone())
    totp = {"factor_type": "totp", "friendly_name": "app"}
    await refused("TOTP", lambda: one.mfa.enroll(totp), 422, "mfa_totp_enroll_not_enabled")
    factor = {"factor_id": str(uuid.uuid4())}
    await refused("a factor", lambda: one.mfa.unenroll(factor), 404, "mfa_factor_not_found")
    same("the factors", (await done(one.mfa.list_factors())).all, [])


async def main():
    for flow in (a_code, a_password, nobody_in_particular, claims, refreshing, ways_out, what_is_off):
        began = time.monotonic()
        await flow()
        print(f"ok     python {KIND}: {flow.__name__.replace('_', ' ')} ({time.monotonic() - began:.1f} s)", flush=True)


asyncio.run(main())
