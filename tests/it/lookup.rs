//! The address book.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::backend::{answer, whole};
use crate::support::users::{assert_malformed, not_signed_in, refused};
use crate::support::{Backend, Phone, fresh_phone, run, shared};

fn entry(phone: &Phone) -> Value {
    json!({ "zone": "86", "number": phone.0 })
}

fn unregistered(phone: &Phone) -> Value {
    json!({ "zone": "86", "number": phone.0, "uid": 0 })
}

#[test]
fn a_list_is_answered_in_its_order_and_every_duplicate_by_itself() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let (one, other, nobody) = (fresh_phone(), fresh_phone(), fresh_phone());
        let (first, second) = (backend.person_on(&one).await, backend.person_on(&other).await);
        let seen = backend.card(&second, &one).await["up_timestamp"].clone();
        let known =
            |phone: &Phone, uid: u64| json!({ "zone": "86", "number": phone.0, "uid": uid, "up_timestamp": seen });
        let list = json!([entry(&other), entry(&nobody), entry(&one), entry(&other), entry(&nobody)]);
        let expected = json!([
            known(&other, second.uid),
            unregistered(&nobody),
            known(&one, first.uid),
            known(&other, second.uid),
            unregistered(&nobody),
        ]);
        assert_eq!(answer(backend.look_up(&first, &list)).await, (200, expected.clone()));
        let by_get = backend.get("/users").bearer_auth(&first.access_token).json(&list);
        assert_eq!(answer(by_get).await, (200, expected));
    });
}

#[test]
fn a_registered_number_tells_the_profile_that_was_set() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let phone = fresh_phone();
        let person = backend.person_on(&phone).await;
        let avatar = "/images/0123456789abcdef0123456789abcdef.png";
        let change = json!({ "name": "小明", "state": "", "avatar": avatar });
        assert_eq!(answer(backend.patch("/users/me").bearer_auth(&person.access_token).json(&change)).await.0, 200);
        let card = backend.card(&person, &phone).await;
        let seen = card["up_timestamp"].clone();
        assert_eq!(
            card,
            json!({
                "zone": "86", "number": phone.0, "uid": person.uid,
                "name": "小明", "avatar": backend.url(avatar), "up_timestamp": seen,
            })
        );
        assert!(seen.is_i64());
    });
}

#[test]
fn numbers_are_answered_as_they_were_asked_however_they_are_written() {
    run(async {
        let backend = shared().await;
        let phone = fresh_phone();
        let person = backend.person_on(&phone).await;
        let digits: u64 = phone.0.parse().unwrap();
        let spaced = format!("{} {}", &phone.0[..3], &phone.0[3..]);
        let list = json!([
            { "zone": 86, "number": digits },
            { "zone": "+86", "number": spaced },
            { "number": phone.e164() },
            { "zone": "", "number": phone.0 },
        ]);
        let (status, found) = answer(backend.look_up(&person, &list)).await;
        assert_eq!(status, 200, "{found}");
        let asked = [("86", phone.0.clone()), ("+86", spaced), ("", phone.e164()), ("", phone.0.clone())];
        assert_eq!(found.as_array().unwrap().len(), asked.len());
        for (found, (zone, number)) in found.as_array().unwrap().iter().zip(asked) {
            assert_eq!((&found["zone"], &found["number"]), (&json!(zone), &json!(number)));
            assert_eq!(found["uid"], person.uid, "{found}");
        }
    });
}

#[test]
fn what_is_no_number_is_simply_not_registered() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let odd = [("86", "10086"), ("86", ""), ("", "pizza"), ("999", "1"), ("x", "13912345678"), ("86", "*#06#")];
        let long = "1".repeat(500);
        let odd: Vec<_> = odd.into_iter().chain([("86", long.as_str())]).collect();
        let list: Vec<_> = odd.iter().map(|(zone, number)| json!({ "zone": zone, "number": number })).collect();
        let expected: Vec<_> =
            odd.iter().map(|(zone, number)| json!({ "zone": zone, "number": number, "uid": 0 })).collect();
        assert_eq!(answer(backend.look_up(&person, &json!(list))).await, (200, json!(expected)));
    });
}

#[test]
fn an_empty_list_is_answered_empty() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        assert_eq!(answer(backend.look_up(&person, &json!([]))).await, (200, json!([])));
    });
}

#[test]
fn what_is_no_list_of_numbers_is_malformed() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        for body in [
            "",
            "{}",
            "null",
            "[",
            "[1]",
            "[null]",
            "\"13912345678\"",
            r#"[{"zone":"86"}]"#,
            r#"[{"number":null}]"#,
            r#"[{"number":1.5}]"#,
            r#"{"zone":"86","number":"13912345678"}"#,
        ] {
            for request in [backend.post("/users"), backend.get("/users")] {
                assert_malformed(&answer(request.bearer_auth(&person.access_token).body(body)).await);
            }
        }
    });
}

#[test]
fn five_thousand_numbers_are_answered_and_one_more_is_refused() {
    run(async {
        let backend = Backend::start(&[]).await;
        let mut phones: Vec<_> = (0..5_000).map(|n| Phone(format!("1380000{n:04}"))).collect();
        let mut uids = Vec::new();
        for n in [0, 1, 99, 100, 101, 777, 2_500, 4_999] {
            uids.push((n, backend.person_on(&phones[n]).await));
        }
        let list: Vec<_> = phones.iter().map(entry).collect();
        let (status, found) = answer(backend.look_up(&uids[0].1, &json!(list))).await;
        assert_eq!(status, 200, "{found}");
        let found = found.as_array().unwrap();
        assert_eq!(found.len(), 5_000);
        for (n, (found, phone)) in found.iter().zip(&phones).enumerate() {
            let uid = uids.iter().find(|(registered, _)| *registered == n).map_or(0, |(_, person)| person.uid);
            assert_eq!((&found["number"], &found["uid"]), (&json!(phone.0), &json!(uid)), "{n}");
        }
        phones.push(fresh_phone());
        let list: Vec<_> = phones.iter().map(entry).collect();
        let words = "at most 5000 numbers per call";
        assert_eq!(answer(backend.look_up(&uids[0].1, &json!(list))).await, refused(words));
        // Another copy of the same number fails too: the length of the list counts.
        let same = vec![entry(&phones[0]); 5_001];
        assert_eq!(answer(backend.look_up(&uids[0].1, &json!(same))).await, refused(words));
    });
}

#[test]
fn a_list_of_half_a_megabyte_is_read_and_a_byte_more_is_refused() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let most = 512 * 1024;
        let list = |bytes: usize| format!("[{}]", " ".repeat(bytes - 2));
        let send = |body: String| answer(backend.post("/users").bearer_auth(&person.access_token).body(body));
        assert_eq!(send(list(most)).await, (200, json!([])));
        assert_eq!(send(list(most + 1)).await, refused("too large: at most 524288 bytes"));
        // Real fields are never this long.
        let name = json!({ "value": "x".repeat(300_000) });
        let named = backend.put("/users/me/nickname").bearer_auth(&person.access_token).json(&name);
        assert_eq!(answer(named).await, refused("too large: at most 262144 bytes"));
    });
}

#[test]
fn an_account_looks_up_so_many_numbers_a_day() {
    run(async {
        let backend = Backend::frozen(&[("LookupNumbersPerDay", "5")]).await;
        let phones: Vec<_> = (0..6).map(|_| fresh_phone()).collect();
        let (person, other) = (backend.person().await, backend.person().await);
        let list = |range: std::ops::Range<usize>| json!(phones[range].iter().map(entry).collect::<Vec<_>>());
        assert_eq!(answer(backend.look_up(&person, &list(0..3))).await.0, 200);
        // Three more exceed the limit, and a refused request does not count.
        let words = "too many numbers looked up today";
        whole(backend.look_up(&person, &list(0..3))).await.assert_limited(words, 50_400);
        assert_eq!(answer(backend.look_up(&person, &list(3..5))).await.0, 200);
        whole(backend.look_up(&person, &list(5..6))).await.assert_limited(words, 50_400);
        whole(backend.look_up(&other, &list(0..6))).await.assert_limited(words, 50_400);
        assert_eq!(answer(backend.look_up(&other, &list(0..5))).await.0, 200);
        assert_eq!(answer(backend.look_up(&person, &json!([]))).await, (200, json!([])));
        backend.advance(Duration::from_hours(14));
        let next_day = answer(backend.refresh(&person.refresh_token)).await.1;
        let person = crate::support::Person::of(&next_day);
        assert_eq!(answer(backend.look_up(&person, &list(0..5))).await.0, 200);
    });
}

#[test]
fn an_address_book_that_comes_again_is_not_counted_again() {
    run(async {
        let backend = Backend::frozen(&[("LookupNumbersPerDay", "60")]).await;
        let person = backend.person().await;
        let phones: Vec<_> = (0..40).map(|_| fresh_phone()).collect();
        let friend = backend.person_on(&phones[7]).await;
        let list = |range: std::ops::Range<usize>| json!(phones[range].iter().map(entry).collect::<Vec<_>>());
        let counted = async || {
            let items = backend.items(&format!("user#{}", person.uid)).await;
            let counter = items.into_iter().find(|item| item["sk"].as_s().unwrap().starts_with("lookups#"));
            crate::support::table::number(&counter.expect("a counter"), "count")
        };
        // Apps send it every hour, in any order.
        for n in 0..24 {
            let book =
                if n % 2 == 0 { list(0..30) } else { json!(phones[..30].iter().rev().map(entry).collect::<Vec<_>>()) };
            let (status, found) = answer(backend.look_up(&person, &book)).await;
            assert_eq!((status, found.as_array().map(Vec::len)), (200, Some(30)), "{found}");
            assert!(found.as_array().unwrap().iter().any(|card| card["uid"] == friend.uid));
        }
        assert_eq!(counted().await, Some(30));
        // A changed book is another one, and so is the old one after it.
        assert_eq!(answer(backend.look_up(&person, &list(10..40))).await.0, 200);
        assert_eq!(counted().await, Some(60));
        let words = "too many numbers looked up today";
        whole(backend.look_up(&person, &list(0..30))).await.assert_limited(words, 50_400);
        assert_eq!(answer(backend.look_up(&person, &list(10..40))).await.0, 200);
        assert_eq!(counted().await, Some(60));
        // Short lists are always counted.
        whole(backend.look_up(&person, &list(0..1))).await.assert_limited(words, 50_400);
        // The session is checked in any case.
        backend.delete_item(&format!("user#{}", person.uid), "account").await;
        assert_eq!(answer(backend.look_up(&person, &list(10..40))).await, not_signed_in());
    });
}

#[test]
fn an_ended_session_looks_nobody_up() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let phone = fresh_phone();
        let person = backend.person_on(&phone).await;
        for _ in 0..2 {
            let token = backend.person_on(&fresh_phone()).await;
            let second = answer(backend.refresh(&token.refresh_token)).await.1;
            let second = crate::support::Person::of(&second);
            assert_eq!(answer(backend.refresh(&second.refresh_token)).await.0, 200);
            assert_eq!(answer(backend.refresh(&token.refresh_token)).await.0, 400, "theft");
            assert_eq!(answer(backend.look_up(&second, &json!([entry(&phone)]))).await, not_signed_in());
            assert_eq!(answer(backend.look_up(&second, &json!([]))).await, not_signed_in());
            let items = backend.items(&format!("user#{}", second.uid)).await;
            assert_eq!(items.len(), 1, "nothing was counted: {items:?}");
        }
        assert_eq!(answer(backend.look_up(&person, &json!([entry(&phone)]))).await.0, 200);
    });
}
