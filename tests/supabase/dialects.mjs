// One account in all dialects: signed in here and by messenger's API, with one password here and in the web API.
//
//     node dialects.mjs http://localhost:3000
import { startProxy } from "./proxy.mjs";
import {
  PASSWORD, claims, client, codeFor, freshNumber, holds, inTurn, nextText, ok, refused, same, signIn,
} from "./support.mjs";

const sdk = "auth-js-2.119.1";
const server = process.argv[2];

async function call(method, path, { body, token, cookie } = {}) {
  const headers = { "content-type": "application/json" };
  if (token) headers.authorization = `Bearer ${token}`;
  if (cookie) headers.cookie = cookie;
  const answer = await fetch(server + path, { method, headers, body: body && JSON.stringify(body) });
  const cookies = answer.headers
    .getSetCookie()
    .map((line) => line.split(";")[0])
    .join("; ");
  return { status: answer.status, body: await answer.json(), cookies };
}

/** Signs in by messenger's API. */
async function throughMessenger(number) {
  const { body: sent } = await call("POST", "/verify_code", { body: { zone: "86", number } });
  const { body } = await call("POST", "/auth/token", { body: { zone: "86", number, code: sent.code } });
  holds("messenger signs in", typeof body.access_token === "string", body);
  return body;
}

/** What messenger's API answers to a token: 200, or 401 once its session is over. */
const messengerTakes = async (token) =>
  (await call("POST", "/users", { token, body: [{ zone: "86", number: "13900000000" }] })).status;

const webSignIn = async (mobile, password) => call("POST", "/api/v1.0/sessions", { body: { mobile, password } });

async function oneAccount({ proxy }) {
  const number = freshNumber();
  const one = client(sdk, proxy.url);
  const session = await signIn(server, one, `+86${number}`);
  await nextText();
  const messenger = await throughMessenger(number);
  same("the number of the user", String(messenger.uid), claims(session).uid);
  same("messenger takes its own token", await messengerTakes(messenger.access_token), 200);
  same("and none of this one", await messengerTakes(session.access_token), 401);

  const other = freshNumber();
  const first = await throughMessenger(other);
  await nextText();
  const later = await signIn(server, client(sdk, proxy.url), `+86${other}`);
  same("and the other way round", claims(later).uid, String(first.uid));
  same("no metadata comes from a profile", later.user.user_metadata, {});
}

async function onePassword({ proxy }) {
  const number = freshNumber();
  const phone = `+86${number}`;
  const one = client(sdk, proxy.url);
  await signIn(server, one, phone);
  await ok("a password", one.updateUser({ password: PASSWORD }));
  const web = await webSignIn(number, PASSWORD);
  same("the web API takes it", web.body.errno, "0");
  await nextText();
  const messenger = await throughMessenger(number);

  await ok("a new password here", one.updateUser({ password: "N3w-P@ssw0rd", current_password: PASSWORD }));
  holds("the old one is over", (await webSignIn(number, PASSWORD)).body.errno !== "0");
  const held = (await call("GET", "/api/v1.0/session", { cookie: web.cookies })).body.errno;
  same("the web session is over", held, "4101");
  same("messenger's session is over", await messengerTakes(messenger.access_token), 401);
  const again = await webSignIn(number, "N3w-P@ssw0rd");
  same("the new one signs in", again.body.errno, "0");
}

async function onePasswordFromThere({ proxy }) {
  const mobile = freshNumber();
  const id = crypto.randomUUID();
  const captcha = await fetch(`${server}/api/v1.0/imagecode/${id}`);
  const text = captcha.headers.get("x-captcha-text");
  await fetch(`${server}/api/v1.0/smscode/${mobile}?${new URLSearchParams({ text, id })}`);
  const sms_code = await codeFor(server, `+86${mobile}`);
  const made = await call("POST", "/api/v1.0/users", { body: { mobile, sms_code, password: PASSWORD } });
  same("registered there", made.body.errno, "0");
  const phone = `+86${mobile}`;
  const one = client(sdk, proxy.url);
  const { user, session } = await ok("signed in here", one.signInWithPassword({ phone, password: PASSWORD }));
  same("the account", claims(session).uid, String(made.body.data.user_id));
  same("the number", user.phone, `86${mobile}`);
  await refused(
    "a wrong one",
    client(sdk, proxy.url).signInWithPassword({ phone, password: "another-pass-1" }),
    400,
    "invalid_credentials",
  );
}

async function oneSignOut({ proxy }) {
  const number = freshNumber();
  const one = client(sdk, proxy.url);
  await signIn(server, one, `+86${number}`);
  await nextText();
  const messenger = await throughMessenger(number);
  same("no error", (await one.signOut({ scope: "global" })).error, null);
  same("messenger's session is over", await messengerTakes(messenger.access_token), 401);
}

const proxy = await startProxy(server);
await inTurn("dialects", [oneAccount, onePassword, onePasswordFromThere, oneSignOut], { proxy });
proxy.close();
