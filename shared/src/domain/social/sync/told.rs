//! What a device was told: a mark for every row that it holds.

use std::collections::BTreeMap;

use crate::crypto;
use crate::domain::account::UserId;
use crate::domain::social::group::GroupId;
use crate::domain::social::{Face, Relation};

/// A row that a device may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Row {
    /// The person themselves.
    Oneself,
    /// Somebody on the blacklist.
    Blocked(UserId),
    /// Somebody on the list of friends.
    Friend(UserId),
    /// A group with its members.
    Group(GroupId),
    /// No row: the device may still hold rows that nobody remembers telling it, because the answer that takes them
    /// from it did not fit into one.
    Uncertain,
}

impl Row {
    /// The other person that the row is about, if it is about one.
    #[must_use]
    pub const fn user(self) -> Option<UserId> {
        match self {
            Self::Blocked(user) | Self::Friend(user) => Some(user),
            Self::Oneself | Self::Group(_) | Self::Uncertain => None,
        }
    }
}

/// What a device was told, row by row. The mark of a group is its `seq`, and that of everything else a digest of what
/// the row said, so that a row is told again exactly when it says something else.
pub type Told = BTreeMap<Row, u64>;

/// Marks what the row of oneself says.
#[must_use]
pub fn mark_of_oneself(face: &Face) -> u64 {
    digest(&[&face.name, &face.avatar])
}

/// Marks what a friend's row says.
#[must_use]
pub fn mark_of_friend(relation: &Relation, face: &Face) -> u64 {
    let status = relation.status.map_or(0, super::super::Status::number).to_string();
    let phone = face.phone.as_deref().filter(|_| relation.is_friend()).unwrap_or_default();
    digest(&[&status, &relation.remark, &relation.message, &face.name, &face.avatar, phone])
}

/// Marks what the row of somebody on the blacklist says.
#[must_use]
pub fn mark_of_blocked(face: &Face) -> u64 {
    digest(&["blocked", &face.name, &face.avatar])
}

/// 64 bits of a SHA-256 over the parts, each with its length before it. Two rows of one device that follow each other
/// have the same digest by chance once in 2^64.
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
    use crate::domain::social::Status;

    #[test]
    fn a_row_is_marked_by_everything_that_it_says() {
        let face = Face { name: "Tom".into(), avatar: "/images/a".into(), phone: Some("+8613912345678".into()) };
        let mut relation = Relation::stranger(UserId::new(7).unwrap());
        relation.status = Some(Status::Friends);
        let mark = mark_of_friend(&relation, &face);
        for (changed, other) in [
            (Relation { status: Some(Status::Blocked), ..relation.clone() }, face.clone()),
            (Relation { remark: "T".into(), ..relation.clone() }, face.clone()),
            (Relation { message: "T".into(), ..relation.clone() }, face.clone()),
            (relation.clone(), Face { name: "Tim".into(), ..face.clone() }),
            (relation.clone(), Face { avatar: String::new(), ..face.clone() }),
            (relation.clone(), Face { phone: None, ..face.clone() }),
            // What moves from one field to the next is something else.
            (relation.clone(), Face { name: "Tom/images/a".into(), avatar: String::new(), ..face.clone() }),
        ] {
            assert_ne!(mark_of_friend(&changed, &other), mark, "{changed:?} {other:?}");
        }
        // What it does not say, does not count.
        let touched = Relation { turn: 9, ..relation.clone() };
        assert_eq!(mark_of_friend(&touched, &face), mark);
        assert_ne!(mark_of_blocked(&face), mark_of_oneself(&face));
    }

    #[test]
    fn the_phone_of_somebody_who_is_no_friend_does_not_count() {
        let relation = Relation { status: Some(Status::Asked), ..Relation::stranger(UserId::new(7).unwrap()) };
        let face = Face { phone: Some("+8613912345678".into()), ..Face::default() };
        assert_eq!(mark_of_friend(&relation, &face), mark_of_friend(&relation, &Face::default()));
    }
}
