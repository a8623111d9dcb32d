"use strict";

// The page for deleting an account: a code proves that the number belongs to the user, and the session that it begins
// deletes the account at once.

const at = (id) => document.getElementById(id);
const phone = () => at("phone").value.trim();

const words = {
  over_sms_send_rate_limit: "Too many codes. Wait a while, then try again.",
  over_request_rate_limit: "Too many tries. Wait a while, then try again.",
  otp_expired: "This code is wrong or too old. Check it, or ask for another one.",
  validation_failed: "This is not a phone number that can receive codes. Write it with the country code, such as +86.",
  sms_send_failed: "No code can be sent to this number.",
  captcha_failed: "Too many codes were asked for from your network. Delete your account in the app instead.",
  user_banned: "This account is locked.",
  session_ended: "You are signed out. Start again with your number.",
};

function show(form) {
  for (const id of ["number", "code-form", "done"]) at(id).hidden = id !== form;
  at("error").textContent = "";
}

async function send(method, path, body, token) {
  const headers = { "content-type": "application/json" };
  if (token) headers.authorization = `Bearer ${token}`;
  const response = await fetch(path, { method, headers, body: JSON.stringify(body) });
  const text = await response.text();
  const said = text ? JSON.parse(text) : {};
  if (!response.ok) throw new Error(words[said.error_code ?? said.code] ?? "That did not work. Try again in a moment.");
  return said;
}

async function attempt(form, work) {
  const buttons = form.querySelectorAll("button");
  at("error").textContent = "";
  for (const button of buttons) button.disabled = true;
  try {
    await work();
  } catch (error) {
    const known = error instanceof Error && !(error instanceof TypeError) && !(error instanceof SyntaxError);
    at("error").textContent = known ? error.message : "The service cannot be reached. Try again in a moment.";
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

at("number").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!phone()) {
    at("error").textContent = "Enter your phone number.";
    at("phone").focus();
    return;
  }
  attempt(event.target, async () => {
    await send("POST", "/auth/v1/otp", { phone: phone(), create_user: false });
    show("code-form");
    at("code").focus();
  });
});

// Kept, because a code works only once: if the deletion itself fails, it can be tried again.
let session = null;

at("code-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const code = at("code").value.trim();
  if (!code) {
    at("error").textContent = "Enter the code.";
    at("code").focus();
    return;
  }
  attempt(event.target, async () => {
    session ??= await send("POST", "/auth/v1/verify", { type: "sms", phone: phone(), token: code });
    await send("DELETE", "/v1/me", {}, session.access_token);
    show("done");
    at("done").focus();
  });
});

at("back").addEventListener("click", () => {
  show("number");
  session = null;
  at("code").value = "";
  at("phone").focus();
});
