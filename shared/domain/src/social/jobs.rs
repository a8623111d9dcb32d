//! Background work on groups, which continues after the request has been answered or has failed: adding and removing
//! more members than fit into one transaction, and copying a changed nickname to the user's groups.
//!
//! Members never see a half-done change. A large group is [`Stage::Forming`], which nobody sees, until it is on the
//! list of every member; then one write makes it alive for all of them. A dissolved group disappears in one write, and
//! the members' lists are cleaned up afterwards. A note beside the group records that work is left. The table's stream
//! turns this note into a job, so the work continues even if the function that started it crashed. Every step can be repeated
//! safely.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::group::{Changed, GroupId, GroupSnapshot, Stage};
use super::store::{Enlist, JobStore, MAX_CONFLICT_RETRIES, Written};
use crate::account::UserId;
use crate::clock::{Clock, Timestamp};
use crate::{Error, Fault, GroupRule, Result};
use telemetry::round_trips;

/// So many groups get a changed nickname at the same time.
const SIDE_BY_SIDE: usize = 10;

/// Does background work on groups.
pub struct GroupJobs {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The store of groups.
    pub store: Arc<dyn JobStore>,
}

impl GroupJobs {
    /// Does the work that is left for a group. It is not an error when there is none, or when another process does it
    /// at the same time.
    pub async fn carry_on(&self, group: GroupId) -> Result<()> {
        match self.form(group, self.clock.now()).await {
            Err(Error::Group(GroupRule::TooManyGroups)) => Ok(()),
            other => other,
        }
    }

    /// Finishes a forming group. Either it becomes alive, or it is abandoned before anyone saw it, because one of its
    /// members is in too many groups.
    pub(super) async fn form(&self, group: GroupId, now: Timestamp) -> Result<()> {
        for _ in 0..MAX_CONFLICT_RETRIES {
            let Some(held) = self.store.held_by_nobody(group).await? else { return Ok(()) };
            match held.group.stage {
                Stage::Alive => return self.store.forget(group).await,
                Stage::Dissolved => return self.release(group, &held).await,
                Stage::Forming => {
                    let people = people(&held);
                    let entered = self.store.enlist(group, &people, Enlist::Enter { owner: held.group.owner }).await?;
                    let ended = if entered { held.formed(now) } else { held.abandoned(now) };
                    let alive = ended.held.group.stage == Stage::Alive;
                    // The note of an abandoned group stays, because the group must still be removed from its members'
                    // lists.
                    let done = if alive {
                        self.store.conclude(&ended).await?
                    } else {
                        self.store.write_by_nobody(&ended).await? == Written::Done
                    };
                    if done && alive {
                        return Ok(());
                    }
                }
            }
        }
        Err(Fault::new("forming a group", "it changed at every attempt").into())
    }

    /// Copies a user's new nickname or picture to their groups, one write for each group, so that the other members
    /// receive it. One change causes hundreds of writes, so this is done at most once a minute and twenty times a day; a
    /// change that comes too early is copied later. `by` identifies the change, and `late` is for one that came too
    /// early.
    pub async fn spread(&self, user: UserId, by: &str, late: bool) -> Result<()> {
        if !self.store.begin_spread(user, by, late, self.clock.now()).await? {
            return Ok(());
        }
        let groups: Vec<_> = self.store.memberships_of(user).await?.live.into_iter().collect();
        for some in groups.chunks(SIDE_BY_SIDE) {
            round_trips::all(some.iter().map(|group| self.refresh(*group, user))).await?;
        }
        Ok(())
    }

    async fn refresh(&self, group: GroupId, user: UserId) -> Result<()> {
        for _ in 0..MAX_CONFLICT_RETRIES {
            let held = self.store.held_by_nobody(group).await?;
            let Some(held) = held.filter(|held| held.group.stage == Stage::Alive) else { return Ok(()) };
            let Some(changed) = held.refresh(user, self.clock.now()) else { return Ok(()) };
            if self.store.write_by_nobody(&changed).await? == Written::Done {
                return Ok(());
            }
        }
        Err(Fault::new("spreading a nickname", "the group changed at every attempt").into())
    }

    /// Removes a dissolved group from the lists of all its members.
    async fn release(&self, group: GroupId, held: &GroupSnapshot) -> Result<()> {
        // Nobody saw a group that never became alive, so nobody left it. Its creator gets the error that explains why
        // there is no group.
        let how = if held.was_abandoned() { Enlist::Forget } else { Enlist::Leave };
        self.store.enlist(group, &people(held), how).await?;
        self.store.forget(group).await?;
        if held.was_abandoned() { Err(Error::Group(GroupRule::TooManyGroups)) } else { Ok(()) }
    }
}

fn people(held: &GroupSnapshot) -> BTreeSet<UserId> {
    held.roster.members().map(|(user, _)| user).collect()
}

impl GroupSnapshot {
    /// A forming group that is now on the list of every member.
    fn formed(self, now: Timestamp) -> Changed {
        self.became(Stage::Alive, now)
    }

    /// A forming group that is given up.
    fn abandoned(self, now: Timestamp) -> Changed {
        self.became(Stage::Dissolved, now)
    }
}
