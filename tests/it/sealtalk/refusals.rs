//! Errors and their messages.

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    PASSWORD, as_of, done, is_signed_in, not_signed_in, post, refused, register, registration, session,
    verification_for,
};
use crate::support::backend::answer;
use crate::support::users::NOT_IN_ZONE;
use crate::support::{Phone, fresh_phone, run, shared};

/// Every operation that needs a session, with a valid body.
fn closed(id: &str) -> Vec<(Method, String, Value)> {
    let mut operations = Vec::new();
    for (path, body) in [
        ("/user/logout", json!({})),
        ("/user/change_password", json!({ "oldPassword": PASSWORD, "newPassword": "N3wP@ssw0rd" })),
        ("/user/set_nickname", json!({ "nickname": "Tom" })),
        ("/user/set_portrait_uri", json!({ "portraitUri": "http://test.com/a.jpg" })),
    ] {
        operations.push((Method::POST, path.to_owned(), body));
    }
    for path in ["/user/get_token", "/user/get_image_token", "/user/find/86/13912345678", &format!("/user/{id}")] {
        operations.push((Method::GET, path.to_owned(), json!({})));
        operations.push((Method::POST, path.to_owned(), json!({})));
    }
    operations
}

#[test]
fn who_is_not_signed_in_is_told_so_by_code_10000() {
    run(async {
        let backend = shared().await;
        let owner = register(backend).await;
        let ended = session(backend, &owner, PASSWORD).await;
        assert_eq!(answer(as_of(backend.post("/user/logout"), &ended)).await, done());
        let changed = owner.cookie.replace("sealtalk_session=", "sealtalk_session=A");
        for (method, path, body) in closed(&owner.id) {
            let ask = |cookie: Option<&str>| {
                let request = backend.request(method.clone(), &path).json(&body);
                cookie.into_iter().fold(request, as_of)
            };
            let web = owner.cookie.replace("sealtalk_session", "web_session");
            for cookie in [None, Some(""), Some("sealtalk_session="), Some(changed.as_str()), Some(&web)] {
                assert_eq!(answer(ask(cookie)).await, not_signed_in(), "{method} {path} with {cookie:?}");
            }
            // Signing out twice is not an error.
            let expected = if path == "/user/logout" { done() } else { not_signed_in() };
            assert_eq!(answer(ask(Some(&ended))).await, expected, "{method} {path}");
        }
        assert!(is_signed_in(backend, &owner, &owner.cookie).await);
    });
}

#[test]
fn refusals_are_the_documented_ones() {
    run(async {
        let backend = shared().await;
        let owner = register(backend).await;
        let stranger = fresh_phone();
        let nickname = refused(400, 400, "nickname must have 1 to 32 bytes and no control characters");
        let password = refused(400, 400, "password must have 6 to 20 bytes and no spaces");
        let portrait = refused(400, 400, "portraitUri must be an http(s) URL of 12 to 256 characters");
        let number = refused(400, 400, NOT_IN_ZONE);
        let no_uuid = refused(400, 400, "verification_token must be a UUID");
        let unknown_token =
            refused(404, 404, "the verification token is unknown, expired or already used; request a new code");
        let wrong = refused(200, 1000, "wrong account or password");
        let no_user = refused(404, 404, "no such user");
        let with = |name: &str, value: Value| {
            let mut body = registration("75dd0f90-9b0d-11e5-803f-59b82644bc50");
            body[name] = value;
            body
        };
        let long = format!("http://{}", "a".repeat(250));
        let change = |old: &str, new: &str| json!({ "oldPassword": old, "newPassword": new });
        let on = |phone: &Phone| json!({ "region": "86", "phone": phone.0, "password": "wrong-password" });
        let code = json!({ "region": "86", "phone": stranger.0, "code": "123456" });
        let cases = [
            ("/user/send_code", json!({ "region": "86", "phone": "12" }), &number),
            ("/user/check_phone_available", json!({ "region": "86", "phone": "abc" }), &number),
            (
                "/user/verify_code",
                code,
                &refused(404, 404, "no code to check: it was used already or never requested; request a new one"),
            ),
            ("/user/register", with("nickname", json!("Tom")), &unknown_token),
            ("/user/register", with("nickname", json!("")), &nickname),
            ("/user/register", with("nickname", json!("明".repeat(11))), &nickname),
            ("/user/register", with("password", json!("12345")), &password),
            ("/user/register", with("password", json!("with space")), &password),
            ("/user/register", with("password", json!("a".repeat(21))), &password),
            ("/user/reset_password", with("nickname", json!("")), &unknown_token),
            ("/user/reset_password", with("password", json!("short")), &password),
            ("/user/login", on(&owner.phone), &wrong),
            ("/user/login", on(&stranger), &wrong),
            ("/user/login", json!({ "region": "86", "phone": "12", "password": "x" }), &number),
            (
                "/user/login",
                json!({ "phone": owner.phone.0, "password": "" }),
                &refused(400, 400, "password must not be empty"),
            ),
            (
                "/user/verify_code",
                json!({ "region": "86", "phone": owner.phone.0, "code": " " }),
                &refused(400, 400, "code must have 6 digits"),
            ),
            ("/user/register", with("password", json!("")), &password),
            ("/user/register", with("verification_token", json!("")), &no_uuid),
            ("/user/register", with("verification_token", json!("...")), &no_uuid),
            ("/user/reset_password", with("password", json!("")), &password),
            ("/user/reset_password", with("verification_token", json!("")), &no_uuid),
            ("/user/reset_password", with("verification_token", json!("123")), &no_uuid),
            ("/user/change_password", change("", "N3wP@ssw0rd"), &refused(400, 400, "oldPassword must not be empty")),
            ("/user/change_password", change(PASSWORD, ""), &password),
            ("/user/change_password", change("wrong-password", "N3wP@ssw0rd"), &wrong),
            ("/user/change_password", change(PASSWORD, "short"), &password),
            ("/user/set_nickname", json!({ "nickname": "a".repeat(33) }), &nickname),
            ("/user/set_nickname", json!({ "nickname": "  " }), &nickname),
            ("/user/set_portrait_uri", json!({ "portraitUri": "http://a.b" }), &portrait),
            ("/user/set_portrait_uri", json!({ "portraitUri": "ftp://test.com/a.jpg" }), &portrait),
            ("/user/set_portrait_uri", json!({ "portraitUri": long }), &portrait),
            ("/user/find/86/12", json!({}), &number),
            (&format!("/user/find/86/{stranger}"), json!({}), &no_user),
            ("/user/zzzzzzzz", json!({}), &no_user),
            ("/user/not-an-id", json!({}), &no_user),
            ("/user/nothing/there", json!({}), &refused(404, 404, "no such endpoint")),
        ];
        for (path, body, expected) in cases {
            let answered = answer(as_of(backend.post(path), &owner.cookie).json(&body)).await;
            assert_eq!(answered, *expected, "{path} {body}");
        }
        assert!(is_signed_in(backend, &owner, &owner.cookie).await);
        let token = verification_for(backend, &fresh_phone()).await;
        let (status, _) = post(backend, "/user/register", with("verification_token", json!(token))).await;
        assert_eq!(status, 200, "a refused password spends no token");
    });
}

#[test]
fn what_cannot_be_read_is_a_400_in_this_envelope() {
    run(async {
        let backend = shared().await;
        let owner = register(backend).await;
        for path in [
            "/user/send_code",
            "/user/check_phone_available",
            "/user/verify_code",
            "/user/register",
            "/user/login",
            "/user/reset_password",
            "/user/change_password",
            "/user/set_nickname",
            "/user/set_portrait_uri",
        ] {
            let wrong_types = json!({
                "region": [], "phone": {}, "code": 1.5, "password": 7, "nickname": 7, "portraitUri": true,
                "oldPassword": 1, "newPassword": 2, "verification_token": 3,
            });
            let long = format!(r#"{{"phone":"{}"}}"#, "1".repeat(300 * 1024));
            for body in ["", "{", "[]", "null", "{}", &wrong_types.to_string(), "\u{0}", &long] {
                let request = as_of(backend.post(path), &owner.cookie).header("content-type", "application/json");
                let (status, answered) = answer(request.body(body.to_owned())).await;
                let start: String = body.chars().take(20).collect();
                assert_eq!((status, &answered["code"]), (400, &json!(400)), "{path} {start}: {answered}");
                assert!(answered["message"].is_string());
            }
        }
    });
}
