// supabase-js in Chromium, on a page of another origin: two tabs, one session.
//
//     node browser.mjs http://localhost:3000
//
// The page is of another site as well, so every call is preceded by a preflight, and scripts read only what is exposed.
import { chromium } from "playwright-core";
import { startProxy } from "./proxy.mjs";
import { claims, freshPhone, holds, inTurn, same } from "./support.mjs";
import { ARGUMENTS, CHROMIUM, eventsOf, expireIn, openTab, pageOf, signIn, startSite, until, userOf } from "./tabs.mjs";

const server = process.argv[2];

async function errorsAreReadOnAnotherOrigin({ context, app, proxy }) {
  const page = await openTab(context, app, proxy.url);
  const error = await page.evaluate(async (phone) => {
    const { error } = await client.auth.signInWithPassword({ phone, password: "not-it-at-all-1" });
    return { name: error.name, status: error.status, code: error.code };
  }, freshPhone());
  same("the error", error, { name: "AuthApiError", status: 400, code: "invalid_credentials" });
  const seen = await page.evaluate(async (url) => {
    const names = [
      "apikey",
      "x-client-info",
      "x-supabase-api-version",
      "x-retry-count",
      "traceparent",
      "tracestate",
      "baggage",
    ];
    const headers = Object.fromEntries(
      names.map((name) => [name, name === "x-supabase-api-version" ? "2024-01-01" : "1"]),
    );
    const answer = await fetch(`${url}/auth/v1/user`, { headers: { ...headers, authorization: "Bearer a.b.c" } });
    return [answer.status, answer.headers.get("x-supabase-api-version"), answer.headers.get("x-sb-error-code")];
  }, proxy.url);
  same("what a script may send and see", seen, [403, "2024-01-01", "bad_jwt"]);
  const sent = await page.evaluate(async (url) => {
    const statuses = [];
    for (const method of ["PUT", "DELETE", "PATCH"]) {
      statuses.push(
        (await fetch(`${url}/auth/v1/user`, { method, headers: { "content-type": "application/json" } })).status,
      );
    }
    return statuses;
  }, proxy.url);
  same("the methods that a script may use", sent, [401, 404, 404]);
  await page.close();
}

async function twoTabsShareAnExpiredSession({ context, app, proxy }) {
  const first = await openTab(context, app, proxy.url);
  const session = await signIn(server, first);
  await expireIn(first, -60);
  await first.close();
  const before = proxy.exchanges.length;
  const tabs = await Promise.all([openTab(context, app, proxy.url), openTab(context, app, proxy.url)]);
  const users = await Promise.all(tabs.map(userOf));
  // An older client's slower tab says once that its answer came too late, and has the session at the next call.
  const again = await Promise.all(tabs.map(userOf));
  for (const user of again) same("each tab has its user", user, { id: session.user.id, error: null });
  const refreshes = proxy.refreshes(before);
  holds("each tab refreshes once at most", refreshes.length >= 1 && refreshes.length <= 2, [refreshes.length, users]);
  same("each was answered", new Set(refreshes.map(({ answer }) => answer.status)), new Set([200]));
  const next = refreshes.map(({ answer }) => JSON.parse(answer.body));
  same("one next refresh token", new Set(next.map(({ refresh_token }) => refresh_token)).size, 1);
  same("one session", claims(next[0]).session_id, claims(session).session_id);
  for (const tab of tabs) holds("nobody was signed out", !(await eventsOf(tab)).includes("SIGNED_OUT"));
  for (const tab of tabs) await tab.close();
}

async function signingOutIsHeardInTheOtherTab({ context, app, proxy }) {
  const [one, other] = [await openTab(context, app, proxy.url), await openTab(context, app, proxy.url)];
  await signIn(server, one);
  await until("the other tab hears of the session", 5, async () => (await eventsOf(other)).includes("SIGNED_IN"));
  same("no error", await one.evaluate(async () => (await client.auth.signOut()).error), null);
  await until("the other tab hears SIGNED_OUT", 5, async () => (await eventsOf(other)).includes("SIGNED_OUT"));
  same("it has no session", await other.evaluate(async () => (await client.auth.getSession()).data.session), null);
  await one.close();
  await other.close();
}

async function aShortSessionIsRefreshedInTime({ context, app, proxy }) {
  // The client looks every 30 s, and refreshes what ends within 120 s: not at once, but at the second look.
  proxy.life = 140;
  const page = await openTab(context, app, proxy.url);
  const session = await signIn(server, page);
  const before = proxy.exchanges.length;
  await until("it is refreshed", 40, () => proxy.refreshes(before).length > 0);
  await until("the tab hears of it", 5, async () => (await eventsOf(page)).includes("TOKEN_REFRESHED"));
  same("once", proxy.refreshes(before).length, 1);
  same("still the same user", await userOf(page), { id: session.user.id, error: null });
  proxy.life = undefined;
  await page.close();
}

const [site, proxy] = await Promise.all([startSite(), startProxy(server)]);
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
try {
  const context = await browser.newContext();
  const app = pageOf(site);
  const flows = [
    errorsAreReadOnAnotherOrigin,
    twoTabsShareAnExpiredSession,
    signingOutIsHeardInTheOtherTab,
    aShortSessionIsRefreshedInTime,
  ];
  await inTurn("browser", flows, { context, app, proxy });
} finally {
  await browser.close();
  site.close();
}
proxy.close();
