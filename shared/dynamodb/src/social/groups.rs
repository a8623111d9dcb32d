//! Groups: each has a small item that every sync reads, and a second item for its roster.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::TransactWriteItem;

use super::items;
use crate::batch::Reads;
use crate::item::{self, Item, moment, number};
use crate::keys::{self, Key};
use crate::write::{self, Change};
use crate::{Table, Transacted, change_by, failed, found, not_signed_in, once};
use domain::account::{Caller, UserId};
use domain::clock::Timestamp;
use domain::once::Once;
use domain::social::group::{
    Bulletin, Changed, Group, GroupId, GroupSnapshot, MOST_AT_ONCE, MOST_GROUPS, Role, Roster, Stage,
};
use domain::social::{Board, Created, GroupStore, Memberships, Status, Written};
use domain::{Error, Fault, Result};
use telemetry::round_trips;

/// A transaction has at most 100 items. Beside the members it writes the session, the group, its roster, and either its
/// board and the note about remaining work, or the count of new groups and the key of the request.
const _: () = assert!(MOST_AT_ONCE + 5 <= 100);
/// How many groups that the user left a list remembers. The limit bounds an item that other users can make grow.
const MOST_LEFT: usize = 1_000;
/// How many rosters are in memory at once when many are read.
const FEW: usize = 25;
/// The `seq` of a group that is being created.
const FIRST: u64 = 1;
/// How often a group and its roster are read again if they were read in the middle of a change. The waits grow, to
/// about half a second in total.
const TORN_READS: u32 = 7;

#[async_trait]
impl GroupStore for Table {
    async fn held(&self, caller: Caller, group: GroupId, now: Timestamp) -> Result<Option<GroupSnapshot>> {
        Ok(round_trips::both(self.check_living(caller, now), self.read_held(group)).await?.1)
    }

    async fn shown(
        &self,
        caller: Caller,
        group: GroupId,
        now: Timestamp,
    ) -> Result<Option<(GroupSnapshot, Option<Bulletin>)>> {
        let key = keys::bulletin(group);
        let board = self.get("reading a bulletin", &key);
        let (held, board) = round_trips::both(self.held(caller, group, now), board).await?;
        let bulletin = board.as_ref().map(items::read_bulletin).transpose()?;
        Ok(held.map(|held| (held, bulletin)))
    }

    async fn memberships(&self, caller: Caller, now: Timestamp) -> Result<Memberships> {
        let key = keys::memberships(caller.user);
        let list = self.get("reading a list of groups", &key);
        let ((), list) = round_trips::both(self.check_living(caller, now), list).await?;
        Ok(items::read_memberships(list.as_ref()))
    }

    async fn groups_with_roles(
        &self,
        user: UserId,
        ids: &BTreeSet<GroupId>,
    ) -> Result<(HashMap<GroupId, Group>, HashMap<GroupId, Role>)> {
        let all: Vec<_> = ids.iter().copied().collect();
        // Only the user's role is kept from each roster, because all rosters together may be large.
        let roles = round_trips::all(all.chunks(FEW).map(|some| async {
            let rosters = self.read_rosters(&some.iter().copied().collect()).await?;
            let role = |(id, roster): (GroupId, Roster)| Some((id, roster.member(user)?.role));
            Ok::<_, Error>(rosters.into_iter().filter_map(role).collect::<Vec<_>>())
        }));
        let (groups, roles) = round_trips::both(self.read_groups(ids), roles).await?;
        Ok((groups, roles.into_iter().flatten().collect()))
    }

    async fn reachable(
        &self,
        caller: Caller,
        people: &BTreeSet<UserId>,
        now: Timestamp,
    ) -> Result<HashMap<UserId, bool>> {
        let accounts = people.iter().map(|user| keys::account(*user)).collect();
        let relations = people.iter().map(|user| keys::relation(*user, caller.user)).collect();
        let accounts = self.get_all(accounts, &["id"], Reads::Consistently);
        let relations = self.get_all(relations, &["pk", "blocked"], Reads::Consistently);
        let ((), (accounts, relations)) =
            round_trips::both(self.check_living(caller, now), round_trips::both(accounts, relations)).await?;
        let blocking: BTreeSet<_> = relations
            .iter()
            .filter(|relation| relation.get("blocked").is_some_and(|blocked| blocked.as_bool() == Ok(&true)))
            .filter_map(|relation| item::get_text(relation, "pk"))
            .collect();
        let known = accounts.iter().filter_map(|account| item::get_user(account, "id"));
        Ok(known.map(|user| (user, blocking.contains(&keys::account(user).pk))).collect())
    }

    async fn have_room(&self, caller: Caller, group: GroupId, people: &BTreeSet<UserId>) -> Result<bool> {
        let by_partition: HashMap<_, _> = people.iter().map(|user| (keys::memberships(*user).pk, *user)).collect();
        let lists = people.iter().map(|user| keys::memberships(*user)).collect();
        let lists = self.get_all(lists, &["pk", "live", "added"], Reads::Consistently).await?;
        let has_room = |list: &Item, most: usize| {
            let is_in = items::read_memberships(Some(list)).live.contains(&group);
            is_in || list.get("added").and_then(|added| added.as_ns().ok()).map_or(0, Vec::len) < most
        };
        let crowded: Vec<_> =
            lists.iter().filter(|list| !has_room(list, self.policy.groups_added_by_strangers)).collect();
        if crowded.iter().any(|list| !has_room(list, self.policy.groups_added)) {
            return Ok(false);
        }
        let owner = |list: &&Item| item::get_text(list, "pk").and_then(|pk| by_partition.get(&pk).copied());
        let crowded: BTreeSet<_> = crowded.iter().filter_map(owner).collect();
        Ok(crowded.is_empty() || self.friends_among(&crowded, caller.user).await? == crowded)
    }

    async fn create(&self, caller: Caller, changed: &Changed, once: Option<&Once>, now: Timestamp) -> Result<Created> {
        self.write_group(caller, Plan { changed, board: Board::Keep, once }, now).await
    }

    async fn created_before(&self, caller: Caller, once: &Once, now: Timestamp) -> Result<Option<GroupId>> {
        let before = self.made_before(caller.user, once, now);
        let ((), before) = round_trips::both(self.check_living(caller, now), before).await?;
        before.map(|made| made.parse()).transpose()
    }

    async fn write(&self, caller: Caller, changed: &Changed, board: Board<'_>, now: Timestamp) -> Result<Written> {
        Ok(match self.write_group(caller, Plan { changed, board, once: None }, now).await? {
            Created::Done => Written::Done,
            Created::Taken => Written::Moved,
            Created::TooManyGroups => Written::TooManyGroups,
            Created::Before(_) => return Err(Fault::new("changing a group", "a key that was not given").into()),
        })
    }

    async fn step_aside(&self, meeting: usize) {
        self.wait_out_conflict(u32::try_from(meeting).unwrap_or(u32::MAX)).await;
    }
}

/// What is written.
#[derive(Clone, Copy)]
struct Plan<'a> {
    changed: &'a Changed,
    board: Board<'a>,
    once: Option<&'a Once>,
}

/// Facts about the users of a change, from its earlier attempts that were refused.
#[derive(Default)]
struct Known {
    /// Friends of the caller whose lists are full for strangers.
    friends: BTreeSet<UserId>,
    /// Users who leave, but whose lists can remember no more groups.
    crowded: BTreeSet<UserId>,
}

/// The positions of a change's parts in its transaction.
struct Places {
    group: Range<usize>,
    once: Range<usize>,
    made: Range<usize>,
    entering: Range<usize>,
    leaving: Range<usize>,
}

/// How a group is added to a user's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// The user created the group or joined it.
    Own,
    /// A friend added the user.
    ByFriend,
    /// A user who is not a friend added the user.
    ByStranger,
}

impl Table {
    /// Writes a group. [`Created::Taken`] means that the group is not as it was read.
    async fn write_group(&self, caller: Caller, plan: Plan<'_>, now: Timestamp) -> Result<Created> {
        let changed = plan.changed;
        let mut known = Known::default();
        loop {
            let (writes, places) = self.writes(caller, plan, &known, now)?;
            let reasons = match self.transact("changing a group", writes).await? {
                Transacted::Done => return Ok(Created::Done),
                Transacted::Refused(reasons) => reasons,
            };
            let refused = |positions: &Range<usize>| positions.clone().any(|position| failed(&reasons, position));
            if refused(&(0..1)) {
                return Err(not_signed_in(found(&reasons, 0), caller));
            }
            // Before everything else: a request that is repeated does not count twice, and needs no room.
            if let Some(key) = plan.once.filter(|_| refused(&places.once)) {
                let made = once::made_before(found(&reasons, places.once.start), key)?;
                return Ok(Created::Before(made.parse()?));
            }
            if refused(&places.group) {
                return Ok(Created::Taken);
            }
            if refused(&places.made) {
                return Err(self.groups_made(caller.user, now).refusal(now));
            }
            let full = |positions: Range<usize>, people: &BTreeSet<UserId>| -> BTreeSet<UserId> {
                let full = positions.zip(people).filter(|(position, _)| failed(&reasons, *position));
                full.map(|(_, user)| *user).collect()
            };
            let entering = full(places.entering, &changed.entered);
            if !entering.is_empty() {
                let friends = self.friends_among(&entering, caller.user).await?;
                if friends != entering || !known.friends.is_disjoint(&friends) {
                    return Ok(Created::TooManyGroups);
                }
                known.friends.extend(friends);
                continue;
            }
            let leaving = full(places.leaving, &changed.left);
            if leaving.is_empty() || !known.crowded.is_disjoint(&leaving) {
                return Err(Fault::new("changing a group", "a write without a condition was refused").into());
            }
            known.crowded.extend(leaving);
        }
    }

    /// All writes of a change, and the positions of its parts.
    fn writes(
        &self,
        caller: Caller,
        plan: Plan<'_>,
        known: &Known,
        now: Timestamp,
    ) -> Result<(Vec<TransactWriteItem>, Places)> {
        let changed = plan.changed;
        let group = changed.held.group.id;
        let mut writes = vec![change_by(caller, "", now).in_transaction(&self.name)?];
        writes.extend(items::put_held(&self.name, &changed.held)?);
        let remembered = writes.len();
        if let Some(key) = plan.once {
            writes.push(self.remember(caller.user, key, &group.to_string(), now)?);
        }
        let made = writes.len();
        if changed.held.group.seq == FIRST {
            writes.push(self.groups_made(caller.user, now).change(now).in_transaction(&self.name)?);
        }
        let entering = writes.len();
        for user in &changed.entered {
            let entry = match *user {
                user if user == caller.user => Entry::Own,
                user if known.friends.contains(&user) => Entry::ByFriend,
                _ => Entry::ByStranger,
            };
            writes.push(self.enter(group, *user, entry).in_transaction(&self.name)?);
        }
        let leaving = writes.len();
        for user in &changed.left {
            writes.push(leave(group, *user, known.crowded.contains(user)).in_transaction(&self.name)?);
        }
        let rest = writes.len();
        writes.extend(self.board_and_job(changed, plan.board, now)?);
        let places = Places {
            group: 1..remembered,
            once: remembered..made,
            made: made..entering,
            entering: entering..leaving,
            leaving: leaving..rest,
        };
        Ok((writes, places))
    }

    /// Adds a group to a user's list. The groups that others added the user to are in a separate set, so that strangers
    /// cannot use up the user's own groups.
    pub(super) fn enter(&self, group: GroupId, user: UserId, entry: Entry) -> Change {
        let (update, set_of, most) = match entry {
            Entry::Own => ("ADD #live :group DELETE #left :group", "live", MOST_GROUPS),
            Entry::ByFriend => ("ADD #added :group DELETE #left :group", "added", self.policy.groups_added),
            Entry::ByStranger => {
                ("ADD #added :group DELETE #left :group", "added", self.policy.groups_added_by_strangers)
            }
        };
        Change::new(keys::memberships(user), update)
            .when(format!("attribute_not_exists(#{set_of}) OR size(#{set_of}) < :most OR contains(#{set_of}, :id)"))
            .value(":group", set(group))
            .value(":id", number(group))
            .value(":most", number(most))
    }

    /// The users of `people` who have `other` as a friend.
    pub(super) async fn friends_among(&self, people: &BTreeSet<UserId>, other: UserId) -> Result<BTreeSet<UserId>> {
        let by_partition: HashMap<_, _> = people.iter().map(|user| (keys::account(*user).pk, *user)).collect();
        let relations = people.iter().map(|user| keys::relation(*user, other)).collect();
        let relations = self.get_all(relations, &["pk", "status"], Reads::Consistently).await?;
        let is_friend = |relation: &&Item| {
            let status = item::get_number(relation, "status").and_then(Status::from_number);
            status == Some(Status::Friends)
        };
        let owner = |relation: &Item| item::get_text(relation, "pk").and_then(|pk| by_partition.get(&pk).copied());
        Ok(relations.iter().filter(is_friend).filter_map(owner).collect())
    }

    /// A group with its roster, both from the same change. A batch is not a snapshot: a change that is just being
    /// applied may be visible in only one of the two. A change based on such a read would undo part of it.
    pub(super) async fn read_held(&self, id: GroupId) -> Result<Option<GroupSnapshot>> {
        for attempt in 0..TORN_READS {
            let both = self.get_all(vec![keys::group(id), keys::roster(id)], &[], Reads::Consistently).await?;
            let find = |key: Key| both.iter().find(|item| item::get_text(item, "sk").as_ref() == Some(&key.sk));
            match (find(keys::group(id)), find(keys::roster(id))) {
                (None, None) => return Ok(None),
                (Some(group), Some(roster)) => {
                    let held = GroupSnapshot { group: items::read_group(group)?, roster: items::read_roster(roster)? };
                    if held.group.seq == held.roster.seq {
                        return Ok(Some(held));
                    }
                }
                (Some(_), None) | (None, Some(_)) => {}
            }
            self.wait_out_conflict(attempt).await;
        }
        Err(Fault::new("reading a group", "the group and its roster do not belong together").into())
    }

    pub(super) async fn read_groups(&self, ids: &BTreeSet<GroupId>) -> Result<HashMap<GroupId, Group>> {
        let keys = ids.iter().map(|id| keys::group(*id)).collect();
        let items = self.get_all(keys, &[], Reads::Consistently).await?;
        items.iter().map(|item| items::read_group(item).map(|group| (group.id, group))).collect()
    }

    pub(super) async fn read_rosters(&self, ids: &BTreeSet<GroupId>) -> Result<HashMap<GroupId, Roster>> {
        let by_partition: HashMap<_, _> = ids.iter().map(|id| (keys::roster(*id).pk, *id)).collect();
        let keys = ids.iter().map(|id| keys::roster(*id)).collect();
        let items = self.get_all(keys, &[], Reads::Consistently).await?;
        let id = |item: &Item| item::get_text(item, "pk").and_then(|pk| by_partition.get(&pk).copied());
        let rosters = items.iter().filter_map(|item| Some((id(item)?, item)));
        rosters.map(|(id, item)| items::read_roster(item).map(|roster| (id, roster))).collect()
    }

    /// The writes for a change of a group in addition to the group, its roster and its members' lists.
    pub(super) fn board_and_job(
        &self,
        changed: &Changed,
        board: Board<'_>,
        now: Timestamp,
    ) -> Result<Vec<TransactWriteItem>> {
        let id = changed.held.group.id;
        let mut writes = Vec::new();
        let dissolved = changed.held.group.stage == Stage::Dissolved;
        if let Board::Post(bulletin) = board {
            writes.push(write::put(&self.name, &keys::bulletin(id), items::bulletin(bulletin))?);
        } else if board == Board::Clear || dissolved {
            writes.push(write::delete(&self.name, &keys::bulletin(id))?);
        }
        if changed.unfinished() {
            let note = Item::from([("since".to_owned(), moment(now))]);
            writes.push(write::put(&self.name, &keys::job(id), note)?);
        }
        Ok(writes)
    }
}

/// Removes a group from a user's list and remembers that the user left it. If there are too many such groups, all
/// others are forgotten.
pub(super) fn leave(group: GroupId, user: UserId, crowded: bool) -> Change {
    let change = if crowded {
        Change::new(keys::memberships(user), "DELETE #live :group, #added :group SET #left = :group")
    } else {
        Change::new(keys::memberships(user), "DELETE #live :group, #added :group ADD #left :group")
            .when("(attribute_not_exists(#left) OR size(#left) < :most)")
            .value(":most", number(MOST_LEFT))
    };
    change.value(":group", set(group))
}

/// Removes a group from the list of a user who never saw it.
pub(super) fn forget(group: GroupId, user: UserId) -> Change {
    Change::new(keys::memberships(user), "DELETE #live :group, #added :group").value(":group", set(group))
}

fn set(group: GroupId) -> aws_sdk_dynamodb::types::AttributeValue {
    aws_sdk_dynamodb::types::AttributeValue::Ns(vec![group.to_string()])
}
