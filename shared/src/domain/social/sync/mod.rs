//! The delta sync: what a device does not know yet.
//!
//! A version is the name of an answer, not a place in time or in a log. With each answer that tells something, the
//! server remembers what the device now knows: a mark for each row ([`Told`]). The next sync compares that with what
//! is, and tells what differs. So nothing is ever skipped, whatever the machines' clocks said and in whatever order
//! writes came to be seen: a change that a sync was too early for still differs at the next one. Decision 8 weighs
//! this against a log of changes.

mod delta;
mod told;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use self::delta::Delta;
pub use self::told::{Row, Told};
use super::group::{Group, GroupId, Member, Role};
use super::store::{Own, SyncStore, Telling};
use super::{Face, Faces, Relation};
use crate::domain::account::{Caller, UserId};
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::{Error, Fault, Result};
use crate::trips;

/// How long it is remembered what a device was told. A device that syncs at least this often is told deltas only; one
/// that comes back later is told everything, with what it has to forget.
pub const REMEMBERED: Duration = Duration::from_hours(60 * 24);

/// About as many bytes of rows are told in one answer. A gateway takes 6 MB from a function, and a phone would rather
/// have them in pieces.
pub const PAGE: usize = 1_000_000;

/// Members of the groups whose rosters are read at once, which bounds the memory that takes.
const SLICE: usize = 100_000;

/// Another device's answer may have the version that was drawn; the next number is free but for further devices.
const DRAWS: u64 = 16;

/// Tells devices what they do not know.
pub struct Sync {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What there is to tell.
    pub store: Arc<dyn SyncStore>,
    /// About as many bytes of rows are told in one answer: [`PAGE`], but for tests.
    pub page: usize,
}

/// An answer: rows of five kinds that are to replace those a device has, and the version to come back with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What to sync from next time.
    pub version: u64,
    /// Whether there is more to tell at once.
    pub more: bool,
    /// The person themselves.
    pub oneself: Face,
    /// Whether that is news.
    pub oneself_changed: bool,
    /// People whose place on the blacklist, nickname or picture changed.
    pub blacklist: Vec<BlockedRow>,
    /// People whose friendship, nickname or picture changed.
    pub friends: Vec<FriendRow>,
    /// Groups that changed, and those that the person is no longer in.
    pub groups: Vec<GroupRow>,
    /// Members who changed, and those who left.
    pub members: Vec<MemberRow>,
}

/// Somebody who is on the blacklist, or was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockedRow {
    /// Who.
    pub user: UserId,
    /// Whether they are on it.
    pub blocked: bool,
    /// What they look like.
    pub face: Face,
}

/// Somebody who is or was a friend, or asked or was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FriendRow {
    /// What is held of them.
    pub relation: Relation,
    /// What they look like; the phone only of friends.
    pub face: Face,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupRow {
    /// The person is in it.
    Here {
        /// The group.
        group: Box<Group>,
        /// What the person is in it.
        role: Role,
        /// What the person calls themselves in it.
        name: String,
    },
    /// The person is not in it any more, or it is gone. What it is called now is none of their business.
    Gone(GroupId),
}

/// A member of a group, or somebody who was one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRow {
    /// The group.
    pub group: GroupId,
    /// Who.
    pub user: UserId,
    /// What they are in it.
    pub member: Member,
    /// What they look like.
    pub face: Face,
}

impl Sync {
    /// What the device that was last answered `version` does not know: at most two round trips when it knows
    /// everything, and four when not. 0 is a device that knows nothing.
    pub async fn since(&self, caller: Caller, version: u64) -> Result<Answer> {
        let now = self.clock.now();
        let own = self.store.own(caller.user, version, now).await?;
        let account = own.account.as_ref().filter(|account| account.has_session(caller.session, now));
        let account = account.ok_or(Error::Unauthenticated)?;
        let oneself = Face { name: account.name.clone(), avatar: account.avatar.clone(), phone: None };
        let known = known(&own, version, now)?;
        let people: BTreeSet<_> = own.relations.iter().map(|relation| relation.other).collect();
        let around = self.store.around(&people, &own.memberships.live);
        let ((faces, groups), ()) = trips::both(around, self.keep_remembering(caller.user, version, &own, now)).await?;
        let mut delta = Delta::new(&oneself, known, self.page);
        delta.tell_gone_people(&own.relations);
        let candidates = delta.tell_gone_groups(&own.memberships, &groups);
        delta.tell_people(&own.relations, &faces);
        for some in slices(candidates, &groups) {
            if delta.is_full() {
                break;
            }
            let rosters = self.store.rosters(&some).await?;
            delta.tell_groups(caller.user, &some, &groups, &rosters);
        }
        if delta.tells_nothing() {
            return Ok(delta.into_answer(version));
        }
        let outlived = own.told.as_ref().map(|told| told.before).filter(|before| *before > 0);
        self.remember(caller.user, version, outlived, delta, now).await
    }

    /// Remembers what the answer tells beside looking up the members' faces.
    async fn remember(
        &self,
        user: UserId,
        before: u64,
        outlived: Option<u64>,
        mut delta: Delta,
        now: Timestamp,
    ) -> Result<Answer> {
        let first = before.max(u64::try_from(now.millis()).unwrap_or_default());
        let people = delta.members();
        let telling = Telling { rows: delta.told(), before, outlived };
        let (version, faces) = trips::both(self.name(user, first + 1, &telling, now), async {
            if people.is_empty() { Ok(Faces::new()) } else { self.store.faces_now(&people).await }
        })
        .await?;
        delta.put_faces(&faces);
        Ok(delta.into_answer(version))
    }

    /// Puts off when what a device was told is forgotten, if half of that time has passed.
    async fn keep_remembering(&self, user: UserId, version: u64, own: &Own, now: Timestamp) -> Result<()> {
        match &own.told {
            Some(told) if told.since.plus(REMEMBERED / 2) < now => self.store.renew(user, version, now).await,
            Some(_) | None => Ok(()),
        }
    }

    /// Remembers what is told under the first version from `first` that no other answer has.
    async fn name(&self, user: UserId, first: u64, telling: &Telling, now: Timestamp) -> Result<u64> {
        for version in first..first + DRAWS {
            if self.store.remember(user, version, telling, now).await? {
                return Ok(version);
            }
        }
        Err(Fault::new("naming an answer", "every version was taken").into())
    }
}

/// What the device knows.
enum Known {
    /// These rows.
    Rows(Told),
    /// Nothing: it is new.
    Nothing,
    /// Perhaps anything: it was away for too long, or its version is another server's.
    Anything,
}

/// Groups whose rosters are read at once: as many as have so many members together. Fewer than that is the rule; who is
/// in hundreds of large groups takes a round trip more for each slice, and an answer is full long before the last.
fn slices(candidates: BTreeSet<GroupId>, groups: &HashMap<GroupId, Group>) -> Vec<BTreeSet<GroupId>> {
    let mut slices: Vec<BTreeSet<GroupId>> = Vec::new();
    let mut members = usize::MAX;
    for id in candidates {
        let more = groups.get(&id).map_or(0, |group| group.members);
        match slices.last_mut() {
            Some(slice) if members.saturating_add(more) <= SLICE => {
                slice.insert(id);
                members += more;
            }
            Some(_) | None => {
                slices.push(BTreeSet::from([id]));
                members = more;
            }
        }
    }
    slices
}

fn known(own: &Own, version: u64, now: Timestamp) -> Result<Known> {
    const RULE: Error = Error::Invalid { field: "version", rule: "is the version of an earlier answer, or 0" };
    match &own.told {
        Some(told) => Ok(Known::Rows(told.rows.clone())),
        None if version == 0 => Ok(Known::Nothing),
        // Versions are never behind the clock by more than other machines' clocks are, and those that were given out
        // are remembered.
        None if version > u64::try_from(now.millis()).unwrap_or_default() => Err(RULE),
        None => Ok(Known::Anything),
    }
}

#[cfg(test)]
mod tests;
