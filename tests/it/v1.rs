//! The common API (`/v1`).

mod account;
mod costs;
mod friends;
mod group_members;
mod groups;
mod reports;
mod sync;

use domain::account::UserId;
use domain::uuid::Uuid;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::accounts::{Cookie, PASSWORD, sealtalk_register, sealtalk_sign_in};
use crate::support::backend::{Whole, answer, whole};
use crate::support::round_trips::documented;
use crate::support::{Backend, Phone, fresh_phone};

/// A user with an access token of the Supabase Auth API.
struct Someone {
    phone: Phone,
    id: String,
    token: String,
}

impl Someone {
    /// Signs a new user up, with a name.
    async fn new(backend: &Backend, name: &str) -> Self {
        let someone = Self::on(backend, fresh_phone()).await;
        done(someone.patch(backend, "/v1/me", &json!({ "name": name })), 200).await;
        someone
    }

    /// Signs in with a code.
    async fn on(backend: &Backend, phone: Phone) -> Self {
        let asked = json!({ "phone": format!("86{phone}") });
        done(backend.post("/auth/v1/otp").json(&asked), 200).await;
        let code = backend.newest_code(&phone).await;
        let entered = json!({ "type": "sms", "phone": format!("86{phone}"), "token": code });
        Self::of(phone, &done(backend.post("/auth/v1/verify").json(&entered), 200).await)
    }

    /// Signs several users up at once.
    async fn several<const N: usize>(backend: &Backend, names: [&str; N]) -> [Self; N] {
        let people = futures::future::join_all(names.map(|name| Self::new(backend, name))).await;
        people.try_into().unwrap_or_else(|_| panic!("as many people as names"))
    }

    /// Registers in the `SealTalk` API, and signs in to both.
    async fn with_sealtalk(backend: &Backend) -> (Self, Cookie) {
        let phone = fresh_phone();
        sealtalk_register(backend, &phone, PASSWORD).await;
        let (_, cookie) = sealtalk_sign_in(backend, &phone, PASSWORD).await.expect("a session");
        let given = json!({ "phone": format!("86{phone}"), "password": PASSWORD });
        let session = done(backend.post("/auth/v1/token?grant_type=password").json(&given), 200).await;
        (Self::of(phone, &session), cookie)
    }

    fn of(phone: Phone, session: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("a text in {session}")).to_owned();
        Self { phone, id: text(&session["user"]["id"]), token: text(&session["access_token"]) }
    }

    /// The id as stored in the table.
    fn number(&self) -> u64 {
        self.id.parse().ok().and_then(Uuid::user).map(UserId::get).expect("an id")
    }

    /// The id in the `SealTalk` API.
    fn short_id(&self) -> String {
        domain::short_id::encode(UserId::new(self.number()).expect("an id"))
    }

    fn request(&self, backend: &Backend, method: Method, path: &str) -> RequestBuilder {
        backend.request(method, path).bearer_auth(&self.token)
    }

    fn get(&self, backend: &Backend, path: &str) -> RequestBuilder {
        self.request(backend, Method::GET, path)
    }

    fn put(&self, backend: &Backend, path: &str) -> RequestBuilder {
        self.request(backend, Method::PUT, path)
    }

    fn delete(&self, backend: &Backend, path: &str) -> RequestBuilder {
        self.request(backend, Method::DELETE, path)
    }

    fn patch(&self, backend: &Backend, path: &str, body: &Value) -> RequestBuilder {
        self.request(backend, Method::PATCH, path).json(body)
    }

    fn post(&self, backend: &Backend, path: &str, body: &Value) -> RequestBuilder {
        self.request(backend, Method::POST, path).json(body)
    }

    /// Asks another user to be a friend, or accepts, and returns the state.
    async fn asks(&self, backend: &Backend, other: &Self) -> String {
        let answer = done(self.put(backend, &format!("/v1/friends/{}", other.id)), 200).await;
        answer["state"].as_str().expect("a state").to_owned()
    }

    /// Makes this user and another one friends.
    async fn befriends(&self, backend: &Backend, other: &Self) {
        assert_eq!(self.asks(backend, other).await, "requested");
        assert_eq!(other.asks(backend, self).await, "friends");
    }

    /// Creates a group and returns its id.
    async fn founds(&self, backend: &Backend, members: &[&Self]) -> String {
        let made = json!({ "name": "the group", "members": ids(members) });
        id_of(&done(self.post(backend, "/v1/groups", &made), 201).await)
    }

    /// All entries of a list, page by page.
    async fn list(&self, backend: &Backend, path: &str, limit: usize) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let request = self.get(backend, path).query(&[("limit", limit.to_string())]);
            let page = done(request.query(&cursor.map(|cursor| [("cursor", cursor)])), 200).await;
            let some = page["items"].as_array().expect("entries");
            assert!(some.len() <= limit, "{page}");
            items.extend(some.iter().cloned());
            cursor = page["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                return items;
            }
            assert!(items.len() < 10_000, "the pages do not end");
        }
    }
}

fn ids<'a>(people: &[&'a Someone]) -> Vec<&'a str> {
    people.iter().map(|someone| someone.id.as_str()).collect()
}

fn id_of(made: &Value) -> String {
    made["id"].as_str().unwrap_or_else(|| panic!("an id in {made}")).to_owned()
}

/// The users' ids on a list.
fn users(items: &[Value]) -> Vec<String> {
    items.iter().map(|item| item["user"]["id"].as_str().expect("an id").to_owned()).collect()
}

/// The body of a request that succeeds with this status.
async fn done(request: RequestBuilder, status: u16) -> Value {
    let answer = whole(request).await;
    assert_eq!(answer.status, status, "{}", answer.body);
    answer.body
}

/// A request that is refused with this status and code.
async fn refused(request: RequestBuilder, status: u16, code: &str) -> Value {
    let response = request.send().await.expect("an answer");
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let found = response.status().as_u16();
    let body: Value = response.json().await.expect("JSON");
    assert_eq!((found, &body["code"], &body["status"]), (status, &json!(code), &json!(status)), "{body}");
    body
}

/// The field that a request is refused for.
async fn wrong_field(request: RequestBuilder, field: &str) {
    let body = refused(request, 422, "invalid").await;
    assert_eq!(body["errors"][0]["field"], field, "{body}");
}

/// Asserts the cost of a request that succeeds, and returns its answer.
async fn costs(row: &str, request: RequestBuilder) -> Whole {
    let answer = whole(request).await;
    assert!(answer.status < 300, "{row}: {} {}", answer.status, answer.body);
    assert_eq!(answer.rounds(), documented(row), "{row}");
    answer
}

/// A request of the `SealTalk` API.
async fn sealtalk(backend: &Backend, cookie: &Cookie, method: Method, path: &str, body: &Value) -> Value {
    let (status, body) = answer(backend.request(method, path).header("cookie", &cookie.0).json(body)).await;
    assert_eq!((status, &body["code"]), (200, &json!(200)), "{path}: {body}");
    body["result"].clone()
}

/// Uses every kind of call of the API once.
pub async fn whole_session(backend: &Backend) {
    let [one, other] = Someone::several(backend, ["One", "Other"]).await;
    account::whole_session(backend, &one).await;
    one.befriends(backend, &other).await;
    for path in ["/v1/friends", "/v1/friend_requests", "/v1/blocks", "/v1/sync"] {
        done(one.get(backend, path), 200).await;
    }
    let (friend, block) = (format!("/v1/friends/{}", other.id), format!("/v1/blocks/{}", other.id));
    done(one.patch(backend, &friend, &json!({ "remark": "Tom" })), 204).await;
    done(one.put(backend, &block), 204).await;
    done(one.delete(backend, &block), 204).await;
    let made = json!({ "name": "the group", "members": [other.id] });
    let make = || one.post(backend, "/v1/groups", &made).header("Idempotency-Key", "a-key");
    let group = id_of(&done(make(), 201).await);
    assert_eq!(id_of(&done(make(), 201).await), group);
    let group = format!("/v1/groups/{group}");
    for path in ["/v1/groups", &group, &format!("{group}/members"), "/v1/sync"] {
        done(other.get(backend, path), 200).await;
    }
    done(one.patch(backend, &group, &json!({ "name": "another" })), 204).await;
    done(one.put(backend, &format!("{group}/bulletin")).json(&json!({ "content": "hello" })), 204).await;
    done(other.get(backend, &format!("{group}/bulletin")), 200).await;
    done(one.delete(backend, &format!("{group}/bulletin")), 204).await;
    done(other.delete(backend, &format!("{group}/members/me")), 204).await;
    done(one.delete(backend, &group), 204).await;
    done(one.delete(backend, &friend), 204).await;
    let report = json!({ "user": other.id, "reason": "spam" });
    done(one.post(backend, "/v1/reports", &report).header("Idempotency-Key", "another-key"), 201).await;
}
