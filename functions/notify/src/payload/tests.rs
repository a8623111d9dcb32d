//! Tests that compare the topic's messages byte for byte.

use std::collections::BTreeSet;

use super::*;

fn user(id: u64) -> UserId {
    UserId::new(id).unwrap()
}

fn people(names: &[(u64, &str)]) -> People {
    let listener = |name: &str| Listener { name: name.to_owned(), devices: BTreeSet::new() };
    names.iter().map(|(id, name)| (user(*id), listener(name))).collect()
}

fn message(news: &NotificationEvent, posted: Option<&str>) -> Value {
    let people = people(&[(1, "小明"), (62, "Tom"), (63, "Ann")]);
    json!(Message::of("event-1", news, &people, posted.map(str::to_owned)))
}

#[test]
fn a_request_is_told_as_sealtalks_server_tells_it() {
    let at = Timestamp::from_millis(1_800_000_000_001);
    let news = NotificationEvent::Request {
        from: user(62),
        to: user(1),
        message: "let me in".to_owned(),
        first_today: true,
        at,
    };
    let expected = json!({
        "id": "event-1",
        "objectName": "RC:ContactNtf",
        "operation": "Request",
        "fromUserId": "10",
        "toUserId": "1",
        "time": 1_800_000_000_001_i64,
        "content": {
            "operation": "Request",
            "sourceUserId": "10",
            "targetUserId": "1",
            "message": "let me in",
            "extra": { "sourceUserNickname": "Tom", "version": 1_800_000_000_001_i64 },
        },
    });
    assert_eq!(message(&news, None), expected);
}

#[test]
fn an_acceptance_is_told_as_sealtalks_server_tells_it() {
    let news = NotificationEvent::Acceptance { from: user(1), to: user(62), at: Timestamp::from_millis(5) };
    let expected = json!({
        "id": "event-1", "objectName": "RC:ContactNtf", "operation": "AcceptResponse", "fromUserId": "1", "toUserId": "10",
        "time": 5,
        "content": {
            "operation": "AcceptResponse", "sourceUserId": "1", "targetUserId": "10", "message": "",
            "extra": { "sourceUserNickname": "小明", "version": 5 },
        },
    });
    assert_eq!(message(&news, None), expected);
}

fn group(operation: Operation, targets: &[u64], heir: Option<u64>) -> NotificationEvent {
    let targets = targets.iter().copied().map(user).collect();
    let event = GroupEvent { seq: 4, operation, operator: user(1), targets, heir: heir.map(user) };
    NotificationEvent::Group {
        group: GroupId::new(61).unwrap(),
        name: "徒步".to_owned(),
        event,
        at: Timestamp::from_millis(5),
    }
}

/// The data of a group notification, without the fields that every operation has.
fn data(operation: Operation, targets: &[u64], heir: Option<u64>, posted: Option<&str>) -> Value {
    let mut message = message(&group(operation, targets, heir), posted);
    let mut data = message["content"]["data"].take();
    let again = data.as_object_mut().unwrap().remove("data");
    assert_eq!(again.as_ref(), Some(&data), "SealTalk's web app reads the inner data");
    for (name, value) in
        [("operatorNickname", json!("小明")), ("targetGroupName", json!("徒步")), ("timestamp", json!(5))]
    {
        assert_eq!(data.as_object_mut().unwrap().remove(name), Some(value), "{name}");
    }
    let name = operation.name();
    let members = message.as_object_mut().unwrap().remove("memberIds");
    assert_eq!(members, (operation == Operation::Create).then(|| json!(["1", "10", "11"])));
    let around = json!({
        "id": "event-1", "objectName": "RC:GrpNtf", "operation": name, "fromUserId": "__system__", "toGroupId": "z",
        "time": 5, "content": { "operatorUserId": "1", "operation": name, "data": null, "message": "" },
    });
    assert_eq!(message, around);
    data
}

#[test]
fn what_happens_in_a_group_is_told_as_sealtalks_server_tells_it() {
    let both = json!({ "targetUserIds": ["11", "10"], "targetUserDisplayNames": ["Ann", "Tom"] });
    let one = json!({ "targetUserIds": ["10"], "targetUserDisplayNames": ["Tom"] });
    assert_eq!(data(Operation::Create, &[62, 63], None, None), json!({}));
    assert_eq!(data(Operation::Add, &[63, 62], None, None), both);
    assert_eq!(data(Operation::Kicked, &[63, 62], None, None), both);
    assert_eq!(data(Operation::Dismiss, &[], None, None), json!({}));
    assert_eq!(data(Operation::Rename, &[], None, None), json!({}));
    assert_eq!(data(Operation::Transfer, &[62], None, None), one);
    assert_eq!(data(Operation::SetManager, &[63, 62], None, None), both);
    assert_eq!(data(Operation::RemoveManager, &[62], None, None), one);
    assert_eq!(data(Operation::Bulletin, &[], None, Some("at eight")), json!({ "content": "at eight" }));
    let quit = json!({ "targetUserIds": ["1"], "targetUserDisplayNames": ["小明"] });
    assert_eq!(data(Operation::Quit, &[], None, None), quit);
    let heir = json!({ "targetUserIds": ["1"], "targetUserDisplayNames": ["小明"], "newCreatorId": "10" });
    assert_eq!(data(Operation::Quit, &[], Some(62), None), heir);
}

#[test]
fn who_has_no_account_or_nickname_has_an_empty_name() {
    let message = Message::of("event-1", &group(Operation::Add, &[7, 8], None), &people(&[(7, "")]), None);
    let data = &json!(message)["content"]["data"];
    assert_eq!((&data["operatorNickname"], &data["targetUserDisplayNames"]), (&json!(""), &json!(["", ""])));
}

#[test]
fn the_longest_message_is_short_enough_for_the_topic() {
    let targets: Vec<u64> = (1 << 52..).take(500).collect();
    for (name, twice) in [("小明", true), (&*"😀".repeat(64), false)] {
        let names: Vec<_> = targets.iter().map(|id| (*id, name)).collect();
        let message = Message::of("event-1", &group(Operation::Add, &targets, None), &people(&names), None);
        let data = &json!(message)["content"]["data"];
        assert!(message.body().len() <= LONGEST);
        assert_eq!(data["targetUserDisplayNames"].as_array().map(Vec::len), Some(500));
        assert_eq!(data.get("data").is_some(), twice);
    }
}
