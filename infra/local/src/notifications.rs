//! Notifications that users would have received, for `GET /_local/notifications`: messages of topics, pushes, and dead
//! letters.

use std::cmp::Reverse;

use emulator::{DeadLetter, Endpoints, Notification, Push};
use serde_json::{Value, json};

/// How many are shown if the query gives no number.
const SHOWN: usize = 1_000;

/// All notifications as JSON, newest first.
pub fn all(endpoints: &Endpoints) -> Vec<Value> {
    // A message is pushed after it is published, so within the same millisecond the push is newer.
    let letters = endpoints.dead_letters().into_iter().rev().map(given_up);
    let pushes = endpoints.pushes().into_iter().map(pushed);
    let published = endpoints.notifications().into_iter().map(published);
    let mut all: Vec<Value> = letters.chain(pushes).chain(published).collect();
    all.sort_by_key(|one| Reverse(one["sent_at"].as_u64()));
    all
}

/// The number in a query: `limit=50`.
pub fn limit(query: &str) -> usize {
    let mut fields = form_urlencoded::parse(query.as_bytes());
    fields.find(|(name, _)| name == "limit").and_then(|(_, value)| value.parse().ok()).unwrap_or(SHOWN)
}

fn published(notification: Notification) -> Value {
    let Notification { topic, message, attributes, sent_at, message_id } = notification;
    let mut shown = shown("topic", message, sent_at, &message_id);
    if let Some(operation) = attributes.get("operation") {
        shown["operation"] = json!(operation);
    }
    shown["topic"] = json!(topic);
    shown["attributes"] = json!(attributes);
    shown
}

fn pushed(push: Push) -> Value {
    let Push { endpoint, platform, token, payload, sent_at, message_id } = push;
    let mut shown = shown("push", payload, sent_at, &message_id);
    shown["platform"] = json!(platform);
    shown["token"] = json!(token);
    shown["endpoint"] = json!(endpoint);
    shown
}

/// The fields that a message of a topic and a push share.
fn shown(kind: &str, message: String, sent_at: u64, message_id: &str) -> Value {
    let message = parsed(message);
    json!({
        "kind": kind,
        "operation": find(&message, "operation"),
        "from": find(&message, "fromUserId"),
        "to": find(&message, "toUserId").or_else(|| find(&message, "toGroupId")),
        "message": message,
        "message_id": message_id,
        "sent_at": sent_at,
    })
}

fn given_up(letter: DeadLetter) -> Value {
    let DeadLetter { function, destination, body, error, sent_at } = letter;
    json!({
        "kind": "dead_letter",
        "function": function,
        "queue": destination,
        "error": error,
        "message": body,
        "sent_at": sent_at,
    })
}

/// A message that is JSON is shown as JSON.
fn parsed(message: String) -> Value {
    serde_json::from_str(&message).unwrap_or(Value::String(message))
}

/// The first text with this name; outer levels come first.
fn find<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    let own = value.get(name).and_then(Value::as_str);
    own.or_else(|| value.as_object()?.values().find_map(|inner| find(inner, name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_and_what_is_found_wherever_it_stands() {
        let apple = json!({"aps": {"alert": {"title": "t"}}, "news": {"operation": "Add", "toGroupId": "g"}});
        let google = json!({"fcmV1Message": {"message": {"data": {"operation": "Add", "content": "{}"}}}});
        for payload in [apple, google] {
            assert_eq!(find(&payload, "operation"), Some("Add"));
        }
        let nested = json!({"content": {"operation": "inner"}, "operation": "outer"});
        assert_eq!(find(&nested, "operation"), Some("outer"));
        assert_eq!(find(&parsed("words".to_owned()), "operation"), None);
    }

    #[test]
    fn a_query_may_ask_for_fewer() {
        assert_eq!((limit("limit=5"), limit("a=b"), limit("limit=x")), (5, SHOWN, SHOWN));
    }
}
