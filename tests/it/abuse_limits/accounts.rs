//! Accounts created without a text message: with a username, and through a sign-in provider.

use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};

use super::{counted, limited};
use crate::support::backend::answer;
use crate::support::{Backend, fresh_phone, run};

const WORDS: &str = "new accounts from this address";

async fn register(backend: &Backend, name: &str) -> (u16, Value) {
    let account = json!({ "username": name, "password": "test-password-11", "nickname": "n" });
    answer(backend.post("/users/").json(&account)).await
}

async fn by_provider(backend: &Backend, subject: &str, token: &str) -> (u16, Value) {
    let fields = [("login_type", "1"), ("snsid", subject), ("access_token", token), ("username", "tom")];
    answer(backend.post("/snslogin/").query(&fields).query(&[("nickname", "Tom"), ("icon", "")])).await
}

#[test]
fn an_address_makes_thirty_accounts_an_hour_without_a_text() {
    run(async {
        let backend = Backend::frozen(&[("AccountsPerIpHour", "30"), ("FailuresPerIp", "50")]).await;
        for n in 0..15 {
            assert_eq!(register(&backend, &format!("name{n}")).await.0, 200);
            assert_eq!(by_provider(&backend, &format!("s{n}"), &format!("test-s{n}")).await.0, 201);
        }
        let before = backend.count_items().await;
        for answer in [register(&backend, "one-more").await, by_provider(&backend, "more", "test-more").await] {
            assert!(answer.0 == 400 && limited("msg", &answer, WORDS), "{answer:?}");
        }
        assert_eq!(backend.count_items().await, before, "what was refused left nothing");
        assert_eq!(counted(&backend, "failures#").await, Some(0), "a valid token is no failed sign-in");
        assert_eq!(counted(&backend, "accounts#").await, Some(30));
        // Users with an account can still sign in, and a phone number can still create one, because that costs a text.
        assert_eq!(by_provider(&backend, "s1", "test-s1").await.0, 200);
        backend.person_on(&fresh_phone()).await;
        assert_eq!(counted(&backend, "accounts#").await, Some(30));
        backend.advance(Duration::from_hours(1));
        assert_eq!(register(&backend, "one-more").await.0, 200);
    });
}

#[test]
fn of_accounts_at_once_as_many_are_made_as_the_cap_leaves() {
    run(async {
        let backend = Backend::frozen(&[("AccountsPerIpHour", "7")]).await;
        let names: Vec<_> = (0..20).map(|n| format!("name{n}")).collect();
        let answers = join_all(names.iter().map(|name| register(&backend, name))).await;
        let made = answers.iter().filter(|(status, _)| *status == 200).count();
        assert_eq!(made, 7, "{answers:?}");
        let accounts = backend.items_below("user#").await;
        let claims = backend.items_below("username#").await;
        assert_eq!((accounts.len(), claims.len(), counted(&backend, "accounts#").await), (7, 7, Some(7)));
    });
}

#[test]
fn refused_provider_tokens_are_failures_of_the_address() {
    run(async {
        let backend = Backend::frozen(&[("FailuresPerIp", "5")]).await;
        assert_eq!(by_provider(&backend, "42", "test-42").await.0, 201);
        for n in 0..5 {
            assert_eq!(
                by_provider(&backend, "42", "test-43").await.1["msg"],
                "the sign-in provider did not accept this token for this user and app"
            );
            assert_eq!(counted(&backend, "failures#").await, Some(n + 1));
            // A provider that is unavailable, and one that accepts the token, do not count as failures.
            if n < 4 {
                assert_eq!(by_provider(&backend, "42", "test-broken").await.0, 400);
                assert_eq!(by_provider(&backend, "42", "test-42").await.0, 200);
            }
            assert_eq!(counted(&backend, "failures#").await, Some(n + 1));
        }
        let before = backend.items_below("user#").await;
        for token in ["test-43", "test-42", "test-broken"] {
            let answer = by_provider(&backend, "42", token).await;
            assert!(answer.0 == 400 && limited("msg", &answer, "failed sign-ins"), "{answer:?}");
        }
        assert_eq!(backend.items_below("user#").await, before);
        backend.advance(Duration::from_mins(10));
        assert_eq!(by_provider(&backend, "42", "test-42").await.0, 200);
    });
}

#[test]
fn a_provider_that_is_not_set_up_costs_nobody_anything() {
    run(async {
        let backend = Backend::frozen(&[("FailuresPerIp", "2"), ("WeChatBaseUrl", "")]).await;
        for _ in 0..5 {
            let refused = by_provider(&backend, "42", "test-42").await;
            assert_eq!(refused.1["msg"], "the sign-in provider did not accept this token for this user and app");
        }
        assert_eq!(backend.count_items().await, 0);
    });
}
