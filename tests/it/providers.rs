//! Sign-in providers and the chat service, with the fakes of the local run.

use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::header::{COOKIE, SET_COOKIE};
use serde_json::{Value, json};

use crate::support::backend::{Whole, answer, whole};
use crate::support::{Backend, fresh_phone, round_trips, run};

const REFUSED: &str = "the sign-in provider did not accept this token for this user and app";
const UNREACHABLE: &str = "the sign-in provider cannot be reached; try again";

async fn sign_in(backend: &Backend, login_type: &str, subject: &str, token: &str) -> (u16, Value) {
    let fields = [
        ("login_type", login_type),
        ("snsid", subject),
        ("access_token", token),
        ("username", "tom"),
        ("nickname", "Tom"),
        ("icon", ""),
    ];
    answer(backend.post("/snslogin/").query(&fields)).await
}

fn refusal(words: &str) -> (u16, Value) {
    (400, json!({ "status": "FAIL", "msg": words, "code": "400" }))
}

#[test]
fn whom_no_provider_vouches_for_leaves_nothing_behind() {
    run(async {
        let backend = Backend::start(&[]).await;
        let before = backend.count_items().await;
        for login_type in ["1", "2", "3"] {
            for token in
                ["test-other-app-42", "test-43", "test-expired", "test-", "nonsense", "a b", &"a".repeat(2_000)]
            {
                let answer = sign_in(&backend, login_type, "42", token).await;
                assert_eq!(answer, refusal(REFUSED), "{login_type} {token}");
            }
            assert_eq!(sign_in(&backend, login_type, "42", "test-broken").await, refusal(UNREACHABLE));
        }
        assert_eq!(backend.count_items().await, before);
    });
}

#[test]
fn a_slow_provider_is_given_up_on() {
    run(async {
        let backend = Backend::start(&[]).await;
        let begun = Instant::now();
        for answer in join_all(["1", "2", "3"].map(|provider| sign_in(&backend, provider, "slow", "test-slow"))).await {
            assert_eq!(answer, refusal(UNREACHABLE));
        }
        assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    });
}

#[test]
fn a_provider_that_is_not_configured_vouches_for_nobody() {
    run(async {
        let backend = Backend::start(&[("WeChatBaseUrl", ""), ("QqAppId", ""), ("WeiboAppKey", "7")]).await;
        for login_type in ["1", "2", "3"] {
            assert_eq!(sign_in(&backend, login_type, "42", "test-42").await, refusal(REFUSED), "{login_type}");
        }
    });
}

#[test]
fn no_access_token_is_logged() {
    run(async {
        let backend = Backend::start(&[]).await;
        let subject = "a-subject-that-no-log-shows";
        let token = format!("test-{subject}");
        for login_type in ["1", "2", "3"] {
            assert_eq!(sign_in(&backend, login_type, subject, &token).await.0, 201);
            assert_eq!(sign_in(&backend, login_type, "another", &token).await, refusal(REFUSED));
        }
        let lines = round_trips::log();
        let refusals = lines.iter().filter(|line| line.get("event").is_some_and(|event| event == "provider_refused"));
        assert!(refusals.count() >= 3, "a refusal is logged");
        assert!(!format!("{lines:?}").contains(subject));
    });
}

/// Registers a user and signs them in at SealTalk, whose response has a chat token.
async fn sign_in_at_sealtalk(backend: &Backend) -> Whole {
    let phone = fresh_phone();
    let asked = backend.post("/verification_codes").json(&json!({ "flag": 0, "phoneNumber": phone.0 }));
    assert_eq!(answer(asked).await.0, 200);
    let code = backend.newest_code(&phone).await;
    let user = json!({ "phoneNumber": phone.0, "password": "P@ssw0rd" });
    assert_eq!(answer(backend.post("/users/register").json(&json!({ "code": code, "user": user }))).await.0, 200);
    let login = json!({ "region": "86", "phone": phone.0, "password": "P@ssw0rd" });
    whole(backend.post("/user/login").json(&login)).await
}

#[test]
fn chat_tokens_come_from_the_chat_service_where_one_is_configured() {
    run(async {
        let app = |secret: &'static str| [("RongCloudAppKey", "local-app-key"), ("RongCloudAppSecret", secret)];
        let backend = Backend::start(&app("local-app-secret")).await;
        let login = sign_in_at_sealtalk(&backend).await;
        let id = login.body["result"]["id"].as_str().unwrap_or_else(|| panic!("an id in {}", login.body));
        let token = format!("standin-{id}");
        assert_eq!((login.status, &login.body["result"]["token"]), (200, &json!(token)));
        let cookie = login.headers[SET_COOKIE].to_str().expect("a cookie");
        let given = answer(backend.get("/user/get_token").header(COOKIE, cookie)).await;
        assert_eq!(given, (200, json!({ "code": 200, "result": { "userId": id, "token": token } })));
        // A wrong secret is a fault on our side: it is not in the response, and no user is half signed in.
        let backend = Backend::start(&app("wrong")).await;
        let login = sign_in_at_sealtalk(&backend).await;
        assert_eq!((login.status, login.body), (500, json!({ "code": 500, "message": "internal error" })));
        assert!(!login.headers.contains_key(SET_COOKIE));
    });
}
