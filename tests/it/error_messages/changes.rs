//! Changes in which every field is optional: a misspelled name must not look like a success.

use serde_json::json;

use crate::support::accounts::{self, PASSWORD};
use crate::support::backend::answer;
use crate::support::users::refused;
use crate::support::{run, shared};

#[test]
fn a_profile_is_not_changed_by_unknown_fields_alone() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let patch =
            |body: serde_json::Value| answer(backend.patch("/users/me").bearer_auth(&person.access_token).json(&body));
        let words = refused("nothing to change: send name, state or avatar");
        let before = backend.account(person.uid).await;
        for body in [json!({}), json!({ "nickname": "Tom" }), json!({ "Name": "Tom", "value": "Tom" })] {
            assert_eq!(patch(body).await, words);
        }
        assert_eq!(backend.account(person.uid).await, before);
        // A field that is there and null, and one beside unknown ones, are no mistake.
        for body in [json!({ "name": null }), json!({ "state": "at the sea", "mood": "fine" })] {
            assert_eq!(patch(body).await, (200, json!({})));
        }
    });
}

#[test]
fn a_person_and_a_room_are_not_changed_by_unknown_fields_alone() {
    run(async {
        let backend = shared().await;
        let (pk, token) = accounts::rooms_register(backend, "words-of-changes", PASSWORD, None).await;
        let room = json!({ "room_alias": "words-of-changes", "token": token });
        let (_, room) = answer(backend.post("/rooms/").json(&room)).await;
        let room = room["pk"].as_str().expect("a room").to_owned();
        let put = async |path: &str, mut body: serde_json::Value| {
            body["token"] = json!(token);
            let (status, body) = answer(backend.put(path).json(&body)).await;
            (status, body["msg"].as_str().unwrap_or_default().to_owned())
        };
        let fields = "username, nickname, sex, age, email, phone, country, province, city or career";
        let (person, nothing) = (format!("/users/{pk}/"), format!("nothing to change: send {fields}"));
        assert_eq!(put(&person, json!({})).await.0, 200);
        assert_eq!(put(&person, json!({ "name": "Tom" })).await, (400, nothing));
        // Forms send back what they were shown, empty fields among it.
        assert_eq!(put(&person, json!({ "city": "", "name": "Tom" })).await.0, 200);
        // Without a credential that comes first.
        let (status, body) = answer(backend.put(&person).json(&json!({ "name": "Tom" }))).await;
        assert_eq!((status, &body["msg"]), (401, &json!("not signed in")));
        let path = format!("/rooms/{room}/");
        let nothing = "nothing to change: send room_alias or active".to_owned();
        assert_eq!(put(&path, json!({ "alias": "other", "open": true })).await, (400, nothing));
        assert_eq!(put(&path, json!({})).await.0, 200);
        assert_eq!(put(&path, json!({ "active": null })).await.0, 200);
    });
}
