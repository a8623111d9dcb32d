//! Requesting codes: accepted forms of the request, the response, the text, and the stored data.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use crate::support::backend::answer;
use crate::support::table::number;
use crate::support::users::{NOT_IN_ZONE, assert_malformed, refused};
use crate::support::{Backend, fresh_phone, run, shared};

/// Asserts that a code was sent, and that the response has exactly these other fields.
async fn assert_sent(backend: &Backend, phone: &crate::support::Phone, answered: (u16, Value), zone: &str) {
    let code = backend.newest_code(phone).await;
    assert_eq!(answered, (200, json!({ "zone": zone, "number": phone.0, "code": code })));
    assert_eq!(code.len(), 6);
    assert!(code.bytes().all(|digit| digit.is_ascii_digit()), "{code}");
    assert_eq!(backend.texts(phone).await.len(), 1);
}

#[test]
fn a_code_signs_in_and_makes_an_account_once() {
    run(async {
        let backend = shared().await;
        let phone = fresh_phone();
        let code = backend.code_for(&phone).await;
        let (status, tokens) = backend.sign_in(&phone, &code).await;
        assert_eq!(status, 200, "{tokens}");
        assert_eq!(tokens["token_type"], "Bearer");
        assert_eq!(tokens["expires_in"], 3600);
        assert_eq!(tokens["uid"], tokens["user_id"]);
        assert_eq!(
            backend.sign_in(&phone, &code).await,
            refused("no code to check: it was used already or never requested; request a new one")
        );
        let claim = backend.item(&format!("phone#{}", phone.e164()), "claim").await.expect("a claim");
        assert_eq!(number(&claim, "user"), tokens["uid"].as_i64());
    });
}

#[test]
fn a_code_is_asked_for_by_post_with_a_query_and_an_empty_body() {
    run(async {
        let (backend, phone) = (shared().await, fresh_phone());
        let request = backend.post(&format!("/verify_code?zone=86&number={phone}"));
        let answered = answer(request.header("content-type", "application/x-www-form-urlencoded").body("")).await;
        assert_sent(backend, &phone, answered, "86").await;
    });
}

#[test]
fn a_code_is_asked_for_by_form() {
    run(async {
        let (backend, phone) = (shared().await, fresh_phone());
        let answered = answer(backend.post("/verify_code").form(&[("zone", "86"), ("number", &phone.0)])).await;
        assert_sent(backend, &phone, answered, "86").await;
    });
}

#[test]
fn a_code_is_asked_for_by_json_with_numbers_in_place_of_strings() {
    run(async {
        let (backend, phone) = (shared().await, fresh_phone());
        let digits: u64 = phone.0.parse().unwrap();
        let answered = answer(backend.post("/verify_code").json(&json!({ "zone": 86, "number": digits }))).await;
        assert_sent(backend, &phone, answered, "86").await;
    });
}

#[test]
fn a_code_is_asked_for_by_get() {
    run(async {
        let (backend, phone) = (shared().await, fresh_phone());
        let answered = answer(backend.get(&format!("/verify_code?zone=86&number={phone}"))).await;
        assert_sent(backend, &phone, answered, "86").await;
    });
}

#[test]
fn without_a_zone_the_number_is_chinese_and_the_zone_is_answered() {
    run(async {
        let (backend, phone) = (shared().await, fresh_phone());
        let answered = answer(backend.post("/verify_code").json(&json!({ "number": phone.0 }))).await;
        assert_sent(backend, &phone, answered, "86").await;
    });
}

#[test]
fn zone_and_number_are_answered_as_they_were_asked() {
    run(async {
        let (backend, phone) = (shared().await, fresh_phone());
        let request = backend.post("/verify_code").query(&[("zone", "+86"), ("number", &phone.0)]);
        let answered = answer(request).await;
        assert_sent(backend, &phone, answered, "+86").await;
        let phone = fresh_phone();
        let (status, body) = answer(backend.post("/verify_code").json(&json!({ "number": phone.e164() }))).await;
        assert_eq!((status, &body["number"]), (200, &json!(phone.e164())));
        assert_eq!(backend.texts(&phone).await.len(), 1);
    });
}

#[test]
fn a_stage_with_real_users_does_not_show_codes() {
    run(async {
        let backend = Backend::start(&[("ExposeCodes", "false")]).await;
        let phone = fresh_phone();
        assert_eq!(answer(backend.ask(&phone)).await, (200, json!({ "zone": "86", "number": phone.0 })));
        let code = backend.newest_code(&phone).await;
        assert_eq!(backend.sign_in(&phone, &code).await.0, 200);
    });
}

#[test]
fn what_is_no_number_is_refused_and_leaves_nothing() {
    run(async {
        let backend = Backend::start(&[]).await;
        for (zone, number) in [("86", "12345"), ("86", ""), ("86", "abc"), ("86", "1391234567890"), ("86", "+1")] {
            let request = backend.post("/verify_code").query(&[("zone", zone), ("number", number)]);
            assert_eq!(answer(request).await, refused(NOT_IN_ZONE), "{zone} {number}");
        }
        for zone in ["x", "-86", "999", "US"] {
            let request = backend.post("/verify_code").query(&[("zone", zone), ("number", "13912345678")]);
            let words = "zone must be a country calling code in digits, such as 86 or 1";
            assert_eq!(answer(request).await, refused(words), "{zone}");
        }
        for number in ["+8613912345678", "008613912345678"] {
            let request = backend.post("/verify_code").query(&[("zone", "44"), ("number", number)]);
            let words = "zone is not the country code that the number starts with";
            assert_eq!(answer(request).await, refused(words), "{number}");
        }
        assert_eq!(backend.count_items().await, 0);
        assert!(backend.running.endpoints().texts(None).is_empty());
    });
}

#[test]
fn what_cannot_be_read_is_refused_and_leaves_nothing() {
    run(async {
        let backend = Backend::start(&[]).await;
        assert_eq!(answer(backend.post("/verify_code")).await, refused("number is missing"));
        let no_object = refused("the body must be a JSON object");
        let neither = refused("send a JSON object, or a form with Content-Type: application/x-www-form-urlencoded");
        for (body, words) in [
            ("[]", &no_object),
            ("\"86\"", &no_object),
            ("zone=86&number=13912345678", &neither),
            ("null", &neither),
            ("\0", &neither),
        ] {
            assert_eq!(answer(backend.post("/verify_code").body(body)).await, *words, "{body}");
        }
        for body in
            [r#"{"number":"#, r#"{"number":null}"#, r#"{"number":[1]}"#, r#"{"number":1.5}"#, r#"{"number":true}"#]
        {
            assert_malformed(&answer(backend.post("/verify_code").body(body)).await);
        }
        assert_eq!(backend.count_items().await, 0);
    });
}

#[test]
fn the_text_is_the_template_with_code_and_minutes() {
    run(async {
        let parameters =
            [("SmsText", "验证码{code}，{minutes}分钟内有效"), ("CodeTtlSeconds", "90"), ("CodeDigits", "8")];
        let backend = Backend::start(&[&parameters[..], &[("SmsSenderId", "Handset")]].concat()).await;
        let phone = fresh_phone();
        let code = backend.code_for(&phone).await;
        assert_eq!(code.len(), 8);
        let text = &backend.running.endpoints().texts(Some(&phone.e164()))[0];
        assert_eq!(text.body, format!("验证码{code}，2分钟内有效"));
        assert_eq!(text.attributes["AWS.SNS.SMS.SMSType"], "Transactional");
        assert_eq!(text.attributes["AWS.SNS.SMS.SenderID"], "Handset");
        let text = shared().await;
        let phone = fresh_phone();
        let code = text.code_for(&phone).await;
        let expected = format!("{code} is your verification code. It expires in 5 minutes.");
        assert_eq!(text.texts(&phone).await[0]["body"], expected);
    });
}

#[test]
fn the_table_keeps_a_digest_and_never_the_code() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let phone = fresh_phone();
        let code = backend.code_for(&phone).await;
        let items = backend.items_below("").await;
        assert_eq!(items.len(), 2, "the code and its block's conversion: {items:?}");
        for (name, value) in items.iter().flatten() {
            let written = match value {
                AttributeValue::S(text) | AttributeValue::N(text) => text.clone(),
                AttributeValue::B(bytes) => {
                    assert_eq!((name.as_str(), bytes.as_ref().len()), ("digest", 32));
                    String::from_utf8_lossy(bytes.as_ref()).into_owned()
                }
                AttributeValue::Ns(groups) => {
                    assert_eq!((name.as_str(), groups.len()), ("groups", 1));
                    groups.concat()
                }
                other => panic!("{name} is {other:?}"),
            };
            // Times and the phone are longer runs of digits, which may contain any code by chance.
            assert!(!written.split(|c: char| !c.is_ascii_digit()).any(|digits| digits == code), "{name}: {written}");
        }
        let item = backend.code_item(&phone).await.unwrap();
        let sent = number(&item, "s0").unwrap();
        assert_eq!(number(&item, "expires"), Some(sent + 300_000));
        assert_eq!(number(&item, "tries"), Some(0));
        assert!(number(&item, "ttl").unwrap() > sent / 1_000 + 86_400, "the daily cap has to outlive its day");
    });
}

#[test]
fn two_codes_for_one_number_have_different_digests() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let phone = fresh_phone();
        backend.code_for(&phone).await;
        let first = backend.code_item(&phone).await.unwrap()["digest"].clone();
        backend.advance(Duration::from_mins(1));
        backend.code_for(&phone).await;
        assert_ne!(backend.code_item(&phone).await.unwrap()["digest"], first);
    });
}

#[test]
fn a_code_sent_as_a_number_may_have_lost_its_leading_zeros() {
    run(async {
        let backend = Backend::frozen(&[("CodesPerPhoneHour", "50"), ("CodesPerPhoneDay", "50")]).await;
        for _ in 0..200 {
            let phone = fresh_phone();
            let code = backend.code_for(&phone).await;
            let number: u64 = code.parse().unwrap();
            let body = json!({ "zone": 86, "number": phone.0.parse::<u64>().unwrap(), "code": number });
            let (status, tokens) = answer(backend.post("/auth/token").json(&body)).await;
            assert_eq!(status, 200, "{tokens}");
            if code.starts_with('0') {
                return;
            }
        }
        panic!("no code began with a zero");
    });
}
