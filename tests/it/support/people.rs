//! People with phones.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use shared::crypto::SystemRandom;
use shared::domain::random;

use super::Backend;
use super::backend::answer;

/// A phone number of mainland China that no other test uses.
#[derive(Clone, PartialEq, Eq)]
pub struct Phone(pub String);

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A phone of its own for every call, each in another block of numbers.
pub fn fresh_phone() -> Phone {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let block = (NEXT.fetch_add(1, Ordering::Relaxed) * 7_919) % 10_000;
    Phone(format!("139{block:04}{:04}", random::below(&SystemRandom, 10_000)))
}

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct Person {
    pub access_token: String,
    pub refresh_token: String,
    pub uid: u64,
}

impl Person {
    /// From the answer of a sign-in or a refresh.
    pub fn of(tokens: &Value) -> Self {
        let text = |name: &str| tokens[name].as_str().unwrap_or_else(|| panic!("{name} in {tokens}")).to_owned();
        Self {
            access_token: text("access_token"),
            refresh_token: text("refresh_token"),
            uid: tokens["uid"].as_u64().expect("a uid"),
        }
    }
}

impl Backend {
    /// Asks for a code and reads it from the phone's newest text.
    pub async fn code_for(&self, phone: &Phone) -> String {
        let asked = self.post("/verify_code").query(&[("zone", "86"), ("number", &phone.0)]);
        let (status, body) = answer(asked).await;
        assert_eq!(status, 200, "{body}");
        self.newest_code(phone).await
    }

    /// The code in the newest text to a phone.
    pub async fn newest_code(&self, phone: &Phone) -> String {
        let (_, texts) = answer(self.get("/_local/sms").query(&[("phone", format!("+86{phone}"))])).await;
        texts[0]["code"].as_str().unwrap_or_else(|| panic!("a code in {texts}")).to_owned()
    }

    /// Signs in with a code.
    pub async fn sign_in(&self, phone: &Phone, code: &str) -> (u16, Value) {
        let body = json!({ "zone": "86", "number": phone.0, "code": code });
        answer(self.post("/auth/token").json(&body)).await
    }

    /// Signs somebody in on a phone.
    pub async fn person_on(&self, phone: &Phone) -> Person {
        let code = self.code_for(phone).await;
        let (status, tokens) = self.sign_in(phone, &code).await;
        assert_eq!(status, 200, "{tokens}");
        Person::of(&tokens)
    }

    /// Signs somebody new in.
    pub async fn person(&self) -> Person {
        self.person_on(&fresh_phone()).await
    }
}
