//! Creates accounts and signs in through every API, like its clients.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::backend::{answer, read};
use super::{Backend, Phone};

/// A password that every API accepts.
pub const PASSWORD: &str = "P@ssw0rd1";

/// A `Cookie` header: the unchanged `Set-Cookie` line, which some clients send back.
#[derive(Clone, Debug)]
pub struct Cookie(pub String);

async fn with_cookie(request: RequestBuilder) -> (Value, Option<Cookie>) {
    let response = request.send().await.expect("an answer");
    let cookie = response.headers().get("set-cookie").map(|line| Cookie(line.to_str().expect("text").to_owned()));
    (read(response).await.1, cookie)
}

// Web.

/// Requests a code with a correctly solved captcha.
pub async fn web_ask(backend: &Backend, phone: &Phone) -> Value {
    let picture = backend.get(&format!("/api/v1.0/imagecode/of-{phone}")).send().await.expect("a picture");
    let text = picture.headers()["x-captcha-text"].to_str().expect("text").to_owned();
    let path = format!("/api/v1.0/smscode/{phone}");
    answer(backend.get(&path).query(&[("text", text), ("id", format!("of-{phone}"))])).await.1
}

/// Requests a code and registers with it.
pub async fn web_register(backend: &Backend, phone: &Phone, password: &str) -> (u64, Cookie) {
    let asked = web_ask(backend, phone).await;
    assert_eq!(asked["errno"], "0", "{asked}");
    let code = backend.newest_code(phone).await;
    web_register_with(backend, phone, &code, password).await.expect("registered")
}

/// Registers with a code.
pub async fn web_register_with(backend: &Backend, phone: &Phone, code: &str, password: &str) -> Option<(u64, Cookie)> {
    let body = json!({ "mobile": phone.0, "sms_code": code, "password": password });
    let (body, cookie) = with_cookie(backend.post("/api/v1.0/users").json(&body)).await;
    Some((body["data"]["user_id"].as_u64()?, cookie?))
}

/// The response to a sign-in.
pub async fn web_sign_in_answer(backend: &Backend, phone: &Phone, password: &str) -> Value {
    let body = json!({ "mobile": phone.0, "password": password });
    answer(backend.post("/api/v1.0/sessions").json(&body)).await.1
}

/// Signs in, if this is allowed.
pub async fn web_sign_in(backend: &Backend, phone: &Phone, password: &str) -> Option<(u64, Cookie)> {
    let body = json!({ "mobile": phone.0, "password": password });
    let (body, cookie) = with_cookie(backend.post("/api/v1.0/sessions").json(&body)).await;
    Some((body["data"]["user_id"].as_u64()?, cookie?))
}

/// The signed-in user.
pub async fn web_user(backend: &Backend, cookie: &Cookie) -> Value {
    answer(backend.get("/api/v1.0/user").header("cookie", &cookie.0)).await.1
}

// SealTalk.

/// A verification token for a phone.
pub async fn sealtalk_verify(backend: &Backend, phone: &Phone) -> String {
    let body = json!({ "region": "86", "phone": phone.0 });
    assert_eq!(answer(backend.post("/user/send_code").json(&body)).await, (200, json!({ "code": 200 })));
    let code = backend.newest_code(phone).await;
    let body = json!({ "region": "86", "phone": phone.0, "code": code });
    let (_, body) = answer(backend.post("/user/verify_code").json(&body)).await;
    body["result"]["verification_token"].as_str().unwrap_or_else(|| panic!("a token in {body}")).to_owned()
}

/// Registers and returns the short id.
pub async fn sealtalk_register(backend: &Backend, phone: &Phone, password: &str) -> String {
    let token = sealtalk_verify(backend, phone).await;
    sealtalk_register_with(backend, &token, password).await.expect("registered")
}

/// Registers with a verification token and returns the short id.
pub async fn sealtalk_register_with(backend: &Backend, token: &str, password: &str) -> Option<String> {
    let body = json!({ "nickname": "Tom", "password": password, "verification_token": token });
    let (_, body) = answer(backend.post("/user/register").json(&body)).await;
    body["result"]["id"].as_str().map(str::to_owned)
}

/// The response to a sign-in.
pub async fn sealtalk_sign_in_answer(backend: &Backend, phone: &Phone, password: &str) -> (u16, Value) {
    let body = json!({ "region": "86", "phone": phone.0, "password": password });
    answer(backend.post("/user/login").json(&body)).await
}

/// Signs in, if this is allowed.
pub async fn sealtalk_sign_in(backend: &Backend, phone: &Phone, password: &str) -> Option<(String, Cookie)> {
    let body = json!({ "region": "86", "phone": phone.0, "password": password });
    let (body, cookie) = with_cookie(backend.post("/user/login").json(&body)).await;
    Some((body["result"]["id"].as_str()?.to_owned(), cookie?))
}

/// Whether the session is active.
pub async fn sealtalk_lives(backend: &Backend, cookie: &Cookie) -> bool {
    let set = backend.post("/user/set_nickname").header("cookie", &cookie.0).json(&json!({ "nickname": "Tom" }));
    answer(set).await.0 == 200
}

// Device.

/// Requests a code, registers with it, and returns the id.
pub async fn device_register(backend: &Backend, phone: &Phone, password: &str) -> u64 {
    let ask = backend.post("/verification_codes").json(&json!({ "flag": 0, "phoneNumber": phone.0 }));
    let (_, body) = answer(ask).await;
    assert_eq!(body["success"], true, "{body}");
    let code = backend.newest_code(phone).await;
    device_register_with(backend, phone, &code, password).await.expect("registered")
}

/// Registers with a code and returns the id.
pub async fn device_register_with(backend: &Backend, phone: &Phone, code: &str, password: &str) -> Option<u64> {
    let body = json!({ "code": code, "user": { "phoneNumber": phone.0, "password": password } });
    let (_, body) = answer(backend.post("/users/register").json(&body)).await;
    body["data"]["user"]["id"].as_u64()
}

/// Signs in, if this is allowed.
pub async fn device_sign_in(backend: &Backend, phone: &Phone, password: &str) -> Option<(u64, String)> {
    let body = json!({ "user": { "phoneNumber": phone.0, "password": password } });
    let (_, body) = answer(backend.post("/users/login").json(&body)).await;
    Some((body["data"]["user"]["id"].as_u64()?, body["data"]["accessToken"].as_str()?.to_owned()))
}

/// Requests a code and sets a new password with it.
pub async fn device_recover(backend: &Backend, phone: &Phone, password: &str) {
    backend.advance(std::time::Duration::from_mins(1));
    let ask = backend.post("/verification_codes").json(&json!({ "flag": 1, "phoneNumber": phone.0 }));
    assert_eq!(answer(ask).await.1["success"], true);
    let code = backend.newest_code(phone).await;
    let body = json!({ "phoneNumber": phone.0, "code": code, "password": password });
    let (_, body) = answer(backend.put("/users/update-password").json(&body)).await;
    assert_eq!(body["success"], true, "{body}");
}

/// Whether the session is active.
pub async fn device_lives(backend: &Backend, id: u64, token: &str) -> bool {
    let path = format!("/users/{id}/update-device-token");
    let body = json!({ "device": { "pushToken": "a-token", "platform": 1 } });
    answer(backend.post(&path).header("Access-Token", token).json(&body)).await.0 == 200
}

// Rooms.

/// Registers with a name; returns pk and token.
pub async fn rooms_register(
    backend: &Backend,
    username: &str,
    password: &str,
    phone: Option<&Phone>,
) -> (String, String) {
    let mut body = json!({ "username": username, "password": password, "nickname": "Tom" });
    if let Some(phone) = phone {
        body["phone"] = json!(phone.0);
    }
    let (_, body) = answer(backend.post("/users/").json(&body)).await;
    pk_and_token(&body).unwrap_or_else(|| panic!("an account in {body}"))
}

/// Requests a code and signs in with it; returns pk and token.
pub async fn rooms_by_code(backend: &Backend, phone: &Phone) -> (String, String) {
    let (_, body) = answer(backend.post("/phonelogin/").json(&json!({ "phone": phone.0 }))).await;
    assert_eq!(body["status"], "SUCCESS", "{body}");
    let code = backend.newest_code(phone).await;
    let (_, body) = answer(backend.get("/phonelogin/").query(&[("phone", &phone.0), ("captcha", &code)])).await;
    pk_and_token(&body).unwrap_or_else(|| panic!("an account in {body}"))
}

fn pk_and_token(body: &Value) -> Option<(String, String)> {
    Some((body["pk"].as_str()?.to_owned(), body["token"].as_str()?.to_owned()))
}

/// Whether the session is active.
pub async fn rooms_lives(backend: &Backend, token: &str) -> bool {
    let made =
        backend.post("/rooms/").json(&json!({ "room_alias": format!("room of {}", &token[..40]), "token": token }));
    let (status, body) = answer(made).await;
    if status != 201 {
        return false;
    }
    let pk = body["pk"].as_str().expect("a pk");
    let deleted = backend.request(reqwest::Method::DELETE, &format!("/rooms/{pk}/")).query(&[("token", token)]).send();
    assert_eq!(deleted.await.expect("an answer").status(), 204);
    true
}
