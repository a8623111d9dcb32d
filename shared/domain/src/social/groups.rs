//! Groups, as a signed-in user creates, reads and changes them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::group::{
    Bulletin, Changed, Draft, Group, GroupId, GroupName, GroupSnapshot, MOST_AT_ONCE, MOST_MEMBERS, Member, MemberName,
    Role, Stage,
};
use super::jobs::GroupJobs;
use super::store::{Board, Created, FriendStore, GroupStore, MAX_CONFLICT_RETRIES, Written};
use super::{PublicProfile, PublicProfiles};
use crate::account::{Caller, UserId};
use crate::clock::{Clock, Timestamp};
use crate::once::Once;
use crate::random::Random;
use crate::{Error, Fault, GroupRule, Result};
use telemetry::round_trips;

/// Reads and changes groups.
pub struct Groups {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of random ids.
    pub random: Arc<dyn Random>,
    /// The store of groups.
    pub store: Arc<dyn GroupStore>,
    /// The store of public profiles.
    pub friends: Arc<dyn FriendStore>,
    /// Completes changes that do not fit into one transaction.
    pub jobs: Arc<GroupJobs>,
}

/// A group of the caller's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mine {
    /// The group.
    pub group: Group,
    /// The caller's role in it.
    pub role: Role,
}

/// A group as any signed-in user may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The group.
    pub group: Group,
    /// The bulletin on the group's board: only for members.
    pub bulletin: Option<Bulletin>,
    /// When the group was dissolved. Only former members see this, and they see the group without members.
    pub dissolved: Option<Timestamp>,
    /// The caller's role in the group; `None` when the caller is not a member.
    pub role: Option<Role>,
}

/// A member of a group with the current public profile.
pub type Named = (UserId, Member, PublicProfile);

impl Groups {
    /// Creates a group that the caller owns. Users who block the caller are left out, and the caller does not learn of
    /// it. Takes two round trips for a small group; a large one is added to its members' lists step by step and then
    /// becomes visible at once.
    ///
    /// With `once`, a repeated request returns the group that the first one created.
    pub async fn create(&self, caller: Caller, draft: Draft, once: Option<&Once>) -> Result<GroupId> {
        // Checked before anyone is left out. Otherwise the error would show who blocks the caller.
        draft.check_room(caller.user)?;
        let named = draft.people.len();
        let willing = async { Ok(self.willing(caller, &draft.people).await) };
        let (people, before) = round_trips::both(willing, self.made_before(caller, once)).await?;
        if let Some(before) = before {
            return self.created_before(before, named).await;
        }
        let draft = Draft { people: people?, ..draft };
        let now = self.clock.now();
        for _ in 0..MAX_CONFLICT_RETRIES {
            let id = GroupId::generate(&*self.random);
            let mut changed = GroupSnapshot::found(id, &draft, caller.user, now)?;
            let large = changed.entered.len() > MOST_AT_ONCE;
            if large {
                changed.held.group.stage = Stage::Forming;
                changed.held.group.last_event = None;
                changed.entered.clear();
            }
            match self.store.create(caller, &changed, once, now).await? {
                Created::Done if large => self.jobs.form(id, now).await?,
                Created::Done => {}
                Created::Before(before) => return self.created_before(before, named).await,
                Created::TooManyGroups => return Err(Error::Group(GroupRule::TooManyGroups)),
                // Another group has this id.
                Created::Taken => continue,
            }
            return Ok(id);
        }
        Err(Fault::new("making a group", "every random id was taken").into())
    }

    async fn made_before(&self, caller: Caller, once: Option<&Once>) -> Result<Option<GroupId>> {
        match once {
            Some(once) => self.store.created_before(caller, once, self.clock.now()).await,
            None => Ok(None),
        }
    }

    /// The group that an earlier request with the same key created. If that request stopped before everybody was added,
    /// this one adds them, so the response never names a group that nobody can see.
    async fn created_before(&self, group: GroupId, named: usize) -> Result<GroupId> {
        if named >= MOST_AT_ONCE {
            self.jobs.form(group, self.clock.now()).await?;
        }
        Ok(group)
    }

    /// Adds users to a group. If they do not fit into one transaction, they are added in parts, after a check that all
    /// of them can be added.
    pub async fn add(&self, caller: Caller, group: GroupId, people: &BTreeSet<UserId>) -> Result<()> {
        let willing = self.willing(caller, people).await?;
        if willing.len() > MOST_AT_ONCE && !self.store.have_room(caller, group, &willing).await? {
            return Err(Error::Group(GroupRule::TooManyGroups));
        }
        let willing: Vec<_> = willing.into_iter().collect();
        let mut some_at_a_time: Vec<BTreeSet<_>> =
            willing.chunks(MOST_AT_ONCE).map(|some| some.iter().copied().collect()).collect();
        if some_at_a_time.is_empty() {
            // There is nobody to add. The caller still gets the error if they are not allowed to add anyone.
            some_at_a_time.push(BTreeSet::new());
        }
        for some in some_at_a_time {
            let judge = |held: GroupSnapshot, now| {
                // Users who block the caller are counted too. Otherwise the error would show who blocks the caller.
                held.check_room(caller.user, people)?;
                held.add(caller.user, &some, now)
            };
            self.change(caller, group, Board::Keep, judge).await?;
        }
        Ok(())
    }

    /// Joins a group.
    pub async fn join(&self, caller: Caller, group: GroupId) -> Result<()> {
        self.change(caller, group, Board::Keep, |held, now| held.join(caller.user, now)).await
    }

    /// Removes users from a group. If they do not fit into one transaction, they are removed in parts, after a check
    /// that the caller may remove all of them.
    pub async fn kick(&self, caller: Caller, group: GroupId, people: &BTreeSet<UserId>) -> Result<()> {
        check_count(people)?;
        let each: Vec<_> = people.iter().copied().collect();
        for some in each.chunks(MOST_AT_ONCE) {
            let some = some.iter().copied().collect();
            let judge = |held: GroupSnapshot, now| {
                held.clone().kick(caller.user, people, now)?;
                held.kick(caller.user, &some, now)
            };
            self.change(caller, group, Board::Keep, judge).await?;
        }
        Ok(())
    }

    /// Leaves a group.
    pub async fn quit(&self, caller: Caller, group: GroupId) -> Result<()> {
        self.change(caller, group, Board::Keep, |held, now| held.quit(caller.user, now).map(Some)).await
    }

    /// Dissolves a group. It is gone for all members at once, however large it was.
    pub async fn dismiss(&self, caller: Caller, group: GroupId) -> Result<()> {
        self.change(caller, group, Board::Keep, |held, now| held.dismiss(caller.user, now).map(Some)).await
    }

    /// Transfers a group to another member.
    pub async fn transfer(&self, caller: Caller, group: GroupId, to: UserId) -> Result<()> {
        self.change(caller, group, Board::Keep, |held, now| held.transfer(caller.user, to, now).map(Some)).await
    }

    /// Makes members managers, or managers plain members.
    pub async fn appoint(
        &self,
        caller: Caller,
        group: GroupId,
        people: &BTreeSet<UserId>,
        managers: bool,
    ) -> Result<()> {
        check_count(people)?;
        self.change(caller, group, Board::Keep, |held, now| held.appoint(caller.user, people, managers, now)).await
    }

    /// Renames a group.
    pub async fn rename(&self, caller: Caller, group: GroupId, name: &GroupName) -> Result<()> {
        self.edit(caller, group, Some(name), None).await
    }

    /// Sets a group's picture.
    pub async fn portray(&self, caller: Caller, group: GroupId, portrait: &str) -> Result<()> {
        self.edit(caller, group, None, Some(portrait)).await
    }

    /// Renames a group and sets its picture, in one change. `None` leaves the name or the picture as it is.
    pub async fn edit(
        &self,
        caller: Caller,
        group: GroupId,
        name: Option<&GroupName>,
        portrait: Option<&str>,
    ) -> Result<()> {
        self.change(caller, group, Board::Keep, |held, now| held.edit(caller.user, name, portrait, now)).await
    }

    /// Sets the caller's display name in a group.
    pub async fn call_oneself(&self, caller: Caller, group: GroupId, name: &MemberName) -> Result<()> {
        self.change(caller, group, Board::Keep, |held, now| held.call_oneself(caller.user, name, now)).await
    }

    /// Posts a bulletin on a group's board, in place of the one that was there. An empty text clears the board.
    pub async fn post(&self, caller: Caller, group: GroupId, content: &str) -> Result<()> {
        match Bulletin::parse(content, self.clock.now())? {
            Some(bulletin) => {
                let board = Board::Post(&bulletin);
                self.change(caller, group, board, |held, now| held.post(caller.user, now).map(Some)).await
            }
            None => {
                self.change(caller, group, Board::Clear, |held, now| held.clear_board(caller.user, now).map(Some)).await
            }
        }
    }

    /// The bulletin on a group's board, for its members. Takes one round trip.
    pub async fn bulletin(&self, caller: Caller, group: GroupId) -> Result<Bulletin> {
        let (held, bulletin) = self.shown(caller, group).await?;
        held.role(caller.user)?;
        bulletin.ok_or(Error::Group(GroupRule::NoBulletin))
    }

    /// A group. Takes one round trip. A dissolved group is shown to its current and former members.
    pub async fn show(&self, caller: Caller, group: GroupId) -> Result<Shown> {
        let none = Error::NotFound("group");
        let (held, bulletin) = self.store.shown(caller, group, self.clock.now()).await?.ok_or(none)?;
        if held.group.stage == Stage::Dissolved
            && held.roster.people.contains_key(&caller.user)
            && !held.was_abandoned()
        {
            let dissolved = Some(held.group.updated);
            return Ok(Shown { group: Group { members: 0, ..held.group }, bulletin: None, dissolved, role: None });
        }
        let held = alive(Some(held))?;
        let role = held.role(caller.user).ok();
        Ok(Shown { group: held.group, bulletin: bulletin.filter(|_| role.is_some()), dissolved: None, role })
    }

    /// The members of a group with their current names, for its members. Takes two round trips. The owner comes first,
    /// then the managers, then the members, each in the order in which they joined.
    pub async fn members(&self, caller: Caller, group: GroupId) -> Result<Vec<Named>> {
        let members = self.roster(caller, group).await?;
        self.with_profiles(members).await
    }

    /// The members of a group without their names, for its members, in the same order. Takes one round trip.
    pub async fn roster(&self, caller: Caller, group: GroupId) -> Result<Vec<(UserId, Member)>> {
        let held = self.held(caller, group).await?;
        held.role(caller.user)?;
        let mut members: Vec<_> = held.roster.members().map(|(user, member)| (user, member.clone())).collect();
        members.sort_by_key(|(user, member)| (member.role.rank(), member.joined, *user));
        Ok(members)
    }

    /// These members with their current names. Takes one round trip, and none without a member.
    pub async fn with_profiles(&self, members: Vec<(UserId, Member)>) -> Result<Vec<Named>> {
        let people: BTreeSet<_> = members.iter().map(|(user, _)| *user).collect();
        let mut profiles =
            if people.is_empty() { PublicProfiles::new() } else { self.friends.profiles(&people).await? };
        let named = |(user, member)| (user, member, profiles.remove(&user).unwrap_or_default());
        Ok(members.into_iter().map(named).collect())
    }

    /// The groups that the caller is in, ordered by id. Takes two round trips.
    pub async fn mine(&self, caller: Caller) -> Result<Vec<Mine>> {
        let ids = self.listed(caller).await?;
        self.mine_among(caller, &ids).await
    }

    /// The ids on the caller's list of groups. The groups themselves decide whether the caller is in them. Takes one
    /// round trip.
    pub async fn listed(&self, caller: Caller) -> Result<BTreeSet<GroupId>> {
        Ok(self.store.memberships(caller, self.clock.now()).await?.live)
    }

    /// Those of these groups that the caller is in, ordered by id. Takes one round trip, and none without a group.
    pub async fn mine_among(&self, caller: Caller, ids: &BTreeSet<GroupId>) -> Result<Vec<Mine>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let (groups, roles) = self.store.groups_with_roles(caller.user, ids).await?;
        let groups: BTreeMap<_, _> = groups.into_iter().filter(|(_, group)| group.stage == Stage::Alive).collect();
        let mine = |(id, group)| Some(Mine { group, role: *roles.get(&id)? });
        Ok(groups.into_iter().filter_map(mine).collect())
    }

    async fn held(&self, caller: Caller, group: GroupId) -> Result<GroupSnapshot> {
        alive(self.store.held(caller, group, self.clock.now()).await?)
    }

    async fn shown(&self, caller: Caller, group: GroupId) -> Result<(GroupSnapshot, Option<Bulletin>)> {
        let shown = self.store.shown(caller, group, self.clock.now()).await?;
        let (held, bulletin) = shown.ok_or(Error::NotFound("group"))?;
        Ok((alive(Some(held))?, bulletin))
    }

    /// Those of `people` who do not block the caller. All of them must exist.
    async fn willing(&self, caller: Caller, people: &BTreeSet<UserId>) -> Result<BTreeSet<UserId>> {
        check_count(people)?;
        let others: BTreeSet<_> = people.iter().copied().filter(|user| *user != caller.user).collect();
        if others.is_empty() {
            return Ok(others);
        }
        let known = self.store.reachable(caller, &others, self.clock.now()).await?;
        let willing = |user: UserId| match known.get(&user) {
            None => Some(Err(Error::NotFound("user"))),
            Some(true) => None,
            Some(false) => Some(Ok(user)),
        };
        others.into_iter().filter_map(willing).collect()
    }

    /// Checks a change against the current state of the group and writes the result. Starts again if the group changed
    /// meanwhile.
    async fn change(
        &self,
        caller: Caller,
        group: GroupId,
        board: Board<'_>,
        judge: impl Fn(GroupSnapshot, Timestamp) -> Result<Option<Changed>> + Send + Sync,
    ) -> Result<()> {
        let now = self.clock.now();
        for meeting in 0..MAX_CONFLICT_RETRIES {
            let Some(changed) = judge(self.held(caller, group).await?, now)? else { return Ok(()) };
            match self.store.write(caller, &changed, board, now).await? {
                Written::Done => return Ok(()),
                Written::TooManyGroups => return Err(Error::Group(GroupRule::TooManyGroups)),
                // More users may try to join at once than there are attempts.
                Written::Moved => self.store.step_aside(meeting).await,
            }
        }
        Err(Fault::new("changing a group", "it changed at every attempt").into())
    }
}

fn alive(held: Option<GroupSnapshot>) -> Result<GroupSnapshot> {
    held.filter(|held| held.group.stage == Stage::Alive).ok_or(Error::NotFound("group"))
}

fn check_count(people: &BTreeSet<UserId>) -> Result<()> {
    if people.len() > MOST_MEMBERS {
        return Err(Error::Invalid { field: "memberIds", rule: "must name at most 500 users" });
    }
    Ok(())
}
