//! Many simultaneous requests: whichever is first, the table is consistent afterwards.

use std::collections::HashSet;

use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::backend::answer;
use crate::support::table::{number, text};
use crate::support::users::{not_signed_in, refused, wrong_code};
use crate::support::{Backend, Person, fresh_phone, run, shared};

const SPENT: &str = "too many wrong tries; request a new code";
const INVALID: &str = "the refresh token is unknown or its session has ended; sign in again";

fn count(answers: &[(u16, Value)], wanted: &(u16, Value)) -> usize {
    answers.iter().filter(|answer| *answer == wanted).count()
}

#[test]
fn a_right_code_guessed_fifty_times_at_once_signs_in_once() {
    run(async {
        let backend = Backend::start(&[]).await;
        let phone = fresh_phone();
        let code = backend.code_for(&phone).await;
        let answers = join_all((0..50).map(|_| backend.sign_in(&phone, &code))).await;
        let signed_in: Vec<_> = answers.iter().filter(|(status, _)| *status == 200).collect();
        assert_eq!(signed_in.len(), 1, "{answers:?}");
        let none =
            count(&answers, &refused("no code to check: it was used already or never requested; request a new one"));
        assert_eq!(none + count(&answers, &refused(SPENT)), 49, "{answers:?}");
        let uid = signed_in[0].1["uid"].as_u64().unwrap();
        let accounts = backend.items_below("user#").await;
        assert_eq!(accounts.len(), 1);
        assert_eq!(number(&accounts[0], "id"), i64::try_from(uid).ok());
        assert_eq!(backend.sessions(uid).await.len(), 1);
        let phone_items = backend.items(&format!("phone#{}", phone.e164())).await;
        let claims: Vec<_> = phone_items.iter().filter(|item| text(item, "sk") == Some("claim")).collect();
        assert_eq!(claims.len(), 1);
        assert_eq!(number(claims[0], "user"), i64::try_from(uid).ok());
        assert!(!backend.code_item(&phone).await.unwrap().contains_key("digest"));
    });
}

#[test]
fn a_right_code_guessed_at_once_on_a_known_number_begins_one_session() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let phone = fresh_phone();
        let person = backend.sessions_on(&phone, 1).await.remove(0);
        for sessions in 2..=4 {
            let code = backend.code_for(&phone).await;
            let answers = join_all((0..50).map(|_| backend.sign_in(&phone, &code))).await;
            let signed_in: Vec<_> = answers.iter().filter(|(status, _)| *status == 200).collect();
            assert_eq!(signed_in.len(), 1, "{answers:?}");
            assert_eq!(signed_in[0].1["uid"], person.uid);
            assert_eq!(backend.sessions(person.uid).await.len(), sessions);
            backend.advance(std::time::Duration::from_mins(1));
        }
        // Each code was counted as used once: the block's debt is 20 for a sent code, minus 100 for a used one.
        let block = backend.items(&format!("block#+86{}", &phone.0[..7])).await;
        assert_eq!((number(&block[0], "sent"), number(&block[0], "debt")), (Some(4), Some(4 * (20 - 100))));
    });
}

#[test]
fn fifty_wrong_guesses_at_once_are_five_guesses() {
    run(async {
        let (backend, phone) = (shared().await, fresh_phone());
        let code = backend.code_for(&phone).await;
        let guesses: Vec<_> = (1..=50).map(|n| wrong_code(&code, n)).collect();
        let answers = join_all(guesses.iter().map(|guess| backend.sign_in(&phone, guess))).await;
        assert_eq!(count(&answers, &refused("wrong code")), 5, "{answers:?}");
        assert_eq!(count(&answers, &refused(SPENT)), 45, "{answers:?}");
        assert_eq!(number(&backend.code_item(&phone).await.unwrap(), "tries"), Some(5));
        assert_eq!(backend.sign_in(&phone, &code).await, refused(SPENT));
        assert!(backend.item(&format!("phone#{}", phone.e164()), "claim").await.is_none());
    });
}

#[test]
fn a_right_guess_among_wrong_ones_never_makes_more_than_five() {
    run(async {
        let backend = shared().await;
        for round in 0..10 {
            let phone = fresh_phone();
            let code = backend.code_for(&phone).await;
            // The right code is tried at a different position each time.
            let mut guesses: Vec<_> = (1..=49).map(|n| wrong_code(&code, n)).collect();
            guesses.insert(round, code.clone());
            let answers = join_all(guesses.iter().map(|guess| backend.sign_in(&phone, guess))).await;
            let signed_in = answers.iter().filter(|(status, _)| *status == 200).count();
            let compared = signed_in + count(&answers, &refused("wrong code"));
            assert!(compared <= 5 && signed_in <= 1, "{answers:?}");
            let claimed = backend.item(&format!("phone#{}", phone.e164()), "claim").await.is_some();
            assert_eq!(claimed, signed_in == 1);
            let tries = number(&backend.code_item(&phone).await.unwrap(), "tries");
            assert_eq!(tries, if signed_in == 1 { None } else { Some(5) });
        }
    });
}

#[test]
fn twenty_requests_for_a_code_at_once_send_one_text() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let phone = fresh_phone();
        let answers = join_all((0..20).map(|_| answer(backend.ask(&phone)))).await;
        assert_eq!(answers.iter().filter(|(status, _)| *status == 200).count(), 1, "{answers:?}");
        assert_eq!(count(&answers, &refused("a code was sent a moment ago; try again in 60 s")), 19, "{answers:?}");
        assert_eq!(backend.texts(&phone).await.len(), 1);
        let item = backend.code_item(&phone).await.unwrap();
        assert_eq!(number(&item, "s1"), Some(0), "one sending time: {item:?}");
        let block = backend.items(&format!("block#+86{}", &phone.0[..7])).await;
        assert_eq!(number(&block[0], "sent"), Some(1));
        let code = backend.newest_code(&phone).await;
        assert_eq!(backend.sign_in(&phone, &code).await.0, 200, "the code that was sent is the one that is kept");
    });
}

#[test]
fn requests_at_once_cannot_outrun_the_cap_of_their_address() {
    run(async {
        let backend = Backend::frozen(&[("CodesPerIpHour", "3"), ("CaptchaRequired", "false")]).await;
        let phones: Vec<_> = (0..20).map(|_| fresh_phone()).collect();
        let answers = join_all(phones.iter().map(|phone| answer(backend.ask(phone)))).await;
        assert_eq!(answers.iter().filter(|(status, _)| *status == 200).count(), 3, "{answers:?}");
        assert_eq!(backend.running.endpoints().texts(None).len(), 3);
        assert_eq!(backend.items_below("phone#").await.len(), 3);
    });
}

#[test]
fn requests_at_once_cannot_outrun_the_conversion_guard() {
    run(async {
        let backend = Backend::frozen(&[("ConversionMinimumSends", "5"), ("ConversionAddresses", "1")]).await;
        let first = fresh_phone();
        let phones: Vec<_> = (0..20).map(|n| first.neighbour(n)).collect();
        let answers = join_all(phones.iter().map(|phone| answer(backend.ask(phone)))).await;
        assert_eq!(answers.iter().filter(|(status, _)| *status == 200).count(), 5, "{answers:?}");
        assert_eq!(backend.running.endpoints().texts(None).len(), 5);
    });
}

#[test]
fn thirty_refreshes_of_one_token_at_once_move_it_once() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let answers = join_all((0..30).map(|_| answer(backend.refresh(&person.refresh_token)))).await;
        assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
        let next: HashSet<_> = answers.iter().map(|(_, tokens)| tokens["refresh_token"].as_str().unwrap()).collect();
        assert_eq!(next.len(), 1);
        let session = backend.sessions(person.uid).await.into_values().next().unwrap();
        assert_eq!(number(&session, "turn"), Some(1));
        let next = next.into_iter().next().unwrap();
        assert_eq!(answer(backend.refresh(next)).await.0, 200);
    });
}

#[test]
fn theft_ends_the_session_whatever_is_refreshed_beside_it() {
    run(async {
        let backend = shared().await;
        for _ in 0..5 {
            let first = backend.person().await;
            let mut latest = first.clone();
            for _ in 0..2 {
                latest = Person::of(&answer(backend.refresh(&latest.refresh_token)).await.1);
            }
            let tokens = [&first, &latest, &first, &latest, &latest, &first].map(|person| &person.refresh_token);
            let answers = join_all(tokens.iter().map(|token| answer(backend.refresh(token)))).await;
            assert!(answers.iter().all(|(status, _)| [200, 400].contains(status)), "{answers:?}");
            assert!(answers[0].0 == 400 && answers[2].0 == 400 && answers[5].0 == 400, "{answers:?}");
            assert!(backend.sessions(first.uid).await.is_empty());
            for (_, tokens) in answers.iter().filter(|(status, _)| *status == 200) {
                let handed_out = Person::of(tokens);
                assert_eq!(answer(backend.refresh(&handed_out.refresh_token)).await, refused(INVALID));
                assert_eq!(answer(backend.nickname(&handed_out.access_token, "thief")).await, not_signed_in());
            }
            assert!(text(&backend.account(first.uid).await, "name").is_none());
        }
    });
}

#[test]
fn sign_ins_and_refreshes_on_one_account_at_once_lose_no_session() {
    run(async {
        let backend = Backend::frozen(&[("CodesPerPhoneHour", "50"), ("CodesPerPhoneDay", "50")]).await;
        let phone = fresh_phone();
        let people = backend.sessions_on(&phone, 5).await;
        let code = backend.code_for(&phone).await;
        let refreshes = join_all(people.iter().map(|person| answer(backend.refresh(&person.refresh_token))));
        let names = join_all(people.iter().map(|person| answer(backend.nickname(&person.access_token, "Tom"))));
        let (signed_in, refreshed, named) = futures::join!(backend.sign_in(&phone, &code), refreshes, names);
        assert_eq!(signed_in.0, 200, "{}", signed_in.1);
        assert!(refreshed.iter().chain(&named).all(|(status, _)| *status == 200), "{refreshed:?} {named:?}");
        let sessions = backend.sessions(people[0].uid).await;
        assert_eq!(sessions.len(), 6);
        assert_eq!(sessions.values().filter(|session| number(session, "turn") == Some(1)).count(), 5);
    });
}

#[test]
fn nicknames_set_at_once_leave_one_of_them() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let names: Vec<_> = (0..20).map(|n| format!("name {n}")).collect();
        let requests = names.iter().map(|name| answer(backend.nickname(&person.access_token, name)));
        let answers = join_all(requests).await;
        assert_eq!(count(&answers, &(200, json!({}))), 20, "{answers:?}");
        let kept = text(&backend.account(person.uid).await, "name").unwrap().to_owned();
        assert!(names.contains(&kept), "{kept}");
    });
}

#[test]
fn look_ups_at_once_cannot_outrun_the_days_allowance() {
    run(async {
        let backend = Backend::frozen(&[("LookupNumbersPerDay", "5")]).await;
        let person = backend.person().await;
        let lists: Vec<_> = (0..15).map(|_| json!([{ "zone": "86", "number": fresh_phone().0 }])).collect();
        let answers = join_all(lists.iter().map(|list| answer(backend.look_up(&person, list)))).await;
        assert_eq!(answers.iter().filter(|(status, _)| *status == 200).count(), 5, "{answers:?}");
    });
}
