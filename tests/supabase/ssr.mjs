// @supabase/ssr: five requests at once come with one expired cookie. One session goes on, each request has its user.
//
//     node ssr.mjs http://localhost:3000
import { createServerClient, parseCookieHeader } from "@supabase/ssr";
import { startProxy } from "./proxy.mjs";
import { KEY, claims, codeFor, freshPhone, holds, inTurn, ok, same } from "./support.mjs";

const server = process.argv[2];

/** A client as a middleware makes it for one request, with the cookies of that request. */
function requestWith(url, jar) {
  const cookies = { getAll: () => parseCookieHeader(jar.header()), setAll: (set) => jar.take(set) };
  return createServerClient(url, KEY, { cookies });
}

class Jar {
  kept = new Map();
  header = () => [...this.kept].map(([name, value]) => `${name}=${value}`).join("; ");
  take = (set) => {
    for (const { name, value } of set) {
      if (value === "") this.kept.delete(name);
      else this.kept.set(name, value);
    }
  };
}

/** The session in a jar, and a jar with another. Cookies hold it in base64url, in parts when it is long. */
const PREFIX = "base64-";
function sessionIn(jar) {
  const names = [...jar.kept.keys()].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const text = decodeURIComponent(names.map((name) => jar.kept.get(name)).join(""));
  return JSON.parse(Buffer.from(text.slice(PREFIX.length), "base64url").toString());
}
function jarWith(name, session) {
  const jar = new Jar();
  const text = PREFIX + Buffer.from(JSON.stringify(session)).toString("base64url");
  const size = 3000;
  const parts = Math.ceil(text.length / size);
  for (let n = 0; n < parts; n += 1)
    jar.kept.set(parts === 1 ? name : `${name}.${n}`, text.slice(n * size, (n + 1) * size));
  return jar;
}

async function fiveRequestsWithOneExpiredCookie({ proxy }) {
  const phone = freshPhone();
  const jar = new Jar();
  const first = requestWith(proxy.url, jar).auth;
  await ok("a code is sent", first.signInWithOtp({ phone }));
  await ok("signed in", first.verifyOtp({ phone, token: await codeFor(server, phone), type: "sms" }));
  await new Promise((resolve) => setTimeout(resolve, 100));
  holds("cookies were set", jar.kept.size > 0, [...jar.kept.keys()]);
  const name = [...jar.kept.keys()][0].replace(/\.\d+$/, "");
  const session = sessionIn(jar);

  const expired = { ...session, expires_at: Math.round(Date.now() / 1000) - 60 };
  const before = proxy.exchanges.length;
  const jars = Array.from({ length: 5 }, () => jarWith(name, expired));
  const users = await Promise.all(jars.map((own) => requestWith(proxy.url, own).auth.getUser()));
  for (const { data, error } of users)
    same("each request has its user", [error, data.user?.id], [null, session.user.id]);
  same("each refreshed by itself", proxy.refreshes(before).length, 5);
  same("all were answered", new Set(proxy.exchanges.slice(before).map(({ answer }) => answer.status)), new Set([200]));
  await new Promise((resolve) => setTimeout(resolve, 100));
  const next = jars.map(sessionIn);
  same("one next refresh token", new Set(next.map(({ refresh_token }) => refresh_token)).size, 1);
  same("one session", new Set(next.map((one) => claims(one).session_id)), new Set([claims(session).session_id]));
  const { data, error } = await requestWith(proxy.url, jars[4]).auth.refreshSession();
  same("and it goes on", [error, claims(data.session).turn], [null, claims(session).turn + 2]);
}

const proxy = await startProxy(server);
await inTurn("ssr", [fiveRequestsWithOneExpiredCookie], { proxy });
proxy.close();
