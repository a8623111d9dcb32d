//! The rooms API, as documented and as its clients send it.

mod accounts;
mod own;
mod ownership;
mod paging;
mod refusals;
mod requests;
mod sign_in;

use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::backend::answer;
use crate::support::pictures::jpeg;
use crate::support::{Backend, fresh_phone};

const PASSWORD: &str = "test-password-11";

/// A name that no other test uses.
fn fresh(kind: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{kind}{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

fn text(body: &Value, name: &str) -> String {
    body[name].as_str().unwrap_or_else(|| panic!("{name} in {body}")).to_owned()
}

async fn call(backend: &Backend, method: &str, path: &str, body: Value) -> (u16, Value) {
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    answer(backend.request(method, path).json(&body)).await
}

/// The format of every error.
fn refused(status: u16, msg: &str) -> (u16, Value) {
    (status, json!({ "status": "FAIL", "msg": msg, "code": status.to_string() }))
}

fn not_signed_in() -> (u16, Value) {
    refused(401, "not signed in")
}

/// The fields that every success has.
fn assert_success(status: u16, msg: &str, answer: &(u16, Value)) {
    let said = (answer.0, &answer.1["status"], &answer.1["msg"], &answer.1["code"]);
    let expected = (status, &json!("SUCCESS"), &json!(msg), &json!(status.to_string()));
    assert_eq!(said, expected, "{}", answer.1);
}

struct Owner {
    pub pk: String,
    pub username: String,
    pub token: String,
}

async fn register(backend: &Backend) -> Owner {
    let username = fresh("name");
    let answer =
        call(backend, "POST", "/users/", json!({ "username": username, "password": PASSWORD, "nickname": "n" })).await;
    assert_success(200, "创建成功", &answer);
    Owner { pk: text(&answer.1, "pk"), username, token: text(&answer.1, "token") }
}

async fn login(backend: &Backend, username: &str, password: &str) -> (u16, Value) {
    call(backend, "POST", "/login/", json!({ "username": username, "password": password })).await
}

async fn make_room(backend: &Backend, body: Value) -> Value {
    let answer = call(backend, "POST", "/rooms/", body).await;
    assert_success(201, "创建成功", &answer);
    answer.1
}

async fn list(backend: &Backend, query: &str) -> Value {
    let answer = answer(backend.get(&format!("/rooms/?{query}"))).await;
    assert_success(200, "查询成功", &answer);
    answer.1
}

/// Uses every feature of this API once, for the test that compares the functions' roles with their calls.
pub async fn whole_session(backend: &Backend) {
    let owner = register(backend).await;
    assert_eq!(login(backend, &owner.username, "not it").await, refused(400, "wrong account or password"));
    let (_, signed_in) = login(backend, &owner.username, PASSWORD).await;
    let (user, name, old) = (format!("/users/{}/", owner.pk), fresh("name"), PASSWORD);
    let change =
        json!({ "username": name, "old_password": old, "password": "another-one", "token": signed_in["token"] });
    let said = json!({ "username": name, "city": "x", "token": signed_in["token"] });
    assert_success(200, "修改成功", &call(backend, "PUT", &user, said).await);
    let (status, changed) = call(backend, "PUT", "/users/password/", change).await;
    assert_eq!(status, 200, "{changed}");
    let token = text(&changed, "token");
    let icon = format!("/users/icon/{}/", owner.pk);
    for request in [
        backend.put(&icon).json(&json!({ "icon": "https://example.com/tests1.png", "token": token })),
        backend.put(&icon).query(&[("token", &token)]).body(jpeg(30, 20)),
    ] {
        assert_success(200, "修改成功", &answer(request).await);
    }
    for credential in [json!({ "token": token }), json!({})] {
        let mut given = credential.clone();
        given["room_alias"] = json!(fresh("alias"));
        let room = format!("/rooms/{}/", text(&make_room(backend, given).await, "pk"));
        let mut given = credential.clone();
        given["room_alias"] = json!(fresh("alias"));
        given["active"] = json!(false);
        assert_success(200, "修改成功", &call(backend, "PUT", &room, given).await);
        assert_eq!(answer(backend.get(&room)).await.0, 200);
        list(backend, "").await;
        let deleted = backend.request(Method::DELETE, &room).json(&credential).send().await.expect("an answer");
        assert_eq!(deleted.status(), 204);
    }
    assert_success(200, "注销成功", &call(backend, "POST", "/logout/", json!({ "token": token })).await);
    assert_eq!(call(backend, "PUT", &user, json!({ "token": token })).await, not_signed_in());

    let phone = fresh_phone();
    let (status, sent) = call(backend, "POST", "/phonelogin/", json!({ "phone": phone.0 })).await;
    assert_eq!(status, 200, "{sent}");
    let code = text(&sent, "captcha");
    let by_code = backend.get("/phonelogin/").query(&[("phone", &phone.0), ("captcha", &code)]);
    assert_success(200, "登录成功", &answer(by_code).await);
    let provider = json!({
        "username": "x", "nickname": "x", "login_type": "1", "snsid": "whole", "access_token": "test-whole", "icon": "",
    });
    for status in [201, 200] {
        assert_success(status, "登录成功", &call(backend, "POST", "/snslogin/", provider.clone()).await);
    }
}

fn pks(list: &Value) -> Vec<String> {
    list["results"].as_array().expect("a list").iter().map(|room| text(room, "pk")).collect()
}
