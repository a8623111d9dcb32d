//! Rooms: who may make, change and delete them, and which are open.
//!
//! Somebody signed in owns the rooms they make, and nobody else changes or deletes those. A room made without a
//! credential has no owner: everybody may change it, every change renews it, and without one it is gone after a day.

mod numbers;
mod room;
mod store;

use std::net::IpAddr;
use std::sync::Arc;

pub use self::numbers::{Draw, Numbers};
pub use self::room::{Alias, Room, RoomChange, RoomId, earliest_living, expiry};
pub use self::store::{Listed, Made, Numbered, Page, Place, RoomStore, Start};
use super::account::{Account, Caller};
use super::clock::{Clock, Timestamp};
use super::policy::Policy;
use super::random::Random;
use super::{Error, Fault, Result};

/// A room about to be made.
#[derive(Clone, Debug)]
pub struct NewRoom {
    /// What it is called.
    pub alias: Alias,
    /// Whether it opens at once.
    pub active: bool,
}

/// A page of the list, and how long the whole list is.
#[derive(Clone, Debug)]
pub struct OpenRooms {
    /// The page.
    pub listed: Listed,
    /// How many rooms are open.
    pub total: u64,
}

/// Makes, changes, deletes and lists rooms.
pub struct Rooms {
    /// The limits.
    pub policy: Arc<Policy>,
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
    pub async fn make(&self, wanted: NewRoom, by: Option<Caller>, from: Option<IpAddr>) -> Result<Room> {
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
                opened: now,
                expires: by.is_none().then(|| expiry(now, self.policy.anonymous_room_ttl)),
                turn: 0,
            };
            match self.store.make(&room, by, from, now).await? {
                Made::Done => {
                    draw.was_free();
                    return Ok(room);
                }
                Made::NumberTaken => draw.was_taken(),
                Made::IdTaken => {}
            }
        }
        Err(Fault::new("making a room", "every number drawn was taken").into())
    }

    /// A room.
    pub async fn room(&self, id: RoomId) -> Result<Room> {
        self.living(id, self.clock.now()).await
    }

    /// Changes a room, and renews one that has no owner. Two round trips: the totals have to know where the room was
    /// counted before. Nothing is written where nothing would change, so that many who ask for the same at once do not
    /// stand in each other's way.
    pub async fn change(&self, id: RoomId, change: &RoomChange, by: Option<Caller>) -> Result<Room> {
        for _ in 0..ATTEMPTS {
            let now = self.clock.now();
            let before = self.permitted(id, by, now).await?;
            let ttl = self.policy.anonymous_room_ttl;
            if before.is_already(change, ttl, now) {
                if let Some(caller) = by {
                    self.store.check_session(caller, now).await?;
                }
                return Ok(before);
            }
            let after = before.changed(change, ttl, now);
            if self.store.change(&before, &after, by, now).await? {
                return Ok(after);
            }
        }
        Err(Fault::new("changing a room", "it changed at every attempt").into())
    }

    /// Deletes a room; its alias and its number are free again.
    pub async fn delete(&self, id: RoomId, by: Option<Caller>) -> Result<()> {
        for _ in 0..ATTEMPTS {
            let now = self.clock.now();
            let room = self.permitted(id, by, now).await?;
            if self.store.delete(&room, by, now).await? {
                return Ok(());
            }
        }
        Err(Fault::new("deleting a room", "it changed at every attempt").into())
    }

    /// A page of the open rooms, the newest first.
    pub async fn open(&self, page: Page) -> Result<OpenRooms> {
        let now = self.clock.now();
        let empty = Listed { rooms: Vec::new(), next: None };
        if let Start::Skip(skip) = page.start
            && skip.saturating_add(page.size) > Page::DEEPEST
        {
            let total = self.store.count_open(now).await?;
            return if usize::try_from(total).is_ok_and(|total| total <= skip) {
                Ok(OpenRooms { listed: empty, total })
            } else {
                Err(Error::Invalid { field: "page", rule: "is too deep to count to; go on with after" })
            };
        }
        let (total, listed) = crate::trips::both(self.store.count_open(now), self.store.open(page, now)).await?;
        Ok(OpenRooms { listed, total })
    }

    /// The account's room number, given out the first time that it is asked for.
    pub async fn number_of(&self, account: &Account) -> Result<String> {
        if let Some(number) = &account.room {
            return Ok(number.clone());
        }
        let now = self.clock.now();
        let mut draw = self.numbers.draw();
        for _ in 0..Draw::MOST {
            let number = draw.number(&*self.random);
            match self.store.give_number(account.id, &number, now).await? {
                Numbered::Done => {
                    draw.was_free();
                    return Ok(number);
                }
                Numbered::Had(number) => return Ok(number),
                Numbered::NumberTaken => draw.was_taken(),
            }
        }
        Err(Fault::new("giving out a room number", "every number drawn was taken").into())
    }

    async fn living(&self, id: RoomId, now: Timestamp) -> Result<Room> {
        self.store.room(id).await?.filter(|room| room.lives(now)).ok_or(Error::NotFound("room"))
    }

    /// The room, if the caller may change it. The write checks the session; where there is no write because the room
    /// is somebody else's, it is checked here, so that a dead credential is always answered as one.
    async fn permitted(&self, id: RoomId, by: Option<Caller>, now: Timestamp) -> Result<Room> {
        let room = self.living(id, now).await?;
        match (room.owner, by) {
            (Some(owner), Some(caller)) if owner != caller.user => {
                self.store.check_session(caller, now).await?;
                Err(Error::NotYours)
            }
            (Some(_), None) => Err(Error::Unauthenticated),
            (None, None) if !self.policy.anonymous_rooms => Err(Error::Unauthenticated),
            _ => Ok(room),
        }
    }
}

#[cfg(test)]
mod tests;
