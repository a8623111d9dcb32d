//! Notifications that users receive: at the topic, and on their devices.

mod failures;
mod friends;
mod groups;
mod limits;
mod pushes;
mod queued;

use std::time::Duration;

use domain::account::UserId;
use domain::clock::Clock;
use domain::short_id;
use reqwest::header::{COOKIE, SET_COOKIE};
use serde_json::{Value, json};

use crate::support::accounts::{PASSWORD, sealtalk_verify};
use crate::support::backend::{answer, read};
use crate::support::{Backend, Person, Phone, fresh_phone};

/// A user who sends and receives notifications.
struct Member {
    phone: Phone,
    id: String,
    cookie: String,
}

impl Member {
    async fn new(backend: &Backend, nickname: &str) -> Self {
        let phone = fresh_phone();
        let token = sealtalk_verify(backend, &phone).await;
        let registration = json!({ "nickname": nickname, "password": PASSWORD, "verification_token": token });
        let response = backend.post("/user/register").json(&registration).send().await.expect("an answer");
        let cookie = response.headers()[SET_COOKIE].to_str().expect("text").to_owned();
        let (_, body) = read(response).await;
        let id = body["result"]["id"].as_str().unwrap_or_else(|| panic!("an id in {body}")).to_owned();
        Self { phone, id, cookie }
    }

    async fn several<const N: usize>(backend: &Backend, nicknames: [&str; N]) -> [Self; N] {
        let people = futures::future::join_all(nicknames.map(|nickname| Self::new(backend, nickname))).await;
        people.try_into().unwrap_or_else(|_| panic!("as many people as nicknames"))
    }

    /// The id as stored in the table.
    fn number(&self) -> u64 {
        short_id::decode(&self.id).map(UserId::get).expect("an id")
    }

    /// The response to one of their requests, successful or not.
    async fn tries(&self, backend: &Backend, path: &str, body: &Value) -> (u16, Value) {
        answer(backend.post(path).header(COOKIE, &self.cookie).json(body)).await
    }

    /// The result of one of their requests, which must succeed.
    async fn does(&self, backend: &Backend, path: &str, body: Value) -> Value {
        let (status, answered) = self.tries(backend, path, &body).await;
        assert_eq!((status, &answered["code"]), (200, &json!(200)), "{path} {body}: {answered}");
        answered["result"].clone()
    }

    async fn invites(&self, backend: &Backend, whom: &Self, message: &str) -> Value {
        let invitation = json!({ "friendId": whom.id, "message": message });
        self.does(backend, "/friendship/invite", invitation).await["action"].take()
    }

    /// A request about another user that needs only their id.
    async fn acts_on(&self, backend: &Backend, path: &str, whom: &Self) {
        self.does(backend, path, json!({ "friendId": whom.id })).await;
    }

    /// Creates a group and returns its id.
    async fn founds(&self, backend: &Backend, name: &str, people: &[&str]) -> String {
        let made = self.does(backend, "/group/create", json!({ "name": name, "memberIds": people })).await;
        made["id"].as_str().unwrap_or_else(|| panic!("an id in {made}")).to_owned()
    }

    /// An action on members of a group.
    async fn in_group(&self, backend: &Backend, what: &str, group: &str, people: &[&Self]) {
        let people: Vec<_> = people.iter().map(|member| &member.id).collect();
        self.does(backend, &format!("/group/{what}"), json!({ "groupId": group, "memberIds": people })).await;
    }

    /// Signs in on another device with push tokens of the messenger API. One minute passes.
    async fn signs_in_with(&self, backend: &Backend, tokens: &Value) -> Person {
        backend.advance(Duration::from_mins(1));
        let code = backend.code_for(&self.phone).await;
        let mut given = json!({ "zone": "86", "number": self.phone.0, "code": code });
        given.as_object_mut().unwrap().extend(tokens.as_object().unwrap().clone());
        let (status, tokens) = answer(backend.post("/auth/token").json(&given)).await;
        assert_eq!(status, 200, "{tokens}");
        Person::of(&tokens)
    }
}

/// The backend's time, as in messages.
fn now(backend: &Backend) -> i64 {
    backend.clock.now().millis()
}

/// Every message of the topic so far, oldest first, after all events in progress.
async fn news(backend: &Backend) -> Vec<Value> {
    backend.settled().await;
    let told = backend.published().into_iter().map(|(message, attributes)| {
        let message: Value = serde_json::from_str(&message).expect("JSON");
        assert_eq!(
            (&message["objectName"], &message["operation"]),
            (&json!(attributes["type"]), &json!(attributes["operation"]))
        );
        assert_eq!(message["operation"], message["content"]["operation"]);
        message
    });
    let told: Vec<Value> = told.collect();
    let ids: std::collections::BTreeSet<_> =
        told.iter().map(|message| message["id"].as_str().expect("an id")).collect();
    assert_eq!(ids.len(), told.len(), "each under an id of its own");
    told
}

/// The operations announced so far.
async fn operations(backend: &Backend) -> Vec<String> {
    news(backend).await.iter().map(|message| message["operation"].as_str().expect("text").to_owned()).collect()
}

/// The pushes so far, in no order: the token and the displayed text of each.
async fn pushes(backend: &Backend) -> Vec<(String, String)> {
    backend.settled().await;
    let mut pushes: Vec<_> = backend.pushed().into_iter().map(|(token, payload)| (token, shown(&payload))).collect();
    pushes.sort();
    pushes
}

/// The text that a device displays for a payload.
fn shown(payload: &str) -> String {
    let payload: Value = serde_json::from_str(payload).expect("JSON");
    let text = payload.pointer("/aps/alert").or_else(|| payload.pointer("/fcmV1Message/message/notification"));
    let text = text.unwrap_or_else(|| panic!("a text in {payload}"));
    format!("{}: {}", text["title"].as_str().expect("a title"), text["body"].as_str().expect("a body"))
}

/// Triggers every kind of notification, for the test that compares the functions' roles with their calls.
pub async fn whole_session(backend: &Backend) {
    let [one, other] = Member::several(backend, ["One", "Other"]).await;
    other.signs_in_with(backend, &json!({ "apns_device_token": "a1", "ng_device_token": "n1" })).await;
    one.founds(backend, "Hiking", &[&other.id]).await;
    assert_eq!(pushes(backend).await.len(), 2);
}
