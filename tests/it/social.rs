//! Friends, the blacklist and groups, as the clients of the `SealTalk` API use them.

mod blacklist;
mod friend_races;
mod friends;
mod group_helpers;
mod group_races;
mod group_refusals;
mod groups;
mod jobs;
mod large_groups;
mod list_limits;
mod lists;
mod strangers;

pub use self::group_helpers::whole_group;

use domain::account::UserId;
use domain::short_id;
use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::backend::{answer, read};
use crate::support::table::{Item, number, text};
use crate::support::{Backend, Phone, fresh_phone};

/// Attempts by the SDK for one call.
const ATTEMPTS: usize = 3;
const BATCH_GET: &str = "dynamodb:BatchGetItem";
const TRANSACT: &str = "dynamodb:TransactWriteItems";

/// A user with an account and the cookie of a session.
struct Someone {
    phone: Phone,
    id: String,
    cookie: String,
}

fn done() -> (u16, Value) {
    (200, json!({ "code": 200 }))
}

fn result(result: &Value) -> (u16, Value) {
    (200, json!({ "code": 200, "result": result }))
}

/// The response to an invitation, and to accepting one.
fn action(action: &str) -> (u16, Value) {
    result(&json!({ "action": action }))
}

fn refused(status: u16, message: &str) -> (u16, Value) {
    (status, json!({ "code": status, "message": message }))
}

fn not_signed_in() -> (u16, Value) {
    (403, json!({ "code": 10_000, "message": "not signed in" }))
}

fn internal_error() -> (u16, Value) {
    refused(500, "internal error")
}

impl Someone {
    /// Registers a user with a nickname.
    async fn new(backend: &Backend, nickname: &str) -> Self {
        let phone = fresh_phone();
        let asked = json!({ "region": "86", "phone": phone.0 });
        assert_eq!(answer(backend.post("/user/send_code").json(&asked)).await, done());
        let code = backend.newest_code(&phone).await;
        let given = json!({ "region": "86", "phone": phone.0, "code": code });
        let (_, body) = answer(backend.post("/user/verify_code").json(&given)).await;
        let token = &body["result"]["verification_token"];
        let registration = json!({ "nickname": nickname, "password": "P@ssw0rd", "verification_token": token });
        let response = backend.post("/user/register").json(&registration).send().await.expect("an answer");
        let cookie = response.headers()[SET_COOKIE].to_str().expect("text").to_owned();
        let (_, body) = read(response).await;
        let id = body["result"]["id"].as_str().unwrap_or_else(|| panic!("an id in {body}")).to_owned();
        Self { phone, id, cookie }
    }

    /// Registers several users at once.
    async fn several<const N: usize>(backend: &Backend, nicknames: [&str; N]) -> [Self; N] {
        let people = futures::future::join_all(nicknames.map(|nickname| Self::new(backend, nickname))).await;
        people.try_into().unwrap_or_else(|_| panic!("as many people as nicknames"))
    }

    /// The id as stored in the table.
    fn number(&self) -> u64 {
        short_id::decode(&self.id).map(UserId::get).expect("an id")
    }

    /// A request of this user.
    fn request(&self, backend: &Backend, method: Method, path: &str) -> RequestBuilder {
        backend.request(method, path).header(COOKIE, &self.cookie)
    }

    async fn get(&self, backend: &Backend, path: &str) -> (u16, Value) {
        answer(self.request(backend, Method::GET, path)).await
    }

    /// A post with a body.
    fn sends(&self, backend: &Backend, path: &str, body: &Value) -> RequestBuilder {
        self.request(backend, Method::POST, path).json(body)
    }

    async fn post(&self, backend: &Backend, path: &str, body: Value) -> (u16, Value) {
        answer(self.sends(backend, path, &body)).await
    }

    /// A request about another user that needs only their id.
    async fn does(&self, backend: &Backend, path: &str, whom: &Self) -> (u16, Value) {
        self.post(backend, path, json!({ "friendId": whom.id })).await
    }

    async fn invites(&self, backend: &Backend, whom: &Self, message: &str) -> (u16, Value) {
        self.post(backend, "/friendship/invite", json!({ "friendId": whom.id, "message": message })).await
    }

    /// Makes this user and another one friends.
    async fn befriends(&self, backend: &Backend, whom: &Self) {
        assert_eq!(self.invites(backend, whom, "").await, action("Sent"));
        assert_eq!(whom.does(backend, "/friendship/agree", self).await, action("Added"));
    }

    /// The entry of another user in this user's list of friends.
    async fn entry(&self, backend: &Backend, of: &Self) -> Option<Value> {
        let (status, body) = self.get(backend, "/friendship/all").await;
        assert_eq!((status, &body["code"]), (200, &json!(200)), "{body}");
        let list = body["result"].as_array().expect("a list");
        list.iter().find(|entry| entry["user"]["id"] == json!(of.id)).cloned()
    }

    /// Ends the session.
    async fn leaves(&self, backend: &Backend) {
        assert_eq!(self.post(backend, "/user/logout", json!({})).await, done());
    }
}

/// The item that one user has about another.
async fn held(backend: &Backend, who: &Someone, of: &Someone) -> Option<Item> {
    backend.item(&format!("user#{}", who.number()), &format!("friend#{}", of.number())).await
}

fn is_blocked(item: &Item) -> bool {
    item.get("blocked").is_some_and(|blocked| *blocked.as_bool().expect("a boolean"))
}

/// A side of a relation in short form: its status (`-` for none), and a `b` for a user on the blacklist who is not a
/// friend.
fn side(item: Option<&Item>) -> String {
    let status = item.and_then(|item| number(item, "status"));
    let blocked = item.is_some_and(is_blocked);
    assert!(!matches!((status, blocked), (Some(20), true) | (Some(31), false)), "{item:?}");
    let mark = if blocked && status != Some(31) { "b" } else { "" };
    status.map_or_else(|| format!("-{mark}"), |status| format!("{status}{mark}"))
}

/// Both sides of a relation in short form, after a check that they fit together.
async fn sides(backend: &Backend, one: &Someone, other: &Someone) -> String {
    let items = (held(backend, one, other).await, held(backend, other, one).await);
    let statuses = [&items.0, &items.1].map(|item| item.as_ref().and_then(|item| number(item, "status")));
    let plain = statuses.map(|status| status.map(|status| if status == 31 { 20 } else { status }));
    let fit = match plain {
        [None, None] | [Some(20 | 30), Some(20 | 30)] => true,
        [Some(10), Some(other)] | [Some(other), Some(10)] => [11, 21].contains(&other),
        _ => false,
    };
    assert!(fit, "{items:?}");
    if plain == [Some(20), Some(20)] {
        for item in [&items.0, &items.1] {
            assert_eq!(item.as_ref().and_then(|item| text(item, "message")), None, "an answered invitation is over");
        }
    }
    format!("{} {}", side(items.0.as_ref()), side(items.1.as_ref()))
}

/// How often each side was changed.
async fn turns(backend: &Backend, one: &Someone, other: &Someone) -> (i64, i64) {
    let turn = |item: Option<Item>| item.and_then(|item| number(&item, "turn")).unwrap_or_default();
    (turn(held(backend, one, other).await), turn(held(backend, other, one).await))
}

/// Uses every social feature once, for the test that compares the functions' roles with their calls.
pub async fn whole_session(backend: &Backend) {
    whole_friendship(backend).await;
}

async fn whole_friendship(backend: &Backend) {
    let [one, other] = Someone::several(backend, ["One", "Other"]).await;
    one.befriends(backend, &other).await;
    for path in ["/friendship/all", "/user/blacklist", "/user/groups", &format!("/friendship/{}/profile", other.id)] {
        assert_eq!(one.get(backend, path).await.0, 200, "{path}");
    }
    for path in ["/user/add_to_blacklist", "/user/remove_from_blacklist", "/friendship/delete"] {
        assert_eq!(one.does(backend, path, &other).await, done(), "{path}");
    }
}
