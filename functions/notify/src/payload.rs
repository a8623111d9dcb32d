//! Notifications as SealTalk's apps read them: the content of `RongCloud`'s contact and group notification messages,
//! with the values that SealTalk's server sets. `docs/notifications.md` shows every field.

use std::collections::HashMap;

use domain::account::UserId;
use domain::clock::Timestamp;
use domain::notifications::{Listener, NotificationEvent};
use domain::short_id::encode;
use domain::social::GroupId;
use domain::social::group::{GroupEvent, Operation};
use serde::Serialize;
use serde_json::{Value, json};

/// `RongCloud`'s name for a message about two users.
const CONTACT: &str = "RC:ContactNtf";
/// `RongCloud`'s name for a message to a group.
const GROUP: &str = "RC:GrpNtf";
/// The sender of group messages on SealTalk's server.
const SYSTEM: &str = "__system__";

/// The longest message that SNS accepts, in bytes, minus the space for its attributes.
const LONGEST: usize = 255 * 1024;

/// The users that a notification names.
pub(crate) type People = HashMap<UserId, Listener>;

/// A message about one change.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Message {
    /// The id of the change: two messages with the same id are the same message.
    pub(crate) id: String,
    /// `RongCloud`'s name for this kind of message.
    pub(crate) object_name: &'static str,
    /// The operation.
    pub(crate) operation: &'static str,
    pub(crate) from_user_id: String,
    #[serde(flatten)]
    pub(crate) to: To,
    /// The members of a new group, for a chat service that has to create it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    member_ids: Vec<String>,
    /// The time of the change, in milliseconds since 1970.
    pub(crate) time: i64,
    pub(crate) content: Content,
}

/// The receiver of a message, as one of `RongCloud`'s parameters.
#[derive(Clone, Debug, Serialize)]
pub(crate) enum To {
    #[serde(rename = "toUserId")]
    User(String),
    #[serde(rename = "toGroupId")]
    Group(String),
}

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Content {
    Contact(Contact),
    Group(Group),
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Contact {
    operation: &'static str,
    source_user_id: String,
    target_user_id: String,
    message: String,
    extra: Extra,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Extra {
    source_user_nickname: String,
    version: i64,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Group {
    operator_user_id: String,
    operation: &'static str,
    data: Details,
    /// Empty, as on SealTalk's server: the apps build their own text from the data.
    message: &'static str,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    operator_nickname: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    target_user_ids: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    target_user_display_names: Vec<String>,
    target_group_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_creator_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    timestamp: i64,
    /// A copy of the whole data, because SealTalk's web and desktop apps look for it here.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Box<Self>>,
}

impl Message {
    /// Builds the message about a change. `id` is the id of the change, and `posted` is the text on the group's board.
    pub(crate) fn of(id: &str, news: &NotificationEvent, people: &People, posted: Option<String>) -> Self {
        match news {
            NotificationEvent::Request { from, to, message, at, .. } => {
                Self::contact(id, "Request", (*from, *to), message, *at, people)
            }
            NotificationEvent::Acceptance { from, to, at } => {
                Self::contact(id, "AcceptResponse", (*from, *to), "", *at, people)
            }
            NotificationEvent::Group { group, name, event, at } => {
                Self::group(id, *group, event, Details::of(name, event, *at, people, posted), *at)
            }
        }
    }

    fn contact(
        id: &str,
        operation: &'static str,
        (from, to): (UserId, UserId),
        message: &str,
        at: Timestamp,
        people: &People,
    ) -> Self {
        Self {
            id: id.to_owned(),
            object_name: CONTACT,
            operation,
            from_user_id: encode(from),
            to: To::User(encode(to)),
            member_ids: Vec::new(),
            time: at.millis(),
            content: Content::Contact(Contact {
                operation,
                source_user_id: encode(from),
                target_user_id: encode(to),
                message: message.to_owned(),
                extra: Extra { source_user_nickname: nickname(people, from), version: at.millis() },
            }),
        }
    }

    fn group(id: &str, group: GroupId, event: &GroupEvent, data: Details, at: Timestamp) -> Self {
        let operation = event.operation.name();
        let mut message = Self {
            id: id.to_owned(),
            object_name: GROUP,
            operation,
            from_user_id: SYSTEM.to_owned(),
            to: To::Group(encode(group)),
            member_ids: if event.operation == Operation::Create { encode_all(&event.named()) } else { Vec::new() },
            time: at.millis(),
            content: Content::Group(Group {
                operator_user_id: encode(event.operator),
                operation,
                data: Details { data: Some(Box::new(data.clone())), ..data },
                message: "",
            }),
        };
        // The data of hundreds of users with the longest names fit in once, but not twice.
        if message.body().len() > LONGEST
            && let Content::Group(content) = &mut message.content
        {
            content.data.data = None;
        }
        message
    }

    /// The message as JSON.
    pub(crate) fn body(&self) -> String {
        json!(self).to_string()
    }

    /// The content as JSON.
    pub(crate) fn content(&self) -> Value {
        json!(self.content)
    }
}

impl Details {
    fn of(name: &str, event: &GroupEvent, at: Timestamp, people: &People, posted: Option<String>) -> Self {
        let targets = match event.operation {
            // All members of a new group were added to it, so SealTalk's server names none of them.
            Operation::Create => &[][..],
            Operation::Quit => &[event.operator],
            Operation::Add
            | Operation::Dismiss
            | Operation::Kicked
            | Operation::Rename
            | Operation::Bulletin
            | Operation::Transfer
            | Operation::SetManager
            | Operation::RemoveManager => &event.targets,
        };
        Self {
            operator_nickname: nickname(people, event.operator),
            target_user_ids: encode_all(targets),
            target_user_display_names: targets.iter().map(|target| nickname(people, *target)).collect(),
            target_group_name: name.to_owned(),
            new_creator_id: event.heir.map(encode),
            content: posted,
            timestamp: at.millis(),
            data: None,
        }
    }
}

fn encode_all<'u>(users: impl IntoIterator<Item = &'u UserId>) -> Vec<String> {
    users.into_iter().copied().map(encode).collect()
}

/// The user's nickname; empty if they have none, or no account any more.
pub(crate) fn nickname(people: &People, user: UserId) -> String {
    people.get(&user).map(|listener| listener.name.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
