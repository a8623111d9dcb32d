//! Rooms: who may make, change and delete them, and which are open.
//!
//! Somebody signed in owns the rooms they make, and nobody else changes or deletes those. A room made without a
//! credential has no owner: everybody may change it, every change renews it, and without one it is gone after a day.
//!
//! Every account of the rooms API has a room of its own, closed at first, with the number of the account.

mod numbers;
mod room;
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
use super::{Error, Fault, Result};
use crate::trips::both;

/// A room about to be made.
#[derive(Clone, Debug)]
pub struct NewRoom {
    /// What it is called.
    pub alias: Alias,
    /// Whether it opens at once.
    pub active: bool,
}

/// A room, and what others see of its owner.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The room.
    pub room: Room,
    /// Its owner; none where it has none, or they do not exist any more.
    pub host: Option<Host>,
}

/// A page of the list, and how long the whole list is.
#[derive(Clone, Debug)]
pub struct OpenRooms {
    /// The page.
    pub listed: Listed,
    /// What others see of the rooms' owners.
    pub hosts: Hosts,
    /// How many rooms are open.
    pub total: u64,
}

/// Makes, changes, deletes and lists rooms.
pub struct Rooms {
    /// The limits.
    pub policy: Arc<Policy>,
    /// Hash the networks that accounts know.
    pub keys: Arc<Keys>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where ids and numbers come from.
    pub random: Arc<dyn Random>,
    /// Where rooms are kept.
    pub store: Arc<dyn RoomStore>,
    /// The numbers to draw.
    pub numbers: Numbers,
}

/// A change that meets another change of the same room is made again this often.
const ATTEMPTS: usize = 32;

impl Rooms {
    /// Makes a room: the caller's own, or without one a room without an owner, counted for the address it comes from.
    pub async fn make(&self, wanted: NewRoom, by: Option<Caller>, from: Option<IpAddr>) -> Result<Shown> {
        if by.is_none() && !self.policy.anonymous_rooms {
            return Err(Error::Unauthenticated);
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

    /// A room. Two round trips where it has an owner.
    pub async fn room(&self, id: RoomId) -> Result<Shown> {
        let room = self.living(id, self.clock.now()).await?;
        let host = self.host(room.owner).await?;
        Ok(Shown { room, host })
    }

    /// Changes a room, and renews one that has no owner. Two round trips: the totals have to know where the room was
    /// counted before. Nothing is written where nothing would change, so that many who ask for the same at once do not
    /// stand in each other's way.
    ///
    /// The apps open and close the room of their account without a credential. They may, at a network that the account
    /// knows: one round trip more.
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

    /// Deletes a room; its alias and its number are free again. An account that deletes its own room gets another one
    /// when it is next shown.
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

    /// A page of the open rooms, the newest first.
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
                Err(Error::Invalid { field: "page", rule: "is too deep to count to; go on with after" })
            };
        }
        let (total, listed) = both(self.store.count_open(now), self.store.open(page, now)).await?;
        let owners: BTreeSet<_> = listed.rooms.iter().filter_map(|room| room.owner).collect();
        let hosts = if owners.is_empty() { Hosts::new() } else { self.store.hosts(&owners).await? };
        Ok(OpenRooms { listed, hosts, total })
    }

    /// The account's own room and its number, given out the first time that they are asked for: a closed room. An
    /// account from before keeps its number.
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
                // Whoever called a room by this number had it first. A number that is known already stays.
                Given::AliasTaken if own.number.is_some() => suffix = true,
                Given::AliasTaken | Given::NumberTaken => {
                    own.number = None;
                    draw.was_taken();
                }
            }
        }
        Err(Fault::new("giving an account its room", "every number drawn was taken").into())
    }

    /// A closed room for an account, called by its number.
    fn own_room(&self, owner: UserId, number: String, suffix: bool, now: Timestamp) -> Result<Room> {
        let id = personal_id(&*self.random);
        let alias = if suffix { format!("{number}-{id}") } else { number.clone() };
        let alias = Alias::parse(&alias)?;
        let owner = Some(owner);
        Ok(Room { id, number, alias, active: false, owner, personal: true, opened: now, expires: None, turn: 0 })
    }

    /// What others see of an owner. One round trip, and none without an owner.
    async fn host(&self, owner: Option<UserId>) -> Result<Option<Host>> {
        let Some(owner) = owner else { return Ok(None) };
        Ok(self.store.hosts(&BTreeSet::from([owner])).await?.remove(&owner))
    }

    async fn living(&self, id: RoomId, now: Timestamp) -> Result<Room> {
        self.store.room(id).await?.filter(|room| room.lives(now)).ok_or(Error::NotFound("room"))
    }

    /// The room, if the caller may change it. The write checks the session; where there is no write because the room
    /// is somebody else's, it is checked here, so that a dead credential is always answered as one.
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
                if opens { Ok(room) } else { Err(Error::Unauthenticated) }
            }
            (None, None) if !self.policy.anonymous_rooms => Err(Error::Unauthenticated),
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
