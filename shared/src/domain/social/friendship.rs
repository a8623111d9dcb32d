//! Friendship between two people: what each holds of the other, and which changes are legal.
//!
//! Nothing here reads or writes: an action takes both sides and gives both sides back.

use crate::domain::account::UserId;
use crate::domain::clock::Timestamp;
use crate::domain::text::Bounds;
use crate::domain::{Error, Result};

/// What one person is to another, seen from one of them. The numbers are the document's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// I asked them to be friends.
    Asked = 10,
    /// They asked me.
    WasAsked = 11,
    /// We are friends.
    Friends = 20,
    /// They asked me and I ignored it.
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

    /// By the document's number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.number() == number)
    }

    /// The document's number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// What somebody calls a friend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark(String);

impl Remark {
    /// Up to 32 characters, none of them a control character; spaces around them are dropped. Empty takes it away.
    pub fn parse(text: &str) -> Result<Self> {
        const REMARK: Bounds =
            Bounds::line("displayName", 0, 32, "has at most 32 characters and no control characters");
        REMARK.trimmed(text).map(Self)
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What somebody says when they ask to be friends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting(String);

impl Greeting {
    /// Up to 64 characters, none of them a control character.
    pub fn parse(text: &str) -> Result<Self> {
        const GREETING: Bounds = Bounds::line("message", 0, 64, "has at most 64 characters and no control characters");
        GREETING.trimmed(text).map(Self)
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What one person holds of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// The other.
    pub other: UserId,
    /// What they are; none when they are only blocked.
    pub status: Option<Status>,
    /// Whether they are on the blacklist; none when they never were.
    pub blocked: Option<bool>,
    /// What they are called here.
    pub remark: String,
    /// What was said when one asked the other.
    pub message: String,
    /// When one last asked the other.
    pub asked: Option<Timestamp>,
    /// When the relation last changed.
    pub updated: Timestamp,
    /// How often it changed. A change is admitted by the turn it was made of; 0 is written nowhere yet.
    pub turn: u64,
}

/// What came of an invitation. The words are the document's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invited {
    /// They had asked before, so both are friends now.
    Added(Box<Pair>),
    /// They are asked.
    Sent(Box<Pair>),
    /// They block the one who asks, and neither of the two is told anything.
    Nothing,
}

/// Both sides of a relation, as an action leaves them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// What I hold of them.
    pub mine: Relation,
    /// What they hold of me.
    pub theirs: Relation,
}

impl Relation {
    /// Of somebody of whom nothing is held yet.
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

    /// Whether they are on the blacklist.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.blocked == Some(true)
    }

    /// Whether they are a friend, blocked or not.
    #[must_use]
    pub fn is_friend(&self) -> bool {
        matches!(self.status, Some(Status::Friends | Status::Blocked))
    }

    /// Makes the other a friend, who stays blocked where they were.
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
    /// I ask them to be friends. Whoever asks somebody they block, unblocks them.
    pub fn invite(mut self, greeting: &Greeting, now: Timestamp) -> Result<Invited> {
        if self.theirs.is_blocked() {
            return Ok(Invited::Nothing);
        }
        if self.mine.is_friend() && self.theirs.is_friend() {
            return Err(Error::AlreadyFriends);
        }
        self.mine.unblock();
        // They asked, or never learnt that I had ended the friendship.
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

    /// I agree to be friends; `None` when we are already, and when they have come to block me, of which I am not told.
    /// Whoever agrees with somebody they block, unblocks them.
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
                Err(Error::NotFound("request"))
            }
        }
    }

    fn changed(self, now: Timestamp) -> Self {
        Self { mine: self.mine.changed(now), theirs: self.theirs.changed(now) }
    }
}

impl Relation {
    /// I ignore that they asked.
    pub fn ignore(mut self, now: Timestamp) -> Result<Self> {
        match self.status {
            Some(Status::WasAsked) => {
                self.status = Some(Status::Ignored);
                Ok(self.changed(now))
            }
            Some(Status::Asked | Status::Friends | Status::Ignored | Status::Deleted | Status::Blocked) | None => {
                Err(Error::NotFound("request"))
            }
        }
    }

    /// I end the friendship. They are not told, and stay on the blacklist if they were on it.
    pub fn delete(mut self, now: Timestamp) -> Result<Self> {
        if !self.is_friend() {
            return Err(Error::NotFound("friend"));
        }
        self.status = Some(Status::Deleted);
        Ok(self.changed(now))
    }

    /// I call a friend something; `None` when I do already.
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

    /// I put them on the blacklist; `None` when they are on it.
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
