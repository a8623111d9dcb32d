//! Removing everything that belonged to a deleted user.

use std::sync::Arc;

use super::store::{Belonging, PurgeStore};
use crate::account::UserId;
use crate::clock::Clock;
use crate::media::MediaName;
use crate::media::store::ObjectEraser;
use crate::notifications::PushEndpoints;
use crate::rooms::{RoomId, RoomStore};
use crate::social::group::{GroupId, Stage};
use crate::social::store::{JobStore, MAX_CONFLICT_RETRIES};
use crate::social::{GroupJobs, Written};
use crate::{Fault, Result};
use telemetry::round_trips;

/// How many items are let go and removed at a time.
const AT_ONCE: usize = 25;

/// Removes what belonged to deleted users.
pub struct Purge {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The store of tombstones and of what lies beside them.
    pub store: Arc<dyn PurgeStore>,
    /// Groups without a caller.
    pub groups: Arc<dyn JobStore>,
    /// Work that is left for groups.
    pub jobs: Arc<GroupJobs>,
    /// Rooms.
    pub rooms: Arc<dyn RoomStore>,
    /// Media files.
    pub objects: Arc<dyn ObjectEraser>,
    /// Devices at the push service.
    pub endpoints: Arc<dyn PushEndpoints>,
}

impl Purge {
    /// Removes what belonged to a deleted user. It may be stopped at any point and started again. Nothing happens if the
    /// account is not deleted, or everything is removed already.
    pub async fn purge(&self, user: UserId) -> Result<()> {
        let Some(leftover) = self.store.leftover(user).await? else { return Ok(()) };
        if let Some(phone) = &leftover.phone {
            self.store.forget_waiting(user, phone).await?;
        }
        if let Some(room) = leftover.room {
            self.delete_room(user, room).await?;
        }
        if let Some(number) = &leftover.room_number {
            self.store.free_room_number(user, number).await?;
        }
        loop {
            let belongings = self.store.belongings(user).await?;
            if belongings.is_empty() {
                break;
            }
            // A few at a time, so that a purge of very many pictures gets on even if it is stopped again and again.
            for some in belongings.chunks(AT_ONCE) {
                round_trips::all(some.iter().map(|(_, belonging)| self.let_go(user, belonging))).await?;
                // Only now: until then, they lead to what had to be done.
                let items: Vec<_> = some.iter().map(|(item, _)| item.clone()).collect();
                self.store.remove(user, &items).await?;
            }
        }
        // Last, because the push service may refuse for reasons that have nothing to do with the user.
        for device in &leftover.devices {
            self.endpoints.forget(device).await?;
        }
        self.store.conclude_purge(user, self.clock.now()).await
    }

    /// Ends a grace period that is over.
    pub async fn end_grace(&self, user: UserId) -> Result<()> {
        self.store.end_grace(user, self.clock.now()).await
    }

    /// Does what has to be done elsewhere before an item is removed.
    async fn let_go(&self, user: UserId, belonging: &Belonging) -> Result<()> {
        match belonging {
            Belonging::Media(name) => {
                // A name in any other form has no objects.
                let keys = name.parse::<MediaName>().map(|name| name.objects(user)).unwrap_or_default();
                for key in keys {
                    self.objects.delete_with_versions(&key).await?;
                }
                Ok(())
            }
            Belonging::Relation(other) => self.store.part(user, *other, self.clock.now()).await,
            Belonging::Groups => {
                for group in self.groups.memberships_of(user).await?.live {
                    self.leave(user, group).await?;
                }
                Ok(())
            }
            Belonging::Rooms(rooms) => {
                for room in rooms {
                    self.delete_room(user, *room).await?;
                }
                Ok(())
            }
            Belonging::Report(made, report) => self.store.forget_report(*made, report).await,
            Belonging::AppData(Some(phone)) => self.store.forget_waiting(user, phone).await,
            Belonging::AppData(None) | Belonging::Other => Ok(()),
        }
    }

    /// Leaves a group as the user would: an owner is followed by the oldest manager or member, and a group of nobody else
    /// is dissolved.
    async fn leave(&self, user: UserId, group: GroupId) -> Result<()> {
        for _ in 0..MAX_CONFLICT_RETRIES {
            let Some(held) = self.groups.held_by_nobody(group).await? else { return Ok(()) };
            match held.group.stage {
                Stage::Dissolved => return Ok(()),
                Stage::Forming => {
                    self.jobs.carry_on(group).await?;
                    continue;
                }
                Stage::Alive => {}
            }
            if held.roster.member(user).is_none() {
                return Ok(());
            }
            let changed = held.quit(user, self.clock.now())?;
            if self.store.leave_group(&changed, self.clock.now()).await? == Written::Done {
                return Ok(());
            }
        }
        Err(Fault::new("leaving a group", "it changed at every attempt").into())
    }

    async fn delete_room(&self, user: UserId, id: RoomId) -> Result<()> {
        for _ in 0..MAX_CONFLICT_RETRIES {
            // The id may belong to a room of somebody else by now.
            let room = self.rooms.room(id).await?.filter(|room| room.owner == Some(user));
            let Some(room) = room else { return Ok(()) };
            if self.rooms.delete(&room, None, self.clock.now()).await? {
                return Ok(());
            }
        }
        Err(Fault::new("deleting a room", "it changed at every attempt").into())
    }
}
