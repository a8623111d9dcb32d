// What the tests in a browser share: the local run, the browser, and counting what failed.
import { spawn } from "node:child_process";
import { chromium } from "playwright-core";

const binary = process.argv[2] ?? "target/debug/handset";
let failed = 0;

/** Says whether something holds, and counts it if it does not. */
export function check(what, holds, seen) {
  console.log(`${holds ? "ok    " : "FAILED"} ${what}${holds ? "" : `: ${JSON.stringify(seen)}`}`);
  if (!holds) failed += 1;
}

/** How much did not hold. */
export const failures = () => failed;

/** Starts the local run on a free port and resolves to the port. */
export function startHandset(...options) {
  const child = spawn(binary, ["--port", "0", "--memory", ...options], { stdio: ["ignore", "pipe", "inherit"] });
  const port = new Promise((resolve, reject) => {
    let printed = "";
    child.stdout.on("data", (bytes) => {
      printed += bytes;
      const found = printed.match(/http:\/\/localhost:(\d+)/);
      if (found) resolve(Number(found[1]));
    });
    child.on("exit", (code) => reject(new Error(`the local run ended with ${code}`)));
  });
  return { child, port };
}

/** Starts Chromium, for which every host below .localhost is this machine. */
export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP *.localhost 127.0.0.1",
    ],
  });
