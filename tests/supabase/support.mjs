// What the flows share: clients of each SDK, phone numbers, codes, and checks that say what did not hold.
import { readFileSync, writeFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import * as authJs from "@supabase/auth-js";
import * as authJsOlder from "auth-js-2.109.0";
import { createClient } from "@supabase/supabase-js";

export const KEY = "sb_publishable_handset";
export const PASSWORD = "P@ssw0rd-77";
export const NOBODY = "00000000-0000-8001-8000-00000000abcd";
export const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

export function holds(what, truth, seen) {
  if (truth) return;
  const shown = seen instanceof Error ? `${seen.name} ${seen.code}: ${seen.message}` : JSON.stringify(seen);
  throw new Error(`does not hold: ${what}: ${shown}`);
}

export function same(what, seen, wanted) {
  holds(`${what} is ${JSON.stringify(wanted)}`, isDeepStrictEqual(seen, wanted), seen);
}

/** The data of an answer without an error. */
export async function ok(what, answer) {
  const { data, error } = await answer;
  holds(what, error === null, error);
  return data;
}

/** The error of an answer, which has to be of this class, status and code. */
export async function refused(what, answer, status, code, name = "AuthApiError") {
  const { error } = await answer;
  holds(`${what} is refused`, error !== null && error !== undefined, error);
  same(`the error of ${what}`, [error.name, error.status, error.code], [name, status, code]);
  return error;
}

/** Storage as a browser has it, which a test may read and write as well. */
export class Storage {
  kept = new Map();
  getItem = (name) => this.kept.get(name) ?? null;
  setItem = (name, value) => void this.kept.set(name, value);
  removeItem = (name) => void this.kept.delete(name);

  /** Makes the stored session seem to have ended a while ago, or to end later. */
  expire(name, seconds = -60) {
    const session = JSON.parse(this.getItem(name));
    this.setItem(name, JSON.stringify({ ...session, expires_at: Math.round(Date.now() / 1000) + seconds }));
  }
}

let clients = 0;

/** How a client of each SDK is made: `(url, options) => client`. */
export const SDKS = {
  "auth-js-2.119.1": (url, options) =>
    new authJs.AuthClient({ url: `${url}/auth/v1`, headers: { apikey: KEY }, ...options }),
  "auth-js-2.109.0": (url, options) =>
    new authJsOlder.AuthClient({ url: `${url}/auth/v1`, headers: { apikey: KEY }, ...options }),
  "supabase-js-2.119.1": (url, options) => createClient(url, KEY, { auth: options }).auth,
};

/** A client with storage of its own, `client.storage` under `client.key`. */
export function client(sdk, url, options = {}) {
  const storage = options.storage ?? new Storage();
  const storageKey = options.storageKey ?? `client-${(clients += 1)}`;
  const fixed = { autoRefreshToken: false, persistSession: true, detectSessionInUrl: false };
  const made = SDKS[sdk](url, { ...fixed, experimental: { passkey: true }, ...options, storage, storageKey });
  return Object.assign(made, { kept: storage, keptAs: storageKey });
}

const started = Number(process.env.FIRST_NUMBER ?? 0);
let numbers = 0;

/** A mobile number of mainland China that no flow used before. */
export const freshNumber = () => `139${String(10_000_000 + started * 1000 + (numbers += 1)).padStart(8, "0")}`;
export const freshPhone = () => `+86${freshNumber()}`;

/** The texts to a number, newest first. */
export async function texts(server, phone) {
  const answer = await fetch(`${server}/_local/sms?phone=${encodeURIComponent(phone)}`);
  return answer.json();
}

/** The code of the newest text to a number. */
export async function codeFor(server, phone) {
  const [text] = await texts(server, phone);
  holds(`a text arrived at ${phone}`, text !== undefined);
  return text.code;
}

/** A code that is not the one. */
export const otherThan = (code) => (code === "000000" ? "111111" : "000000");

/** Lets the second pass that the run asks for between two texts to a number. */
export const nextText = () => sleep(1.1);

/** Signs in by code and returns the session. */
export async function signIn(server, made, phone, options) {
  await ok("a code is sent", made.signInWithOtp({ phone, options }));
  const token = await codeFor(server, phone);
  const { session } = await ok("the code is right", made.verifyOtp({ phone, token, type: "sms" }));
  holds("a session is there", session !== null, session);
  return session;
}

/** A request without an SDK: `{status, body, headers}`. */
export async function raw(url, method, path, { body, token, version, ...headers } = {}) {
  const answer = await fetch(`${url}/auth/v1${path}`, {
    method,
    headers: {
      "content-type": "application/json",
      ...(version ? { "x-supabase-api-version": version } : {}),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...headers,
    },
    body: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === "" ? undefined : JSON.parse(text), headers: answer.headers };
}

export const claims = (session) => JSON.parse(Buffer.from(session.access_token.split(".")[1], "base64url").toString());
export const methods = (session) => claims(session).amr.map(({ method }) => method);

/** Moves the server's clock on by so many seconds. */
export function forward(seconds) {
  const file = process.env.CLOCK_AHEAD;
  holds("the run has a clock of its own", file !== undefined);
  writeFileSync(file, String(Number(readFileSync(file, "utf8")) + seconds));
}

/** Runs flows one after the other, each under its own name. */
export async function inTurn(label, flows, ...rest) {
  for (const flow of flows) {
    const began = Date.now();
    try {
      await flow(...rest);
    } catch (error) {
      error.message = `${label}: ${flow.name}: ${error.message}`;
      throw error;
    }
    console.log(`ok     ${label}: ${flow.name} (${Date.now() - began} ms)`);
  }
}
