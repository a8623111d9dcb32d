//! Which changes users are notified of.

use std::collections::BTreeSet;

use crate::account::UserId;
use crate::clock::Timestamp;
use crate::social::group::GroupEvent;
use crate::social::{Group, GroupId, Relation, Status};

/// A change of an item that may lead to a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The relation of one user to another changed.
    Relation {
        /// The user whose relation it is.
        of: UserId,
        /// The relation before the change; `None` when there was none.
        before: Option<Relation>,
        /// The relation after the change.
        after: Relation,
    },
    /// A group changed.
    Group {
        /// The group before the change; `None` when it was just created.
        before: Option<Group>,
        /// The group after the change.
        after: Group,
    },
}

/// A notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotificationEvent {
    /// A user sends a friend request.
    Request {
        /// The user who sent the request.
        from: UserId,
        /// The user who receives it.
        to: UserId,
        /// The message of the request.
        message: String,
        /// Whether it is the first request between the two users today (UTC). Only the first is pushed to devices.
        first_today: bool,
        /// When the request was sent.
        at: Timestamp,
    },
    /// A user accepted a friend request.
    Acceptance {
        /// The user who accepted it.
        from: UserId,
        /// The user who had sent the request.
        to: UserId,
        /// When they became friends.
        at: Timestamp,
    },
    /// An event in a group.
    Group {
        /// The group.
        group: GroupId,
        /// The group's current name.
        name: String,
        /// The event.
        event: GroupEvent,
        /// When it happened.
        at: Timestamp,
    },
}

impl Change {
    /// The notification for this change, if there is one. When the two sides of a relation change together, at most one
    /// of them leads to a notification, so each is sent once. Ignoring, deleting, blocking and remarks concern nobody
    /// else.
    #[must_use]
    pub fn news(self) -> Option<NotificationEvent> {
        match self {
            Self::Relation { of, before, after } => news_of_relation(of, before.as_ref(), after),
            Self::Group { before, after } => {
                let told = before.and_then(|before| before.last_event).map(|event| event.seq);
                let event = after.last_event.filter(|event| told != Some(event.seq))?;
                Some(NotificationEvent::Group { group: after.id, name: after.name, event, at: after.updated })
            }
        }
    }
}

/// Both notifications follow from the side of the user who receives them. The other side's earlier state does not
/// matter (an ignored request may be answered by a request in return). Nothing is sent if the receiving user blocks the
/// other.
fn news_of_relation(of: UserId, before: Option<&Relation>, after: Relation) -> Option<NotificationEvent> {
    let was = before.and_then(|before| before.status);
    let (from, at) = (after.other, after.updated);
    match after.status? {
        // A repeated request is delivered again.
        Status::WasAsked if was != after.status || before.and_then(|before| before.asked) != after.asked => {
            let day = |relation: &Relation| relation.asked.map(Timestamp::day);
            let first_today = before.and_then(day) != day(&after);
            Some(NotificationEvent::Request { from, to: of, message: after.message, first_today, at })
        }
        Status::Friends if was == Some(Status::Asked) => Some(NotificationEvent::Acceptance { from, to: of, at }),
        Status::Asked | Status::WasAsked | Status::Friends | Status::Ignored | Status::Deleted | Status::Blocked => {
            None
        }
    }
}

impl NotificationEvent {
    /// The user who caused the event.
    #[must_use]
    pub fn author(&self) -> UserId {
        match self {
            Self::Request { from, .. } | Self::Acceptance { from, .. } => *from,
            Self::Group { event, .. } => event.operator,
        }
    }

    /// The users whom the notification names.
    #[must_use]
    pub fn named(&self) -> BTreeSet<UserId> {
        match self {
            Self::Request { from, to, .. } | Self::Acceptance { from, to, .. } => BTreeSet::from([*from, *to]),
            Self::Group { event, .. } => event.named(),
        }
    }
}

#[cfg(test)]
mod tests;
