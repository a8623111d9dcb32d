//! Incremental sync: its cost, its content, and that it misses nothing.

mod costs;
mod pages;
mod races;
mod replica;
mod rows;
mod several_machines;
mod torn_reads;

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::accounts::{Cookie, PASSWORD, sealtalk_sign_in, sealtalk_verify};
use crate::support::backend::{Whole, answer, whole};
use crate::support::{Backend, fresh_phone};

/// A user of the `SealTalk` API.
#[derive(Clone, Debug)]
pub struct Somebody {
    pub id: String,
    pub cookie: Cookie,
}

impl Somebody {
    /// Signs a user up.
    pub async fn new(backend: &Backend, nickname: &str) -> Self {
        let phone = fresh_phone();
        let token = sealtalk_verify(backend, &phone).await;
        let body = json!({ "nickname": nickname, "password": PASSWORD, "verification_token": token });
        let (status, body) = answer(backend.post("/user/register").json(&body)).await;
        assert_eq!(status, 200, "{body}");
        let (id, cookie) = sealtalk_sign_in(backend, &phone, PASSWORD).await.expect("signed in");
        Self { id, cookie }
    }

    /// A request of this user.
    pub fn request(&self, backend: &Backend, method: Method, path: &str) -> RequestBuilder {
        backend.request(method, path).header("cookie", &self.cookie.0)
    }

    /// Sends a POST request, which may fail.
    pub async fn try_post(&self, backend: &Backend, path: &str, body: &Value) -> (u16, Value) {
        answer(self.request(backend, Method::POST, path).json(body)).await
    }

    /// Sends a POST request, which must succeed.
    pub async fn post(&self, backend: &Backend, path: &str, body: &Value) -> Value {
        let (status, answer) = self.try_post(backend, path, body).await;
        assert_eq!((status, &answer["code"]), (200, &json!(200)), "{path} {body}: {answer}");
        answer["result"].clone()
    }

    /// Reads a list.
    pub async fn get(&self, backend: &Backend, path: &str) -> Value {
        let (status, answer) = answer(self.request(backend, Method::GET, path)).await;
        assert_eq!((status, &answer["code"]), (200, &json!(200)), "{path}: {answer}");
        answer["result"].clone()
    }

    /// The whole response to a sync.
    pub async fn sync_whole(&self, backend: &Backend, version: u64) -> Whole {
        let whole = whole(self.request(backend, Method::GET, &format!("/user/sync/{version}"))).await;
        assert_eq!(whole.status, 200, "{}", whole.body);
        whole
    }

    /// The content of a sync.
    pub async fn sync(&self, backend: &Backend, version: u64) -> Value {
        self.sync_whole(backend, version).await.body["result"].clone()
    }

    /// Makes two users friends.
    pub async fn befriend(&self, backend: &Backend, other: &Self) {
        self.post(backend, "/friendship/invite", &json!({ "friendId": other.id })).await;
        other.post(backend, "/friendship/agree", &json!({ "friendId": self.id })).await;
    }

    /// Creates a group.
    pub async fn group(&self, backend: &Backend, name: &str, members: &[&str]) -> String {
        let made = self.post(backend, "/group/create", &json!({ "name": name, "memberIds": members })).await;
        made["id"].as_str().expect("an id").to_owned()
    }
}

/// The version of a response.
pub fn version(answer: &Value) -> u64 {
    answer["version"].as_u64().expect("a version")
}

/// Writes accounts that never sign in directly to the table, because so many users would take long to sign up; returns
/// their short ids.
pub async fn crowd(backend: &Backend, count: u64) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..count {
        let id = 1_000_000_000 + number;
        backend
            .put_item(HashMap::from([
                ("pk".to_owned(), AttributeValue::S(format!("user#{id}"))),
                ("sk".to_owned(), AttributeValue::S("account".to_owned())),
                ("id".to_owned(), AttributeValue::N(id.to_string())),
                ("name".to_owned(), AttributeValue::S(format!("Number {number}"))),
                ("created".to_owned(), AttributeValue::N("1".to_owned())),
                ("sessions".to_owned(), AttributeValue::M(HashMap::new())),
            ]))
            .await;
        let id = domain::account::UserId::new(id).expect("an id");
        ids.push(domain::short_id::encode(id));
    }
    ids
}

/// Waits until the table's stream has been processed.
pub async fn settled(backend: &Backend) {
    tokio::time::timeout(Duration::from_mins(1), backend.settled()).await.expect("it settles");
}
