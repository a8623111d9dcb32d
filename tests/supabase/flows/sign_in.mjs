// Ways in: a code, a password, no name at all.
import {
  PASSWORD, claims, client, codeFor, freshPhone, holds, methods, nextText, ok, otherThan, raw, refused, same, signIn,
  texts,
} from "../support.mjs";

async function theServerTellsWhatItIs({ proxy }) {
  const health = await raw(proxy.url, "GET", "/health");
  same("its name", health.body.name, "GoTrue");
  const { body } = await raw(proxy.url, "GET", "/settings");
  const { phone, anonymous_users, email } = body.external;
  same("what is on", { phone, anonymous_users, email }, { phone: true, anonymous_users: true, email: false });
  same("sign-ups", [body.disable_signup, body.passkeys_enabled, body.sms_provider], [false, false, "sns"]);
  const keys = (await raw(proxy.url, "GET", "/.well-known/jwks.json")).body.keys;
  same("the algorithms of the keys", [...new Set(keys.map(({ alg }) => alg))], ["ES256"]);
  const issuer = (await raw(proxy.url, "GET", "/.well-known/openid-configuration")).body;
  same("how tokens are signed", issuer.id_token_signing_alg_values_supported, ["ES256"]);
  holds("the key set's place", issuer.jwks_uri.endsWith("/auth/v1/.well-known/jwks.json"), issuer);
}

async function aCodeMakesAnAccount({ sdk, server, proxy }) {
  const phone = freshPhone();
  const one = client(sdk, proxy.url);
  const events = [];
  one.onAuthStateChange((event) => void events.push(event));
  const session = await signIn(server, one, phone, { data: { name: "Tom", level: 3 } });
  const { user } = session;
  same("the phone", user.phone, phone.slice(1));
  same("the metadata", user.user_metadata, { name: "Tom", level: 3 });
  same("the provider", user.app_metadata, { provider: "phone", providers: ["phone"] });
  same(
    "one identity",
    user.identities.map(({ provider }) => provider),
    ["phone"],
  );
  same("how", methods(session), ["otp"]);
  same("anonymous", user.is_anonymous, false);
  holds("the number is proved", user.phone_confirmed_at !== undefined, user);
  holds("SIGNED_IN is heard", events.includes("SIGNED_IN"), events);
  holds("the id is one of ours", /^[0-9a-f]{8}-[0-9a-f]{4}-8001-8000-[0-9a-f]{12}$/.test(user.id), user.id);
  const uid = (BigInt(`0x${user.id.slice(0, 8)}${user.id.slice(9, 13)}`) << 48n) | BigInt(`0x${user.id.slice(24)}`);
  same("the number in the id", String(uid), claims(session).uid);

  await nextText();
  const other = client(sdk, proxy.url);
  const again = await signIn(server, other, phone, { data: { name: "somebody else" } });
  same("the account is the same", again.user.id, user.id);
  same("metadata is for new accounts", again.user.user_metadata, { name: "Tom", level: 3 });
  holds("the session is another", claims(again).session_id !== claims(session).session_id, claims(again));
}

async function phonesAreSpeltInManyWays({ sdk, server, proxy }) {
  const phone = freshPhone();
  const { user } = await signIn(server, client(sdk, proxy.url), phone);
  for (const spelt of [phone.slice(1), `+86 ${phone.slice(3, 6)} ${phone.slice(6, 10)} ${phone.slice(10)}`]) {
    await nextText();
    const one = client(sdk, proxy.url);
    await ok(`a code to ${spelt}`, one.signInWithOtp({ phone: spelt }));
    const token = Number(await codeFor(server, phone));
    // A code may come as a number, unless it starts with a zero.
    const said = String(token).length === 6 ? token : String(token).padStart(6, "0");
    const { session } = await ok(`verified ${spelt}`, one.verifyOtp({ phone: spelt, token: said, type: "sms" }));
    same("the account", session.user.id, user.id);
  }
  await refused("no phone", client(sdk, proxy.url).signInWithOtp({ phone: "12" }), 400, "validation_failed");
}

async function aWrongCodeSaysOneThing({ sdk, server, proxy }) {
  const phone = freshPhone();
  const one = client(sdk, proxy.url);
  const never = await refused(
    "a code never asked for",
    one.verifyOtp({ phone, token: "123456", type: "sms" }),
    403,
    "otp_expired",
  );
  await ok("a code is sent", one.signInWithOtp({ phone }));
  await refused("a second text at once", one.signInWithOtp({ phone }), 429, "over_sms_send_rate_limit");
  const token = await codeFor(server, phone);
  const wrong = await refused(
    "a wrong code",
    one.verifyOtp({ phone, token: otherThan(token), type: "sms" }),
    403,
    "otp_expired",
  );
  same("the words", wrong.message, never.message);
  await ok("the right one", one.verifyOtp({ phone, token, type: "sms" }));
  await refused("a code used twice", one.verifyOtp({ phone, token, type: "sms" }), 403, "otp_expired");
}

async function aNumberIsNotTold({ sdk, server, proxy }) {
  const phone = freshPhone();
  const one = client(sdk, proxy.url);
  await ok("it is answered alike", one.signInWithOtp({ phone, options: { shouldCreateUser: false } }));
  same("texts", await texts(server, phone), []);
  const { user } = await signIn(server, client(sdk, proxy.url), freshPhone());
  const known = `+${user.phone}`;
  await nextText();
  await ok("a known number", one.signInWithOtp({ phone: known, options: { shouldCreateUser: false } }));
  const token = await codeFor(server, known);
  const { session } = await ok("signed in", one.verifyOtp({ phone: known, token, type: "sms" }));
  same("the account", session.user.id, user.id);
}

async function anAskedForCodeComesAgain({ sdk, server, proxy }) {
  const phone = freshPhone();
  const one = client(sdk, proxy.url);
  await ok("nothing was asked for", one.resend({ type: "sms", phone }));
  same("texts", await texts(server, phone), []);
  await ok("a code is sent", one.signInWithOtp({ phone }));
  await nextText();
  await ok("and again", one.resend({ type: "sms", phone }));
  same("the number of texts", (await texts(server, phone)).length, 2);
  await ok("the newest is right", one.verifyOtp({ phone, token: await codeFor(server, phone), type: "sms" }));
}

async function aSignUpWaitsForItsCode({ sdk, server, proxy }) {
  const phone = freshPhone();
  const one = client(sdk, proxy.url);
  const made = await ok("signed up", one.signUp({ phone, password: PASSWORD, options: { data: { name: "Ann" } } }));
  same("no session yet", made.session, null);
  same("not confirmed", made.user.phone_confirmed_at, undefined);
  same("one identity", made.user.identities.length, 1);
  holds("a code is on its way", made.user.confirmation_sent_at !== undefined, made.user);
  await refused("signing in before", one.signInWithPassword({ phone, password: PASSWORD }), 400, "invalid_credentials");
  const { session } = await ok("verified", one.verifyOtp({ phone, token: await codeFor(server, phone), type: "sms" }));
  same("the id", session.user.id, made.user.id);
  same("the metadata", session.user.user_metadata, { name: "Ann" });

  const other = client(sdk, proxy.url);
  const signed = await ok("by password", other.signInWithPassword({ phone, password: PASSWORD }));
  same("the account", signed.user.id, made.user.id);
  same("how", methods(signed.session), ["password"]);
  const wrong = await refused(
    "a wrong password",
    other.signInWithPassword({ phone, password: "another-pass-1" }),
    400,
    "invalid_credentials",
  );
  holds("the words that C# looks for", wrong.message.includes("Invalid login"), wrong);
  const nobody = await refused(
    "no account",
    other.signInWithPassword({ phone: freshPhone(), password: PASSWORD }),
    400,
    "invalid_credentials",
  );
  same("the words", nobody.message, wrong.message);

  await nextText();
  const before = (await texts(server, phone)).length;
  const stranger = await ok(
    "a stranger signs up with it",
    client(sdk, proxy.url).signUp({ phone, password: "Strangers-pw-1" }),
  );
  holds("the id is another", stranger.user.id !== made.user.id, stranger.user);
  same("the fields", Object.keys(stranger.user).sort(), Object.keys(made.user).sort());
  same("texts", (await texts(server, phone)).length, before);
  await ok("the owner's password stays", other.signInWithPassword({ phone, password: PASSWORD }));
}

async function nobodyInParticular({ sdk, server, proxy }) {
  const one = client(sdk, proxy.url);
  const { user, session } = await ok("anonymous", one.signInAnonymously({ options: { data: { theme: "dark" } } }));
  same("anonymous", [user.is_anonymous, user.phone, user.app_metadata, user.identities], [true, "", {}, []]);
  same("the metadata", user.user_metadata, { theme: "dark" });
  same("how", methods(session), ["anonymous"]);
  const weak = await one.updateUser({ password: PASSWORD });
  same("a password without a phone", weak.error?.status, 422);

  const taken = await signIn(server, client(sdk, proxy.url), freshPhone());
  await refused("a taken number", one.updateUser({ phone: taken.user.phone }), 422, "phone_exists");
  const phone = freshPhone();
  const asked = await ok("a number is asked for", one.updateUser({ phone }));
  same("the new number", [asked.user.new_phone, asked.user.phone], [phone.slice(1), ""]);
  const token = await codeFor(server, phone);
  const made = await ok("verified", one.verifyOtp({ phone, token, type: "phone_change" }));
  same("the id stays", made.user.id, user.id);
  same("permanent", [made.user.is_anonymous, made.user.phone], [false, phone.slice(1)]);
  same(
    "one identity",
    made.user.identities.map(({ provider }) => provider),
    ["phone"],
  );
  same("the metadata stays", made.user.user_metadata, { theme: "dark" });
  same("the session stays", claims(made.session).session_id, claims(session).session_id);
  await nextText();
  const again = await signIn(server, client(sdk, proxy.url), phone);
  same("the number signs in", again.user.id, user.id);
}

export const signInFlows = [
  theServerTellsWhatItIs,
  aCodeMakesAnAccount,
  phonesAreSpeltInManyWays,
  aWrongCodeSaysOneThing,
  aNumberIsNotTold,
  anAskedForCodeComesAgain,
  aSignUpWaitsForItsCode,
  nobodyInParticular,
];
