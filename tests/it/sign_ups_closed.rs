//! With `SignUps=false`, no text is sent to a number that has no account, in any API, and nobody can see it.

use std::time::Duration;

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::accounts::{
    PASSWORD, device_recover, device_register_with, device_sign_in, rooms_by_code, sealtalk_register_with,
    sealtalk_sign_in, sealtalk_verify, web_ask, web_sign_in,
};
use crate::support::backend::{Whole, whole};
use crate::support::round_trips::documented;
use crate::support::{Backend, Phone, fresh_phone, run};

/// A backend that creates no accounts, and a number with an account that has [`PASSWORD`].
async fn closed() -> (Backend, Phone) {
    let parameters = [("SignUps", "false"), ("CodesPerPhoneHour", "50"), ("CodesPerPhoneDay", "50")];
    let backend = Backend::frozen(&parameters).await;
    // An account as another backend has made it: the password's hash depends on no setting.
    let open = Backend::frozen(&[]).await;
    let phone = fresh_phone();
    let (id, _) = crate::support::accounts::web_register(&open, &phone, PASSWORD).await;
    for (pk, sk) in [(format!("phone#{}", phone.e164()), "claim"), (format!("user#{id}"), "account")] {
        backend.put_item(open.item(&pk, sk).await.expect("an item")).await;
    }
    (backend, phone)
}

/// How each API requests a code that signs in, or proves a number for what comes later.
fn requests(backend: &Backend, phone: &Phone) -> Vec<(&'static str, RequestBuilder)> {
    vec![
        ("messenger", backend.ask(phone)),
        ("sealtalk", backend.post("/user/send_code").json(&json!({ "region": "86", "phone": phone.0 }))),
        ("rooms", backend.post("/phonelogin/").json(&json!({ "phone": phone.0 }))),
        ("device", backend.post("/verification_codes").json(&json!({ "flag": 1, "phoneNumber": phone.0 }))),
        ("supabase", backend.post("/auth/v1/otp").json(&json!({ "phone": phone.e164() }))),
    ]
}

/// A response without what belongs to this request: the number, and the code that the local run shows.
fn shown(answer: &Whole, phone: &Phone) -> (u16, Value) {
    let mut body: Value = serde_json::from_str(&answer.body.to_string().replace(&phone.0, "number")).expect("JSON");
    for code in ["code", "captcha"] {
        // Other fields of this name have three digits.
        if body[code].as_str().is_some_and(|code| code.len() > 3) {
            body[code] = json!("a code");
        }
    }
    (answer.status, body)
}

#[test]
fn a_number_without_an_account_gets_no_text_and_the_same_responses() {
    run(async {
        let (backend, known) = closed().await;
        let unknown = fresh_phone();
        for ((api, asked), (_, of_unknown)) in requests(&backend, &known).into_iter().zip(requests(&backend, &unknown))
        {
            let (before, texts) = (backend.texts(&known).await.len(), backend.running.endpoints().texts(None).len());
            let (one, other) = (whole(asked).await, whole(of_unknown).await);
            assert_eq!(shown(&one, &known), shown(&other, &unknown), "{api}");
            assert_eq!(one.status, 200, "{api}");
            assert_eq!(one.rounds(), documented("… for existing users only"), "{api}");
            assert_eq!(other.rounds(), documented("… and the number has no account"), "{api}");
            assert_eq!(backend.texts(&known).await.len(), before + 1, "{api}");
            assert_eq!(backend.running.endpoints().texts(None).len(), texts + 1, "{api}: only one of them got a text");
            // Both are counted: the next request comes too soon.
            let soon =
                |phone: &Phone| requests(&backend, phone).into_iter().find(|(name, _)| *name == api).expect(api).1;
            let (one, other) = (whole(soon(&known)).await, whole(soon(&unknown)).await);
            assert_eq!(shown(&one, &known), shown(&other, &unknown), "{api}");
            assert!(one.body.to_string().contains("a code was sent a moment ago"), "{api}: {}", one.body);
            backend.advance(Duration::from_secs(61));
        }
        // The code that the messenger API requested is not sent by another API either.
        whole(backend.ask(&unknown)).await;
        backend.advance(Duration::from_secs(61));
        let resend = backend.post("/auth/v1/resend").json(&json!({ "type": "sms", "phone": unknown.e164() }));
        assert_eq!(whole(resend).await.body, json!({}));
        assert_eq!(backend.texts(&unknown).await.len(), 0);
    });
}

#[test]
fn requests_for_codes_that_could_only_create_an_account_are_refused_for_every_number() {
    run(async {
        let (backend, known) = closed().await;
        let items = backend.count_items().await;
        for phone in [&known, &fresh_phone()] {
            let asked = backend.post("/verification_codes").json(&json!({ "flag": 0, "phoneNumber": phone.0 }));
            let refused = json!({ "success": false, "msg": "no new accounts are created" });
            assert_eq!(whole(asked).await.body, refused);
            assert_eq!(web_ask(&backend, phone).await["errno"], "4201");
            assert_eq!(backend.texts(phone).await.len(), 0);
        }
        let captchas = 2;
        assert!(backend.count_items().await <= items + captchas, "nothing else is stored");
    });
}

#[test]
fn who_has_an_account_signs_in_and_recovers_as_ever() {
    run(async {
        let (backend, known) = closed().await;
        let minute = Duration::from_secs(61);
        backend.person_on(&known).await;
        backend.advance(minute);
        rooms_by_code(&backend, &known).await;
        assert!(web_sign_in(&backend, &known, PASSWORD).await.is_some());
        assert!(device_sign_in(&backend, &known, PASSWORD).await.is_some());
        device_recover(&backend, &known, "N3w-P@ssw0rd").await;
        assert!(sealtalk_sign_in(&backend, &known, "N3w-P@ssw0rd").await.is_some());
        backend.advance(minute);
        let token = sealtalk_verify(&backend, &known).await;
        let reset = json!({ "password": PASSWORD, "verification_token": token });
        assert_eq!(whole(backend.post("/user/reset_password").json(&reset)).await.body, json!({ "code": 200 }));
        assert!(sealtalk_sign_in(&backend, &known, PASSWORD).await.is_some());
        // A proved number of an account makes no second account.
        backend.advance(minute);
        let token = sealtalk_verify(&backend, &known).await;
        assert_eq!(sealtalk_register_with(&backend, &token, PASSWORD).await, None);
        assert_eq!(device_register_with(&backend, &known, "123456", PASSWORD).await, None);
    });
}

#[test]
fn only_clients_that_ask_for_existing_users_are_told_of_unknown_numbers() {
    run(async {
        let backend = Backend::frozen(&[("SignUps", "false"), ("TellUnknownNumbers", "true")]).await;
        for (api, asked) in requests(&backend, &fresh_phone()).into_iter().take(1) {
            assert_eq!(whole(asked).await.status, 200, "{api}");
        }
        let asked = backend.post("/auth/v1/otp").json(&json!({ "phone": fresh_phone().e164() }));
        assert_eq!(whole(asked).await.body["error_code"], "otp_disabled");
    });
}
