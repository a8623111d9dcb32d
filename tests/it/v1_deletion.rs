//! Deleting an account: nothing of it stays but what may, however the removal is interrupted, and whatever happens at the
//! same time.

mod everything;
mod interrupted;

use std::collections::BTreeSet;
use std::time::Duration;

use domain::account::UserId;
use domain::deletion::PURGED_AFTER;
use futures::future::join_all;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use self::everything::{Filled, fill, left_of};
use crate::support::accounts::{
    PASSWORD, device_lives, rooms_lives, sealtalk_lives, sealtalk_register, sealtalk_sign_in, web_sign_in, web_user,
};
use crate::support::backend::{answer, whole};
use crate::support::{Backend, fresh_phone, run};
use crate::v1_account::{costs, refused, sign_in, with};

fn delete(backend: &Backend, session: &Value, body: &Value) -> RequestBuilder {
    with(session, backend.request(Method::DELETE, "/v1/me")).json(body)
}

/// Lets the queue deliver the job that removes what belonged to a deleted user, and waits until it is done.
async fn purge(backend: &Backend, user: u64) {
    let wait = PURGED_AFTER + Duration::from_secs(1);
    backend.advance(wait);
    backend.settled().await;
    backend.running.endpoints().advance_queues(wait);
    for _ in 0..200 {
        backend.settled().await;
        let account = backend.item(&format!("user#{user}"), "account").await;
        if account.is_some_and(|account| account.contains_key("ttl")) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the user was not purged");
}

#[test]
fn nothing_stays_but_what_may() {
    run(async {
        let backend = Backend::start(&[]).await;
        let filled = fill(&backend).await;
        assert!(!left_of(&backend, &filled).await.is_empty(), "this must find what there is");
        costs("v1: delete the account", delete(&backend, &filled.session, &json!({}))).await;
        all_sessions_are_dead(&backend, &filled).await;
        purge(&backend, filled.user).await;
        assert_eq!(left_of(&backend, &filled).await, BTreeSet::new());
        // Again: nothing happens.
        let again = UserId::new(filled.user).expect("an id");
        backend.services("jobs").purge().expect("a service").purge(again).await.expect("nothing to do");
        others_go_on(&backend, &filled).await;
    });
}

/// A claim that is missing already must not make a deletion impossible.
#[test]
fn a_missing_claim_does_not_block_a_deletion() {
    run(async {
        let backend = Backend::start(&[]).await;
        let phone = fresh_phone();
        let session = sign_in(&backend, &phone).await;
        let claim = format!("phone#{}", phone.e164());
        assert!(backend.item(&claim, "claim").await.is_some(), "the test must remove something");
        backend.delete_item(&claim, "claim").await;
        assert_eq!(whole(delete(&backend, &session, &json!({}))).await.status, 204);
        refused(with(&session, backend.get("/v1/me")), 401, "session_ended").await;
    });
}

/// Sessions of every API end in the request itself.
async fn all_sessions_are_dead(backend: &Backend, filled: &Filled) {
    refused(with(&filled.session, backend.get("/v1/me")), 401, "session_ended").await;
    assert!(!sealtalk_lives(backend, &filled.sealtalk).await);
    assert_eq!(web_user(backend, &filled.web).await["errno"], "4101");
    assert!(!device_lives(backend, filled.device.0, &filled.device.1).await);
    assert!(!rooms_lives(backend, &filled.rooms).await);
    assert_eq!(answer(backend.nickname(&filled.messenger.access_token, "Tom")).await.0, 401);
    assert_eq!(answer(backend.refresh(&filled.messenger.refresh_token)).await.0, 400);
    assert!(sealtalk_sign_in(backend, &filled.phone, PASSWORD).await.is_none());
    assert!(web_sign_in(backend, &filled.phone, PASSWORD).await.is_none());
}

/// Friends learn of the deletion by their next sync, and the groups go on under another owner.
async fn others_go_on(backend: &Backend, filled: &Filled) {
    let friend = &filled.friend;
    let get = |path: String| backend.get(&path).header("cookie", &friend.cookie.0);
    let (_, sync) = answer(get(format!("/user/sync/{}", friend.version))).await;
    let rows = sync["result"]["friends"].as_array().cloned().unwrap_or_default();
    assert!(rows.iter().all(|row| row["status"] != 20), "{sync}");
    let (_, friends) = answer(get("/friendship/all".into())).await;
    let rows = friends["result"].as_array().expect("a list");
    let row = rows.iter().find(|row| row["user"]["id"] == json!(filled.short)).expect("the end of the friendship");
    assert_eq!((&row["status"], &row["user"]["nickname"], &row["user"]["phone"]), (&json!(30), &json!(""), &json!("")));
    let (_, group) = answer(get(format!("/group/{}", filled.shared_group))).await;
    assert_eq!(group["result"]["creatorId"], json!(friend.id), "{group}");
    // The number is free. Its sending limits stay.
    backend.advance(Duration::from_hours(1));
    let again = sign_in(backend, &filled.phone).await;
    assert_ne!(again["user"]["id"], filled.session["user"]["id"]);
}

#[test]
fn an_old_session_needs_a_further_proof() {
    run(async {
        let (backend, phone) = (Backend::start(&[]).await, fresh_phone());
        sealtalk_register(&backend, &phone, PASSWORD).await;
        backend.advance(Duration::from_mins(1));
        let session = sign_in(&backend, &phone).await;
        backend.advance(Duration::from_mins(10));
        refused(delete(&backend, &session, &json!({})), 403, "reauthentication_needed").await;
        refused(delete(&backend, &session, &json!({ "password": "not-this-one" })), 403, "password_wrong").await;
        assert_eq!(whole(with(&session, backend.get("/auth/v1/reauthenticate"))).await.status, 200);
        let code = backend.newest_code(&phone).await;
        let wrong = if code == "000000" { "111111" } else { "000000" };
        refused(delete(&backend, &session, &json!({ "code": wrong })), 403, "code_wrong").await;
        assert_eq!(whole(with(&session, backend.get("/v1/me"))).await.status, 200, "nothing has changed");
        assert_eq!(whole(delete(&backend, &session, &json!({ "code": code }))).await.status, 204);
        refused(delete(&backend, &session, &json!({})), 401, "session_ended").await;
    });
}

#[test]
fn signing_in_undoes_a_deletion_while_the_grace_period_lasts() {
    run(async {
        let (backend, phone, other) =
            (Backend::start(&[("DeletionGraceDays", "3")]).await, fresh_phone(), fresh_phone());
        sealtalk_register(&backend, &phone, PASSWORD).await;
        backend.advance(Duration::from_mins(1));
        let (session, looking) = (sign_in(&backend, &phone).await, backend.person_on(&other).await);
        let named = with(&session, backend.patch("/v1/me")).json(&json!({ "name": "Tom" }));
        assert_eq!(whole(named).await.status, 200);
        assert_eq!(backend.card(&looking, &phone).await["name"], "Tom");
        assert_eq!(whole(delete(&backend, &session, &json!({}))).await.status, 204);
        refused(with(&session, backend.get("/v1/me")), 401, "session_ended").await;
        assert_eq!(backend.card(&looking, &phone).await["uid"], 0, "nobody sees the account");
        backend.advance(Duration::from_hours(71));
        let back = sign_in(&backend, &phone).await;
        assert_eq!(back["user"]["id"], session["user"]["id"]);
        let (_, me) = answer(with(&back, backend.get("/v1/me"))).await;
        assert_eq!((&me["name"], &me["has_password"]), (&json!("Tom"), &json!(true)));
        assert!(sealtalk_sign_in(&backend, &phone, PASSWORD).await.is_some());

        // The next time, the period ends.
        assert_eq!(whole(delete(&backend, &back, &json!({}))).await.status, 204);
        backend.advance(Duration::from_hours(73));
        let user: domain::uuid::Uuid = back["user"]["id"].as_str().expect("an id").parse().expect("a UUID");
        let user = user.user().expect("a user");
        let service = backend.services("jobs").purge().expect("a service");
        service.purge(user).await.expect("nothing to do yet");
        // DynamoDB may be days late with the note about the end. Signing in does not wait for it.
        let new = sign_in(&backend, &phone).await;
        assert_ne!(new["user"]["id"], session["user"]["id"]);
        assert!(sealtalk_sign_in(&backend, &phone, PASSWORD).await.is_none());
        service.end_grace(user).await.expect("nothing to do any more");
        service.purge(user).await.expect("purged");
        assert_eq!(backend.items(&format!("user#{}", user.get())).await.len(), 1);
        assert_eq!(whole(with(&new, backend.get("/v1/me"))).await.status, 200);
    });
}

#[test]
fn a_deletion_races_everything_else() {
    run(async {
        let backend = Backend::start(&[("CodesPerIpHour", "0")]).await;
        for _ in 0..12 {
            let phone = fresh_phone();
            sealtalk_register(&backend, &phone, PASSWORD).await;
            backend.advance(Duration::from_mins(1));
            let session = sign_in(&backend, &phone).await;
            let uuid: domain::uuid::Uuid = session["user"]["id"].as_str().expect("an id").parse().expect("a UUID");
            let user = uuid.user().expect("a user").get();
            let friend = crate::support::accounts::sealtalk_register(&backend, &fresh_phone(), PASSWORD).await;
            let (_, cookie) = sealtalk_sign_in(&backend, &phone, PASSWORD).await.expect("a session");
            let invite = backend.post("/friendship/invite").header("cookie", &cookie.0);
            let group = backend.post("/group/create").header("cookie", &cookie.0);
            let image = with(&session, backend.patch("/v1/me")).json(&json!({ "state": "x" }));
            let requests = vec![
                delete(&backend, &session, &json!({})),
                invite.json(&json!({ "friendId": friend, "message": "hello" })),
                group.json(&json!({ "name": "group", "memberIds": [friend] })),
                image,
                backend.post("/user/login").json(&json!({ "region": "86", "phone": phone.0, "password": PASSWORD })),
                with(&session, backend.put("/v1/me/devices/current")).json(&json!({ "platform": "ios", "token": "a" })),
            ];
            join_all(requests.into_iter().map(whole)).await;
            // If the deletion met another change, it changed nothing, and the client asks again.
            let _ = whole(delete(&backend, &session, &json!({}))).await;
            purge(&backend, user).await;
            let items = backend.items(&format!("user#{user}")).await;
            assert_eq!(items.len(), 1, "{items:?}");
            assert!(items[0].contains_key("deleted") && items[0].contains_key("ttl"), "{items:?}");
            assert!(backend.item(&format!("phone#{}", phone.e164()), "claim").await.is_none());
            assert!(sealtalk_sign_in(&backend, &phone, PASSWORD).await.is_none());
        }
    });
}

/// Uses everything that deleting an account needs once.
pub async fn whole_session(backend: &Backend) {
    let phone = fresh_phone();
    let session = sign_in(backend, &phone).await;
    let picture = with(&session, backend.post("/v1/media")).body(crate::support::pictures::jpeg(30, 20));
    assert!(whole(picture).await.status < 300);
    for platform in ["ios", "android"] {
        let device = with(&session, backend.put("/v1/me/devices/current"));
        assert_eq!(whole(device.json(&json!({ "platform": platform, "token": "0a1b2c" }))).await.status, 204);
    }
    let user: domain::uuid::Uuid = session["user"]["id"].as_str().expect("an id").parse().expect("a UUID");
    assert_eq!(whole(delete(backend, &session, &json!({}))).await.status, 204);
    costs("v1: the page for deleting an account", backend.get("/account/delete")).await;
    purge(backend, user.user().expect("a user").get()).await;
}
