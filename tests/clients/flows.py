"""One flow through each API with the clients that openapi-python-client made of docs/openapi.

    python flows.py FOLDER http://localhost:3000

FOLDER holds the generated packages, one for each API. `run` makes them.
"""

import io
import json
import sys
import urllib.parse
import urllib.request
import uuid
import zlib

sys.path.insert(0, sys.argv[1])
BASE = sys.argv[2]

import device
import messenger
import rooms
import sealtalk
import supabase
import v1
import web
from device import models as device_models
from device.api.device import (
    device_ask_for_code, device_check_code, device_login, device_logout, device_register, device_update_push_token,
)
from messenger import models as messenger_models
from messenger.api.messenger import (
    get_image, patch_me, post_refresh_token, post_token, post_users, post_verify_code, put_avatar,
)
from messenger.types import File as Picture
from rooms import models as rooms_models
from rooms.api.rooms import (
    rooms_delete_room, rooms_get_rooms, rooms_post_login, rooms_post_rooms, rooms_post_users, rooms_put_room,
    rooms_put_user,
)
from sealtalk import models as sealtalk_models
from sealtalk.api.sealtalk import (
    sealtalk_friendship_all, sealtalk_get_user, sealtalk_login, sealtalk_logout, sealtalk_post_sync, sealtalk_register,
    sealtalk_send_code, sealtalk_set_nickname, sealtalk_verify_code,
)
from supabase import models as supabase_models
from supabase.api.supabase import (
    supabase_get_user, supabase_post_logout, supabase_post_otp, supabase_post_token, supabase_post_verify,
    supabase_put_user,
)
from v1 import models as v1_models
from v1.api.v1 import (
    v1_delete_me, v1_get_friend_requests, v1_get_me, v1_get_sessions, v1_get_sync, v1_look_up_contacts, v1_patch_me,
    v1_post_group, v1_post_media, v1_put_avatar, v1_put_friend,
)
from v1.types import File as Media
from web import models as web_models
from web.api.web import (
    web_delete_session, web_get_session, web_get_sms_code, web_get_user, web_post_sessions, web_post_users,
    web_put_user_name,
)

PASSWORD = "P@ssw0rd-77"


def expect(answer, kind):
    """The answer, if the generated client read it as this model."""
    if not isinstance(answer, kind):
        raise SystemExit(f"expected {kind.__name__}, got {answer!r}")
    return answer


def holds(what, truth):
    if not truth:
        raise SystemExit(f"does not hold: {what}")


def code_for(number):
    """The code of the latest text message to a number of mainland China."""
    phone = urllib.parse.quote(f"+86{number}")
    with urllib.request.urlopen(f"{BASE}/_local/sms?phone={phone}") as answer:
        return json.load(answer)[0]["code"]


def pixel():
    """A PNG of one pixel."""
    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
    head = chunk(b"IHDR", bytes([0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0]))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(4))) + chunk(b"IEND", b"")


def open_client(package):
    return package.Client(base_url=BASE, raise_on_unexpected_status=True)


def through_messenger():
    number, client, m = "13912340001", open_client(messenger), messenger_models
    sent = expect(post_verify_code.sync(client=client, body=m.AskForCode(number=number, zone="86")), m.CodeSent)
    wrong = m.SignInByCode(number=number, code="000000" if sent.code != "000000" else "111111")
    expect(post_token.sync(client=client, body=wrong), m.MessengerRefused)
    signed = m.SignInByCode(number=number, code=sent.code)
    tokens = expect(post_token.sync(client=client, body=signed), m.Tokens)
    own = messenger.AuthenticatedClient(base_url=BASE, token=tokens.access_token, raise_on_unexpected_status=True)
    expect(patch_me.sync(client=own, body=m.Patch(name="Tom")), m.MessengerDone)
    picture = Picture(payload=io.BytesIO(pixel()))
    stored = expect(put_avatar.sync(client=own, body=picture), m.Stored)
    image = get_image.sync(client=own, name=stored.src.rsplit("/", 1)[1])
    holds("the picture comes back", image.payload.read().startswith(b"\x89PNG"))
    found = post_users.sync(client=own, body=[m.Entry(number=number, zone=86), m.Entry(number="13912340000", zone=86)])
    holds("the number is found", [entry.uid == tokens.uid for entry in found] == [True, False])
    fresh = post_refresh_token.sync(client=client, body=m.Refresh(refresh_token=tokens.refresh_token))
    expect(fresh, m.Tokens)


def through_web():
    number, client, m = "13912340002", open_client(web), web_models
    expect(web_get_session.sync(client=client), m.WebRefused)
    captcha = str(uuid.uuid4())
    # A picture or an error, both with status 200: the generated function knows one of the two.
    picture = client.get_httpx_client().get(f"/api/v1.0/imagecode/{captcha}")
    holds("there is a captcha", picture.headers["content-type"].startswith("image/"))
    text = picture.headers["x-captcha-text"]
    expect(web_get_sms_code.sync(client=client, mobile=number, text=text, id=captcha), m.WebDone)
    body = m.WebRegister(mobile=number, sms_code=code_for(number), password=PASSWORD)
    made = expect(web_post_users.sync(client=client, body=body), m.WebPostUsersResponse200Type0)
    name = web_put_user_name.sync(client=client, body=m.WebName(name="Tom Web"))
    expect(name, m.WebPutUserNameResponse200Type0)
    user = expect(web_get_user.sync(client=client), m.WebGetUserResponse200Type0)
    holds("the name is kept", (user.data.name, user.data.user_id) == ("Tom Web", made.data.user_id))
    expect(web_delete_session.sync(client=client), m.WebDone)
    back = web_post_sessions.sync(client=client, body=m.WebSignIn(mobile=number, password=PASSWORD))
    expect(back, m.WebPostSessionsResponse200Type0)


def through_sealtalk():
    number, client, m = "13912340003", open_client(sealtalk), sealtalk_models
    expect(sealtalk_send_code.sync(client=client, body=m.SealtalkSendCode(region=86, phone=number)), m.SealtalkDone)
    wrong = m.SealtalkLogin(region=86, phone=number, password="another-pass")
    expect(sealtalk_login.sync(client=client, body=wrong), m.SealtalkFailed)
    check = m.SealtalkVerifyCode(region=86, phone=number, code=code_for(number))
    verified = sealtalk_verify_code.sync(client=client, body=check)
    token = expect(verified, m.SealtalkVerifyCodeResponse200Type0).result.verification_token
    body = m.SealtalkRegister(nickname="Tom", password=PASSWORD, verification_token=token)
    made = expect(sealtalk_register.sync(client=client, body=body), m.SealtalkRegisterResponse200Type0)
    right = m.SealtalkLogin(region="86", phone=number, password=PASSWORD)
    signed = expect(sealtalk_login.sync(client=client, body=right), m.SealtalkLoginResponse200Type0)
    holds("it is the new account", signed.result.id == made.result.id)
    expect(sealtalk_set_nickname.sync(client=client, body=m.SealtalkSetNickname(nickname="Tom S")), m.SealtalkDone)
    user = expect(sealtalk_get_user.sync(client=client, id=signed.result.id), m.SealtalkGetUserResponse200)
    holds("the nickname is kept", user.result.nickname == "Tom S")
    expect(sealtalk_friendship_all.sync(client=client), m.SealtalkFriendshipAllResponse200)
    expect(sealtalk_post_sync.sync(client=client, version=0), m.SealtalkPostSyncResponse200)
    expect(sealtalk_logout.sync(client=client), m.SealtalkDone)


def through_rooms():
    client, m = open_client(rooms), rooms_models
    new = m.RoomsNewUser(username="tom-python", password=PASSWORD, nickname="Tom")
    expect(rooms_post_users.sync(client=client, body=new), m.RoomsSuccessRoomsUser)
    wrong = m.RoomsLogin(username="tom-python", password="another-pass")
    expect(rooms_post_login.sync(client=client, body=wrong), m.RoomsRefused)
    right = m.RoomsLogin(username="tom-python", password=PASSWORD)
    user = expect(rooms_post_login.sync(client=client, body=right), m.RoomsSuccessRoomsUser)
    change = m.RoomsUserChange(token=user.token, city="Shenzhen")
    changed = rooms_put_user.sync(client=client, pk=user.pk, body=change)
    holds("the city is kept", expect(changed, m.RoomsSuccessRoomsUser).city == "Shenzhen")
    new = m.RoomsNewRoomFields(room_alias="python room", token=user.token)
    room = expect(rooms_post_rooms.sync(client=client, body=new), m.RoomsSuccessRoomsRoomObject)
    page = expect(rooms_get_rooms.sync(client=client), m.RoomsSuccessRoomsOpenRooms)
    holds("the room is listed", any(row.pk == room.pk for row in page.results))
    close = m.RoomsRoomChangeFields(active=False, token=user.token)
    closed = rooms_put_room.sync(client=client, pk=room.pk, body=close)
    holds("the room is closed", not expect(closed, m.RoomsSuccessRoomsRoomObject).active)
    gone = rooms_delete_room.sync_detailed(client=client, pk=room.pk, token=user.token)
    holds("the room is deleted", gone.status_code == 204)


def through_device():
    number, client, m = "13912340005", open_client(device), device_models
    asked = device_ask_for_code.sync(client=client, body=m.DeviceAskForCode(phone_number=number, flag=0))
    expect(asked, m.DeviceAskForCodeResponse200Type0)
    code = code_for(number)
    check = device_check_code.sync(client=client, body=m.DeviceVerify(phone_number=number, code=code))
    expect(check, m.DeviceCheckCodeResponse200Type0)
    user = m.DeviceCredentials(phone_number=number, password=PASSWORD)
    made = device_register.sync(client=client, body=m.DeviceRegister(code=code, user=user))
    expect(made, m.DeviceRegisterResponse200Type0)
    other = m.DeviceCredentials(phone_number=number, password="another-pass")
    expect(device_login.sync(client=client, body=m.DeviceLogin(user=other)), m.DeviceRefused)
    push = m.DeviceAddress(push_token="a-channel", platform=1)
    login = device_login.sync(client=client, body=m.DeviceLogin(user=user, device=push))
    signed = expect(login, m.DeviceLoginResponse200Type0).data
    own = device.AuthenticatedClient(
        base_url=BASE, token=signed.access_token, prefix="", auth_header_name="Access-Token",
        raise_on_unexpected_status=True,
    )
    update = m.DeviceUpdateDeviceToken(device=m.DeviceNewAddress(push_token="another-channel", platform=1))
    done = device_update_push_token.sync(client=own, id=signed.user.id, body=update)
    expect(done, m.DeviceDone)
    expect(device_logout.sync(client=own), m.DeviceDone)


def through_supabase():
    number, client, m = "13912340006", open_client(supabase), supabase_models
    phone = f"86{number}"
    sent = supabase_post_otp.sync_detailed(client=client, body=m.SupabaseOtp(phone=phone))
    holds("a code is sent", sent.status_code == 200)
    code = code_for(number)
    guess = m.SupabaseVerify(type_="sms", phone=phone, token="000000" if code != "000000" else "111111")
    wrong = expect(supabase_post_verify.sync(client=client, body=guess), m.SupabaseRefused)
    holds("the code is wrong", wrong.error_code == "otp_expired")
    right = m.SupabaseVerify(type_="sms", phone=phone, token=code)
    session = expect(supabase_post_verify.sync(client=client, body=right), m.SupabaseSession)
    own = supabase.AuthenticatedClient(base_url=BASE, token=session.access_token, raise_on_unexpected_status=True)
    changed = supabase_put_user.sync(client=own, body=m.SupabaseUserChange(password=PASSWORD))
    holds("it is the same user", expect(changed, m.SupabaseUser).id == session.user.id)
    body = m.SupabaseCredentials(phone=phone, password=PASSWORD)
    again = expect(supabase_post_token.sync(client=client, body=body, grant_type="password"), m.SupabaseSession)
    holds("the password signs in", again.user.id == session.user.id)
    body = m.SupabaseCredentials(refresh_token=again.refresh_token)
    expect(supabase_post_token.sync(client=client, body=body, grant_type="refresh_token"), m.SupabaseSession)
    user = expect(supabase_get_user.sync(client=own), m.SupabaseUser)
    holds("the user is read", user.phone == phone)
    ended = supabase_post_logout.sync_detailed(client=own, scope="local")
    holds("signed out", ended.status_code == 204)


def signed_in(number):
    """A client of the common API for a new user, who signs in through the Supabase Auth API as an SDK does."""
    client, m = open_client(supabase), supabase_models
    phone = f"+86{number}"
    supabase_post_otp.sync_detailed(client=client, body=m.SupabaseOtp(phone=phone))
    body = m.SupabaseVerify(type_="sms", phone=phone, token=code_for(number))
    session = expect(supabase_post_verify.sync(client=client, body=body), m.SupabaseSession)
    return v1.AuthenticatedClient(base_url=BASE, token=session.access_token, raise_on_unexpected_status=True)


def through_common():
    number, m = "13912340007", v1_models
    own, other = signed_in(number), signed_in("13912340008")
    refused = expect(v1_get_me.sync(client=open_client(v1)), m.V1Refused)
    holds("the reason is a word", refused.code == "credential_missing")
    me = expect(v1_patch_me.sync(client=own, body=m.V1MePatch(name="Tom")), m.V1Me)
    holds("the name is set", me.name == "Tom")
    key = str(uuid.uuid4())
    stored = [
        expect(v1_post_media.sync(client=own, body=Media(payload=pixel()), idempotency_key=key), m.V1NewMedia)
        for _ in range(2)
    ]
    holds("the repeated upload made nothing else", stored[0].name == stored[1].name)
    with urllib.request.urlopen(stored[0].url) as picture:
        holds("the picture comes back", picture.read().startswith(b"\x89PNG"))
    avatar = v1_put_avatar.sync(client=own, body=m.V1NewAvatar(media=stored[0].name))
    holds("it is the user's picture", expect(avatar, m.V1Avatar).avatar == stored[0].url)
    contacts = m.V1Contacts(phones=[f"+86{number}", "+8613912340000"])
    found = expect(v1_look_up_contacts.sync(client=other, body=contacts), m.V1FoundContacts)
    holds("the number is found", [contact.user.id for contact in found.items] == [me.id])
    asked = v1_put_friend.sync(client=other, id=me.id, body=m.V1NewFriend(message="Hi"))
    holds("a request is sent", expect(asked, m.V1FriendState).state == "requested")
    requests = expect(v1_get_friend_requests.sync(client=own), m.V1FriendRequests)
    friend = requests.items[0].user.id
    accepted = v1_put_friend.sync(client=own, id=friend)
    holds("they are friends", expect(accepted, m.V1FriendState).state == "friends")
    made = expect(v1_post_group.sync(client=own, body=m.V1NewGroup(name="Trip", members=[friend])), m.V1CreatedGroup)
    synced = expect(v1_get_sync.sync(client=other), m.V1Sync)
    holds("the group is synced", any(row.id == made.id for row in synced.groups))
    sessions = expect(v1_get_sessions.sync(client=own), m.V1Sessions)
    holds("the session is listed", any(row.current for row in sessions.items))
    holds("the account is deleted", v1_delete_me.sync_detailed(client=own).status_code == 204)
    expect(v1_get_me.sync(client=own), m.V1Refused)


flows = (
    through_messenger, through_web, through_sealtalk, through_rooms, through_device, through_supabase, through_common,
)
for flow in flows:
    flow()
    print(f"ok     python: {flow.__name__.replace('_', ' ')}")
