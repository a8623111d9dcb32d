//! No token, code, phone number or media name appears in a log.

use std::io::Cursor;
use std::time::Duration;

use emulator::Fault;
use image::{ImageFormat, RgbImage};
use serde_json::json;

use crate::support::backend::answer;
use crate::support::round_trips::log;
use crate::support::users::{internal_error, refused, wrong_code};
use crate::support::{Backend, Person, Phone, fresh_phone, run};

/// Secrets of this test that no log may contain.
#[derive(Default)]
struct Secrets {
    /// Texts that no logged text may contain.
    texts: Vec<String>,
    /// Codes: they are so short that a longer number may contain them by chance, so they must not appear as a separate
    /// number.
    codes: Vec<String>,
}

impl Secrets {
    fn phone(&mut self, phone: &Phone) {
        self.texts.push(phone.0.clone());
        self.texts.push(format!("{} {}", &phone.0[..3], &phone.0[3..]));
    }

    fn person(&mut self, person: &Person) {
        self.texts.push(person.access_token.clone());
        self.texts.push(person.access_token.rsplit('.').next().unwrap().to_owned());
        self.texts.push(person.refresh_token.clone());
    }

    /// The name of a stored object, without its folder and kind.
    fn media(&mut self, src: &str) {
        let name = src.rsplit('/').next().unwrap();
        self.texts.push(name.split(['.', '@']).next().unwrap().to_owned());
    }

    fn assert_not_in(&self, line: &str) {
        for text in &self.texts {
            assert!(!line.contains(text.as_str()), "{text} is in the log: {line}");
        }
        let numbers: Vec<_> = line.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        for code in &self.codes {
            assert!(!numbers.contains(&code.as_str()), "the code {code} is in the log: {line}");
        }
    }
}

/// Every kind of error that DynamoDB's client distinguishes, with messages that repeat the caller's input.
fn faults(detail: &str) -> Vec<Fault> {
    let of = |code: &str| Fault::Error { status: 400, code: code.into(), message: "injected".into() };
    let quoting = Fault::Error { status: 500, code: "InternalServerError".into(), message: format!("near {detail}") };
    let codes = ["ResourceNotFoundException", "ValidationException", "AccessDeniedException", "SomethingNewException"];
    codes.into_iter().map(of).chain([quoting, Fault::transaction_conflict(0)]).collect()
}

async fn failing_requests(backend: &Backend, secrets: &mut Secrets, person: &Person) {
    for fault in faults("the request") {
        let phone = fresh_phone();
        secrets.phone(&phone);
        let failed = |call: &str| backend.running.endpoints().fail_next(call, 7, fault.clone());
        let drained = async || {
            while backend.running.endpoints().faults_left() > 0 {
                answer(backend.ask(&fresh_phone())).await;
                answer(backend.nickname(&person.access_token, "Tom")).await;
            }
        };
        let meets = matches!(fault, Fault::TransactionConflict { .. });
        let words = "too many requests at once for the same thing; try again in 1 s";
        let failure = if meets { refused(words) } else { internal_error() };
        failed("dynamodb:TransactWriteItems");
        assert_eq!(answer(backend.ask(&phone)).await, failure);
        drained().await;
        let code = backend.code_for(&phone).await;
        secrets.codes.push(code.clone());
        if !meets {
            failed("dynamodb:UpdateItem");
            assert_eq!(answer(backend.refresh(&person.refresh_token)).await, internal_error());
            drained().await;
        }
        failed("dynamodb:TransactWriteItems");
        assert_eq!(backend.sign_in(&phone, &code).await, failure);
        drained().await;
    }
}

async fn uploads(backend: &Backend, secrets: &mut Secrets, person: &Person) {
    let mut picture = Cursor::new(Vec::new());
    RgbImage::new(300, 200).write_to(&mut picture, ImageFormat::Png).unwrap();
    let picture = picture.into_inner();
    let token = &person.access_token;
    for request in [
        backend.post("/images").bearer_auth(token).body(picture.clone()),
        backend.put("/users/me/avatar").bearer_auth(token).body(picture),
        backend.post("/audios").bearer_auth(token).body(&b"#!AMR\nabc"[..]),
    ] {
        let (status, stored) = answer(request).await;
        assert_eq!(status, 200, "{stored}");
        let src = stored["src"].as_str().unwrap();
        secrets.media(src);
        backend.get(src).send().await.unwrap();
        backend.get(&format!("{src}@128w_128h_1c")).send().await.unwrap();
        backend.get(&format!("{src}@9w_9h_1c")).send().await.unwrap();
        backend.post(src).send().await.unwrap();
        backend.running.endpoints().fail_next("s3:GetObject", 3, Fault::error(403, "AccessDenied"));
        backend.get(&format!("{src}@256w_256h_0c")).send().await.unwrap();
        while backend.running.endpoints().faults_left() > 0 {
            backend.get(src).send().await.unwrap();
        }
    }
    backend.settled().await;
}

#[test]
fn nothing_that_was_said_is_in_the_log() {
    run(async {
        let backend = Backend::frozen(&[("CodesPerCountryHour", "100"), ("CodesPerIpHour", "100")]).await;
        let mut secrets = Secrets::default();
        let phone = fresh_phone();
        secrets.phone(&phone);
        let code = backend.code_for(&phone).await;
        secrets.codes.push(code.clone());
        answer(backend.ask(&phone)).await;
        for n in 1..=2 {
            let wrong = wrong_code(&code, n);
            backend.sign_in(&phone, &wrong).await;
            secrets.codes.push(wrong);
        }
        let (status, tokens) = backend.sign_in(&phone, &code).await;
        assert_eq!(status, 200);
        let first = Person::of(&tokens);
        let second = Person::of(&answer(backend.refresh(&first.refresh_token)).await.1);
        let third = Person::of(&answer(backend.refresh(&second.refresh_token)).await.1);
        answer(backend.look_up(&third, &json!([{ "number": phone.0 }]))).await;
        uploads(&backend, &mut secrets, &third).await;
        backend.get(&format!("/nothing/{phone}?code={code}&token={}", third.access_token)).send().await.unwrap();
        answer(backend.post("/auth/token").json(&json!({ "number": [phone.0], "code": code }))).await;

        let stranger = fresh_phone();
        secrets.phone(&stranger);
        for fault in [
            Fault::throttled(),
            Fault::Error {
                status: 400,
                code: "InvalidParameter".into(),
                message: format!("{} is not valid to publish to", stranger.e164()),
            },
        ] {
            backend.running.endpoints().fail_next("sns:Publish", 3, fault);
            while backend.running.endpoints().faults_left() > 0 {
                assert_eq!(answer(backend.ask(&stranger)).await.0, 400);
            }
        }
        failing_requests(&backend, &mut secrets, &third).await;
        backend.advance(Duration::from_mins(2));
        assert_eq!(answer(backend.refresh(&first.refresh_token)).await.0, 400, "theft, which is logged");
        for person in [&first, &second, &third] {
            secrets.person(person);
        }
        let lines = log();
        let event = |name: &str| lines.iter().any(|line| line.get("event").is_some_and(|event| event == name));
        for name in ["request", "fault", "text_refused", "refresh_token_theft"] {
            assert!(event(name), "the log has no {name}, so this test looks at nothing");
        }
        for line in &lines {
            secrets.assert_not_in(&format!("{line:?}"));
        }
    });
}
