//! When a text message needs a solved captcha: in every API, for each value of `CaptchaRequired`.

use std::time::Duration;

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::backend::{answer, whole};
use crate::support::users::refused;
use crate::support::{Backend, Phone, fresh_phone, run};

const MINUTE: Duration = Duration::from_mins(1);
const NEEDED: &str = "a captcha is needed: get a picture, and send its id and its text with the request";
const WRONG: &str = "wrong captcha text; request a new captcha";

/// A captcha: its id and its text.
type Captcha = (String, String);

/// A route that sends a text, and its API's error messages.
struct Route {
    name: &'static str,
    ask: fn(&Backend, &Phone, Option<&Captcha>) -> RequestBuilder,
    /// Requests a captcha for it.
    picture: fn(&Backend) -> RequestBuilder,
    refused: fn(&str) -> (u16, Value),
}

const ROUTES: [Route; 6] = [
    Route {
        name: "messenger by POST",
        ask: |backend, phone, captcha| {
            let mut body = json!({ "zone": "86", "number": phone.0 });
            add(&mut body, captcha, ["captcha_id", "captcha"]);
            backend.post("/verify_code").json(&body)
        },
        picture: web_picture,
        refused,
    },
    Route {
        name: "messenger by GET",
        ask: |backend, phone, captcha| {
            let request = backend.get("/verify_code").query(&[("zone", "86"), ("number", &phone.0)]);
            match captcha {
                Some((id, text)) => request.query(&[("captcha_id", id), ("captcha", text)]),
                None => request,
            }
        },
        picture: web_picture,
        refused,
    },
    Route {
        name: "device",
        ask: |backend, phone, captcha| {
            let mut body = json!({ "flag": 0, "phoneNumber": phone.0 });
            add(&mut body, captcha, ["captcha_id", "captcha"]);
            backend.post("/verification_codes").json(&body)
        },
        picture: web_picture,
        refused: |words| (200, json!({ "success": false, "msg": words })),
    },
    Route {
        name: "device for a new password",
        ask: |backend, phone, captcha| {
            let mut body = json!({ "flag": 1, "phoneNumber": phone.0 });
            add(&mut body, captcha, ["captchaId", "captcha"]);
            backend.post("/verification_codes").json(&body)
        },
        picture: web_picture,
        refused: |words| (200, json!({ "success": false, "msg": words })),
    },
    Route {
        name: "rooms",
        ask: |backend, phone, captcha| {
            let mut body = json!({ "phone": phone.0 });
            add(&mut body, captcha, ["captcha_id", "captcha"]);
            backend.post("/phonelogin/").json(&body)
        },
        picture: web_picture,
        refused: |words| (400, json!({ "status": "FAIL", "msg": words, "code": "400" })),
    },
    Route {
        name: "SealTalk",
        ask: |backend, phone, captcha| {
            let mut body = json!({ "region": "86", "phone": phone.0 });
            add(&mut body, captcha, ["picCodeId", "picCode"]);
            backend.post("/user/send_code").json(&body)
        },
        picture: |backend| backend.get("/user/sms_img_code/an-id"),
        refused: |words| (400, json!({ "code": 400, "message": words })),
    },
];

fn add(body: &mut Value, captcha: Option<&Captcha>, names: [&str; 2]) {
    if let Some((id, text)) = captcha {
        body[names[0]] = json!(id);
        body[names[1]] = json!(text);
    }
}

fn web_picture(backend: &Backend) -> RequestBuilder {
    backend.get("/api/v1.0/imagecode/an-id")
}

impl Route {
    async fn captcha(&self, backend: &Backend) -> Captcha {
        let picture = (self.picture)(backend).send().await.expect("a picture");
        ("an-id".to_owned(), picture.headers()["x-captcha-text"].to_str().expect("text").to_owned())
    }

    async fn ask(&self, backend: &Backend, phone: &Phone, captcha: Option<&Captcha>) -> (u16, Value) {
        answer((self.ask)(backend, phone, captcha)).await
    }
}

/// Whether a response says that the code was sent.
fn is_sent((status, body): &(u16, Value)) -> bool {
    *status == 200 && body["success"] != false && body["code"] != 5_000
}

#[test]
fn every_route_that_sends_a_text_can_demand_a_captcha() {
    run(async {
        let backend = Backend::start(&[("CaptchaRequired", "true")]).await;
        for route in ROUTES {
            let phone = fresh_phone();
            let name = route.name;
            assert_eq!(route.ask(&backend, &phone, None).await, (route.refused)(NEEDED), "{name}");
            let empty = (String::new(), String::new());
            assert_eq!(route.ask(&backend, &phone, Some(&empty)).await, (route.refused)(NEEDED), "{name}");
            assert!(backend.items(&format!("phone#{}", phone.e164())).await.is_empty(), "{name}");
            let (id, _) = route.captcha(&backend).await;
            let wrong = (id, "????".to_owned());
            assert_eq!(route.ask(&backend, &phone, Some(&wrong)).await, (route.refused)(WRONG), "{name}");
            let captcha = route.captcha(&backend).await;
            let sent = route.ask(&backend, &phone, Some(&captcha)).await;
            assert!(is_sent(&sent), "{name}: {sent:?}");
            assert!(backend.code_item(&phone).await.is_some(), "{name}");
            backend.advance(MINUTE);
            let again = route.ask(&backend, &phone, Some(&captcha)).await;
            assert_eq!(
                again,
                (route.refused)("the captcha has expired or was already used; request a new one"),
                "{name}: it works once"
            );
        }
    });
}

#[test]
fn a_captcha_is_asked_for_above_half_of_an_addresss_cap() {
    run(async {
        for route in ROUTES {
            let backend = Backend::frozen(&[("CodesPerIpHour", "4")]).await;
            let name = route.name;
            for _ in 0..2 {
                let sent = route.ask(&backend, &fresh_phone(), None).await;
                assert!(is_sent(&sent), "{name}: {sent:?}");
            }
            let phone = fresh_phone();
            assert_eq!(route.ask(&backend, &phone, None).await, (route.refused)(NEEDED), "{name}");
            assert!(backend.items(&format!("phone#{}", phone.e164())).await.is_empty(), "{name}");
            for phone in [phone, fresh_phone()] {
                let captcha = route.captcha(&backend).await;
                let sent = route.ask(&backend, &phone, Some(&captcha)).await;
                assert!(is_sent(&sent), "{name}: {sent:?}");
            }
            let captcha = route.captcha(&backend).await;
            let full = route.ask(&backend, &fresh_phone(), Some(&captcha)).await;
            assert!(!is_sent(&full), "{name}: {full:?}");
            assert!(full.1.to_string().contains("too many codes from this address"), "{name}: {full:?}");
        }
    });
}

#[test]
fn a_known_address_is_never_asked_by_the_adaptive_rule() {
    run(async {
        let backend = Backend::frozen(&[("CodesPerIpHour", "6")]).await;
        let owner = fresh_phone();
        backend.person_on(&owner).await;
        for _ in 0..2 {
            assert_eq!(answer(backend.ask(&fresh_phone())).await.0, 200);
        }
        backend.advance(MINUTE);
        assert_eq!(answer(backend.ask(&fresh_phone())).await, refused(NEEDED));
        assert_eq!(answer(backend.ask(&owner)).await.0, 200);
        backend.advance(MINUTE);
        // A stranger who requests a code for the same number needs a captcha.
        let stranger = backend.at(1, 1);
        for _ in 0..3 {
            assert_eq!(answer(stranger.ask(&fresh_phone())).await.0, 200);
        }
        let asked = whole(stranger.ask(&owner)).await;
        assert_eq!((asked.status, &asked.body["error"]), (400, &json!(NEEDED)));
    });
}

#[test]
fn the_rule_can_be_turned_off() {
    run(async {
        let backend = Backend::frozen(&[("CaptchaRequired", "false"), ("CodesPerIpHour", "6")]).await;
        for route in ROUTES {
            let sent = route.ask(&backend, &fresh_phone(), None).await;
            assert!(is_sent(&sent), "{}: {sent:?}", route.name);
        }
    });
}
