//! Nickname, state line and avatar by path, and what other users see of them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::backend::answer;
use crate::support::table::{number, text};
use crate::support::users::{assert_malformed, not_signed_in, refused};
use crate::support::{Backend, Person, fresh_phone, run, shared};

const NICKNAME: &str = "nickname must have 1 to 64 characters and no control characters";
const STATE: &str = "state must have at most 140 characters and no control characters";
const AVATAR: &str = "avatar must be the path of an uploaded picture, or an http(s) URL of 12 to 256 characters";
const IMAGE: &str = "/images/0123456789abcdef0123456789abcdef.jpg";

async fn put(backend: &Backend, person: &Person, field: &str, body: &Value) -> (u16, Value) {
    answer(backend.put(&format!("/users/me/{field}")).bearer_auth(&person.access_token).json(body)).await
}

async fn patch(backend: &Backend, person: &Person, body: &Value) -> (u16, Value) {
    answer(backend.patch("/users/me").bearer_auth(&person.access_token).json(body)).await
}

/// Name, state and avatar as stored in the table.
async fn profile(backend: &Backend, person: &Person) -> [Option<String>; 3] {
    let account = backend.account(person.uid).await;
    ["name", "state", "avatar"].map(|name| text(&account, name).map(str::to_owned))
}

fn done() -> (u16, Value) {
    (200, json!({}))
}

#[test]
fn a_nickname_has_one_to_sixty_four_characters() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        for name in ["x", "小明", &"😀".repeat(64), &"明".repeat(64), &"a".repeat(64), "Zoë O'Neill <b>&", "null"]
        {
            assert_eq!(put(backend, &person, "nickname", &json!({ "value": name })).await, done(), "{name}");
            assert_eq!(profile(backend, &person).await[0].as_deref(), Some(name));
        }
        for name in ["", " ", "\t", &"😀".repeat(65), &"a".repeat(65), "a\u{0}b", "a\nb", "a\u{7f}b", "a\u{85}b"] {
            assert_eq!(
                put(backend, &person, "nickname", &json!({ "value": name })).await,
                refused(NICKNAME),
                "{name:?}"
            );
            assert_eq!(patch(backend, &person, &json!({ "name": name })).await, refused(NICKNAME), "{name:?}");
        }
        assert_eq!(profile(backend, &person).await[0].as_deref(), Some("null"));
    });
}

#[test]
fn a_state_line_has_up_to_a_hundred_and_forty_characters() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        for state in ["at the sea", &"😀".repeat(140), "two\nlines", ""] {
            assert_eq!(put(backend, &person, "state", &json!({ "value": state })).await, done(), "{state}");
            assert_eq!(profile(backend, &person).await[1].as_deref(), Some(state));
        }
        for state in [&"😀".repeat(141), &"a".repeat(10_000), "a\u{0}b", "a\u{1b}[31mb", "a\tb"] {
            assert_eq!(
                put(backend, &person, "state", &json!({ "value": state })).await,
                refused(STATE),
                "{state:.20?}"
            );
            assert_eq!(patch(backend, &person, &json!({ "state": state })).await, refused(STATE), "{state:.20?}");
        }
        assert_eq!(profile(backend, &person).await[1].as_deref(), Some(""));
    });
}

#[test]
fn a_value_that_is_missing_or_no_text_is_malformed_and_changes_nothing() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        for field in ["nickname", "state"] {
            let missing = refused("value is missing");
            assert_eq!(put(backend, &person, field, &json!({})).await, missing);
            assert_eq!(put(backend, &person, field, &json!({ "name": "Tom" })).await, missing);
            for value in [json!(null), json!(7), json!(true), json!(["Tom"]), json!({ "value": "Tom" })] {
                assert_malformed(&put(backend, &person, field, &json!({ "value": value })).await);
            }
            for body in ["", "{", "[]", "\"Tom\"", "{\"value\":\"\\ud800\"}", "\u{feff}"] {
                let request = backend.put(&format!("/users/me/{field}")).bearer_auth(&person.access_token);
                assert_malformed(&answer(request.body(body)).await);
            }
            let bytes = backend.put(&format!("/users/me/{field}")).bearer_auth(&person.access_token);
            assert_malformed(&answer(bytes.body(&b"{\"value\":\"\xff\xfe\"}"[..])).await);
        }
        for body in
            [json!({ "name": 7 }), json!({ "state": [] }), json!({ "avatar": {} }), json!({ "name": "a", "state": 1 })]
        {
            assert_malformed(&patch(backend, &person, &body).await);
        }
        assert_eq!(profile(backend, &person).await, [None, None, None]);
    });
}

#[test]
fn a_patch_changes_what_it_names_and_leaves_the_rest() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let mut expected: [Option<String>; 3] = [None, None, None];
        for body in [
            json!({ "name": "Tom" }),
            json!({ "state": "here" }),
            json!({ "avatar": IMAGE }),
            json!({ "name": "Tim", "state": "there" }),
            json!({ "name": null, "state": "", "unknown": [1], "phone": "+8613912345678", "id": 1, "sessions": {} }),
            json!({ "name": "Tam", "state": "away", "avatar": "https://example.com/a.jpg" }),
        ] {
            assert_eq!(patch(backend, &person, &body).await, done(), "{body}");
            for (kept, name) in expected.iter_mut().zip(["name", "state", "avatar"]) {
                if let Some(value) = body[name].as_str() {
                    *kept = Some(value.to_owned());
                }
            }
            assert_eq!(profile(backend, &person).await, expected, "{body}");
        }
        let account = backend.account(person.uid).await;
        assert_eq!(number(&account, "id"), i64::try_from(person.uid).ok());
        // When a name was spread is written apart from the request.
        let mut names: Vec<_> = account.keys().map(String::as_str).filter(|name| !name.contains("spread")).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "avatar", "created", "id", "looks", "name", "networks", "phone", "phone_at", "pk", "seen", "sessions",
                "sk", "state"
            ]
        );
    });
}

#[test]
fn a_patch_with_one_bad_field_changes_nothing() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        assert_eq!(patch(backend, &person, &json!({ "name": "Tom", "state": "a\u{0}" })).await, refused(STATE));
        assert_eq!(patch(backend, &person, &json!({ "name": "Tom", "avatar": "x" })).await, refused(AVATAR));
        assert_eq!(profile(backend, &person).await, [None, None, None]);
    });
}

#[test]
fn an_avatar_is_a_path_of_ours_or_a_web_address() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        for avatar in [IMAGE, "http://example.com/a.png", "https://example.com/a.png?b=c#d"] {
            assert_eq!(patch(backend, &person, &json!({ "avatar": avatar })).await, done(), "{avatar}");
            assert_eq!(profile(backend, &person).await[2].as_deref(), Some(avatar));
        }
        for avatar in [
            "",
            "x",
            "/",
            "/etc/passwd",
            "/images/",
            "/images/../secrets",
            "/audios/0123456789abcdef0123456789abcdef.amr",
            "javascript:alert(1)",
            "data:image/png;base64,AAAA",
            "ftp://example.com/a.png",
            "//example.com/a.png",
            "http://x",
            "https://example.com/a b.png",
            "https://example.com/\"onerror=\"x",
            "https://example.com/\u{0}",
            &format!("https://example.com/{}", "a".repeat(256)),
        ] {
            assert_eq!(patch(backend, &person, &json!({ "avatar": avatar })).await, refused(AVATAR), "{avatar}");
        }
    });
}

#[test]
fn an_absolute_address_of_ours_is_kept_as_a_path() {
    run(async {
        let (backend, phone) = (shared().await, fresh_phone());
        let person = backend.person_on(&phone).await;
        assert_eq!(patch(backend, &person, &json!({ "avatar": backend.url(IMAGE) })).await, done());
        assert_eq!(profile(backend, &person).await[2].as_deref(), Some(IMAGE));
        assert_eq!(backend.card(&person, &phone).await["avatar"], backend.url(IMAGE));
        let stored = Backend::start(&[("PublicUrl", "https://cdn.example.com")]).await;
        let phone = fresh_phone();
        let person = stored.person_on(&phone).await;
        let avatar = format!("https://cdn.example.com{IMAGE}");
        assert_eq!(patch(&stored, &person, &json!({ "avatar": avatar })).await, done());
        assert_eq!(profile(&stored, &person).await[2].as_deref(), Some(IMAGE));
        assert_eq!(stored.card(&person, &phone).await["avatar"], avatar);
    });
}

#[test]
fn nobody_changes_a_profile_without_being_signed_in() {
    run(async {
        let backend = shared().await;
        for request in [
            backend.put("/users/me/nickname").json(&json!({ "value": "Tom" })),
            backend.put("/users/me/state").json(&json!({ "value": "here" })),
            backend.put("/users/me/avatar").body("picture"),
            backend.patch("/users/me").json(&json!({ "name": "Tom" })),
            backend.post("/users").json(&json!([])),
            backend.get("/users").body("[]"),
            // A caller who is not signed in gets this error first, whatever the body is.
            backend.put("/users/me/nickname").body("{"),
            backend.patch("/users/me").json(&json!({ "name": "" })),
        ] {
            assert_eq!(answer(request).await, not_signed_in());
        }
    });
}

#[test]
fn a_profile_changes_from_any_session_of_the_account() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let phone = fresh_phone();
        let people = backend.sessions_on(&phone, 2).await;
        for (person, name) in people.iter().zip(["one", "two"]) {
            assert_eq!(put(&backend, person, "nickname", &json!({ "value": name })).await, done());
        }
        assert_eq!(backend.card(&people[0], &phone).await["name"], "two");
    });
}

#[test]
fn up_timestamp_is_the_second_of_the_last_request_and_moves() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let (phone, onlooker) = (fresh_phone(), backend.person().await);
        let person = backend.person_on(&phone).await;
        let seen = async || backend.card(&onlooker, &phone).await["up_timestamp"].as_i64().expect("a time");
        let mut before = seen().await;
        assert!(before > 1_600_000_000, "seconds: {before}");
        backend.advance(Duration::from_mins(10));
        assert_eq!(seen().await, before, "being looked up is no sign of life");
        let refresh = || backend.refresh(&person.refresh_token);
        let state =
            || backend.put("/users/me/state").json(&json!({ "value": "here" })).bearer_auth(&person.access_token);
        let book = || backend.look_up(&person, &json!([]));
        let upload = || backend.post("/audios").bearer_auth(&person.access_token).body(&b"#!AMR\nabc"[..]);
        for request in [refresh(), state(), book(), upload()] {
            assert_eq!(answer(request).await.0, 200);
            let now = seen().await;
            assert!(now >= before + 600, "{before} {now}");
            before = now;
            backend.advance(Duration::from_mins(10));
        }
        assert_eq!(answer(backend.nickname("forged", "Tom")).await, not_signed_in());
        assert_eq!(seen().await, before);
    });
}
