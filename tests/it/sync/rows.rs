//! The content of a sync, row by row.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{Somebody, settled, version};
use crate::support::accounts::{PASSWORD, sealtalk_sign_in, sealtalk_verify};
use crate::support::backend::answer;
use crate::support::{Backend, fresh_phone, run, shared as backend};

fn only<'a>(answer: &'a Value, list: &str) -> &'a Value {
    let rows = answer[list].as_array().expect("a list");
    assert_eq!(rows.len(), 1, "{list} in {answer}");
    &rows[0]
}

#[test]
fn a_first_sync_tells_oneself_and_empty_lists_and_a_second_nothing() {
    run(async {
        let backend = backend().await;
        let tom = Somebody::new(backend, "Tom").await;
        let first = tom.sync(backend, 0).await;
        let now = version(&first);
        let user = json!({ "id": tom.id, "nickname": "Tom", "portraitUri": "", "timestamp": now });
        assert_eq!(
            first,
            json!({ "version": now, "more": false, "user": user, "blacklist": [], "friends": [], "groups": [], "group_members": [] })
        );
        assert_eq!(tom.sync(backend, now).await, first, "the same version and empty lists, never null");
        let posted = tom.post(backend, &format!("/user/sync/{now}"), &json!({})).await;
        assert_eq!(posted, first);
    });
}

#[test]
fn friends_and_the_blacklist_arrive_in_the_documents_shape_with_what_the_clients_read() {
    run(async {
        let backend = backend().await;
        let (tom, ann) = (Somebody::new(backend, "Tom").await, Somebody::new(backend, "Ann").await);
        let start = version(&tom.sync(backend, 0).await);
        tom.post(backend, "/friendship/invite", &json!({ "friendId": ann.id, "message": "hello" })).await;
        let asked = tom.sync(backend, start).await;
        let now = version(&asked);
        let face = json!({ "id": ann.id, "nickname": "Ann", "portraitUri": "" });
        assert_eq!(
            asked["friends"],
            json!([{ "friendId": ann.id, "displayName": "", "message": "hello", "status": 10, "timestamp": now, "user": face }])
        );
        assert_eq!((&asked["blacklist"], &asked["groups"]), (&json!([]), &json!([])));
        ann.post(backend, "/friendship/agree", &json!({ "friendId": tom.id })).await;
        tom.post(backend, "/user/add_to_blacklist", &json!({ "friendId": ann.id })).await;
        let blocked = tom.sync(backend, now).await;
        let later = version(&blocked);
        assert_eq!(only(&blocked, "friends")["status"], 31);
        assert_eq!(
            blocked["blacklist"],
            json!([{ "friendId": ann.id, "status": true, "timestamp": later, "user": face }])
        );
        tom.post(backend, "/user/remove_from_blacklist", &json!({ "friendId": ann.id })).await;
        let pardoned = tom.sync(backend, later).await;
        assert_eq!(only(&pardoned, "blacklist")["status"], false, "unblocking arrives as a tombstone");
        assert_eq!(only(&pardoned, "friends")["status"], 20);
        tom.post(backend, "/friendship/delete", &json!({ "friendId": ann.id })).await;
        let deleted = tom.sync(backend, version(&pardoned)).await;
        assert_eq!(only(&deleted, "friends")["status"], 30, "deleting arrives as a tombstone");
        let hers = ann.sync(backend, 0).await;
        assert_eq!(only(&hers, "friends")["status"], 20, "the other is not told");
    });
}

#[test]
fn groups_and_their_members_arrive_and_go_as_tombstones() {
    run(async {
        let backend = backend().await;
        let (tom, ann, bob) = (
            Somebody::new(backend, "Tom").await,
            Somebody::new(backend, "Ann").await,
            Somebody::new(backend, "Bob").await,
        );
        let group = tom.group(backend, "Team 1", &[&ann.id]).await;
        let first = ann.sync(backend, 0).await;
        let now = version(&first);
        let detail = json!({ "id": group, "name": "Team 1", "portraitUri": "", "creatorId": tom.id, "memberCount": 2, "timestamp": now });
        assert_eq!(
            first["groups"],
            json!([{ "groupId": group, "displayName": "", "role": 1, "isDeleted": false, "timestamp": now, "group": detail }])
        );
        let member = |who: &Somebody, role: u8, name: &str| {
            json!({
                "groupId": group, "memberId": who.id, "displayName": "", "role": role, "isDeleted": false, "timestamp": now,
                "user": { "id": who.id, "nickname": name, "portraitUri": "" },
            })
        };
        let members = first["group_members"].as_array().unwrap();
        assert_eq!(members.len(), 2);
        assert!(members.contains(&member(&tom, 0, "Tom")) && members.contains(&member(&ann, 1, "Ann")), "{first}");

        tom.post(backend, "/group/add", &json!({ "groupId": group, "memberIds": [bob.id] })).await;
        let added = ann.sync(backend, now).await;
        assert_eq!(only(&added, "groups")["group"]["memberCount"], 3);
        assert_eq!(only(&added, "group_members")["memberId"], json!(bob.id), "only the new member");
        bob.post(backend, "/group/quit", &json!({ "groupId": group })).await;
        let left = ann.sync(backend, version(&added)).await;
        let gone = only(&left, "group_members");
        assert_eq!((&gone["memberId"], &gone["isDeleted"]), (&json!(bob.id), &json!(true)));

        let known = version(&left);
        tom.post(backend, "/group/kick", &json!({ "groupId": group, "memberIds": [ann.id] })).await;
        tom.post(backend, "/group/rename", &json!({ "groupId": group, "name": "Secret" })).await;
        let kicked = ann.sync(backend, known).await;
        let row = only(&kicked, "groups");
        assert_eq!(
            (&row["isDeleted"], &row["group"]["id"], &row["group"]["name"]),
            (&json!(true), &json!(group), &json!(""))
        );
        assert_eq!(kicked["group_members"], json!([]));
        assert!(!kicked.to_string().contains("Secret"), "who was put out does not learn the new name");

        let his = version(&tom.sync(backend, 0).await);
        tom.post(backend, "/group/dismiss", &json!({ "groupId": group })).await;
        let dissolved = tom.sync(backend, his).await;
        assert_eq!(only(&dissolved, "groups")["isDeleted"], true);
        assert_eq!(tom.sync(backend, version(&dissolved)).await["groups"], json!([]));
    });
}

#[test]
fn a_new_nickname_or_portrait_reaches_friends_and_fellow_members() {
    run(async {
        let backend = backend().await;
        let (tom, ann, bob) = (
            Somebody::new(backend, "Tom").await,
            Somebody::new(backend, "Ann").await,
            Somebody::new(backend, "Bob").await,
        );
        tom.befriend(backend, &ann).await;
        let group = tom.group(backend, "Team", &[&bob.id]).await;
        let (hers, his) = (version(&ann.sync(backend, 0).await), version(&bob.sync(backend, 0).await));
        let writes = backend.items(&format!("user#{}", number_of(&ann.id))).await;
        tom.post(backend, "/user/set_nickname", &json!({ "nickname": "Thomas" })).await;
        let portrait = json!({ "portraitUri": "http://example.com/thomas.jpg" });
        tom.post(backend, "/user/set_portrait_uri", &portrait).await;
        settled(backend).await;
        assert_eq!(
            backend.items(&format!("user#{}", number_of(&ann.id))).await,
            writes,
            "nothing of a friend's is written"
        );
        let face = json!({ "id": tom.id, "nickname": "Thomas", "portraitUri": "http://example.com/thomas.jpg" });
        assert_eq!(only(&ann.sync(backend, hers).await, "friends")["user"], face);
        let told = bob.sync(backend, his).await;
        let member = only(&told, "group_members");
        assert_eq!((&member["groupId"], &member["user"]), (&json!(group), &face));
        let own = tom.sync(backend, 0).await;
        assert_eq!(own["user"]["nickname"], "Thomas");
    });
}

fn number_of(id: &str) -> u64 {
    let id: domain::account::UserId = domain::short_id::decode(id).expect("an id");
    id.get()
}

#[test]
fn what_is_no_version_is_refused() {
    run(async {
        let backend = backend().await;
        let tom = Somebody::new(backend, "Tom").await;
        let future = version(&tom.sync(backend, 0).await) + 3_600_000;
        let refused = json!({ "code": 400, "message": "version must be the version of an earlier response, or 0" });
        let mut bad = vec![future.to_string(), "18446744073709551616".to_owned(), "99999999999999999999999".to_owned()];
        bad.extend(["x", "-1", "+1", "1.5", "1e3", "0x1", "null", "９"].map(str::to_owned));
        for version in bad {
            for method in [Method::GET, Method::POST] {
                let path = format!("/user/sync/{version}");
                let (status, body) = answer(tom.request(backend, method, &path)).await;
                assert_eq!((status, &body), (400, &refused), "{version}");
            }
        }
        let (status, body) = answer(backend.get("/user/sync/0")).await;
        assert_eq!((status, &body["code"]), (403, &json!(10_000)));
        // A version of another server, and one of another user.
        let ann = Somebody::new(backend, "Ann").await;
        for version in [1_234_567_894, version(&ann.sync(backend, 0).await)] {
            assert_eq!(tom.sync(backend, version).await["user"]["nickname"], "Tom");
        }
    });
}

#[test]
fn a_device_that_was_away_for_too_long_is_told_what_to_forget() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let phone = fresh_phone();
        let token = sealtalk_verify(&backend, &phone).await;
        let body = json!({ "nickname": "Tom", "password": PASSWORD, "verification_token": token });
        answer(backend.post("/user/register").json(&body)).await;
        let sign_in = async || {
            let (id, cookie) = sealtalk_sign_in(&backend, &phone, PASSWORD).await.expect("signed in");
            Somebody { id, cookie }
        };
        let tom = sign_in().await;
        let ann = Somebody::new(&backend, "Ann").await;
        let group = ann.group(&backend, "Team", &[&tom.id]).await;
        tom.post(&backend, "/user/add_to_blacklist", &json!({ "friendId": ann.id })).await;
        let known = version(&tom.sync(&backend, 0).await);
        tom.post(&backend, "/group/quit", &json!({ "groupId": group })).await;
        tom.post(&backend, "/user/remove_from_blacklist", &json!({ "friendId": ann.id })).await;
        backend.advance(Duration::from_hours(61 * 24));
        let told = sign_in().await.sync(&backend, known).await;
        let row = only(&told, "groups");
        assert_eq!((&row["group"]["id"], &row["isDeleted"]), (&json!(group), &json!(true)));
        assert_eq!(only(&told, "blacklist")["status"], false);
        // A new device has no old data to delete.
        let new = sign_in().await.sync(&backend, 0).await;
        assert_eq!((&new["groups"], &new["blacklist"]), (&json!([]), &json!([])));
    });
}

#[test]
fn a_device_that_keeps_asking_is_never_forgotten() {
    run(async {
        let backend = Backend::frozen(&[("CookieSessionDays", "365")]).await;
        let tom = Somebody::new(&backend, "Tom").await;
        let first = tom.sync(&backend, 0).await;
        for _ in 0..6 {
            backend.advance(Duration::from_hours(40 * 24));
            assert_eq!(tom.sync(&backend, version(&first)).await, first, "nothing new, months later");
        }
    });
}
