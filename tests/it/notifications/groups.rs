//! Notifications of groups.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::account::UserId;
use domain::crypto::SystemRandom;
use domain::short_id;
use futures::future::join_all;
use serde_json::{Value, json};

use super::{Member, news, now, operations, pushes};
use crate::support::{Backend, run};

/// Checks the fields of a group message that every message has, and returns the other fields of its data.
fn data(message: &Value, group: &str, operator: (&Member, &str), name: &str, at: i64) -> Value {
    let (mut message, (operator, nickname)) = (message.clone(), operator);
    let mut data = message["content"]["data"].take();
    let data = data.as_object_mut().expect("data");
    let inner = data.remove("data").expect("the data once more");
    assert_eq!(json!(data), inner);
    let common = [("operatorNickname", json!(nickname)), ("targetGroupName", json!(name)), ("timestamp", json!(at))];
    for (field, value) in common {
        assert_eq!(data.remove(field), Some(value), "{field} in {message}");
    }
    let operation = message["operation"].clone();
    let members = message.as_object_mut().expect("a message").remove("memberIds");
    assert_eq!(members.is_some(), operation == "Create");
    let around = json!({
        "id": message["id"], "objectName": "RC:GrpNtf", "operation": operation, "fromUserId": "__system__",
        "toGroupId": group, "time": at,
        "content": { "operatorUserId": operator.id, "operation": operation, "data": null, "message": "" },
    });
    assert_eq!(message, around);
    json!(data)
}

#[test]
fn a_group_is_heard_of_from_beginning_to_end() {
    run(async {
        let backend = &Backend::frozen(&[]).await;
        let [tom, ann, eve, bob] = Member::several(backend, ["Tom", "Ann", "Eve", "Bob"]).await;
        let group = tom.founds(backend, "Hiking", &[&ann.id]).await;
        let founded = now(backend);
        backend.advance(Duration::from_secs(1));
        let of = |who: &Member| json!({ "groupId": group, "userId": who.id });
        tom.in_group(backend, "add", &group, &[&eve]).await;
        bob.in_group(backend, "join", &group, &[]).await;
        tom.does(backend, "/group/rename", json!({ "groupId": group, "name": "Climbing" })).await;
        tom.does(
            backend,
            "/group/set_bulletin",
            json!({ "groupId": group, "bulletin": "At eight.\nBring \"water\"." }),
        )
        .await;
        tom.in_group(backend, "set_manager", &group, &[&ann]).await;
        tom.in_group(backend, "remove_manager", &group, &[&ann]).await;
        tom.in_group(backend, "kick", &group, &[&bob]).await;
        tom.does(backend, "/group/transfer", of(&ann)).await;
        ann.in_group(backend, "quit", &group, &[]).await;
        // Ann was the owner, and Tom has been a member for the longest time.
        tom.in_group(backend, "dismiss", &group, &[]).await;
        let news = news(backend).await;
        let on = |who: &Member, name: &str| json!({ "targetUserIds": [who.id], "targetUserDisplayNames": [name] });
        let mut quit = on(&ann, "Ann");
        quit["newCreatorId"] = json!(tom.id);
        let expected = [
            ("Create", &tom, "Tom", "Hiking", json!({})),
            ("Add", &tom, "Tom", "Hiking", on(&eve, "Eve")),
            ("Add", &bob, "Bob", "Hiking", on(&bob, "Bob")),
            ("Rename", &tom, "Tom", "Climbing", json!({})),
            ("Bulletin", &tom, "Tom", "Climbing", json!({ "content": "At eight.\nBring \"water\"." })),
            ("SetManager", &tom, "Tom", "Climbing", on(&ann, "Ann")),
            ("RemoveManager", &tom, "Tom", "Climbing", on(&ann, "Ann")),
            ("Kicked", &tom, "Tom", "Climbing", on(&bob, "Bob")),
            ("Transfer", &tom, "Tom", "Climbing", on(&ann, "Ann")),
            ("Quit", &ann, "Ann", "Climbing", quit),
            ("Dismiss", &tom, "Tom", "Climbing", json!({})),
        ];
        let mut members: Vec<_> =
            news[0]["memberIds"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
        members.sort_unstable();
        let mut both = [tom.id.as_str(), &ann.id];
        both.sort_unstable();
        assert_eq!(members, both);
        let told: Vec<_> = news.iter().map(|message| message["operation"].as_str().unwrap()).collect();
        assert_eq!(told, expected.each_ref().map(|(operation, ..)| *operation));
        for (message, (operation, operator, nickname, name, beside)) in news.iter().zip(expected) {
            // The board is empty after the group is dissolved, and the message may have been built after that.
            let at = if operation == "Create" { founded } else { now(backend) };
            let mut said = data(message, &group, (operator, nickname), name, at);
            if operation == "Bulletin" && said.get("content").is_none() {
                said["content"] = beside["content"].clone();
            }
            assert_eq!(said, beside, "{operation}");
        }
    });
}

#[test]
fn what_members_only_see_is_not_told() {
    run(async {
        let backend = &Backend::frozen(&[]).await;
        let [tom, ann, eve] = Member::several(backend, ["Tom", "Ann", "Eve"]).await;
        let group = tom.founds(backend, "Hiking", &[&ann.id]).await;
        let portrait = json!({ "groupId": group, "portraitUri": "http://example.com/a.jpg" });
        tom.does(backend, "/group/set_portrait_uri", portrait).await;
        ann.does(backend, "/group/set_display_name", json!({ "groupId": group, "displayName": "Annie" })).await;
        ann.does(backend, "/user/set_nickname", json!({ "nickname": "Anna" })).await;
        // Nothing changes, or the change is not allowed.
        tom.in_group(backend, "add", &group, &[&ann]).await;
        let by_stranger = json!({ "groupId": group, "memberIds": [ann.id] });
        assert_eq!(eve.tries(backend, "/group/kick", &by_stranger).await.0, 403);
        assert_eq!(ann.tries(backend, "/group/dismiss", &json!({ "groupId": group })).await.0, 400);
        assert_eq!(operations(backend).await, ["Create"]);
    });
}

/// Creates accounts by writing copies of an existing one, each with its own device: signing up so many users takes a
/// minute.
pub(super) async fn crowd(backend: &Backend, like: &Member, count: usize) -> Vec<String> {
    let account = backend.account(like.number()).await;
    let people = (0..count).map(|number| {
        let (user, mut item) = (UserId::generate(&SystemRandom), account.clone());
        let mut sessions = item["sessions"].as_m().unwrap().clone();
        for session in sessions.values_mut() {
            let mut held = session.as_m().unwrap().clone();
            held.insert("ng".to_owned(), AttributeValue::S(format!("device {number}")));
            *session = AttributeValue::M(held);
        }
        item.remove("phone");
        item.insert("pk".to_owned(), AttributeValue::S(format!("user#{user}")));
        item.insert("id".to_owned(), AttributeValue::N(user.to_string()));
        item.insert("sessions".to_owned(), AttributeValue::M(sessions));
        async move {
            backend.put_item(item).await;
            short_id::encode(user)
        }
    });
    join_all(people).await
}

#[test]
fn a_large_group_is_heard_of_once_by_everybody_in_it() {
    run(async {
        let backend = &Backend::frozen(&[]).await;
        let tom = Member::new(backend, "Tom").await;
        let people = crowd(backend, &tom, 250).await;
        let group = tom.founds(backend, "Hiking", &people.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let told = news(backend).await;
        assert_eq!(told.len(), 1);
        assert_eq!(told[0]["memberIds"].as_array().map(Vec::len), Some(251));
        assert_eq!(data(&told[0], &group, (&tom, "Tom"), "Hiking", now(backend)), json!({}));
        let mut expected: Vec<_> = (0..250)
            .map(|number| (format!("device {number}"), "Handset: Hiking: Tom added you to a new group".to_owned()))
            .collect();
        expected.sort();
        assert_eq!(pushes(backend).await, expected);
    });
}
