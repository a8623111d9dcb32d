//! Every action by every kind of user, compared with a table that was written from the rules and not from the code.
//! Also long random histories, in which the invariants of a group are checked after each step.

use std::collections::BTreeMap;

use super::*;
use crate::social::group::{MOST_GROUPS, Stage};

/// The result of every action, by the role of the user who tries it. The other users named in an action are never the
/// acting user, except with `oneself`.
///
/// A cell is `ok` for a change and `=` when there is nothing to change and no error. Otherwise it is the error:
/// `members` only, `managers` only (the owner among them), the `owner` only, only the owner `appoints`, a named user is
/// `absent`, the owner `stays` what they are, or `400`.
const TABLE: &str = "
    action                   | owner | manager  | member   | former  | stranger
    add a stranger           | ok    | ok       | ok       | members | members
    add a former member      | ok    | ok       | ok       | members | members
    add a member             | =     | =        | =        | members | members
    add nobody               | =     | =        | =        | members | members
    join                     | =     | =        | =        | ok      | ok
    kick the owner           | -     | stays    | managers | members | members
    kick a manager           | ok    | ok       | managers | members | members
    kick a member            | ok    | ok       | managers | members | members
    kick a former member     | =     | =        | managers | members | members
    kick a stranger          | absent| absent   | managers | members | members
    kick oneself             | 400   | 400      | managers | members | members
    quit                     | ok    | ok       | ok       | members | members
    dismiss                  | ok    | owner    | owner    | members | members
    transfer to a manager    | ok    | owner    | owner    | members | members
    transfer to a member     | ok    | owner    | owner    | members | members
    transfer to the owner    | -     | owner    | owner    | members | members
    transfer to oneself      | stays | owner    | owner    | members | members
    transfer to a former     | absent| owner    | owner    | members | members
    transfer to a stranger   | absent| owner    | owner    | members | members
    rename                   | ok    | ok       | managers | members | members
    rename to the same       | =     | =        | managers | members | members
    portray                  | ok    | ok       | managers | members | members
    portray as it is         | =     | =        | managers | members | members
    post                     | ok    | ok       | managers | members | members
    read the board           | =     | =        | =        | members | members
    call oneself             | ok    | ok       | ok       | members | members
    call oneself as before   | =     | =        | =        | members | members
    appoint a member         | ok    | appoints | appoints | members | members
    appoint a manager        | =     | appoints | appoints | members | members
    appoint the owner        | stays | appoints | appoints | members | members
    appoint a former member  | absent| appoints | appoints | members | members
    appoint a stranger       | absent| appoints | appoints | members | members
    demote a manager         | ok    | appoints | appoints | members | members
    demote a member          | =     | appoints | appoints | members | members
    demote the owner         | stays | appoints | appoints | members | members
    demote a former member   | absent| appoints | appoints | members | members
    demote a stranger        | absent| appoints | appoints | members | members
    one's nickname spreads   | ok    | ok       | ok       | =       | =
";

// Two of each role, so that one can act on the other.
const OWNER: u64 = 1;
const MANAGERS: [u64; 2] = [20, 21];
const MEMBERS: [u64; 2] = [30, 31];
const FORMER: [u64; 2] = [40, 41];
const STRANGERS: [u64; 2] = [50, 51];

fn id(number: u64) -> UserId {
    UserId::new(number).unwrap()
}

fn people(numbers: impl IntoIterator<Item = u64>) -> BTreeSet<UserId> {
    numbers.into_iter().map(id).collect()
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn name(text: &str) -> GroupName {
    GroupName::parse(text).unwrap()
}

fn draft(people: BTreeSet<UserId>) -> Draft {
    Draft { name: name("the group"), portrait: String::new(), people }
}

fn found(people: BTreeSet<UserId>) -> Result<Changed> {
    GroupSnapshot::found(GroupId::new(7).unwrap(), &draft(people), id(OWNER), at(1))
}

/// A group with all users of the table in it.
fn group() -> GroupSnapshot {
    let all = [MANAGERS, MEMBERS, FORMER].concat();
    let held = found(people(all)).unwrap().held;
    let held = held.appoint(id(OWNER), &people(MANAGERS), true, at(2)).unwrap().unwrap().held;
    held.kick(id(OWNER), &people(FORMER), at(3)).unwrap().unwrap().held
}

/// The result of one of the table's actions on the group.
fn act(held: GroupSnapshot, action: &str, by: u64, other: impl Fn([u64; 2]) -> u64) -> Result<Option<Changed>> {
    let (by, now) = (id(by), at(9));
    let (manager, member) = (other(MANAGERS), other(MEMBERS));
    let (former, stranger) = (other(FORMER), other(STRANGERS));
    let kick = |held: GroupSnapshot, whom: UserId| held.kick(by, &BTreeSet::from([whom]), now);
    let transfer = |held: GroupSnapshot, to: UserId| held.transfer(by, to, now).map(Some);
    let appoint = |held: GroupSnapshot, whom: u64| held.appoint(by, &people([whom]), true, now);
    let demote = |held: GroupSnapshot, whom: u64| held.appoint(by, &people([whom]), false, now);
    match action {
        "add a stranger" => held.add(by, &people([stranger]), now),
        "add a former member" => held.add(by, &people([former]), now),
        "add a member" => held.add(by, &people([member]), now),
        "add nobody" => held.add(by, &BTreeSet::new(), now),
        "join" => held.join(by, now),
        "kick the owner" => kick(held, id(OWNER)),
        "kick a manager" => kick(held, id(manager)),
        "kick a member" => kick(held, id(member)),
        "kick a former member" => kick(held, id(former)),
        "kick a stranger" => kick(held, id(stranger)),
        "kick oneself" => kick(held, by),
        "quit" => held.quit(by, now).map(Some),
        "dismiss" => held.dismiss(by, now).map(Some),
        "transfer to a manager" => transfer(held, id(manager)),
        "transfer to a member" => transfer(held, id(member)),
        "transfer to the owner" => transfer(held, id(OWNER)),
        "transfer to oneself" => transfer(held, by),
        "transfer to a former" => transfer(held, id(former)),
        "transfer to a stranger" => transfer(held, id(stranger)),
        "rename" => held.edit(by, Some(&name("another")), None, now),
        "rename to the same" => held.edit(by, Some(&name(" the group ")), None, now),
        "portray" => held.edit(by, None, Some("https://example.com/a.jpg"), now),
        "portray as it is" => held.edit(by, None, Some(""), now),
        "post" => held.post(by, now).map(Some),
        "read the board" => held.role(by).map(|_| None),
        "call oneself" => held.call_oneself(by, &MemberName::parse("Martin").unwrap(), now),
        "call oneself as before" => held.call_oneself(by, &MemberName::parse("").unwrap(), now),
        "appoint a member" => appoint(held, member),
        "appoint a manager" => appoint(held, manager),
        "appoint the owner" => appoint(held, OWNER),
        "appoint a former member" => appoint(held, former),
        "appoint a stranger" => appoint(held, stranger),
        "demote a manager" => demote(held, manager),
        "demote a member" => demote(held, member),
        "demote the owner" => demote(held, OWNER),
        "demote a former member" => demote(held, former),
        "demote a stranger" => demote(held, stranger),
        "one's nickname spreads" => Ok(held.refresh(by, now)),
        unknown => panic!("the table has an action {unknown}"),
    }
}

fn cell(outcome: &Result<Option<Changed>>) -> &'static str {
    match outcome {
        Ok(Some(_)) => "ok",
        Ok(None) => "=",
        Err(Error::Group(GroupRule::MembersOnly)) => "members",
        Err(Error::Group(GroupRule::ManagersOnly)) => "managers",
        Err(Error::Group(GroupRule::OwnerOnly)) => "owner",
        Err(Error::Group(GroupRule::OwnerAppoints)) => "appoints",
        Err(Error::Group(GroupRule::NotInGroup)) => "absent",
        Err(Error::Group(GroupRule::OwnerStays)) => "stays",
        Err(Error::Invalid { .. }) => "400",
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn everybody_may_do_what_the_table_says_and_nothing_else() {
    let actors = [OWNER, MANAGERS[0], MEMBERS[0], FORMER[0], STRANGERS[0]];
    let mut rows = 0;
    for row in TABLE.trim().lines().skip(1) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        for (by, expected) in actors.into_iter().zip(&cells[1..]) {
            let other = |two: [u64; 2]| if two[0] == by { two[1] } else { two[0] };
            if *expected != "-" {
                let outcome = act(group(), cells[0], by, other);
                assert_eq!(cell(&outcome), *expected, "{} by {by}", cells[0]);
                if let Ok(Some(changed)) = outcome {
                    check(&group(), &changed, at(9));
                }
            }
        }
        assert_eq!(cells.len(), 6, "{row}");
        rows += 1;
    }
    assert_eq!(rows, 38);
}

#[test]
fn several_named_at_once_are_all_refused_for_one() {
    let (held, by, now) = (group, id(OWNER), at(9));
    for (with, expected) in [(STRANGERS[0], "absent"), (FORMER[0], "ok"), (MEMBERS[1], "ok")] {
        let named = people([MEMBERS[0], with]);
        assert_eq!(cell(&held().kick(by, &named, now)), expected, "{with}");
    }
    for (with, expected) in [(STRANGERS[0], "absent"), (FORMER[0], "absent"), (OWNER, "stays"), (MANAGERS[0], "ok")] {
        let named = people([MEMBERS[0], with]);
        assert_eq!(cell(&held().appoint(by, &named, true, now)), expected, "{with}");
    }
    let manager = id(MANAGERS[0]);
    assert_eq!(cell(&held().kick(manager, &people([MEMBERS[0], OWNER]), now)), "stays");
    assert_eq!(cell(&held().kick(manager, &people([MEMBERS[0], MANAGERS[0]]), now)), "400");
}

#[test]
fn a_handed_over_group_has_the_other_as_its_owner_and_the_former_as_a_member() {
    let held = group().transfer(id(OWNER), id(MANAGERS[0]), at(9)).unwrap().held;
    assert_eq!(held.group.owner, id(MANAGERS[0]));
    assert_eq!(held.role(id(MANAGERS[0])).unwrap(), Role::Owner);
    assert_eq!(held.role(id(OWNER)).unwrap(), Role::Member);
}

#[test]
fn who_comes_back_is_a_plain_member_without_a_name() {
    let (who, now) = (id(MANAGERS[0]), at(9));
    let held = group().call_oneself(who, &MemberName::parse("Martin").unwrap(), now).unwrap().unwrap().held;
    let held = held.quit(who, now).unwrap().held.join(who, at(10)).unwrap().unwrap().held;
    let member = held.roster.member(who).unwrap();
    assert_eq!((member.role, member.name.as_str(), member.joined), (Role::Member, "", at(10)));
}

#[test]
fn the_manager_and_then_the_member_of_longest_standing_inherits() {
    // By the order in which they joined, and neither by their last change nor by their ids.
    let mut held = found(people([3, 4])).unwrap().held;
    held = held.add(id(4), &people([2]), at(2)).unwrap().unwrap().held;
    held = held.call_oneself(id(3), &MemberName::parse("Martin").unwrap(), at(3)).unwrap().unwrap().held;
    held = held.appoint(id(OWNER), &people([2]), true, at(4)).unwrap().unwrap().held;
    let mut heirs = Vec::new();
    while held.group.stage == Stage::Alive {
        let changed = held.clone().quit(held.group.owner, at(5)).unwrap();
        heirs.push(changed.held.group.last_event.as_ref().unwrap().heir.map(UserId::get));
        held = changed.held;
    }
    assert_eq!(heirs, [Some(2), Some(3), Some(4), None]);
}

#[test]
fn a_group_has_room_for_500() {
    let others = |count: u64| people(2..2 + count);
    assert_eq!(found(others(499)).unwrap().held.group.members, 500);
    // The creator is not counted twice.
    assert_eq!(found(people(1..=500)).unwrap().held.group.members, 500);
    assert!(matches!(found(others(500)), Err(Error::Group(GroupRule::Full))));
    let full = |result: Result<Option<Changed>>| matches!(result, Err(Error::Group(GroupRule::Full)));
    let held = || found(others(498)).unwrap().held;
    assert!(full(held().add(id(OWNER), &people([1_000, 1_001]), at(9))));
    assert!(held().add(id(OWNER), &people([1_000, 2, 3]), at(9)).is_ok(), "who is in it takes no more room");
    let held = || found(others(499)).unwrap().held;
    assert!(full(held().join(id(1_000), at(9))));
    let out = held().kick(id(OWNER), &people([2]), at(9)).unwrap().unwrap().held;
    assert_eq!(out.join(id(1_000), at(9)).unwrap().unwrap().held.group.members, 500);
    assert_eq!(MOST_GROUPS, 500);
}

#[test]
fn a_roster_remembers_at_most_ten_thousand() {
    let mut held = found(BTreeSet::new()).unwrap().held;
    for first in (2..10_000).step_by(450) {
        let some = people(first..(first + 450).min(10_001));
        held = held.add(id(OWNER), &some, at(9)).unwrap().unwrap().held;
        held = held.kick(id(OWNER), &some, at(9)).unwrap().unwrap().held;
    }
    assert_eq!(held.roster.people.len(), 10_000);
    assert!(matches!(held.clone().join(id(20_000), at(9)), Err(Error::Group(GroupRule::Full))));
    assert!(held.join(id(5_000), at(9)).unwrap().is_some(), "who was in it can come back");
}

#[test]
fn a_dissolved_group_lets_everybody_go_at_once_or_leaves_that_for_later() {
    for (others, at_once) in [(0, 1), (94, 95), (95, 0), (499, 0)] {
        let changed = found(people(2..2 + others)).unwrap().held.dismiss(id(OWNER), at(9)).unwrap();
        assert_eq!((changed.left.len(), changed.unfinished()), (at_once, at_once == 0), "{others}");
    }
}

#[test]
fn a_forming_group_becomes_alive_or_nothing() {
    let mut forming = found(people([2, 3])).unwrap().held;
    forming.group.stage = Stage::Forming;
    forming.group.last_event = None;
    let alive = forming.clone().became(Stage::Alive, at(9)).held;
    let told = alive.group.last_event.clone().unwrap();
    assert_eq!(
        (told.operation, told.operator, told.targets, told.seq),
        (Operation::Create, id(OWNER), vec![id(2), id(3)], 2)
    );
    assert!(!alive.was_abandoned());
    let abandoned = forming.became(Stage::Dissolved, at(9)).held;
    assert!(abandoned.was_abandoned());
    assert!(!alive.dismiss(id(OWNER), at(9)).unwrap().held.was_abandoned());
    assert!(!found(BTreeSet::new()).unwrap().held.quit(id(OWNER), at(9)).unwrap().held.was_abandoned());
}

// Random histories.

/// Repeatable random numbers: a linear congruential generator whose high bits are used (Knuth's MMIX constants).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    /// Up to `most` of the first `pool` users.
    fn some(&mut self, most: u64, pool: u64) -> BTreeSet<UserId> {
        let count = self.below(most + 1);
        (0..count).map(|_| id(1 + self.below(pool))).collect()
    }
}

/// The invariants of a group after any change.
fn check(before: &GroupSnapshot, changed: &Changed, now: Timestamp) {
    let (group, roster) = (&changed.held.group, &changed.held.roster);
    let members = |held: &GroupSnapshot| held.roster.members().map(|(user, _)| user).collect::<BTreeSet<_>>();
    let (were, are) = (members(before), members(&changed.held));
    assert_eq!((group.seq, roster.seq), (before.group.seq + 1, before.group.seq + 1), "each change counts as one");
    assert_eq!(group.members, are.len());
    assert!(are.len() <= MOST_MEMBERS);
    assert_eq!((group.id, group.created, group.updated), (before.group.id, before.group.created, now));
    if let Some(told) = &group.last_event {
        assert_eq!(told.seq, group.seq);
    }
    let owners: Vec<_> =
        roster.members().filter(|(_, member)| member.role == Role::Owner).map(|(user, _)| user).collect();
    match group.stage {
        Stage::Alive => assert_eq!(owners, [group.owner], "one owner"),
        Stage::Dissolved => {
            let dismissed = group.last_event.as_ref().is_some_and(|told| told.operation == Operation::Dismiss);
            assert!(are.is_empty() || (dismissed && changed.unfinished() == (are.len() > MOST_AT_ONCE)));
        }
        Stage::Forming => panic!("forming again"),
    }
    assert!(!are.is_empty() || group.stage == Stage::Dissolved, "a group without members is dissolved");
    assert_eq!(changed.entered, &are - &were);
    if !changed.unfinished() && !are.is_empty() && group.stage == Stage::Dissolved {
        assert_eq!(changed.left, are, "everybody is let go");
    } else {
        assert_eq!(changed.left, &were - &are);
    }
    // Everyone stays on the roster, and exactly those who changed have the version of this change.
    assert!(before.roster.people.keys().all(|user| roster.people.contains_key(user)));
    for (user, member) in &roster.people {
        match before.roster.people.get(user) {
            Some(was) if what(was) == what(member) && member.version != group.seq => assert_eq!(was, member),
            Some(was) if what(was) == what(member) => {
                assert!(group.last_event.is_none(), "{user} was touched for nothing");
            }
            _ => assert_eq!((member.version, member.changed), (group.seq, now), "{user} changed"),
        }
        assert!(!member.gone || (member.role == Role::Member && member.name.is_empty()));
    }
}

/// The fields of a member whose change sets a new version.
fn what(member: &Member) -> (Role, &str, Timestamp, bool) {
    (member.role, &member.name, member.joined, member.gone)
}

/// The user who becomes the owner, computed from the roster by sorting.
fn heir(held: &GroupSnapshot) -> Option<UserId> {
    let mut others: Vec<_> = held.roster.members().filter(|(_, member)| member.role != Role::Owner).collect();
    others.sort_by_key(|(user, member)| (member.joined, *user));
    let manager = others.iter().find(|(_, member)| member.role == Role::Manager);
    manager.or(others.first()).map(|(user, _)| *user)
}

/// One step: a random user does something to other users.
fn step(
    chance: &mut Chance,
    held: GroupSnapshot,
    pool: u64,
    now: Timestamp,
) -> (&'static str, Result<Option<Changed>>) {
    let by = if chance.below(2) == 0 { held.group.owner } else { id(1 + chance.below(pool)) };
    let some = chance.some(if pool > 100 { 30 } else { 3 }, pool);
    let one = id(1 + chance.below(pool));
    let word = chance.below(3).to_string();
    match chance.below(if pool > 100 { 14 } else { 28 }) {
        0..=3 => ("add", held.add(by, &some, now)),
        4..=5 => ("join", held.join(one, now)),
        6 => ("kick", held.kick(by, &some, now)),
        7 | 17 => ("quit", held.quit(by, now).map(Some)),
        8 => ("appoint", held.appoint(by, &BTreeSet::from([one]), true, now)),
        9 => ("transfer", held.transfer(by, one, now).map(Some)),
        10 => ("rename", held.edit(by, Some(&name(&format!("name {word}"))), None, now)),
        11 => ("call", held.call_oneself(by, &MemberName::parse(&word).unwrap(), now)),
        12 => ("refresh", Ok(held.refresh(one, now))),
        13 => ("post", held.post(by, now).map(Some)),
        14 => ("portray", held.edit(by, None, Some(&word), now)),
        15 | 18..=20 => ("demote", held.appoint(by, &BTreeSet::from([one]), false, now)),
        16 => ("dismiss", if chance.below(10) == 0 { held.dismiss(by, now).map(Some) } else { Ok(None) }),
        21..=24 => ("kick", held.kick(by, &BTreeSet::from([one]), now)),
        _ => ("appoint", held.appoint(by, &some, true, now)),
    }
}

/// Runs a history; returns how often each action changed something, and how large the group grew.
fn live(seed: u64, pool: u64, steps: u32) -> (BTreeMap<&'static str, u32>, usize) {
    let (mut chance, mut done, mut now, mut largest) = (Chance(seed), BTreeMap::new(), 1, 0);
    let mut held = found(chance.some(pool, pool)).unwrap().held;
    for _ in 0..steps {
        // Often there is no time between two changes.
        now += i64::try_from(chance.below(2)).unwrap();
        let before = held.clone();
        let (action, outcome) = step(&mut chance, held.clone(), pool, at(now));
        let Ok(Some(changed)) = outcome else { continue };
        check(&before, &changed, at(now));
        if let Some(told) = changed.held.group.last_event.as_ref().filter(|told| told.operation == Operation::Quit) {
            let inherited = if told.operator == before.group.owner { heir(&before) } else { None };
            assert_eq!(told.heir, inherited);
            assert_eq!(changed.held.group.stage == Stage::Dissolved, before.group.members == 1);
        } else {
            assert_eq!(changed.held.group.stage == Stage::Dissolved, action == "dismiss");
        }
        *done.entry(action).or_insert(0) += 1;
        largest = largest.max(changed.held.group.members);
        held = changed.held;
        if held.group.stage == Stage::Dissolved {
            held = found(chance.some(pool, pool)).unwrap().held;
        }
    }
    (done, largest)
}

#[test]
fn long_random_histories_keep_every_group_whole() {
    let mut all = BTreeMap::new();
    for seed in 0..300 {
        for (action, count) in live(seed, 8, 300).0 {
            *all.entry(action).or_insert(0) += count;
        }
    }
    assert_eq!(all.len(), 13, "every action happens: {all:?}");
    assert!(all.values().all(|count| *count > 100), "{all:?}");
}

#[test]
fn groups_that_more_want_into_than_fit_never_grow_beyond_500() {
    let largest = (0..3).map(|seed| live(seed, 560, 800).1).max();
    assert_eq!(largest, Some(500));
}

#[test]
fn a_name_and_a_picture_change_in_one_step_and_only_a_name_is_told() {
    let (held, new) = (group(), name("another"));
    let seq = held.group.seq;
    let both = held.clone().edit(id(OWNER), Some(&new), Some("a"), at(9)).unwrap().unwrap().held.group;
    assert_eq!((both.name.as_str(), both.portrait.as_str(), both.seq), ("another", "a", seq + 1));
    assert_eq!(both.last_event.map(|event| event.operation), Some(Operation::Rename));
    let same = name("the group");
    let picture = held.clone().edit(id(OWNER), Some(&same), Some("a"), at(9)).unwrap().unwrap().held.group;
    assert_eq!((picture.name.as_str(), picture.last_event), ("the group", None));
    assert_eq!(held.clone().edit(id(OWNER), Some(&same), None, at(9)).unwrap(), None);
    assert_eq!(held.edit(id(OWNER), None, None, at(9)).unwrap(), None);
}
