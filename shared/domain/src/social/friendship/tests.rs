//! Every action in every situation, compared with a table that was written from the rules and not from the code.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// The result of every action in every situation that can occur. A side is its status (`-` for none) with a `b` if the
/// other is on the blacklist; status 31 is a friend on the blacklist, so it needs no `b`.
///
/// A cell is `=` for no change and no error, `400` when the two are friends already, `404` when the thing to act on
/// does not exist, and otherwise the result: for an invitation its result and both sides, for an acceptance both sides,
/// and for all other actions my side.
const TABLE: &str = "
    mine theirs | invite      | agree | ignore | delete | remark | block | unblock
    -    -      | Sent 10 11  | 404   | 404    | 404    | 404    | -b    | =
    -b   -      | Sent 10 11  | 404   | 404    | 404    | 404    | =     | -
    -    -b     | None        | 404   | 404    | 404    | 404    | -b    | =
    -b   -b     | None        | 404   | 404    | 404    | 404    | =     | -
    10   11     | Sent 10 11  | 404   | 404    | 404    | 404    | 10b   | =
    10b  11     | Sent 10 11  | 404   | 404    | 404    | 404    | =     | 10
    10   11b    | None        | 404   | 404    | 404    | 404    | 10b   | =
    10b  11b    | None        | 404   | 404    | 404    | 404    | =     | 10
    11   10     | Added 20 20 | 20 20 | 21     | 404    | 404    | 11b   | =
    11b  10     | Added 20 20 | 20 20 | 21b    | 404    | 404    | =     | 11
    11   10b    | None        | =     | 21     | 404    | 404    | 11b   | =
    11b  10b    | None        | =     | 21b    | 404    | 404    | =     | 11
    10   21     | Sent 10 11  | 404   | 404    | 404    | 404    | 10b   | =
    10b  21     | Sent 10 11  | 404   | 404    | 404    | 404    | =     | 10
    10   21b    | None        | 404   | 404    | 404    | 404    | 10b   | =
    10b  21b    | None        | 404   | 404    | 404    | 404    | =     | 10
    21   10     | Added 20 20 | 404   | 404    | 404    | 404    | 21b   | =
    21b  10     | Added 20 20 | 404   | 404    | 404    | 404    | =     | 21
    21   10b    | None        | 404   | 404    | 404    | 404    | 21b   | =
    21b  10b    | None        | 404   | 404    | 404    | 404    | =     | 21
    20   20     | 400         | =     | 404    | 30     | 20     | 31    | =
    31   20     | 400         | 404   | 404    | 30b    | 31     | =     | 20
    20   31     | None        | =     | 404    | 30     | 20     | 31    | =
    31   31     | None        | 404   | 404    | 30b    | 31     | =     | 20
    20   30     | Sent 10 11  | =     | 404    | 30     | 20     | 31    | =
    31   30     | Sent 10 11  | 404   | 404    | 30b    | 31     | =     | 20
    20   30b    | None        | =     | 404    | 30     | 20     | 31    | =
    31   30b    | None        | 404   | 404    | 30b    | 31     | =     | 20
    30   20     | Added 20 20 | 404   | 404    | 404    | 404    | 30b   | =
    30b  20     | Added 20 20 | 404   | 404    | 404    | 404    | =     | 30
    30   31     | None        | 404   | 404    | 404    | 404    | 30b   | =
    30b  31     | None        | 404   | 404    | 404    | 404    | =     | 30
    30   30     | Sent 10 11  | 404   | 404    | 404    | 404    | 30b   | =
    30b  30     | Sent 10 11  | 404   | 404    | 404    | 404    | =     | 30
    30   30b    | None        | 404   | 404    | 404    | 404    | 30b   | =
    30b  30b    | None        | 404   | 404    | 404    | 404    | =     | 30
";

const NOW: Timestamp = Timestamp::from_millis(2_000);
const BEFORE: Timestamp = Timestamp::from_millis(1_000);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Invite,
    Agree,
    Ignore,
    Delete,
    Remark,
    Block,
    Unblock,
}

impl Act {
    /// In the order of the table's columns.
    const ALL: [Self; 7] =
        [Self::Invite, Self::Agree, Self::Ignore, Self::Delete, Self::Remark, Self::Block, Self::Unblock];
    /// The actions that write one side only.
    const MINE: [Self; 5] = [Self::Ignore, Self::Delete, Self::Remark, Self::Block, Self::Unblock];
}

/// The result of an action.
#[derive(Debug)]
enum Came {
    Refused(Error),
    Unchanged(&'static str),
    Changed(&'static str, Pair),
}

fn greeting() -> Greeting {
    Greeting::parse("it is me").unwrap()
}

fn remark() -> Remark {
    Remark::parse("new name").unwrap()
}

/// I act.
fn act(act: Act, pair: Pair) -> Came {
    let theirs = pair.theirs.clone();
    let mine_alone = |mine: Option<Relation>| match mine {
        Some(mine) => Came::Changed("", Pair { mine, theirs: theirs.clone() }),
        None => Came::Unchanged("="),
    };
    match act {
        Act::Invite => match pair.invite(&greeting(), NOW) {
            Ok(Invited::Added(pair)) => Came::Changed("Added", *pair),
            Ok(Invited::Sent(pair)) => Came::Changed("Sent", *pair),
            Ok(Invited::Nothing) => Came::Unchanged("None"),
            Err(error) => Came::Refused(error),
        },
        Act::Agree => match pair.agree(NOW) {
            Ok(Some(pair)) => Came::Changed("", pair),
            Ok(None) => Came::Unchanged("="),
            Err(error) => Came::Refused(error),
        },
        Act::Ignore => pair.mine.ignore(NOW).map_or_else(Came::Refused, |mine| mine_alone(Some(mine))),
        Act::Delete => pair.mine.delete(NOW).map_or_else(Came::Refused, |mine| mine_alone(Some(mine))),
        Act::Remark => pair.mine.remark(&remark(), NOW).map_or_else(Came::Refused, mine_alone),
        Act::Block => mine_alone(pair.mine.block(NOW)),
        Act::Unblock => mine_alone(pair.mine.pardon(NOW)),
    }
}

/// A side in the notation of the table.
fn shown(relation: &Relation) -> String {
    let status = relation.status.map_or_else(|| "-".to_owned(), |status| status.number().to_string());
    match (relation.status, relation.is_blocked()) {
        (Some(Status::Blocked), true) => status,
        (Some(Status::Blocked), false) => format!("{status} without being on the blacklist"),
        (_, true) => format!("{status}b"),
        (_, false) => status,
    }
}

/// The result of an action in the notation of the table.
fn cell(action: Act, came: &Came) -> String {
    match came {
        Came::Refused(Error::AlreadyFriends) => "400".to_owned(),
        Came::Refused(Error::NotFound(_)) => "404".to_owned(),
        Came::Refused(other) => format!("{other:?}"),
        Came::Unchanged(word) => (*word).to_owned(),
        Came::Changed(_, pair) if Act::MINE.contains(&action) => shown(&pair.mine),
        Came::Changed(word, pair) => format!("{word} {} {}", shown(&pair.mine), shown(&pair.theirs)).trim().to_owned(),
    }
}

/// A side with every field set. `not` is the value of `blocked` when the other is not on the blacklist.
fn side(other: u64, status: Option<Status>, blocked: Option<bool>) -> Relation {
    Relation {
        other: UserId::new(other).unwrap(),
        status,
        blocked,
        remark: format!("name {other}"),
        message: format!("message {other}"),
        asked: Some(BEFORE),
        updated: BEFORE,
        turn: 7 * other,
    }
}

/// A side, parsed from the notation of the table.
fn read(text: &str, other: u64, not: Option<bool>) -> Relation {
    let number = text.trim_end_matches('b');
    let status = if number == "-" { None } else { Some(Status::from_number(number.parse().unwrap()).unwrap()) };
    let blocked = text.ends_with('b') || status == Some(Status::Blocked);
    side(other, status, if blocked { Some(true) } else { not })
}

/// The situations of the table, each with its cells.
fn table() -> BTreeMap<(String, String), Vec<&'static str>> {
    let rows = TABLE.lines().map(str::trim).filter(|line| !line.is_empty()).skip(1);
    rows.map(|line| {
        let (sides, cells) = line.split_once('|').unwrap();
        let [mine, theirs] = sides.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{line}") };
        ((mine.to_owned(), theirs.to_owned()), cells.split('|').map(str::trim).collect())
    })
    .collect()
}

/// Every pair of sides that the types permit, including those that cannot occur.
fn every_pair() -> Vec<Pair> {
    let statuses = || [None].into_iter().chain(Status::ALL.map(Some));
    let sides: Vec<_> =
        statuses().flat_map(|status| [None, Some(false), Some(true)].map(|blocked| (status, blocked))).collect();
    let pair = |mine: (Option<Status>, Option<bool>), theirs: (Option<Status>, Option<bool>)| Pair {
        mine: side(2, mine.0, mine.1),
        theirs: side(1, theirs.0, theirs.1),
    };
    sides.iter().flat_map(|mine| sides.iter().map(move |theirs| pair(*mine, *theirs))).collect()
}

/// Every change that an action makes to any pair: before, the action, its result, after.
fn every_change() -> Vec<(Pair, Act, &'static str, Pair)> {
    let mut changes = Vec::new();
    for before in every_pair() {
        for action in Act::ALL {
            if let Came::Changed(word, after) = act(action, before.clone()) {
                changes.push((before.clone(), action, word, after));
            }
        }
    }
    assert!(changes.len() > 1_000, "{}", changes.len());
    changes
}

#[test]
fn every_action_does_in_every_situation_what_the_table_says() {
    for ((mine, theirs), cells) in table() {
        assert_eq!(cells.len(), Act::ALL.len(), "{mine} {theirs}");
        for (action, expected) in Act::ALL.into_iter().zip(cells) {
            // Never having been on the blacklist has the same effect as no longer being on it.
            for not in [None, Some(false)] {
                let pair = Pair { mine: read(&mine, 2, not), theirs: read(&theirs, 1, not) };
                assert_eq!(cell(action, &act(action, pair)), expected, "{action:?} on {mine} {theirs} ({not:?})");
            }
        }
    }
}

#[test]
fn the_table_holds_every_situation_that_can_come_about_and_no_other() {
    let strangers =
        Pair { mine: Relation::stranger(UserId::new(2).unwrap()), theirs: Relation::stranger(UserId::new(1).unwrap()) };
    let names = |pair: &Pair| (shown(&pair.mine), shown(&pair.theirs));
    let mut found = BTreeSet::from([names(&strangers)]);
    let mut waiting = vec![strangers];
    while let Some(pair) = waiting.pop() {
        let turned = Pair { mine: pair.theirs.clone(), theirs: pair.mine.clone() };
        for acting in [pair, turned] {
            for action in Act::ALL {
                let Came::Changed(_, after) = act(action, acting.clone()) else { continue };
                let after_turned = Pair { mine: after.theirs.clone(), theirs: after.mine.clone() };
                for reached in [after, after_turned] {
                    if found.insert(names(&reached)) {
                        waiting.push(reached);
                    }
                }
            }
        }
    }
    let listed: BTreeSet<_> = table().into_keys().collect();
    assert_eq!(found, listed);
    assert_eq!(listed.len(), 36);
}

#[test]
fn every_side_that_is_written_is_one_turn_on_and_no_other_side_is() {
    for (before, action, _, after) in every_change() {
        let place = format!("{action:?} on {before:?}");
        assert_eq!((after.mine.turn, after.mine.updated), (before.mine.turn + 1, NOW), "{place}");
        assert_eq!((after.mine.other, after.theirs.other), (before.mine.other, before.theirs.other), "{place}");
        if Act::MINE.contains(&action) {
            assert_eq!(after.theirs, before.theirs, "{place}");
        } else {
            assert_eq!((after.theirs.turn, after.theirs.updated), (before.theirs.turn + 1, NOW), "{place}");
        }
    }
}

#[test]
fn friends_are_friends_of_each_other_and_what_was_said_is_forgotten() {
    let mut made = 0;
    for (before, action, word, after) in every_change() {
        if action != Act::Agree && word != "Added" {
            continue;
        }
        made += 1;
        let place = format!("{action:?} on {before:?}");
        assert!(after.mine.is_friend() && after.theirs.is_friend(), "{place}");
        assert_eq!(after.mine.status, Some(Status::Friends), "who wants a friend does not block them: {place}");
        assert_eq!((after.mine.message.as_str(), after.theirs.message.as_str()), ("", ""), "{place}");
    }
    assert!(made > 50, "{made}");
}

#[test]
fn an_invitation_is_on_both_sides_with_what_was_said_and_when() {
    for (before, action, word, after) in every_change() {
        if word == "Sent" {
            let place = format!("{action:?} on {before:?}");
            assert_eq!(after.mine.status, Some(Status::Asked), "{place}");
            assert_eq!(after.theirs.status, Some(Status::WasAsked), "{place}");
            for side in [&after.mine, &after.theirs] {
                assert_eq!((side.message.as_str(), side.asked), ("it is me", Some(NOW)), "{place}");
            }
        } else {
            let asked = |pair: &Pair| (pair.mine.asked, pair.theirs.asked);
            assert_eq!(asked(&after), asked(&before), "{action:?} on {before:?}");
        }
    }
}

#[test]
fn nobodys_block_is_set_or_lifted_by_the_other_side() {
    for (before, action, _, after) in every_change() {
        let place = format!("{action:?} on {before:?}");
        assert_eq!(after.theirs.blocked, before.theirs.blocked, "{place}");
        let mine = match action {
            Act::Block => Some(true),
            Act::Invite | Act::Agree | Act::Unblock => before.mine.blocked.map(|_| false),
            Act::Ignore | Act::Delete | Act::Remark => before.mine.blocked,
        };
        assert_eq!(after.mine.blocked, mine, "{place}");
    }
}

#[test]
fn a_friend_on_the_blacklist_has_the_status_for_it_and_nobody_else_has() {
    let fits = |side: &Relation| {
        let blocked_friend = side.is_friend() && side.is_blocked();
        (side.status == Some(Status::Blocked)) == blocked_friend
    };
    for (before, action, _, after) in every_change() {
        if fits(&before.mine) && fits(&before.theirs) {
            assert!(fits(&after.mine) && fits(&after.theirs), "{action:?} on {before:?}");
        }
    }
}

#[test]
fn only_calling_somebody_something_changes_what_they_are_called() {
    for (before, action, _, after) in every_change() {
        let place = format!("{action:?} on {before:?}");
        assert_eq!(after.theirs.remark, before.theirs.remark, "{place}");
        let mine = if action == Act::Remark { "new name" } else { &before.mine.remark };
        assert_eq!(after.mine.remark, mine, "{place}");
    }
}

#[test]
fn doing_the_same_again_changes_nothing_where_it_is_no_refusal() {
    for (before, action, word, after) in every_change() {
        let again = act(action, after.clone());
        let place = format!("{action:?} twice on {before:?}");
        match (action, word) {
            // A request can be sent again as a reminder.
            (Act::Invite, "Sent") => assert!(matches!(again, Came::Changed("Sent", _)), "{place}"),
            // The other side's block stays, and a blocked user does not learn more than that.
            (Act::Invite, _) if after.theirs.is_blocked() => {
                assert!(matches!(again, Came::Unchanged("None")), "{place}");
            }
            (Act::Invite, _) => assert!(matches!(again, Came::Refused(Error::AlreadyFriends)), "{place}"),
            (Act::Agree | Act::Remark | Act::Block | Act::Unblock, _) => {
                assert!(matches!(again, Came::Unchanged("=")), "{place}");
            }
            (Act::Ignore | Act::Delete, _) => assert!(matches!(again, Came::Refused(Error::NotFound(_))), "{place}"),
        }
    }
}

#[test]
fn statuses_have_the_numbers_of_the_document() {
    let known: Vec<_> = (0..=u8::MAX).filter_map(|number| Some((number, Status::from_number(number)?))).collect();
    let expected = [
        (10, Status::Asked),
        (11, Status::WasAsked),
        (20, Status::Friends),
        (21, Status::Ignored),
        (30, Status::Deleted),
        (31, Status::Blocked),
    ];
    assert_eq!(known, expected);
    assert!(known.iter().all(|(number, status)| status.number() == *number));
}

#[test]
fn what_is_said_and_what_somebody_is_called_is_one_short_line() {
    assert!(Greeting::parse(&"明".repeat(64)).is_ok() && Greeting::parse(&"a".repeat(65)).is_err());
    assert!(Remark::parse(&"明".repeat(32)).is_ok() && Remark::parse(&"a".repeat(33)).is_err());
    // Spaces around the remark are dropped, so they are not counted.
    assert_eq!(Remark::parse(&format!("  {}  ", "a".repeat(32))).unwrap().as_str(), "a".repeat(32));
    for empty in ["", "  ", "\u{3000}"] {
        assert_eq!(Greeting::parse(empty).unwrap().as_str(), "", "{empty:?}");
        assert_eq!(Remark::parse(empty).unwrap().as_str(), "", "{empty:?}");
    }
    for bad in ["a\nb", "a\0b", "a\u{7f}b", "a\u{9f}b", "a\tb"] {
        assert!(matches!(Greeting::parse(bad), Err(Error::Invalid { field: "message", .. })), "{bad:?}");
        assert!(matches!(Remark::parse(bad), Err(Error::Invalid { field: "displayName", .. })), "{bad:?}");
    }
}

#[test]
fn a_request_waits_for_an_answer_only_as_long_as_there_is_none() {
    for pair in every_pair() {
        let open = shown(&pair.mine) == "10" && pair.theirs.status == Some(Status::WasAsked);
        assert_eq!(pair.is_waiting(None), open, "{pair:?}");
        assert_eq!(pair.is_waiting(Some(&Greeting::parse("message 2").unwrap())), open, "{pair:?}");
        assert!(!pair.is_waiting(Some(&Greeting::parse("another").unwrap())), "{pair:?}");
    }
}
