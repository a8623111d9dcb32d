//! Groups: creating them once, reading, changing and dissolving them.

use std::collections::BTreeSet;

use futures::future::join_all;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{Someone, done, id_of, refused, sealtalk, wrong_field};
use crate::support::backend::whole;
use crate::support::{Backend, run, shared};

/// The UUID of a group that does not exist.
const NO_GROUP: &str = "00000000-0000-8007-8000-000000000001";

fn make(backend: &Backend, who: &Someone, key: &str, body: &Value) -> RequestBuilder {
    who.post(backend, "/v1/groups", body).header("Idempotency-Key", key)
}

/// The ids of a user's groups.
async fn groups(backend: &Backend, of: &Someone) -> Vec<String> {
    of.list(backend, "/v1/groups", 50).await.iter().map(id_of).collect()
}

#[test]
fn a_group_is_made_and_shown() {
    run(async {
        let backend = shared().await;
        let [owner, member, stranger] = Someone::several(backend, ["Owner", "Member", "Stranger"]).await;
        let made =
            json!({ "name": " Team 1 ", "portrait": "https://example.com/a.jpg", "members": [member.id, owner.id] });
        let id = id_of(&done(owner.post(backend, "/v1/groups", &made), 201).await);
        let path = format!("/v1/groups/{id}");
        for (who, role) in [(&owner, Some("owner")), (&member, Some("member")), (&stranger, None)] {
            let shown = done(who.get(backend, &path), 200).await;
            assert_eq!((&shown["id"], &shown["name"]), (&json!(id), &json!("Team 1")));
            assert_eq!((&shown["owner"], &shown["member_count"]), (&json!(owner.id), &json!(2)));
            assert_eq!(shown["portrait"], "https://example.com/a.jpg");
            assert_eq!(shown.get("role").and_then(Value::as_str), role);
            let mut listed = who.list(backend, "/v1/groups", 50).await;
            assert_eq!(listed.len(), usize::from(role.is_some()));
            if let Some(listed) = listed.first_mut() {
                // New names are copied to groups a little later, which changes the group.
                listed["updated_at"] = shown["updated_at"].clone();
                assert_eq!(*listed, shown, "the list has the same");
            }
        }
    });
}

#[test]
fn a_group_that_cannot_be_made_is_refused() {
    run(async {
        let backend = shared().await;
        let owner = Someone::new(backend, "Owner").await;
        let post = |body: Value| owner.post(backend, "/v1/groups", &body);
        wrong_field(post(json!({ "name": "a" })), "name").await;
        wrong_field(post(json!({ "name": "the group", "portrait": "a" })), "portrait").await;
        refused(post(json!({})), 400, "malformed").await;
        refused(post(json!({ "name": "the group", "members": "x" })), 400, "malformed").await;
        for nobody in ["x", "00000000-0000-8001-8000-000000000001"] {
            refused(post(json!({ "name": "the group", "members": [nobody] })), 404, "not_found").await;
        }
        let many: Vec<_> = (1..=501).map(|number| format!("00000000-0000-8001-8000-{number:012x}")).collect();
        refused(post(json!({ "name": "the group", "members": many })), 403, "group_rule").await;
        wrong_field(make(backend, &owner, "a b", &json!({ "name": "the group" })), "Idempotency-Key").await;
        assert_eq!(groups(backend, &owner).await, Vec::<String>::new());
    });
}

#[test]
fn a_repeated_request_makes_one_group() {
    run(async {
        let backend = &Backend::frozen(&[("GroupsPerDay", "2")]).await;
        let [owner, member, other] = Someone::several(backend, ["Owner", "Member", "Other"]).await;
        let body = json!({ "name": "the group", "members": [member.id] });
        let first = id_of(&done(make(backend, &owner, "key", &body), 201).await);
        for _ in 0..3 {
            assert_eq!(id_of(&done(make(backend, &owner, "key", &body), 201).await), first);
        }
        assert_eq!(groups(backend, &member).await, [first.as_str()]);
        for another in [json!({ "name": "the group" }), json!({ "name": "another", "members": [member.id] })] {
            refused(make(backend, &owner, "key", &another), 422, "idempotency_key_reused").await;
        }
        // Another user's key of the same name is another key, and so is another key.
        let of_other = id_of(&done(make(backend, &other, "key", &body), 201).await);
        let second = id_of(&done(make(backend, &owner, "key-2", &body), 201).await);
        assert_eq!([&first, &of_other, &second].into_iter().collect::<BTreeSet<_>>().len(), 3);
        // A repeated request needs no place in the day's limit, and works after the group has changed.
        refused(make(backend, &owner, "key-3", &body), 429, "groups_made").await;
        assert_eq!(id_of(&done(make(backend, &owner, "key", &body), 201).await), first);
        done(owner.delete(backend, &format!("/v1/groups/{first}")), 204).await;
        assert_eq!(id_of(&done(make(backend, &owner, "key", &body), 201).await), first);
        // A refused request is not remembered.
        backend.advance(std::time::Duration::from_hours(25));
        let owner = Someone::on(backend, owner.phone.clone()).await;
        let next = id_of(&done(make(backend, &owner, "key", &body), 201).await);
        assert_ne!(next, first, "a key is remembered for a day");
        done(make(backend, &owner, "key-3", &json!({ "name": "a third" })), 201).await;
    });
}

#[test]
fn the_same_request_many_times_at_once_makes_one_group() {
    run(async {
        let backend = shared().await;
        let [owner, member] = Someone::several(backend, ["Owner", "Member"]).await;
        for (round, members) in [vec![], vec![member.id.clone()]].into_iter().enumerate() {
            let body = json!({ "name": "the group", "members": members });
            let key = format!("round-{round}");
            let all = join_all((0..8).map(|_| whole(make(backend, &owner, &key, &body)))).await;
            let mut made = BTreeSet::new();
            for answer in all {
                assert_eq!(answer.status, 201, "{}", answer.body);
                made.insert(id_of(&answer.body));
            }
            assert_eq!(made.len(), 1, "{made:?}");
            assert_eq!(groups(backend, &owner).await.len(), round + 1);
        }
    });
}

#[test]
fn a_large_group_is_made_once_too() {
    run(async {
        let backend = shared().await;
        let owner = Someone::new(backend, "Owner").await;
        let people: Vec<_> = crate::sync::crowd(backend, 120).await;
        let id =
            |short: &String| domain::uuid::Uuid::of_user(domain::short_id::decode(short).expect("an id")).to_string();
        let body = json!({ "name": "the group", "members": people.iter().map(id).collect::<Vec<_>>() });
        let all = join_all((0..3).map(|_| whole(make(backend, &owner, "large", &body)))).await;
        let made: BTreeSet<_> = all.iter().map(|answer| id_of(&answer.body)).collect();
        assert_eq!(made.len(), 1);
        let shown = done(owner.get(backend, &format!("/v1/groups/{}", made.first().unwrap())), 200).await;
        assert_eq!((&shown["member_count"], &shown["role"]), (&json!(121), &json!("owner")));
        let members = owner.list(backend, &format!("/v1/groups/{}/members", made.first().unwrap()), 50).await;
        assert_eq!(super::users(&members).into_iter().collect::<BTreeSet<_>>().len(), 121);
    });
}

#[test]
fn lists_of_groups_have_pages() {
    run(async {
        let backend = shared().await;
        let [owner, member] = Someone::several(backend, ["Owner", "Member"]).await;
        let mut made = BTreeSet::new();
        for _ in 0..5 {
            made.insert(owner.founds(backend, &[&member]).await);
        }
        for limit in [1, 2, 5, 6] {
            let found: Vec<_> = member.list(backend, "/v1/groups", limit).await.iter().map(id_of).collect();
            assert_eq!(found.len(), 5, "{limit}");
            assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), made);
        }
    });
}

#[test]
fn name_and_picture_change_together() {
    run(async {
        let backend = shared().await;
        let [owner, member] = Someone::several(backend, ["Owner", "Member"]).await;
        let id = owner.founds(backend, &[&member]).await;
        let path = format!("/v1/groups/{id}");
        let patch = |body: Value| owner.patch(backend, &path, &body);
        let portrait = "https://example.com/a.jpg";
        done(patch(json!({ "name": "another", "portrait": portrait })), 204).await;
        let shown = done(member.get(backend, &path), 200).await;
        assert_eq!((&shown["name"], &shown["portrait"]), (&json!("another"), &json!(portrait)));
        done(patch(json!({ "portrait": null })), 204).await;
        let shown = done(member.get(backend, &path), 200).await;
        assert_eq!((&shown["name"], shown.get("portrait")), (&json!("another"), None));
        // One wrong field, and nothing is changed.
        wrong_field(patch(json!({ "name": "a third", "portrait": "a" })), "portrait").await;
        wrong_field(patch(json!({ "name": "a", "portrait": portrait })), "name").await;
        refused(patch(json!({})), 400, "malformed").await;
        refused(member.patch(backend, &path, &json!({ "name": "a third" })), 403, "group_rule").await;
        let still = done(member.get(backend, &path), 200).await;
        assert_eq!((&still["name"], still.get("portrait")), (&shown["name"], None));
    });
}

#[test]
fn a_bulletin_is_posted_read_and_removed() {
    run(async {
        let backend = shared().await;
        let [owner, member, stranger] = Someone::several(backend, ["Owner", "Member", "Stranger"]).await;
        let path = format!("/v1/groups/{}/bulletin", owner.founds(backend, &[&member]).await);
        let body = refused(member.get(backend, &path), 404, "group_rule").await;
        assert_eq!(body["detail"], "the group has no bulletin");
        done(owner.put(backend, &path).json(&json!({ "content": "at four\no'clock" })), 204).await;
        assert_eq!(done(member.get(backend, &path), 200).await["content"], "at four\no'clock");
        refused(stranger.get(backend, &path), 403, "group_rule").await;
        wrong_field(owner.put(backend, &path).json(&json!({ "content": "a".repeat(1_025) })), "content").await;
        refused(owner.put(backend, &path).json(&json!({})), 400, "malformed").await;
        refused(member.put(backend, &path).json(&json!({ "content": "mine" })), 403, "group_rule").await;
        refused(member.delete(backend, &path), 403, "group_rule").await;
        for _ in 0..2 {
            done(owner.delete(backend, &path), 204).await;
        }
        refused(member.get(backend, &path), 404, "group_rule").await;
    });
}

#[test]
fn a_dissolved_group_is_gone() {
    run(async {
        let backend = shared().await;
        let [owner, member, stranger] = Someone::several(backend, ["Owner", "Member", "Stranger"]).await;
        let id = owner.founds(backend, &[&member]).await;
        let path = format!("/v1/groups/{id}");
        refused(member.delete(backend, &path), 403, "group_rule").await;
        done(owner.delete(backend, &path), 204).await;
        refused(owner.delete(backend, &path), 404, "not_found").await;
        for who in [&owner, &member] {
            let shown = done(who.get(backend, &path), 200).await;
            assert!(shown["dissolved_at"].is_string() && shown["member_count"] == 0, "{shown}");
            assert_eq!(groups(backend, who).await, Vec::<String>::new());
        }
        refused(stranger.get(backend, &path), 404, "not_found").await;
    });
}

#[test]
fn an_unknown_group_is_not_found_by_any_request() {
    run(async {
        let backend = shared().await;
        let one = Someone::new(backend, "One").await;
        for id in [NO_GROUP, "nothing", one.id.as_str()] {
            let path = |rest: &str| format!("/v1/groups/{id}{rest}");
            for request in [
                one.get(backend, &path("")),
                one.patch(backend, &path(""), &json!({ "name": "the group" })),
                one.delete(backend, &path("")),
                one.get(backend, &path("/members")),
                one.put(backend, &path("/members/me")),
                one.patch(backend, &path("/members/me"), &json!({ "display_name": "a" })),
                one.delete(backend, &path("/members/me")),
                one.get(backend, &path("/bulletin")),
                one.put(backend, &path("/bulletin")).json(&json!({ "content": "a" })),
                one.delete(backend, &path("/bulletin")),
                one.post(backend, &path("/transfer"), &json!({ "to": one.id })),
            ] {
                refused(request, 404, "not_found").await;
            }
        }
    });
}

#[test]
fn a_group_of_one_api_is_a_group_of_the_other() {
    run(async {
        let backend = shared().await;
        let ((one, mine), (other, theirs)) =
            (Someone::with_sealtalk(backend).await, Someone::with_sealtalk(backend).await);
        let id = one.founds(backend, &[&other]).await;
        let listed = sealtalk(backend, &theirs, Method::GET, "/user/groups", &json!({})).await;
        let short = listed[0]["id"].as_str().expect("a group").to_owned();
        assert_eq!((&listed[0]["name"], &listed[0]["role"]), (&json!("the group"), &json!(1)));
        let rename = json!({ "groupId": short, "name": "another" });
        sealtalk(backend, &mine, Method::POST, "/group/rename", &rename).await;
        assert_eq!(done(other.get(backend, &format!("/v1/groups/{id}")), 200).await["name"], "another");
        sealtalk(backend, &theirs, Method::POST, "/group/quit", &json!({ "groupId": short })).await;
        assert_eq!(groups(backend, &other).await, Vec::<String>::new());
    });
}
