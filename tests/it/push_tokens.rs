//! Push tokens of the messenger API: set at sign-in, added and removed.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::backend::{answer, whole};
use crate::support::table::{Item, text};
use crate::support::users::{not_signed_in, refused};
use crate::support::{Backend, Person, fresh_phone, run};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn push_tokens_are_kept_with_the_session_they_came_with() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let phone = fresh_phone();
        let sign_in = async |push: Value| {
            let code = backend.code_for(&phone).await;
            let mut body = json!({ "zone": "86", "number": phone.0, "code": code });
            body.as_object_mut().unwrap().extend(push.as_object().unwrap().clone());
            let (status, tokens) = answer(backend.post("/auth/token").json(&body)).await;
            assert_eq!(status, 200, "{tokens}");
            backend.advance(SECOND * 60);
            Person::of(&tokens)
        };
        let person = sign_in(json!({ "apns_device_token": "apns-1", "ng_device_token": "ng-1" })).await;
        sign_in(json!({ "apns_device_token": " apns-2 " })).await;
        sign_in(json!({ "apns_device_token": "", "ng_device_token": null })).await;
        let sessions = backend.sessions(person.uid).await;
        let mut kept: Vec<_> = sessions.values().map(|session| (text(session, "apns"), text(session, "ng"))).collect();
        kept.sort_unstable();
        assert_eq!(kept, [(None, None), (Some("apns-1"), Some("ng-1")), (Some("apns-2"), None)]);
        assert!(sessions.values().all(|session| text(session, "api") == Some("messenger")));
    });
}

/// The push tokens of each session, by the name of their service.
async fn push_tokens(backend: &Backend, person: &Person) -> Vec<Vec<(String, String)>> {
    let services = ["apns", "gcm", "hw", "jp", "ng", "xg", "xm"];
    let of = |session: &Item| {
        let held = services.into_iter().filter_map(|name| Some((name.to_owned(), text(session, name)?.to_owned())));
        held.collect::<Vec<_>>()
    };
    let mut kept: Vec<_> = backend.sessions(person.uid).await.values().map(of).collect();
    kept.sort_unstable();
    kept
}

fn held(tokens: &[(&str, &str)]) -> Vec<(String, String)> {
    tokens.iter().map(|(service, token)| ((*service).to_owned(), (*token).to_owned())).collect()
}

#[test]
fn push_tokens_are_bound_to_a_session_and_unbound() {
    run(async {
        let backend = Backend::frozen(&[("CodesPerPhoneHour", "50"), ("CodesPerPhoneDay", "50")]).await;
        let people = backend.sessions_on(&fresh_phone(), 2).await;
        let [one, two] = people.as_slice() else { panic!("two sessions") };
        let send = async |path: &str, person: &Person, body: Value| {
            let sent = whole(backend.post(path).bearer_auth(&person.access_token).json(&body)).await;
            ((sent.status, sent.body.clone()), sent.rounds())
        };
        let bind = async |person, body| send("/device/bind", person, body).await;
        let unbind = async |person, body| send("/device/unbind", person, body).await;
        let done = || (200, json!({}));

        // As the apps send them: one for iOS; one of several on Android, where the others are null or missing.
        assert_eq!(bind(one, json!({ "apns_device_token": "a1" })).await, (done(), 1));
        let android = json!({ "ng_device_token": null, "xg_device_token": "", "hw_device_token": " h1 " });
        assert_eq!(bind(one, android).await, (done(), 1));
        let all = json!({ "gcm_device_token": "g1", "xm_device_token": "x1", "jp_device_token": "j1" });
        assert_eq!(bind(one, all).await, (done(), 1));
        let five = held(&[("apns", "a1"), ("gcm", "g1"), ("hw", "h1"), ("jp", "j1"), ("xm", "x1")]);
        assert_eq!(push_tokens(&backend, one).await, [vec![], five.clone()]);
        assert_eq!(bind(one, json!({ "apns_device_token": "a1" })).await, (done(), 1));

        // A token belongs to one device, which has signed in again: the token moves.
        let moved = json!({ "gcm_device_token": "g1", "xm_device_token": "x2" });
        assert_eq!(bind(two, moved).await, (done(), 2));
        let four = held(&[("apns", "a1"), ("hw", "h1"), ("jp", "j1"), ("xm", "x1")]);
        assert_eq!(push_tokens(&backend, one).await, [four, held(&[("gcm", "g1"), ("xm", "x2")])]);

        // A token of this session, one of another session, and an unknown one.
        assert_eq!(unbind(two, json!({ "xm_device_token": "x2" })).await, (done(), 1));
        assert_eq!(unbind(two, json!({ "hw_device_token": "h1", "gcm_device_token": "g1" })).await, (done(), 2));
        assert_eq!(unbind(two, json!({ "xm_device_token": "x2" })).await, (done(), 1));
        assert_eq!(unbind(two, json!({ "apns_device_token": "x1" })).await, (done(), 1));
        let three = held(&[("apns", "a1"), ("jp", "j1"), ("xm", "x1")]);
        assert_eq!(push_tokens(&backend, one).await, [vec![], three.clone()]);

        // A refused request changes nothing.
        let missing = "device token is missing; send one of apns, ng, gcm, xg, xm, hw and jp_device_token";
        for path in ["/device/bind", "/device/unbind"] {
            for body in [json!({}), json!({ "apns_device_token": " " }), json!({ "token": "a1" })] {
                assert_eq!(send(path, one, body).await.0, refused(missing), "{path}");
            }
            let long = json!({ "apns_device_token": "a".repeat(513) });
            assert_eq!(send(path, one, long).await.0, refused("device token must have at most 512 printable bytes"));
            let (status, _) = send(path, one, json!({ "apns_device_token": ["a1"] })).await.0;
            assert_eq!(status, 400);
            let anonymous = backend.post(path).json(&json!({ "apns_device_token": "a1" }));
            assert_eq!(answer(anonymous).await, not_signed_in());
        }
        assert_eq!(push_tokens(&backend, one).await, [vec![], three]);
    });
}

#[test]
fn an_ended_session_neither_gets_nor_loses_push_tokens() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let person = backend.person().await;
        let second = Person::of(&answer(backend.refresh(&person.refresh_token)).await.1);
        assert_eq!(answer(backend.refresh(&second.refresh_token)).await.0, 200);
        assert_eq!(answer(backend.refresh(&person.refresh_token)).await.0, 400, "theft");
        for path in ["/device/bind", "/device/unbind"] {
            let body = json!({ "apns_device_token": "a1" });
            assert_eq!(answer(backend.post(path).bearer_auth(&second.access_token).json(&body)).await, not_signed_in());
        }
        assert!(push_tokens(&backend, &person).await.is_empty());
    });
}
