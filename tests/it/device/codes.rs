//! The uses of codes, and how often each works.

use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};

use super::{PASSWORD, code, ok, post, refused, register, wrong};
use crate::support::backend::answer;
use crate::support::{Backend, Phone, fresh_phone, run, shared};

#[test]
fn checking_a_code_spends_neither_the_code_nor_a_guess_when_it_is_right() {
    run(async {
        let backend = shared().await;
        let phone = fresh_phone();
        let check =
            |code: &str| post(backend, "/verification_codes/verify", json!({ "phoneNumber": phone.0, "code": code }));
        assert_eq!(
            check("123456").await,
            refused("no code to check: it was used already or never requested; request a new one")
        );
        let code = code(backend, &phone, 0).await;
        for _ in 0..6 {
            assert_eq!(check(&code).await, (200, ok(&json!({ "phoneNumber": phone.0 }))));
        }
        for _ in 0..5 {
            assert_eq!(check(&wrong(&code)).await, refused("wrong code"));
        }
        assert_eq!(check(&code).await, refused("too many wrong tries; request a new code"));
    });
}

#[test]
fn nobody_learns_who_is_registered_by_asking_for_a_new_password() {
    run(async {
        let backend = Backend::start(&[]).await;
        let known = register(&backend, Value::Null).await.phone;
        let unknown = fresh_phone();
        backend.advance(Duration::from_secs(61));
        let ask = |phone: &Phone| {
            let body = json!({ "flag": 1, "phoneNumber": phone.0 });
            post(&backend, "/verification_codes", body)
        };
        let texts = async |phone: &Phone| {
            let inbox = backend.get("/_local/sms").query(&[("phone", format!("+86{phone}"))]);
            answer(inbox).await.1.as_array().expect("texts").len()
        };
        for phone in [&known, &unknown] {
            assert_eq!(ask(phone).await, (200, ok(&json!({ "phoneNumber": phone.0 }))));
            let (status, again) = ask(phone).await;
            let msg = again["msg"].as_str().expect("words").to_owned();
            assert!(status == 200 && msg.starts_with("a code was sent a moment ago; try again in "), "{again}");
            let sent = backend.texts(phone).await;
            let sent = sent.first().and_then(|text| text["code"].as_str()).unwrap_or("123456");
            let guess = json!({ "phoneNumber": phone.0, "code": wrong(sent), "password": PASSWORD });
            assert_eq!(answer(backend.put("/users/update-password").json(&guess)).await, refused("wrong code"));
        }
        assert_eq!((texts(&known).await, texts(&unknown).await), (2, 0));
    });
}

#[test]
fn codes_are_for_one_purpose_and_counted_over_all_apis() {
    run(async {
        let backend = Backend::start(&[]).await;
        let phone = fresh_phone();
        let messenger = backend.code_for(&phone).await;
        let (status, body) = post(&backend, "/verification_codes", json!({ "flag": 0, "phoneNumber": phone.0 })).await;
        let msg = body["msg"].as_str().expect("words");
        assert!(status == 200 && msg.starts_with("a code was sent a moment ago; try again in "), "{body}");
        let user = json!({ "phoneNumber": phone.0, "password": PASSWORD });
        let register = |code: &str| post(&backend, "/users/register", json!({ "code": code, "user": user }));
        assert_eq!(register(&messenger).await, refused("wrong code"));
        backend.advance(Duration::from_secs(61));
        let recovery = {
            assert_eq!(
                post(&backend, "/verification_codes", json!({ "flag": 1, "phoneNumber": phone.0 })).await.0,
                200
            );
            register("000000").await
        };
        assert_eq!(recovery, refused("wrong code"));
        backend.advance(Duration::from_secs(61));
        let code = code(&backend, &phone, 0).await;
        assert_eq!(backend.sign_in(&phone, &code).await.0, 400);
        assert_eq!(register(&code).await.1["success"], true);
        assert_eq!(register(&code).await.1["success"], false);
        backend.advance(Duration::from_hours(1));
        let again = post(&backend, "/verification_codes", json!({ "flag": 0, "phoneNumber": phone.0 })).await;
        assert_eq!(again, refused("this number is taken"));
    });
}

#[test]
fn parallel_registrations_with_one_code_make_one_account() {
    run(async {
        let backend = shared().await;
        let phone = fresh_phone();
        let code = code(backend, &phone, 0).await;
        let user = json!({ "phoneNumber": phone.0, "password": PASSWORD });
        let body = json!({ "code": code, "user": user });
        let answers = join_all((0..4).map(|_| post(backend, "/users/register", body.clone()))).await;
        let made: Vec<_> = answers.iter().filter(|(_, body)| body["success"] == true).collect();
        assert_eq!(made.len(), 1, "{answers:?}");
        let claim = backend.item(&format!("phone#+86{phone}"), "claim").await.expect("a claim");
        let id = made[0].1["data"]["user"]["id"].as_u64().expect("an id");
        assert_eq!(claim["user"].as_n().expect("a user"), &backend.device_user(id).await.to_string());
    });
}
