//! Bodies that make no sense, in every operation: the refusal never has the words of a parser.

use std::collections::BTreeSet;

use domain::crypto::SystemRandom;
use domain::random;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value, json};

use super::raw;
use crate::support::accounts::{self, PASSWORD};
use crate::support::backend::answer;
use crate::support::users::refused;
use crate::support::{Backend, fresh_phone, run};

/// Words of `serde`, `serde_json`, axum and multer. They name Rust's types, or positions without what is wrong there.
const PARSERS: [&str; 12] = [
    "expected",
    "at line",
    "column",
    "untagged",
    "struct",
    "variant",
    "invalid type",
    "missing field",
    "EOF",
    "trailing",
    "deserialize",
    "multipart/form-data` request",
];

/// Bodies for each operation, beside those of fixed text.
const EACH: usize = 16;

fn one_of<T: Clone>(from: &[T]) -> T {
    let at = random::below(&SystemRandom, from.len() as u64);
    from[usize::try_from(at).expect("an index")].clone()
}

/// A value of any type, now and then one that holds others.
fn any_value(names: &[String], depth: u32) -> Value {
    let flat = [
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(1.5),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!("x"),
        json!("\u{0}"),
        json!("[["),
        json!("[null]"),
        json!("+86"),
        json!("a".repeat(2_000)),
    ];
    match random::below(&SystemRandom, 8) {
        0 if depth > 0 => (0..random::below(&SystemRandom, 3)).map(|_| any_value(names, depth - 1)).collect(),
        1 if depth > 0 => any_object(names, depth - 1),
        _ => one_of(&flat),
    }
}

fn any_object(names: &[String], depth: u32) -> Value {
    let fields = (0..random::below(&SystemRandom, 6)).map(|_| (one_of(names), any_value(names, depth)));
    Value::Object(fields.collect())
}

/// The names of the fields in an operation's body, however deep, and one that no operation has.
fn names(api: &Value, said: &Value) -> Vec<String> {
    fn collect(api: &Value, node: &Value, depth: u32, found: &mut BTreeSet<String>) {
        match node {
            Value::Object(fields) if depth > 0 => {
                if let Some(path) = fields.get("$ref").and_then(Value::as_str) {
                    return collect(api, &api.pointer(&path[1..]).cloned().unwrap_or_default(), depth - 1, found);
                }
                let properties = fields.get("properties").and_then(Value::as_object);
                found.extend(properties.into_iter().flat_map(Map::keys).cloned());
                fields.values().for_each(|node| collect(api, node, depth - 1, found));
            }
            Value::Array(nodes) => nodes.iter().for_each(|node| collect(api, node, depth, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::from(["nonsense".to_owned()]);
    collect(api, &said["requestBody"], 12, &mut found);
    let parameters = said["parameters"].as_array().into_iter().flatten();
    found.extend(parameters.filter_map(|parameter| parameter["name"].as_str()).map(str::to_owned));
    found.into_iter().filter(|name| name != "token").collect()
}

/// The credential of an account in every API, all of them at once.
struct Everyone {
    bearer: String,
    device: String,
    rooms: String,
    cookies: String,
}

impl Everyone {
    async fn sign_in(backend: &Backend) -> Self {
        let phone = fresh_phone();
        let (_, web) = accounts::web_register(backend, &phone, PASSWORD).await;
        let (_, device) = accounts::device_sign_in(backend, &phone, PASSWORD).await.expect("signed in");
        let (_, sealtalk) = accounts::sealtalk_sign_in(backend, &phone, PASSWORD).await.expect("signed in");
        let (_, rooms) = accounts::rooms_register(backend, "words-of-bodies", PASSWORD, None).await;
        let cookie = |line: &str| line.split(';').next().unwrap_or_default().to_owned();
        Self {
            bearer: backend.person().await.access_token,
            device,
            rooms,
            cookies: format!("{}; {}", cookie(&web.0), cookie(&sealtalk.0)),
        }
    }

    fn sends(&self, request: RequestBuilder) -> RequestBuilder {
        let request = request.bearer_auth(&self.bearer).header("access-token", &self.device);
        request.header("cookie", &self.cookies).query(&[("token", &self.rooms)])
    }
}

/// Every operation that reads a body and does not end the session, with its path filled in and what is said of it.
fn operations(api: &Value) -> Vec<(Method, String, Value)> {
    let mut found = Vec::new();
    for (path, item) in api["paths"].as_object().expect("paths") {
        for (method, said) in item.as_object().expect("operations") {
            let id = said["operationId"].as_str().unwrap_or_default();
            let method = method.to_uppercase().parse().expect("a method");
            let reads = matches!(method, Method::POST | Method::PUT | Method::PATCH | Method::DELETE);
            if !reads || id.contains("logout") || id == "web_delete_session" {
                continue;
            }
            let pieces = path.split('/').map(|piece| if piece.starts_with('{') { "12345" } else { piece });
            found.push((method, pieces.collect::<Vec<_>>().join("/"), said.clone()));
        }
    }
    found
}

#[test]
fn no_answer_has_the_words_of_a_parser() {
    run(async {
        let backend = Backend::start(&[]).await;
        let everyone = Everyone::sign_in(&backend).await;
        let api = serde_json::to_value(local::api()).expect("a description");
        let deep = format!("{}1{}", "[".repeat(300), "]".repeat(300));
        let texts =
            ["", "{", "[", "nul", "\"", "{\"a\":", "{\"a\":1,}", "[1 2]", "{} {}", "a=b&c", "\u{0}", "{\"\\ud800\":1}"];
        let kinds =
            ["application/json", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"];
        for (method, path, said) in operations(&api) {
            let names = names(&api, &said);
            let made = (0..EACH).map(|_| match random::below(&SystemRandom, 4) {
                0 => json!([any_object(&names, 1), any_value(&names, 1)]).to_string(),
                _ => any_object(&names, 2).to_string(),
            });
            let bodies: Vec<_> = made.chain(texts.map(str::to_owned)).chain([deep.clone()]).collect();
            for body in bodies {
                let request = backend.request(method.clone(), &path).header(CONTENT_TYPE, one_of(&kinds));
                let (status, _, answered) = raw(everyone.sends(request).body(body.clone())).await;
                let text = answered.to_string();
                let place = format!("{method} {path} {body:.500}: {status} {text}");
                assert!(status < 500, "{place}");
                let parser = PARSERS.iter().find(|words| text.contains(**words));
                assert!(parser.is_none(), "{parser:?} in {place}");
            }
        }
        // The session of each API lives, so that its bodies were read.
        for path in ["/users/me/nickname", "/api/v1.0/user/name"] {
            let body = json!({ "value": "Tom", "name": "Tom" });
            assert!(!answer(everyone.sends(backend.put(path)).json(&body)).await.1.to_string().contains("4101"));
        }
        let set = everyone.sends(backend.post("/user/set_nickname")).json(&json!({ "nickname": "Tom" }));
        assert_eq!(answer(set).await, (200, json!({ "code": 200 })));
    });
}

#[test]
fn a_wrong_body_is_told_by_field_and_by_what_it_must_be() {
    run(async {
        let backend = Backend::start(&[]).await;
        let person = backend.person().await;
        let post = |path: &str, body: &'static str| backend.post(path).body(body);
        let users = |body: &'static str| post("/users", body).bearer_auth(&person.access_token);
        let object = r#"an object such as {"zone":"86","number":"13912345678"}"#;
        let list = r#"the body must be a JSON array of {"zone","number"}"#;
        for (request, words) in [
            (post("/verify_code", r#"{"zone":86,"number":null}"#), "number must be a string or a whole number"),
            (post("/auth/token", r#"{"zone":[]}"#), "zone must be a string or a whole number"),
            (post("/auth/token", "{}"), "number and code are missing"),
            (users(r#"["13900000001"]"#), &format!("entry 1 must be {object}")),
            (users(r#"[{"number":"1"},{"zone":"86"}]"#), "number is missing in entry 2"),
            (users(r#"{"numbers":[]}"#), list),
            (users(""), list),
            (users("[{\"number\": 1},\n 2 3]"), "the body is not valid JSON: see line 2, character 4"),
        ] {
            assert_eq!(answer(request).await, refused(words));
        }
        let form = reqwest::multipart::Form::new().text("number", "13912345678");
        let uploads = "send JSON or application/x-www-form-urlencoded; multipart/form-data is for uploads only";
        assert_eq!(answer(backend.post("/verify_code").multipart(form)).await, refused(uploads));
        let (_, answered) = answer(backend.post("/users/login").json(&json!({ "phoneNumber": "1" }))).await;
        let shape = r#"user.phoneNumber and user.password are missing; send {"user":{"password":…,"phoneNumber":…}}"#;
        assert_eq!(answered, json!({ "success": false, "msg": shape }));
        let age = json!({ "username": "u", "password": PASSWORD, "nickname": "n", "age": {} });
        let (_, answered) = answer(backend.post("/users/").json(&age)).await;
        assert_eq!(answered["msg"], "age must be a string or a whole number");
    });
}
