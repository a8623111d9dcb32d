//! Requests whose responses show whether a number or a name has an account.

use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};

use super::{counted, limited};
use crate::support::accounts::{PASSWORD, device_register, rooms_register, web_ask};
use crate::support::backend::{answer, whole};
use crate::support::table::number;
use crate::support::{Backend, Phone, fresh_phone, run};

const WORDS: &str = "numbers and names checked from this address today";

async fn check_phone(backend: &Backend, phone: &Phone) -> (u16, Value) {
    answer(backend.post("/user/check_phone_available").json(&json!({ "phone": phone.0 }))).await
}

async fn sign_up_code(backend: &Backend, phone: &Phone) -> (u16, Value) {
    answer(backend.post("/verification_codes").json(&json!({ "flag": 0, "phoneNumber": phone.0 }))).await
}

async fn register(backend: &Backend, name: &str) -> (u16, Value) {
    let account = json!({ "username": name, "password": PASSWORD, "nickname": "n" });
    answer(backend.post("/users/").json(&account)).await
}

#[test]
fn every_request_that_shows_who_has_an_account_counts_against_its_address() {
    run(async {
        let backend = Backend::frozen(&[("ChecksPerIpDay", "100")]).await;
        let (taken, free) = (fresh_phone(), fresh_phone());
        let mut expected = 0;
        let mut now = async |more: i64| {
            expected += more;
            assert_eq!(counted(&backend, "checks#").await, Some(expected));
        };
        device_register(&backend, &taken, PASSWORD).await;
        now(1).await;
        backend.advance(Duration::from_mins(1));
        assert_eq!(check_phone(&backend, &taken).await.1["result"], false);
        assert_eq!(check_phone(&backend, &free).await.1["result"], true);
        now(2).await;
        assert_eq!(sign_up_code(&backend, &taken).await.1["msg"], "this number is taken");
        assert_eq!(sign_up_code(&backend, &free).await.1["success"], true);
        now(2).await;
        assert_eq!(web_ask(&backend, &taken).await["errno"], "4003");
        assert_eq!(web_ask(&backend, &fresh_phone()).await["errno"], "0");
        now(2).await;
        let (pk, token) = rooms_register(&backend, "checked", PASSWORD, None).await;
        now(1).await;
        assert_eq!(register(&backend, "checked").await.1["msg"], "this username is taken");
        now(1).await;
        rooms_register(&backend, "another", PASSWORD, None).await;
        now(1).await;
        // A signed-in user's requests count as well.
        for (name, status) in [("another", 400), ("a-third", 200), ("a-third", 200)] {
            let change = json!({ "username": name, "token": token });
            assert_eq!(answer(backend.put(&format!("/users/{pk}/")).json(&change)).await.0, status);
        }
        now(2).await;
        let lookups = backend.items_below(&format!("user#{pk}")).await;
        let lookups: Vec<_> = lookups.iter().filter_map(|item| number(item, "count")).collect();
        assert_eq!(lookups, [2]);
        // Requests that show nothing do not count: a code for a new password, a sign-in, a code to sign in.
        backend.advance(Duration::from_mins(1));
        let recovery = json!({ "flag": 1, "phoneNumber": fresh_phone().0 });
        assert_eq!(answer(backend.post("/verification_codes").json(&recovery)).await.1["success"], true);
        backend.ask(&fresh_phone()).send().await.expect("an answer");
        now(0).await;
    });
}

#[test]
fn beyond_the_cap_nothing_shows_any_more_who_has_an_account() {
    run(async {
        let backend = Backend::frozen(&[("ChecksPerIpDay", "3")]).await;
        let (taken, free) = (fresh_phone(), fresh_phone());
        device_register(&backend, &taken, PASSWORD).await;
        rooms_register(&backend, "checked", PASSWORD, None).await;
        assert_eq!(check_phone(&backend, &taken).await.1["result"], false);
        let before = backend.count_items().await;
        backend.advance(Duration::from_mins(1));
        for phone in [&taken, &free] {
            let check = json!({ "phone": phone.0 });
            let refused = whole(backend.post("/user/check_phone_available").json(&check)).await;
            assert_eq!((refused.status, &refused.body["code"]), (200, &json!(5000)));
            assert_eq!(refused.retry_after(), Some(14 * 3_600 - 60));
            let refused = sign_up_code(&backend, phone).await;
            assert!(refused.1["success"] == false && limited("msg", &refused, WORDS), "{refused:?}");
            assert_eq!(web_ask(&backend, phone).await, json!({ "errno": "4202", "errmsg": "IP受限" }));
        }
        for name in ["checked", "nobodys"] {
            let refused = register(&backend, name).await;
            assert!(refused.0 == 400 && limited("msg", &refused, WORDS), "{refused:?}");
        }
        assert_eq!(backend.count_items().await, before, "what was refused left nothing");
        assert!(backend.texts(&free).await.is_empty());
        // Signing up or signing in with a code is never blocked.
        backend.person_on(&free).await;
        backend.advance(Duration::from_hours(14));
        assert_eq!(check_phone(&backend, &free).await.1["result"], false);
    });
}

#[test]
fn of_checks_at_once_as_many_are_answered_as_the_cap_leaves() {
    run(async {
        let backend = Backend::frozen(&[("ChecksPerIpDay", "20")]).await;
        let taken = fresh_phone();
        device_register(&backend, &taken, PASSWORD).await;
        rooms_register(&backend, "checked", PASSWORD, None).await;
        backend.advance(Duration::from_mins(1));
        let checks = join_all((0..20).map(|_| check_phone(&backend, &taken)));
        let codes = join_all((0..20).map(|_| sign_up_code(&backend, &taken)));
        let names = join_all((0..20).map(|_| register(&backend, "checked")));
        let (checks, codes, names) = futures::join!(checks, codes, names);
        let shown = checks.iter().filter(|(_, body)| body["result"] == false).count()
            + codes.iter().filter(|(_, body)| body["msg"] == "this number is taken").count()
            + names.iter().filter(|(_, body)| body["msg"] == "this username is taken").count();
        assert_eq!((shown, counted(&backend, "checks#").await), (18, Some(20)));
    });
}

#[test]
fn an_account_checks_names_as_often_as_it_may_look_up_numbers() {
    run(async {
        let backend = Backend::frozen(&[("LookupNumbersPerDay", "2")]).await;
        rooms_register(&backend, "another", PASSWORD, None).await;
        let (pk, token) = rooms_register(&backend, "checked", PASSWORD, None).await;
        let rename = async |name: &str| {
            let change = json!({ "username": name, "token": token, "city": name });
            answer(backend.put(&format!("/users/{pk}/")).json(&change)).await
        };
        assert_eq!(rename("another").await.1["msg"], "this username is taken");
        assert_eq!(rename("a-third").await.0, 200);
        let account = backend.item(&format!("user#{pk}"), "account").await;
        for name in ["another", "a-fourth"] {
            let refused = rename(name).await;
            assert!(refused.0 == 400 && limited("msg", &refused, "numbers looked up today"), "{refused:?}");
        }
        assert_eq!(backend.item(&format!("user#{pk}"), "account").await, account);
        backend.advance(Duration::from_hours(14));
        assert_eq!(rename("a-fourth").await.0, 200);
    });
}
