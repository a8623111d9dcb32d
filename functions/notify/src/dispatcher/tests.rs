//! Tests which notifications a batch of records produces, in which order, and which records Lambda sends again after a
//! failure.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;

use domain::notifications::CountedPush;
use serde_json::{Value, json};

use crate::world::{World, dispatch, group, happened, ids, publish, pushed, record, relation, request, user, world};

#[tokio::test]
async fn each_change_is_published_once_under_its_id_and_pushed_to_who_is_to_hear() {
    let accepted = record(3, "user#2", "friend#1", relation(1, 10, 5), relation(1, 20, 5));
    let (world, failed) = dispatch(world(), &[request(1), happened(2, "Add", &[3]), accepted]).await;
    assert_eq!((failed, ids(&world)), (None, vec!["event 1".to_owned(), "event 2".to_owned(), "event 3".to_owned()]));
    let published = world.published.lock().unwrap();
    assert_eq!(published[0]["content"]["extra"]["sourceUserNickname"], "P2");
    assert_eq!(published[1]["content"]["data"]["targetUserDisplayNames"], json!(["P3"]));
    let expected = [
        ("android 1", "P2 wants to be your friend: let me in"),
        ("android 2", "P1 is your friend now"),
        ("android 2", "徒步: P1 added P3"),
        ("android 3", "徒步: P1 added you"),
        ("android 4", "徒步: P1 added P3"),
    ];
    assert_eq!(pushed(&world), expected.map(|(token, body)| (token.to_owned(), body.to_owned())));
}

#[tokio::test]
async fn who_was_put_out_hears_of_it() {
    let (world, _) = dispatch(world(), &[happened(1, "Kicked", &[5])]).await;
    assert!(pushed(&world).contains(&("android 5".to_owned(), "徒步: P1 removed you".to_owned())));
    assert!(pushed(&world).contains(&("android 2".to_owned(), "徒步: P1 removed P5".to_owned())));
}

#[tokio::test]
async fn a_bulletin_says_what_is_posted() {
    let (world, _) = dispatch(world(), &[happened(1, "Bulletin", &[])]).await;
    assert_eq!(world.published.lock().unwrap()[0]["content"]["data"]["content"], "at eight");
    assert!(pushed(&world).contains(&("android 2".to_owned(), "徒步: P1: at eight".to_owned())));
}

#[tokio::test]
async fn what_is_no_news_is_not_told() {
    let records = [
        record(1, "user#1", "account", Value::Null, json!({})),
        record(2, "group#7", "roster", Value::Null, json!({})),
        record(3, "user#1", "friend#2", relation(2, 11, 5), Value::Null),
        record(4, "user#1", "friend#2", relation(2, 11, 5), relation(2, 21, 5)),
        record(5, "group#7", "head", group(Some((9, "Add", &[3]))), group(Some((9, "Add", &[3])))),
        record(6, "group#7", "head", group(Some((9, "Add", &[3]))), group(None)),
    ];
    let (world, failed) = dispatch(world(), &records).await;
    assert_eq!((failed, ids(&world)), (None, Vec::new()));
    assert_eq!(*world.asked_for.lock().unwrap(), Vec::<BTreeSet<UserId>>::new());
}

#[tokio::test]
async fn a_broken_record_holds_nothing_up() {
    let records = [
        json!({ "eventID": "event 1" }),
        record(2, "user#1", "friend#2", Value::Null, json!({ "status": { "S": "11" } })),
        record(3, "group#7", "head", json!({}), group(Some((9, "Add", &[3])))),
        record(4, "group#7", "head", Value::Null, group(Some((9, "Dance", &[3])))),
        request(5),
    ];
    let (world, failed) = dispatch(world(), &records).await;
    assert_eq!((failed, ids(&world)), (None, vec!["event 5".to_owned()]));
}

#[tokio::test]
async fn from_a_failure_on_nothing_is_published_and_before_it_everything() {
    let world = World { takes: Mutex::new(Some(2)), ..world() };
    let records = [request(1), happened(2, "Add", &[3]), happened(3, "Dismiss", &[]), request(4)];
    let (world, failed) = dispatch(world, &records).await;
    assert_eq!((failed.as_deref(), ids(&world)), (Some("3"), vec!["event 1".to_owned(), "event 2".to_owned()]));
    // The published notification is still pushed.
    assert_eq!(pushed(&world).len(), 4);
}

#[tokio::test]
async fn what_the_topic_calls_invalid_is_passed_over() {
    let world = World { refuses: Some("Add"), ..world() };
    let (world, failed) = dispatch(world, &[happened(1, "Add", &[3]), request(2)]).await;
    assert_eq!((failed, ids(&world)), (None, vec!["event 2".to_owned()]));
    assert_eq!(pushed(&world), [("android 1".to_owned(), "P2 wants to be your friend: let me in".to_owned())]);
}

#[tokio::test]
async fn without_platform_applications_nobody_is_looked_up_for_pushes() {
    let world = World { no_applications: true, ..world() };
    let (world, _) = dispatch(world, &[happened(1, "Add", &[3])]).await;
    assert_eq!(*world.asked_for.lock().unwrap(), [BTreeSet::from([user(1), user(3)])]);
}

#[tokio::test]
async fn a_slow_batch_is_put_off_but_never_its_first_record() {
    let world = World { pace: 3_000, ..world() };
    let (world, failed) = dispatch(world, &[request(1), request(2), request(3)]).await;
    assert_eq!((failed.as_deref(), ids(&world)), (Some("2"), vec!["event 1".to_owned()]));
    let world = World { pace: 60_000, ..self::world() };
    let (world, failed) = dispatch(world, &[request(1)]).await;
    assert_eq!((failed, ids(&world)), (None, vec!["event 1".to_owned()]));
}

#[tokio::test]
async fn who_is_pushed_too_often_is_pushed_no_more_but_the_topic_has_everything() {
    let world = World { most: Some(1), ..world() };
    let other = record(2, "user#1", "friend#3", Value::Null, relation(3, 11, 5));
    let (world, _) =
        dispatch(world, &[request(1), other, happened(3, "Rename", &[]), happened(4, "Rename", &[])]).await;
    assert_eq!(ids(&world).len(), 4);
    let renamed = |id| (format!("android {id}"), "徒步: P1 gave the group this name".to_owned());
    let asked = ("android 1".to_owned(), "P2 wants to be your friend: let me in".to_owned());
    assert_eq!(pushed(&world), [asked, renamed(2), renamed(3), renamed(4)]);
}

#[tokio::test]
async fn a_request_again_on_the_same_day_is_published_and_not_pushed() {
    let again = record(1, "user#1", "friend#2", relation(2, 21, 5), relation(2, 11, 6));
    let (world, _) = dispatch(world(), &[again]).await;
    assert_eq!((ids(&world).len(), pushed(&world)), (1, Vec::new()));
    assert_eq!(*world.counts.lock().unwrap(), HashMap::new());
}

#[tokio::test]
async fn who_is_added_by_a_friend_is_told_whatever_strangers_did() {
    let full = |friends| World { most: Some(0), friends, ..world() };
    let (world, _) = dispatch(full(BTreeSet::from([user(3)])), &[happened(1, "Add", &[3, 4])]).await;
    assert!(pushed(&world).is_empty(), "what one person does is counted too");
    let world = World { friends: BTreeSet::from([user(3)]), ..self::world() };
    let (world, _) = dispatch(world, &[happened(1, "Add", &[3, 4])]).await;
    let counted = world.counts.lock().unwrap().clone();
    let expected = [CountedPush::Group { by: user(1) }, CountedPush::Addition { to: user(4) }];
    assert_eq!(counted, expected.map(|push| (push, 1)).into());
}

#[tokio::test]
async fn a_notification_whose_pushes_cannot_be_queued_is_published_again_under_the_same_id() {
    let world = World { full: Mutex::new(1), ..world() };
    let (world, failed) = publish(world, &[request(1), request(2)]).await;
    assert_eq!((failed.as_deref(), ids(&world)), (Some("1"), vec!["event 1".to_owned()]));
    let (world, failed) = dispatch(self::world(), &[request(1), request(2)]).await;
    assert_eq!((failed, ids(&world), pushed(&world).len()), (None, vec!["event 1".to_owned(), "event 2".to_owned()], 2));
}
