//! Sessions: the response to a sign-in, its lifetime, and how refresh tokens change.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::backend::answer;
use crate::support::table::{number, text};
use crate::support::users::{not_signed_in, refused};
use crate::support::{Backend, Person, fresh_phone, run, shared};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_hours(24);
const INVALID: &str = "the refresh token is unknown or its session has ended; sign in again";
const REUSED: &str = "the refresh token was already used, so its session was ended; sign in again";

const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Exchanges a refresh token, which must succeed.
async fn next(backend: &Backend, person: &Person) -> Person {
    let (status, tokens) = answer(backend.refresh(&person.refresh_token)).await;
    assert_eq!(status, 200, "{tokens}");
    Person::of(&tokens)
}

fn fields(body: &Value) -> Vec<&str> {
    body.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn a_sign_in_answers_exactly_the_fields_of_the_document_and_uid() {
    run(async {
        let (backend, phone) = (shared().await, fresh_phone());
        let code = backend.code_for(&phone).await;
        let (status, tokens) = backend.sign_in(&phone, &code).await;
        assert_eq!(status, 200);
        assert_eq!(fields(&tokens), ["access_token", "expires_in", "refresh_token", "token_type", "uid", "user_id"]);
        assert_eq!(tokens["expires_in"], 3600);
        assert_eq!(tokens["token_type"], "Bearer");
        let uid = tokens["uid"].as_u64().unwrap();
        assert!((1..1 << 53).contains(&uid), "{uid}");
        assert_eq!(tokens["user_id"], tokens["uid"]);
        let refreshed = answer(backend.refresh(tokens["refresh_token"].as_str().unwrap())).await;
        assert_eq!(refreshed.0, 200);
        assert_eq!(fields(&refreshed.1), fields(&tokens));
        assert_eq!(refreshed.1["uid"], tokens["uid"]);
    });
}

#[test]
fn a_sign_in_and_a_refresh_answer_the_profile_that_was_set() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let phone = fresh_phone();
        let person = backend.person_on(&phone).await;
        let avatar = "/images/0123456789abcdef0123456789abcdef.jpg";
        let change = json!({ "name": "小明", "state": "at the sea", "avatar": avatar });
        let patch = backend.patch("/users/me").bearer_auth(&person.access_token).json(&change);
        assert_eq!(answer(patch).await, (200, json!({})));
        backend.advance(SECOND * 60);
        let code = backend.code_for(&phone).await;
        let again = backend.sign_in(&phone, &code).await.1;
        let refreshed = answer(backend.refresh(again["refresh_token"].as_str().unwrap())).await.1;
        for tokens in [again, refreshed] {
            assert_eq!(tokens["uid"], person.uid);
            assert_eq!(tokens["name"], "小明");
            assert_eq!(tokens["state"], "at the sea");
            assert_eq!(tokens["avatar"], backend.url(avatar));
            assert_eq!(fields(&tokens).len(), 9, "{tokens}");
        }
    });
}

#[test]
fn a_known_number_signs_in_to_the_same_account() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let phone = fresh_phone();
        let people = backend.sessions_on(&phone, 3).await;
        assert!(people.iter().all(|person| person.uid == people[0].uid));
        assert_eq!(backend.items_below("user#").await.len(), 1);
        assert_eq!(backend.sessions(people[0].uid).await.len(), 3);
        for person in &people {
            assert_eq!(answer(backend.nickname(&person.access_token, "Tom")).await, (200, json!({})));
        }
        assert_ne!(backend.person().await.uid, people[0].uid);
    });
}

#[test]
fn the_eleventh_session_ends_the_oldest() {
    run(async {
        let caps = [("CodesPerPhoneHour", "50"), ("CodesPerPhoneDay", "50")];
        let backend = Backend::frozen(&caps).await;
        let phone = fresh_phone();
        let people = backend.sessions_on(&phone, 10).await;
        let before = backend.sessions(people[0].uid).await;
        assert_eq!(before.len(), 10);
        assert_eq!(answer(backend.nickname(&people[0].access_token, "first")).await.0, 200);
        let eleventh = backend.person_on(&phone).await;
        let after = backend.sessions(people[0].uid).await;
        assert_eq!(after.len(), 10);
        let ended: Vec<_> = before.keys().filter(|id| !after.contains_key(*id)).collect();
        assert_eq!(ended.len(), 1);
        assert_eq!(
            number(&before[ended[0]], "began"),
            before.values().map(|session| number(session, "began")).min().unwrap()
        );
        assert_eq!(answer(backend.nickname(&people[0].access_token, "Tom")).await, not_signed_in());
        assert_eq!(answer(backend.refresh(&people[0].refresh_token)).await, refused(INVALID));
        for person in people[1..].iter().chain([&eleventh]) {
            assert_eq!(answer(backend.nickname(&person.access_token, "Tom")).await, (200, json!({})));
        }
        // A refresh does not make a session newer: the second is the next to end.
        let second = next(&backend, &people[1]).await;
        backend.advance(SECOND * 60);
        backend.person_on(&phone).await;
        assert_eq!(answer(backend.nickname(&second.access_token, "Tom")).await, not_signed_in());
        assert_eq!(backend.sessions(people[0].uid).await.len(), 10);
    });
}

#[test]
fn dead_sessions_make_room_before_living_ones() {
    run(async {
        let backend = Backend::frozen(&[("SessionsPerAccount", "2")]).await;
        let phone = fresh_phone();
        let mut oldest = backend.person_on(&phone).await;
        backend.advance(SECOND * 60);
        let idle = backend.person_on(&phone).await;
        backend.advance(DAY * 29);
        oldest = next(&backend, &oldest).await;
        backend.advance(DAY * 2);
        let newest = backend.person_on(&phone).await;
        assert_eq!(answer(backend.refresh(&idle.refresh_token)).await, refused(INVALID));
        next(&backend, &oldest).await;
        next(&backend, &newest).await;
        assert_eq!(backend.sessions(oldest.uid).await.len(), 2);
    });
}

#[test]
fn a_refresh_moves_to_the_next_token() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let person = backend.person().await;
        let mut tokens = vec![person.refresh_token.clone()];
        let mut now = person.clone();
        for turn in 1..=3 {
            backend.advance(SECOND);
            now = next(&backend, &now).await;
            assert_eq!(now.uid, person.uid);
            assert!(!tokens.contains(&now.refresh_token));
            assert_ne!(now.access_token, person.access_token);
            tokens.push(now.refresh_token.clone());
            let sessions = backend.sessions(person.uid).await;
            let session = sessions.values().next().unwrap();
            assert_eq!((sessions.len(), number(session, "turn")), (1, Some(turn)));
        }
        assert_eq!(answer(backend.nickname(&now.access_token, "Tom")).await.0, 200);
        // The previous access token stays valid for its hour, because its session is active.
        assert_eq!(answer(backend.nickname(&person.access_token, "Tom")).await.0, 200);
    });
}

#[test]
fn no_token_lies_in_the_table() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let first = backend.person().await;
        let second = next(&backend, &first).await;
        let kept = format!("{:?}", backend.items_below("").await);
        for token in [&first.refresh_token, &second.refresh_token, &first.access_token, &second.access_token] {
            assert!(!kept.contains(token.as_str()));
            assert!(!kept.contains(token.rsplit('.').next().unwrap()), "a signature");
        }
    });
}

#[test]
fn the_token_before_gives_the_same_next_one_for_a_minute() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let first = backend.person().await;
        let second = next(&backend, &first).await;
        for wait in [0, 59, 1] {
            backend.advance(SECOND * wait);
            assert_eq!(next(&backend, &first).await.refresh_token, second.refresh_token);
        }
        let session = backend.sessions(first.uid).await.into_values().next().unwrap();
        assert_eq!(number(&session, "turn"), Some(1));
        // After a minute, a caller with this token is not the one who received the response.
        backend.advance(millis(1));
        assert_eq!(answer(backend.refresh(&first.refresh_token)).await, refused(REUSED));
        assert!(backend.sessions(first.uid).await.is_empty());
        assert_eq!(answer(backend.refresh(&second.refresh_token)).await, refused(INVALID));
        assert_eq!(answer(backend.refresh(&first.refresh_token)).await, refused(INVALID));
        for token in [&first.access_token, &second.access_token] {
            assert_eq!(answer(backend.nickname(token, "Tom")).await, not_signed_in());
        }
        assert!(text(&backend.account(first.uid).await, "name").is_none());
    });
}

#[test]
fn a_token_two_turns_old_is_theft_at_any_time_and_ends_only_its_own_session() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let phone = fresh_phone();
        let other_device = backend.person_on(&phone).await;
        backend.advance(SECOND * 60);
        let first = backend.person_on(&phone).await;
        let second = next(&backend, &first).await;
        let third = next(&backend, &second).await;
        assert_eq!(answer(backend.refresh(&first.refresh_token)).await, refused(REUSED));
        assert_eq!(answer(backend.refresh(&third.refresh_token)).await, refused(INVALID));
        assert_eq!(answer(backend.nickname(&third.access_token, "Tom")).await, not_signed_in());
        assert_eq!(backend.sessions(first.uid).await.len(), 1);
        assert_eq!(answer(backend.nickname(&other_device.access_token, "Tom")).await.0, 200);
        next(&backend, &other_device).await;
    });
}

#[test]
fn a_session_ends_when_it_is_not_refreshed_for_thirty_days() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let (one, other) = (backend.person().await, backend.person().await);
        backend.advance(millis(30 * 86_400_000 - 1));
        let one = next(&backend, &one).await;
        backend.advance(millis(1));
        assert_eq!(answer(backend.refresh(&other.refresh_token)).await, refused(INVALID));
        backend.advance(DAY * 29);
        next(&backend, &one).await;
    });
}

#[test]
fn a_session_slides_up_to_a_hundred_and_eighty_days() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let mut person = backend.person().await;
        for _ in 0..6 {
            backend.advance(DAY * 29);
            person = next(&backend, &person).await;
        }
        backend.advance(millis(6 * 86_400_000 - 1));
        person = next(&backend, &person).await;
        assert_eq!(answer(backend.nickname(&person.access_token, "Tom")).await.0, 200);
        backend.advance(millis(1));
        assert_eq!(answer(backend.refresh(&person.refresh_token)).await, refused(INVALID));
        assert_eq!(answer(backend.nickname(&person.access_token, "Tom")).await, not_signed_in());
    });
}
