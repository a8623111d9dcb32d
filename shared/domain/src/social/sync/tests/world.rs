//! A table whose writes become visible late and one item at a time, as those of a transaction may, and the users in it.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::Result;
use crate::account::{Account, UserId};
use crate::clock::Timestamp;
use crate::random::Random;
use crate::session::{Lifetime, NewSession, PushTokens, Session, SessionId};
use crate::social::group::{Changed, Group, GroupId, GroupSnapshot, Roster};
use crate::social::sync::store::{Own, Remembered, SyncStore, Telling};
use crate::social::{Memberships, PublicProfile, PublicProfiles, Relation};

/// Repeatable random numbers (`SplitMix64`).
pub struct Dice(Mutex<u64>);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }

    pub fn below(&self, bound: u64) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    pub fn pick<T: Copy>(&self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}

impl Random for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill_with(|| u8::try_from(self.below(256)).unwrap());
    }
}

/// An item: its visible state, and the states that are written and not visible yet.
#[derive(Clone, Debug)]
struct Late<T> {
    seen: T,
    unseen: VecDeque<T>,
}

impl<T: Clone> Late<T> {
    fn new(seen: T) -> Self {
        Self { seen, unseen: VecDeque::new() }
    }

    fn write(&mut self, value: T) {
        self.unseen.push_back(value);
    }

    fn last(&self) -> T {
        self.unseen.back().unwrap_or(&self.seen).clone()
    }

    fn reveal(&mut self) {
        if let Some(next) = self.unseen.pop_front() {
            self.seen = next;
        }
    }
}

#[derive(Default)]
pub struct Items {
    accounts: HashMap<UserId, Account>,
    profiles: BTreeMap<UserId, Late<PublicProfile>>,
    relations: BTreeMap<(UserId, UserId), Late<Option<Relation>>>,
    lists: BTreeMap<UserId, Late<Memberships>>,
    groups: BTreeMap<GroupId, Late<Option<Group>>>,
    rosters: BTreeMap<GroupId, Late<Option<Roster>>>,
    snapshot: HashMap<(UserId, u64), Remembered>,
    /// Users whose new names the stream still has to copy to their groups.
    spreading: Vec<UserId>,
    pub rounds: u32,
}

/// The table.
#[derive(Default)]
pub struct World(Mutex<Items>);

impl World {
    pub fn items(&self) -> MutexGuard<'_, Items> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Items {
    pub fn settle(&mut self, user: UserId, session: (SessionId, Session), now: Timestamp) {
        self.accounts.insert(user, Account::new(user, session, now));
        self.profiles.insert(user, Late::new(PublicProfile { name: user.to_string(), ..PublicProfile::default() }));
        self.lists.insert(user, Late::new(Memberships::default()));
    }

    /// Makes some of the writes visible: each item by itself, in the order of its writes.
    pub fn reveal(&mut self, dice: &Dice) {
        self.profiles.values_mut().filter(|_| dice.below(3) == 0).for_each(Late::reveal);
        self.relations.values_mut().filter(|_| dice.below(3) == 0).for_each(Late::reveal);
        self.lists.values_mut().filter(|_| dice.below(3) == 0).for_each(Late::reveal);
        self.groups.values_mut().filter(|_| dice.below(3) == 0).for_each(Late::reveal);
        self.rosters.values_mut().filter(|_| dice.below(3) == 0).for_each(Late::reveal);
    }

    pub fn has_unseen(&self) -> bool {
        self.profiles.values().any(|late| !late.unseen.is_empty())
            || self.relations.values().any(|late| !late.unseen.is_empty())
            || self.lists.values().any(|late| !late.unseen.is_empty())
            || self.groups.values().any(|late| !late.unseen.is_empty())
            || self.rosters.values().any(|late| !late.unseen.is_empty())
            || !self.spreading.is_empty()
    }

    pub fn forget_snapshots(&mut self, keep: impl Fn(&(UserId, u64)) -> bool) {
        self.snapshot.retain(|key, _| keep(key));
    }

    pub fn profile(&self, user: UserId) -> PublicProfile {
        self.profiles[&user].last()
    }

    /// Sets another nickname. The stream copies it to the groups later.
    pub fn rename(&mut self, user: UserId, name: String) {
        let profile = PublicProfile { name, ..self.profile(user) };
        self.profiles.get_mut(&user).unwrap().write(profile);
        self.spreading.push(user);
    }

    /// The stream's work once a changed name is visible.
    pub fn spread(&mut self, dice: &Dice, now: Timestamp) {
        let ready: Vec<_> = std::mem::take(&mut self.spreading);
        for user in ready {
            if dice.below(3) > 0 || !self.profiles[&user].unseen.is_empty() {
                self.spreading.push(user);
                continue;
            }
            for group in self.lists[&user].last().live {
                let Some(changed) = self.held(group).and_then(|held| held.refresh(user, now)) else { continue };
                self.change(&changed);
            }
        }
    }

    pub fn relation(&self, of: UserId, other: UserId) -> Relation {
        let held = self.relations.get(&(of, other)).and_then(Late::last);
        held.unwrap_or_else(|| Relation::stranger(other))
    }

    pub fn relate(&mut self, of: UserId, relation: Relation) {
        let late = self.relations.entry((of, relation.other)).or_insert_with(|| Late::new(None));
        late.write(Some(relation));
    }

    pub fn relations_of(&self, of: UserId) -> Vec<Relation> {
        self.relations
            .range((of, first())..)
            .take_while(|((user, _), _)| *user == of)
            .filter_map(|(_, late)| late.last())
            .collect()
    }

    pub fn held(&self, group: GroupId) -> Option<GroupSnapshot> {
        let held = GroupSnapshot { group: self.groups.get(&group)?.last()?, roster: self.rosters.get(&group)?.last()? };
        (held.group.stage == crate::social::group::Stage::Alive).then_some(held)
    }

    pub fn group_ids(&self) -> Vec<GroupId> {
        self.groups.keys().copied().collect()
    }

    /// Writes a change of a group as one transaction. Each of its items becomes visible on its own.
    pub fn change(&mut self, changed: &Changed) {
        let GroupSnapshot { group, roster } = &changed.held;
        let id = group.id;
        self.groups.entry(id).or_insert_with(|| Late::new(None)).write(Some(group.clone()));
        self.rosters.entry(id).or_insert_with(|| Late::new(None)).write(Some(roster.clone()));
        let move_one = |(user, into): (&UserId, bool)| {
            let late = self.lists.get_mut(user).unwrap();
            let mut list = late.last();
            let (from, to) = if into { (&mut list.left, &mut list.live) } else { (&mut list.live, &mut list.left) };
            from.remove(&id);
            to.insert(id);
            late.write(list);
        };
        let entered = changed.entered.iter().map(|user| (user, true));
        entered.chain(changed.left.iter().map(|user| (user, false))).for_each(move_one);
    }
}

fn first() -> UserId {
    UserId::new(1).unwrap()
}

/// A session that is active for the whole test.
pub fn session(dice: &Dice, now: Timestamp) -> (SessionId, Session) {
    let policy = crate::policy::Policy::for_tests();
    let lifetime = Lifetime::Fixed(Duration::from_hours(24 * 36_500));
    let kind = NewSession { api: "sealtalk", lifetime, push: PushTokens::default(), from: None, device: None };
    (SessionId::generate(dice), Session::begin(&policy, kind, now))
}

#[async_trait]
impl SyncStore for World {
    async fn own(&self, user: UserId, version: u64, _: Timestamp) -> Result<Own> {
        let mut items = self.items();
        items.rounds += 1;
        let mut account = items.accounts.get(&user).cloned();
        if let Some(account) = &mut account {
            account.name.clone_from(&items.profiles[&user].seen.name);
        }
        let relations = items.relations.iter().filter(|((of, _), _)| *of == user);
        Ok(Own {
            account,
            snapshot: items.snapshot.get(&(user, version)).cloned(),
            relations: relations.filter_map(|(_, late)| late.seen.clone()).collect(),
            memberships: items.lists[&user].seen.clone(),
        })
    }

    async fn around(
        &self,
        people: &BTreeSet<UserId>,
        groups: &BTreeSet<GroupId>,
    ) -> Result<(PublicProfiles, HashMap<GroupId, Group>)> {
        let mut items = self.items();
        items.rounds += 1;
        let found = groups.iter().filter_map(|id| Some((*id, items.groups.get(id)?.seen.clone()?))).collect();
        Ok((profiles(&items, people), found))
    }

    async fn rosters(&self, groups: &BTreeSet<GroupId>) -> Result<HashMap<GroupId, Roster>> {
        let mut items = self.items();
        items.rounds += 1;
        Ok(groups.iter().filter_map(|id| Some((*id, items.rosters.get(id)?.seen.clone()?))).collect())
    }

    async fn faces_now(&self, people: &BTreeSet<UserId>) -> Result<PublicProfiles> {
        let mut items = self.items();
        items.rounds += 1;
        Ok(profiles(&items, people))
    }

    async fn renew(&self, user: UserId, version: u64, now: Timestamp) -> Result<()> {
        if let Some(snapshot) = self.items().snapshot.get_mut(&(user, version)) {
            snapshot.since = now;
        }
        Ok(())
    }

    async fn remember(&self, user: UserId, version: u64, telling: &Telling, now: Timestamp) -> Result<bool> {
        let mut items = self.items();
        if let Some(outlived) = telling.outlived {
            items.snapshot.remove(&(user, outlived));
        }
        if items.snapshot.contains_key(&(user, version)) {
            return Ok(false);
        }
        let (rows, before) = (telling.rows.clone(), telling.before);
        items.snapshot.insert((user, version), Remembered { rows, since: now, before });
        Ok(true)
    }
}

fn profiles(items: &Items, people: &BTreeSet<UserId>) -> PublicProfiles {
    people.iter().filter_map(|user| Some((*user, items.profiles.get(user)?.seen.clone()))).collect()
}
