//! Errors, and that users who are not friends learn nothing from them.

use reqwest::header::COOKIE;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{Someone, action, done, held, not_signed_in, refused, result, sides};
use crate::support::backend::{answer, whole};
use crate::support::{Backend, run, shared};

/// Every endpoint with a `friendId`.
const ABOUT: [&str; 7] = [
    "/friendship/invite",
    "/friendship/agree",
    "/friendship/ignore",
    "/friendship/delete",
    "/friendship/set_display_name",
    "/user/add_to_blacklist",
    "/user/remove_from_blacklist",
];

/// Every operation with this user's id.
fn operations(id: &str) -> Vec<(Method, String, Value)> {
    let body = json!({ "friendId": id, "message": "hello", "displayName": "friend" });
    let mut all: Vec<_> = ABOUT.iter().map(|path| (Method::POST, (*path).to_owned(), body.clone())).collect();
    for path in ["/user/blacklist", "/user/groups"] {
        all.push((Method::POST, path.to_owned(), json!({})));
        all.push((Method::GET, path.to_owned(), json!({})));
    }
    all.push((Method::GET, "/friendship/all".to_owned(), json!({})));
    all.push((Method::GET, format!("/friendship/{id}/profile"), json!({})));
    all
}

/// Every item about two users.
async fn everything(backend: &Backend, one: &Someone, other: &Someone) -> Value {
    let mut items = Vec::new();
    for who in [one, other] {
        for item in backend.items(&format!("user#{}", who.number())).await {
            // Signing out, and being active, change the account itself.
            if item["sk"].as_s().is_ok_and(|sk| sk != "account") {
                items.push(format!("{:?}", item.into_iter().collect::<std::collections::BTreeMap<_, _>>()));
            }
        }
    }
    json!(items)
}

#[test]
fn who_is_not_signed_in_is_told_so_and_changes_nothing() {
    run(async {
        let backend = shared().await;
        for first in ["nothing", "asked", "friends"] {
            let [tom, jerry] = Someone::several(backend, ["Tom", "Jerry"]).await;
            match first {
                "asked" => assert_eq!(jerry.invites(backend, &tom, "").await, action("Sent")),
                "friends" => tom.befriends(backend, &jerry).await,
                _ => {}
            }
            let pair = tom.cookie.split(';').next().expect("a pair").to_owned();
            tom.leaves(backend).await;
            let before = everything(backend, &tom, &jerry).await;
            let other_api = pair.replace("sealtalk_session", "web_session");
            let changed = pair.replace("sealtalk_session=", "sealtalk_session=A");
            for (method, path, body) in operations(&jerry.id) {
                for cookie in [None, Some(""), Some("sealtalk_session="), Some(&changed), Some(&other_api), Some(&pair)]
                {
                    let request = backend.request(method.clone(), &path).json(&body);
                    let request = cookie.into_iter().fold(request, |request, cookie| request.header(COOKIE, cookie));
                    assert_eq!(answer(request).await, not_signed_in(), "{first}: {method} {path} with {cookie:?}");
                }
            }
            assert_eq!(everything(backend, &tom, &jerry).await, before);
        }
    });
}

#[test]
fn who_is_not_there_and_who_is_oneself_is_refused() {
    run(async {
        let backend = shared().await;
        let tom = Someone::new(backend, "Tom").await;
        let give = |id: &Value| json!({ "friendId": id, "message": "", "displayName": "" });
        for path in ABOUT {
            for id in
                ["zzzzzzzz", "1", "not-an-id", "", " ", "0", "01", "é", "１", "zzzzzzzzz", "../account", "friend#1"]
            {
                let answered = tom.post(backend, path, give(&json!(id))).await;
                assert_eq!(answered, refused(404, "no such user"), "{path} {id}");
            }
            for id in [format!("{} ", tom.id), format!("0{}", tom.id), tom.id.repeat(2), "9".repeat(100_000)] {
                let answered = tom.post(backend, path, give(&json!(id))).await;
                assert_eq!(answered, refused(404, "no such user"), "{path}");
            }
            let answered = tom.post(backend, path, give(&json!(tom.id))).await;
            assert_eq!(answered, refused(400, "friendId is your own id"), "{path}");
        }
        let items = backend.items(&format!("user#{}", tom.number())).await;
        assert_eq!(items.len(), 1, "nothing but the account: {items:?}");
    });
}

#[test]
fn what_does_not_fit_the_relation_is_not_found() {
    run(async {
        let backend = shared().await;
        let [tom, jerry] = Someone::several(backend, ["Tom", "Jerry"]).await;
        let (request, friend) = (refused(404, "no such friend request"), refused(404, "no such friend"));
        let refuses = async |who: &Someone, whom: &Someone, cases: &[(&str, &(u16, Value))]| {
            let before = everything(backend, who, whom).await;
            for (path, expected) in cases {
                let body = json!({ "friendId": whom.id, "displayName": "x" });
                assert_eq!(who.post(backend, path, body).await, **expected, "{path}");
            }
            assert_eq!(everything(backend, who, whom).await, before);
        };
        let (agree, ignore) = (("/friendship/agree", &request), ("/friendship/ignore", &request));
        let (delete, rename) = (("/friendship/delete", &friend), ("/friendship/set_display_name", &friend));
        refuses(&tom, &jerry, &[agree, ignore, delete, rename]).await;
        assert_eq!(tom.invites(backend, &jerry, "").await, action("Sent"));
        refuses(&tom, &jerry, &[agree, ignore, delete, rename]).await;
        refuses(&jerry, &tom, &[delete, rename]).await;
        assert_eq!(jerry.does(backend, "/friendship/agree", &tom).await, action("Added"));
        refuses(&tom, &jerry, &[ignore]).await;
        refuses(&jerry, &tom, &[ignore]).await;
        assert_eq!(tom.does(backend, "/user/add_to_blacklist", &jerry).await, done());
        refuses(&tom, &jerry, &[agree, ignore]).await;
        assert_eq!(tom.does(backend, "/friendship/delete", &jerry).await, done());
        refuses(&tom, &jerry, &[agree, ignore, delete, rename]).await;
        assert_eq!(sides(backend, &tom, &jerry).await, "30b 20");
    });
}

#[test]
fn what_is_said_is_short_and_one_line() {
    run(async {
        let backend = shared().await;
        let [tom, jerry] = Someone::several(backend, ["Tom", "Jerry"]).await;
        let long = refused(400, "message must have at most 64 characters and no control characters");
        for bad in ["a".repeat(65), "明".repeat(65), "a\nb".to_owned(), "a\0b".to_owned(), "\u{1b}[2J".to_owned()] {
            assert_eq!(tom.invites(backend, &jerry, &bad).await, long, "{bad:?}");
        }
        assert_eq!(sides(backend, &tom, &jerry).await, "- -");
        let script = "<script>alert('\"')</script> \u{202e}😀\u{202c}";
        assert_eq!(tom.invites(backend, &jerry, script).await, action("Sent"));
        assert_eq!(jerry.entry(backend, &tom).await.expect("an entry")["message"], script);
    });
}

#[test]
fn what_cannot_be_read_is_a_400_in_this_envelope() {
    run(async {
        let backend = shared().await;
        let [tom, jerry] = Someone::several(backend, ["Tom", "Jerry"]).await;
        tom.befriends(backend, &jerry).await;
        let before = everything(backend, &tom, &jerry).await;
        for path in ABOUT {
            let request = |kind: &str, body: Vec<u8>| {
                tom.request(backend, Method::POST, path).header("content-type", kind.to_owned()).body(body)
            };
            let long = format!(r#"{{"friendId":"{}"}}"#, "1".repeat(300 * 1024));
            let deep = format!(r#"{{"friendId":{}"x"{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
            let wrong = ["null", "7", "true", "[]", "{}", "[\"x\"]"].map(|id| format!(r#"{{"friendId":{id}}}"#));
            let json = ["", "{", "[]", "null", "{}", "\u{0}", "\"x\"", r#"{"friendid":"x"}"#, &long, &deep];
            let json = json.into_iter().map(str::to_owned).chain(wrong);
            let broken =
                [b"\xff\xfe{".to_vec(), b"{\"friendId\":\"\xff\"}".to_vec(), b"{\"friendId\":\"\\ud800\"}".to_vec()];
            let json = json.map(String::into_bytes).chain(broken).map(|body| request("application/json", body));
            let form = request("application/x-www-form-urlencoded", b"friend=x&friendId".to_vec());
            let others: Vec<RequestBuilder> = vec![request("application/x-www-form-urlencoded", b"\xff".to_vec())];
            for request in json.chain(others) {
                let sent = format!("{request:?}");
                let (status, answered) = answer(request).await;
                assert_eq!((status, &answered["code"]), (400, &json!(400)), "{path} {sent}: {answered}");
                let message = answered["message"].as_str().expect("words");
                assert!((1..300).contains(&message.chars().count()) && !message.contains("panicked"), "{message}");
            }
            // A field without a value is empty, and no user has an empty id.
            let (status, _) = answer(form).await;
            assert_eq!(status, if path == "/friendship/set_display_name" { 400 } else { 404 }, "{path}");
        }
        for (path, field) in [("/friendship/invite", "message"), ("/friendship/set_display_name", "displayName")] {
            for wrong in [json!(7), json!([]), json!({}), json!(true)] {
                let mut body = json!({ "friendId": jerry.id });
                body[field] = wrong;
                let (status, answered) = tom.post(backend, path, body).await;
                assert_eq!((status, &answered["code"]), (400, &json!(400)), "{answered}");
            }
        }
        assert_eq!(everything(backend, &tom, &jerry).await, before);
    });
}

#[test]
fn lists_do_not_look_at_a_body() {
    run(async {
        let backend = shared().await;
        let tom = Someone::new(backend, "Tom").await;
        for path in ["/user/blacklist", "/user/groups"] {
            for body in ["", "{", "null", "\u{0}", r#"{"friendId":7}"#] {
                let request = tom.request(backend, Method::POST, path).header("content-type", "application/json");
                assert_eq!(answer(request.body(body)).await, result(&json!([])), "{path} {body}");
            }
            assert_eq!(tom.get(backend, &format!("{path}?x=%ff&friendId=1")).await, result(&json!([])), "{path}");
        }
    });
}

#[test]
fn a_profile_tells_who_is_no_friend_the_same_of_everybody() {
    run(async {
        let backend = shared().await;
        let names = ["Tom", "Stranger", "Asked", "Asking", "Ignored", "Deleted", "Blocked", "Blocking"];
        let [tom, stranger, asked, asking, ignored, deleted, blocked, blocking] =
            Someone::several(backend, names).await;
        assert_eq!(tom.invites(backend, &asked, "").await, action("Sent"));
        assert_eq!(asking.invites(backend, &tom, "").await, action("Sent"));
        assert_eq!(ignored.invites(backend, &tom, "").await, action("Sent"));
        assert_eq!(tom.does(backend, "/friendship/ignore", &ignored).await, done());
        tom.befriends(backend, &deleted).await;
        assert_eq!(tom.does(backend, "/friendship/delete", &deleted).await, done());
        assert_eq!(tom.does(backend, "/user/add_to_blacklist", &blocked).await, done());
        assert_eq!(blocking.does(backend, "/user/add_to_blacklist", &tom).await, done());

        let people = [&tom, &stranger, &asked, &asking, &ignored, &deleted, &blocked, &blocking];
        // The gateway decodes a path once, and the router behind it decodes it again.
        let unknown = ["zzzzzzzz", "1", "not-an-id", "0", "%00", "%E4%BD%A0", "%20", "%25ff", "%2500", "*", ".a"];
        let ids = people.iter().map(|person| person.id.as_str()).chain(unknown);
        let long = "9".repeat(5_000);
        for id in ids.chain([long.as_str()]) {
            let request = tom.request(backend, Method::GET, &format!("/friendship/{id}/profile"));
            let answer = whole(request).await;
            assert_eq!((answer.status, answer.body), refused(403, "you are not friends"), "{id}");
        }
        let (_, listed) = tom.get(backend, "/friendship/all").await;
        let listed = listed["result"].as_array().expect("a list").clone();
        assert_eq!(listed.len(), 4, "{listed:?}");
        for entry in &listed {
            assert_eq!((&entry["user"]["region"], &entry["user"]["phone"]), (&json!(""), &json!("")), "{entry}");
        }
        let text = Value::Array(listed).to_string();
        assert!(people.iter().all(|person| !text.contains(&person.phone.0)), "{text}");
    });
}

#[test]
fn who_is_blocked_sees_no_difference_but_that_asking_does_nothing() {
    run(async {
        let backend = shared().await;
        let [tom, jerry, spike] = Someone::several(backend, ["Tom", "Jerry", "Spike"]).await;
        for friend in [&jerry, &spike] {
            tom.befriends(backend, friend).await;
        }
        assert_eq!(tom.does(backend, "/user/add_to_blacklist", &jerry).await, done());
        // A blocked user and one who is not blocked see and do the same.
        let mut seen = Vec::new();
        for friend in [&jerry, &spike] {
            let mut all = friend.get(backend, "/friendship/all").await;
            all.1["result"][0]["updatedAt"].take();
            all.1["result"][0]["updatedTime"].take();
            let profile = friend.get(backend, &format!("/friendship/{}/profile", tom.id)).await;
            let call = json!({ "friendId": tom.id, "displayName": "T" });
            let called = friend.post(backend, "/friendship/set_display_name", call).await;
            let agreed = friend.does(backend, "/friendship/agree", &tom).await;
            let ignored = friend.does(backend, "/friendship/ignore", &tom).await;
            let blocked = friend.does(backend, "/user/add_to_blacklist", &tom).await;
            let pardoned = friend.does(backend, "/user/remove_from_blacklist", &tom).await;
            let deleted = friend.does(backend, "/friendship/delete", &tom).await;
            seen.push(json!([all, profile, called, agreed, ignored, blocked, pardoned, deleted]));
        }
        assert_eq!(seen[0], seen[1]);
        assert_eq!(jerry.invites(backend, &tom, "").await, action("None"));
        assert_eq!(spike.invites(backend, &tom, "").await, action("Added"));
        assert_eq!(held(backend, &tom, &jerry).await.map(|item| super::is_blocked(&item)), Some(true));
    });
}

#[test]
fn paths_beside_these_are_not_found() {
    run(async {
        let backend = shared().await;
        let tom = Someone::new(backend, "Tom").await;
        let endpoint = refused(404, "no such endpoint");
        for (method, path) in [
            (Method::GET, "/friendship"),
            (Method::GET, "/friendship//profile"),
            (Method::GET, "/friendship/1/profile/"),
            (Method::GET, "/friendship/1/2/profile"),
        ] {
            assert_eq!(answer(tom.request(backend, method.clone(), path)).await, endpoint, "{method} {path}");
        }
        // A value with more than one segment, or that is not text, is not a user's id.
        for id in ["%252e", "%252e%252e", "a%2Fb", "a%252Fb", "%2F", "%ff", "friend%231", ""] {
            let (status, body) = tom.get(backend, &format!("/friendship/{id}/profile")).await;
            assert!([400, 403, 404].contains(&status), "{id}: {status} {body}");
        }
        // These are not users' ids, although `GET /user/{id}` would match them.
        for path in ["/user/add_to_blacklist", "/user/remove_from_blacklist"] {
            let instead = format!("no such endpoint: use POST {path}");
            assert_eq!(tom.get(backend, path).await, refused(405, &instead), "{path}");
        }
    });
}
