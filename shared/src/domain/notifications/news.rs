//! Which changes somebody is to hear of.

use std::collections::BTreeSet;

use super::group::GroupEvent;
use crate::domain::account::UserId;
use crate::domain::clock::Timestamp;
use crate::domain::social::{Group, GroupId, Relation, Status};

/// A change of an item that may be news to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// What one person holds of another changed.
    Relation {
        /// Whose it is.
        of: UserId,
        /// As it was; none when nothing was held.
        before: Option<Relation>,
        /// As it is.
        after: Relation,
    },
    /// A group changed.
    Group {
        /// As it was; none when it was made.
        before: Option<Group>,
        /// As it is.
        after: Group,
    },
}

/// What somebody is to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Somebody asks to be friends.
    Request {
        /// Who asks.
        from: UserId,
        /// Who is asked.
        to: UserId,
        /// What they say.
        message: String,
        /// When.
        at: Timestamp,
    },
    /// Somebody who was asked is a friend now.
    Acceptance {
        /// Who was asked.
        from: UserId,
        /// Who had asked.
        to: UserId,
        /// When they became friends.
        at: Timestamp,
    },
    /// Something happened in a group.
    Group {
        /// The group.
        group: GroupId,
        /// What it is called now.
        name: String,
        /// What happened.
        event: GroupEvent,
        /// When.
        at: Timestamp,
    },
}

impl Change {
    /// What somebody is to hear of it. Of the two sides of a relation that change together at most one is news, so
    /// everything is told once. Ignoring, deleting, blocking and remarks are nobody else's business.
    #[must_use]
    pub fn news(self) -> Option<News> {
        match self {
            Self::Relation { of, before, after } => news_of_relation(of, before.as_ref(), after),
            Self::Group { before, after } => {
                let told = before.and_then(|before| before.told).map(|event| event.seq);
                let event = after.told.filter(|event| told != Some(event.seq))?;
                Some(News::Group { group: after.id, name: after.name, event, at: after.updated })
            }
        }
    }
}

/// Both pieces of news are read off the side of the person who is to hear them: whatever the other side was before
/// (an ignored request may be answered by asking back), and not at all where that person blocks the other.
fn news_of_relation(of: UserId, before: Option<&Relation>, after: Relation) -> Option<News> {
    let was = before.and_then(|before| before.status);
    let (from, at) = (after.other, after.updated);
    match after.status? {
        // Who asks again, is heard again.
        Status::WasAsked if was != after.status || before.and_then(|before| before.asked) != after.asked => {
            Some(News::Request { from, to: of, message: after.message, at })
        }
        Status::Friends if was == Some(Status::Asked) => Some(News::Acceptance { from, to: of, at }),
        Status::Asked | Status::WasAsked | Status::Friends | Status::Ignored | Status::Deleted | Status::Blocked => {
            None
        }
    }
}

impl News {
    /// Whose act it is.
    #[must_use]
    pub fn author(&self) -> UserId {
        match self {
            Self::Request { from, .. } | Self::Acceptance { from, .. } => *from,
            Self::Group { event, .. } => event.operator,
        }
    }

    /// Whom it names.
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
