//! Work on the queue `Pushes`: sending a notification to the devices of everybody who receives it.
//!
//! A notification to many users is split into parts, each of which is work of its own, so that no invocation has to send
//! more than it has time for. Work may be delivered twice; what is known to be sent is then not sent again, because only
//! the devices that are left are put back on the queue.

use std::collections::BTreeSet;

use domain::account::UserId;
use domain::notifications::{Device, NotificationEvent, Platform};
use domain::social::GroupId;
use domain::social::group::Operation;
use serde::{Deserialize, Serialize};

/// Work, as it is written on the queue. Messages of an older version may be on the queue when a new one is deployed, so a
/// variant that was released keeps its name and fields; a new field needs a default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "work", rename_all = "snake_case")]
pub(crate) enum Work {
    /// Find out who receives a notification, and send it to them.
    Notify {
        /// Who may receive it.
        audience: Audience,
        /// What their devices receive.
        payloads: Payloads,
    },
    /// Send it to the devices of these users, who are allowed to receive it.
    Push {
        /// The users whom the change affects.
        targets: BTreeSet<UserId>,
        /// The other users.
        others: BTreeSet<UserId>,
        /// What their devices receive.
        payloads: Payloads,
        /// The devices that are left; empty for all devices of the users.
        #[serde(default)]
        left: BTreeSet<Receiver>,
        /// How often sending was tried before.
        #[serde(default)]
        tries: u32,
    },
}

/// Those who may receive a notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub(crate) enum Audience {
    /// The receiver of a friend request.
    Request {
        /// The receiver.
        to: UserId,
        /// Whether it is the first request between the two users today.
        first_today: bool,
    },
    /// The user whose friend request was accepted.
    Acceptance {
        /// The user.
        to: UserId,
    },
    /// The members of a group.
    Group {
        /// The group.
        group: GroupId,
        /// The user who made the change.
        by: UserId,
        /// The users whom the change affects.
        targets: BTreeSet<UserId>,
        /// Whether the targets were added to the group.
        adds: bool,
    },
}

impl Audience {
    /// Those who may receive a notification about this event.
    pub(crate) fn of(news: &NotificationEvent) -> Self {
        match news {
            NotificationEvent::Request { to, first_today, .. } => Self::Request { to: *to, first_today: *first_today },
            NotificationEvent::Acceptance { to, .. } => Self::Acceptance { to: *to },
            NotificationEvent::Group { group, event, .. } => Self::Group {
                group: *group,
                by: event.operator,
                targets: event.targets.iter().copied().collect(),
                adds: matches!(event.operation, Operation::Create | Operation::Add),
            },
        }
    }
}

/// The payloads of a notification. Those of a platform without an application are missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Payloads {
    /// For users whom the change affects.
    pub(crate) to_targets: OfPlatforms,
    /// For other users.
    pub(crate) to_others: OfPlatforms,
}

/// A payload for each platform.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OfPlatforms {
    /// For Apple's push service.
    pub(crate) apple: Option<String>,
    /// For Firebase Cloud Messaging.
    pub(crate) google: Option<String>,
}

impl OfPlatforms {
    /// The payload for a platform.
    pub(crate) fn get(&self, platform: Platform) -> Option<&str> {
        match platform {
            Platform::Apple => self.apple.as_deref(),
            Platform::Google => self.google.as_deref(),
        }
    }
}

/// A device that is left. Its token is on the queue, which is encrypted; it is only used while it still belongs to a
/// session of the user.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Receiver {
    /// The user.
    user: UserId,
    /// The push service.
    apple: bool,
    /// The token.
    token: String,
}

impl Receiver {
    /// A user's device.
    pub(crate) fn new(user: UserId, device: &Device) -> Self {
        Self { user, apple: device.platform == Platform::Apple, token: device.token.clone() }
    }
}

impl std::fmt::Debug for Receiver {
    /// Without the token, which identifies the device and is never logged.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Receiver({})", self.user)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn work_is_written_as_json_that_stays_the_same() {
        let user = |id| UserId::new(id).unwrap();
        let payloads = Payloads {
            to_targets: OfPlatforms { apple: Some("a".to_owned()), google: None },
            to_others: OfPlatforms { apple: None, google: Some("g".to_owned()) },
        };
        let written = json!({
            "to_targets": { "apple": "a", "google": null }, "to_others": { "apple": null, "google": "g" },
        });
        let audience =
            Audience::Group { group: GroupId::new(7).unwrap(), by: user(1), targets: [user(2)].into(), adds: true };
        let notify = Work::Notify { audience, payloads: payloads.clone() };
        let to = json!({ "of": "group", "group": 7, "by": 1, "targets": [2], "adds": true });
        let push = Work::Push {
            targets: [user(2)].into(),
            others: [user(3), user(4)].into(),
            payloads,
            left: BTreeSet::new(),
            tries: 0,
        };
        for (work, text) in [
            (notify, json!({ "work": "notify", "audience": to, "payloads": written })),
            (push, json!({ "work": "push", "targets": [2], "others": [3, 4], "payloads": written })),
        ] {
            assert_eq!(serde_json::from_value::<Work>(text).unwrap(), work);
            assert_eq!(serde_json::from_value::<Work>(json!(work)).unwrap(), work);
        }
    }

    #[test]
    fn a_token_is_not_printed() {
        let device = Device { platform: Platform::Apple, token: "secret".to_owned() };
        let receiver = Receiver::new(UserId::new(1).unwrap(), &device);
        assert_eq!(format!("{receiver:?}"), "Receiver(1)");
    }
}
