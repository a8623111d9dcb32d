// Requests of SDKs that have no toolchain here, byte for byte as they were recorded, each with the answer that it must
// get.
//
//     node replay.mjs http://localhost:3000
//
// replays.json has one story for each SDK. In it {phone}, {code}, {wrong}, {refresh_token}, {identity_id} and
// {IDENTITY_ID} stand for what the story has so far. `wait` lets the time between two texts pass, `signed` adds the
// user's token, `words` must be in the message.
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { startProxy } from "./proxy.mjs";
import { freshPhone, holds, inTurn, nextText, otherThan, same, texts } from "./support.mjs";

const server = process.argv[2];
const stories = JSON.parse(readFileSync(new URL("./replays.json", import.meta.url), "utf8"));

/** Sends exactly these headers and this body, and no body where there is none. */
function send(url, method, path, headers, body) {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "Content-Length": Buffer.byteLength(body) };
    const sent = request(
      { hostname, port, method, path: `/auth/v1${path}`, headers: { ...headers, ...length } },
      (answer) => {
        let text = "";
        answer.on("data", (bytes) => (text += bytes));
        answer.on("end", () =>
          resolve({ status: answer.statusCode, body: text === "" ? undefined : JSON.parse(text) }),
        );
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Fills in what the story has so far. */
const fill = (text, known) => text?.replace(/\{(\w+)\}/g, (all, name) => known[name] ?? all);

async function replay(story, url) {
  const known = { phone: freshPhone() };
  for (const step of story.requests) {
    const [method, path] = step.send.split(" ");
    if (step.wait) await nextText();
    if (step.phone === "another") known.phone = freshPhone();
    const headers = { ...story.headers };
    if (step.signed) headers.Authorization = `Bearer ${known.access_token}`;
    Object.assign(headers, step.headers);
    for (const name of step.without ?? []) delete headers[name];
    const answer = await send(url, method, fill(path, known), headers, fill(step.body, known));
    const what = `${step.send}${step.code ? ` as ${step.code}` : ""}`;
    same(what, [answer.status, answer.body?.error_code], [step.status, step.code]);
    if (step.words) holds(`${what} says ${step.words}`, answer.body.msg.includes(step.words), answer.body);
    if (answer.body?.access_token) Object.assign(known, answer.body, identityOf(answer.body.user));
    const [text] = await texts(server, known.phone);
    if (text) Object.assign(known, { code: text.code, wrong: otherThan(text.code) });
  }
}

function identityOf({ identities: [identity] }) {
  if (!identity) return {};
  return { identity_id: identity.identity_id, IDENTITY_ID: identity.identity_id.toUpperCase() };
}

const proxy = await startProxy(server);
for (const story of stories) {
  const flow = () => replay(story, proxy.url);
  Object.defineProperty(flow, "name", { value: story.sdk });
  await inTurn("replays", [flow]);
}
proxy.close();
