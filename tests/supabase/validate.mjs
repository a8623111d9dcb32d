// Compares every answer under /auth/v1 with what the parsers of all SDKs accept, and with the tighter form of Handset.
//
// schemas/<sdk>/ says what one SDK decodes without an error and reads as it is meant; schemas/handset/ what we answer.
import { readdirSync, readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import Ajv from "ajv/dist/2020.js";

export const SDKS = ["swift", "kotlin", "dart", "python", "csharp", "js"];

const folder = new URL("./schemas/", import.meta.url);
const ajv = new Ajv.default({ strict: false, allErrors: true });
for (const sdk of [...SDKS, "handset"]) {
  for (const file of readdirSync(new URL(`${sdk}/`, folder))) {
    ajv.addSchema(JSON.parse(readFileSync(new URL(`${sdk}/${file}`, folder), "utf8")));
  }
}

/** What answers a successful request, by method and path below /auth/v1. */
const KINDS = [
  [/^GET \/health$/, "health"],
  [/^GET \/settings$/, "settings"],
  [/^GET \/\.well-known\/jwks\.json$/, "jwks"],
  [/^POST \/(verify|token)$/, "session"],
  [/^POST \/signup$/, "session-or-user"],
  [/^(GET|PUT) \/user$/, "user"],
  [/^POST \/otp$|^GET \/reauthenticate$|^DELETE \/user\/identities\/[^/]+$/, "ack"],
  [/^POST \/resend$/, "resend"],
];
const EMPTY = /^POST \/logout$/;

/** The schema's complaints; undefined where this SDK reads no such document. */
export function complaints(sdk, kind, document) {
  const holds = ajv.getSchema(`/${sdk}/${kind}`);
  if (!holds) return undefined;
  if (holds(document)) return [];
  return holds.errors.map((error) => `${sdk} ${kind}: ${error.instancePath || "/"} ${error.message}`);
}

/** The complaints of all SDKs, or of those that read this body, and of our own schema. */
function complaintsOfAll(kind, document, ours = kind, sdks = SDKS) {
  const theirs = sdks.flatMap((sdk) => complaints(sdk, kind, document) ?? []);
  return [...theirs, ...(complaints("handset", ours, document) ?? [`no schema of ours: ${ours}`])];
}

/** Where a document has a null: a field without a value is left out. */
function nulls(value, path = "") {
  if (value === null) return [`null at ${path || "/"}`];
  if (typeof value !== "object") return [];
  return Object.entries(value).flatMap(([name, inner]) => nulls(inner, `${path}/${name}`));
}

const part = (token, n) => JSON.parse(Buffer.from(token.split(".")[n], "base64url").toString());

/** What a session says twice has to be the same: in its fields, in its token and in its user. */
function aboutSession(session) {
  const problems = [...complaintsOfAll("header", part(session.access_token, 0))];
  const claims = part(session.access_token, 1);
  problems.push(...complaintsOfAll("claims", claims));
  const { user } = session;
  const same = {
    expires_at: [session.expires_at, claims.exp],
    sub: [user.id, claims.sub],
    phone: [user.phone, claims.phone],
    email: [user.email, claims.email],
    is_anonymous: [user.is_anonymous, claims.is_anonymous],
    app_metadata: [user.app_metadata, claims.app_metadata],
  };
  if (JSON.stringify(user.user_metadata).length <= 1024)
    same.user_metadata = [user.user_metadata, claims.user_metadata];
  for (const [name, [outside, inside]] of Object.entries(same)) {
    if (!isDeepStrictEqual(outside, inside))
      problems.push(`${name} is ${JSON.stringify(outside)}, in the token ${JSON.stringify(inside)}`);
  }
  if (session.refresh_token.length !== 75)
    problems.push(`a refresh token of ${session.refresh_token.length} characters`);
  return [...problems, ...aboutUser(user)];
}

function aboutUser(user) {
  const problems = [];
  if (user.confirmed_at !== user.phone_confirmed_at) problems.push("confirmed_at is not phone_confirmed_at");
  if (user.is_anonymous !== (user.identities.length === 0))
    problems.push("anonymous and identities contradict each other");
  for (const identity of user.identities) {
    if (identity.user_id !== user.id) problems.push(`the identity of another user: ${identity.user_id}`);
    if (identity.provider !== "phone") continue;
    const data = { sub: user.id, phone: user.phone, phone_verified: true, email_verified: false };
    // Not yet confirmed: the contract leaves open what it says of the proof.
    if (!user.phone_confirmed_at) data.phone_verified = identity.identity_data.phone_verified;
    if (!isDeepStrictEqual(identity.identity_data, data))
      problems.push(`identity_data ${JSON.stringify(identity.identity_data)}`);
    if (identity.id !== user.id) problems.push(`the phone's identity is called ${identity.id}`);
  }
  return problems;
}

/** Whether the request asked for errors of the second form. */
const asksFor2024 = (version) => /^\d{4}-\d{2}-\d{2}$/.test(version ?? "") && version >= "2024-01-01";

function aboutError(exchange, document) {
  const { answer } = exchange;
  const modern = asksFor2024(exchange.headers["x-supabase-api-version"]);
  // Swift always asks for the second form and cannot read a number as `code`.
  const sdks = modern ? SDKS : SDKS.filter((sdk) => sdk !== "swift");
  const problems = complaintsOfAll("error", document, modern ? "error-2024" : "error-legacy", sdks);
  if (modern && document.code !== document.error_code) problems.push("code and error_code differ");
  if (modern && document.message !== document.msg) problems.push("message and msg differ");
  if (!modern && document.code !== answer.status) problems.push(`code ${document.code} under ${answer.status}`);
  if (answer.headers["x-sb-error-code"] !== document.error_code) problems.push("X-Sb-Error-Code is not error_code");
  const version = answer.headers["x-supabase-api-version"];
  if (modern && version !== "2024-01-01") problems.push(`X-Supabase-Api-Version is ${version}`);
  if (answer.status === 429 && !/^\d+$/.test(answer.headers["retry-after"] ?? ""))
    problems.push("429 without Retry-After");
  return problems;
}

function aboutCaching({ method, path, answer }) {
  const wanted = { "/.well-known/jwks.json": /public.*max-age=300/, "/settings": /max-age=60\b/ };
  const said = answer.headers["cache-control"] ?? "";
  const right = answer.status < 400 && method === "GET" && path in wanted ? wanted[path] : /no-store/;
  // Beside the key set; nothing is promised about it.
  return right.test(said) || path === "/.well-known/openid-configuration"
    ? []
    : [`Cache-Control is ${said || "missing"}`];
}

/**
 * What is wrong with an exchange: `method`, `path` below /auth/v1, `query`, `headers` and `answer` with `status`,
 * `headers` and `body`. No problem is an empty array.
 */
export function problems(exchange) {
  const { method, path, query, answer } = exchange;
  if (method === "OPTIONS") return [];
  const refresh = path === "/token" && query.get("grant_type") === "refresh_token";
  if (refresh && [409, 429].includes(answer.status)) return [`${answer.status} at a refresh signs users out`];
  if (answer.status >= 500 && answer.status !== 503) return [`${answer.status}: faults are 503`];
  const found = aboutCaching(exchange);
  const place = `${method} ${path}`;
  if (answer.status === 204)
    return answer.body === "" && EMPTY.test(place) ? found : [...found, `204 with a body, or at ${place}`];
  if (!/^application\/json\b/.test(answer.headers["content-type"] ?? "")) found.push("not JSON");
  let document;
  try {
    document = JSON.parse(answer.body);
  } catch {
    return [...found, `unreadable: ${answer.body.slice(0, 80)}`];
  }
  found.push(...nulls(document));
  if (answer.status >= 400) return [...found, ...aboutError(exchange, document)];
  if (answer.status !== 200) return [...found, `status ${answer.status}`];
  if (path === "/.well-known/openid-configuration") return found;
  const kind = KINDS.find(([pattern]) => pattern.test(place))?.[1];
  if (!kind) return [...found, `nothing is known to answer ${place}`];
  const session = kind === "session" || (kind === "session-or-user" && "access_token" in document);
  const ours = kind === "session-or-user" ? (session ? "session" : "user") : kind;
  found.push(...complaintsOfAll(kind, document, ours));
  // What follows reads fields that only a valid document has.
  if (found.length > 0) return found;
  if (session) return aboutSession(document);
  return kind === "user" || kind === "session-or-user" ? aboutUser(document) : [];
}
