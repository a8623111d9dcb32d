//! The id in this API: a separate number that fits into the clients' `int`.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::{Value, json};

use super::{PASSWORD, lives, login, post, refused, register};
use crate::support::backend::{answer, whole};
use crate::support::table::number;
use crate::support::{Backend, Phone, accounts, fresh_phone, run, shared};

/// The id in a sign-in response, as the clients read it: a signed 32-bit number.
fn id_in(body: &Value) -> i32 {
    let id = body["data"]["user"]["id"].as_i64().unwrap_or_else(|| panic!("an id in {body}"));
    i32::try_from(id).ok().filter(|id| *id > 0).unwrap_or_else(|| panic!("{id} is no int"))
}

async fn sign_in(backend: &Backend, phone: &Phone) -> (i32, String) {
    let user = json!({ "phoneNumber": phone.0, "password": PASSWORD });
    let (status, body) = post(backend, "/users/login", json!({ "user": user })).await;
    assert_eq!((status, &body["success"]), (200, &json!(true)), "{body}");
    (id_in(&body), body["data"]["accessToken"].as_str().expect("a token").to_owned())
}

/// The ids of this API that an account has claimed.
async fn claimed_for(backend: &Backend, uid: u64) -> BTreeSet<i64> {
    let claims = backend.items_below("device#").await.into_iter();
    let own = claims.filter(|claim| number(claim, "user") == i64::try_from(uid).ok());
    own.map(|claim| claim["pk"].as_s().expect("a key").trim_start_matches("device#").parse().expect("an id")).collect()
}

fn id_of(item: &crate::support::table::Item) -> Option<i64> {
    number(item, "device_id")
}

#[test]
fn an_id_fits_an_int_and_is_the_accounts_for_good() {
    run(async {
        let backend = shared().await;
        let owners = join_all((0..8).map(|_| register(backend, Value::Null))).await;
        let ids: BTreeSet<_> = owners.iter().map(|owner| i32::try_from(owner.id).expect("an int")).collect();
        assert_eq!(ids.len(), owners.len());
        for owner in &owners {
            let uid = backend.device_user(owner.id).await;
            assert_eq!(sign_in(backend, &owner.phone).await.0, i32::try_from(owner.id).expect("an int"));
            assert_eq!(id_of(&backend.account(uid).await), i64::try_from(owner.id).ok());
            assert_eq!(claimed_for(backend, uid).await.len(), 1);
            assert!(lives(backend, owner.id, &owner.token).await);
            // The account's id in other APIs is not valid here.
            assert_ne!(uid, owner.id);
            let body = json!({ "device": { "pushToken": "t" } });
            let update = backend.post(&format!("/users/{uid}/update-device-token"));
            assert_eq!(
                answer(update.header("Access-Token", &owner.token).json(&body)).await,
                refused("this belongs to another user")
            );
        }
    });
}

#[test]
fn an_account_made_through_another_api_gets_its_id_at_the_first_sign_in() {
    run(async {
        let backend = shared().await;
        let phone = fresh_phone();
        let (uid, _) = accounts::web_register(backend, &phone, PASSWORD).await;
        assert_eq!(id_of(&backend.account(uid).await), None);
        let user = json!({ "phoneNumber": phone.0, "password": PASSWORD });
        let body = json!({ "user": user });
        let first = whole(backend.post("/users/login").json(&body)).await;
        let second = whole(backend.post("/users/login").json(&body)).await;
        assert_eq!(id_in(&first.body), id_in(&second.body));
        assert_eq!((first.rounds(), second.rounds()), (3, 2), "only the first use costs a round trip more");
        assert_eq!(claimed_for(backend, uid).await, BTreeSet::from([i64::from(id_in(&first.body))]));
    });
}

#[test]
fn first_uses_at_once_give_one_id() {
    run(async {
        let backend = Backend::start(&[("SessionsPerAccount", "20")]).await;
        for _ in 0..5 {
            let phone = fresh_phone();
            let (uid, _) = accounts::web_register(&backend, &phone, PASSWORD).await;
            let ids: BTreeSet<_> =
                join_all((0..8).map(|_| sign_in(&backend, &phone))).await.into_iter().map(|(id, _)| id).collect();
            assert_eq!(ids.len(), 1, "{ids:?}");
            let claimed = claimed_for(&backend, uid).await;
            assert_eq!(claimed, ids.into_iter().map(i64::from).collect());
            assert_eq!(id_of(&backend.account(uid).await), claimed.first().copied());
        }
    });
}

#[test]
fn an_account_from_before_keeps_working_and_gets_its_id_at_the_next_sign_in() {
    run(async {
        let backend = shared().await;
        let owner = register(backend, Value::Null).await;
        let uid = backend.device_user(owner.id).await;
        backend.forget(uid, "device_id").await;
        // Its client received the long id and knows no other.
        assert!(lives(backend, uid, &owner.token).await);
        let body = json!({ "device": { "pushToken": "t" } });
        let update = |id: u64| backend.post(&format!("/users/{id}/update-device-token"));
        let other = register(backend, Value::Null).await;
        for id in [owner.id, other.id, backend.device_user(other.id).await] {
            let sent = update(id).header("Access-Token", &owner.token).json(&body);
            assert_eq!(answer(sent).await, refused("this belongs to another user"), "{id}");
        }
        let (id, token) = sign_in(backend, &owner.phone).await;
        let id = u64::try_from(id).expect("an id");
        assert!(lives(backend, id, &token).await && lives(backend, id, &owner.token).await);
        let sent = update(uid).header("Access-Token", &owner.token).json(&body);
        assert_eq!(answer(sent).await, refused("this belongs to another user"));
        login(backend, &super::Owner { id, ..owner }, Value::Null).await;
    });
}
