// What a real browser sends for a page of another site, and that none of it texts or signs anybody in.
//
//     node tests/browser/cross_site.mjs target/debug/handset
//
// Starts the local run on a free port, and beside it a page on another site. Hosts below .localhost count as secure, so
// the browser marks its requests (Sec-Fetch-Site), and each is a site of its own: ports of one host are not.
import { createServer } from "node:http";
import { check, failures, launch, startHandset } from "./support.mjs";

const number = "13912345678";

/** A site with one empty page. */
function startSite() {
  const server = createServer((_, response) => {
    response.setHeader("content-type", "text/html");
    response.end("<!doctype html><title>another site</title>");
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

const handset = startHandset();
const site = await startSite();
const browser = await launch();
try {
  const api = `http://api.localhost:${await handset.port}`;
  const texts = async () => (await (await fetch(`${api.replace("api.localhost", "127.0.0.1")}/_local/sms`)).json()).length;
  const page = await browser.newPage();
  const sent = [];
  page.on("request", (request) => {
    if (request.url().startsWith(api)) sent.push(`${request.method()} ${request.url()}`);
  });

  // From another site.
  await page.goto(`http://evil.localhost:${site.address().port}/`);
  const simple = {
    "an <img>": async ({ api, number }) => {
      await new Promise((done) => {
        const image = new Image();
        image.onload = image.onerror = done;
        image.src = `${api}/verify_code?zone=86&number=${number}`;
      });
    },
    "a POST without CORS": async ({ api, number }) => {
      await fetch(`${api}/verify_code`, { method: "POST", mode: "no-cors", body: new URLSearchParams({ number }) });
    },
    "a POST of text/plain": async ({ api, number }) => {
      await fetch(`${api}/verify_code`, { method: "POST", body: JSON.stringify({ number }) }).catch(() => {});
    },
    "a form": async ({ api, number }) => {
      const frame = Object.assign(document.createElement("iframe"), { name: "target" });
      const form = Object.assign(document.createElement("form"), { action: `${api}/verify_code`, method: "POST", target: "target" });
      form.append(Object.assign(document.createElement("input"), { name: "number", value: number }));
      const loaded = new Promise((done) => frame.addEventListener("load", () => setTimeout(done, 200)));
      document.body.append(frame, form);
      form.submit();
      await loaded;
    },
  };
  for (const [what, send] of Object.entries(simple)) {
    sent.length = 0;
    await page.evaluate(send, { api, number });
    await page.waitForTimeout(300);
    check(`${what} of another site is sent`, sent.length === 1, sent);
    check(`${what} of another site sends no text`, (await texts()) === 0, await texts());
  }
  const [link] = await Promise.all([
    page.waitForResponse((response) => response.url().startsWith(api)),
    // And until its page is shown: what follows leaves it.
    page.waitForURL(`${api}/**`),
    page.evaluate(({ api, number }) => { location.href = `${api}/verify_code?zone=86&number=${number}`; }, { api, number }),
  ]);
  check("a page that a script leads to is refused", link.status() === 403, link.status());
  check("it sends no text", (await texts()) === 0, await texts());

  // A preflight precedes this one, and `CorsOrigin` allows every origin by default.
  await page.goto(`http://app.localhost:${site.address().port}/`);
  const json = await page.evaluate(async ({ api, number }) => {
    const body = JSON.stringify({ zone: "86", number });
    const headers = { "content-type": "application/json" };
    return (await fetch(`${api}/verify_code`, { method: "POST", headers, body })).json();
  }, { api, number });
  check("JSON with a preflight goes on", json.number === number, json);
  check("and sends a text", (await texts()) === 1, await texts());

  // No cookie is set for another site either, even with the right code.
  const cookies = await page.evaluate(async ({ api, number, code }) => {
    const fields = new URLSearchParams({ zone: "86", number, code });
    await fetch(`${api}/auth/token`, { method: "POST", mode: "no-cors", body: fields });
    return document.cookie;
  }, { api, number, code: json.code });
  check("no cookie is set", cookies === "" && (await browser.contexts()[0].cookies(api)).length === 0, cookies);
  const token = await page.evaluate(async ({ api, number, code }) => {
    const body = JSON.stringify({ zone: "86", number, code });
    const headers = { "content-type": "application/json" };
    return (await fetch(`${api}/auth/token`, { method: "POST", headers, body })).json();
  }, { api, number, code: json.code });
  check("the code was not used by it", typeof token.access_token === "string", token);

  // Pages of the API's own origin.
  await page.goto(`${api}/`);
  const own = await page.evaluate(async () => (await fetch("/verify_code?number=13912345679")).status);
  check("a page of the same origin goes on", own === 200, own);
} finally {
  await browser.close();
  site.close();
  handset.child.removeAllListeners("exit");
  handset.child.kill("SIGINT");
}
process.exit(failures() === 0 ? 0 : 1);
