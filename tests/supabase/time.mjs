// What only time shows, by a server whose clock can be moved: expiry, late replies, thieves, old sessions.
//
//     CLOCK_AHEAD=file node time.mjs http://localhost:3000
//
// The server runs with clock.c and the same file.
import { startProxy } from "./proxy.mjs";
import {
  PASSWORD, claims, client, codeFor, forward, freshPhone, holds, inTurn, ok, otherThan, raw, refused, same, signIn,
  texts,
} from "./support.mjs";

const sdk = "auth-js-2.119.1";
const server = process.argv[2];
const HOUR = 3600;

const refresh = (proxy, refresh_token) =>
  raw(proxy.url, "POST", "/token?grant_type=refresh_token", { body: { refresh_token } });

async function aCodeExpires({ proxy }) {
  const phone = freshPhone();
  const one = client(sdk, proxy.url);
  await ok("a code is sent", one.signInWithOtp({ phone }));
  const token = await codeFor(server, phone);
  forward(301);
  const late = await refused("an old code", one.verifyOtp({ phone, token, type: "sms" }), 403, "otp_expired");
  const wrong = await refused(
    "a wrong one",
    one.verifyOtp({ phone, token: otherThan(token), type: "sms" }),
    403,
    "otp_expired",
  );
  same("the words", late.message, wrong.message);
}

async function anExpiredTokenIsNoEndedSession({ proxy }) {
  const one = client(sdk, proxy.url);
  const { access_token, refresh_token, expires_in } = await signIn(server, one, freshPhone());
  forward(expires_in + 200);
  await ok("a slow clock is forgiven", one.getUser(access_token));
  forward(200);
  const { message } = await refused("five minutes later", one.getUser(access_token), 403, "bad_jwt");
  holds("the words that C# looks for", message.includes("invalid JWT"), message);
  for (const [method, path] of [
    ["PUT", "/user"],
    ["GET", "/reauthenticate"],
  ]) {
    const answer = await raw(proxy.url, method, path, { token: access_token, body: method === "PUT" ? {} : undefined });
    same(`${method} ${path}`, [answer.status, answer.body.error_code], [403, "bad_jwt"]);
  }
  const { body } = await refresh(proxy, refresh_token);
  holds("the session lives", body.expires_in > 0, body);
  // Swift and Dart sign out without refreshing before.
  forward(20 * 24 * HOUR);
  const out = await raw(proxy.url, "POST", "/logout?scope=local", { token: access_token });
  same("signing out by the old token", out.status, 204);
  const after = await refresh(proxy, body.refresh_token);
  same("the session is over", [after.status, after.body.error_code], [400, "refresh_token_not_found"]);
}

async function aStolenTokenTakesNoNumber({ proxy }) {
  const [phone, theirs] = [freshPhone(), freshPhone()];
  const one = client(sdk, proxy.url);
  await signIn(server, one, phone);
  forward(601);
  // A new token makes the session no younger.
  await ok("refreshed", one.refreshSession());
  await refused("without a proof", one.updateUser({ phone: theirs }), 400, "reauthentication_needed");
  same("texts to it", await texts(server, theirs), []);
  await ok("a nonce is sent", one.reauthenticate());
  const nonce = await codeFor(server, phone);
  await refused(
    "a wrong nonce",
    one.updateUser({ phone: theirs, nonce: otherThan(nonce) }),
    422,
    "reauthentication_not_valid",
  );
  same("still no text", await texts(server, theirs), []);
  const asked = await ok("with the nonce", one.updateUser({ phone: theirs, nonce }));
  same("the new number waits", [asked.user.phone, asked.user.new_phone], [phone.slice(1), theirs.slice(1)]);
}

async function aPasswordProvesAsWell({ proxy }) {
  const [phone, next] = [freshPhone(), freshPhone()];
  const one = client(sdk, proxy.url);
  await signIn(server, one, phone);
  await ok("a password", one.updateUser({ password: PASSWORD }));
  forward(601);
  const wrong = { phone: next, current_password: "not-it-at-all-1" };
  await refused("a wrong password", one.updateUser(wrong), 400, "current_password_invalid");
  await ok("the right one", one.updateUser({ phone: next, current_password: PASSWORD }));
}

async function anOldSessionChangesNoPassword({ proxy }) {
  const phone = freshPhone();
  const one = client(sdk, proxy.url);
  await signIn(server, one, phone);
  forward(25 * HOUR);
  await ok("refreshed a day later", one.refreshSession());
  await refused("without a proof", one.updateUser({ password: PASSWORD }), 400, "reauthentication_needed");
  await ok("metadata needs none", one.updateUser({ data: { a: 1 } }));
  await ok("a nonce is sent", one.reauthenticate());
  const nonce = await codeFor(server, phone);
  const wrong = { password: PASSWORD, nonce: otherThan(nonce) };
  await refused("a wrong nonce", one.updateUser(wrong), 422, "reauthentication_not_valid");
  await ok("the right one", one.updateUser({ password: PASSWORD, nonce }));
  forward(25 * HOUR);
  await ok("refreshed", one.refreshSession());
  await ok("by the current one", one.updateUser({ password: "N3w-P@ssw0rd", current_password: PASSWORD }));
}

async function aReplyLostForAnHour({ proxy }) {
  const one = client(sdk, proxy.url);
  const { refresh_token } = await signIn(server, one, freshPhone());
  const lost = await refresh(proxy, refresh_token);
  // Nothing of the new turn is used: the device never got it.
  forward(HOUR);
  const late = await refresh(proxy, refresh_token);
  same("answered", late.status, 200);
  same("the same next refresh token", late.body.refresh_token, lost.body.refresh_token);
  await ok("and it goes on", one.refreshSession({ refresh_token: late.body.refresh_token }));
}

async function aThiefIsNoticed({ proxy }) {
  const one = client(sdk, proxy.url);
  const { refresh_token: stolen } = await signIn(server, one, freshPhone());
  const { session } = await ok("refreshed", one.refreshSession());
  await ok("the new turn is used", one.getUser());
  forward(601);
  const thief = await refresh(proxy, stolen);
  same("the thief", [thief.status, thief.body.error_code], [400, "refresh_token_already_used"]);
  const owner = await raw(proxy.url, "GET", "/user", { token: session.access_token });
  same("nobody keeps the session", [owner.status, owner.body.error_code], [403, "session_not_found"]);
}

async function refreshesHaveNoLimit({ proxy }) {
  const one = client(sdk, proxy.url);
  await signIn(server, one, freshPhone());
  const before = proxy.refreshes().length;
  let { session } = await ok("the session", one.getSession());
  for (let turn = 0; turn < 100; turn += 1) {
    const { status, body } = await refresh(proxy, session.refresh_token);
    same(`refresh ${turn}`, status, 200);
    session = body;
  }
  for (let n = 0; n < 50; n += 1) same("garbage", (await refresh(proxy, `garbage-${n}`)).status, 400);
  same("refreshes", proxy.refreshes().length, before + 150);
  same("turns", claims(session).turn, 100);
}

const proxy = await startProxy(server);
const flows = [
  aCodeExpires,
  anExpiredTokenIsNoEndedSession,
  aStolenTokenTakesNoNumber,
  aPasswordProvesAsWell,
  anOldSessionChangesNoPassword,
  aReplyLostForAnHour,
  aThiefIsNoticed,
  refreshesHaveNoLimit,
];
await inTurn("time", flows, { proxy });
proxy.close();
