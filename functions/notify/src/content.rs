//! News as SealTalk's apps read it: the content of `RongCloud`'s contact and group notification messages, as SealTalk's
//! server fills it. `docs/notifications.md` shows all of it.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Value, json};
use shared::domain::account::UserId;
use shared::domain::clock::Timestamp;
use shared::domain::notifications::{GroupEvent, Listener, News, Operation};
use shared::domain::short_id::encode;
use shared::domain::social::GroupId;

/// What `RongCloud` calls a message about two people.
const CONTACT: &str = "RC:ContactNtf";
/// What `RongCloud` calls a message to a group.
const GROUP: &str = "RC:GrpNtf";
/// In whose name SealTalk's server tells groups.
const SYSTEM: &str = "__system__";

/// The longest message that SNS takes, in bytes, less what its attributes take up.
const LONGEST: usize = 255 * 1024;

/// The people whom news names.
pub(crate) type People = HashMap<UserId, Listener>;

/// A message about a piece of news.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Message {
    /// What the change is known by: two messages with one id are one.
    pub(crate) id: String,
    /// What `RongCloud` calls a message like this.
    pub(crate) object_name: &'static str,
    /// What was done.
    pub(crate) operation: &'static str,
    pub(crate) from_user_id: String,
    #[serde(flatten)]
    pub(crate) to: To,
    /// Who is in a new group, for a chat service that has yet to make it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    member_ids: Vec<String>,
    /// When the change was made, in milliseconds since 1970.
    pub(crate) time: i64,
    pub(crate) content: Content,
}

/// To whom a message goes, as one of `RongCloud`'s parameters.
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
    /// Empty, as SealTalk's server leaves it: the apps make their own words of the data.
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
    /// All of it once more, because SealTalk's web and desktop apps look for it here.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Box<Self>>,
}

impl Message {
    /// The message about a piece of news that is known by `id`. `posted` is what the group's board says.
    pub(crate) fn of(id: &str, news: &News, people: &People, posted: Option<String>) -> Self {
        match news {
            News::Request { from, to, message, at } => Self::contact(id, "Request", (*from, *to), message, *at, people),
            News::Acceptance { from, to, at } => Self::contact(id, "AcceptResponse", (*from, *to), "", *at, people),
            News::Group { group, name, event, at } => {
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
        // Hundreds of people with the longest of names fit in once, but not twice.
        if message.body().len() > LONGEST
            && let Content::Group(content) = &mut message.content
        {
            content.data.data = None;
        }
        message
    }

    /// As JSON.
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
            // Everybody in a new group was put into it, so SealTalk's server names nobody.
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

/// What somebody is called; empty when they have no nickname, or no account any more.
pub(crate) fn nickname(people: &People, user: UserId) -> String {
    people.get(&user).map(|listener| listener.name.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
