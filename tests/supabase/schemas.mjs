// The schemas read what is right, and each spoiled answer breaks exactly the SDKs whose parser it breaks.
//
//     node schemas.mjs
import { isDeepStrictEqual } from "node:util";
import { SDKS, complaints } from "./validate.mjs";

const ID = "00000000-0012-8001-8000-3456789abcde";
const TIME = "2026-08-21T10:00:00.000Z";
const IDENTITY = {
  identity_id: "00000000-0012-8003-8000-3456789abcde",
  id: ID,
  user_id: ID,
  provider: "phone",
  identity_data: { sub: ID, phone: "8613912345678", phone_verified: true, email_verified: false },
  created_at: TIME,
  updated_at: TIME,
  last_sign_in_at: TIME,
};
const USER = {
  id: ID,
  aud: "authenticated",
  role: "authenticated",
  email: "",
  phone: "8613912345678",
  phone_confirmed_at: TIME,
  confirmed_at: TIME,
  last_sign_in_at: TIME,
  app_metadata: { provider: "phone", providers: ["phone"] },
  user_metadata: { name: "Tom" },
  identities: [IDENTITY],
  created_at: TIME,
  updated_at: TIME,
  is_anonymous: false,
};
const { phone_confirmed_at: _, confirmed_at: __, ...UNPROVED } = USER;
const ANONYMOUS = { ...UNPROVED, phone: "", app_metadata: {}, identities: [], is_anonymous: true };
const SESSION = {
  access_token: "aaaa.bbbb.cccc",
  token_type: "bearer",
  expires_in: 3600,
  expires_at: 1787306400,
  refresh_token: "A".repeat(75),
  user: USER,
};
const ERROR = { code: "otp_expired", message: "m", error_code: "otp_expired", msg: "m" };
const WEAK = {
  code: "weak_password",
  message: "m",
  error_code: "weak_password",
  msg: "m",
  weak_password: { reasons: ["length"] },
};
const KEYS = {
  keys: [{ kty: "EC", crv: "P-256", alg: "ES256", use: "sig", key_ops: ["verify"], kid: "k", x: "x", y: "y" }],
};
const CLAIMS = {
  iss: "https://api.example.com/auth/v1",
  sub: ID,
  aud: "authenticated",
  exp: 2,
  iat: 1,
  email: "",
  phone: "8613912345678",
  app_metadata: {},
  user_metadata: {},
  role: "authenticated",
  aal: "aal1",
  amr: [{ method: "otp", timestamp: 1 }],
  session_id: "00000000-0012-8002-8000-3456789abcde",
  is_anonymous: false,
  uid: "5129876543210000",
  turn: 0,
};
const SETTINGS = {
  external: { phone: true, email: false, anonymous_users: true, apple: false, google: false },
  disable_signup: false,
  mailer_autoconfirm: false,
  phone_autoconfirm: false,
  sms_provider: "sns",
  saml_enabled: false,
  passkeys_enabled: false,
};
const RIGHT = {
  user: [
    USER,
    ANONYMOUS,
    { ...UNPROVED, confirmation_sent_at: TIME },
    { ...USER, new_phone: "8613912345679", phone_change_sent_at: TIME },
  ],
  session: [SESSION, { ...SESSION, user: ANONYMOUS }],
  "session-or-user": [SESSION, UNPROVED],
  error: [ERROR, WEAK],
  ack: [{}],
  resend: [{}, { message_id: "x" }],
  jwks: [KEYS],
  header: [{ alg: "ES256", typ: "JWT", kid: "k" }],
  claims: [CLAIMS],
  settings: [SETTINGS],
  health: [{ version: "1", name: "GoTrue", description: "Handset" }],
};

const without = (document, name) => Object.fromEntries(Object.entries(document).filter(([key]) => key !== name));
const identity = (change) => ({ ...USER, identities: [change(IDENTITY)] });
const FACTOR = { id: "f", factor_type: "passkey", status: "verified", created_at: TIME, updated_at: TIME };
const OKP = { kty: "OKP", crv: "Ed25519", alg: "EdDSA", kid: "e", x: "x" };

/** What is wrong, of which kind, the document, and whose parser it breaks. */
const SPOILED = [
  ["a number as code", "error", { code: 403, error_code: "otp_expired", msg: "m" }, "swift"],
  ["no error_code", "error", { code: "otp_expired", message: "m" }, "kotlin"],
  ["a message in weak_password", "error", { ...WEAK, weak_password: { reasons: ["length"], message: "x" } }, "kotlin"],
  ["weak_password without its reasons", "error", without(WEAK, "weak_password"), "python"],
  ["no updated_at", "user", without(USER, "updated_at"), "swift"],
  ["an offset", "user", { ...USER, created_at: "2026-08-21T18:00:00.000+08:00" }, "swift"],
  ["no created_at", "user", without(USER, "created_at"), "swift python"],
  ["an id that is no UUID", "user", { ...USER, id: "42" }, "swift"],
  ["no app_metadata", "user", without(USER, "app_metadata"), "python"],
  ["user_metadata null", "user", { ...USER, user_metadata: null }, "python"],
  ["aud null", "user", { ...USER, aud: null }, "swift kotlin python"],
  ["factors null", "user", { ...USER, factors: null }, "kotlin"],
  ["a verified factor of an unknown kind", "user", { ...USER, factors: [FACTOR] }, "js"],
  ["no identity_data", "user", identity((one) => without(one, "identity_data")), "kotlin python"],
  ["no identity_id", "user", identity((one) => without(one, "identity_id")), "python js"],
  ["an identity_id that is no UUID", "user", identity((one) => ({ ...one, identity_id: "phone" })), "swift"],
  ["an identity's created_at null", "user", identity((one) => ({ ...one, created_at: null })), "python csharp"],
  ["an identity's last_sign_in_at null", "user", identity((one) => ({ ...one, last_sign_in_at: null })), "csharp"],
  ["is_anonymous null", "user", { ...USER, is_anonymous: null }, "python csharp"],
  ["no user", "session", without(SESSION, "user"), "swift dart python js"],
  ["no expires_at", "session", without(SESSION, "expires_at"), "swift"],
  ["no token_type", "session", without(SESSION, "token_type"), "swift kotlin dart python"],
  ["half a second", "session", { ...SESSION, expires_in: 3599.5 }, "kotlin python csharp"],
  ["no second", "session", { ...SESSION, expires_in: 0 }, "js"],
  ["an OKP key", "jwks", { keys: [...KEYS.keys, OKP] }, "python"],
  ["no key", "jwks", { keys: [] }, "python"],
  ["EdDSA", "header", { alg: "EdDSA", typ: "JWT", kid: "e" }, "kotlin python js"],
  ["amr passkey", "claims", { ...CLAIMS, amr: [{ method: "passkey", timestamp: 1 }] }, "kotlin"],
];
/** What our own schema allows though an SDK stumbles: a fault of the SDK that no other answer would mend. */
const ALLOWED = ["amr passkey"];

const failures = [];
for (const [kind, documents] of Object.entries(RIGHT)) {
  for (const document of documents) {
    const ours =
      { error: "error-2024", "session-or-user": "access_token" in document ? "session" : "user" }[kind] ?? kind;
    const found = [
      ...SDKS.flatMap((sdk) => complaints(sdk, kind, document) ?? []),
      ...complaints("handset", ours, document),
    ];
    failures.push(...found);
  }
}
for (const [what, kind, document, broken] of SPOILED) {
  const found = SDKS.filter((sdk) => complaints(sdk, kind, document)?.length > 0);
  if (!isDeepStrictEqual(new Set(found), new Set(broken.split(" "))))
    failures.push(`${what} breaks ${found}, not ${broken}`);
  const ours = complaints("handset", kind === "error" ? "error-2024" : kind, document).length > 0;
  if (ours === ALLOWED.includes(what)) failures.push(`${what}: our own schema ${ours ? "refuses" : "allows"} it`);
}
if (failures.length > 0) throw new Error(failures.join("\n"));
console.log(`ok     schemas: ${SPOILED.length} spoiled answers break whom they must`);
