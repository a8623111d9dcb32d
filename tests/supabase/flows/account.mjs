// What a signed-in user changes: metadata, password, number, identities.
import {
  NOBODY, PASSWORD, claims, client, codeFor, freshPhone, holds, nextText, ok, otherThan, raw, refused, same, signIn,
  texts,
} from "../support.mjs";

async function metadataIsMerged({ sdk, server, proxy }) {
  const one = client(sdk, proxy.url);
  await signIn(server, one, freshPhone(), { data: { a: 1, b: { c: 2 } } });
  const merged = await ok("merged", one.updateUser({ data: { b: { d: 3 }, e: "é" } }));
  same("merged by its first keys", merged.user.user_metadata, { a: 1, b: { d: 3 }, e: "é" });
  const less = await ok("null deletes", one.updateUser({ data: { a: null } }));
  same("without a", less.user.user_metadata, { b: { d: 3 }, e: "é" });
  const { user } = await ok("kept", one.getUser());
  same("kept", user.user_metadata, less.user.user_metadata);
  same("nothing changes nothing", (await ok("empty", one.updateUser({}))).user.user_metadata, less.user.user_metadata);
  await refused("too much", one.updateUser({ data: { long: "x".repeat(4100) } }), 422, "validation_failed");
  // More than fits into a token: the user has it, the token does not.
  await ok("more than 1,024 bytes", one.updateUser({ data: { long: "x".repeat(1100) } }));
  const { session } = await ok("refreshed", one.refreshSession());
  same("the token's metadata", claims(session).user_metadata, {});
  same("the user's", session.user.user_metadata.long.length, 1100);
}

async function passwordsAreChecked({ sdk, server, proxy }) {
  const phone = freshPhone();
  const one = client(sdk, proxy.url);
  await signIn(server, one, phone);
  const weak = await refused(
    "a short password",
    one.updateUser({ password: "ab1" }),
    422,
    "weak_password",
    "AuthWeakPasswordError",
  );
  holds("the reason", weak.reasons.includes("length"), weak.reasons);
  await refused("a long one", one.updateUser({ password: `Aa1-${"x".repeat(61)}` }), 400, "validation_failed");
  await ok("a good one", one.updateUser({ password: PASSWORD }));
  await refused("the same", one.updateUser({ password: PASSWORD }), 422, "same_password");
  const wrong = { password: "N3w-P@ssw0rd", current_password: "not-it-at-all-1" };
  await refused("a wrong current one", one.updateUser(wrong), 400, "current_password_invalid");

  const other = client(sdk, proxy.url);
  await ok("signed in by it", other.signInWithPassword({ phone, password: PASSWORD }));
  await ok("another one", one.updateUser({ password: "N3w-P@ssw0rd", current_password: PASSWORD }));
  await ok("this session lives", one.getUser());
  await refused("the other is over", other.getUser(), 400, undefined, "AuthSessionMissingError");
  await refused(
    "the old password",
    other.signInWithPassword({ phone, password: PASSWORD }),
    400,
    "invalid_credentials",
  );
  await ok("the new password", other.signInWithPassword({ phone, password: "N3w-P@ssw0rd" }));
}

async function aNonceIsTexted({ sdk, server, proxy }) {
  const phone = freshPhone();
  const one = client(sdk, proxy.url);
  await signIn(server, one, phone);
  await nextText();
  await ok("a nonce is sent", one.reauthenticate());
  same("the number of texts", (await texts(server, phone)).length, 2);
  const { user } = await ok("the user", one.getUser());
  holds("when", user.reauthentication_sent_at !== undefined, user);
  const nonce = await codeFor(server, phone);
  await refused(
    "a nonce does not sign in",
    client(sdk, proxy.url).verifyOtp({ phone, token: nonce, type: "sms" }),
    403,
    "otp_expired",
  );
  await ok("a password with it", one.updateUser({ password: PASSWORD, nonce }));
  const nobody = client(sdk, proxy.url);
  await ok("anonymous", nobody.signInAnonymously());
  await refused("a nonce to no number", nobody.reauthenticate(), 400, "validation_failed");
}

async function aNumberIsChanged({ sdk, server, proxy }) {
  const [before, after] = [freshPhone(), freshPhone()];
  const one = client(sdk, proxy.url);
  const session = await signIn(server, one, before);
  const asked = await ok("asked for", one.updateUser({ phone: after }));
  same("both numbers", [asked.user.phone, asked.user.new_phone], [before.slice(1), after.slice(1)]);
  holds("when", asked.user.phone_change_sent_at !== undefined, asked.user);
  same("texts to the old number", (await texts(server, before)).length, 1);
  const wrong = otherThan(await codeFor(server, after));
  await refused(
    "a wrong code",
    one.verifyOtp({ phone: after, token: wrong, type: "phone_change" }),
    403,
    "otp_expired",
  );
  await nextText();
  await ok("again", one.resend({ type: "phone_change", phone: after }));
  const token = await codeFor(server, after);
  const others = client(sdk, proxy.url).verifyOtp({ phone: after, token, type: "sms" });
  await refused("this code makes no account", others, 403, "otp_expired");
  const changed = await ok("changed", one.verifyOtp({ phone: after, token, type: "phone_change" }));
  same(
    "the number",
    [changed.user.id, changed.user.phone, changed.user.new_phone],
    [session.user.id, after.slice(1), undefined],
  );
  const [was, is] = [claims(session), claims(changed.session)];
  same("the same session, one turn on", [is.session_id, is.turn], [was.session_id, was.turn + 1]);
  await nextText();
  same("the new number signs in", (await signIn(server, client(sdk, proxy.url), after)).user.id, session.user.id);
  await nextText();
  const next = await signIn(server, client(sdk, proxy.url), before);
  holds("the old number is another's", next.user.id !== session.user.id, next.user);
  await refused("a taken number", one.updateUser({ phone: before }), 422, "phone_exists");
}

async function theLastIdentityStays({ sdk, server, proxy }) {
  const one = client(sdk, proxy.url);
  const { access_token: token } = await signIn(server, one, freshPhone());
  const { identities } = await ok("the identities", one.getUserIdentities());
  same(
    "one identity",
    identities.map(({ provider }) => provider),
    ["phone"],
  );
  const [identity] = identities;
  await refused("the last one", one.unlinkIdentity(identity), 422, "single_identity_not_deletable");
  const capitals = { ...identity, identity_id: identity.identity_id.toUpperCase() };
  await refused("in capitals", one.unlinkIdentity(capitals), 422, "single_identity_not_deletable");
  const unknown = { ...identity, identity_id: identity.identity_id.replace(/.{4}$/, "0000") };
  await refused("an unknown one", one.unlinkIdentity(unknown), 422, "identity_not_found");
  const answer = await raw(proxy.url, "DELETE", "/user/identities/phone", { token });
  same("no UUID", [answer.status, answer.body.error_code], [404, "validation_failed"]);
}

async function claimsAreReadOffline({ sdk, server, proxy }) {
  const one = client(sdk, proxy.url);
  const session = await signIn(server, one, freshPhone());
  const before = proxy.exchanges.length;
  const read = await ok("read", one.getClaims());
  same(
    "whose",
    [read.claims.sub, read.claims.aud, read.claims.role],
    [session.user.id, "authenticated", "authenticated"],
  );
  same(
    "what was asked",
    proxy.exchanges.slice(before).map(({ path }) => path),
    ["/.well-known/jwks.json"],
  );
  await ok("read again", one.getClaims());
  same("asked once", proxy.exchanges.length, before + 1);
  const { keys } = (await raw(proxy.url, "GET", "/.well-known/jwks.json")).body;
  const alone = proxy.exchanges.length;
  await ok("by keys that are there", client(sdk, proxy.url).getClaims(session.access_token, { keys }));
  const [head, , tail] = session.access_token.split(".");
  const forged = Buffer.from(JSON.stringify({ ...claims(session), sub: NOBODY })).toString("base64url");
  const { error } = await one.getClaims(`${head}.${forged}.${tail}`, { keys });
  same("a forged one", error?.name, "AuthInvalidJwtError");
  same("nothing was asked", proxy.exchanges.length, alone);
}

export const accountFlows = [
  metadataIsMerged,
  passwordsAreChecked,
  aNonceIsTexted,
  aNumberIsChanged,
  theLastIdentityStays,
  claimsAreReadOffline,
];
