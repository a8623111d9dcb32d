//! Every limit on sending codes, and that a refused request leaves no data behind.

use std::time::Duration;

use serde_json::json;

use crate::support::backend::{answer, whole};
use crate::support::table::number;
use crate::support::users::refused;
use crate::support::{Backend, Phone, fresh_phone, run};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// Requests codes at intervals of one minute; every one is sent.
async fn assert_all_sent(backend: &Backend, phone: &Phone, count: u32) {
    for turn in 0..count {
        if turn > 0 {
            backend.advance(MINUTE);
        }
        let asked = whole(backend.ask(phone)).await;
        assert_eq!(asked.status, 200, "code {turn}: {}", asked.body);
        assert_eq!(asked.retry_after(), None);
    }
}

/// Asserts that the table has no item for this phone or its block, and that no text was sent to it.
async fn assert_untouched(backend: &Backend, phone: &Phone) {
    assert!(backend.items(&format!("phone#{}", phone.e164())).await.is_empty());
    assert!(backend.items(&format!("block#+86{}", &phone.0[..7])).await.is_empty());
    assert!(backend.texts(phone).await.is_empty());
}

#[test]
fn a_second_code_within_a_minute_is_refused_with_the_seconds_to_wait() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let phone = fresh_phone();
        let code = backend.code_for(&phone).await;
        let before = backend.items_below("").await;
        for (passed, left) in [(0, 60), (18, 42), (41, 1)] {
            backend.advance(SECOND * passed);
            whole(backend.ask(&phone)).await.assert_limited("a code was sent a moment ago", left);
        }
        // The refused request changed nothing, so the first code still works.
        assert_eq!(backend.items_below("").await.len(), before.len());
        assert_eq!(backend.texts(&phone).await.len(), 1);
        assert_eq!(backend.sign_in(&phone, &code).await.0, 200);
        whole(backend.ask(&phone)).await.assert_limited("a code was sent a moment ago", 1);
        backend.advance(SECOND);
        assert_eq!(answer(backend.ask(&phone)).await.0, 200);
    });
}

#[test]
fn a_number_is_one_number_however_it_is_written() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let phone = fresh_phone();
        backend.code_for(&phone).await;
        let digits: u64 = phone.0.parse().unwrap();
        for body in [
            json!({ "zone": 86, "number": digits }),
            json!({ "zone": "+86", "number": format!("{} {}", &phone.0[..3], &phone.0[3..]) }),
            json!({ "number": phone.e164() }),
        ] {
            let asked = whole(backend.post("/verify_code").json(&body)).await;
            asked.assert_limited("a code was sent a moment ago", 60);
        }
        assert_eq!(backend.texts(&phone).await.len(), 1);
    });
}

#[test]
fn a_number_without_an_account_is_sent_three_codes_in_any_hour() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let phone = fresh_phone();
        assert_all_sent(&backend, &phone, 3).await;
        backend.advance(MINUTE);
        whole(backend.ask(&phone)).await.assert_limited("too many codes to this number", 3_420);
        // Any period of an hour, not an hour of the clock: the third code before this one was sent at ten.
        backend.advance(MINUTE * 56 + SECOND * 59);
        whole(backend.ask(&phone)).await.assert_limited("too many codes to this number", 1);
        backend.advance(SECOND);
        assert_eq!(answer(backend.ask(&phone)).await.0, 200);
        // The second of them was sent a minute later.
        whole(backend.ask(&phone)).await.assert_limited("too many codes to this number", 60);
    });
}

#[test]
fn a_number_without_an_account_is_sent_six_codes_in_any_day() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let phone = fresh_phone();
        assert_all_sent(&backend, &phone, 3).await;
        backend.advance(MINUTE * 58);
        assert_all_sent(&backend, &phone, 3).await;
        backend.advance(HOUR);
        whole(backend.ask(&phone)).await.assert_limited("too many codes to this number", 86_400 - 7_200 - 120);
        assert_eq!(backend.texts(&phone).await.len(), 6);
        backend.advance(HOUR * 21 + MINUTE * 58);
        assert_eq!(answer(backend.ask(&phone)).await.0, 200);
    });
}

#[test]
fn an_address_may_ask_for_a_number_of_codes_in_a_clock_hour() {
    run(async {
        let backend = Backend::frozen(&[("CodesPerIpHour", "3"), ("CaptchaRequired", "false")]).await;
        for _ in 0..3 {
            backend.code_for(&fresh_phone()).await;
        }
        let phone = fresh_phone();
        backend.advance(MINUTE);
        whole(backend.ask(&phone)).await.assert_limited("too many codes from this address", 3_540);
        // The IP address comes from the gateway; a header changes nothing.
        let pretended = backend.ask(&phone).header("x-forwarded-for", "192.0.2.1").header("forwarded", "for=192.0.2.1");
        whole(pretended).await.assert_limited("too many codes from this address", 3_540);
        assert_untouched(&backend, &phone).await;
        let counted = backend.items_below("address#").await;
        assert_eq!(counted.len(), 1, "{counted:?}");
        assert_eq!(number(&counted[0], "count"), Some(3));
        backend.advance(MINUTE * 59);
        assert_eq!(answer(backend.ask(&phone)).await.0, 200);
    });
}

#[test]
fn a_country_is_sent_a_number_of_codes_in_a_clock_hour() {
    run(async {
        let backend = Backend::frozen(&[("CodesPerCountryHour", "2")]).await;
        backend.code_for(&fresh_phone()).await;
        backend.code_for(&fresh_phone()).await;
        let phone = fresh_phone();
        whole(backend.ask(&phone)).await.assert_limited("too many codes to this country", 3_600);
        assert_untouched(&backend, &phone).await;
        let elsewhere = backend.post("/verify_code").query(&[("zone", "852"), ("number", "51234567")]);
        assert_eq!(answer(elsewhere).await.0, 200);
        backend.advance(HOUR);
        assert_eq!(answer(backend.ask(&phone)).await.0, 200);
    });
}

#[test]
fn a_country_is_sent_a_number_of_codes_in_a_day() {
    run(async {
        let backend = Backend::frozen(&[("CodesPerCountryDay", "2")]).await;
        backend.code_for(&fresh_phone()).await;
        backend.code_for(&fresh_phone()).await;
        let phone = fresh_phone();
        backend.advance(HOUR);
        whole(backend.ask(&phone)).await.assert_limited("too many codes to this country", 13 * 3_600);
        assert_untouched(&backend, &phone).await;
        backend.advance(HOUR * 13);
        assert_eq!(answer(backend.ask(&phone)).await.0, 200);
    });
}

#[test]
fn a_country_that_is_not_served_is_refused_and_leaves_nothing() {
    run(async {
        let backend = Backend::start(&[("AllowedCountries", "86,852")]).await;
        let to = |zone: &str, number: &str| backend.post("/verify_code").query(&[("zone", zone), ("number", number)]);
        for (zone, number) in [("1", "4155552671"), ("44", "7911123456"), ("", "+14155552671")] {
            assert_eq!(answer(to(zone, number)).await, refused("no codes are sent to this country"), "{zone}");
        }
        assert_eq!(backend.count_items().await, 0);
        assert_eq!(answer(to("852", "51234567")).await.0, 200);
        assert_eq!(answer(backend.ask(&fresh_phone())).await.0, 200);
        assert_eq!(backend.running.endpoints().texts(None).len(), 2);
    });
}

/// The guard without its rule about networks, because all requests here come from one network.
const GUARD: [(&str, &str); 2] = [("ConversionAddresses", "1"), ("ConversionPerAddress", "1000")];

#[test]
fn a_block_whose_codes_nobody_uses_is_refused_from_the_fifty_first() {
    run(async {
        let backend = Backend::frozen(&GUARD).await;
        let first = fresh_phone();
        for n in 0..50 {
            backend.code_for(&first.neighbour(n)).await;
        }
        let next = first.neighbour(50);
        let words = "too many unused codes to numbers like this one";
        whole(backend.ask(&next)).await.assert_limited(words, 3_600);
        assert!(backend.items(&format!("phone#{}", next.e164())).await.is_empty());
        assert!(backend.texts(&next).await.is_empty());
        let block = backend.items(&format!("block#+86{}", &first.0[..7])).await;
        assert_eq!((block.len(), number(&block[0], "sent")), (1, Some(50)));
        // Other blocks are not affected, and this one is open again in the next hour.
        assert_eq!(answer(backend.ask(&fresh_phone())).await.0, 200);
        backend.advance(HOUR);
        assert_eq!(answer(backend.ask(&next)).await.0, 200);
    });
}

#[test]
fn a_block_of_whose_codes_a_fifth_is_used_is_not_refused() {
    run(async {
        let backend = Backend::frozen(&GUARD).await;
        let first = fresh_phone();
        for n in 0..50 {
            let phone = first.neighbour(n);
            let code = backend.code_for(&phone).await;
            if n % 5 == 0 {
                assert_eq!(backend.sign_in(&phone, &code).await.0, 200);
            }
        }
        // Ten of fifty codes were used. After the next code is sent, less than a fifth is used.
        assert_eq!(answer(backend.ask(&first.neighbour(50))).await.0, 200);
        let refused = whole(backend.ask(&first.neighbour(51))).await;
        refused.assert_limited("too many unused codes to numbers like this one", 3_600);
        // Using a code opens the block again.
        let code = backend.newest_code(&first.neighbour(50)).await;
        assert_eq!(backend.sign_in(&first.neighbour(50), &code).await.0, 200);
        assert_eq!(answer(backend.ask(&first.neighbour(51))).await.0, 200);
    });
}
