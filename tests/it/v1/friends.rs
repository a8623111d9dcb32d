//! Friends, friend requests and blocked users.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::{Someone, done, refused, sealtalk, users, wrong_field};
use crate::support::backend::{answer, whole};
use crate::support::{Backend, run, shared};

/// The UUID of a user who does not exist.
const NOBODY: &str = "00000000-0000-8001-8000-000000000001";

fn friend(other: &Someone) -> String {
    format!("/v1/friends/{}", other.id)
}

async fn requests(backend: &Backend, of: &Someone) -> Vec<Value> {
    of.list(backend, "/v1/friend_requests", 50).await
}

#[test]
fn asking_and_accepting_makes_friends() {
    run(async {
        let backend = shared().await;
        let [one, other] = Someone::several(backend, ["One", "Other"]).await;
        let ask = |message: &str| one.put(backend, &friend(&other)).json(&json!({ "message": message }));
        assert_eq!(done(ask("hello"), 200).await, json!({ "state": "requested" }));
        let sent = requests(backend, &one).await;
        assert_eq!((users(&sent), &sent[0]["direction"]), (vec![other.id.clone()], &json!("sent")));
        let received = requests(backend, &other).await;
        assert_eq!(received[0]["direction"], "received");
        assert_eq!(received[0]["message"], "hello");
        assert_eq!(received[0]["user"], json!({ "id": one.id, "name": "One" }), "no number before they are friends");
        assert_eq!(one.list(backend, "/v1/friends", 50).await, Vec::<Value>::new());

        assert_eq!(other.asks(backend, &one).await, "friends");
        for (who, whom, name) in [(&one, &other, "Other"), (&other, &one, "One")] {
            let friends = who.list(backend, "/v1/friends", 50).await;
            let user = json!({ "id": whom.id, "name": name, "phone": whom.phone.e164() });
            assert_eq!((friends.len(), &friends[0]["user"]), (1, &user));
            assert_eq!((&friends[0]["blocked"], friends[0].get("remark")), (&json!(false), None));
            assert_eq!(requests(backend, who).await, Vec::<Value>::new());
        }
    });
}

/// How often a relation was changed.
async fn turn(backend: &Backend, who: &Someone, of: &Someone) -> Option<i64> {
    let item = backend.item(&format!("user#{}", who.number()), &format!("friend#{}", of.number())).await?;
    crate::support::table::number(&item, "turn")
}

#[test]
fn asking_again_changes_nothing() {
    run(async {
        let backend = &Backend::frozen(&[("InvitationsPerDay", "2")]).await;
        let [one, other, third, fourth] = Someone::several(backend, ["One", "Other", "Third", "Fourth"]).await;
        let ask = |body: &Value| one.put(backend, &friend(&other)).json(body);
        let hello = json!({ "message": "hello" });
        for body in [&hello, &hello, &json!({}), &hello] {
            assert_eq!(done(ask(body), 200).await["state"], "requested");
            assert_eq!(turn(backend, &one, &other).await, Some(1));
        }
        // Another message is another request, and the limit of a day counts two of them.
        done(ask(&json!({ "message": "hello?" })), 200).await;
        assert_eq!(requests(backend, &other).await[0]["message"], "hello?");
        let limited = whole(one.put(backend, &friend(&third))).await;
        assert_eq!((limited.status, &limited.body["code"]), (429, &json!("invitations")));
        assert!(limited.headers.contains_key("retry-after"));
        // Accepting is not limited, and accepting again is no error.
        assert_eq!(fourth.asks(backend, &one).await, "requested");
        for _ in 0..2 {
            assert_eq!(one.asks(backend, &fourth).await, "friends");
        }
        assert_eq!(turn(backend, &one, &fourth).await, Some(2));
    });
}

#[test]
fn both_asking_at_once_makes_friends() {
    run(async {
        let backend = shared().await;
        for _ in 0..8 {
            let [one, other] = Someone::several(backend, ["One", "Other"]).await;
            futures::future::join(one.asks(backend, &other), other.asks(backend, &one)).await;
            for (who, whom) in [(&one, &other), (&other, &one)] {
                assert_eq!(users(&who.list(backend, "/v1/friends", 50).await), [whom.id.as_str()]);
            }
        }
    });
}

#[test]
fn a_request_is_ignored_by_its_receiver_only() {
    run(async {
        let backend = shared().await;
        let [one, other] = Someone::several(backend, ["One", "Other"]).await;
        one.asks(backend, &other).await;
        let request = |of: &Someone| format!("/v1/friend_requests/{}", of.id);
        refused(one.delete(backend, &request(&other)), 404, "not_found").await;
        done(other.delete(backend, &request(&one)), 204).await;
        refused(other.delete(backend, &request(&one)), 404, "not_found").await;
        assert_eq!(requests(backend, &other).await, Vec::<Value>::new());
        assert_eq!(users(&requests(backend, &one).await), [other.id.as_str()], "who asked does not learn of it");
        // Whoever ignored a request can still accept it.
        assert_eq!(other.asks(backend, &one).await, "friends");
    });
}

#[test]
fn a_remark_is_set_and_removed() {
    run(async {
        let backend = shared().await;
        let [one, other] = Someone::several(backend, ["One", "Other"]).await;
        let set = |remark: Value| one.patch(backend, &friend(&other), &json!({ "remark": remark }));
        refused(set(json!("Tom")), 404, "not_found").await;
        one.befriends(backend, &other).await;
        done(set(json!("Tom")), 204).await;
        assert_eq!(one.list(backend, "/v1/friends", 50).await[0]["remark"], "Tom");
        assert_eq!(other.list(backend, "/v1/friends", 50).await[0].get("remark"), None);
        wrong_field(set(json!("a".repeat(33))), "remark").await;
        refused(one.patch(backend, &friend(&other), &json!({})), 400, "malformed").await;
        done(set(Value::Null), 204).await;
        assert_eq!(one.list(backend, "/v1/friends", 50).await[0].get("remark"), None);
    });
}

#[test]
fn a_friendship_is_ended_by_one_side() {
    run(async {
        let backend = shared().await;
        let [one, other] = Someone::several(backend, ["One", "Other"]).await;
        refused(one.delete(backend, &friend(&other)), 404, "not_found").await;
        one.befriends(backend, &other).await;
        done(one.delete(backend, &friend(&other)), 204).await;
        refused(one.delete(backend, &friend(&other)), 404, "not_found").await;
        assert_eq!(one.list(backend, "/v1/friends", 50).await, Vec::<Value>::new());
        assert_eq!(users(&other.list(backend, "/v1/friends", 50).await), [one.id.as_str()]);
    });
}

#[test]
fn a_blocked_user_cannot_ask_and_does_not_learn_why() {
    run(async {
        let backend = shared().await;
        let [one, other] = Someone::several(backend, ["One", "Other"]).await;
        let block = format!("/v1/blocks/{}", other.id);
        for _ in 0..2 {
            done(one.put(backend, &block), 204).await;
        }
        let blocks = one.list(backend, "/v1/blocks", 50).await;
        assert_eq!((users(&blocks), &blocks[0]["user"]["name"]), (vec![other.id.clone()], &json!("Other")));
        assert_eq!(other.asks(backend, &one).await, "requested");
        assert_eq!(requests(backend, &one).await, Vec::<Value>::new());
        for _ in 0..2 {
            done(one.delete(backend, &block), 204).await;
        }
        assert_eq!(one.list(backend, "/v1/blocks", 50).await, Vec::<Value>::new());
        other.befriends(backend, &one).await;
        done(one.put(backend, &block), 204).await;
        let friends = one.list(backend, "/v1/friends", 50).await;
        assert_eq!((friends.len(), &friends[0]["blocked"]), (1, &json!(true)), "a blocked friend stays a friend");
    });
}

#[test]
fn a_full_list_of_blocked_users_takes_no_more() {
    run(async {
        let backend = &Backend::start(&[("BlockedPerAccount", "1")]).await;
        let [one, other, third] = Someone::several(backend, ["One", "Other", "Third"]).await;
        done(one.put(backend, &format!("/v1/blocks/{}", other.id)), 204).await;
        refused(one.put(backend, &format!("/v1/blocks/{}", third.id)), 403, "full").await;
        assert_eq!(users(&one.list(backend, "/v1/blocks", 50).await), [other.id.as_str()]);
    });
}

#[test]
fn oneself_and_nobody_are_refused() {
    run(async {
        let backend = shared().await;
        let one = Someone::new(backend, "One").await;
        for path in ["friends", "blocks", "friend_requests"] {
            let methods: &[Method] = match path {
                "friends" => &[Method::PUT, Method::PATCH, Method::DELETE],
                "blocks" => &[Method::PUT, Method::DELETE],
                _ => &[Method::DELETE],
            };
            for method in methods {
                let send = |id: &str| {
                    let request = one.request(backend, method.clone(), &format!("/v1/{path}/{id}"));
                    if *method == Method::PATCH { request.json(&json!({ "remark": "a" })) } else { request }
                };
                wrong_field(send(&one.id), "id").await;
                for nobody in [NOBODY, "nobody", "550e8400-e29b-41d4-a716-446655440000"] {
                    refused(send(nobody), 404, "not_found").await;
                }
            }
        }
        wrong_field(
            one.put(backend, &format!("/v1/friends/{NOBODY}")).json(&json!({ "message": "a".repeat(65) })),
            "message",
        )
        .await;
    });
}

#[test]
fn lists_have_pages() {
    run(async {
        let backend = shared().await;
        let one = Someone::new(backend, "One").await;
        let others = Someone::several(backend, ["A", "B", "C", "D", "E"]).await;
        for other in &others {
            other.asks(backend, &one).await;
        }
        let newest_first: Vec<_> = others.iter().rev().map(|other| other.id.clone()).collect();
        for limit in [1, 2, 4, 5, 200] {
            assert_eq!(users(&one.list(backend, "/v1/friend_requests", limit).await), newest_first, "{limit}");
        }
        for other in &others {
            one.asks(backend, other).await;
            done(one.put(backend, &format!("/v1/blocks/{}", other.id)), 204).await;
        }
        let all: BTreeSet<_> = newest_first.into_iter().collect();
        for path in ["/v1/friends", "/v1/blocks"] {
            for limit in [1, 2, 5] {
                let found = users(&one.list(backend, path, limit).await);
                assert_eq!(found.len(), 5, "{path} {limit}");
                assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), all, "{path} {limit}");
            }
        }
        for path in ["/v1/friends", "/v1/friend_requests", "/v1/blocks", "/v1/groups"] {
            wrong_field(one.get(backend, &format!("{path}?limit=0")), "limit").await;
            wrong_field(one.get(backend, &format!("{path}?cursor=!")), "cursor").await;
        }
    });
}

#[test]
fn friends_of_one_api_are_friends_in_the_other() {
    run(async {
        let backend = shared().await;
        let ((one, mine), (other, theirs)) =
            (Someone::with_sealtalk(backend).await, Someone::with_sealtalk(backend).await);
        assert_eq!(one.asks(backend, &other).await, "requested");
        let body = json!({ "friendId": one.short_id() });
        sealtalk(backend, &theirs, Method::POST, "/friendship/agree", &body).await;
        let all = sealtalk(backend, &mine, Method::GET, "/friendship/all", &json!({})).await;
        assert_eq!((&all[0]["status"], &all[0]["user"]["id"]), (&json!(20), &json!(other.short_id())));
        assert_eq!(users(&one.list(backend, "/v1/friends", 50).await), [other.id.as_str()]);

        let body = json!({ "friendId": other.short_id() });
        sealtalk(backend, &mine, Method::POST, "/friendship/delete", &body).await;
        assert_eq!(one.list(backend, "/v1/friends", 50).await, Vec::<Value>::new());
        sealtalk(backend, &mine, Method::POST, "/user/add_to_blacklist", &body).await;
        assert_eq!(users(&one.list(backend, "/v1/blocks", 50).await), [other.id.as_str()]);
        done(one.delete(backend, &format!("/v1/blocks/{}", other.id)), 204).await;
        let listed = sealtalk(backend, &mine, Method::GET, "/user/blacklist", &json!({})).await;
        assert_eq!(listed, json!([]));
    });
}

#[test]
fn a_token_of_the_messenger_api_works_and_an_ended_session_does_not() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        for path in ["/v1/friends", "/v1/friend_requests", "/v1/blocks", "/v1/groups", "/v1/sync"] {
            assert_eq!(answer(backend.get(path).bearer_auth(&person.access_token)).await.0, 200, "{path}");
        }
        let [one, other] = Someone::several(backend, ["One", "Other"]).await;
        done(one.delete(backend, "/v1/sessions/current"), 204).await;
        for path in ["/v1/friends", "/v1/friend_requests", "/v1/blocks", "/v1/groups", "/v1/sync"] {
            refused(one.get(backend, path), 401, "session_ended").await;
        }
        for request in [
            one.put(backend, &friend(&other)),
            one.delete(backend, &friend(&other)),
            one.put(backend, &format!("/v1/blocks/{}", other.id)),
            one.post(backend, "/v1/groups", &json!({ "name": "the group" })),
            one.post(backend, "/v1/groups", &json!({ "name": "the group" })).header("Idempotency-Key", "a"),
            one.post(backend, "/v1/reports", &json!({ "user": other.id, "reason": "spam" })),
            one.post(
                backend,
                "/v1/reports",
                &json!({ "media": "0123456789abcdef0123456789abcdef.jpg", "reason": "spam" }),
            ),
        ] {
            refused(request, 401, "session_ended").await;
        }
    });
}
