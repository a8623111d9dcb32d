//! Incremental sync: sends a device the changes that it does not have yet.
//!
//! A version is the name of a response. It is neither a time nor a position in a log. With each response that contains
//! a change, the server saves the rows that the device then has, as one mark for each row ([`SyncSnapshot`]). The next sync
//! compares these marks with the current data and sends the rows that differ. So no change is ever skipped, whatever
//! the clocks of the servers say and in whatever order writes become visible: a change that was not visible to one sync
//! still differs at the next. Decision 8 compares this with a log of changes.

mod delta;
mod snapshot;
pub mod store;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use self::delta::Delta;
pub use self::snapshot::{Row, SyncSnapshot};
use self::store::{Own, SyncStore, Telling};
use super::group::{Group, GroupId, Member, Role};
use super::{PublicProfile, PublicProfiles, Relation};
use crate::account::{Caller, UserId};
use crate::clock::{Clock, Timestamp};
use crate::{Error, Fault, NotSignedIn, Result};
use telemetry::round_trips;

/// How long the record of what a device was sent is kept. A device that syncs at least this often gets only changes. A
/// device that comes back later gets everything, including the rows that it has to remove.
pub const REMEMBERED: Duration = Duration::from_hours(60 * 24);

/// Approximate size of the rows in one response, in bytes. A gateway accepts 6 MB from a function, and smaller pieces
/// are easier for a phone.
pub const PAGE: usize = 1_000_000;

/// How many group members are read at once with their rosters. This limits the memory used.
const SLICE: usize = 100_000;

/// How many version numbers to try. The first may be taken by another device's response; the next one is free unless
/// more devices sync at the same time.
const DRAWS: u64 = 16;

/// Sends devices the changes that they do not have.
pub struct DeltaSync {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The data to sync.
    pub store: Arc<dyn SyncStore>,
    /// Approximate size of the rows in one response, in bytes: [`PAGE`], except in tests.
    pub page: usize,
}

/// A sync response: rows of five kinds, each of which replaces the row that the device has, and the version for the
/// next sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncResponse {
    /// The version to send with the next sync.
    pub version: u64,
    /// Whether there are more changes to fetch right away.
    pub more: bool,
    /// The user's own public profile.
    pub oneself: PublicProfile,
    /// Whether the user's own profile changed.
    pub oneself_changed: bool,
    /// Users whose place on the blacklist, nickname or picture changed.
    pub blacklist: Vec<BlockedRow>,
    /// Users whose friendship, nickname or picture changed.
    pub friends: Vec<FriendRow>,
    /// Groups that changed, and groups that the user is no longer in.
    pub groups: Vec<GroupRow>,
    /// Members who changed, and members who left.
    pub members: Vec<MemberRow>,
}

/// A user who is or was on the blacklist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockedRow {
    /// The user.
    pub user: UserId,
    /// Whether the user is on the blacklist.
    pub blocked: bool,
    /// The user's public profile.
    pub profile: PublicProfile,
}

/// A user who is or was a friend, or who sent or received a friend request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FriendRow {
    /// The relation to this user.
    pub relation: Relation,
    /// The user's public profile; it includes the phone number only for friends.
    pub profile: PublicProfile,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupRow {
    /// The user is in the group.
    Here {
        /// The group.
        group: Box<Group>,
        /// The user's role in it.
        role: Role,
        /// The user's display name in it.
        name: String,
    },
    /// The user is not in the group any more, or the group is deleted. The user has no right to its current name.
    Gone(GroupId),
}

/// A current or former member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRow {
    /// The group.
    pub group: GroupId,
    /// The member.
    pub user: UserId,
    /// Their place in the group.
    pub member: Member,
    /// Their public profile.
    pub profile: PublicProfile,
}

impl DeltaSync {
    /// The changes since the response with this `version`. Takes at most two round trips when there are none, and four
    /// otherwise. Version 0 is a device that has no data.
    pub async fn since(&self, caller: Caller, version: u64) -> Result<SyncResponse> {
        let now = self.clock.now();
        let own = self.store.own(caller.user, version, now).await?;
        let account = own.account.as_ref().ok_or(Error::Unauthenticated(NotSignedIn::Ended))?;
        account.check_session(caller.session, now)?;
        let oneself = PublicProfile { name: account.name.clone(), avatar: account.avatar.clone(), phone: None };
        let known = known(&own, version, now)?;
        let people: BTreeSet<_> = own.relations.iter().map(|relation| relation.other).collect();
        let around = self.store.around(&people, &own.memberships.live);
        let ((profiles, groups), ()) =
            round_trips::both(around, self.keep_remembering(caller.user, version, &own, now)).await?;
        let mut delta = Delta::new(&oneself, known, self.page);
        delta.tell_gone_people(&own.relations);
        let candidates = delta.tell_gone_groups(&own.memberships, &groups);
        delta.tell_people(&own.relations, &profiles);
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
        let outlived = own.snapshot.as_ref().map(|snapshot| snapshot.before).filter(|before| *before > 0);
        self.remember(caller.user, version, outlived, delta, now).await
    }

    /// Saves what the response contains, and looks up the members' public profiles at the same time.
    async fn remember(
        &self,
        user: UserId,
        before: u64,
        outlived: Option<u64>,
        mut delta: Delta,
        now: Timestamp,
    ) -> Result<SyncResponse> {
        let first = before.max(u64::try_from(now.millis()).unwrap_or_default());
        let people = delta.members();
        let telling = Telling { rows: delta.snapshot(), before, outlived };
        let (version, profiles) = round_trips::both(self.name(user, first + 1, &telling, now), async {
            if people.is_empty() { Ok(PublicProfiles::new()) } else { self.store.faces_now(&people).await }
        })
        .await?;
        delta.put_faces(&profiles);
        Ok(delta.into_answer(version))
    }

    /// Extends how long the record of what a device was sent is kept, if half of that time has passed.
    async fn keep_remembering(&self, user: UserId, version: u64, own: &Own, now: Timestamp) -> Result<()> {
        match &own.snapshot {
            Some(snapshot) if snapshot.since.plus(REMEMBERED / 2) < now => self.store.renew(user, version, now).await,
            Some(_) | None => Ok(()),
        }
    }

    /// Saves what the device is sent under the first version, starting with `first`, that no other response has.
    async fn name(&self, user: UserId, first: u64, telling: &Telling, now: Timestamp) -> Result<u64> {
        for version in first..first + DRAWS {
            if self.store.remember(user, version, telling, now).await? {
                return Ok(version);
            }
        }
        Err(Fault::new("naming an answer", "every version was taken").into())
    }
}

/// The rows that the device has.
enum Known {
    /// These rows.
    Rows(SyncSnapshot),
    /// No rows: the device is new.
    Nothing,
    /// Unknown: the device was away for too long, or its version comes from another server.
    Anything,
}

/// Divides the groups into slices whose rosters are read at once, up to a total number of members. Usually there is one
/// slice. A user in hundreds of large groups needs one more round trip for each slice, and the response is full long
/// before the last.
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
    const RULE: Error = Error::Invalid { field: "version", rule: "must be the version of an earlier response, or 0" };
    match &own.snapshot {
        Some(snapshot) => Ok(Known::Rows(snapshot.rows.clone())),
        None if version == 0 => Ok(Known::Nothing),
        // An issued version is ahead of the clock at most by the difference between the servers' clocks, and one that was
        // issued so recently is still recorded.
        None if version > u64::try_from(now.millis()).unwrap_or_default() => Err(RULE),
        None => Ok(Known::Anything),
    }
}

#[cfg(test)]
mod tests;
