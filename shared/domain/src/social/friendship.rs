//! Friendship between two users: the relation of each to the other, and which changes are allowed.
//!
//! Nothing here reads or writes data: an action takes both sides and returns both sides.

use crate::account::UserId;
use crate::clock::Timestamp;
use crate::text::Bounds;
use crate::{Error, Result};

/// One user's view of the other. The numbers are those of the API's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// I sent them a friend request.
    Asked = 10,
    /// They sent me a friend request.
    WasAsked = 11,
    /// We are friends.
    Friends = 20,
    /// They sent me a friend request, and I ignored it.
    Ignored = 21,
    /// I ended the friendship.
    Deleted = 30,
    /// They are a friend whom I block.
    Blocked = 31,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 6] =
        [Self::Asked, Self::WasAsked, Self::Friends, Self::Ignored, Self::Deleted, Self::Blocked];

    /// The status with this number in the API's documentation.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.number() == number)
    }

    /// The status's number in the API's documentation.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// A user's own name for a friend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark(String);

impl Remark {
    /// Up to 32 characters, none of them a control character; spaces around them are dropped. An empty remark removes
    /// it.
    pub fn parse(text: &str) -> Result<Self> {
        const REMARK: Bounds =
            Bounds::line("displayName", 0, 32, "must have at most 32 characters and no control characters");
        REMARK.trimmed(text).map(Self)
    }

    /// The remark as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The message of a friend request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Greeting(String);

impl Greeting {
    /// Up to 64 characters, none of them a control character.
    pub fn parse(text: &str) -> Result<Self> {
        const GREETING: Bounds =
            Bounds::line("message", 0, 64, "must have at most 64 characters and no control characters");
        GREETING.trimmed(text).map(Self)
    }

    /// The greeting as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One user's relation to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// The other user.
    pub other: UserId,
    /// The friendship status; `None` when the other is only blocked.
    pub status: Option<Status>,
    /// Whether the other is on the blacklist; `None` when they never were.
    pub blocked: Option<bool>,
    /// This user's own name for the other.
    pub remark: String,
    /// The message of the friend request between the two.
    pub message: String,
    /// When one of the two last sent a friend request.
    pub asked: Option<Timestamp>,
    /// When the relation last changed.
    pub updated: Timestamp,
    /// How often the relation changed. A change is written only if this number is still the one that was read; 0 means
    /// that the relation is not stored yet.
    pub turn: u64,
}

/// The result of an invitation. The names are those of the API's documentation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invited {
    /// They had sent a request before, so both are friends now.
    Added(Box<Pair>),
    /// The request was sent.
    Sent(Box<Pair>),
    /// They block the user who invites them. Neither of the two is notified.
    Nothing,
}

/// Both sides of a relation after an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// My relation to them.
    pub mine: Relation,
    /// Their relation to me.
    pub theirs: Relation,
}

impl Relation {
    /// The relation to a user with whom nothing is stored yet.
    #[must_use]
    pub const fn stranger(other: UserId) -> Self {
        Self {
            other,
            status: None,
            blocked: None,
            remark: String::new(),
            message: String::new(),
            asked: None,
            updated: Timestamp::from_millis(0),
            turn: 0,
        }
    }

    /// Whether the other is on the blacklist.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.blocked == Some(true)
    }

    /// Whether the other is a friend, blocked or not.
    #[must_use]
    pub fn is_friend(&self) -> bool {
        matches!(self.status, Some(Status::Friends | Status::Blocked))
    }

    /// Makes the other a friend. If they were blocked, they stay blocked.
    fn befriend(&mut self) {
        self.status = Some(if self.is_blocked() { Status::Blocked } else { Status::Friends });
        self.message.clear();
    }

    fn unblock(&mut self) {
        self.blocked = self.blocked.map(|_| false);
        if self.status == Some(Status::Blocked) {
            self.status = Some(Status::Friends);
        }
    }

    /// The relation after a change at `now`.
    #[must_use]
    fn changed(mut self, now: Timestamp) -> Self {
        self.updated = now;
        self.turn += 1;
        self
    }
}

impl Pair {
    /// Whether each is a friend of the other, blocked or not.
    #[must_use]
    pub fn are_friends(&self) -> bool {
        self.mine.is_friend() && self.theirs.is_friend()
    }

    /// Whether my friend request waits for their answer, with this message if one is given.
    #[must_use]
    pub fn is_waiting(&self, greeting: Option<&Greeting>) -> bool {
        (self.mine.status, self.theirs.status) == (Some(Status::Asked), Some(Status::WasAsked))
            && !self.mine.is_blocked()
            && greeting.is_none_or(|greeting| greeting.as_str() == self.mine.message)
    }

    /// I send them a friend request. If I blocked them, the request unblocks them.
    pub fn invite(mut self, greeting: &Greeting, now: Timestamp) -> Result<Invited> {
        if self.theirs.is_blocked() {
            return Ok(Invited::Nothing);
        }
        if self.are_friends() {
            return Err(Error::AlreadyFriends);
        }
        self.mine.unblock();
        // They sent a request before, or never learnt that I had ended the friendship.
        if self.theirs.status == Some(Status::Asked) || self.theirs.is_friend() {
            self.mine.befriend();
            self.theirs.befriend();
            return Ok(Invited::Added(Box::new(self.changed(now))));
        }
        for (side, status) in [(&mut self.mine, Status::Asked), (&mut self.theirs, Status::WasAsked)] {
            side.status = Some(status);
            greeting.as_str().clone_into(&mut side.message);
            side.asked = Some(now);
        }
        Ok(Invited::Sent(Box::new(self.changed(now))))
    }

    /// I accept their friend request. `None` when we are friends already, or when they block me by now; I am not
    /// notified of that block. If I blocked them, accepting unblocks them.
    pub fn agree(mut self, now: Timestamp) -> Result<Option<Self>> {
        match self.mine.status {
            Some(Status::WasAsked) if self.theirs.is_blocked() => Ok(None),
            Some(Status::WasAsked) => {
                self.mine.unblock();
                self.mine.befriend();
                self.theirs.befriend();
                Ok(Some(self.changed(now)))
            }
            Some(Status::Friends) => Ok(None),
            Some(Status::Asked | Status::Ignored | Status::Deleted | Status::Blocked) | None => {
                Err(Error::NotFound("friend request"))
            }
        }
    }

    fn changed(self, now: Timestamp) -> Self {
        Self { mine: self.mine.changed(now), theirs: self.theirs.changed(now) }
    }
}

impl Relation {
    /// I ignore their friend request.
    pub fn ignore(mut self, now: Timestamp) -> Result<Self> {
        match self.status {
            Some(Status::WasAsked) => {
                self.status = Some(Status::Ignored);
                Ok(self.changed(now))
            }
            Some(Status::Asked | Status::Friends | Status::Ignored | Status::Deleted | Status::Blocked) | None => {
                Err(Error::NotFound("friend request"))
            }
        }
    }

    /// I end the friendship. They are not notified. If they were on my blacklist, they stay on it.
    pub fn delete(mut self, now: Timestamp) -> Result<Self> {
        if !self.is_friend() {
            return Err(Error::NotFound("friend"));
        }
        self.status = Some(Status::Deleted);
        Ok(self.changed(now))
    }

    /// I set my own name for a friend; `None` when it is that name already.
    pub fn remark(mut self, remark: &Remark, now: Timestamp) -> Result<Option<Self>> {
        if !self.is_friend() {
            return Err(Error::NotFound("friend"));
        }
        if self.remark == remark.as_str() {
            return Ok(None);
        }
        remark.as_str().clone_into(&mut self.remark);
        Ok(Some(self.changed(now)))
    }

    /// I put them on the blacklist; `None` when they are on it already.
    #[must_use]
    pub fn block(mut self, now: Timestamp) -> Option<Self> {
        if self.is_blocked() {
            return None;
        }
        self.blocked = Some(true);
        if self.status == Some(Status::Friends) {
            self.status = Some(Status::Blocked);
        }
        Some(self.changed(now))
    }

    /// I take them off the blacklist; `None` when they are not on it.
    #[must_use]
    pub fn pardon(mut self, now: Timestamp) -> Option<Self> {
        if !self.is_blocked() {
            return None;
        }
        self.unblock();
        Some(self.changed(now))
    }
}

#[cfg(test)]
mod tests;
