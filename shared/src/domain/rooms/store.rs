//! Where rooms lie, and how they are listed.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use async_trait::async_trait;

use super::room::{Room, RoomId};
use crate::domain::account::{Caller, UserId};
use crate::domain::clock::Timestamp;
use crate::domain::known::NetworkHash;
use crate::domain::{Error, Result};

/// A room's place in the list, which is ordered by opening, the newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// When the room was opened.
    pub opened: Timestamp,
    /// Which of the rooms opened in that millisecond it is.
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
        parse().ok_or(Error::Invalid { field: "after", rule: "is the next of an earlier answer" })
    }
}

/// Times of 13 digits reach to the year 2286.
const LATEST: i64 = 9_999_999_999_999;

/// Where a page of the list begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// After this many rooms. Every one of them is read, so there is a bound ([`Page::DEEPEST`]).
    Skip(usize),
    /// After this place, at the same cost wherever it is.
    After(Place),
}

/// A page of the list of open rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Where it begins.
    pub start: Start,
    /// How many rooms are on it.
    pub size: usize,
}

impl Page {
    /// Pages that are asked for by number end within this many rooms. Each room before the page costs about two reads
    /// of some 200 bytes, so the deepest page costs 150 read units, which is as much as one anonymous request should.
    pub const DEEPEST: usize = 3_000;
}

/// What a page holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The rooms.
    pub rooms: Vec<Room>,
    /// Where the next page begins, if there is one.
    pub next: Option<Place>,
}

/// How writing a room with a drawn id and number ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// The room exists now.
    Done,
    /// The number is somebody's already. Nothing was written.
    NumberTaken,
    /// The id is a room's already. Nothing was written.
    IdTaken,
}

/// How giving an account its own room ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// The account has it now.
    Done,
    /// The number belongs to another room or account. Nothing was written.
    NumberTaken,
    /// The alias is another room's already. Nothing was written.
    AliasTaken,
    /// The id is a room's already. Nothing was written.
    IdTaken,
    /// The account has a room or another number already. Nothing was written.
    Had(Own),
}

/// What an account has of its own room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own {
    /// The number.
    pub number: Option<String>,
    /// The room. An account from before has a number alone.
    pub room: Option<RoomId>,
}

/// What a list of rooms shows of the people they belong to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// What they are called: the username, or what a provider calls them, or else the nickname. It may be empty.
    pub username: String,
    /// The picture; empty when none was set.
    pub avatar: String,
}

/// Hosts by their ids.
pub type Hosts = HashMap<UserId, Host>;

/// Keeps rooms, their aliases and numbers, and how many are open. Each method is one round trip. Writes by somebody
/// signed in refuse with [`Error::Unauthenticated`] when the session is over, all or nothing.
#[async_trait]
pub trait RoomStore: Send + Sync {
    /// Makes a room. Refused with [`Error::Taken`] where the alias is, and without a caller with [`Error::Limited`].
    async fn make(&self, room: &Room, by: Option<Caller>, from: Option<IpAddr>, now: Timestamp) -> Result<Made>;

    /// A room, strongly consistent, even if it has expired.
    async fn room(&self, id: RoomId) -> Result<Option<Room>>;

    /// Writes `after` over `before`. `false` when the room is not as it was before any more. Refused with
    /// [`Error::Taken`] where the new alias is.
    async fn change(&self, before: &Room, after: &Room, by: Option<Caller>, now: Timestamp) -> Result<bool>;

    /// Deletes a room. `false` when it is not as it was any more.
    async fn delete(&self, room: &Room, by: Option<Caller>, now: Timestamp) -> Result<bool>;

    /// How many rooms are open. Exact: what was written before is counted.
    async fn count_open(&self, now: Timestamp) -> Result<u64>;

    /// Open rooms in their order. What was written within the last moment may be missing; calls side by side. Takes
    /// a second round trip now and then, where one shard holds more of the page than its share.
    async fn open(&self, page: Page, now: Timestamp) -> Result<Listed>;

    /// Refuses with [`Error::Unauthenticated`] when the session is over.
    async fn check_session(&self, caller: Caller, now: Timestamp) -> Result<()>;

    /// Gives the owner of a room that room as their own, if they have none and, as far as they have a number, it is the
    /// one of `before`.
    async fn give_room(&self, room: &Room, before: Option<&str>, now: Timestamp) -> Result<Given>;

    /// Whether this account knows a network with one of these hashes.
    async fn knows(&self, owner: UserId, networks: &[NetworkHash], now: Timestamp) -> Result<bool>;

    /// What these people look like, perhaps a moment ago; who does not exist is left out.
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
