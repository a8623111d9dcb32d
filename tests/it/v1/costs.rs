//! The round trips of requests about people and groups, as documented.

use serde_json::json;

use super::{Someone, costs, done, id_of};
use crate::support::{run, shared};

#[test]
fn friends_and_blocked_users_cost_what_is_documented() {
    run(async {
        let backend = shared().await;
        let [one, other] = Someone::several(backend, ["One", "Other"]).await;
        let (list, none) = ("v1: friends, friend requests, blocked users", "… without any");
        let (friend, block) = (format!("/v1/friends/{}", other.id), format!("/v1/blocks/{}", other.id));
        let (ask, again) = ("v1: ask or accept", "… that changes nothing, such as asking again");
        for path in ["/v1/friends", "/v1/friend_requests", "/v1/blocks"] {
            costs(none, one.get(backend, path)).await;
        }
        costs(ask, one.put(backend, &friend)).await;
        costs(again, one.put(backend, &friend)).await;
        costs(list, one.get(backend, "/v1/friend_requests")).await;
        let change = "v1: ignore, remark, end a friendship, block, unblock";
        costs(change, other.delete(backend, &format!("/v1/friend_requests/{}", one.id))).await;
        costs(ask, other.put(backend, &format!("/v1/friends/{}", one.id))).await;
        costs(list, one.get(backend, "/v1/friends")).await;
        costs(change, one.patch(backend, &friend, &json!({ "remark": "Tom" }))).await;
        costs(again, one.patch(backend, &friend, &json!({ "remark": "Tom" }))).await;
        costs(change, one.put(backend, &block)).await;
        costs(again, one.put(backend, &block)).await;
        costs(list, one.get(backend, "/v1/blocks")).await;
        costs(change, one.delete(backend, &block)).await;
        costs(change, one.delete(backend, &friend)).await;
    });
}

#[test]
fn groups_cost_what_is_documented() {
    run(async {
        let backend = shared().await;
        let [owner, one, other] = Someone::several(backend, ["Owner", "One", "Other"]).await;
        costs("… for a user without groups", one.get(backend, "/v1/groups")).await;
        let alone = owner.post(backend, "/v1/groups", &json!({ "name": "alone" }));
        costs("… of the current user alone, without a key", alone).await;
        let body = json!({ "name": "the group", "members": [one.id] });
        let make = || owner.post(backend, "/v1/groups", &body).header("Idempotency-Key", "key");
        let made = costs("v1: make a group", make()).await;
        costs("… that was made before with the same key", make()).await;
        let group = format!("/v1/groups/{}", id_of(&made.body));
        costs("v1: groups", owner.get(backend, "/v1/groups")).await;
        costs("v1: a group, its bulletin", owner.get(backend, &group)).await;
        costs("v1: members of a group", owner.get(backend, &format!("{group}/members"))).await;
        costs("v1: add to a group", owner.put(backend, &format!("{group}/members/{}", other.id))).await;
        let (change, nothing) = ("v1: change a group", "… that is so already");
        let bulletin = format!("{group}/bulletin");
        let (me, of_one) = (format!("{group}/members/me"), format!("{group}/members/{}", one.id));
        costs(change, owner.put(backend, &bulletin).json(&json!({ "content": "hello" }))).await;
        costs("v1: a group, its bulletin", one.get(backend, &bulletin)).await;
        costs(change, owner.delete(backend, &bulletin)).await;
        for row in [change, nothing] {
            costs(row, owner.patch(backend, &group, &json!({ "name": "another" }))).await;
            costs(row, owner.patch(backend, &of_one, &json!({ "role": "manager" }))).await;
            costs(row, one.patch(backend, &me, &json!({ "display_name": "The One" }))).await;
        }
        costs(change, other.delete(backend, &me)).await;
        costs(change, other.put(backend, &me)).await;
        costs(nothing, other.put(backend, &me)).await;
        costs(change, owner.delete(backend, &format!("{group}/members/{}", other.id))).await;
        costs(change, owner.post(backend, &format!("{group}/transfer"), &json!({ "to": one.id }))).await;
        costs(change, one.delete(backend, &group)).await;
    });
}

#[test]
fn syncs_and_reports_cost_what_is_documented() {
    run(async {
        let backend = shared().await;
        let [one, other] = Someone::several(backend, ["One", "Other"]).await;
        let sync = |cursor: &serde_json::Value| {
            let cursor = cursor.as_str().map(|cursor| [("cursor", cursor.to_owned())]);
            one.get(backend, "/v1/sync").query(&cursor)
        };
        let cursor = done(sync(&json!(null)), 200).await["next_cursor"].take();
        costs("… without friends and groups", sync(&cursor)).await;
        one.befriends(backend, &other).await;
        let cursor = costs("… after people changed", sync(&cursor)).await.body["next_cursor"].take();
        one.founds(backend, &[&other]).await;
        let cursor = costs("… after groups changed", sync(&cursor)).await.body["next_cursor"].take();
        costs("v1: sync, nothing new", sync(&cursor)).await;

        let report = |about: &str, id: &str| one.post(backend, "/v1/reports", &json!({ about: id, "reason": "spam" }));
        costs("v1: report a user or a group", report("user", &other.id)).await;
        let name = "0123456789abcdef0123456789abcdef.jpg";
        costs("… a picture or a voice note", report("media", name)).await;
    });
}
