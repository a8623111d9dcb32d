// What is off, refused by every call of an SDK that would reach it, and both forms of the error.
import { NOBODY, client, freshPhone, holds, ok, raw, refused, same, signIn } from "../support.mjs";

const EMAIL = "tom@example.com";

async function byEmail({ sdk, server, proxy }) {
  const one = client(sdk, proxy.url);
  const password = "P@ssw0rd-77";
  const off = (what, answer) => refused(what, answer, 400, "email_provider_disabled");
  await off("a code", one.signInWithOtp({ email: EMAIL }));
  await off("signing up", one.signUp({ email: EMAIL, password }));
  await off("a password", one.signInWithPassword({ email: EMAIL, password }));
  await off("verifying", one.verifyOtp({ email: EMAIL, token: "123456", type: "email" }));
  await off("resending", one.resend({ type: "signup", email: EMAIL }));
  await off("resetting a password", one.resetPasswordForEmail(EMAIL));
  await off("inviting", one.admin.inviteUserByEmail(EMAIL));
  await off("a link", one.admin.generateLink({ type: "magiclink", email: EMAIL }));
  await refused("a hash of a link", one.verifyOtp({ token_hash: "abc", type: "sms" }), 400, "validation_failed");
  await signIn(server, one, freshPhone());
  await off("an address of one's own", one.updateUser({ email: EMAIL }));
}

async function byOthers({ sdk, server, proxy }) {
  const one = client(sdk, proxy.url);
  const { data } = await one.signInWithOAuth({ provider: "github", options: { skipBrowserRedirect: true } });
  const answer = await fetch(data.url, { redirect: "manual" });
  same("OAuth", [answer.status, (await answer.json()).error_code], [400, "oauth_provider_not_supported"]);
  await refused(
    "an unknown provider",
    one.signInWithIdToken({ provider: "facebook", token: "a.b.c" }),
    400,
    "provider_disabled",
  );
  const wallet = { chain: "solana", message: "hello", signature: new Uint8Array(64) };
  await refused("a wallet", one.signInWithWeb3(wallet), 422, "web3_provider_disabled");
  await refused("SSO", one.signInWithSSO({ domain: "example.com" }), 404, "saml_provider_disabled");
  await signIn(server, one, freshPhone());
  await refused("linking", one.linkIdentity({ provider: "github" }), 400, "oauth_provider_not_supported");
}

async function secondFactors({ sdk, server, proxy }) {
  const one = client(sdk, proxy.url);
  await signIn(server, one, freshPhone());
  await refused("TOTP", one.mfa.enroll({ factorType: "totp" }), 422, "mfa_totp_enroll_not_enabled");
  await refused(
    "a phone",
    one.mfa.enroll({ factorType: "phone", phone: freshPhone() }),
    422,
    "mfa_phone_enroll_not_enabled",
  );
  await refused(
    "WebAuthn",
    one.mfa.enroll({ factorType: "webauthn", friendlyName: "key" }),
    422,
    "mfa_webauthn_enroll_not_enabled",
  );
  const factorId = NOBODY;
  await refused("a challenge", one.mfa.challenge({ factorId }), 404, "mfa_factor_not_found");
  await refused(
    "a check",
    one.mfa.verify({ factorId, challengeId: NOBODY, code: "123456" }),
    404,
    "mfa_factor_not_found",
  );
  await refused("removing one", one.mfa.unenroll({ factorId }), 404, "mfa_factor_not_found");
  const factors = await ok("listed", one.mfa.listFactors());
  same("none", factors.all, []);
  const level = await ok("the level", one.mfa.getAuthenticatorAssuranceLevel());
  same("the level", [level.currentLevel, level.nextLevel], ["aal1", "aal1"]);
}

async function passkeysAndOtherServers({ sdk, server, proxy }) {
  const one = client(sdk, proxy.url);
  await refused("signing in", one.passkey.startAuthentication(), 404, "passkey_disabled");
  await signIn(server, one, freshPhone());
  await refused("a new passkey", one.passkey.startRegistration(), 404, "passkey_disabled");
  await refused("the passkeys", one.passkey.list(), 404, "passkey_disabled");
  await refused("deleting one", one.passkey.delete({ passkeyId: NOBODY }), 404, "passkey_disabled");
  await refused("an OAuth server", one.oauth.getAuthorizationDetails("abc"), 404, "feature_disabled");
}

async function administration({ sdk, proxy }) {
  const one = client(sdk, proxy.url);
  await refused("the users", one.admin.listUsers(), 403, "not_admin");
  await refused("a user", one.admin.getUserById(NOBODY), 403, "not_admin");
  await refused("a new user", one.admin.createUser({ phone: freshPhone() }), 403, "not_admin");
  await refused("a deletion", one.admin.deleteUser(NOBODY), 403, "not_admin");
}

/** Requests that no SDK sends, or none of these; each in both forms of the error. */
const PLAIN = [
  ["GET", "/admin/users", 401, "no_authorization"],
  ["PUT", `/admin/users/${NOBODY}`, 401, "no_authorization"],
  ["GET", "/admin/audit", 401, "no_authorization"],
  ["POST", "/admin/invite", 400, "email_provider_disabled", {}],
  ["POST", "/magiclink", 400, "email_provider_disabled", { email: EMAIL }],
  ["POST", "/recover", 400, "email_provider_disabled", { email: EMAIL }],
  ["GET", "/authorize?provider=google", 400, "oauth_provider_not_supported"],
  ["GET", "/callback?code=abc", 400, "oauth_provider_not_supported"],
  ["GET", "/user/identities/authorize?provider=google", 400, "oauth_provider_not_supported"],
  ["POST", "/token?grant_type=pkce", 404, "flow_state_not_found", { auth_code: "a", code_verifier: "b" }],
  ["POST", "/token?grant_type=web3", 422, "web3_provider_disabled", {}],
  ["POST", "/token?grant_type=anything", 400, "invalid_credentials", {}],
  ["POST", "/token", 400, "invalid_credentials", { grant_type: "password" }],
  ["POST", "/token?grant_type=id_token", 400, "provider_disabled", { provider: "azure", id_token: "a.b.c" }],
  ["POST", "/sso", 404, "saml_provider_disabled", {}],
  ["POST", "/sso/saml/acs", 404, "saml_provider_disabled", {}],
  ["GET", "/sso/saml/metadata", 404, "saml_provider_disabled"],
  ["GET", "/admin/sso/providers", 404, "saml_provider_disabled"],
  ["GET", "/factors/recovery-codes", 404, "mfa_factor_not_found"],
  ["GET", "/oauth/authorizations/abc", 404, "feature_disabled"],
  ["GET", "/user/oauth/grants", 404, "feature_disabled"],
  ["GET", "/admin/oauth/clients", 404, "feature_disabled"],
  ["GET", "/admin/custom-providers", 404, "feature_disabled"],
  ["GET", "/scim/v2/Users", 404, "feature_disabled"],
  ["POST", "/passkeys/authentication/options", 404, "passkey_disabled", {}],
  ["GET", "/nothing", 404, "validation_failed"],
  ["DELETE", "/otp", 404, "validation_failed"],
  ["GET", "/user", 401, "no_authorization"],
  ["PUT", "/user", 401, "no_authorization", {}],
  ["GET", "/reauthenticate", 401, "no_authorization"],
  ["POST", "/logout", 401, "no_authorization"],
  ["POST", "/otp", 400, "bad_json", "{"],
  ["POST", "/otp", 400, "validation_failed"],
  ["POST", "/otp", 400, "validation_failed", { phone: "+8613900000000", channel: "whatsapp" }],
  ["POST", "/otp", 413, "request_entity_too_large", { phone: "+8613900000000", data: { long: "x".repeat(66_000) } }],
  ["POST", "/verify", 403, "otp_expired", { type: "sms", phone: freshPhone(), token: "123456" }],
];

async function bothFormsOfAnError({ proxy }) {
  for (const [method, path, status, code, body] of PLAIN) {
    const what = `${method} ${path}`;
    for (const version of ["2024-01-01", "2025-06-30"]) {
      const modern = await raw(proxy.url, method, path, { body, version });
      same(what, [modern.status, modern.body.code, modern.body.error_code], [status, code, code]);
      same("the words twice", modern.body.message, modern.body.msg);
    }
    for (const version of [undefined, "2023-12-31", "soon"]) {
      const older = await raw(proxy.url, method, path, { body, version });
      same(what, [older.status, older.body.code, older.body.error_code], [status, status, code]);
      holds("words", older.body.msg.length > 0, older.body);
    }
  }
  const wrong = await raw(proxy.url, "GET", "/admin/users", { token: "sb_secret_wrong" });
  same("a wrong key", [wrong.status, wrong.body.error_code], [403, "not_admin"]);
  const apikey = await raw(proxy.url, "GET", "/admin/users", { apikey: "sb_secret_wrong" });
  same("a wrong key elsewhere", [apikey.status, apikey.body.error_code], [403, "not_admin"]);
}

export const refusalFlows = [
  byEmail,
  byOthers,
  secondFactors,
  passkeysAndOtherServers,
  administration,
  bothFormsOfAnError,
];
