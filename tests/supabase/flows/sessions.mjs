// Refreshing, and the three ways out.
import { claims, client, freshPhone, holds, nextText, ok, raw, refused, same, signIn } from "../support.mjs";

const refresh = async (url, refresh_token) =>
  raw(url, "POST", "/token?grant_type=refresh_token", { body: { refresh_token } });

async function aSessionIsRefreshed({ sdk, server, proxy }) {
  const one = client(sdk, proxy.url);
  const session = await signIn(server, one, freshPhone());
  const next = await ok("refreshed", one.refreshSession());
  holds("another refresh token", next.session.refresh_token !== session.refresh_token);
  const [was, is] = [claims(session), claims(next.session)];
  same("the same session, one turn on", [is.session_id, is.turn], [was.session_id, was.turn + 1]);
  same("the user", next.session.user.id, session.user.id);
  const fresh = await ok("and on", one.refreshSession());
  same("turns", claims(fresh.session).turn, was.turn + 2);
}

async function anExpiredSessionIsRefreshedOnce({ sdk, server, proxy }) {
  const one = client(sdk, proxy.url);
  const session = await signIn(server, one, freshPhone());
  one.kept.expire(one.keptAs);
  const before = proxy.exchanges.length;
  const users = await Promise.all(Array.from({ length: 5 }, () => one.getUser()));
  for (const { data, error } of users) same("every call has its user", [error, data.user?.id], [null, session.user.id]);
  same("refreshes", proxy.refreshes(before).length, 1);
}

async function aLostReplyIsAskedForAgain({ sdk, server, proxy }) {
  const one = client(sdk, proxy.url);
  const { refresh_token } = await signIn(server, one, freshPhone());
  const answers = await Promise.all(Array.from({ length: 4 }, () => refresh(proxy.url, refresh_token)));
  same(
    "at once",
    answers.map(({ status }) => status),
    [200, 200, 200, 200],
  );
  const late = await refresh(proxy.url, refresh_token);
  same("and once more", late.status, 200);
  const tokens = [...answers, late].map(({ body }) => body.refresh_token);
  same("one next refresh token", new Set(tokens).size, 1);
  for (const { body } of answers) holds("a living token", body.expires_in > 0, body.expires_in);

  const other = client(sdk, proxy.url);
  await signIn(server, other, freshPhone());
  for (const faults of [["lost", "lost"], ["cut"], [503, 503]]) {
    const { session: held } = await ok("the session", other.getSession());
    proxy.faults = [...faults];
    const { session } = await ok(`refreshed after ${faults}`, other.refreshSession());
    same("one turn on", claims(session).turn, claims(held).turn + 1);
    same("faults met", proxy.faults.length, 0);
  }
}

/** Why a refresh is never answered by these: an expired session is thrown away, for good. */
async function otherAnswersWouldSignOut({ sdk, server, proxy }) {
  for (const status of [409, 429]) {
    const one = client(sdk, proxy.url);
    await signIn(server, one, freshPhone());
    one.kept.expire(one.keptAs);
    proxy.faults = [status];
    const { data } = await one.getSession();
    same(`the session after ${status}`, [data.session, one.kept.getItem(one.keptAs)], [null, null]);
  }
}

async function anOldTokenEndsTheSession({ sdk, server, proxy }) {
  const one = client(sdk, proxy.url);
  const first = await signIn(server, one, freshPhone());
  await ok("on", one.refreshSession());
  await ok("and on", one.refreshSession());
  const used = await refresh(proxy.url, first.refresh_token);
  same("two turns old", [used.status, used.body.error_code], [400, "refresh_token_already_used"]);
  await refused("the session is over", one.getUser(), 400, undefined, "AuthSessionMissingError");
  const gone = await raw(proxy.url, "GET", "/user", { token: first.access_token });
  same("for a plain request", [gone.status, gone.body.error_code], [403, "session_not_found"]);
}

async function foreignTokensAreNotFound({ sdk, server, proxy }) {
  const one = client(sdk, proxy.url);
  const session = await signIn(server, one, freshPhone());
  const number = freshPhone().slice(3);
  const json = { "content-type": "application/json" };
  const post = async (path, body) =>
    (await fetch(server + path, { method: "POST", headers: json, body: JSON.stringify(body) })).json();
  const { code } = await post("/verify_code", { zone: "86", number });
  const messenger = await post("/auth/token", { zone: "86", number, code });
  const tokens = {
    garbage: "garbage",
    nothing: "",
    long: "A".repeat(75),
    "of messenger's API": messenger.refresh_token,
  };
  for (const [what, refresh_token] of Object.entries(tokens)) {
    const answer = await refresh(proxy.url, refresh_token);
    same(`a refresh token that is ${what}`, [answer.status, answer.body.error_code], [400, "refresh_token_not_found"]);
    holds("the words that C# looks for", answer.body.msg.includes("Invalid Refresh Token"), answer.body);
  }
  const held = await fetch(`${server}/auth/refresh_token`, {
    method: "POST",
    headers: json,
    body: JSON.stringify({ refresh_token: session.refresh_token }),
  });
  holds("and the other way round", held.status >= 400, held.status);
  await refused("through the SDK", one.refreshSession({ refresh_token: "garbage" }), 400, "refresh_token_not_found");

  for (const [what, token, status, code] of [
    ["none", undefined, 401, "no_authorization"],
    ["garbage", "garbage", 403, "bad_jwt"],
    ["of messenger's API", messenger.access_token, 403, "bad_jwt"],
    ["a publishable key", "sb_publishable_handset", 403, "bad_jwt"],
  ]) {
    const answer = await raw(proxy.url, "GET", "/user", { token });
    same(`an access token that is ${what}`, [answer.status, answer.body.error_code], [status, code]);
  }
}

/** Two clients of one account. */
async function two({ sdk, server, proxy }) {
  const phone = freshPhone();
  const [one, other] = [client(sdk, proxy.url), client(sdk, proxy.url)];
  const session = await signIn(server, one, phone);
  await nextText();
  await signIn(server, other, phone);
  return { one, other, session };
}

const lives = async (what, one) => void (await ok(`${what} lives`, one.getUser()));
const isOver = (what, one) => refused(`${what} is over`, one.getUser(), 400, undefined, "AuthSessionMissingError");

async function signOutHere(at) {
  const { one, other, session } = await two(at);
  const events = [];
  one.onAuthStateChange((event) => void events.push(event));
  same("no error", (await one.signOut({ scope: "local" })).error, null);
  holds("SIGNED_OUT is heard", events.includes("SIGNED_OUT"), events);
  const gone = await raw(at.proxy.url, "GET", "/user", { token: session.access_token });
  same("it is over", [gone.status, gone.body.error_code], [403, "session_not_found"]);
  await lives("the other", other);
}

async function signOutElsewhere(at) {
  const { one, other } = await two(at);
  same("no error", (await one.signOut({ scope: "others" })).error, null);
  await lives("this one", one);
  await isOver("the other", other);
}

async function signOutEverywhere(at) {
  const { one, other, session } = await two(at);
  const scope = await raw(at.proxy.url, "POST", "/logout?scope=nowhere", { token: session.access_token });
  same("an unknown scope", scope.status, 400);
  await lives("this one", one);
  same("no error", (await one.signOut()).error, null);
  await isOver("the other", other);
  const answer = await refresh(at.proxy.url, session.refresh_token);
  same("no refresh", [answer.status, answer.body.error_code], [400, "refresh_token_not_found"]);
}

export const sessionFlows = [
  aSessionIsRefreshed,
  anExpiredSessionIsRefreshedOnce,
  aLostReplyIsAskedForAgain,
  otherAnswersWouldSignOut,
  anOldTokenEndsTheSession,
  foreignTokensAreNotFound,
  signOutHere,
  signOutElsewhere,
  signOutEverywhere,
];
