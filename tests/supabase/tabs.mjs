// What the flows in Chromium share: a page with supabase-js, tabs of it, and how Chromium starts.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { KEY, codeFor, freshPhone, holds, same, sleep } from "./support.mjs";

export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
export const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--host-resolver-rules=MAP *.localhost 127.0.0.1",
];

const bundle = readFileSync(createRequire(import.meta.url).resolve("@supabase/supabase-js/dist/umd/supabase.js"));
const STORED = "session";

/** A site with a page that loads the bundle, and nothing else. */
export function startSite() {
  const site = createServer((asked, answered) => {
    const script = asked.url === "/supabase.js";
    answered.setHeader("content-type", script ? "text/javascript" : "text/html");
    answered.end(script ? bundle : '<!doctype html><title>app</title><script src="/supabase.js"></script>');
  });
  return new Promise((resolve) => site.listen(0, "127.0.0.1", () => resolve(site)));
}

/** The address of the page: another site than the server's. */
export const pageOf = (site) => `http://app.localhost:${site.address().port}/`;

/**
 * A tab with a client, whose events are kept in `window.events`. Its requests have the tab's name in a header that any
 * page may send.
 */
export async function openTab(context, app, url, name = "one") {
  const page = await context.newPage();
  await page.goto(app);
  await page.evaluate(
    ({ url, key, STORED, name }) => {
      window.events = [];
      window.client = supabase.createClient(url, key, {
        auth: { storageKey: STORED, detectSessionInUrl: false },
        global: { headers: { baggage: `tab=${name}` } },
      });
      client.auth.onAuthStateChange((event) => void window.events.push(event));
    },
    { url, key: KEY, STORED, name },
  );
  return page;
}

/** Signs in by code in a tab. */
export async function signIn(server, page) {
  const phone = freshPhone();
  const sent = await page.evaluate(async (phone) => (await client.auth.signInWithOtp({ phone })).error?.message, phone);
  same("a code is sent", sent, undefined);
  const verified = { phone, token: await codeFor(server, phone), type: "sms" };
  const session = await page.evaluate(
    async (verified) => (await client.auth.verifyOtp(verified)).data.session,
    verified,
  );
  holds("signed in", session !== null, session);
  return session;
}

/** Changes when the session that the browser keeps seems to end. */
export const expireIn = (page, seconds) =>
  page.evaluate(
    ({ seconds, STORED }) => {
      const kept = JSON.parse(localStorage.getItem(STORED));
      localStorage.setItem(STORED, JSON.stringify({ ...kept, expires_at: Math.round(Date.now() / 1000) + seconds }));
    },
    { seconds, STORED },
  );

export const userOf = (page) =>
  page.evaluate(async () => {
    const { data, error } = await client.auth.getUser();
    return { id: data.user?.id, error: error && `${error.name} ${error.code}: ${error.message}` };
  });
export const eventsOf = (page) => page.evaluate(() => window.events);

/** Waits until something holds, for so many seconds at most. */
export async function until(what, seconds, check) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(0.25)) if (await check()) return;
  holds(`${what} within ${seconds} s`, false);
}
