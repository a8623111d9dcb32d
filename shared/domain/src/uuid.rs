//! UUIDs (RFC 9562) for the Supabase API and for `/v1`, whose clients know nothing by a number.
//!
//! An id of ours becomes a UUID of version 8: its 12 bytes around a kind. The same id always has the same UUID, so no
//! table of UUIDs is needed, and a UUID shows whether it is one of ours, and of what.

use std::fmt;
use std::str::FromStr;

use super::id::UserId;
use super::login_identifier::LoginIdentifier;
use super::reports::ReportId;
use super::session::SessionId;
use super::social::GroupId;
use crate::crypto;

/// The byte that says version 8, and the one that says that RFC 9562 defines the rest.
const VERSION: u8 = 0x80;
const VARIANT: u8 = 0x80;

/// What a UUID of ours names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    User = 1,
    Session = 2,
    Identity = 3,
    Group = 7,
    Report = 8,
}

/// A UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Uuid([u8; 16]);

/// The error for a text that is no UUID.
#[derive(Debug, thiserror::Error)]
#[error("not a UUID")]
pub struct NotAUuid;

impl Uuid {
    fn of(kind: Kind, id: [u8; 12]) -> Self {
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&id[..6]);
        bytes[6..10].copy_from_slice(&[VERSION, kind as u8, VARIANT, 0]);
        bytes[10..].copy_from_slice(&id[6..]);
        Self(bytes)
    }

    fn of_number(kind: Kind, number: u64) -> Self {
        let mut id = [0; 12];
        id[4..].copy_from_slice(&number.to_be_bytes());
        Self::of(kind, id)
    }

    /// The UUID of a user.
    #[must_use]
    pub fn of_user(user: UserId) -> Self {
        Self::of_number(Kind::User, user.get())
    }

    /// The UUID of a group.
    #[must_use]
    pub fn of_group(group: GroupId) -> Self {
        Self::of_number(Kind::Group, group.get())
    }

    /// The UUID of a session.
    #[must_use]
    pub fn of_session(session: SessionId) -> Self {
        Self::of(Kind::Session, *session.as_bytes())
    }

    /// The UUID of a report.
    #[must_use]
    pub fn of_report(report: ReportId) -> Self {
        Self::of(Kind::Report, *report.as_bytes())
    }

    /// The UUID of one way in which a user signs in: the name of the provider, and the provider's id of the user.
    #[must_use]
    pub fn of_identity(user: UserId, provider: &str, subject: &str) -> Self {
        let digest = crypto::sha256(format!("{user} {provider} {subject}").as_bytes());
        let mut id = [0; 12];
        id.copy_from_slice(&digest[..12]);
        Self::of(Kind::Identity, id)
    }

    /// The UUID of a way in which a user signs in. A number and a username are the user's own, so a change of them keeps
    /// the UUID.
    #[must_use]
    pub fn of_login_identifier(user: UserId, identifier: &LoginIdentifier) -> Self {
        let own = Self::of_user(user).to_string();
        match identifier {
            LoginIdentifier::Phone(_) | LoginIdentifier::Username(_) => {
                Self::of_identity(user, identifier.provider_name(), &own)
            }
            LoginIdentifier::Provider { subject, .. } => {
                Self::of_identity(user, identifier.provider_name(), subject.as_str())
            }
        }
    }

    /// The id inside, if this is a UUID of ours of this kind.
    fn id(self, kind: Kind) -> Option<[u8; 12]> {
        let ours = self.0[6..10] == [VERSION, kind as u8, VARIANT, 0];
        let mut id = [0; 12];
        id[..6].copy_from_slice(&self.0[..6]);
        id[6..].copy_from_slice(&self.0[10..]);
        ours.then_some(id)
    }

    /// The number inside, if this is a UUID of ours of this kind. A number that is out of range is none of ours.
    fn number(self, kind: Kind) -> Option<u64> {
        let id = self.id(kind)?;
        let (zeros, number) = id.split_first_chunk::<4>()?;
        (*zeros == [0; 4]).then_some(u64::from_be_bytes(number.try_into().ok()?))
    }

    /// The user, if this is the UUID of one.
    #[must_use]
    pub fn user(self) -> Option<UserId> {
        self.number(Kind::User).and_then(UserId::new)
    }

    /// The group, if this is the UUID of one.
    #[must_use]
    pub fn group(self) -> Option<GroupId> {
        self.number(Kind::Group).and_then(GroupId::new)
    }

    /// The session, if this is the UUID of one.
    #[must_use]
    pub fn session(self) -> Option<SessionId> {
        self.id(Kind::Session).map(SessionId::from_bytes)
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = crypto::hex(&self.0);
        write!(f, "{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

impl FromStr for Uuid {
    type Err = NotAUuid;

    /// Reads the usual form with four hyphens, in capital or small letters.
    fn from_str(text: &str) -> Result<Self, NotAUuid> {
        let well_formed = text.len() == 36
            && text.bytes().enumerate().all(|(place, byte)| match place {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            });
        if !well_formed {
            return Err(NotAUuid);
        }
        let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'-').collect();
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| NotAUuid)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| NotAUuid)?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(number: u64) -> UserId {
        UserId::new(number).unwrap()
    }

    #[test]
    fn a_users_uuid_holds_the_number() {
        let most = (1 << 53) - 1;
        assert_eq!(Uuid::of_user(user(1)).to_string(), "00000000-0000-8001-8000-000000000001");
        assert_eq!(Uuid::of_user(user(most)).to_string(), "00000000-001f-8001-8000-ffffffffffff");
        for number in [1, 42, most] {
            let text = Uuid::of_user(user(number)).to_string();
            assert_eq!(text.parse::<Uuid>().unwrap().user(), Some(user(number)));
            assert_eq!(text.to_uppercase().parse::<Uuid>().unwrap().user(), Some(user(number)));
        }
    }

    #[test]
    fn a_session_is_told_from_a_user() {
        let session = SessionId::from_bytes([7; 12]);
        let uuid = Uuid::of_session(session);
        assert_eq!((uuid.session(), uuid.user()), (Some(session), None));
        assert_eq!(Uuid::of_user(user(7)).session(), None);
    }

    #[test]
    fn other_uuids_are_none_of_ours() {
        for other in [
            "550e8400-e29b-41d4-a716-446655440000",
            "00000000-0000-8001-8001-000000000001",
            "00000001-0000-8001-8000-000000000001",
            "00000000-0020-8001-8000-000000000000",
            "00000000-0000-8001-8000-000000000000",
        ] {
            assert_eq!(other.parse::<Uuid>().unwrap().user(), None, "{other}");
        }
        for bad in [
            "",
            "1",
            "0000000000008001800000000000000001",
            "00000000-0000-8001-8000-00000000000g",
            "00000000-0000-8001-8000_000000000001",
        ] {
            assert!(bad.parse::<Uuid>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_identity_depends_on_all_of_its_parts() {
        let all = [
            Uuid::of_identity(user(1), "phone", "a"),
            Uuid::of_identity(user(2), "phone", "a"),
            Uuid::of_identity(user(1), "apple", "a"),
            Uuid::of_identity(user(1), "phone", "b"),
        ];
        for (place, one) in all.iter().enumerate() {
            assert!(!all[..place].contains(one));
        }
    }
}
