//! Errors and their messages.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{PASSWORD, post, push_tokens, refused, register};
use crate::support::backend::answer;
use crate::support::users::NO_NUMBER;
use crate::support::{Backend, fresh_phone, run, shared};

#[test]
fn what_cannot_be_right_is_refused_in_this_apis_words() {
    run(async {
        let backend = shared().await;
        let owner = register(backend, Value::Null).await;
        let update = format!("/users/{}/update-device-token", owner.id);
        let user = |number: Value, password: &str| json!({ "phoneNumber": number, "password": password });
        let good = user(json!(owner.phone.0), PASSWORD);
        let number = NO_NUMBER;
        let password = "password must have 6 to 64 bytes and no spaces";
        for (method, path, body, msg) in [
            (
                Method::POST,
                "/verification_codes",
                json!({ "flag": 2, "phoneNumber": "18514760074" }),
                "flag must be 0 (sign up) or 1 (reset the password)",
            ),
            (Method::POST, "/verification_codes", json!({ "flag": 0, "phoneNumber": "111" }), number),
            (Method::POST, "/verification_codes/verify", json!({ "phoneNumber": "111", "code": "123456" }), number),
            (
                Method::POST,
                "/users/register",
                json!({ "code": "123456", "user": user(json!("111"), PASSWORD) }),
                number,
            ),
            (
                Method::POST,
                "/users/register",
                json!({ "code": "123456", "user": user(json!("18514760074"), "12345") }),
                password,
            ),
            (
                Method::POST,
                "/users/register",
                json!({ "code": "123456", "user": user(json!("18514760074"), "a b c d") }),
                password,
            ),
            (
                Method::POST,
                "/users/register",
                json!({ "code": "123456", "user": user(json!("18514760074"), PASSWORD) }),
                "no code to check: it was used already or never requested; request a new one",
            ),
            (Method::POST, "/users/login", json!({ "user": user(json!("111"), PASSWORD) }), number),
            (
                Method::POST,
                "/users/login",
                json!({ "user": user(json!(owner.phone.0), "wrong") }),
                "wrong account or password",
            ),
            (
                Method::POST,
                "/users/login",
                json!({ "user": user(json!(fresh_phone().0), PASSWORD) }),
                "wrong account or password",
            ),
            (
                Method::POST,
                "/users/login",
                json!({ "user": good, "device": { "pushToken": "t", "platform": 2 } }),
                "platform must be 0 (Android) or 1 (iOS)",
            ),
            (
                Method::POST,
                "/users/login",
                json!({ "user": good, "device": { "pushToken": "t".repeat(513) } }),
                "pushToken must have 1 to 512 printable bytes",
            ),
            (
                Method::PUT,
                "/users/update-password",
                json!({ "phoneNumber": "111", "code": "123456", "password": PASSWORD }),
                number,
            ),
            (
                Method::PUT,
                "/users/update-password",
                json!({ "phoneNumber": owner.phone.0, "code": "123456", "password": "short" }),
                password,
            ),
            (
                Method::POST,
                &update,
                json!({ "device": { "pushToken": "" } }),
                "pushToken must have 1 to 512 printable bytes",
            ),
            (
                Method::POST,
                &update,
                json!({ "device": { "pushToken": "t", "platform": "android" } }),
                "platform must be 0 (Android) or 1 (iOS)",
            ),
        ] {
            let request = backend.request(method, path).header("Access-Token", &owner.token).json(&body);
            assert_eq!(answer(request).await, refused(msg), "{path} {body}");
        }
        assert_eq!(push_tokens(backend, owner.id).await, []);
    });
}

#[test]
fn what_cannot_be_read_is_refused_in_this_apis_envelope() {
    run(async {
        let backend = shared().await;
        let owner = register(backend, Value::Null).await;
        let update = format!("/users/{}/update-device-token", owner.id);
        for (method, path) in [
            (Method::POST, "/verification_codes"),
            (Method::POST, "/verification_codes/verify"),
            (Method::POST, "/users/register"),
            (Method::POST, "/users/login"),
            (Method::PUT, "/users/update-password"),
            (Method::POST, &*update),
        ] {
            let wide = format!("{{\"a\":\"{}\"}}", "a".repeat(300 * 1024));
            for body in ["", "{", "[]", "null", "{}", r#"{"user":1}"#, r#"{"device":[],"user":{}}"#, &wide] {
                let request = backend.request(method.clone(), path).header("Access-Token", &owner.token);
                let (status, answer) = answer(request.body(body.to_owned())).await;
                let short = &body[..body.len().min(40)];
                assert_eq!((status, &answer["success"]), (200, &json!(false)), "{path} {short}: {answer}");
                assert!(
                    answer["msg"].is_string() && answer.as_object().unwrap().len() == 2,
                    "{path} {short}: {answer}"
                );
            }
        }
        for (method, path, status, words) in [
            (Method::GET, "/users/register", 405, "no such endpoint: use POST /users/register"),
            (Method::GET, &*update, 405, "no such endpoint: use POST /users/{id}/update-device-token"),
            (Method::POST, "/verification_codes/other", 404, "no such endpoint"),
        ] {
            let answer = answer(backend.request(method.clone(), path)).await;
            assert_eq!(answer, (status, json!({ "success": false, "msg": words })), "{method} {path}");
        }
    });
}

#[test]
fn failed_sign_ins_are_counted() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let owner = register(&backend, Value::Null).await;
        let login = |password: &str| {
            let user = json!({ "phoneNumber": owner.phone.0, "password": password });
            post(&backend, "/users/login", json!({ "user": user }))
        };
        // Ten as a stranger, and ten from an address that the account knows.
        for _ in 0..20 {
            assert_eq!(login("guess").await, refused("wrong account or password"));
        }
        // With the right password the response shows neither that it is right nor that the account is locked.
        for password in ["guess", PASSWORD] {
            assert_eq!(login(password).await, refused("wrong account or password"));
        }
        backend.advance(Duration::from_mins(11));
        assert_eq!(login(PASSWORD).await.1["success"], true);
    });
}
