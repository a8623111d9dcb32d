//! Entering codes: how long, how often and for which number a code works.

use std::time::Duration;

use serde_json::json;

use crate::support::accounts::PASSWORD;
use crate::support::backend::{answer, whole};
use crate::support::table::number;
use crate::support::users::{NOT_IN_ZONE, refused, wrong_code};
use crate::support::{Backend, fresh_phone, run, shared};

const SPENT: &str = "too many wrong tries; request a new code";

#[test]
fn a_code_works_until_the_last_moment_of_its_five_minutes() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let (early, late) = (fresh_phone(), fresh_phone());
        let (code, late_code) = (backend.code_for(&early).await, backend.code_for(&late).await);
        backend.advance(Duration::from_millis(299_999));
        assert_eq!(backend.sign_in(&early, &code).await.0, 200);
        backend.advance(Duration::from_millis(1));
        assert_eq!(backend.sign_in(&late, &late_code).await, refused("the code has expired; request a new one"));
        assert_eq!(
            backend.sign_in(&late, &wrong_code(&late_code, 1)).await,
            refused("the code has expired; request a new one")
        );
        assert!(backend.item(&format!("phone#{}", late.e164()), "claim").await.is_none());
        let code = backend.code_for(&late).await;
        assert_eq!(backend.sign_in(&late, &code).await.0, 200);
    });
}

#[test]
fn five_wrong_guesses_spend_a_code_and_a_new_one_may_be_asked_for() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let phone = fresh_phone();
        let code = backend.code_for(&phone).await;
        for n in 1..=5 {
            assert_eq!(backend.sign_in(&phone, &wrong_code(&code, n)).await, refused("wrong code"));
            assert_eq!(number(&backend.code_item(&phone).await.unwrap(), "tries"), Some(n.into()));
        }
        assert_eq!(backend.sign_in(&phone, &wrong_code(&code, 6)).await, refused(SPENT));
        assert_eq!(backend.sign_in(&phone, &code).await, refused(SPENT), "the right code is refused as well");
        assert_eq!(number(&backend.code_item(&phone).await.unwrap(), "tries"), Some(5));
        whole(backend.ask(&phone)).await.assert_limited("a code was sent a moment ago", 60);
        backend.advance(Duration::from_mins(1));
        let fresh = backend.code_for(&phone).await;
        assert_eq!(backend.sign_in(&phone, &fresh).await.0, 200);
    });
}

#[test]
fn the_fifth_guess_may_be_right() {
    run(async {
        let (backend, phone) = (shared().await, fresh_phone());
        let code = backend.code_for(&phone).await;
        for n in 1..=4 {
            assert_eq!(backend.sign_in(&phone, &wrong_code(&code, n)).await, refused("wrong code"));
        }
        assert_eq!(backend.sign_in(&phone, &code).await.0, 200);
    });
}

#[test]
fn a_code_is_bound_to_its_number() {
    run(async {
        let (backend, one, other) = (shared().await, fresh_phone(), fresh_phone());
        let (code, other_code) = (backend.code_for(&one).await, backend.code_for(&other).await);
        if code != other_code {
            assert_eq!(backend.sign_in(&other, &code).await, refused("wrong code"));
        }
        assert_eq!(
            backend.sign_in(&fresh_phone(), &code).await,
            refused("no code to check: it was used already or never requested; request a new one")
        );
        assert_eq!(backend.sign_in(&other, &other_code).await.0, 200);
        assert_eq!(backend.sign_in(&one, &code).await.0, 200);
    });
}

#[test]
fn a_digest_moved_to_another_number_is_worth_nothing() {
    run(async {
        let (backend, one, other) = (shared().await, fresh_phone(), fresh_phone());
        let code = backend.code_for(&one).await;
        backend.code_for(&other).await;
        let digest = backend.code_item(&one).await.unwrap()["digest"].clone();
        let mut item = backend.code_item(&other).await.unwrap();
        item.insert("digest".into(), digest);
        backend.put_item(item).await;
        assert_eq!(backend.sign_in(&other, &code).await, refused("wrong code"));
        assert_eq!(backend.sign_in(&one, &code).await.0, 200);
    });
}

#[test]
fn a_newer_code_replaces_the_one_before() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let phone = fresh_phone();
        let old = backend.code_for(&phone).await;
        backend.sign_in(&phone, &wrong_code(&old, 1)).await;
        backend.advance(Duration::from_mins(1));
        let new = backend.code_for(&phone).await;
        assert_eq!(number(&backend.code_item(&phone).await.unwrap(), "tries"), Some(0), "guesses start anew");
        if old != new {
            assert_eq!(backend.sign_in(&phone, &old).await, refused("wrong code"));
        }
        assert_eq!(backend.sign_in(&phone, &new).await.0, 200);
    });
}

#[test]
fn a_number_nobody_asked_a_code_for_has_none() {
    run(async {
        let backend = Backend::start(&[]).await;
        let words = "no code to check: it was used already or never requested; request a new one";
        assert_eq!(backend.sign_in(&fresh_phone(), "123456").await, refused(words));
        assert_eq!(backend.count_items().await, 0);
    });
}

#[test]
fn signing_in_takes_a_form_and_numbers_in_place_of_strings() {
    run(async {
        let (backend, phone) = (shared().await, fresh_phone());
        let code = backend.code_for(&phone).await;
        let form = [("zone", "+86"), ("number", phone.0.as_str()), ("code", code.as_str())];
        let (status, tokens) = answer(backend.post("/auth/token").form(&form)).await;
        assert_eq!(status, 200, "{tokens}");

        let phone = fresh_phone();
        let code = backend.code_for(&phone).await;
        let digits: u64 = phone.0.parse().unwrap();
        // Numbers have no leading zeros, so a client that sends codes as numbers loses them; strings keep them.
        let code = if code.starts_with('0') { json!(code) } else { json!(code.parse::<u32>().unwrap()) };
        let body = json!({ "zone": 86, "number": digits, "code": code });
        let (status, tokens) = answer(backend.post("/auth/token").json(&body)).await;
        assert_eq!(status, 200, "{tokens}");
    });
}

#[test]
fn a_sign_in_that_cannot_be_read_counts_no_guess() {
    run(async {
        let (backend, phone) = (shared().await, fresh_phone());
        let code = backend.code_for(&phone).await;
        for (body, words) in [
            (json!({ "zone": "86", "number": phone.0 }), "code is missing"),
            (json!({ "zone": "86", "code": code }), "number is missing"),
            (json!({ "zone": "86", "number": "1", "code": code }), NOT_IN_ZONE),
            (
                json!({ "zone": "86", "number": phone.0, "code": code, "apns_device_token": "a".repeat(513) }),
                "device token must have at most 512 printable bytes",
            ),
            (
                json!({ "zone": "86", "number": phone.0, "code": code, "ng_device_token": "a\u{7}b" }),
                "device token must have at most 512 printable bytes",
            ),
        ] {
            assert_eq!(answer(backend.post("/auth/token").json(&body)).await, refused(words), "{body}");
        }
        let odd = answer(backend.post("/auth/token").body("{\"number\":{}}")).await;
        assert_eq!(odd, refused("number must be a string or a whole number"));
        assert_eq!(number(&backend.code_item(&phone).await.unwrap(), "tries"), Some(0));
    });
}

#[test]
fn what_can_be_no_code_costs_no_guess_in_any_api() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let phone = fresh_phone();
        let code = backend.code_for(&phone).await;
        let before = backend.count_items().await;
        let words = "code must have 6 digits";
        let bad = ["", " ", "12", "12345", "1234567", "abcdef", "-12345", "null", &"1".repeat(1_000)];
        let numbers = [json!(-1), json!(1_234_567)];
        for bad in bad.into_iter().map(|text| json!(text)).chain(numbers) {
            let messenger = backend.post("/auth/token").json(&json!({ "number": phone.0, "code": bad }));
            assert_eq!(answer(messenger).await, refused(words), "{bad}");
            let web = json!({ "mobile": phone.0, "sms_code": bad, "password": PASSWORD });
            let (status, body) = answer(backend.post("/api/v1.0/users").json(&web)).await;
            assert_eq!((status, &body["errno"]), (200, &json!("4103")), "{bad}");
            let sealtalk = backend.post("/user/verify_code").json(&json!({ "phone": phone.0, "code": bad }));
            assert_eq!(answer(sealtalk).await, (400, json!({ "code": 400, "message": words })), "{bad}");
            let device = (200, json!({ "success": false, "msg": words }));
            let check = json!({ "phoneNumber": phone.0, "code": bad });
            assert_eq!(answer(backend.post("/verification_codes/verify").json(&check)).await, device, "{bad}");
            let register = json!({ "code": bad, "user": { "phoneNumber": phone.0, "password": PASSWORD } });
            assert_eq!(answer(backend.post("/users/register").json(&register)).await, device, "{bad}");
            let recover = json!({ "phoneNumber": phone.0, "code": bad, "password": PASSWORD });
            assert_eq!(answer(backend.put("/users/update-password").json(&recover)).await, device, "{bad}");
            let rooms = (400, json!({ "status": "FAIL", "msg": words, "code": "400" }));
            let sign_in = json!({ "phone": phone.0, "captcha": bad });
            assert_eq!(answer(backend.post("/phonelogin/").json(&sign_in)).await, rooms, "{bad}");
            assert_eq!(answer(backend.get("/phonelogin/").json(&sign_in)).await, rooms, "{bad}");
        }
        assert_eq!(number(&backend.code_item(&phone).await.unwrap(), "tries"), Some(0));
        assert_eq!(backend.count_items().await, before, "nothing is counted against the address either");
        assert_eq!(backend.sign_in(&phone, &code).await.0, 200);
    });
}

#[test]
fn a_code_may_be_typed_in_any_script_and_with_spaces() {
    run(async {
        let backend = shared().await;
        for typed in [
            |digit: u32| char::from_u32(0x660 + digit).unwrap().to_string(),
            |digit: u32| char::from_u32(0xff10 + digit).unwrap().to_string(),
            |digit: u32| format!("{digit} "),
            |digit: u32| format!("\u{200e}{digit}-"),
        ] {
            let phone = fresh_phone();
            let code = backend.code_for(&phone).await;
            let code: String = code.chars().map(|c| typed(c.to_digit(10).unwrap())).collect();
            assert_eq!(backend.sign_in(&phone, &code).await.0, 200, "{code}");
        }
    });
}
