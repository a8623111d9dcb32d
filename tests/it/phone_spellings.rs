//! Numbers as people write them, in every API, and which of them receive a text.

use serde_json::{Value, json};

use crate::support::accounts::{PASSWORD, web_register};
use crate::support::backend::answer;
use crate::support::users::{NO_MOBILE, NO_NUMBER, refused};
use crate::support::{Backend, Phone, fresh_phone, run, shared};

/// Requests a text to a number from every API, and returns their responses.
async fn ask_everywhere(backend: &Backend, number: &str) -> [Value; 5] {
    let picture = backend.get("/api/v1.0/imagecode/a").send().await.expect("a picture");
    let text = picture.headers()["x-captcha-text"].to_str().expect("text").to_owned();
    let number_in_path = number.bytes().fold(String::new(), |path, byte| format!("{path}%{byte:02X}"));
    let web =
        backend.get(&format!("/api/v1.0/smscode/{number_in_path}")).query(&[("text", text.as_str()), ("id", "a")]);
    [
        answer(backend.post("/verify_code").json(&json!({ "number": number }))).await.1["error"].clone(),
        answer(web).await.1["errno"].clone(),
        answer(backend.post("/user/send_code").json(&json!({ "phone": number }))).await.1["message"].clone(),
        answer(backend.post("/verification_codes").json(&json!({ "flag": 0, "phoneNumber": number }))).await.1["msg"]
            .clone(),
        answer(backend.post("/phonelogin/").json(&json!({ "phone": number }))).await.1["msg"].clone(),
    ]
}

#[test]
fn a_letter_in_a_number_texts_nobody() {
    run(async {
        let backend = Backend::start(&[]).await;
        for number in
            ["1395551236a", "139555123CALL", "+1 650 CALL NOW", "13955512360#", "tel:13955512360", "1395551x360"]
        {
            let expected = [json!(NO_NUMBER), json!("4103"), json!(NO_NUMBER), json!(NO_NUMBER), json!(NO_NUMBER)];
            assert_eq!(ask_everywhere(&backend, number).await, expected, "{number}");
        }
        assert!(backend.running.endpoints().texts(None).is_empty());
        let entries = json!([{ "zone": "86", "number": "1395551236a" }]);
        let person = backend.person().await;
        assert_eq!(answer(backend.look_up(&person, &entries)).await.1[0]["uid"], 0);
    });
}

#[test]
fn texts_go_to_no_number_that_is_known_to_be_no_mobile() {
    run(async {
        let backend = Backend::start(&[]).await;
        // Fixed lines, toll-free, shared cost, premium, personal, VoIP, universal access.
        for number in [
            "010 6552 9988",
            "800 123 4567",
            "400 123 4567",
            "+442070313000",
            "+447012345678",
            "+18002530000",
            "+19002345678",
            "+815012345678",
            "+4970012345678",
            "+80012345678",
        ] {
            let expected = [json!(NO_MOBILE), json!("4103"), json!(NO_MOBILE), json!(NO_MOBILE), json!(NO_MOBILE)];
            assert_eq!(ask_everywhere(&backend, number).await, expected, "{number}");
        }
        let recovery = json!({ "flag": 1, "phoneNumber": "01065529988" });
        assert_eq!(answer(backend.post("/verification_codes").json(&recovery)).await.1["msg"], NO_MOBILE);
        let available = json!({ "region": "86", "phone": "01065529988" });
        assert_eq!(answer(backend.post("/user/check_phone_available").json(&available)).await.1["message"], NO_MOBILE);
        assert!(backend.running.endpoints().texts(None).is_empty());
        // Only the captcha that nobody has solved yet.
        assert_eq!(backend.count_items().await, 1);
        // In the United States mobile numbers and landlines look alike.
        assert_eq!(
            answer(backend.post("/verify_code").json(&json!({ "zone": 1, "number": "(415)555-2671" }))).await.0,
            200
        );
        assert_eq!(backend.running.endpoints().texts(None).len(), 1);
    });
}

#[test]
fn a_fixed_line_in_an_address_book_is_not_registered() {
    run(async {
        let backend = shared().await;
        let phone = fresh_phone();
        let person = backend.person_on(&phone).await;
        let list =
            json!([{ "zone": "86", "number": "010-65529988" }, { "zone": "86", "number": phone.0 }, { "number": "x" }]);
        let (status, found) = answer(backend.look_up(&person, &list)).await;
        assert_eq!(
            (status, &found[0]["uid"], &found[1]["uid"], &found[2]["uid"]),
            (200, &json!(0), &json!(person.uid), &json!(0))
        );
    });
}

/// The spellings of a number in mainland China.
fn spellings(phone: &Phone) -> Vec<String> {
    let (a, b, c) = (&phone.0[..3], &phone.0[3..7], &phone.0[7..]);
    let in_script =
        |zero: u32| phone.0.chars().map(|c| char::from_u32(zero + c.to_digit(10).unwrap()).unwrap()).collect();
    vec![
        format!("{a}-{b}-{c}"),
        format!("{a}.{b}.{c}"),
        format!("{a} {b} {c}"),
        format!("({a}) {b}/{c}"),
        format!("0086{phone}"),
        format!("86{phone}"),
        format!("86-{a}-{b}-{c}"),
        format!("(+86){phone}"),
        format!("+86 {a} {b} {c}"),
        format!("＋86{phone}"),
        format!("\u{202d}{a}\u{a0}{b}\u{a0}{c}\u{202c}"),
        format!("\u{2066}+86{phone}\u{2069}\u{200e}\u{200f}"),
        format!("{a}\u{ad}{b}\u{ad}{c}"),
        format!("0{phone}"),
        in_script(0xff10),
        in_script(0x660),
        in_script(0x966),
    ]
}

#[test]
fn a_friend_is_found_however_the_address_book_writes_the_number() {
    run(async {
        let backend = shared().await;
        let phone = fresh_phone();
        let person = backend.person_on(&phone).await;
        let entries: Vec<_> = spellings(&phone)
            .into_iter()
            .flat_map(|number| [json!({ "zone": "86", "number": number }), json!({ "number": number })])
            .collect();
        let (status, found) = answer(backend.look_up(&person, &json!(entries))).await;
        assert_eq!(status, 200, "{found}");
        for (entry, found) in entries.iter().zip(found.as_array().unwrap()) {
            assert_eq!((&found["uid"], &found["number"]), (&json!(person.uid), &entry["number"]), "{entry}");
        }
    });
}

#[test]
fn every_api_knows_an_account_by_every_spelling_of_its_number() {
    run(async {
        let backend = Backend::start(&[]).await;
        let phone = fresh_phone();
        let (id, _) = web_register(&backend, &phone, PASSWORD).await;
        for number in spellings(&phone) {
            let web = json!({ "mobile": number, "password": PASSWORD });
            assert_eq!(
                answer(backend.post("/api/v1.0/sessions").json(&web)).await.1["data"]["user_id"],
                id,
                "{number}"
            );
            let sealtalk = json!({ "phone": number, "password": PASSWORD });
            assert_eq!(answer(backend.post("/user/login").json(&sealtalk)).await.1["code"], 200, "{number}");
            let available = json!({ "phone": number });
            let available = answer(backend.post("/user/check_phone_available").json(&available)).await;
            assert_eq!(available, (200, json!({ "code": 200, "result": false })), "{number}");
            let device = json!({ "user": { "phoneNumber": number, "password": PASSWORD } });
            let (_, device) = answer(backend.post("/users/login").json(&device)).await;
            assert_eq!((&device["success"], &device["data"]["user"]["phoneNumber"]), (&json!(true), &json!(number)));
            // A code was sent to this number just before.
            let messenger = answer(backend.post("/verify_code").json(&json!({ "number": number }))).await;
            assert!(messenger.1["error"].as_str().unwrap().starts_with("a code was sent a moment ago"), "{number}");
            let rooms = answer(backend.post("/phonelogin/").json(&json!({ "phone": number }))).await;
            assert!(rooms.1["msg"].as_str().unwrap().starts_with("a code was sent a moment ago"), "{number}");
        }
    });
}

#[test]
fn a_region_is_served_without_the_others_of_its_calling_code() {
    run(async {
        let backend = Backend::start(&[("AllowedCountries", "US,CA,852")]).await;
        let to = |number: &str| backend.post("/verify_code").json(&json!({ "number": number }));
        for number in ["+18762101234", "+12423591234", "13912345678", "+447400123456"] {
            assert_eq!(answer(to(number)).await, refused("no codes are sent to this country"), "{number}");
        }
        assert_eq!(backend.count_items().await, 0);
        for number in ["+14155552671", "+15062345678", "+85251234567"] {
            assert_eq!(answer(to(number)).await.0, 200, "{number}");
        }
        let backend = Backend::start(&[("AllowedCountries", "1")]).await;
        for number in ["+14155552671", "+18762101234"] {
            let asked = backend.post("/verify_code").json(&json!({ "number": number }));
            assert_eq!(answer(asked).await.0, 200, "{number}");
        }
    });
}
