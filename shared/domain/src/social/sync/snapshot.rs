//! The record of what a device was sent: a mark for every row that it has.

use std::collections::BTreeMap;

use crate::account::UserId;
use crate::crypto;
use crate::social::group::GroupId;
use crate::social::{PublicProfile, Relation};

/// A row that a device may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Row {
    /// The user's own profile.
    Oneself,
    /// A user on the blacklist.
    Blocked(UserId),
    /// A user on the list of friends.
    Friend(UserId),
    /// A group with its members.
    Group(GroupId),
    /// Not a row, but a flag: the device may still have rows of which no record is left, because the instructions to
    /// remove them did not fit into one response.
    Uncertain,
}

impl Row {
    /// The other user that the row is about, if there is one.
    #[must_use]
    pub const fn user(self) -> Option<UserId> {
        match self {
            Self::Blocked(user) | Self::Friend(user) => Some(user),
            Self::Oneself | Self::Group(_) | Self::Uncertain => None,
        }
    }
}

/// The record of what a device was sent, row by row. The mark of a group is its `seq`. The mark of any other row is a
/// digest of its content, so a row is sent again exactly when its content changes.
pub type SyncSnapshot = BTreeMap<Row, u64>;

/// The mark of the user's own row.
#[must_use]
pub fn mark_of_oneself(profile: &PublicProfile) -> u64 {
    digest(&[&profile.name, &profile.avatar])
}

/// The mark of a friend's row.
#[must_use]
pub fn mark_of_friend(relation: &Relation, profile: &PublicProfile) -> u64 {
    let status = relation.status.map_or(0, super::super::Status::number).to_string();
    let phone = profile.phone.as_deref().filter(|_| relation.is_friend()).unwrap_or_default();
    digest(&[&status, &relation.remark, &relation.message, &profile.name, &profile.avatar, phone])
}

/// The mark of a blocked user's row.
#[must_use]
pub fn mark_of_blocked(profile: &PublicProfile) -> u64 {
    digest(&["blocked", &profile.name, &profile.avatar])
}

/// The first 64 bits of a SHA-256 over the parts, each preceded by its length. Two consecutive versions of a row have
/// the same digest by chance once in 2^64.
fn digest(parts: &[&str]) -> u64 {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    let digest = crypto::sha256(&bytes);
    digest[..8].iter().fold(0, |mark, byte| mark << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::social::Status;

    #[test]
    fn a_row_is_marked_by_everything_that_it_says() {
        let profile =
            PublicProfile { name: "Tom".into(), avatar: "/images/a".into(), phone: Some("+8613912345678".into()) };
        let mut relation = Relation::stranger(UserId::new(7).unwrap());
        relation.status = Some(Status::Friends);
        let mark = mark_of_friend(&relation, &profile);
        for (changed, other) in [
            (Relation { status: Some(Status::Blocked), ..relation.clone() }, profile.clone()),
            (Relation { remark: "T".into(), ..relation.clone() }, profile.clone()),
            (Relation { message: "T".into(), ..relation.clone() }, profile.clone()),
            (relation.clone(), PublicProfile { name: "Tim".into(), ..profile.clone() }),
            (relation.clone(), PublicProfile { avatar: String::new(), ..profile.clone() }),
            (relation.clone(), PublicProfile { phone: None, ..profile.clone() }),
            // Moving text from one field to the next changes the digest.
            (relation.clone(), PublicProfile { name: "Tom/images/a".into(), avatar: String::new(), ..profile.clone() }),
        ] {
            assert_ne!(mark_of_friend(&changed, &other), mark, "{changed:?} {other:?}");
        }
        // A change of a field that the row does not contain does not change the digest.
        let touched = Relation { turn: 9, ..relation.clone() };
        assert_eq!(mark_of_friend(&touched, &profile), mark);
        assert_ne!(mark_of_blocked(&profile), mark_of_oneself(&profile));
    }

    #[test]
    fn the_phone_of_somebody_who_is_no_friend_does_not_count() {
        let relation = Relation { status: Some(Status::Asked), ..Relation::stranger(UserId::new(7).unwrap()) };
        let profile = PublicProfile { phone: Some("+8613912345678".into()), ..PublicProfile::default() };
        assert_eq!(mark_of_friend(&relation, &profile), mark_of_friend(&relation, &PublicProfile::default()));
    }
}
