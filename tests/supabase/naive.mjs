// Each fault of a naive server is noticed: the same check passes as it is, and fails once the proxy spoils the answers.
//
//     CLOCK_AHEAD=file node naive.mjs http://localhost:3000
import { startProxy } from "./proxy.mjs";
import { client, forward, freshPhone, holds, ok, raw, refused, same, signIn } from "./support.mjs";

const sdk = "auth-js-2.119.1";
const server = process.argv[2];

/** An account whose session is old, and whose token has expired. */
const old = { client: undefined, token: undefined, storage: undefined };

async function prepare() {
  const one = client(sdk, server);
  const { access_token, expires_in } = await signIn(server, one, freshPhone());
  Object.assign(old, { token: access_token, storage: one.kept, storageKey: one.keptAs });
  forward(expires_in + 301);
}

const checks = {
  async refreshing({ url }) {
    const one = client(sdk, url);
    await signIn(server, one, freshPhone());
    await ok("refreshed", one.refreshSession());
  },
  async anExpiredToken({ url }) {
    const answer = await raw(url, "GET", "/user", { token: old.token, version: "2024-01-01" });
    same("an expired token", [answer.status, answer.body.error_code], [403, "bad_jwt"]);
  },
  async reading({ url }) {
    const one = client(sdk, url);
    await signIn(server, one, freshPhone());
    await ok("read", one.getUser());
  },
  async theKeySet({ url }) {
    same("the key set", (await raw(url, "GET", "/.well-known/jwks.json")).status, 200);
  },
  async takingANumber({ url }) {
    const one = client(sdk, url, { storage: old.storage, storageKey: old.storageKey });
    await ok("the thief refreshes", one.refreshSession());
    await refused("a number of the thief's", one.updateUser({ phone: freshPhone() }), 400, "reauthentication_needed");
  },
  async aWeakPassword({ url }) {
    const one = client(sdk, url);
    await signIn(server, one, freshPhone());
    await refused(
      "a weak password",
      one.updateUser({ password: "ab1" }),
      422,
      "weak_password",
      "AuthWeakPasswordError",
    );
  },
};

/** Spoils the answers at one place by a change of their document. */
const at = (place, change) => (exchange) => {
  if (`${exchange.method} ${exchange.path}` !== place) return;
  const document = JSON.parse(exchange.answer.body);
  exchange.answer.body = JSON.stringify(change(document, exchange) ?? document);
};
const error =
  (status, code) =>
  (_, { answer }) => {
    Object.assign(answer, {
      status,
      headers: { ...answer.headers, "x-sb-error-code": code, "x-supabase-api-version": "2024-01-01" },
    });
    return { code, message: "no", error_code: code, msg: "no" };
  };
const atRefreshes = (change) => (exchange) => {
  if (exchange.query.get("grant_type") === "refresh_token") at("POST /token", change)(exchange);
};
const forUsers = (change) => at("GET /user", (user) => void change(user));

const FAULTS = [
  ["429 at a refresh", "refreshing", atRefreshes(error(429, "over_request_rate_limit"))],
  ["409 at a refresh", "refreshing", atRefreshes(error(409, "conflict"))],
  ["500 for a fault", "reading", at("GET /user", error(500, "unexpected_failure"))],
  ["501 for what is off", "anExpiredToken", at("GET /user", error(501, "feature_disabled"))],
  ["a refresh without its user", "refreshing", atRefreshes((session) => void delete session.user)],
  ["expires_in of another token", "refreshing", atRefreshes((session) => void (session.expires_at += 60))],
  ["session_not_found for an expired token", "anExpiredToken", at("GET /user", error(403, "session_not_found"))],
  ["null for an absent field", "reading", forUsers((user) => void (user.banned_until = null))],
  ["null for factors", "reading", forUsers((user) => void (user.factors = null))],
  [
    "an offset in a time",
    "reading",
    forUsers((user) => void (user.created_at = user.created_at.replace("Z", "+00:00"))),
  ],
  ["no milliseconds", "reading", forUsers((user) => void (user.created_at = user.created_at.replace(/\.\d{3}/, "")))],
  ["an identity without its data", "reading", forUsers((user) => void delete user.identities[0].identity_data)],
  ["a phone with a plus", "reading", forUsers((user) => void (user.phone = `+${user.phone}`))],
  [
    "an OKP key in this key set",
    "theKeySet",
    at(
      "GET /.well-known/jwks.json",
      ({ keys }) =>
        void keys.push({ kty: "OKP", crv: "Ed25519", alg: "EdDSA", use: "sig", key_ops: ["verify"], kid: "e", x: "x" }),
    ),
  ],
  [
    "a phone taken over with a stolen token",
    "takingANumber",
    (exchange) => {
      if (`${exchange.method} ${exchange.path}` !== "PUT /user") return;
      const user = exchange.proxy.refreshes().at(-1).answer.body;
      Object.assign(exchange.answer, { status: 200, body: JSON.stringify(JSON.parse(user).user) });
    },
  ],
  ["weak_password without reasons", "aWeakPassword", at("PUT /user", (body) => void delete body.weak_password)],
  ["a message in weak_password", "aWeakPassword", at("PUT /user", (body) => void (body.weak_password.message = "no"))],
];

/** What a check meets; undefined if it passes. */
async function meets(check, spoil) {
  const proxy = await startProxy(server);
  proxy.spoil = spoil && ((exchange) => spoil(Object.assign(exchange, { proxy })));
  try {
    await checks[check](proxy);
  } catch (failure) {
    proxy.found.push(failure.message);
  }
  try {
    proxy.close();
  } catch (failure) {
    return failure.message;
  }
  return undefined;
}

await prepare();
for (const name of Object.keys(checks)) {
  const met = await meets(name);
  holds(`${name} passes as it is`, met === undefined, met);
}
for (const [what, check, spoil] of FAULTS) {
  const met = await meets(check, spoil);
  holds(`${what} is noticed`, met !== undefined, what);
  console.log(`ok     naive: ${what}: ${met.split("\n").at(-1).trim().slice(0, 110)}`);
}
