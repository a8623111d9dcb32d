//! Notifications that arrive in spite of failures.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use emulator::Fault;
use serde_json::json;

use super::{Member, news, operations, pushes};
use crate::support::table::Item;
use crate::support::{Backend, run};

/// Attempts by the SDK for one call.
const ATTEMPTS: usize = 3;

#[test]
fn what_the_topic_did_not_take_is_told_later_and_in_order() {
    run(async {
        let backend = &Backend::start(&[]).await;
        let [tom, ann] = Member::several(backend, ["Tom", "Ann"]).await;
        let endpoints = backend.running.endpoints();
        for fault in [Fault::error(500, "InternalError"), Fault::error(403, "AuthorizationError")] {
            endpoints.fail_next("sns:Publish", ATTEMPTS, fault);
        }
        let group = tom.founds(backend, "Hiking", &[]).await;
        tom.in_group(backend, "add", &group, &[&ann]).await;
        tom.does(backend, "/group/rename", json!({ "groupId": group, "name": "Climbing" })).await;
        tom.in_group(backend, "dismiss", &group, &[]).await;
        assert_eq!(operations(backend).await, ["Create", "Add", "Rename", "Dismiss"]);
        assert_eq!((endpoints.faults_left(), endpoints.dead_letters().len()), (0, 0));
    });
}

#[test]
fn what_nicknames_could_not_be_read_for_is_told_later() {
    run(async {
        let backend = &Backend::start(&[]).await;
        let [tom, ann] = Member::several(backend, ["Tom", "Ann"]).await;
        // One call reads the relation of the two users, and the others read nicknames.
        let throughput = Fault::throughput_exceeded();
        backend.running.endpoints().fail_after("dynamodb:BatchGetItem", 1, ATTEMPTS, throughput);
        tom.invites(backend, &ann, "").await;
        assert_eq!(operations(backend).await, ["Request"]);
        assert_eq!(backend.running.endpoints().faults_left(), 0);
        assert_eq!(news(backend).await[0]["content"]["extra"]["sourceUserNickname"], "Tom");
    });
}

#[test]
fn a_push_that_fails_tells_nothing_twice() {
    run(async {
        let backend = &Backend::frozen(&[]).await;
        let [tom, ann] = Member::several(backend, ["Tom", "Ann"]).await;
        ann.signs_in_with(backend, &json!({ "ng_device_token": "ann" })).await;
        let endpoints = backend.running.endpoints();
        endpoints.fail_next("sns:CreatePlatformEndpoint", 1, Fault::error(500, "InternalError"));
        tom.invites(backend, &ann, "").await;
        assert_eq!((operations(backend).await, pushes(backend).await), (vec!["Request".to_owned()], Vec::new()));
        assert_eq!(endpoints.faults_left(), 0);
        // Nothing was sent, so it is tried again after a pause. When it is not known whether it was sent, it is not.
        endpoints.advance_queues(Duration::from_secs(10));
        let first = ("ann".to_owned(), "Handset: Tom wants to be your friend".to_owned());
        assert_eq!(pushes(backend).await, std::slice::from_ref(&first));
        endpoints.fail_after("sns:Publish", 1, 1, Fault::error(500, "InternalError"));
        for (message, expected) in [("lost", None), ("again", Some("Handset: Tom wants to be your friend: again"))] {
            ann.acts_on(backend, "/friendship/ignore", &tom).await;
            backend.advance(Duration::from_hours(24));
            tom.invites(backend, &ann, message).await;
            backend.settled().await;
            endpoints.advance_queues(Duration::from_mins(15));
            let expected = expected.map(|text| ("ann".to_owned(), text.to_owned()));
            assert_eq!(pushes(backend).await, [first.clone()].into_iter().chain(expected).collect::<Vec<_>>());
        }
        assert_eq!((operations(backend).await.len(), endpoints.faults_left()), (3, 0));
    });
}

#[test]
fn a_change_that_was_not_written_is_not_told() {
    run(async {
        let backend = &Backend::start(&[]).await;
        let [tom, ann] = Member::several(backend, ["Tom", "Ann"]).await;
        let endpoints = backend.running.endpoints();
        endpoints.fail_next("dynamodb:TransactWriteItems", ATTEMPTS, Fault::internal_server_error());
        let invitation = json!({ "friendId": ann.id, "message": "" });
        assert_eq!(tom.tries(backend, "/friendship/invite", &invitation).await.0, 500);
        assert_eq!((operations(backend).await, endpoints.faults_left()), (Vec::new(), 0));
    });
}

#[test]
fn an_item_that_cannot_be_read_holds_up_nothing_behind_it() {
    run(async {
        let backend = &Backend::start(&[]).await;
        let [tom, ann] = Member::several(backend, ["Tom", "Ann"]).await;
        let text = |value: String| AttributeValue::S(value);
        for (pk, sk) in [(format!("user#{}", ann.number()), "friend#x"), ("group#7".to_owned(), "head")] {
            let item = [("pk", text(pk)), ("sk", text(sk.to_owned())), ("status", text("11".to_owned()))];
            backend.put_item(item.map(|(name, value)| (name.to_owned(), value)).into_iter().collect::<Item>()).await;
        }
        tom.invites(backend, &ann, "").await;
        assert_eq!(operations(backend).await, ["Request"]);
        assert_eq!(backend.running.endpoints().dead_letters().len(), 0);
    });
}
