// Tokens of Apple and Google. Runs where the environment names what makes them; without it both providers are off.
import { createHash, randomUUID } from "node:crypto";
import { claims, client, freshPhone, holds, methods, ok, refused, same, signIn } from "../support.mjs";

/**
 * Makes tokens of a provider, as the local run's fakes do: `FAKES/<provider>/sign` takes claims and answers `id_token`.
 * `FAKES` is the variable of the same name, the address of the fakes.
 */
export function tokensOf(provider, audience) {
  const fakes = process.env.FAKES;
  if (!fakes) return undefined;
  return async (more = {}) => {
    const now = Math.floor(Date.now() / 1000);
    const issuer = { apple: "https://appleid.apple.com", google: "https://accounts.google.com" }[provider];
    const body = { iss: issuer, aud: audience, iat: now, exp: now + 600, sub: randomUUID(), ...more };
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${fakes}/${provider}/sign`, { method: "POST", headers, body: JSON.stringify(body) });
    holds(`${provider} signs`, answer.ok, answer.status);
    return (await answer.json()).id_token;
  };
}

// What the local run is configured for.
const AUDIENCES = { apple: "app.handset.example", google: "handset-web.apps.example" };
const half = (text) => createHash("sha256").update(text).digest().subarray(0, 16).toString("base64url");

/** One provider's tokens: right, wrong in each of the ways that are checked, and linked to an account. */
async function throughProvider({ sdk, server, proxy }, provider, token) {
  const one = client(sdk, proxy.url);
  const sub = randomUUID();
  const about = {
    sub,
    email: "tom@example.com",
    email_verified: true,
    name: "Tom",
    picture: "https://example.com/tom.png",
  };
  const { user, session } = await ok("signed in", one.signInWithIdToken({ provider, token: await token(about) }));
  same("how", methods(session), ["oauth"]);
  same("the provider", user.app_metadata, { provider, providers: [provider] });
  same(
    "the identity",
    user.identities.map((identity) => [identity.provider, identity.id]),
    [[provider, sub]],
  );
  same("the address", user.email, "tom@example.com");
  same("the name", user.user_metadata.name, "Tom");
  same("no number", [user.phone, user.is_anonymous], ["", false]);
  const again = await ok("again", client(sdk, proxy.url).signInWithIdToken({ provider, token: await token(about) }));
  same("the account", again.user.id, user.id);

  const nonce = randomUUID();
  const hashed = createHash("sha256").update(nonce).digest("hex");
  await ok("with a nonce", one.signInWithIdToken({ provider, nonce, token: await token({ sub, nonce: hashed }) }));
  const at_hash = half("an access token");
  const access_token = "an access token";
  await ok(
    "with an access token",
    one.signInWithIdToken({ provider, access_token, token: await token({ sub, at_hash }) }),
  );
  const past = Math.floor(Date.now() / 1000) - 3600;
  for (const [what, credentials] of Object.entries({
    "another app's": { token: await token({ sub, aud: "another.app" }) },
    "another issuer's": { token: await token({ sub, iss: "https://example.com" }) },
    "an old one": { token: await token({ sub, iat: past - 600, exp: past }) },
    "a nonce that was not sent": { token: await token({ sub, nonce: hashed }) },
    "a nonce that is not in it": { nonce, token: await token({ sub }) },
    "another nonce": { nonce: randomUUID(), token: await token({ sub, nonce: hashed }) },
    "another access token": { access_token: "another", token: await token({ sub, at_hash }) },
    "a changed one": { token: (await token({ sub })).replace(/.{8}$/, "AAAAAAAA") },
    "no token": { token: "a.b.c" },
  })) {
    await refused(
      what,
      client(sdk, proxy.url).signInWithIdToken({ provider, ...credentials }),
      400,
      "invalid_credentials",
    );
  }

  const owner = client(sdk, proxy.url);
  const held = await signIn(server, owner, freshPhone());
  const linked = await ok("linked", owner.linkIdentity({ provider, token: await token() }));
  same("the account", linked.user.id, held.user.id);
  same("the session, one turn on", claims(linked.session).turn, claims(held).turn + 1);
  same("both", linked.user.app_metadata.providers, ["phone", provider]);
  const taken = owner.linkIdentity({ provider, token: await token({ sub }) });
  await refused("an identity of another", taken, 422, "identity_already_exists");
  const identity = linked.user.identities.find((one) => one.provider === provider);
  await ok("unlinked", owner.unlinkIdentity(identity));
  same("one is left", (await ok("the rest", owner.getUserIdentities())).identities.length, 1);

  const nobody = client(sdk, proxy.url);
  const before = await ok("anonymous", nobody.signInAnonymously());
  const made = await ok("made permanent", nobody.linkIdentity({ provider, token: await token() }));
  same("the same, and permanent", [made.user.id, made.user.is_anonymous], [before.user.id, false]);
}

async function whereNoneIsSetUp({ sdk, proxy }) {
  for (const provider of ["apple", "google"]) {
    const answer = client(sdk, proxy.url).signInWithIdToken({ provider, token: "a.b.c" });
    await refused(provider, answer, 400, "provider_disabled");
  }
}

async function throughApple(at) {
  await throughProvider(at, "apple", tokensOf("apple", AUDIENCES.apple));
}

async function throughGoogle(at) {
  await throughProvider(at, "google", tokensOf("google", AUDIENCES.google));
  // Google's tokens may name the issuer without its scheme.
  const token = await tokensOf("google", AUDIENCES.google)({ iss: "accounts.google.com" });
  await ok("without a scheme", client(at.sdk, at.proxy.url).signInWithIdToken({ provider: "google", token }));
}

export const idTokenFlows = process.env.FAKES ? [throughApple, throughGoogle] : [whereNoneIsSetUp];
