//! Push notifications on devices.

use serde_json::{Value, json};

use super::{Member, news, now, operations, pushes};
use crate::support::backend::answer;
use crate::support::round_trips::log;
use crate::support::{Backend, run};

#[test]
fn a_push_shows_what_happened_and_carries_the_message() {
    run(async {
        let backend = &Backend::frozen(&[]).await;
        let [tom, ann] = Member::several(backend, ["Tom", "Ann"]).await;
        ann.signs_in_with(backend, &json!({ "apns_device_token": "a0b1", "ng_device_token": "ng:1" })).await;
        tom.invites(backend, &ann, "it is me").await;
        let [message] = news(backend).await.try_into().expect("one message");
        let payload = |platform: &str| {
            let pushes = backend.running.endpoints().pushes();
            let push = pushes.iter().find(|push| push.platform == platform).expect("a push");
            (push.token.clone(), serde_json::from_str::<Value>(&push.payload).expect("JSON"))
        };
        let content = json!({
            "operation": "Request", "sourceUserId": tom.id, "targetUserId": ann.id, "message": "it is me",
            "extra": { "sourceUserNickname": "Tom", "version": now(backend) },
        });
        let mut carried = json!({
            "id": message["id"], "objectName": "RC:ContactNtf", "operation": "Request", "fromUserId": tom.id,
            "toUserId": ann.id, "content": content,
        });
        let text = json!({ "title": "Handset", "body": "Tom wants to be your friend: it is me" });
        let aps = json!({ "alert": text, "sound": "default", "mutable-content": 1, "thread-id": tom.id });
        assert_eq!(payload("APNS"), ("a0b1".to_owned(), json!({ "aps": aps, "news": carried })));
        let (token, mut payload) = payload("GCM");
        let data = &mut payload["fcmV1Message"]["message"]["data"];
        let as_text = data["content"].as_str().expect("text");
        data["content"] = serde_json::from_str(as_text).expect("JSON");
        carried["content"] = content;
        let expected = json!({ "fcmV1Message": { "message": { "notification": text, "data": carried } } });
        assert_eq!((token.as_str(), payload), ("ng:1", expected));
        assert_eq!(pushes(backend).await.len(), 2);
    });
}

#[test]
fn everybody_concerned_is_pushed_but_who_did_it() {
    run(async {
        let backend = &Backend::frozen(&[]).await;
        let [tom, ann, eve] = Member::several(backend, ["Tom", "Ann", "Eve"]).await;
        for (member, token) in [(&tom, "tom"), (&ann, "ann"), (&eve, "eve")] {
            member.signs_in_with(backend, &json!({ "ng_device_token": token })).await;
        }
        let group = tom.founds(backend, "Hiking", &[&ann.id, &eve.id]).await;
        tom.in_group(backend, "kick", &group, &[&eve]).await;
        ann.in_group(backend, "quit", &group, &[]).await;
        let expected = [
            ("ann", "Handset: Hiking: Tom added you to a new group"),
            ("ann", "Handset: Hiking: Tom removed Eve"),
            ("eve", "Handset: Hiking: Tom added you to a new group"),
            ("eve", "Handset: Hiking: Tom removed you"),
            ("tom", "Handset: Hiking: Ann left"),
        ];
        // A user who leaves before a push is sent does not get it; whether that is the case depends on the stream.
        let pushed = pushes(backend).await;
        let certain = expected.map(|(token, text)| (token.to_owned(), text.to_owned()));
        for push in certain.iter().filter(|(token, text)| token != "ann" || !text.contains("removed")) {
            assert!(pushed.contains(push), "{push:?} in {pushed:?}");
        }
        assert!(pushed.iter().all(|push| certain.contains(push)), "{pushed:?}");
    });
}

#[test]
fn a_device_is_pushed_to_while_its_session_lives() {
    run(async {
        let backend = &Backend::frozen(&[]).await;
        let [tom, ann] = Member::several(backend, ["Tom", "Ann"]).await;
        let kept = json!({ "user": { "phoneNumber": ann.phone.0, "password": "P@ssw0rd1" },
            "device": { "pushToken": "c0ffee", "platform": 1 } });
        let ended = json!({ "user": { "phoneNumber": ann.phone.0, "password": "P@ssw0rd1" },
            "device": { "pushToken": "android", "platform": 0 } });
        let mut token = Value::Null;
        for sign_in in [kept, ended] {
            let (_, mut body) = answer(backend.post("/users/login").json(&sign_in)).await;
            token = body["data"]["accessToken"].take();
        }
        tom.invites(backend, &ann, "").await;
        let pushed =
            ["android", "c0ffee"].map(|token| (token.to_owned(), "Handset: Tom wants to be your friend".to_owned()));
        assert_eq!(pushes(backend).await, pushed);
        let out = backend.post("/users/logout").header("Access-Token", token.as_str().expect("a token"));
        assert_eq!(answer(out.json(&json!({}))).await.1["success"], true);
        backend.advance(std::time::Duration::from_hours(24));
        tom.invites(backend, &ann, "again").await;
        let again = [("c0ffee".to_owned(), "Handset: Tom wants to be your friend: again".to_owned())];
        let mut expected: Vec<_> = pushed.into_iter().chain(again).collect();
        expected.sort();
        assert_eq!(pushes(backend).await, expected);
    });
}

#[test]
fn a_token_that_is_none_keeps_no_other_device_from_hearing_and_is_in_no_log() {
    run(async {
        let backend = &Backend::frozen(&[]).await;
        let [tom, ann] = Member::several(backend, ["Tom", "Ann"]).await;
        let tokens = json!({ "apns_device_token": "no iPhone's token", "ng_device_token": "the token of an Android" });
        let person = ann.signs_in_with(backend, &tokens).await;
        tom.invites(backend, &ann, "a greeting that nobody else reads").await;
        let text = "Handset: Tom wants to be your friend: a greeting that nobody else reads".to_owned();
        assert_eq!(pushes(backend).await, [("the token of an Android".to_owned(), text)]);
        assert_eq!(operations(backend).await, ["Request"]);
        let log = log();
        let counted = log.iter().any(|line| {
            let is = |name: &str, value: &str| line.get(name).is_some_and(|logged| logged == value);
            is("event", "news_pushed") && is("sent", "1") && is("gone", "1")
        });
        assert!(counted, "what became of the pushes is counted");
        for secret in ["no iPhone's token", "the token of an Android", "a greeting that nobody", &person.access_token] {
            assert!(!log.iter().flat_map(|line| line.values()).any(|logged| logged.contains(secret)), "{secret}");
        }
    });
}

#[test]
fn without_platform_applications_the_topic_has_everything_all_the_same() {
    run(async {
        let backend = &Backend::start(&[("ApnsApplicationArn", ""), ("FcmApplicationArn", "")]).await;
        let [tom, ann] = Member::several(backend, ["Tom", "Ann"]).await;
        tom.invites(backend, &ann, "").await;
        assert_eq!((operations(backend).await, pushes(backend).await), (vec!["Request".to_owned()], Vec::new()));
        assert_eq!(backend.running.endpoints().denied(), Vec::new());
    });
}
