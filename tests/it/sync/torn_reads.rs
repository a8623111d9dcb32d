//! Reads in the middle of another user's change, and the data stored about devices.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::id::Id;
use domain::short_id;
use domain::social::group::GroupKind;
use serde_json::json;

use super::{Somebody, version};
use crate::support::{Backend, run};

#[test]
fn a_group_and_a_roster_of_different_changes_are_never_judged_together() {
    run(async {
        let backend = Backend::start(&[]).await;
        let (tom, ann) = (Somebody::new(&backend, "Tom").await, Somebody::new(&backend, "Ann").await);
        let group = tom.group(&backend, "Team", &[&ann.id]).await;
        let id: Id<GroupKind> = short_id::decode(&group).expect("an id");
        let pk = format!("group#{id}");
        let before = backend.item(&pk, "roster").await.expect("a roster");
        tom.post(&backend, "/group/kick", &json!({ "groupId": group, "memberIds": [ann.id] })).await;
        let (head, after) = (backend.item(&pk, "head").await, backend.item(&pk, "roster").await.expect("a roster"));
        // The state for a reader who sees the kick in the group but not yet in the roster.
        backend.put_item(before).await;
        let renamed = json!({ "groupId": group, "name": "Others" });
        let (status, _) = tom.try_post(&backend, "/group/rename", &renamed).await;
        assert_eq!(status, 500);
        assert_eq!(backend.item(&pk, "head").await, head, "nothing is written by what does not belong together");
        backend.put_item(after).await;
        tom.post(&backend, "/group/rename", &renamed).await;
        let members = tom.get(&backend, &format!("/group/{group}/members")).await;
        assert_eq!(members.as_array().unwrap().len(), 1, "who was kicked stays out: {members}");
    });
}

#[test]
fn of_each_device_only_the_last_answers_are_remembered() {
    run(async {
        let backend = Backend::start(&[]).await;
        let tom = Somebody::new(&backend, "Tom").await;
        let id: domain::account::UserId = short_id::decode(&tom.id).expect("an id");
        let mut versions = vec![0];
        for number in 0..6 {
            tom.post(&backend, "/user/set_nickname", &json!({ "nickname": format!("Tom {number}") })).await;
            versions.push(version(&tom.sync(&backend, versions[versions.len() - 1]).await));
        }
        let held = backend.items(&format!("user#{id}")).await;
        let held: Vec<_> =
            held.iter().filter_map(|item| item["sk"].as_s().ok()?.strip_prefix("sync#")?.parse::<u64>().ok()).collect();
        assert_eq!(held, versions[versions.len() - 2..], "the last, and the one before in case the last was lost");
        // A device with a version that was deleted gets everything.
        let told = tom.sync(&backend, versions[1]).await;
        assert_eq!(told["user"]["nickname"], "Tom 5");
        // So does a device for which a part of the stored data is missing.
        let last = versions[versions.len() - 1];
        let mut item = backend.item(&format!("user#{id}"), &format!("sync#{last}")).await.expect("it is remembered");
        item.insert("parts".to_owned(), AttributeValue::N("2".to_owned()));
        backend.put_item(item).await;
        assert!(version(&tom.sync(&backend, last).await) > last);
    });
}
