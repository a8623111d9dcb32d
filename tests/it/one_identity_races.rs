//! Many simultaneous requests through different APIs: afterwards the table is the same as if they had come one after
//! another.

use std::time::Duration;

use futures::future::{BoxFuture, join_all};
use serde_json::json;

use crate::support::accounts::{self, PASSWORD};
use crate::support::backend::answer;
use crate::support::table::number;
use crate::support::{Backend, fresh_phone, run};

#[test]
fn fifty_registrations_of_one_number_through_three_apis_make_one_account() {
    run(async {
        let backend = &Backend::frozen(&[]).await;
        let phone = &fresh_phone();
        let tokens = join_all((0..1).map(|_| accounts::sealtalk_verify(backend, phone))).await;
        let token = &tokens[0];
        backend.advance(Duration::from_mins(1));
        let asked = accounts::web_ask(backend, phone).await;
        assert_eq!(asked["errno"], "0", "{asked}");
        let code = &backend.newest_code(phone).await;
        let attempts = (0..50).map(|n| -> BoxFuture<'_, bool> {
            match n % 3 {
                0 => Box::pin(async { accounts::web_register_with(backend, phone, code, PASSWORD).await.is_some() }),
                1 => Box::pin(async { accounts::device_register_with(backend, phone, code, PASSWORD).await.is_some() }),
                _ => Box::pin(async { accounts::sealtalk_register_with(backend, token, PASSWORD).await.is_some() }),
            }
        });
        let made = join_all(attempts).await.into_iter().filter(|made| *made).count();
        assert_eq!(made, 1);
        let claim = backend.item(&format!("phone#{}", phone.e164()), "claim").await.expect("a claim");
        let owner = number(&claim, "user").expect("an owner");
        let accounts: Vec<_> = backend
            .items_below("user#")
            .await
            .into_iter()
            .filter(|item| item["sk"].as_s().is_ok_and(|sk| sk == "account"))
            .collect();
        assert_eq!(accounts.len(), 1);
        assert_eq!(number(&accounts[0], "id"), Some(owner));
    });
}

#[test]
fn fifty_registrations_of_one_name_make_one_account() {
    run(async {
        let backend = &Backend::frozen(&[]).await;
        let attempts = (0..50).map(|_| async {
            let body = json!({ "username": "tom", "password": PASSWORD, "nickname": "Tom" });
            answer(backend.post("/users/").json(&body)).await.0
        });
        let statuses = join_all(attempts).await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 200 | 400)), "{statuses:?}");
        let accounts = backend.items_below("user#").await;
        assert_eq!(accounts.iter().filter(|item| item["sk"].as_s().is_ok_and(|sk| sk == "account")).count(), 1);
    });
}

#[test]
fn fifty_uses_of_one_verification_token_succeed_once() {
    run(async {
        let backend = &Backend::frozen(&[]).await;
        let phone = &fresh_phone();
        let token = &accounts::sealtalk_verify(backend, phone).await;
        let made = join_all((0..50).map(|_| accounts::sealtalk_register_with(backend, token, PASSWORD))).await;
        assert_eq!(made.iter().flatten().count(), 1);
        assert_eq!(backend.items_below("verification#").await.len(), 0, "it is spent");
        assert!(accounts::sealtalk_register_with(backend, token, PASSWORD).await.is_none());
    });
}

#[test]
fn guesses_through_all_apis_together_never_exceed_five() {
    run(async {
        let backend = &Backend::frozen(&[]).await;
        let phone = &fresh_phone();
        let ask = backend.post("/verification_codes").json(&json!({ "flag": 0, "phoneNumber": phone.0 }));
        assert_eq!(answer(ask).await.1["success"], true);
        let code = backend.newest_code(phone).await;
        let wrong = &crate::support::users::wrong_code(&code, 1);
        let attempts = (0..50).map(|n| -> BoxFuture<'_, bool> {
            match n % 4 {
                0 => Box::pin(async { backend.sign_in(phone, wrong).await.1["error"] == "wrong code" }),
                1 => Box::pin(async {
                    let body = json!({ "mobile": phone.0, "sms_code": wrong, "password": PASSWORD });
                    answer(backend.post("/api/v1.0/users").json(&body)).await.1["errno"] == "4004"
                }),
                2 => Box::pin(async {
                    let body = json!({ "phoneNumber": phone.0, "code": wrong });
                    answer(backend.post("/verification_codes/verify").json(&body)).await.1["msg"] == "wrong code"
                }),
                _ => Box::pin(async {
                    let body = json!({ "region": "86", "phone": phone.0, "code": wrong });
                    answer(backend.post("/user/verify_code").json(&body)).await.1["message"] == "wrong code"
                }),
            }
        });
        let compared = join_all(attempts).await.into_iter().filter(|compared| *compared).count();
        assert_eq!(compared, 5);
        assert_eq!(number(&backend.code_item(phone).await.expect("a code"), "tries"), Some(5));
    });
}

#[test]
fn no_session_of_the_old_password_outlives_its_change() {
    run(async {
        let backend = &Backend::frozen(&[("FailuresPerAccount", "100")]).await;
        for round in 0..5 {
            let phone = &fresh_phone();
            let id = &accounts::sealtalk_register(backend, phone, PASSWORD).await;
            let (_, cookie) = accounts::sealtalk_sign_in(backend, phone, PASSWORD).await.expect("signed in");
            let change = json!({ "oldPassword": PASSWORD, "newPassword": "new-P@ss1" });
            let change = backend.post("/user/change_password").header("cookie", &cookie.0).json(&change);
            let sign_ins = join_all((0..8).map(|_| accounts::web_sign_in(backend, phone, PASSWORD)));
            let ((_, changed), cookies) = futures::join!(answer(change), sign_ins);
            assert_eq!(changed, json!({ "code": 200 }), "round {round}");
            for (_, cookie) in cookies.into_iter().flatten() {
                assert_eq!(accounts::web_user(backend, &cookie).await["errno"], "4101", "round {round}");
            }
            let user: domain::account::UserId = domain::short_id::decode(id).expect("an id");
            assert_eq!(backend.sessions(user.get()).await.len(), 1, "only the one that changed it, round {round}");
        }
    });
}
