"""The timers of supabase_auth's clients, which refresh a session ten seconds before its access token expires.

    python timer.py http://localhost:3000 http://localhost:4000

The first address is that of a server whose access tokens live for 60 seconds, the second one that of proxy.mjs.
"""

import asyncio
import inspect
import json
import sys
import time
import urllib.parse
import urllib.request

from supabase_auth import AsyncGoTrueClient, AsyncMemoryStorage, SyncGoTrueClient, SyncMemoryStorage

SERVER, PROXY = sys.argv[1:]
KINDS = {
    "sync": (SyncGoTrueClient, SyncMemoryStorage, "+8613960000001"),
    "async": (AsyncGoTrueClient, AsyncMemoryStorage, "+8613960000002"),
}
LIFE, MARGIN = 60, 10


def holds(what, truth, seen=None):
    if not truth:
        raise SystemExit(f"does not hold: python timer: {what}: {seen!r}")


async def done(value):
    """The value of a call of either client."""
    return await value if inspect.isawaitable(value) else value


def code_for(phone):
    with urllib.request.urlopen(f"{SERVER}/_local/sms?phone={urllib.parse.quote(phone)}") as answer:
        return json.load(answer)[0]["code"]


async def refreshed_in_time(kind):
    made, storage, phone = KINDS[kind]
    one = made(url=f"{PROXY}/auth/v1", headers={"apikey": "sb_publishable_handset"}, storage=storage())
    await done(one.sign_in_with_otp({"phone": phone}))
    answer = await done(one.verify_otp({"phone": phone, "token": code_for(phone), "type": "sms"}))
    first, began = answer.session, time.monotonic()
    holds(f"{kind}: the life of a token", first.expires_in in (LIFE - 1, LIFE), first.expires_in)
    heard = []
    one.on_auth_state_change(lambda event, session: heard.append((event, session, time.monotonic() - began)))
    while not any(event == "TOKEN_REFRESHED" for event, *_ in heard) and time.monotonic() - began < LIFE + 5:
        await asyncio.sleep(0.2)
    refreshes = [(session, after) for event, session, after in heard if event == "TOKEN_REFRESHED"]
    holds(f"{kind}: it is refreshed once", len(refreshes) == 1, heard)
    (session, after), = refreshes
    holds(f"{kind}: before the token expires", LIFE - MARGIN - 3 < after < LIFE, after)
    holds(f"{kind}: another refresh token", session.refresh_token != first.refresh_token)
    kept = await done(one.get_session())
    holds(f"{kind}: it is kept", kept.refresh_token == session.refresh_token)
    user = (await done(one.get_user())).user
    holds(f"{kind}: the same user", user.id == first.user.id, user)
    await done(one.sign_out({"scope": "local"}))
    print(f"ok     python {kind}: its timer refreshes after {after:.0f} s", flush=True)


async def main():
    await asyncio.gather(*(refreshed_in_time(kind) for kind in KINDS))


asyncio.run(main())
