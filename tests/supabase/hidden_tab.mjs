// supabase-js in two tabs of one window of Chromium: only the visible one refreshes the session that they share.
//
//     node hidden_tab.mjs http://localhost:3000
//
// Playwright makes every tab believe that it is visible, except in a browser that it did not start.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { chromium } from "playwright-core";
import { startProxy } from "./proxy.mjs";
import { claims, holds, inTurn, same, sleep } from "./support.mjs";
import { ARGUMENTS, CHROMIUM, eventsOf, openTab, pageOf, signIn, startSite, until, userOf } from "./tabs.mjs";

const server = process.argv[2];

/** Starts Chromium and returns the process and the address of its debugger. */
async function startChromium(folder) {
  const more = ["--headless", "--remote-debugging-port=0", `--user-data-dir=${folder}`, "about:blank"];
  const started = spawn(CHROMIUM, [...ARGUMENTS, ...more], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  const debugged = new Promise((resolve, reject) => {
    started.stderr.on("data", (text) => {
      said += text;
      const address = /listening on (ws:\S+)/.exec(said);
      if (address) resolve(address[1]);
    });
    started.on("exit", () => reject(new Error(`Chromium does not start: ${said}`)));
  });
  return { started, address: await debugged };
}

const visibility = (tab) => tab.evaluate(() => document.visibilityState);

async function onlyTheVisibleTabRefreshes({ context, app, proxy }) {
  // The client looks every 30 s and refreshes what ends within 120 s: at every look, twice with a life as short as this.
  proxy.life = 95;
  const one = await openTab(context, app, proxy.url, "one");
  const session = await signIn(server, one);
  const other = await openTab(context, app, proxy.url, "other");
  await until("the other tab has the session", 5, async () => (await userOf(other)).id === session.user.id);
  await one.bringToFront();
  await until("the other tab is hidden", 5, async () => (await visibility(other)) === "hidden");
  same("the first tab", await visibility(one), "visible");
  // Both have just become visible once, and may have refreshed then.
  await sleep(2);
  const before = proxy.exchanges.length;
  await until("the visible tab refreshes at two looks", 75, () => proxy.refreshes(before).length >= 4);
  await sleep(2);
  const tab = ({ headers }) => headers.baggage;
  same("only the visible one", new Set(proxy.refreshes(before).map(tab)), new Set(["tab=one"]));

  const hidden = proxy.exchanges.length;
  await other.bringToFront();
  await until("the first tab is hidden", 5, async () => (await visibility(one)) === "hidden");
  await until("the other one takes over", 5, () => proxy.refreshes(hidden).length > 0);
  await sleep(2);
  same("only the other one", new Set(proxy.refreshes(hidden).map(tab)), new Set(["tab=other"]));

  const all = proxy.refreshes();
  same("every one is answered", new Set(all.map(({ answer }) => answer.status)), new Set([200]));
  const presented = all.map(({ body }) => JSON.parse(body).refresh_token);
  same("no refresh token comes twice", new Set(presented).size, presented.length);
  const last = JSON.parse(all.at(-1).answer.body);
  same("one session", claims(last).session_id, claims(session).session_id);
  for (const page of [one, other]) {
    same("still the same user", await userOf(page), { id: session.user.id, error: null });
    holds("nobody was signed out", !(await eventsOf(page)).includes("SIGNED_OUT"));
  }
  console.log(`       ${all.length} refreshes, none twice`);
}

const folder = mkdtempSync("chromium-");
const [site, proxy, { started, address }] = await Promise.all([startSite(), startProxy(server), startChromium(folder)]);
try {
  const browser = await chromium.connectOverCDP(address, { noDefaults: true });
  await inTurn("hidden tab", [onlyTheVisibleTabRefreshes], { context: browser.contexts()[0], app: pageOf(site), proxy });
  await browser.close();
} finally {
  const ended = new Promise((resolve) => started.on("exit", resolve));
  started.kill();
  await ended;
  site.close();
  site.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
}
proxy.close();
