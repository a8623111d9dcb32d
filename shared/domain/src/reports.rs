//! Reports about users, groups and media that break the rules of an app. Operators read them, newest first.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::account::{Caller, UserId};
use super::clock::{Clock, Timestamp};
use super::media::{AudioName, ImageName};
use super::once::Once;
use super::random::{self, Random};
use super::social::GroupId;
use super::text::Bounds;
use super::{Error, Result};

/// How long a report is kept.
pub const KEPT: Duration = Duration::from_hours(24 * 180);

/// A report's id: random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReportId([u8; Self::BYTES]);

impl ReportId {
    /// Length of an id in bytes.
    pub const BYTES: usize = 12;

    /// A new id.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        Self(random::bytes(random))
    }

    /// The id with the bytes of [`Self::as_bytes`].
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The id as bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

/// What a report is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A user.
    User(UserId),
    /// A group.
    Group(GroupId),
    /// A picture or a voice note.
    Media(MediaFile),
}

/// The name of a stored picture or voice note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaFile(String);

impl MediaFile {
    /// The name of a picture or a voice note, as it is at the end of its URL. Whether the file exists is not checked.
    pub fn parse(text: &str) -> Result<Self> {
        let known = ImageName::parse(text).is_ok() || AudioName::parse(text).is_ok();
        if known { Ok(Self(text.to_owned())) } else { Err(Error::NotFound("media")) }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why something is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Advertising, or the same message again and again.
    Spam,
    /// Insults, threats or unwanted contact.
    Harassment,
    /// Hate against a group of people.
    Hate,
    /// Violence, or a call for it.
    Violence,
    /// Sexual content.
    Sexual,
    /// A danger to children.
    ChildSafety,
    /// Suicide or self-harm.
    SelfHarm,
    /// An attempt to get money or passwords.
    Fraud,
    /// Somebody who claims to be another person.
    Impersonation,
    /// Forbidden goods or services.
    IllegalGoods,
    /// Anything else; the note says what.
    Other,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 11] = [
        Self::Spam,
        Self::Harassment,
        Self::Hate,
        Self::Violence,
        Self::Sexual,
        Self::ChildSafety,
        Self::SelfHarm,
        Self::Fraud,
        Self::Impersonation,
        Self::IllegalGoods,
        Self::Other,
    ];

    /// The reason's name, in requests and as it is stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spam => "spam",
            Self::Harassment => "harassment",
            Self::Hate => "hate",
            Self::Violence => "violence",
            Self::Sexual => "sexual",
            Self::ChildSafety => "child_safety",
            Self::SelfHarm => "self_harm",
            Self::Fraud => "fraud",
            Self::Impersonation => "impersonation",
            Self::IllegalGoods => "illegal_goods",
            Self::Other => "other",
        }
    }

    /// The reason with this name.
    pub fn parse(name: &str) -> Result<Self> {
        const RULE: &str = "must be spam, harassment, hate, violence, sexual, child_safety, self_harm, fraud, \
            impersonation, illegal_goods or other";
        let named = Self::ALL.into_iter().find(|reason| reason.name() == name);
        named.ok_or(Error::Invalid { field: "reason", rule: RULE })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the user who reports something writes about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note(String);

impl Note {
    /// At most 500 characters. Line breaks and tabs are the only control characters allowed.
    pub fn parse(text: &str) -> Result<Self> {
        const NOTE: Bounds = Bounds {
            controls: &['\n', '\r', '\t'],
            ..Bounds::line("note", 0, 500, "must have at most 500 characters and no control characters")
        };
        NOTE.kept(text).map(Self)
    }

    /// The note as text; empty if there is none.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its id.
    pub id: ReportId,
    /// What it is about.
    pub subject: Subject,
    /// Why.
    pub reason: Reason,
    /// What the user writes about it.
    pub note: Note,
    /// When it was made.
    pub made: Timestamp,
}

/// The result of storing a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// The report is stored.
    Done,
    /// An earlier request with the same key stored this report.
    Before(ReportId),
}

/// Stores reports.
#[async_trait]
pub trait ReportStore: Send + Sync {
    /// Whether the reported user or group exists. Takes one round trip, which also checks the caller's session.
    async fn is_there(&self, caller: Caller, subject: &Subject, now: Timestamp) -> Result<bool>;

    /// Stores a report of the caller, and remembers it for the key of `once`. It counts against the caller's day,
    /// [`Error::Limited`] if the day is full. Takes one round trip.
    async fn store(&self, caller: Caller, report: &Report, once: Option<&Once>) -> Result<Stored>;
}

/// Takes reports.
pub struct Reports {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of random ids.
    pub random: Arc<dyn Random>,
    /// The store of reports.
    pub store: Arc<dyn ReportStore>,
}

impl Reports {
    /// Stores a report. Takes two round trips, and one for media. With `once`, a repeated request returns the report that
    /// the first one made.
    pub async fn report(
        &self,
        caller: Caller,
        subject: Subject,
        reason: Reason,
        note: Note,
        once: Option<&Once>,
    ) -> Result<ReportId> {
        let made = self.clock.now();
        let missing = match &subject {
            Subject::User(_) => Some("user"),
            Subject::Group(_) => Some("group"),
            // A file has no item under its name alone. Operators see whether it still exists.
            Subject::Media(_) => None,
        };
        if let Some(kind) = missing
            && !self.store.is_there(caller, &subject, made).await?
        {
            return Err(Error::NotFound(kind));
        }
        if subject == Subject::User(caller.user) {
            return Err(Error::Invalid { field: "user", rule: "is your own id" });
        }
        let report = Report { id: ReportId::generate(&*self.random), subject, reason, note, made };
        match self.store.store(caller, &report, once).await? {
            Stored::Done => Ok(report.id),
            Stored::Before(id) => Ok(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_of_the_list() {
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.name()).unwrap(), reason);
        }
        let Err(Error::Invalid { field: "reason", rule }) = Reason::parse("Spam") else { panic!("accepted") };
        assert!(Reason::ALL.iter().all(|reason| rule.contains(reason.name())), "{rule}");
    }

    #[test]
    fn a_note_has_bounds() {
        assert_eq!(Note::parse(" ").unwrap(), Note::default());
        assert_eq!(Note::parse("two\nlines").unwrap().as_str(), "two\nlines");
        assert!(Note::parse(&"a".repeat(500)).is_ok());
        assert!(Note::parse(&"a".repeat(501)).is_err());
        assert!(Note::parse("a\u{0}b").is_err());
    }

    #[test]
    fn media_are_known_by_their_names() {
        for name in ["0123456789abcdef0123456789abcdef.jpg", "0123456789abcdef0123456789abcdef.amr"] {
            assert_eq!(MediaFile::parse(name).unwrap().as_str(), name);
        }
        for other in ["", "a.jpg", "../originals/0123456789abcdef0123456789abcdef.jpg"] {
            assert!(MediaFile::parse(other).is_err(), "{other}");
        }
    }
}
