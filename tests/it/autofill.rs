//! Texts from which phones fill the code in: the last line for iOS and browsers, and the hash of an Android app.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::backend::answer;
use crate::support::{Backend, Phone, fresh_phone, run};

const HASH: &str = "FA+9qCX9VSu";
const OF_ANOTHER_APP: &str = "AAAAAAAAAAA";
const BOTH: [(&str, &str); 2] = [("SmsAutofillHost", "app.example.com"), ("SmsAppHashes", "EvsSSj4C6vl,FA+9qCX9VSu")];
const MALFORMED: &str = "app_hash must have 11 characters: letters, digits, + and /";

/// A route that sends a text: a request for one, and the API's error.
struct Route {
    ask: fn(&Backend, &Phone, &str) -> RequestBuilder,
    refused: fn(&str) -> (u16, Value),
}

/// Every route except the web API's, which needs a captcha.
const ROUTES: [Route; 7] = [
    Route {
        ask: |backend, phone, hash| backend.post("/verify_code").json(&json!({ "number": phone.0, "app_hash": hash })),
        refused: |words| (400, json!({ "error": words })),
    },
    Route {
        ask: |backend, phone, hash| {
            backend.get("/verify_code").query(&[("number", phone.0.as_str()), ("app_hash", hash)])
        },
        refused: |words| (400, json!({ "error": words })),
    },
    Route {
        ask: |backend, phone, hash| device(backend, phone, "app_hash", hash),
        refused: |words| (200, json!({ "success": false, "msg": words })),
    },
    Route {
        ask: |backend, phone, hash| device(backend, phone, "appHash", hash),
        refused: |words| (200, json!({ "success": false, "msg": words })),
    },
    Route {
        ask: |backend, phone, hash| sealtalk(backend, phone, "app_hash", hash),
        refused: |words| (400, json!({ "code": 400, "message": words })),
    },
    Route {
        ask: |backend, phone, hash| sealtalk(backend, phone, "appHash", hash),
        refused: |words| (400, json!({ "code": 400, "message": words })),
    },
    Route {
        ask: |backend, phone, hash| backend.post("/phonelogin/").json(&json!({ "phone": phone.0, "app_hash": hash })),
        refused: |words| (400, json!({ "status": "FAIL", "msg": words, "code": "400" })),
    },
];

fn device(backend: &Backend, phone: &Phone, field: &str, hash: &str) -> RequestBuilder {
    backend.post("/verification_codes").json(&json!({ "flag": 0, "phoneNumber": phone.0, field: hash }))
}

fn sealtalk(backend: &Backend, phone: &Phone, field: &str, hash: &str) -> RequestBuilder {
    backend.post("/user/send_code").json(&json!({ "region": "86", "phone": phone.0, field: hash }))
}

/// A request to the web API, with a captcha that is solved.
async fn web(backend: &Backend, phone: &Phone, hash: &str) -> (u16, Value) {
    let picture = backend.get("/api/v1.0/imagecode/an-id").send().await.expect("a picture");
    let text = picture.headers()["x-captcha-text"].to_str().expect("text").to_owned();
    let query = [("id", "an-id"), ("text", &text), ("app_hash", hash)];
    answer(backend.get(&format!("/api/v1.0/smscode/{phone}")).query(&query)).await
}

/// The one text to a phone, and the text with its code that is expected without a last line.
async fn text(backend: &Backend, phone: &Phone) -> (String, String, String) {
    let texts = backend.texts(phone).await;
    let [text] = texts.as_slice() else { panic!("one text, not {texts:?}") };
    let code = text["code"].as_str().expect("a code").to_owned();
    let body = text["body"].as_str().expect("a body").to_owned();
    let plain = format!("{code} is your verification code. It expires in 5 minutes.");
    (body, plain, code)
}

#[test]
fn every_api_addresses_the_text_to_an_app_that_is_allowed() {
    run(async {
        let backend = Backend::start(&BOTH).await;
        for (at, route) in ROUTES.iter().enumerate() {
            for (hash, last) in [(HASH, " FA+9qCX9VSu"), (OF_ANOTHER_APP, ""), ("", "")] {
                let phone = fresh_phone();
                let (status, answered) = answer((route.ask)(&backend, &phone, hash)).await;
                assert_eq!(status, 200, "{at}: {answered}");
                let (body, plain, code) = text(&backend, &phone).await;
                assert_eq!(body, format!("{plain}\n@app.example.com #{code}{last}"), "{at} {hash:?}");
            }
        }
        for (hash, last) in [(HASH, " FA+9qCX9VSu"), (OF_ANOTHER_APP, ""), ("", "")] {
            let phone = fresh_phone();
            assert_eq!(web(&backend, &phone, hash).await.1["errno"], "0");
            let (body, plain, code) = text(&backend, &phone).await;
            assert_eq!(body, format!("{plain}\n@app.example.com #{code}{last}"), "{hash:?}");
        }
    });
}

#[test]
fn a_hash_that_is_none_is_refused_and_nothing_is_sent() {
    run(async {
        let backend = Backend::start(&BOTH).await;
        for route in &ROUTES {
            let phone = fresh_phone();
            assert_eq!(answer((route.ask)(&backend, &phone, "FA+9qCX9VS=")).await, (route.refused)(MALFORMED));
            assert!(backend.texts(&phone).await.is_empty());
        }
        let phone = fresh_phone();
        assert_eq!(web(&backend, &phone, "short").await, (200, json!({ "errno": "4103", "errmsg": "参数错误" })));
        assert!(backend.texts(&phone).await.is_empty());
    });
}

#[test]
fn a_plus_that_is_not_encoded_is_understood() {
    run(async {
        let backend = Backend::start(&[("SmsAppHashes", HASH)]).await;
        let phone = fresh_phone();
        let asked = backend.get(&format!("/verify_code?number={phone}&app_hash={HASH}"));
        assert_eq!(answer(asked).await.0, 200);
        let (body, plain, _) = text(&backend, &phone).await;
        assert_eq!(body, format!("{plain}\n{HASH}"));
    });
}

#[test]
fn without_the_parameters_a_hash_changes_nothing() {
    run(async {
        let backend = Backend::start(&[]).await;
        let phone = fresh_phone();
        let (_, answered) = answer((ROUTES[0].ask)(&backend, &phone, HASH)).await;
        let (body, plain, code) = text(&backend, &phone).await;
        assert_eq!(body, plain);
        assert_eq!(answered["code"], code);
    });
}
