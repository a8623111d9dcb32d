//! Random histories: whatever happens, and in whatever order writes become visible, a device that has nothing but the
//! responses to its syncs ends up with the current data.

mod world;

use std::collections::BTreeMap;
use std::sync::Mutex;

use self::world::{Dice, Items, World, session};
use super::*;
use crate::social::Status;
use crate::social::friendship::{Greeting, Invited, Pair, Remark};
use crate::social::group::{Changed, Draft, GroupName, GroupSnapshot, MemberName, Stage};

const BEGIN: i64 = 1_800_000_000_000;
const PEOPLE: u64 = 7;

/// A clock that shows a different time to every machine that reads it.
struct Skewed(Mutex<i64>);

impl Clock for Skewed {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(*self.0.lock().unwrap())
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Group2 {
    name: String,
    owner: u64,
    role: Option<Role>,
    own_name: String,
    members: BTreeMap<UserId, (Role, String, PublicProfile)>,
}

/// The data that a device has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Replica {
    oneself: PublicProfile,
    blocked: BTreeMap<UserId, PublicProfile>,
    friends: BTreeMap<UserId, (Status, String, String, PublicProfile)>,
    groups: BTreeMap<GroupId, Group2>,
}

impl Replica {
    fn take_in(&mut self, answer: SyncResponse) {
        self.oneself = answer.oneself;
        for row in answer.blacklist {
            if row.blocked {
                self.blocked.insert(row.user, row.profile)
            } else {
                self.blocked.remove(&row.user)
            };
        }
        for FriendRow { relation, profile } in answer.friends {
            let row = (relation.status.unwrap(), relation.remark, relation.message, profile);
            self.friends.insert(relation.other, row);
        }
        for row in answer.groups {
            match row {
                GroupRow::Here { group, role, name } => {
                    let held = self.groups.entry(group.id).or_default();
                    (held.name, held.owner, held.role, held.own_name) =
                        (group.name.clone(), group.owner.get(), Some(role), name);
                }
                GroupRow::Gone(id) => drop(self.groups.remove(&id)),
            }
        }
        for row in answer.members {
            let group = self.groups.get_mut(&row.group).expect("members only of groups that the device has");
            if row.member.gone {
                group.members.remove(&row.user);
            } else {
                group.members.insert(row.user, (row.member.role, row.member.name, row.profile));
            }
        }
    }

    fn truth(items: &Items, user: UserId) -> Self {
        let mut truth = Self { oneself: items.profile(user), ..Self::default() };
        for relation in items.relations_of(user) {
            let profile = items.profile(relation.other);
            if relation.is_blocked() {
                truth.blocked.insert(relation.other, profile.clone());
            }
            if let Some(status) = relation.status {
                truth.friends.insert(relation.other, (status, relation.remark, relation.message, profile));
            }
        }
        for id in items.group_ids() {
            let Some(held) = items.held(id) else { continue };
            let Some(own) = held.roster.member(user).cloned() else { continue };
            let members = held.roster.members();
            let members =
                members.map(|(user, member)| (user, (member.role, member.name.clone(), items.profile(user)))).collect();
            let row = Group2 {
                name: held.group.name.clone(),
                owner: held.group.owner.get(),
                role: Some(own.role),
                own_name: own.name,
                members,
            };
            truth.groups.insert(id, row);
        }
        truth
    }
}

struct Device {
    caller: Caller,
    version: u64,
    replica: Replica,
}

struct History {
    dice: Arc<Dice>,
    world: Arc<World>,
    sync: DeltaSync,
    clock: Arc<Skewed>,
    people: Vec<UserId>,
    devices: Vec<Device>,
}

impl History {
    fn new(seed: u64) -> Self {
        let dice = Arc::new(Dice::new(seed));
        let world = Arc::new(World::default());
        let clock = Arc::new(Skewed(Mutex::new(BEGIN)));
        let people: Vec<_> = (1..=PEOPLE).map(|id| UserId::new(id).unwrap()).collect();
        let mut devices = Vec::new();
        for user in &people {
            let session = session(&dice, Timestamp::from_millis(BEGIN));
            let caller = Caller { user: *user, session: session.0 };
            world.items().settle(*user, session, Timestamp::from_millis(BEGIN));
            // Two devices of the first user. They share only the account.
            let count = if devices.is_empty() { 2 } else { 1 };
            devices.extend((0..count).map(|_| Device { caller, version: 0, replica: Replica::default() }));
        }
        let page = if dice.below(2) == 0 { PAGE } else { 1_500 };
        let sync = DeltaSync { clock: clock.clone(), store: world.clone(), page };
        Self { dice, world, sync, clock, people, devices }
    }

    /// Time passes, as one of the machines sees it.
    fn tick(&self) -> Timestamp {
        let mut clock = self.clock.0.lock().unwrap();
        *clock = BEGIN.max(*clock + i64::try_from(self.dice.below(20_000)).unwrap() - 9_000);
        Timestamp::from_millis(*clock)
    }

    fn word(&self) -> String {
        format!("w{}", self.dice.below(50))
    }

    /// A random user does something, if the rules allow it.
    fn act(&self) {
        let now = self.tick();
        let (mine, theirs) = (self.dice.pick(&self.people), self.dice.pick(&self.people));
        let mut items = self.world.items();
        if self.dice.below(2) == 0 {
            if mine != theirs {
                self.act_on_friend(&mut items, mine, theirs, now);
            }
        } else {
            self.act_on_group(&mut items, mine, theirs, now);
        }
        if self.dice.below(8) == 0 {
            items.rename(mine, self.word());
        }
    }

    fn act_on_friend(&self, items: &mut Items, me: UserId, other: UserId, now: Timestamp) {
        let pair = Pair { mine: items.relation(me, other), theirs: items.relation(other, me) };
        let mine = pair.mine.clone();
        let both = |items: &mut Items, pair: Pair| {
            items.relate(me, pair.mine);
            items.relate(other, pair.theirs);
        };
        let alone = match self.dice.below(7) {
            0 | 1 => {
                let greeting = Greeting::parse(&self.word()).unwrap();
                if let Ok(Invited::Added(pair) | Invited::Sent(pair)) = pair.invite(&greeting, now) {
                    both(items, *pair);
                }
                None
            }
            2 => {
                if let Ok(Some(pair)) = pair.agree(now) {
                    both(items, pair);
                }
                None
            }
            3 => mine.ignore(now).ok().or_else(|| items.relation(me, other).delete(now).ok()),
            4 => mine.remark(&Remark::parse(&self.word()).unwrap(), now).ok().flatten(),
            5 => mine.block(now),
            _ => mine.pardon(now),
        };
        if let Some(mine) = alone {
            items.relate(me, mine);
        }
    }

    fn act_on_group(&self, items: &mut Items, me: UserId, other: UserId, now: Timestamp) {
        let ids = items.group_ids();
        let others = BTreeSet::from([other]);
        if ids.len() < 3 || self.dice.below(12) == 0 {
            let people = self.people.iter().copied().filter(|_| self.dice.below(3) == 0).collect();
            let draft = Draft { name: GroupName::parse(&self.word()).unwrap(), portrait: String::new(), people };
            let founded = GroupSnapshot::found(GroupId::generate(&*self.dice), &draft, me, now).unwrap();
            return items.change(&founded);
        }
        let Some(held) = items.held(self.dice.pick(&ids)) else { return };
        let changed: Result<Option<Changed>> = match self.dice.below(12) {
            0 | 1 => held.add(me, &others, now),
            2 | 3 => held.join(me, now),
            4 => held.kick(me, &others, now),
            5 => held.quit(me, now).map(Some),
            6 if self.dice.below(3) == 0 => held.dismiss(me, now).map(Some),
            6 | 7 => held.transfer(me, other, now).map(Some),
            8 => held.appoint(me, &others, self.dice.below(2) == 0, now),
            9 => held.edit(me, Some(&GroupName::parse(&self.word()).unwrap()), None, now),
            10 => held.edit(me, None, Some(&self.word()), now),
            _ => held.call_oneself(me, &MemberName::parse(&self.word()).unwrap(), now),
        };
        if let Ok(Some(mut changed)) = changed {
            // The lists of a large dissolved group are cleaned up later, or perhaps never.
            if changed.held.group.stage == Stage::Dissolved && self.dice.below(2) == 0 {
                changed.left.clear();
            }
            items.change(&changed);
        }
    }

    /// A device syncs. Sometimes the response is lost on the way.
    async fn sync(&mut self, index: usize) -> SyncResponse {
        self.tick();
        let device = &self.devices[index];
        self.world.items().rounds = 0;
        let answer = self.sync.since(device.caller, device.version).await.unwrap();
        let rounds = self.world.items().rounds;
        let news = answer.version != device.version;
        // The record is saved while the profiles are looked up, and the world does not count that.
        assert!(rounds <= if news { 4 } else { 3 }, "{rounds} rounds");
        assert!(answer.version >= device.version);
        if self.dice.below(6) > 0 {
            let device = &mut self.devices[index];
            device.version = answer.version;
            device.replica.take_in(answer.clone());
        }
        answer
    }

    /// All writes become visible, and every device syncs until there are no more changes.
    async fn converge(&mut self) {
        while self.world.items().has_unseen() {
            let now = self.tick();
            let mut items = self.world.items();
            items.reveal(&self.dice);
            items.spread(&self.dice, now);
        }
        for index in 0..self.devices.len() {
            let mut asked = 0;
            loop {
                let before = self.devices[index].version;
                let answer = self.sync(index).await;
                if answer.version == before {
                    let silent = answer.friends.is_empty() && answer.blacklist.is_empty() && answer.groups.is_empty();
                    assert!(
                        silent && answer.members.is_empty() && !answer.more,
                        "the same version, and nothing to tell"
                    );
                    break;
                }
                asked += 1;
                assert!(asked < 1_000, "a device that asks is told everything at some time");
            }
            let device = &self.devices[index];
            let truth = Replica::truth(&self.world.items(), device.caller.user);
            assert_eq!(device.replica, truth, "device {index}");
        }
    }
}

async fn live(seed: u64, steps: u32) {
    let mut history = History::new(seed);
    for _ in 0..steps {
        match history.dice.below(10) {
            0..=3 => history.act(),
            4..=5 => history.world.items().reveal(&history.dice),
            6 => {
                let now = history.tick();
                history.world.items().spread(&history.dice, now);
            }
            7 if history.dice.below(20) == 0 => {
                // Two months pass. Some devices do not sync during them.
                *history.clock.0.lock().unwrap() += i64::try_from(REMEMBERED.as_millis()).unwrap();
                let forget = history.dice.pick(&history.people);
                history.world.items().forget_snapshots(|(user, _)| *user != forget);
            }
            _ => {
                let index = usize::try_from(history.dice.below(history.devices.len() as u64)).unwrap();
                history.sync(index).await;
            }
        }
    }
    history.converge().await;
}

#[tokio::test]
async fn whatever_happens_a_device_ends_up_with_the_truth() {
    for seed in 0..1_000 {
        let outcome = tokio::spawn(live(seed, 300)).await;
        assert!(outcome.is_ok(), "the history of seed {seed} ended otherwise: {outcome:?}");
    }
}

#[tokio::test]
async fn a_version_from_the_future_is_refused_and_one_of_another_server_is_told_everything() {
    let history = History::new(1);
    let device = &history.devices[0];
    for version in [BEGIN.unsigned_abs() + 1, 1 << 53] {
        let refused = history.sync.since(device.caller, version).await;
        assert!(matches!(refused, Err(Error::Invalid { field: "version", .. })), "{version}");
    }
    let answer = history.sync.since(device.caller, 1_234_567_894).await.unwrap();
    assert!(answer.oneself_changed && answer.version > BEGIN.unsigned_abs());
}
