//! Tests of the text that devices show, and of the data for their apps.

use std::collections::BTreeSet;

use domain::clock::Timestamp;
use domain::notifications::Listener;
use domain::social::GroupId;

use super::*;

const APP: &str = "App";

fn user(id: u64) -> UserId {
    UserId::new(id).unwrap()
}

fn people() -> People {
    let names = [(1, "小明"), (2, "Tom"), (3, "Ann"), (4, ""), (5, "Eve"), (6, "Bob")];
    names.map(|(id, name)| (user(id), Listener { name: name.to_owned(), devices: BTreeSet::new() })).into()
}

fn group(operation: Operation, targets: &[u64]) -> NotificationEvent {
    let targets = targets.iter().copied().map(user).collect();
    let event = GroupEvent { seq: 4, operation, operator: user(1), targets, heir: None };
    NotificationEvent::Group {
        group: GroupId::new(7).unwrap(),
        name: "徒步".to_owned(),
        event,
        at: Timestamp::from_millis(5),
    }
}

fn request(message: &str) -> NotificationEvent {
    NotificationEvent::Request {
        from: user(2),
        to: user(1),
        message: message.to_owned(),
        first_today: true,
        at: Timestamp::from_millis(5),
    }
}

#[test]
fn a_text_says_what_happened() {
    for (operation, targets, to_target, expected) in [
        (Operation::Create, &[2, 3][..], true, "小明 added you to a new group"),
        (Operation::Add, &[2, 3], true, "小明 added you"),
        (Operation::Add, &[2, 3], false, "小明 added Tom, Ann"),
        (Operation::Add, &[2, 3, 4, 5, 6], false, "小明 added Tom, Ann, Somebody, 2 more"),
        (Operation::Add, &[1], false, "小明 joined"),
        (Operation::Quit, &[], false, "小明 left"),
        (Operation::Dismiss, &[], false, "小明 dissolved the group"),
        (Operation::Kicked, &[2], true, "小明 removed you"),
        (Operation::Kicked, &[2], false, "小明 removed Tom"),
        (Operation::Rename, &[], false, "小明 gave the group this name"),
        (Operation::Bulletin, &[], false, "小明: at eight"),
        (Operation::Transfer, &[2], true, "小明 handed the group to you"),
        (Operation::SetManager, &[2], true, "小明 made you manager"),
        (Operation::RemoveManager, &[2], false, "小明 took the manager's role from Tom"),
    ] {
        let text = Text::of(APP, &group(operation, targets), to_target, &people(), Some("at eight"));
        assert_eq!(
            (text.title.as_str(), text.body.as_str()),
            (APP, format!("徒步: {expected}").as_str()),
            "{operation:?}"
        );
    }
    let shown = |news: &NotificationEvent| {
        let Text { title, body } = Text::of(APP, news, false, &people(), None);
        format!("{title}: {body}")
    };
    assert_eq!(shown(&request("let me in")), "App: Tom wants to be your friend: let me in");
    assert_eq!(shown(&request("")), "App: Tom wants to be your friend");
    let acceptance = NotificationEvent::Acceptance { from: user(9), to: user(1), at: Timestamp::from_millis(5) };
    assert_eq!(shown(&acceptance), "App: Somebody is your friend now");
}

#[test]
fn no_word_of_a_stranger_is_a_link_or_the_title() {
    let listener = |name: &str| Listener { name: name.to_owned(), devices: BTreeSet::new() };
    let people: People = [(user(2), listener("bank.example")), (user(1), listener("小明 https://a.b"))].into();
    let text = Text::of(APP, &request("sign in at http://evil.example/x now"), false, &people, None);
    assert_eq!(text.body, "… wants to be your friend: sign in at … now");
    let NotificationEvent::Group { group, event, at, .. } = group(Operation::Bulletin, &[]) else { panic!("a group") };
    let news = NotificationEvent::Group { group, name: "www.evil.example".to_owned(), event, at };
    let text = Text::of(APP, &news, false, &people, Some("to evil。com!"));
    assert_eq!((text.title.as_str(), text.body.as_str()), (APP, "…: 小明 …: to …!"));
}

#[test]
fn a_long_text_is_cut_between_characters() {
    let posted = "好".repeat(1_024);
    let text = Text::of(APP, &group(Operation::Bulletin, &[]), false, &people(), Some(&posted));
    assert_eq!(text.body, format!("徒步: 小明: {}…", "好".repeat(SHOWN)));
}

fn pushed(news: &NotificationEvent, platform: Platform) -> Value {
    let message = Message::of("event-1", news, &people(), None);
    let payload = payload(&message, &Text::of(APP, news, false, &people(), None), platform);
    assert!(payload.len() <= LONGEST, "{}", payload.len());
    serde_json::from_str(&payload).unwrap()
}

#[test]
fn apple_gets_an_alert_and_the_news() {
    let payload = pushed(&request("let me in"), Platform::Apple);
    let expected = json!({
        "aps": {
            "alert": { "title": APP, "body": "Tom wants to be your friend: let me in" }, "sound": "default",
            "mutable-content": 1, "thread-id": "2",
        },
        "news": {
            "id": "event-1", "objectName": "RC:ContactNtf", "operation": "Request", "fromUserId": "2", "toUserId": "1",
            "content": {
                "operation": "Request", "sourceUserId": "2", "targetUserId": "1", "message": "let me in",
                "extra": { "sourceUserNickname": "Tom", "version": 5 },
            },
        },
    });
    assert_eq!(payload, expected);
}

#[test]
fn google_gets_a_notification_and_the_news_as_text() {
    let mut payload = pushed(&group(Operation::Rename, &[]), Platform::Google);
    let message = &mut payload["fcmV1Message"]["message"];
    assert_eq!(message["notification"], json!({ "title": APP, "body": "徒步: 小明 gave the group this name" }));
    let data = message["data"].as_object_mut().unwrap();
    assert!(data.values().all(Value::is_string));
    let content: Value = serde_json::from_str(data.remove("content").unwrap().as_str().unwrap()).unwrap();
    assert_eq!(content["data"]["targetGroupName"], "徒步");
    let expected = json!({
        "id": "event-1", "objectName": "RC:GrpNtf", "operation": "Rename", "fromUserId": "__system__", "toGroupId": "7",
    });
    assert_eq!(json!(data), expected);
}

#[test]
fn content_that_a_push_has_no_room_for_is_left_out() {
    let many: Vec<u64> = (1 << 52..).take(500).collect();
    let (apple, google) = (pushed(&group(Operation::Add, &many), Platform::Apple), Platform::Google);
    assert_eq!((apple["news"]["id"].as_str(), apple["news"].get("content")), (Some("event-1"), None));
    let data = &pushed(&group(Operation::Add, &many), google)["fcmV1Message"]["message"]["data"];
    assert_eq!((data["id"].as_str(), data.get("content")), (Some("event-1"), None));
    assert!(pushed(&group(Operation::Add, &[2, 3]), Platform::Apple)["news"].get("content").is_some());
}
