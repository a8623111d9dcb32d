//! The store of rooms, and how they are listed.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use async_trait::async_trait;

use super::room::{Room, RoomId};
use crate::account::{Caller, UserId};
use crate::clock::Timestamp;
use crate::network::NetworkHash;
use crate::{Error, Result};

/// A room's place in the list, which is ordered by the time of opening, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// When the room was opened.
    pub opened: Timestamp,
    /// The room's id, which orders the rooms opened in the same millisecond.
    pub id: RoomId,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.opened.millis(), self.id)
    }
}

impl FromStr for Place {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parse = || {
            let (opened, id) = text.split_once('-')?;
            let opened = opened.parse().ok().filter(|opened| (0..=LATEST).contains(opened))?;
            Some(Self { opened: Timestamp::from_millis(opened), id: RoomId::new(id.parse().ok()?)? })
        };
        parse().ok_or(Error::Invalid { field: "after", rule: "must be the next of an earlier response" })
    }
}

/// Times of 13 digits last until the year 2286.
const LATEST: i64 = 9_999_999_999_999;

/// Where a page of the list begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// After this many rooms. All of them are read, so the number is limited ([`Page::DEEPEST`]).
    Skip(usize),
    /// After this place. The cost is the same for every place.
    After(Place),
}

/// A page of the list of open rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Where it begins.
    pub start: Start,
    /// The number of rooms on it.
    pub size: usize,
}

impl Page {
    /// Pages requested by number must end within this many rooms. Each room before the page costs about two reads of
    /// some 200 bytes, so the deepest page costs 150 read units, which is as much as one anonymous request should cost.
    pub const DEEPEST: usize = 3_000;
}

/// The content of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The rooms.
    pub rooms: Vec<Room>,
    /// The place where the next page begins, if there is one.
    pub next: Option<Place>,
}

/// The result of writing a room with a random id and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// The room exists now.
    Done,
    /// The number belongs to another room or account. Nothing was written.
    NumberTaken,
    /// The id belongs to another room. Nothing was written.
    IdTaken,
}

/// The result of giving an account its personal room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// The account has it now.
    Done,
    /// The number belongs to another room or account. Nothing was written.
    NumberTaken,
    /// The alias belongs to another room. Nothing was written.
    AliasTaken,
    /// The id belongs to another room. Nothing was written.
    IdTaken,
    /// The account has a room or another number already. Nothing was written.
    Had(Own),
}

/// An account's personal room and its number, if they exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own {
    /// The number.
    pub number: Option<String>,
    /// The room. An account from before there were such rooms has only a number.
    pub room: Option<RoomId>,
}

/// The public data of a room's owner in a list of rooms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// The username, or the name that a sign-in provider has for them, or the nickname. It may be empty.
    pub username: String,
    /// The picture; empty when the user has not set one.
    pub avatar: String,
}

/// Hosts by user id.
pub type Hosts = HashMap<UserId, Host>;

/// Stores rooms, their aliases and numbers, and the number of open rooms. Each method is one round trip. Writes by a
/// signed-in caller fail with [`Error::Unauthenticated`] when the session has ended, all or nothing.
#[async_trait]
pub trait RoomStore: Send + Sync {
    /// Creates a room. Fails with [`Error::Taken`] when the alias is taken, and without a caller also with
    /// [`Error::Limited`].
    async fn make(&self, room: &Room, by: Option<Caller>, from: Option<IpAddr>, now: Timestamp) -> Result<Made>;

    /// A room, with a strongly consistent read, even if it has expired.
    async fn room(&self, id: RoomId) -> Result<Option<Room>>;

    /// Replaces `before` with `after`. Returns `false` when the room has changed since it was read. Fails with
    /// [`Error::Taken`] when the new alias is taken.
    async fn change(&self, before: &Room, after: &Room, by: Option<Caller>, now: Timestamp) -> Result<bool>;

    /// Deletes a room. Returns `false` when it has changed since it was read.
    async fn delete(&self, room: &Room, by: Option<Caller>, now: Timestamp) -> Result<bool>;

    /// The number of open rooms. It is exact: everything written before is counted.
    async fn count_open(&self, now: Timestamp) -> Result<u64>;

    /// Open rooms in the order of the list. Rooms written a moment ago may be missing. The calls run in parallel. Takes
    /// a second round trip now and then, when one shard has more of the page's rooms than its share.
    async fn open(&self, page: Page, now: Timestamp) -> Result<Listed>;

    /// Fails with [`Error::Unauthenticated`] when the session has ended.
    async fn check_session(&self, caller: Caller, now: Timestamp) -> Result<()>;

    /// Makes this room the personal room of its owner, on the condition that they do not have one and that their
    /// number, if they have one, is `before`.
    async fn give_room(&self, room: &Room, before: Option<&str>, now: Timestamp) -> Result<Given>;

    /// Whether this account knows a network with one of these hashes.
    async fn knows(&self, owner: UserId, networks: &[NetworkHash], now: Timestamp) -> Result<bool>;

    /// The public data of these users, which may be slightly out of date; users who do not exist are left out.
    async fn hosts(&self, owners: &BTreeSet<UserId>) -> Result<Hosts>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_its_text_form() {
        let place = Place { opened: Timestamp::from_millis(1_800_000_000_123), id: RoomId::new(77).unwrap() };
        assert_eq!(place.to_string().parse::<Place>().unwrap(), place);
        for bad in ["", "-", "1", "1-", "-1-1", "1-0", "a-b", "99999999999999-1", "1-1-1"] {
            assert!(bad.parse::<Place>().is_err(), "{bad}");
        }
    }

    #[test]
    fn places_are_ordered_by_opening() {
        let place = |opened, id| Place { opened: Timestamp::from_millis(opened), id: RoomId::new(id).unwrap() };
        assert!(place(2, 1) > place(1, 9) && place(1, 9) > place(1, 1));
    }
}
