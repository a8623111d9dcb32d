// Stands between an SDK and the server: passes everything on, holds every answer to the schemas, and makes faults.
//
//     node proxy.mjs http://localhost:3000 COMMAND…      runs a command with the proxy's address appended
//
// Flows in JavaScript call startProxy. Others ask for faults by `POST /_proxy/faults`, a list for the next refreshes.
import { spawn } from "node:child_process";
import { createServer, request } from "node:http";
import { pathToFileURL } from "node:url";
import { problems } from "./validate.mjs";

const read = async (stream) => {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
};

/** Sends a request on, unchanged but for the connection. */
function forward(server, { method, url, headers }, body) {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(server);
    const own = { ...headers, host: `${hostname}:${port}`, connection: "close" };
    const sent = request({ hostname, port, method, path: url, headers: own }, async (answer) => {
      resolve({ status: answer.statusCode, headers: answer.headers, body: await read(answer) });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** An answer as a gateway makes it: in no API's words. */
const ofTheGateway = (status) => ({
  status,
  headers: { "content-type": "application/json", "access-control-allow-origin": "*" },
  body: Buffer.from(
    JSON.stringify({ message: { 429: "Too Many Requests", 503: "Service Unavailable" }[status] ?? "Fault" }),
  ),
});

class Proxy {
  /** Every exchange so far: method, path below /auth/v1, query, headers, body, answer. */
  exchanges = [];
  /** What was wrong with answers of the server, one line each. */
  found = [];
  /** What the next refreshes meet, in order: a status, "lost" (the server acts, the answer is cut) or "cut". */
  faults = [];
  /** Seconds that sessions are said to live, so that a test need not wait for as long as the server lets them. */
  life = undefined;
  /** Changes an answer as a naive server would: `(exchange) => void`. */
  spoil = undefined;

  constructor(server) {
    this.server = server;
  }

  /** The requests with this method and path since a number of exchanges. */
  sent(place, since = 0) {
    return this.exchanges.slice(since).filter(({ method, path }) => `${method} ${path}` === place);
  }

  refreshes(since = 0) {
    return this.sent("POST /token", since).filter(({ query }) => query.get("grant_type") === "refresh_token");
  }

  async handle(asked, answered) {
    const body = await read(asked);
    if (asked.url === "/_proxy/faults") {
      this.faults = JSON.parse(body);
      return answered.end();
    }
    const url = new URL(asked.url, this.server);
    const path = url.pathname.replace(/^\/auth\/v1/, "");
    const exchange = {
      method: asked.method,
      path,
      query: url.searchParams,
      headers: asked.headers,
      body: body.toString(),
    };
    const refresh =
      path === "/token" && exchange.query.get("grant_type") === "refresh_token" && asked.method === "POST";
    const fault = refresh ? this.faults.shift() : undefined;
    if (url.pathname.startsWith("/auth/v1")) this.exchanges.push(exchange);
    if (fault === "cut") return asked.socket.destroy();
    const answer = typeof fault === "number" ? ofTheGateway(fault) : await forward(this.server, asked, body);
    exchange.answer = { ...answer, body: answer.body.toString() };
    if (this.spoil) this.spoil(exchange);
    if (typeof fault !== "number" && url.pathname.startsWith("/auth/v1")) {
      // A spoiled answer may be anything, so a validator that stumbles over it has found something.
      const wrong = (() => {
        try {
          return problems(exchange);
        } catch (error) {
          return [String(error)];
        }
      })();
      this.found.push(...wrong.map((problem) => `${asked.method} ${asked.url} ${exchange.answer.status}: ${problem}`));
    }
    if (fault === "lost") return asked.socket.destroy();
    const told = this.shorten(exchange.answer.body);
    const headers = { ...exchange.answer.headers };
    for (const name of ["content-length", "transfer-encoding", "connection"]) delete headers[name];
    answered.writeHead(exchange.answer.status, headers);
    answered.end(asked.method === "HEAD" ? undefined : told);
  }

  /** A session that seems to end earlier. The token in it keeps its time. */
  shorten(body) {
    if (this.life === undefined || !body.startsWith('{"access_token"')) return body;
    const session = JSON.parse(body);
    return JSON.stringify({ ...session, expires_in: this.life, expires_at: Math.round(Date.now() / 1000) + this.life });
  }
}

/** Starts a proxy to a server on a free port. `url` is its address, `close` ends it and throws what it found. */
export async function startProxy(server) {
  const proxy = new Proxy(server);
  const listener = createServer((asked, answered) => {
    proxy.handle(asked, answered).catch((error) => {
      proxy.found.push(`${asked.method} ${asked.url}: ${error.stack}`);
      asked.socket.destroy();
    });
  });
  await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
  proxy.url = `http://127.0.0.1:${listener.address().port}`;
  proxy.close = () => {
    listener.close();
    listener.closeAllConnections();
    const found = [...new Set(proxy.found)];
    if (found.length > 0) throw new Error(`${found.length} answers that an SDK may not read:\n  ${found.join("\n  ")}`);
    if (proxy.exchanges.length === 0) throw new Error("nothing went through the proxy");
  };
  return proxy;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [server, command, ...rest] = process.argv.slice(2);
  const proxy = await startProxy(server);
  const child = spawn(command, [...rest, proxy.url], { stdio: "inherit" });
  const code = await new Promise((resolve) => child.on("exit", resolve));
  proxy.close();
  console.log(`ok     ${proxy.exchanges.length} answers hold to the schemas`);
  process.exit(code ?? 1);
}
