//! Which changes to a group are allowed, and their results. Nothing here reads or writes data.

use std::collections::BTreeSet;

use super::event::{GroupEvent, Operation};
use super::{
    Draft, Group, GroupId, GroupName, GroupSnapshot, MOST_AT_ONCE, MOST_MEMBERS, MOST_REMEMBERED, Member, MemberName,
    Role, Roster, Stage,
};
use crate::account::UserId;
use crate::clock::Timestamp;
use crate::{Error, GroupRule, Result};

/// A group after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The group and its roster.
    pub held: GroupSnapshot,
    /// The users who joined.
    pub entered: BTreeSet<UserId>,
    /// The users who are no longer in it.
    pub left: BTreeSet<UserId>,
}

impl Changed {
    /// Whether more users join or leave than [`Changed::entered`] and [`Changed::left`] contain, so that work is left
    /// after this change is written.
    #[must_use]
    pub fn unfinished(&self) -> bool {
        match self.held.group.stage {
            Stage::Alive => false,
            Stage::Forming => true,
            Stage::Dissolved => self.left.is_empty(),
        }
    }
}

impl Draft {
    /// Checks that the group has room for all named users and for `by`, its creator.
    pub fn check_room(&self, by: UserId) -> Result<()> {
        let others = self.people.iter().filter(|user| **user != by).count();
        if others < MOST_MEMBERS { Ok(()) } else { Err(Error::Group(GroupRule::Full)) }
    }
}

impl GroupSnapshot {
    /// A new group that belongs to `by`.
    pub fn found(id: GroupId, draft: &Draft, by: UserId, now: Timestamp) -> Result<Changed> {
        let group = Group {
            id,
            name: draft.name.as_str().to_owned(),
            portrait: draft.portrait.clone(),
            owner: by,
            members: 0,
            seq: 0,
            stage: Stage::Alive,
            created: now,
            updated: now,
            last_event: None,
        };
        draft.check_room(by)?;
        let others: BTreeSet<_> = draft.people.iter().copied().filter(|user| *user != by).collect();
        let mut held = Self { group, roster: Roster::default() };
        held.turn(now);
        held.enter(by, Role::Owner, now);
        for user in &others {
            held.enter(*user, Role::Member, now);
        }
        held.tell(Operation::Create, by, others.iter().copied());
        let entered = others.into_iter().chain([by]).collect();
        Ok(held.changed(entered, BTreeSet::new()))
    }

    /// A member adds users. Existing members are not changed; `None` when all of them are members already.
    pub fn add(mut self, by: UserId, people: &BTreeSet<UserId>, now: Timestamp) -> Result<Option<Changed>> {
        self.role(by)?;
        let new: BTreeSet<_> = people.iter().copied().filter(|user| self.roster.member(*user).is_none()).collect();
        if new.is_empty() {
            return Ok(None);
        }
        self.make_room(&new)?;
        self.turn(now);
        for user in &new {
            self.enter(*user, Role::Member, now);
        }
        self.tell(Operation::Add, by, new.iter().copied());
        Ok(Some(self.changed(new, BTreeSet::new())))
    }

    /// A user joins on their own; `None` when they are a member already.
    pub fn join(mut self, by: UserId, now: Timestamp) -> Result<Option<Changed>> {
        if self.roster.member(by).is_some() {
            return Ok(None);
        }
        let new = BTreeSet::from([by]);
        self.make_room(&new)?;
        self.turn(now);
        self.enter(by, Role::Member, now);
        // The clients have no operation for joining, only for users being added.
        self.tell(Operation::Add, by, [by]);
        Ok(Some(self.changed(new, BTreeSet::new())))
    }

    /// The owner or a manager removes users. Users who left before are skipped; `None` when all of them have left.
    pub fn kick(mut self, by: UserId, people: &BTreeSet<UserId>, now: Timestamp) -> Result<Option<Changed>> {
        self.manages(by)?;
        if people.contains(&by) {
            return Err(Error::Invalid { field: "memberIds", rule: "contains your own id" });
        }
        for user in people {
            let member = self.roster.people.get(user).ok_or(Error::Group(GroupRule::NotInGroup))?;
            if !member.gone && member.role == Role::Owner {
                return Err(Error::Group(GroupRule::OwnerStays));
            }
        }
        let out: BTreeSet<_> = people.iter().copied().filter(|user| self.roster.member(*user).is_some()).collect();
        if out.is_empty() {
            return Ok(None);
        }
        self.turn(now);
        for user in &out {
            self.leave(*user);
        }
        self.tell(Operation::Kicked, by, out.iter().copied());
        Ok(Some(self.changed(BTreeSet::new(), out)))
    }

    /// A member leaves. When the owner leaves, the manager who has been in the group for longest becomes the owner, or
    /// the longest-standing member if there is no manager. When the last member leaves, the group is dissolved.
    pub fn quit(mut self, by: UserId, now: Timestamp) -> Result<Changed> {
        let role = self.role(by)?;
        let heir = self.roster.members().filter(|(user, _)| *user != by);
        let heir = heir.min_by_key(|(user, member)| (member.role != Role::Manager, member.joined, *user));
        let heir = heir.map(|(user, _)| user);
        self.turn(now);
        self.leave(by);
        let heir = heir.filter(|_| role == Role::Owner);
        match heir {
            Some(heir) => self.crown(heir),
            None if role == Role::Owner => self.group.stage = Stage::Dissolved,
            None => {}
        }
        self.tell(Operation::Quit, by, []);
        if let Some(told) = &mut self.group.last_event {
            told.heir = heir;
        }
        Ok(self.changed(BTreeSet::new(), BTreeSet::from([by])))
    }

    /// The owner dissolves the group.
    pub fn dismiss(mut self, by: UserId, now: Timestamp) -> Result<Changed> {
        self.owns(by, GroupRule::OwnerOnly)?;
        self.turn(now);
        self.group.stage = Stage::Dissolved;
        self.tell(Operation::Dismiss, by, []);
        let left: BTreeSet<_> = self.roster.members().map(|(user, _)| user).collect();
        let at_once = if left.len() > MOST_AT_ONCE { BTreeSet::new() } else { left };
        Ok(self.changed(BTreeSet::new(), at_once))
    }

    /// The owner transfers the group to another member.
    pub fn transfer(mut self, by: UserId, to: UserId, now: Timestamp) -> Result<Changed> {
        self.owns(by, GroupRule::OwnerOnly)?;
        if to == by {
            return Err(Error::Group(GroupRule::OwnerStays));
        }
        self.roster.member(to).ok_or(Error::Group(GroupRule::NotInGroup))?;
        self.turn(now);
        self.touch(by).role = Role::Member;
        self.crown(to);
        self.tell(Operation::Transfer, by, [to]);
        Ok(self.changed(BTreeSet::new(), BTreeSet::new()))
    }

    /// The owner makes members managers, or managers plain members again; `None` when they are that already.
    pub fn appoint(
        mut self,
        by: UserId,
        people: &BTreeSet<UserId>,
        managers: bool,
        now: Timestamp,
    ) -> Result<Option<Changed>> {
        self.owns(by, GroupRule::OwnerAppoints)?;
        let (role, operation) =
            if managers { (Role::Manager, Operation::SetManager) } else { (Role::Member, Operation::RemoveManager) };
        let mut others = Vec::new();
        for user in people {
            let member = self.roster.member(*user).ok_or(Error::Group(GroupRule::NotInGroup))?;
            if member.role == Role::Owner {
                return Err(Error::Group(GroupRule::OwnerStays));
            }
            if member.role != role {
                others.push(*user);
            }
        }
        if others.is_empty() {
            return Ok(None);
        }
        self.turn(now);
        for user in &others {
            self.touch(*user).role = role;
        }
        self.tell(operation, by, others);
        Ok(Some(self.changed(BTreeSet::new(), BTreeSet::new())))
    }

    /// The owner or a manager renames the group or sets its picture, or both; `None` when it has that name and that
    /// picture already. The members are notified of a new name.
    pub fn edit(
        mut self,
        by: UserId,
        name: Option<&GroupName>,
        portrait: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<Changed>> {
        self.manages(by)?;
        let name = name.filter(|name| name.as_str() != self.group.name);
        let portrait = portrait.filter(|portrait| *portrait != self.group.portrait);
        if name.is_none() && portrait.is_none() {
            return Ok(None);
        }
        self.turn(now);
        if let Some(portrait) = portrait {
            portrait.clone_into(&mut self.group.portrait);
        }
        if let Some(name) = name {
            name.as_str().clone_into(&mut self.group.name);
            self.tell(Operation::Rename, by, []);
        }
        Ok(Some(self.changed(BTreeSet::new(), BTreeSet::new())))
    }

    /// The owner or a manager posts a bulletin on the board.
    pub fn post(mut self, by: UserId, now: Timestamp) -> Result<Changed> {
        self.manages(by)?;
        self.turn(now);
        self.tell(Operation::Bulletin, by, []);
        Ok(self.changed(BTreeSet::new(), BTreeSet::new()))
    }

    /// The owner or a manager clears the board. The members are not notified.
    pub fn clear_board(mut self, by: UserId, now: Timestamp) -> Result<Changed> {
        self.manages(by)?;
        self.turn(now);
        Ok(self.changed(BTreeSet::new(), BTreeSet::new()))
    }

    /// A member sets their display name in the group; `None` when it is that name already.
    pub fn call_oneself(mut self, by: UserId, name: &MemberName, now: Timestamp) -> Result<Option<Changed>> {
        self.role(by)?;
        if self.roster.member(by).is_some_and(|member| member.name == name.as_str()) {
            return Ok(None);
        }
        self.turn(now);
        name.as_str().clone_into(&mut self.touch(by).name);
        Ok(Some(self.changed(BTreeSet::new(), BTreeSet::new())))
    }

    /// A member's nickname or picture changed, so the other members must receive it again; `None` when the user is not
    /// a member.
    #[must_use]
    pub fn refresh(mut self, user: UserId, now: Timestamp) -> Option<Changed> {
        self.roster.member(user)?;
        self.turn(now);
        self.touch(user);
        Some(self.changed(BTreeSet::new(), BTreeSet::new()))
    }

    /// A forming group reaches its final stage: it becomes alive and its members are notified, or it is given up.
    #[must_use]
    pub fn became(mut self, stage: Stage, now: Timestamp) -> Changed {
        self.turn(now);
        self.group.stage = stage;
        if stage == Stage::Alive {
            let owner = self.group.owner;
            let others: Vec<_> = self.roster.members().map(|(user, _)| user).filter(|user| *user != owner).collect();
            self.tell(Operation::Create, owner, others);
        }
        self.changed(BTreeSet::new(), BTreeSet::new())
    }

    /// Whether this group was given up while it was forming. Only the second change of such a group can dissolve it
    /// without an event for its members.
    #[must_use]
    pub fn was_abandoned(&self) -> bool {
        self.group.stage == Stage::Dissolved && self.group.last_event.is_none()
    }

    /// Checks that a member may add these users and that there is room for them. Users who are in the group already
    /// take no room.
    pub fn check_room(&self, by: UserId, people: &BTreeSet<UserId>) -> Result<()> {
        self.role(by)?;
        self.make_room(&people.iter().copied().filter(|user| self.roster.member(*user).is_none()).collect())
    }

    /// The user's role in the group, or the error that only members may do this.
    pub fn role(&self, user: UserId) -> Result<Role> {
        let member = self.roster.member(user).ok_or(Error::Group(GroupRule::MembersOnly))?;
        Ok(member.role)
    }

    fn manages(&self, user: UserId) -> Result<()> {
        match self.role(user)? {
            Role::Owner | Role::Manager => Ok(()),
            Role::Member => Err(Error::Group(GroupRule::ManagersOnly)),
        }
    }

    fn owns(&self, user: UserId, otherwise: GroupRule) -> Result<()> {
        match self.role(user)? {
            Role::Owner => Ok(()),
            Role::Manager | Role::Member => Err(Error::Group(otherwise)),
        }
    }

    /// Sets the event that the members are notified of.
    fn tell(&mut self, operation: Operation, operator: UserId, targets: impl IntoIterator<Item = UserId>) {
        let targets = targets.into_iter().collect();
        self.group.last_event = Some(GroupEvent { seq: self.group.seq, operation, operator, targets, heir: None });
    }

    fn make_room(&self, new: &BTreeSet<UserId>) -> Result<()> {
        let unknown = new.iter().filter(|user| !self.roster.people.contains_key(user)).count();
        let full =
            self.group.members + new.len() > MOST_MEMBERS || self.roster.people.len() + unknown > MOST_REMEMBERED;
        if full { Err(Error::Group(GroupRule::Full)) } else { Ok(()) }
    }

    /// Begins a change.
    fn turn(&mut self, now: Timestamp) {
        self.group.seq += 1;
        self.roster.seq = self.group.seq;
        self.group.updated = now;
        self.group.last_event = None;
    }

    fn enter(&mut self, user: UserId, role: Role, now: Timestamp) {
        let version = self.group.seq;
        let member = Member { role, name: String::new(), joined: now, changed: now, version, gone: false };
        self.roster.people.insert(user, member);
    }

    fn leave(&mut self, user: UserId) {
        let member = self.touch(user);
        member.gone = true;
        member.role = Role::Member;
        member.name.clear();
    }

    fn crown(&mut self, user: UserId) {
        self.touch(user).role = Role::Owner;
        self.group.owner = user;
    }

    /// Returns a user's entry on the roster and marks it as changed.
    fn touch(&mut self, user: UserId) -> &mut Member {
        let (version, now) = (self.group.seq, self.group.updated);
        let member = self.roster.people.entry(user).or_insert(Member {
            role: Role::Member,
            name: String::new(),
            joined: now,
            changed: now,
            version,
            gone: true,
        });
        member.version = version;
        member.changed = now;
        member
    }

    fn changed(mut self, entered: BTreeSet<UserId>, left: BTreeSet<UserId>) -> Changed {
        self.group.members = self.roster.members().count();
        Changed { held: self, entered, left }
    }
}

#[cfg(test)]
mod tests;
