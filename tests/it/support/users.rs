//! Users with phones.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::crypto::SystemRandom;
use domain::random;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::Backend;
use super::backend::answer;

/// A phone number of mainland China that no other test uses.
#[derive(Clone, PartialEq, Eq)]
pub struct Phone(pub String);

impl Phone {
    /// The number in E.164.
    pub fn e164(&self) -> String {
        format!("+86{}", self.0)
    }

    /// Another number in the same block of ten thousand, `n` numbers further on.
    pub fn neighbour(&self, n: u32) -> Self {
        let (block, own) = self.0.split_at(7);
        let own: u32 = own.parse().expect("four digits");
        Self(format!("{block}{:04}", (own + n) % 10_000))
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A new phone for every call, each in another block of numbers.
pub fn fresh_phone() -> Phone {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let block = (NEXT.fetch_add(1, Ordering::Relaxed) * 7_919) % 10_000;
    Phone(format!("139{block:04}{:04}", random::below(&SystemRandom, 10_000)))
}

/// A code that differs from `code`, another one for every `n` from 1.
pub fn wrong_code(code: &str, n: u32) -> String {
    let right: u32 = code.parse().expect("digits");
    format!("{:06}", (right + n) % 1_000_000)
}

/// A signed-in user.
#[derive(Clone, Debug)]
pub struct Person {
    pub access_token: String,
    pub refresh_token: String,
    pub uid: u64,
}

impl Person {
    /// From the response to a sign-in or a refresh.
    pub fn of(tokens: &Value) -> Self {
        let text = |name: &str| tokens[name].as_str().unwrap_or_else(|| panic!("{name} in {tokens}")).to_owned();
        Self {
            access_token: text("access_token"),
            refresh_token: text("refresh_token"),
            uid: tokens["uid"].as_u64().expect("a uid"),
        }
    }
}

/// A messenger API error with this message.
pub fn refused(words: &str) -> (u16, Value) {
    (400, json!({ "error": words }))
}

/// The error message for a number that includes its country code.
pub const NOT_IN_ZONE: &str =
    "number is not a valid phone number; write it without the country code, which has a field of its own";

/// The error message for a number without one.
pub const NO_NUMBER: &str =
    "number is not a valid phone number; outside mainland China write + and the country code before it";

/// The error message for a number that cannot receive a text.
pub const NO_MOBILE: &str = "number is not a mobile number, so it cannot receive text messages";

/// Asserts that the messenger API could not read a request, and says what it must be.
pub fn assert_malformed((status, body): &(u16, Value)) {
    let words = body["error"].as_str().unwrap_or_default();
    let says = ["missing", "must be", "not valid JSON", "send a JSON object"].iter().any(|says| words.contains(says));
    assert!(*status == 400 && says, "{status} {body}");
}

/// The error for a caller who is not signed in.
pub fn not_signed_in() -> (u16, Value) {
    (401, json!({ "error": "not signed in" }))
}

/// The error for a failure on our side.
pub fn internal_error() -> (u16, Value) {
    (500, json!({ "error": "internal error" }))
}

impl Backend {
    /// The request for a code.
    pub fn ask(&self, phone: &Phone) -> RequestBuilder {
        self.post("/verify_code").query(&[("zone", "86"), ("number", &phone.0)])
    }

    /// Requests a code and reads it from the phone's newest text.
    pub async fn code_for(&self, phone: &Phone) -> String {
        let (status, body) = answer(self.ask(phone)).await;
        assert_eq!(status, 200, "{body}");
        self.newest_code(phone).await
    }

    /// The texts to a phone, newest first.
    pub async fn texts(&self, phone: &Phone) -> Vec<Value> {
        let (_, texts) = answer(self.get("/_local/sms").query(&[("phone", phone.e164())])).await;
        texts.as_array().expect("a list").clone()
    }

    /// The code in the newest text to a phone.
    pub async fn newest_code(&self, phone: &Phone) -> String {
        let texts = self.texts(phone).await;
        let code = texts.first().and_then(|text| text["code"].as_str());
        code.unwrap_or_else(|| panic!("a code in {texts:?}")).to_owned()
    }

    /// Signs in with a code.
    pub async fn sign_in(&self, phone: &Phone, code: &str) -> (u16, Value) {
        let body = json!({ "zone": "86", "number": phone.0, "code": code });
        answer(self.post("/auth/token").json(&body)).await
    }

    /// Signs a user in on a phone.
    pub async fn person_on(&self, phone: &Phone) -> Person {
        let code = self.code_for(phone).await;
        let (status, tokens) = self.sign_in(phone, &code).await;
        assert_eq!(status, 200, "{tokens}");
        Person::of(&tokens)
    }

    /// Signs a new user in.
    pub async fn person(&self) -> Person {
        self.person_on(&fresh_phone()).await
    }

    /// Signs in on a phone several times, one minute apart. The backend needs limits that allow this and its own clock.
    pub async fn sessions_on(&self, phone: &Phone, count: usize) -> Vec<Person> {
        let mut people = Vec::new();
        for _ in 0..count {
            people.push(self.person_on(phone).await);
            self.advance(Duration::from_mins(1));
        }
        people
    }

    /// The request that exchanges a refresh token.
    pub fn refresh(&self, token: &str) -> RequestBuilder {
        self.post("/auth/refresh_token").json(&json!({ "refresh_token": token }))
    }

    /// The request that sets the nickname.
    pub fn nickname(&self, access_token: &str, value: &str) -> RequestBuilder {
        self.put("/users/me/nickname").bearer_auth(access_token).json(&json!({ "value": value }))
    }

    /// The request that looks up numbers.
    pub fn look_up(&self, person: &Person, entries: &Value) -> RequestBuilder {
        self.post("/users").bearer_auth(&person.access_token).json(entries)
    }

    /// The entry of the address book for one phone.
    pub async fn card(&self, person: &Person, phone: &Phone) -> Value {
        let (status, found) = answer(self.look_up(person, &json!([{ "zone": "86", "number": phone.0 }]))).await;
        assert_eq!(status, 200, "{found}");
        found[0].clone()
    }
}
