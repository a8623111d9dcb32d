//! The device API, as documented and as its clients send it.

mod codes;
mod ids;
mod refusals;

use std::time::Duration;

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::backend::{answer, read};
use crate::support::round_trips::{documented, rounds_of};
use crate::support::{Backend, Phone, fresh_phone, run, shared};

const PASSWORD: &str = "test-password-11";

/// Requests a code and reads it from the phone.
async fn code(backend: &Backend, phone: &Phone, flag: u8) -> String {
    let asked = backend.post("/verification_codes").json(&json!({ "flag": flag, "phoneNumber": phone.0 }));
    let (status, body) = answer(asked).await;
    assert_eq!((status, body), (200, ok(&json!({ "phoneNumber": phone.0 }))));
    backend.newest_code(phone).await
}

fn ok(data: &Value) -> Value {
    json!({ "success": true, "msg": "ok", "data": data })
}

fn refused(msg: &str) -> (u16, Value) {
    (200, json!({ "success": false, "msg": msg }))
}

async fn post(backend: &Backend, path: &str, body: Value) -> (u16, Value) {
    answer(backend.post(path).json(&body)).await
}

/// A user with an account, and the token of the session from registering.
struct Owner {
    phone: Phone,
    id: u64,
    token: String,
}

async fn register(backend: &Backend, device: Value) -> Owner {
    let phone = fresh_phone();
    let code = code(backend, &phone, 0).await;
    let user = json!({ "phoneNumber": phone.0, "password": PASSWORD });
    let (status, body) =
        post(backend, "/users/register", json!({ "code": code, "user": user, "device": device })).await;
    assert_eq!((status, &body["success"], &body["msg"]), (200, &json!(true), &json!("ok")), "{body}");
    assert_eq!(body["data"]["user"]["phoneNumber"], phone.0, "{body}");
    let id = body["data"]["user"]["id"].as_u64().expect("an id");
    Owner { phone, id, token: body["data"]["accessToken"].as_str().expect("a token").to_owned() }
}

async fn login(backend: &Backend, owner: &Owner, device: Value) -> (bool, String) {
    let user = json!({ "phoneNumber": owner.phone.0, "password": PASSWORD });
    let (status, body) = post(backend, "/users/login", json!({ "user": user, "device": device })).await;
    assert_eq!((status, &body["success"]), (200, &json!(true)), "{body}");
    let data = &body["data"];
    assert_eq!(data["user"], json!({ "id": owner.id, "phoneNumber": owner.phone.0 }));
    (data["isFresh"].as_bool().expect("isFresh"), data["accessToken"].as_str().expect("a token").to_owned())
}

/// Whether a session is active: only then a push token can be set.
async fn lives(backend: &Backend, id: u64, token: &str) -> bool {
    let path = format!("/users/{id}/update-device-token");
    let sent = backend.post(&path).header("Access-Token", token);
    let (status, body) = answer(sent.json(&json!({ "device": { "pushToken": format!("of {token}") } }))).await;
    match (status, body) {
        (200, body) if body == json!({ "success": true, "msg": "ok" }) => true,
        (401, body) if body == json!({ "success": false, "msg": "not signed in" }) => false,
        other => panic!("{other:?}"),
    }
}

/// The push tokens in an account's sessions, with their platforms.
async fn push_tokens(backend: &Backend, id: u64) -> Vec<(String, String)> {
    let item = backend.account(backend.device_user(id).await).await;
    let sessions = item["sessions"].as_m().expect("sessions").values();
    let mut tokens: Vec<_> = sessions
        .filter_map(|session| {
            let session = session.as_m().expect("a session");
            let token = session.get("device")?.as_s().expect("a token");
            Some((token.clone(), session["platform"].as_n().expect("a platform").clone()))
        })
        .collect();
    tokens.sort();
    tokens
}

#[test]
fn an_account_is_made_signed_in_and_out_as_documented() {
    run(async {
        let backend = shared().await;
        let owner = register(backend, json!({ "pushToken": "baidu_push_channel_id", "platform": 0 })).await;
        assert_eq!(push_tokens(backend, owner.id).await, [("baidu_push_channel_id".into(), "0".into())]);
        let (fresh, token) = login(backend, &owner, json!({ "pushToken": "apns push token", "platform": 1 })).await;
        assert!(fresh);
        let out = backend.post("/users/logout").header("Access-Token", &token);
        assert_eq!(answer(out).await, (200, json!({ "success": true, "msg": "ok" })));
        assert!(!lives(backend, owner.id, &token).await);
        assert_eq!(push_tokens(backend, owner.id).await, [("baidu_push_channel_id".into(), "0".into())]);
        assert!(lives(backend, owner.id, &owner.token).await);
    });
}

#[test]
fn numbers_come_as_numbers_and_as_strings() {
    run(async {
        let backend = shared().await;
        let phone = fresh_phone();
        let number: u64 = phone.0.parse().unwrap();
        let (status, body) = post(backend, "/verification_codes", json!({ "flag": "0", "phoneNumber": number })).await;
        assert_eq!((status, body), (200, ok(&json!({ "phoneNumber": phone.0 }))));
        let code = backend.newest_code(&phone).await;
        let plus = format!("+86{phone}");
        let verify = json!({ "phoneNumber": plus, "code": code });
        let (status, body) = post(backend, "/verification_codes/verify", verify).await;
        assert_eq!((status, body), (200, ok(&json!({ "phoneNumber": plus }))));
        let user = json!({ "phoneNumber": number, "password": PASSWORD });
        let register = json!({ "code": code, "user": user, "device": null });
        let (_, body) = post(backend, "/users/register", register).await;
        assert_eq!(body["data"]["user"]["phoneNumber"], phone.0, "{body}");
        let id = body["data"]["user"]["id"].as_u64().unwrap();
        let device = json!({ "pushToken": "p", "platform": "1" });
        let (_, body) = post(backend, "/users/login", json!({ "user": user, "device": device })).await;
        assert_eq!(push_tokens(backend, id).await, [("p".into(), "1".into())]);
        // The token in the other place where clients send it.
        let token = body["data"]["accessToken"].as_str().unwrap();
        let out = backend.post("/users/logout").bearer_auth(token);
        assert_eq!(answer(out).await.0, 200);
    });
}

#[test]
fn a_device_is_fresh_once_and_its_push_token_lies_in_one_session() {
    run(async {
        let backend = shared().await;
        let owner = register(backend, json!({ "pushToken": "phone", "platform": 0 })).await;
        let phone = json!({ "pushToken": "phone", "platform": 0 });
        let tablet = json!({ "pushToken": "tablet", "platform": 1 });
        let (fresh, again) = login(backend, &owner, phone.clone()).await;
        assert!(!fresh, "registering was this device's first session");
        assert_eq!(push_tokens(backend, owner.id).await, [("phone".into(), "0".into())]);
        assert!(login(backend, &owner, tablet.clone()).await.0);
        assert!(!login(backend, &owner, tablet).await.0);
        // Without a push token the device is unknown, and it could be any of them.
        assert!(!login(backend, &owner, json!({})).await.0);
        assert!(!login(backend, &owner, Value::Null).await.0);
        assert!(login(backend, &register(backend, Value::Null).await, json!({ "pushToken": "new" })).await.0);
        let both: [(String, String); 2] = [("phone".into(), "0".into()), ("tablet".into(), "1".into())];
        assert_eq!(push_tokens(backend, owner.id).await, both);
        // Signing out stops the device's notifications, and makes it count as new again if it has no other session.
        let out = backend.post("/users/logout").header("Access-Token", again);
        assert_eq!(answer(out).await.0, 200);
        assert_eq!(push_tokens(backend, owner.id).await, [("tablet".into(), "1".into())]);
        assert!(login(backend, &owner, phone).await.0);
    });
}

#[test]
fn a_push_token_is_set_by_its_owner_only() {
    run(async {
        let backend = shared().await;
        let (owner, other) = (register(backend, Value::Null).await, register(backend, Value::Null).await);
        let path = format!("/users/{}/update-device-token", owner.id);
        let body = json!({ "device": { "pushToken": "apns push token", "platform": 1 } });
        let send = |token: &str| answer(backend.post(&path).header("Access-Token", token).json(&body));
        assert_eq!(send(&other.token).await, refused("this belongs to another user"));
        assert_eq!(send(&owner.token).await, (200, json!({ "success": true, "msg": "ok" })));
        assert_eq!(push_tokens(backend, owner.id).await, [("apns push token".into(), "1".into())]);
        assert_eq!(push_tokens(backend, other.id).await, []);
        // The device's next session takes the push token over.
        let (_, second) = login(backend, &owner, Value::Null).await;
        assert_eq!(send(&second).await.0, 200);
        assert_eq!(push_tokens(backend, owner.id).await, [("apns push token".into(), "1".into())]);
        for id in ["me", "0", "x", &format!("0{}", owner.id)] {
            let sent = backend.post(&format!("/users/{id}/update-device-token")).header("Access-Token", &owner.token);
            assert_eq!(answer(sent.json(&body)).await, refused("this belongs to another user"), "{id}");
        }
    });
}

#[test]
fn without_a_living_session_the_answer_is_401() {
    run(async {
        let backend = shared().await;
        let owner = register(backend, Value::Null).await;
        let messenger = backend.person().await.access_token;
        // Some bits of the last character are not used, so this changes one in the middle.
        let (head, tail) = owner.token.split_at(40);
        let changed = if tail.starts_with('A') { "B" } else { "A" };
        let forged = format!("{head}{changed}{}", &tail[1..]);
        let update = format!("/users/{}/update-device-token", owner.id);
        for path in ["/users/logout", &update] {
            let body = json!({ "device": { "pushToken": "t" } });
            for token in [None, Some(""), Some("x"), Some(&*forged), Some(&*messenger)] {
                let mut request = backend.post(path).json(&body);
                if let Some(token) = token {
                    request = request.header("Access-Token", token);
                }
                let expected = (401, json!({ "success": false, "msg": "not signed in" }));
                assert_eq!(answer(request).await, expected, "{path} {token:?}");
            }
        }
        let out = || answer(backend.post("/users/logout").header("Access-Token", &owner.token));
        assert_eq!(out().await.0, 200);
        assert_eq!(out().await.0, 401);
        assert!(!lives(backend, owner.id, &owner.token).await);
    });
}

#[test]
fn a_new_password_ends_every_session_in_every_api() {
    run(async {
        let backend = Backend::start(&[]).await;
        let owner = register(&backend, Value::Null).await;
        let (_, second) = login(&backend, &owner, Value::Null).await;
        backend.advance(Duration::from_secs(61));
        let messenger = backend.person_on(&owner.phone).await;
        assert_eq!(messenger.uid, backend.device_user(owner.id).await);
        backend.advance(Duration::from_secs(61));
        let code = code(&backend, &owner.phone, 1).await;
        let new = |code: &str| json!({ "phoneNumber": owner.phone.0, "code": code, "password": "qweqwe" });
        let put = |code: &str| answer(backend.put("/users/update-password").json(&new(code)));
        assert_eq!(put(&wrong(&code)).await, refused("wrong code"));
        assert_eq!(put(&code).await, (200, json!({ "success": true, "msg": "修改密码成功" })));
        assert_eq!(
            put(&code).await,
            refused("no code to check: it was used already or never requested; request a new one")
        );
        for token in [&owner.token, &second] {
            assert!(!lives(&backend, owner.id, token).await);
        }
        let nickname = backend.put("/users/me/nickname").bearer_auth(&messenger.access_token);
        assert_eq!(answer(nickname.json(&json!({ "value": "Tom" }))).await.0, 401);
        let login = |password: &str| {
            let user = json!({ "phoneNumber": owner.phone.0, "password": password });
            post(&backend, "/users/login", json!({ "user": user }))
        };
        assert_eq!(login(PASSWORD).await, refused("wrong account or password"));
        assert_eq!(login("qweqwe").await.1["success"], true);
    });
}

/// A code that differs from this one.
fn wrong(code: &str) -> String {
    let number: u32 = code.parse().expect("digits");
    format!("{:06}", (number + 1) % 1_000_000)
}

#[test]
fn requests_take_as_many_round_trips_as_written_down() {
    run(async {
        let backend = Backend::capped().await;
        let phone = fresh_phone();
        let costs = async |request: RequestBuilder, row: &str| {
            let response = request.send().await.expect("an answer");
            assert_eq!(rounds_of(&response), documented(row), "{row}");
            let (status, body) = read(response).await;
            assert_eq!((status, &body["success"]), (200, &json!(true)), "{row}: {body}");
            body
        };
        let send =
            |flag: u8| backend.post("/verification_codes").json(&json!({ "flag": flag, "phoneNumber": phone.0 }));
        costs(send(0), "device: send a code for signing up").await;
        let code = backend.newest_code(&phone).await;
        let check = json!({ "phoneNumber": phone.0, "code": code });
        costs(backend.post("/verification_codes/verify").json(&check), "device: check a code").await;
        let user = json!({ "phoneNumber": phone.0, "password": PASSWORD });
        let body = |token: &str| json!({ "code": code, "user": user, "device": { "pushToken": token } });
        let registered = costs(backend.post("/users/register").json(&body("a")), "device: sign up").await;
        backend.advance(Duration::from_secs(61));
        let taken = send(0).send().await.expect("an answer");
        assert_eq!(rounds_of(&taken), documented("… the number is taken"));
        assert_eq!(read(taken).await, refused("this number is taken"));
        let login = || backend.post("/users/login").json(&body("b"));
        costs(login(), "device: sign in").await;
        costs(login(), "… on a device with an earlier session").await;
        let uid = backend.device_user(registered["data"]["user"]["id"].as_u64().expect("an id")).await;
        backend.forget(uid, "device_id").await;
        let body = json!({ "user": user, "device": { "pushToken": "d" } });
        let first = costs(backend.post("/users/login").json(&body), "… for the first time in this API").await;
        let registered = first;
        let token = registered["data"]["accessToken"].as_str().expect("a token");
        let path = format!("/users/{}/update-device-token", registered["data"]["user"]["id"]);
        let update = |push: &str| {
            let request = backend.post(&path).header("Access-Token", token);
            request.json(&json!({ "device": { "pushToken": push } }))
        };
        costs(update("c"), "device: push token").await;
        costs(update("b"), "… that another session of the account holds").await;
        costs(backend.post("/users/logout").header("Access-Token", token), "device: sign out").await;
        backend.advance(Duration::from_secs(61));
        costs(send(1), "send a code").await;
        let new = json!({ "phoneNumber": phone.0, "code": backend.newest_code(&phone).await, "password": "qweqwe" });
        costs(backend.put("/users/update-password").json(&new), "device: new password").await;
    });
}

/// Uses every feature of this API once, for the test that compares the functions' roles with their calls.
pub async fn whole_session(backend: &Backend) {
    let device = json!({ "pushToken": "of this device", "platform": 1 });
    let owner = register(backend, device.clone()).await;
    let wrong = json!({ "user": { "phoneNumber": owner.phone.0, "password": "not it" } });
    assert_eq!(post(backend, "/users/login", wrong).await.1["success"], false);
    let (_, token) = login(backend, &owner, device).await;
    assert!(lives(backend, owner.id, &token).await);
    assert_eq!(answer(backend.post("/users/logout").header("Access-Token", &token)).await.0, 200);
    assert!(!lives(backend, owner.id, &token).await);
    backend.advance(Duration::from_secs(61));
    let code = code(backend, &owner.phone, 1).await;
    let check = json!({ "phoneNumber": owner.phone.0, "code": code });
    assert_eq!(post(backend, "/verification_codes/verify", check).await.1["success"], true);
    let new = json!({ "phoneNumber": owner.phone.0, "code": code, "password": "qweqwe" });
    assert_eq!(answer(backend.put("/users/update-password").json(&new)).await.1["success"], true);
}
