//! In a full session over all APIs, no log line contains data that users sent or received.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{OBSERVED, Record, recorded};
use crate::support::backend::answer;
use crate::support::round_trips::output;
use crate::support::{Backend, fresh_phone, run};

/// The secrets, by their field names in the APIs.
const NAMES: [(Kind, &[&str]); 6] = [
    (Kind::Phone, &["number", "mobile", "phone", "phoneNumber"]),
    // In the rooms API the code from a text is called a captcha.
    (
        Kind::Short,
        &["code", "captcha", "phonecode", "sms_code", "smscode", "text", "imagecode", "image_code", "verify_code"],
    ),
    (
        Kind::Long,
        &[
            "access_token",
            "refresh_token",
            "token",
            "accessToken",
            "verification_token",
            "chat_token",
            "x-captcha-text",
        ],
    ),
    (Kind::Long, &["password", "passwd", "oldPassword", "newPassword", "old_password", "new_password"]),
    (
        Kind::Long,
        &[
            "pushToken",
            "apns_device_token",
            "ng_device_token",
            "gcm_device_token",
            "xg_device_token",
            "xm_device_token",
            "hw_device_token",
            "jp_device_token",
        ],
    ),
    (Kind::Long, &["id_card", "real_name"]),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Phone,
    /// So short that longer words may contain it by chance, so it must not be a separate word.
    Short,
    Long,
}

/// Data that no log line may contain.
#[derive(Default)]
struct Secrets(BTreeMap<Kind, BTreeSet<String>>);

impl Secrets {
    fn add(&mut self, kind: Kind, text: &str) {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let (kind, text) = match kind {
            // The national number is part of every spelling of it.
            Kind::Phone if digits(text).len() >= 11 => (kind, digits(text).split_off(digits(text).len() - 11)),
            Kind::Phone => return,
            Kind::Long if text.chars().count() < 8 && text.is_ascii() => (Kind::Short, text.to_owned()),
            _ => (kind, text.to_owned()),
        };
        // Shorter words are not secrets, and are everywhere.
        if text.len() >= 4 {
            self.0.entry(kind).or_default().insert(text);
        }
    }

    /// Adds every value under the name of a secret.
    fn add_named(&mut self, name: &str, value: &Value) {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if let Some((kind, _)) = NAMES.iter().find(|(_, names)| names.contains(&name))
            && (value.is_string() || value.is_number())
            // Two of the APIs use this name for a number of their own.
            && (name != "code" || text.len() == 6)
        {
            self.add(*kind, &text);
        }
    }

    fn add_json(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    self.add_named(name, value);
                    self.add_json(value);
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.add_json(value)),
            _ => {}
        }
    }

    fn add_form(&mut self, form: &str) {
        let url = reqwest::Url::parse(&format!("http://localhost/?{form}")).expect("a URL");
        for (name, value) in url.query_pairs() {
            self.add_named(&name, &json!(value));
        }
    }

    fn add_body(&mut self, message: &Value) {
        let Some(body) = message["body"].as_str() else { return };
        let body = if message["isBase64Encoded"] == true {
            String::from_utf8(STANDARD.decode(body).expect("base64")).unwrap_or_default()
        } else {
            body.to_owned()
        };
        match serde_json::from_str(&body) {
            Ok(json) => self.add_json(&json),
            Err(_) => self.add_form(&body),
        }
    }

    fn add_cookie(&mut self, cookie: &str) {
        let pair = cookie.split(';').next().unwrap_or_default();
        let value = pair.split_once('=').map_or(pair, |(_, value)| value);
        self.add(Kind::Long, value.trim_matches('"'));
    }

    /// Adds the requests and responses of the invocations.
    fn add_invocations(&mut self, record: &Record) {
        for seen in record.all() {
            let event = &seen.event;
            self.add_form(event["rawQueryString"].as_str().unwrap_or_default());
            self.add_json(&event["pathParameters"]);
            let headers = &event["headers"];
            for name in ["authorization", "access-token"] {
                let value = headers[name].as_str().unwrap_or_default();
                self.add(Kind::Long, value.trim_start_matches("Bearer ").trim());
            }
            for cookies in [&event["cookies"], &seen.answer["cookies"]] {
                cookies
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .for_each(|cookie| self.add_cookie(cookie));
            }
            self.add_json(&seen.answer["headers"]);
            for message in [event, &seen.answer] {
                self.add_body(message);
            }
        }
    }

    fn of(&self, kind: Kind) -> impl Iterator<Item = &String> {
        self.0.get(&kind).into_iter().flatten()
    }

    /// The secret that a line contains, in any form.
    fn find_in(&self, line: &str) -> Option<String> {
        let joined: String = line.replace("%20", "").replace("%2B", "").replace("%2b", "");
        let joined: String = joined.chars().filter(|c| !matches!(c, ' ' | '-' | '+' | '(' | ')')).collect();
        let words: BTreeSet<&str> = line.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        let phone = self.of(Kind::Phone).find(|phone| joined.contains(*phone));
        let short = || self.of(Kind::Short).find(|word| words.contains(word.as_str()));
        let long = || self.of(Kind::Long).find(|text| forms(text).iter().any(|form| line.contains(form)));
        phone.or_else(short).or_else(long).cloned()
    }
}

/// The forms in which a text may appear in a line: unchanged, escaped in JSON or for debugging, in a URL or a form, and
/// in base64. The last part of a token is as good as the token.
fn forms(text: &str) -> Vec<String> {
    let encoded = |space: &str, upper: bool| -> String {
        let each = text.bytes().map(|byte| match byte {
            b' ' => space.to_owned(),
            b if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) => char::from(b).to_string(),
            b if upper => format!("%{b:02X}"),
            b => format!("%{b:02x}"),
        });
        each.collect()
    };
    let debug = format!("{text:?}");
    let mut forms = vec![
        text.to_owned(),
        debug.trim_matches('"').to_owned(),
        debug.trim_matches('"').replace('\\', "\\\\"),
        text.escape_unicode().to_string(),
        encoded("%20", true),
        encoded("%20", false),
        encoded("+", true),
        STANDARD.encode(text),
    ];
    if let Some(last) = text.rsplit(['.', ':']).next().filter(|last| last.len() >= 16 && last.len() < text.len()) {
        forms.push(last.to_owned());
    }
    forms
}

/// Data that the other sessions do not have: device tokens long enough to rule out chance, a number in every form.
async fn says_more(backend: &Backend) {
    let phone = fresh_phone();
    let code = backend.code_for(&phone).await;
    let push = "f3a1c0de".repeat(8);
    let body =
        json!({ "zone": "86", "number": phone.0, "code": code, "apns_device_token": push, "ng_device_token": push });
    assert_eq!(answer(backend.post("/auth/token").json(&body)).await.0, 200);
    backend.advance(std::time::Duration::from_secs(61));
    let spaced = format!("+86 {} {} {}", &phone.0[..3], &phone.0[3..7], &phone.0[7..]);
    // An error gives its reason, but must not contain the number.
    for query in [("phone", spaced.as_str()), ("phone", "8613912"), ("number", spaced.as_str())] {
        answer(backend.get("/phonelogin/").query(&[query, ("captcha", "not-the-code")])).await;
        answer(backend.get(&format!("/nothing/{phone}")).query(&[query])).await;
    }
    for body in [json!({ "phoneNumber": [phone.0], "password": "P@ss w0rd+1" }), json!({ "user": phone.0 })] {
        answer(backend.post("/users/login").json(&body)).await;
        answer(backend.post("/user/login").json(&body)).await;
        answer(backend.post("/api/v1.0/sessions").json(&body)).await;
    }
    let quoting = |detail: &str| emulator::Fault::Error {
        status: 400,
        code: "InvalidParameter".into(),
        message: format!("Invalid parameter: {detail}"),
    };
    backend.running.endpoints().fail_next("sns:Publish", 1, quoting(&phone.e164()));
    assert_eq!(answer(backend.ask(&phone)).await.0, 400);
    backend.running.endpoints().fail_next("dynamodb:TransactWriteItems", 1, quoting("the table"));
    assert_eq!(answer(backend.ask(&phone)).await.0, 500);
}

#[test]
fn no_line_of_a_full_session_holds_what_was_said_or_given_in_it() {
    run(async {
        let (backend, record) = recorded(&[OBSERVED, ("SessionsPerAccount", "1")]).await;
        crate::permissions::whole_session(&backend).await;
        says_more(&backend).await;
        backend.settled().await;

        let mut secrets = Secrets::default();
        secrets.add_invocations(&record);
        for text in backend.running.endpoints().texts(None) {
            secrets.add(Kind::Phone, &text.phone);
            let code: String = text.body.chars().take_while(char::is_ascii_digit).collect();
            secrets.add(Kind::Short, &code);
        }
        let many = |kind| secrets.of(kind).count();
        assert!(
            many(Kind::Phone) >= 10 && many(Kind::Short) >= 15 && many(Kind::Long) >= 40,
            "this test knows of too little: {} phones, {} short, {} long",
            many(Kind::Phone),
            many(Kind::Short),
            many(Kind::Long)
        );
        let own: BTreeSet<String> = record.all().into_iter().map(|seen| seen.request_id).collect();
        let lines: Vec<String> = output()
            .into_iter()
            .filter(|line| {
                let line: Value = serde_json::from_str(line).expect("JSON");
                line["request_id"].as_str().is_none_or(|id| own.contains(id))
            })
            .collect();
        assert!(lines.len() >= 150, "this test looks at {} lines only", lines.len());
        for line in lines {
            if let Some(secret) = secrets.find_in(&line) {
                panic!("{secret} is in the log: {line}");
            }
        }
    });
}

#[test]
fn a_secret_is_found_in_whatever_form_it_is_written() {
    let mut secrets = Secrets::default();
    secrets.add(Kind::Phone, "+8613912345678");
    secrets.add(Kind::Short, "048213");
    secrets.add(Kind::Long, "P@ss w0rd+1");
    secrets.add(Kind::Long, "head.payload.signature-of-a-token");
    secrets.add(Kind::Long, "张三丰");
    for line in [
        "to +8613912345678",
        "to 8613912345678",
        "to 13912345678",
        "?phone=%2B8613912345678&x=1",
        "139 1234 5678",
        "+86 139-1234-5678",
        "%2B86%20139%201234%205678",
        "(+86) 13912345678",
        r#"{"code":"048213"}"#,
        "code=048213&x",
        "with P@ss w0rd+1",
        "with P%40ss%20w0rd%2B1",
        "with P%40ss+w0rd%2B1",
        "with UEBzcyB3MHJkKzE=",
        "Bearer head.payload.signature-of-a-token",
        "signature-of-a-token",
        "name 张三丰",
        r"name \u{5f20}\u{4e09}\u{4e30}",
        "name %E5%BC%A0%E4%B8%89%E4%B8%B0",
        "name %e5%bc%a0%e4%b8%89%e4%b8%b0",
    ] {
        assert!(secrets.find_in(line).is_some(), "{line}");
    }
    for line in ["139 1234 5679", "id=1048213", "P@ss word", r#"{"millis":13,"status":200}"#] {
        assert_eq!(secrets.find_in(line), None, "{line}");
    }
}
