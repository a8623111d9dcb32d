//! Making, listing and deleting friends.

use std::time::Duration;

use domain::account::UserId;
use domain::clock::{Clock, Timestamp};
use domain::short_id;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Someone, action, done, held, refused, result, sides, turns};
use crate::support::accounts::{self, PASSWORD};
use crate::support::backend::{answer, whole};
use crate::support::table::{Item, number, text};
use crate::support::{Backend, round_trips, run, shared};

/// The API's time format.
fn iso(moment: Timestamp) -> String {
    let at = moment.utc();
    let (day, time) = ((at.year, at.month, at.day), (at.hour, at.minute, at.second, at.milli));
    format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", day.0, day.1, day.2, time.0, time.1, time.2, time.3)
}

/// The response about a user, with or without their number.
fn user(of: &Someone, nickname: &str, with_number: bool) -> Value {
    let (region, phone) = if with_number { ("86", of.phone.0.as_str()) } else { ("", "") };
    json!({ "id": of.id, "nickname": nickname, "region": region, "phone": phone, "portraitUri": "" })
}

fn profile_of(friend: &Someone) -> String {
    format!("/friendship/{}/profile", friend.id)
}

#[test]
fn somebody_asks_and_the_other_agrees() {
    run(async {
        let backend = &Backend::frozen(&[]).await;
        let [tom, jerry] = Someone::several(backend, ["Tom", "Jerry"]).await;
        assert_eq!(tom.get(backend, "/friendship/all").await, result(&json!([])));
        backend.advance(Duration::from_millis(61_234));
        let asked = backend.clock.now();
        assert!(iso(asked).ends_with("T10:01:01.234Z"), "{}", iso(asked));
        assert_eq!(tom.invites(backend, &jerry, "It is Tom").await, action("Sent"));
        for (who, of, nickname, status) in [(&tom, &jerry, "Jerry", 10), (&jerry, &tom, "Tom", 11)] {
            let entry = json!({
                "displayName": "", "message": "It is Tom", "status": status,
                "updatedAt": iso(asked), "updatedTime": asked.millis(), "user": user(of, nickname, false),
            });
            assert_eq!(who.get(backend, "/friendship/all").await, result(&json!([entry])));
            assert_eq!(who.get(backend, &profile_of(of)).await, refused(403, "you are not friends"));
        }
        backend.advance(Duration::from_mins(5));
        let agreed = backend.clock.now();
        assert_eq!(jerry.does(backend, "/friendship/agree", &tom).await, action("Added"));
        for (who, of, nickname) in [(&tom, &jerry, "Jerry"), (&jerry, &tom, "Tom")] {
            let entry = json!({
                "displayName": "", "message": "", "status": 20,
                "updatedAt": iso(agreed), "updatedTime": agreed.millis(), "user": user(of, nickname, true),
            });
            assert_eq!(who.get(backend, "/friendship/all").await, result(&json!([entry])));
            let profile = json!({ "displayName": "", "user": user(of, nickname, true) });
            assert_eq!(who.get(backend, &profile_of(of)).await, result(&profile));
        }
        assert_eq!(turns(backend, &tom, &jerry).await, (2, 2));
        // Accepting again, and a request to a user who is already a friend.
        assert_eq!(jerry.does(backend, "/friendship/agree", &tom).await, action("Added"));
        assert_eq!(tom.does(backend, "/friendship/agree", &jerry).await, action("Added"));
        assert_eq!(tom.invites(backend, &jerry, "").await, refused(400, "you are already friends"));
        assert_eq!(turns(backend, &tom, &jerry).await, (2, 2));
    });
}

#[test]
fn who_ignores_an_invitation_says_nothing_to_who_sent_it() {
    run(async {
        let backend = shared().await;
        let [tom, jerry] = Someone::several(backend, ["Tom", "Jerry"]).await;
        assert_eq!(tom.invites(backend, &jerry, "please").await, action("Sent"));
        let (before, own) = (tom.entry(backend, &jerry).await, held(backend, &tom, &jerry).await);
        assert_eq!(jerry.does(backend, "/friendship/ignore", &tom).await, done());
        assert_eq!(sides(backend, &tom, &jerry).await, "10 21");
        assert_eq!(tom.entry(backend, &jerry).await, before);
        assert_eq!(held(backend, &tom, &jerry).await, own);
        assert_eq!(jerry.entry(backend, &tom).await.expect("an entry")["status"], 21);
        for path in ["/friendship/ignore", "/friendship/agree"] {
            assert_eq!(jerry.does(backend, path, &tom).await, refused(404, "no such friend request"), "{path}");
        }
        assert_eq!(tom.invites(backend, &jerry, "please!").await, action("Sent"));
        assert_eq!(sides(backend, &tom, &jerry).await, "10 11");
        assert_eq!(jerry.entry(backend, &tom).await.expect("an entry")["message"], "please!");
        assert_eq!(jerry.does(backend, "/friendship/ignore", &tom).await, done());
        assert_eq!(jerry.invites(backend, &tom, "well").await, action("Added"));
        assert_eq!(sides(backend, &tom, &jerry).await, "20 20");
    });
}

#[test]
fn whoever_asks_who_asked_them_is_their_friend() {
    run(async {
        let backend = shared().await;
        let [tom, jerry] = Someone::several(backend, ["Tom", "Jerry"]).await;
        assert_eq!(tom.invites(backend, &jerry, "hello").await, action("Sent"));
        assert_eq!(jerry.invites(backend, &tom, "hello, too").await, action("Added"));
        assert_eq!(sides(backend, &tom, &jerry).await, "20 20");
        for (who, of) in [(&tom, &jerry), (&jerry, &tom)] {
            assert_eq!(who.entry(backend, of).await.expect("an entry")["message"], "");
        }
    });
}

#[test]
fn who_is_deleted_is_not_told_and_either_may_ask_again() {
    run(async {
        let backend = shared().await;
        let [tom, jerry] = Someone::several(backend, ["Tom", "Jerry"]).await;
        tom.befriends(backend, &jerry).await;
        let before = (jerry.entry(backend, &tom).await, held(backend, &jerry, &tom).await);
        assert_eq!(tom.does(backend, "/friendship/delete", &jerry).await, done());
        assert_eq!(sides(backend, &tom, &jerry).await, "30 20");
        assert_eq!((jerry.entry(backend, &tom).await, held(backend, &jerry, &tom).await), before);
        let entry = tom.entry(backend, &jerry).await.expect("an entry");
        assert_eq!((&entry["status"], &entry["user"]), (&json!(30), &user(&jerry, "Jerry", false)));
        assert_eq!(tom.get(backend, &profile_of(&jerry)).await, refused(403, "you are not friends"));
        for path in ["/friendship/delete", "/friendship/set_display_name"] {
            let body = json!({ "friendId": jerry.id, "displayName": "J" });
            assert_eq!(tom.post(backend, path, body).await, refused(404, "no such friend"), "{path}");
        }
        // The user who ended the friendship sends a request: the other was never notified, so they are friends again at
        // once.
        assert_eq!(tom.invites(backend, &jerry, "sorry").await, action("Added"));
        assert_eq!(sides(backend, &tom, &jerry).await, "20 20");
        // The user who was deleted sends a request: the other has to accept it as usual.
        assert_eq!(tom.does(backend, "/friendship/delete", &jerry).await, done());
        assert_eq!(jerry.invites(backend, &tom, "why").await, action("Sent"));
        assert_eq!(sides(backend, &tom, &jerry).await, "11 10");
        assert_eq!(tom.does(backend, "/friendship/agree", &jerry).await, action("Added"));
        for (who, of) in [(&tom, &jerry), (&jerry, &tom)] {
            assert_eq!(who.does(backend, "/friendship/delete", of).await, done());
        }
        assert_eq!(sides(backend, &tom, &jerry).await, "30 30");
        assert_eq!(jerry.invites(backend, &tom, "").await, action("Sent"));
    });
}

#[test]
fn what_a_friend_is_called_is_seen_by_nobody_else() {
    run(async {
        let backend = shared().await;
        let [tom, jerry] = Someone::several(backend, ["Tom", "Jerry"]).await;
        tom.befriends(backend, &jerry).await;
        let theirs = held(backend, &jerry, &tom).await;
        let call = async |name: &str| {
            let body = json!({ "friendId": jerry.id, "displayName": name });
            tom.post(backend, "/friendship/set_display_name", body).await
        };
        for (name, kept) in [("鼠标", "鼠标"), ("  a mouse ", "a mouse"), (&"明".repeat(32), &"明".repeat(32))] {
            assert_eq!(call(name).await, done());
            assert_eq!(tom.entry(backend, &jerry).await.expect("an entry")["displayName"], kept);
            let profile = json!({ "displayName": kept, "user": user(&jerry, "Jerry", true) });
            assert_eq!(tom.get(backend, &profile_of(&jerry)).await, result(&profile));
        }
        let kept = held(backend, &tom, &jerry).await;
        assert_eq!(call(&"明".repeat(32)).await, done());
        assert_eq!(held(backend, &tom, &jerry).await, kept, "what is called so already is not written again");
        let long = refused(400, "displayName must have at most 32 characters and no control characters");
        for bad in ["a".repeat(33), "a\nb".to_owned(), "a\0".to_owned()] {
            assert_eq!(call(&bad).await, long, "{bad:?}");
        }
        assert_eq!(held(backend, &tom, &jerry).await, kept);
        assert_eq!(call("").await, done());
        assert_eq!(tom.entry(backend, &jerry).await.expect("an entry")["displayName"], "");
        assert_eq!(held(backend, &jerry, &tom).await, theirs, "the other side is left alone");
        assert_eq!(sides(backend, &tom, &jerry).await, "20 20");
    });
}

#[test]
fn a_friends_new_looks_are_seen_at_once() {
    run(async {
        let backend = shared().await;
        let [tom, jerry] = Someone::several(backend, ["Tom", "Jerry"]).await;
        tom.befriends(backend, &jerry).await;
        let portrait = "http://test.com/user/abc123.jpg";
        assert_eq!(jerry.post(backend, "/user/set_nickname", json!({ "nickname": "小杰" })).await, done());
        assert_eq!(jerry.post(backend, "/user/set_portrait_uri", json!({ "portraitUri": portrait })).await, done());
        let mut looks = user(&jerry, "小杰", true);
        looks["portraitUri"] = json!(portrait);
        assert_eq!(tom.entry(backend, &jerry).await.expect("an entry")["user"], looks);
        let ours = backend.url("/images/0123456789abcdef0123456789abcdef.jpg");
        assert_eq!(jerry.post(backend, "/user/set_portrait_uri", json!({ "portraitUri": ours })).await, done());
        looks["portraitUri"] = json!(ours);
        let (_, body) = tom.get(backend, &profile_of(&jerry)).await;
        assert_eq!(body["result"]["user"], looks);
    });
}

#[test]
fn numbers_are_shown_by_their_parts_and_who_has_none_shows_none() {
    run(async {
        let backend = &Backend::start(&[("AllowedCountries", "*")]).await;
        let tom = Someone::new(backend, "Tom").await;
        let (region, phone) = ("852", "51234567");
        let asked = json!({ "region": region, "phone": phone });
        assert_eq!(answer(backend.post("/user/send_code").json(&asked)).await, done());
        let (_, texts) = answer(backend.get("/_local/sms").query(&[("phone", "+85251234567")])).await;
        let given = json!({ "region": region, "phone": phone, "code": texts[0]["code"] });
        let (_, body) = answer(backend.post("/user/verify_code").json(&given)).await;
        let token = body["result"]["verification_token"].as_str().expect("a token");
        let abroad = accounts::sealtalk_register_with(backend, token, PASSWORD).await.expect("registered");
        let (pk, _) = accounts::rooms_register(backend, "by-name-alone", PASSWORD, None).await;
        let nameless = UserId::new(pk.parse().expect("a number")).map(short_id::encode).expect("an id");
        // The accounts of other APIs have no session here, so the test writes their side.
        for friend in [&abroad, &nameless] {
            assert_eq!(tom.post(backend, "/friendship/invite", json!({ "friendId": friend })).await, action("Sent"));
            let friend: UserId = short_id::decode(friend).expect("an id");
            let key = (format!("user#{}", tom.number()), format!("friend#{friend}"));
            let mut item = backend.item(&key.0, &key.1).await.expect("a relation");
            item.insert("status".into(), aws_sdk_dynamodb::types::AttributeValue::N("20".into()));
            backend.put_item(item).await;
        }
        for (friend, region, phone) in [(&abroad, region, phone), (&nameless, "", "")] {
            let (_, body) = tom.get(backend, &format!("/friendship/{friend}/profile")).await;
            let shown = &body["result"]["user"];
            assert_eq!((&shown["region"], &shown["phone"]), (&json!(region), &json!(phone)), "{body}");
        }
    });
}

#[test]
fn fields_may_come_as_a_form_or_in_the_query_and_the_message_may_be_missing() {
    run(async {
        let backend = shared().await;
        let [tom, jerry] = Someone::several(backend, ["Tom", "Jerry"]).await;
        let asks = |fields: &[(&str, &str)]| tom.request(backend, Method::POST, "/friendship/invite").form(fields);
        let queries = |fields: &[(&str, &str)]| tom.request(backend, Method::POST, "/friendship/invite").query(fields);
        let json = |body: Value| tom.sends(backend, "/friendship/invite", &body);
        let id = jerry.id.as_str();
        for (request, message) in [
            (asks(&[("friendId", id), ("message", "你好")]), "你好"),
            (asks(&[("friendId", id)]), ""),
            (queries(&[("friendId", id), ("message", "again")]), "again"),
            (json(json!({ "friendId": id, "message": null })), ""),
            (json(json!({ "friendId": id, "message": "m".repeat(64) })), &"m".repeat(64)),
            (json(json!({ "friendId": id, "and": "more" })), ""),
        ] {
            assert_eq!(answer(request).await, action("Sent"));
            assert_eq!(jerry.entry(backend, &tom).await.expect("an entry")["message"], message);
        }
        assert_eq!(sides(backend, &tom, &jerry).await, "10 11");
    });
}

/// Writes many relations of a user to users who do not exist, each with a long message.
async fn fill(backend: &Backend, who: &Someone, others: std::ops::Range<u64>, message: usize) {
    use aws_sdk_dynamodb::types::AttributeValue::{N, S};
    let item = |other: u64| -> Item {
        let texts = [("pk", format!("user#{}", who.number())), ("sk", format!("friend#{other}"))];
        let texts = texts.into_iter().chain([("message", "m".repeat(message))]);
        let numbers = [("other", other), ("status", 11), ("turn", 1), ("updated", 1_000), ("asked", 1_000)];
        let numbers = numbers.map(|(name, number)| (name.to_owned(), N(number.to_string())));
        texts.map(|(name, text)| (name.to_owned(), S(text))).chain(numbers).collect()
    };
    join_all(others.map(|other| backend.put_item(item(other)))).await;
}

#[test]
fn a_list_is_whole_however_long_it_is() {
    run(async {
        let backend = shared().await;
        let [tom, jerry] = Someone::several(backend, ["Tom", "Jerry"]).await;
        tom.befriends(backend, &jerry).await;
        // More than one batch of public profiles, then more than a page of a megabyte; by number, which is not the
        // table's order.
        for (others, message, rounds) in [(990..1_240, 10, 2), (1_240..1_540, 4_000, 3)] {
            fill(backend, &tom, others.clone(), message).await;
            let listed = whole(tom.request(backend, Method::GET, "/friendship/all")).await;
            let list = listed.body["result"].as_array().expect("a list");
            let ids = list.iter().map(|entry| entry["user"]["id"].as_str().expect("an id"));
            let ids: Vec<_> = ids.map(|id| short_id::decode(id).map(UserId::get).expect("an id")).collect();
            let expected: Vec<_> = (990..others.end).chain([jerry.number()]).collect();
            assert_eq!((ids, listed.rounds()), (expected, rounds));
            let nobody = json!({ "id": "Fy", "nickname": "", "region": "", "phone": "", "portraitUri": "" });
            assert_eq!(list[0]["user"], nobody, "who is gone has no looks");
            assert_eq!(list.last().expect("a friend")["user"], user(&jerry, "Jerry", true));
        }
        let items = backend.items(&format!("user#{}", tom.number())).await;
        assert!(items.iter().all(|item| text(item, "sk") != Some("friend#1001") || number(item, "turn") == Some(1)));
    });
}

#[test]
fn requests_stay_within_their_round_trips() {
    run(async {
        let backend = &Backend::capped().await;
        let [tom, jerry] = Someone::several(backend, ["Tom", "Jerry"]).await;
        let (both, mine, none) =
            ("SealTalk: invite, agree", "SealTalk: ignore, delete, display name, blacklist", "… nothing to change");
        let (profile, list) = ("SealTalk: a friend's profile", "SealTalk: friends, blacklist");
        let (tom, jerry, look) = (&tom, &jerry, profile_of(&jerry));
        for (who, row, request) in [
            (tom, profile, ("GET", look.as_str())),
            (tom, both, ("POST", "/friendship/invite")),
            (tom, list, ("GET", "/friendship/all")),
            (jerry, mine, ("POST", "/friendship/ignore")),
            (jerry, none, ("POST", "/friendship/agree")),
            (tom, both, ("POST", "/friendship/invite")),
            (jerry, both, ("POST", "/friendship/agree")),
            (jerry, none, ("POST", "/friendship/agree")),
            (tom, none, ("POST", "/friendship/invite")),
            (tom, profile, ("GET", look.as_str())),
            (tom, mine, ("POST", "/friendship/set_display_name")),
            (tom, none, ("POST", "/friendship/set_display_name")),
            (tom, mine, ("POST", "/user/add_to_blacklist")),
            (tom, none, ("POST", "/user/add_to_blacklist")),
            (jerry, none, ("POST", "/friendship/invite")),
            (tom, list, ("GET", "/user/blacklist")),
            (tom, list, ("POST", "/user/blacklist")),
            (tom, mine, ("POST", "/user/remove_from_blacklist")),
            (tom, none, ("POST", "/user/remove_from_blacklist")),
            (tom, mine, ("POST", "/friendship/delete")),
            (tom, none, ("POST", "/friendship/delete")),
            (tom, profile, ("GET", look.as_str())),
        ] {
            let whom = if std::ptr::eq(who, tom) { jerry } else { tom };
            let body = json!({ "friendId": whom.id, "message": "hello", "displayName": "friend" });
            let method = request.0.parse().expect("a method");
            let answer = whole(who.request(backend, method, request.1).json(&body)).await;
            assert_eq!(answer.rounds(), round_trips::documented(row), "{row}: {request:?}: {}", answer.body);
        }
        // An empty list needs no profiles.
        for path in ["/user/blacklist", "/user/groups"] {
            assert_eq!(whole(tom.request(backend, Method::GET, path)).await.rounds(), 1, "{path}");
        }
        let oneself = tom.sends(backend, "/friendship/invite", &json!({ "friendId": tom.id }));
        // Only the session is read.
        assert_eq!(whole(oneself).await.rounds(), 1);
    });
}
