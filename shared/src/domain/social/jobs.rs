//! What is left to do for groups after a request was answered, or could not be: entering and taking out more people
//! than fit into a transaction, and spreading a changed nickname.
//!
//! Nothing here is ever half-visible. A large group is [`Stage::Forming`], which nobody sees, until everybody's own
//! list has it, and alive for all of them in one write. A dissolved one is gone in one write, and the lists are tidied
//! afterwards. A note beside the group says that there is something left to do; the table's stream reads it out, so
//! that a function that died in the middle is carried on for. Every step may be done twice.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::group::{Changed, GroupId, Held, Stage};
use super::store::{Enlist, JobStore, MEETINGS, Written};
use crate::domain::account::UserId;
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::{Error, Fault, GroupRule, Result};
use crate::trips;

/// So many groups are given a nickname side by side.
const SIDE_BY_SIDE: usize = 10;

/// What the table's stream asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Task {
    /// Something is left to do for this group.
    Finish(GroupId),
    /// This person has another nickname or picture.
    Spread(UserId),
}

/// Carries jobs on.
pub struct Jobs {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where groups lie.
    pub store: Arc<dyn JobStore>,
}

impl Jobs {
    /// Does what is left to do for a group. It is no error when there is nothing, or somebody else does it meanwhile.
    pub async fn carry_on(&self, group: GroupId) -> Result<()> {
        match self.form(group, self.clock.now()).await {
            Err(Error::Group(GroupRule::TooManyGroups)) => Ok(()),
            other => other,
        }
    }

    /// Brings a forming group to an end: it is alive, or nobody ever saw it and one of its people is in too many
    /// groups.
    pub(super) async fn form(&self, group: GroupId, now: Timestamp) -> Result<()> {
        for _ in 0..MEETINGS {
            let Some(held) = self.store.held_by_nobody(group).await? else { return Ok(()) };
            match held.group.stage {
                Stage::Alive => return self.store.forget(group).await,
                Stage::Dissolved => return self.release(group, &held).await,
                Stage::Forming => {
                    let people = people(&held);
                    let entered = self.store.enlist(group, &people, Enlist::Enter).await?;
                    let ended = if entered { held.formed(now) } else { held.abandoned(now) };
                    let alive = ended.held.group.stage == Stage::Alive;
                    // An abandoned group's note stays: its people are still to be taken out.
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

    /// Gives somebody's fellow members their new nickname or picture, one write for each of their groups.
    pub async fn spread(&self, user: UserId) -> Result<()> {
        let groups: Vec<_> = self.store.memberships_of(user).await?.live.into_iter().collect();
        for some in groups.chunks(SIDE_BY_SIDE) {
            trips::all(some.iter().map(|group| self.refresh(*group, user))).await?;
        }
        Ok(())
    }

    async fn refresh(&self, group: GroupId, user: UserId) -> Result<()> {
        for _ in 0..MEETINGS {
            let held = self.store.held_by_nobody(group).await?;
            let Some(held) = held.filter(|held| held.group.stage == Stage::Alive) else { return Ok(()) };
            let Some(changed) = held.refresh(user, self.clock.now()) else { return Ok(()) };
            if self.store.write_by_nobody(&changed).await? == Written::Done {
                return Ok(());
            }
        }
        Err(Fault::new("spreading a nickname", "the group changed at every attempt").into())
    }

    /// Takes everybody of a dissolved group out of their own lists.
    async fn release(&self, group: GroupId, held: &Held) -> Result<()> {
        // Nobody saw a group that never formed, so nobody left it, and its maker is told why there is none.
        let how = if held.was_abandoned() { Enlist::Forget } else { Enlist::Leave };
        self.store.enlist(group, &people(held), how).await?;
        self.store.forget(group).await?;
        if held.was_abandoned() { Err(Error::Group(GroupRule::TooManyGroups)) } else { Ok(()) }
    }
}

fn people(held: &Held) -> BTreeSet<UserId> {
    held.roster.members().map(|(user, _)| user).collect()
}

impl Held {
    /// A forming group whose people all have it on their lists.
    fn formed(self, now: Timestamp) -> Changed {
        self.became(Stage::Alive, now)
    }

    /// A forming group that comes to nothing.
    fn abandoned(self, now: Timestamp) -> Changed {
        self.became(Stage::Dissolved, now)
    }
}
