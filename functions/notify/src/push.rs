//! Builds push notifications: the text that a device shows, and the data for its app.

use domain::account::UserId;
use domain::notifications::{NotificationEvent, Platform};
use domain::social::group::{GroupEvent, Operation};
use serde_json::{Value, json};

use crate::links;
use crate::payload::{Message, People, To, nickname};

/// The longest payload that Apple and Google accept, in bytes (APNs, "Generating a remote notification"; FCM, "About
/// FCM messages").
const LONGEST: usize = 4_096;
/// The most characters of a text that are shown.
const SHOWN: usize = 200;
/// The most users that are named; the others are counted.
const NAMED: usize = 3;
/// Shown for a user without a nickname.
const SOMEBODY: &str = "Somebody";

/// The payload of a push notification for one device.
pub(crate) fn payload(message: &Message, text: &Text, platform: Platform) -> String {
    let whole = build(message, text, platform, true);
    // An app that receives no content syncs instead: the sync has everything.
    if whole.len() <= LONGEST { whole } else { build(message, text, platform, false) }
}

fn build(message: &Message, text: &Text, platform: Platform, with_content: bool) -> String {
    let Text { title, body } = text;
    let content = with_content.then(|| message.content());
    match platform {
        Platform::Apple => {
            let thread = match &message.to {
                To::Group(group) => group,
                To::User(_) => &message.from_user_id,
            };
            // `mutable-content` allows an app to translate the text before it is shown.
            let aps = json!({
                "alert": { "title": title, "body": body }, "sound": "default", "mutable-content": 1, "thread-id": thread,
            });
            json!({ "aps": aps, "news": data(message, content) })
        }
        Platform::Google => {
            // Firebase accepts only text as data.
            let data = data(message, content.map(|content| json!(content.to_string())));
            let notification = json!({ "title": title, "body": body });
            json!({ "fcmV1Message": { "message": { "notification": notification, "data": data } } })
        }
    }
    .to_string()
}

fn data(message: &Message, content: Option<Value>) -> Value {
    let mut data = json!({
        "id": message.id, "objectName": message.object_name, "operation": message.operation,
        "fromUserId": message.from_user_id,
    });
    match &message.to {
        To::User(user) => data["toUserId"] = json!(user),
        To::Group(group) => data["toGroupId"] = json!(group),
    }
    if let Some(content) = content {
        data["content"] = content;
    }
    data
}

/// The text that a device shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    /// The name of the app, so that no nickname or group name can pretend to be the app.
    pub(crate) title: String,
    /// The event. Links are cut out of users' texts.
    pub(crate) body: String,
}

impl Text {
    /// The text for a receiver who is one of the targets (`to_target`) or not. `posted` is the text on the group's
    /// board.
    pub(crate) fn of(
        app: &str,
        news: &NotificationEvent,
        to_target: bool,
        people: &People,
        posted: Option<&str>,
    ) -> Self {
        let body = match news {
            NotificationEvent::Request { from, message, .. } => {
                let asks = format!("{} wants to be your friend", called(people, *from));
                let message = shown(message);
                if message.is_empty() { asks } else { format!("{asks}: {message}") }
            }
            NotificationEvent::Acceptance { from, .. } => format!("{} is your friend now", called(people, *from)),
            NotificationEvent::Group { name, event, .. } => {
                format!("{}: {}", shown(name), happened(event, to_target, people, posted))
            }
        };
        Self { title: app.to_owned(), body }
    }
}

/// Describes a group event in one sentence.
fn happened(event: &GroupEvent, to_target: bool, people: &People, posted: Option<&str>) -> String {
    let by = called(people, event.operator);
    let whom = if to_target { "you".to_owned() } else { names(&event.targets, people) };
    match event.operation {
        Operation::Create => format!("{by} added you to a new group"),
        Operation::Add if event.targets == [event.operator] => format!("{by} joined"),
        Operation::Add => format!("{by} added {whom}"),
        Operation::Quit => format!("{by} left"),
        Operation::Dismiss => format!("{by} dissolved the group"),
        Operation::Kicked => format!("{by} removed {whom}"),
        Operation::Rename => format!("{by} gave the group this name"),
        Operation::Bulletin => format!("{by}: {}", shown(posted.unwrap_or("new announcement"))),
        Operation::Transfer => format!("{by} handed the group to {whom}"),
        Operation::SetManager => format!("{by} made {whom} manager"),
        Operation::RemoveManager => format!("{by} took the manager's role from {whom}"),
    }
}

fn names(users: &[UserId], people: &People) -> String {
    let mut names: Vec<_> = users.iter().take(NAMED).map(|user| called(people, *user)).collect();
    if users.len() > NAMED {
        names.push(format!("{} more", users.len() - NAMED));
    }
    names.join(", ")
}

fn called(people: &People, user: UserId) -> String {
    Some(shown(&nickname(people, user))).filter(|name| !name.is_empty()).unwrap_or_else(|| SOMEBODY.to_owned())
}

/// The text without links, cut off after [`SHOWN`] characters.
fn shown(text: &str) -> String {
    let text = links::cut(text);
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests;
