//! How much an account uploads.

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::accounts::{PASSWORD, device_register, rooms_by_code, web_sign_in};
use crate::support::backend::answer;
use crate::support::pictures::{Bucket, jpeg};
use crate::support::table::{number, text};
use crate::support::{Backend, Person, fresh_phone, run};

const WORDS: &str = "the account has no space left for pictures and voice notes";

/// A voice note of an unknown kind, which is stored as it came.
fn note(length: usize) -> Vec<u8> {
    b"\x01a recording of its own kind ".iter().copied().cycle().take(length).collect()
}

async fn upload(backend: &Backend, person: &Person, length: usize) -> (u16, Value) {
    answer(backend.upload(person, Method::POST, "/audios", note(length))).await
}

async fn used(backend: &Backend, uid: u64) -> Option<i64> {
    number(&backend.account(uid).await, "media_bytes")
}

#[test]
fn an_account_uploads_as_many_bytes_as_the_policy_says() {
    run(async {
        let backend = Backend::frozen(&[("MediaBytesPerAccount", "10000")]).await;
        let (person, other) = (backend.person().await, backend.person().await);
        for _ in 0..2 {
            assert_eq!(upload(&backend, &person, 4_000).await.0, 200);
        }
        let (items, objects) = (backend.count_items().await, backend.objects().await);
        for length in [2_001, 10_001] {
            assert_eq!(upload(&backend, &person, length).await, (400, json!({ "error": WORDS })));
        }
        assert_eq!((backend.count_items().await, backend.objects().await), (items, objects), "nothing was left");
        assert_eq!(upload(&backend, &person, 2_000).await.0, 200, "it fits to the byte");
        assert_eq!(upload(&backend, &person, 1).await.0, 400);
        assert_eq!(used(&backend, person.uid).await, Some(10_000));
        assert_eq!(upload(&backend, &other, 10_000).await.0, 200);
        // A dead session is told so, whatever space there is.
        let forged = Person { access_token: "forged".to_owned(), ..other };
        assert_eq!(upload(&backend, &forged, 1).await.0, 401);
    });
}

#[test]
fn of_uploads_at_once_as_many_are_stored_as_fit() {
    run(async {
        let backend = Backend::frozen(&[("MediaBytesPerAccount", "5000")]).await;
        let person = backend.person().await;
        let answers = join_all((0..20).map(|_| upload(&backend, &person, 1_000))).await;
        let stored = answers.iter().filter(|(status, _)| *status == 200).count();
        let limited = answers.iter().filter(|(status, body)| *status == 400 && body["error"] == WORDS).count();
        assert_eq!((stored, limited), (5, 15), "{answers:?}");
        let items = backend.items(&format!("user#{}", person.uid)).await;
        let records = items.iter().filter(|item| text(item, "sk").is_some_and(|sk| sk.starts_with("media#"))).count();
        assert_eq!((records, backend.objects().await.len(), used(&backend, person.uid).await), (5, 5, Some(5_000)));
    });
}

#[test]
fn whatever_is_uploaded_counts_as_it_is_stored_through_every_api() {
    run(async {
        let backend = Backend::frozen(&[("MediaBytesPerAccount", "100000")]).await;
        let phone = fresh_phone();
        device_register(&backend, &phone, PASSWORD).await;
        let (_, web) = web_sign_in(&backend, &phone, PASSWORD).await.expect("signed in");
        backend.advance(std::time::Duration::from_mins(1));
        let (pk, rooms) = rooms_by_code(&backend, &phone).await;
        backend.advance(std::time::Duration::from_mins(1));
        let person = backend.person_on(&phone).await;
        let form = |picture: Vec<u8>| {
            let part = reqwest::multipart::Part::bytes(picture).file_name("a.jpg");
            reqwest::multipart::Form::new().part("avatar", part)
        };
        let all = |picture: Vec<u8>| {
            [
                backend.upload(&person, Method::POST, "/images", picture.clone()),
                backend.upload(&person, Method::PUT, "/users/me/avatar", picture.clone()),
                backend.post("/api/v1.0/user/avatar").header("cookie", &web.0).multipart(form(picture.clone())),
                backend.put(&format!("/users/icon/{pk}/")).query(&[("token", &rooms)]).body(picture),
            ]
        };
        for request in all(jpeg(60, 40)) {
            let (status, body) = answer(request).await;
            assert!(status == 200 && body["errno"].as_str().is_none_or(|errno| errno == "0"), "{body}");
        }
        backend.settled().await;
        let mut stored = 0;
        for key in backend.objects().await.iter().filter(|key| key.starts_with("originals/")) {
            stored += i64::try_from(Bucket::of(&backend).get(key).await.expect("an original").0.len()).unwrap();
        }
        assert_eq!(used(&backend, person.uid).await, Some(stored));
        let rest = usize::try_from(100_000 - stored).unwrap();
        assert_eq!(upload(&backend, &person, rest).await.0, 200);
        let account = backend.account(person.uid).await;
        for request in all(jpeg(60, 40)) {
            let (_, body) = answer(request).await;
            let refused = body["error"] == WORDS || body["msg"] == WORDS || body["errno"] == "4201";
            assert!(refused, "{body}");
        }
        assert_eq!(backend.account(person.uid).await["avatar"], account["avatar"]);
    });
}
