//! The web API, as documented and as its clients send it.

mod accounts;
mod captchas;
mod profiles;

use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::multipart::{Form, Part};
use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::support::backend::{answer, read};
use crate::support::{Backend, Phone, fresh_phone, round_trips, run, shared};

const PASSWORD: &str = "P@ssw0rd";
/// The two example numbers of the standard itself, GB 11643-1999.
const IDENTITY: [&str; 2] = ["11010519491231002X", "440524188001010014"];

fn refused(errno: &str, errmsg: &str) -> (u16, Value) {
    (200, json!({ "errno": errno, "errmsg": errmsg }))
}

fn not_signed_in() -> (u16, Value) {
    refused("4101", "用户未登录")
}

fn malformed() -> (u16, Value) {
    refused("4103", "参数错误")
}

fn done() -> (u16, Value) {
    refused("0", "OK")
}

fn path(rest: &str) -> String {
    format!("/api/v1.0/{rest}")
}

/// A captcha id that no other test uses.
fn fresh_id() -> String {
    format!("id-{}", fresh_phone())
}

/// Requests a captcha and returns its text, which a header contains with `ExposeCodes=true`.
async fn captcha(backend: &Backend, id: &str) -> String {
    let picture = backend.get(&path(&format!("imagecode/{id}"))).send().await.expect("a picture");
    picture.headers()["x-captcha-text"].to_str().expect("letters and digits").to_owned()
}

/// Requests a code with the text of a captcha.
async fn ask(backend: &Backend, phone: &Phone, text: &str, id: &str) -> (u16, Value) {
    answer(backend.get(&path(&format!("smscode/{phone}"))).query(&[("text", text), ("id", id)])).await
}

/// Solves a captcha, requests a code and reads it from the phone.
async fn code(backend: &Backend, phone: &Phone) -> String {
    let id = fresh_id();
    let text = captcha(backend, &id).await;
    assert_eq!(ask(backend, phone, &text, &id).await, refused("0", "发送成功"));
    backend.newest_code(phone).await
}

/// A code that differs from this one.
fn wrong(code: &str) -> String {
    let number: u32 = code.parse().expect("digits");
    format!("{:06}", (number + 1) % 1_000_000)
}

/// A signed-in user.
struct Person {
    phone: Phone,
    id: u64,
    cookie: String,
}

impl Person {
    fn sends(&self, request: RequestBuilder) -> RequestBuilder {
        request.header(COOKIE, &self.cookie)
    }

    async fn gets(&self, backend: &Backend, rest: &str) -> (u16, Value) {
        answer(self.sends(backend.get(&path(rest)))).await
    }
}

/// The session cookie of a response, as it is sent back; its attributes are checked.
fn cookie(response: &Response) -> String {
    let line = response.headers()[SET_COOKIE].to_str().expect("a cookie");
    let (cookie, attributes) = line.split_once("; ").expect("attributes");
    assert_eq!(attributes, "Max-Age=2592000; Path=/; HttpOnly; SameSite=Lax", "the local run has no TLS");
    cookie.to_owned()
}

async fn register_on(backend: &Backend, phone: Phone) -> Person {
    let code = code(backend, &phone).await;
    let body = json!({ "mobile": phone.0, "sms_code": code, "password": PASSWORD });
    let response = backend.post(&path("users")).json(&body).send().await.expect("an answer");
    let cookie = cookie(&response);
    let (status, body) = read(response).await;
    assert_eq!((status, &body["errno"], &body["errmsg"]), (200, &json!("0"), &json!("OK")), "{body}");
    Person { phone, id: body["data"]["user_id"].as_u64().expect("an id"), cookie }
}

async fn register(backend: &Backend) -> Person {
    register_on(backend, fresh_phone()).await
}

async fn sign_in(backend: &Backend, phone: &Phone, password: &str) -> (u16, Value) {
    answer(backend.post(&path("sessions")).json(&json!({ "mobile": phone.0, "password": password }))).await
}

/// A small picture.
fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(8, 8).write_to(&mut bytes, image::ImageFormat::Png).expect("a picture");
    bytes.into_inner()
}

fn avatar(backend: &Backend, bytes: Vec<u8>) -> RequestBuilder {
    let part = Part::bytes(bytes).file_name("me.png");
    backend.post(&path("user/avatar")).multipart(Form::new().text("user_id", "1").part("avatar", part))
}

/// Every endpoint that needs a session, with a valid body.
fn guarded(backend: &Backend) -> Vec<RequestBuilder> {
    let name = json!({ "name": "Tom" });
    let identity = json!({ "real_name": "张三", "id_card": IDENTITY[0] });
    vec![
        backend.get(&path("session")),
        backend.get(&path("user")),
        backend.put(&path("user/name")).json(&name),
        backend.post(&path("user/auth")).json(&identity),
        backend.get(&path("user/auth")),
        avatar(backend, png()),
    ]
}

#[test]
fn what_no_route_answers_is_refused_in_this_apis_envelope() {
    run(async {
        let backend = shared().await;
        let unknown = (404, json!({ "errno": "4201", "errmsg": "非法请求或请求次数受限" }));
        for (method, rest) in [
            (Method::GET, "nothing"),
            (Method::GET, "imagecode"),
            (Method::GET, "imagecode/a/b"),
            (Method::GET, "user/"),
        ] {
            assert_eq!(answer(backend.request(method.clone(), &path(rest))).await, unknown, "{method} {rest}");
        }
    });
}

#[test]
fn each_endpoint_keeps_to_its_round_trips() {
    run(async {
        let backend = Backend::capped().await;
        let costs = async |request: RequestBuilder, row: &str| {
            let response = request.send().await.expect("an answer");
            assert_eq!(round_trips::rounds_of(&response), round_trips::documented(row), "{row}");
        };
        let (phone, id) = (fresh_phone(), fresh_id());
        let text = captcha(&backend, &id).await;
        let asked = backend.get(&path(&format!("smscode/{phone}"))).query(&[("text", &text), ("id", &id)]);
        costs(asked, "web: send a code").await;
        let code = backend.newest_code(&phone).await;
        let body = json!({ "mobile": phone.0, "sms_code": code, "password": PASSWORD });
        costs(backend.post(&path("users")).json(&body), "web: register").await;
        costs(backend.post(&path("sessions")).json(&body), "web: sign in").await;
        backend.advance(Duration::from_mins(1));
        let text = captcha(&backend, &id).await;
        let taken = backend.get(&path(&format!("smscode/{phone}"))).query(&[("text", &text), ("id", &id)]);
        costs(taken, "… a number with an account").await;
        costs(backend.get(&path("imagecode/an-id")), "web: a captcha").await;
        let person = register(&backend).await;
        let rows = [
            "web: own profile, session",
            "web: own profile, session",
            "web: name, sign-out",
            "web: real name, written",
            "web: real name, read",
            "upload an avatar",
        ];
        for (request, row) in guarded(&backend).into_iter().zip(rows) {
            costs(person.sends(request), row).await;
        }
        let again = json!({ "real_name": "张三", "id_card": IDENTITY[0] });
        costs(person.sends(backend.post(&path("user/auth"))).json(&again), "… written before").await;
        costs(person.sends(backend.request(Method::DELETE, &path("session"))), "web: name, sign-out").await;
    });
}

/// Uses every feature of this API once, for the test that compares the functions' roles with their calls.
pub async fn whole_session(backend: &Backend) {
    let person = register(backend).await;
    assert_eq!(sign_in(backend, &person.phone, PASSWORD).await.1["errno"], "0");
    let person = {
        let body = json!({ "mobile": person.phone.0, "password": PASSWORD });
        let response = backend.post(&path("sessions")).json(&body).send().await.expect("an answer");
        Person { cookie: cookie(&response), ..person }
    };
    for number in IDENTITY {
        let body = json!({ "real_name": "张三", "id_card": number });
        answer(person.sends(backend.post(&path("user/auth"))).json(&body)).await;
    }
    assert_eq!(person.gets(backend, "user/auth").await.1["data"]["id_card"], IDENTITY[0]);
    let end = backend.request(Method::DELETE, &path("session"));
    for request in guarded(backend).into_iter().chain([end]) {
        let (status, body) = answer(person.sends(request)).await;
        assert_eq!((status, &body["errno"]), (200, &json!("0")), "{body}");
    }
    for request in guarded(backend) {
        assert_eq!(answer(person.sends(request)).await, not_signed_in());
    }
}
