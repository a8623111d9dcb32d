//! Rooms: the rules on who may create, change and delete them, and the list of open rooms.
//!
//! A signed-in user owns the rooms they create, and nobody else can change or delete those. A room that was created
//! without a credential has no owner. Anyone may change it, and every change renews it; without a change it disappears
//! after a day.
//!
//! Every account of the rooms API has a personal room, which is closed at first. Its number is the account's number.

mod numbers;
pub mod room;
mod store;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

pub use self::numbers::{Draw, Numbers};
pub use self::room::{Alias, Room, RoomChange, RoomId, earliest_living, expiry, personal_id};
pub use self::store::{Given, Host, Hosts, Listed, Made, Own, Page, Place, RoomStore, Start};
use super::account::{Account, Caller, UserId};
use super::clock::{Clock, Timestamp};
use super::policy::Policy;
use super::random::Random;
use super::tokens::Keys;
use super::{Error, Fault, NotSignedIn, Result};
use telemetry::round_trips::both;

/// A room before it is created.
#[derive(Clone, Debug)]
pub struct NewRoom {
    /// Its alias.
    pub alias: Alias,
    /// Whether it is open from the start.
    pub active: bool,
}

/// A room, and the public data of its owner.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The room.
    pub room: Room,
    /// Its owner; `None` when it has none, or when the owner does not exist any more.
    pub host: Option<Host>,
}

/// A page of the list, and the length of the whole list.
#[derive(Clone, Debug)]
pub struct OpenRooms {
    /// The page.
    pub listed: Listed,
    /// The public data of the rooms' owners.
    pub hosts: Hosts,
    /// The number of open rooms.
    pub total: u64,
}

/// Creates, changes, deletes and lists rooms.
pub struct Rooms {
    /// The limits.
    pub policy: Arc<Policy>,
    /// The keys that hash the networks known to accounts.
    pub keys: Arc<Keys>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of random ids and numbers.
    pub random: Arc<dyn Random>,
    /// The store of rooms.
    pub store: Arc<dyn RoomStore>,
    /// Draws room numbers.
    pub numbers: Numbers,
}

/// How often a change is tried when another change of the same room interferes.
const ATTEMPTS: usize = 32;

impl Rooms {
    /// Creates a room. With a caller it belongs to the caller. Without a caller it has no owner and counts against the
    /// limit of the IP address.
    pub async fn make(&self, wanted: NewRoom, by: Option<Caller>, from: Option<IpAddr>) -> Result<Shown> {
        if by.is_none() && !self.policy.anonymous_rooms {
            return Err(Error::Unauthenticated(NotSignedIn::Missing));
        }
        let now = self.clock.now();
        let mut draw = self.numbers.draw();
        for _ in 0..Draw::MOST {
            let room = Room {
                id: RoomId::generate(&*self.random),
                number: draw.number(&*self.random),
                alias: wanted.alias.clone(),
                active: wanted.active,
                owner: by.map(|caller| caller.user),
                personal: false,
                opened: now,
                expires: by.is_none().then(|| expiry(now, self.policy.anonymous_room_ttl)),
                turn: 0,
            };
            let (made, host) = both(self.store.make(&room, by, from, now), self.host(room.owner)).await?;
            match made {
                Made::Done => {
                    draw.was_free();
                    return Ok(Shown { room, host });
                }
                Made::NumberTaken => draw.was_taken(),
                Made::IdTaken => {}
            }
        }
        Err(Fault::new("making a room", "every number drawn was taken").into())
    }

    /// A room. Takes two round trips if it has an owner.
    pub async fn room(&self, id: RoomId) -> Result<Shown> {
        let room = self.living(id, self.clock.now()).await?;
        let host = self.host(room.owner).await?;
        Ok(Shown { room, host })
    }

    /// Changes a room, and renews it if it has no owner. Takes two round trips, because the totals depend on where the
    /// room was counted before. If nothing would change, nothing is written, so that many simultaneous requests for the
    /// same change do not conflict.
    ///
    /// The apps open and close their account's room without a credential. They may do so from a network that the
    /// account knows. This takes one more round trip.
    pub async fn change(
        &self,
        id: RoomId,
        change: &RoomChange,
        by: Option<Caller>,
        from: Option<IpAddr>,
    ) -> Result<Shown> {
        let opening_from = from.filter(|_| change.alias.is_none());
        for _ in 0..ATTEMPTS {
            let now = self.clock.now();
            let before = self.permitted(id, by, opening_from, now).await?;
            let ttl = self.policy.anonymous_room_ttl;
            let host = self.host(before.owner);
            if before.is_already(change, ttl, now) {
                let check = async {
                    match by {
                        Some(caller) => self.store.check_session(caller, now).await,
                        None => Ok(()),
                    }
                };
                let ((), host) = both(check, host).await?;
                return Ok(Shown { room: before, host });
            }
            let after = before.changed(change, ttl, now);
            let (changed, host) = both(self.store.change(&before, &after, by, now), host).await?;
            if changed {
                return Ok(Shown { room: after, host });
            }
        }
        Err(Fault::new("changing a room", "it changed at every attempt").into())
    }

    /// Deletes a room and frees its alias and its number. An account that deletes its personal room gets a new one the
    /// next time it is needed.
    pub async fn delete(&self, id: RoomId, by: Option<Caller>) -> Result<()> {
        for _ in 0..ATTEMPTS {
            let now = self.clock.now();
            let room = self.permitted(id, by, None, now).await?;
            if self.store.delete(&room, by, now).await? {
                return Ok(());
            }
        }
        Err(Fault::new("deleting a room", "it changed at every attempt").into())
    }

    /// A page of the open rooms, newest first.
    pub async fn open(&self, page: Page) -> Result<OpenRooms> {
        let now = self.clock.now();
        let empty = || Listed { rooms: Vec::new(), next: None };
        if let Start::Skip(skip) = page.start
            && skip.saturating_add(page.size) > Page::DEEPEST
        {
            let total = self.store.count_open(now).await?;
            return if usize::try_from(total).is_ok_and(|total| total <= skip) {
                Ok(OpenRooms { listed: empty(), hosts: Hosts::new(), total })
            } else {
                Err(Error::Invalid {
                    field: "page",
                    rule: "is too far from the first page; send after with the next of the last response",
                })
            };
        }
        let (total, listed) = both(self.store.count_open(now), self.store.open(page, now)).await?;
        let owners: BTreeSet<_> = listed.rooms.iter().filter_map(|room| room.owner).collect();
        let hosts = if owners.is_empty() { Hosts::new() } else { self.store.hosts(&owners).await? };
        Ok(OpenRooms { listed, hosts, total })
    }

    /// The account's personal room and its number. Both are assigned the first time that they are needed; the room is
    /// closed. An account from before there were such rooms keeps its number.
    pub async fn own(&self, account: &Account) -> Result<(String, RoomId)> {
        let mut own = Own { number: account.room.clone(), room: account.room_id };
        let mut before = account.room.clone();
        let mut draw = self.numbers.draw();
        let mut suffix = false;
        for _ in 0..Draw::MOST {
            if let Own { number: Some(number), room: Some(id) } = own {
                return Ok((number, id));
            }
            let now = self.clock.now();
            let number = own.number.clone().unwrap_or_else(|| draw.number(&*self.random));
            let room = self.own_room(account.id, number, suffix, now)?;
            match self.store.give_room(&room, before.as_deref(), now).await? {
                Given::Done => {
                    draw.was_free();
                    return Ok((room.number, room.id));
                }
                Given::Had(had) => {
                    before.clone_from(&had.number);
                    own = had;
                }
                Given::IdTaken => {}
                // Another room has this number as its alias, and it had it first. A number that was assigned before
                // stays.
                Given::AliasTaken if own.number.is_some() => suffix = true,
                Given::AliasTaken | Given::NumberTaken => {
                    own.number = None;
                    draw.was_taken();
                }
            }
        }
        Err(Fault::new("giving an account its room", "every number drawn was taken").into())
    }

    /// A closed room for an account. Its alias is its number.
    fn own_room(&self, owner: UserId, number: String, suffix: bool, now: Timestamp) -> Result<Room> {
        let id = personal_id(&*self.random);
        let alias = if suffix { format!("{number}-{id}") } else { number.clone() };
        let alias = Alias::parse(&alias)?;
        let owner = Some(owner);
        Ok(Room { id, number, alias, active: false, owner, personal: true, opened: now, expires: None, turn: 0 })
    }

    /// The public data of an owner. Takes one round trip, or none without an owner.
    async fn host(&self, owner: Option<UserId>) -> Result<Option<Host>> {
        let Some(owner) = owner else { return Ok(None) };
        Ok(self.store.hosts(&BTreeSet::from([owner])).await?.remove(&owner))
    }

    async fn living(&self, id: RoomId, now: Timestamp) -> Result<Room> {
        self.store.room(id).await?.filter(|room| room.is_active(now)).ok_or(Error::NotFound("room"))
    }

    /// The room, if the caller may change it. Usually the write checks the session. If there is no write because the
    /// room belongs to another user, the session is checked here, so that an ended session always gets the same error.
    async fn permitted(
        &self,
        id: RoomId,
        by: Option<Caller>,
        opening_from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Room> {
        let room = self.living(id, now).await?;
        match (room.owner, by) {
            (Some(owner), Some(caller)) if owner != caller.user => {
                self.store.check_session(caller, now).await?;
                Err(Error::NotYours)
            }
            (Some(owner), None) => {
                let may_open = room.personal && self.policy.anonymous_rooms;
                let opens = may_open && self.is_known(owner, opening_from, now).await?;
                if opens { Ok(room) } else { Err(Error::Unauthenticated(NotSignedIn::Missing)) }
            }
            (None, None) if !self.policy.anonymous_rooms => Err(Error::Unauthenticated(NotSignedIn::Missing)),
            _ => Ok(room),
        }
    }

    async fn is_known(&self, owner: UserId, address: Option<IpAddr>, now: Timestamp) -> Result<bool> {
        let Some(address) = address else { return Ok(false) };
        self.store.knows(owner, &self.keys.network_hashes(owner, address), now).await
    }
}

#[cfg(test)]
mod tests;
