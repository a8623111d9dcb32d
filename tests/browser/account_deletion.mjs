// The page on which users delete their account, on a narrow screen, from the number to the end.
//
//     node tests/browser/account_deletion.mjs target/debug/handset
import { check, failures, launch, startHandset } from "./support.mjs";

const number = "+8613912345678";
const handset = startHandset("--policy", "ResendSeconds=1");
const browser = await launch();
try {
  const api = `http://localhost:${await handset.port}`;
  const post = async (path, body) => {
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${api}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    return response.json();
  };
  const code = async () => {
    const texts = await (await fetch(`${api}/_local/sms?phone=${encodeURIComponent(number)}`)).json();
    return texts[0]?.code;
  };

  // A user with an account.
  await post("/auth/v1/otp", { phone: number });
  const session = await post("/auth/v1/verify", { type: "sms", phone: number, token: await code() });
  check("a user signs in", typeof session.access_token === "string", session);
  await new Promise((done) => setTimeout(done, 1_500)); // The time between two codes to a number.

  const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
  const problems = [];
  page.on("console", (message) => problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(String(error)));
  await page.goto(`${api}/account/delete`);
  const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
  check("the page fits a narrow screen", await fits(), "it can be scrolled sideways");
  if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/deletion-1.png` });

  await page.getByRole("button", { name: "Send me a code" }).click();
  check("a missing number is named", (await page.getByRole("alert").textContent()).includes("phone number"));
  await page.getByLabel("Phone number").fill("12");
  await page.getByRole("button", { name: "Send me a code" }).click();
  await page.getByText("not a phone number").waitFor();
  problems.length = 0; // The browser reports the refused request, as it should.

  await page.getByLabel("Phone number").fill(number);
  await page.getByRole("button", { name: "Send me a code" }).click();
  await page.getByLabel("Code").waitFor();
  check("the code's field has the focus", await page.getByLabel("Code").evaluate((field) => field === document.activeElement));
  const right = await code();
  await page.getByLabel("Code").fill(right === "000000" ? "111111" : "000000");
  await page.getByRole("button", { name: "Delete my account" }).click();
  await page.getByText("wrong or too old").waitFor();
  check("a wrong code deletes nothing", (await me(session)) === 200, await me(session));
  check("the second step fits too", await fits(), "it can be scrolled sideways");
  if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/deletion-2.png` });
  problems.length = 0;

  await page.getByLabel("Code").fill(right);
  await page.getByRole("button", { name: "Delete my account" }).click();
  await page.getByText("Your account is deleted").waitFor();
  if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/deletion-3.png` });
  check("the account is deleted", (await me(session)) === 401, await me(session));
  check("the browser reports nothing", problems.length === 0, problems);

  async function me({ access_token }) {
    return (await fetch(`${api}/v1/me`, { headers: { authorization: `Bearer ${access_token}` } })).status;
  }
} finally {
  await browser.close();
  handset.child.removeAllListeners("exit");
  handset.child.kill("SIGINT");
}
process.exit(failures() === 0 ? 0 : 1);
