//! Notifications of requests and acceptances.

use std::slice;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Member, news, now, operations};
use crate::support::{Backend, run};

/// A message without its id.
fn contact(operation: &str, from: (&Member, &str), to: &Member, message: &str, at: i64) -> Value {
    let (from, nickname) = from;
    json!({
        "objectName": "RC:ContactNtf",
        "operation": operation,
        "fromUserId": from.id,
        "toUserId": to.id,
        "time": at,
        "content": {
            "operation": operation,
            "sourceUserId": from.id,
            "targetUserId": to.id,
            "message": message,
            "extra": { "sourceUserNickname": nickname, "version": at },
        },
    })
}

async fn without_ids(backend: &Backend) -> Vec<Value> {
    let mut news = news(backend).await;
    for message in &mut news {
        message.as_object_mut().unwrap().remove("id");
    }
    news
}

#[test]
fn a_request_and_its_acceptance_are_told_once_each() {
    run(async {
        let backend = &Backend::frozen(&[]).await;
        let [tom, ann] = Member::several(backend, ["Tom", "小安"]).await;
        assert_eq!(tom.invites(backend, &ann, "it is me").await, "Sent");
        let request = contact("Request", (&tom, "Tom"), &ann, "it is me", now(backend));
        assert_eq!(without_ids(backend).await, slice::from_ref(&request));
        backend.advance(Duration::from_secs(1));
        ann.acts_on(backend, "/friendship/agree", &tom).await;
        let acceptance = contact("AcceptResponse", (&ann, "小安"), &tom, "", now(backend));
        assert_eq!(without_ids(backend).await, [request, acceptance]);
    });
}

#[test]
fn who_asks_again_is_heard_again_and_asking_back_accepts() {
    run(async {
        let backend = &Backend::frozen(&[]).await;
        let [tom, ann] = Member::several(backend, ["Tom", "Ann"]).await;
        for message in ["it is me", "from the station"] {
            backend.advance(Duration::from_secs(1));
            assert_eq!(tom.invites(backend, &ann, message).await, "Sent");
        }
        ann.acts_on(backend, "/friendship/ignore", &tom).await;
        assert_eq!(operations(backend).await, ["Request", "Request"]);
        assert_eq!(ann.invites(backend, &tom, "").await, "Added");
        let news = without_ids(backend).await;
        assert_eq!(news.len(), 3);
        assert_eq!(news[2], contact("AcceptResponse", (&ann, "Ann"), &tom, "", now(backend)));
    });
}

#[test]
fn nothing_else_between_two_people_is_told() {
    run(async {
        let backend = &Backend::frozen(&[]).await;
        let [tom, ann] = Member::several(backend, ["Tom", "Ann"]).await;
        // An error, or a request that silently has no effect.
        assert_eq!(tom.tries(backend, "/friendship/invite", &json!({ "friendId": tom.id })).await.0, 400);
        assert_eq!(tom.tries(backend, "/friendship/agree", &json!({ "friendId": ann.id })).await.0, 404);
        ann.acts_on(backend, "/user/add_to_blacklist", &tom).await;
        assert_eq!(tom.invites(backend, &ann, "it is me").await, "None");
        ann.acts_on(backend, "/user/remove_from_blacklist", &tom).await;
        assert_eq!(operations(backend).await, [] as [String; 0]);
        tom.invites(backend, &ann, "").await;
        ann.acts_on(backend, "/friendship/agree", &tom).await;
        assert_eq!(operations(backend).await, ["Request", "AcceptResponse"]);
        let remark = json!({ "friendId": tom.id, "displayName": "from the station" });
        ann.does(backend, "/friendship/set_display_name", remark).await;
        for path in ["/user/add_to_blacklist", "/user/remove_from_blacklist", "/friendship/delete"] {
            ann.acts_on(backend, path, &tom).await;
        }
        tom.does(backend, "/user/set_nickname", json!({ "nickname": "Timothy" })).await;
        assert_eq!(operations(backend).await.len(), 2);
    });
}

#[test]
fn who_blocks_somebody_meanwhile_is_not_told_that_they_accept() {
    run(async {
        let backend = &Backend::frozen(&[]).await;
        let [tom, ann] = Member::several(backend, ["Tom", "Ann"]).await;
        tom.invites(backend, &ann, "").await;
        tom.acts_on(backend, "/user/add_to_blacklist", &ann).await;
        ann.acts_on(backend, "/friendship/agree", &tom).await;
        assert_eq!(operations(backend).await, ["Request"]);
    });
}
