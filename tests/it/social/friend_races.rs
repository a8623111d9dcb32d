//! Many simultaneous changes, and changes that fail half-way: afterwards both sides of a relation fit together.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue::{Bool, N, S};
use emulator::Fault;
use futures::future::join_all;
use serde_json::{Value, json};

use super::{ATTEMPTS, BATCH_GET, Someone, TRANSACT, action, done, held, internal_error, refused, sides, turns};
use crate::support::table::Item;
use crate::support::{Backend, run, shared};

/// Writes one side of a relation in its state after seven changes, in the short form of [`super::side`].
async fn write(backend: &Backend, who: &Someone, of: &Someone, side: &str) {
    let status = side.trim_end_matches('b');
    let mut item = Item::from([
        ("pk".to_owned(), S(format!("user#{}", who.number()))),
        ("sk".to_owned(), S(format!("friend#{}", of.number()))),
        ("other".to_owned(), N(of.number().to_string())),
        ("updated".to_owned(), N("1000".to_owned())),
        ("turn".to_owned(), N("7".to_owned())),
    ]);
    if status != "-" {
        item.insert("status".to_owned(), N(status.to_owned()));
    }
    if side.ends_with('b') || side == "31" {
        item.insert("blocked".to_owned(), Bool(true));
    }
    backend.put_item(item).await;
}

/// Writes both sides.
async fn set(backend: &Backend, one: &Someone, other: &Someone, both: &str) {
    let (ones, others) = both.split_once(' ').expect("two sides");
    write(backend, one, other, ones).await;
    write(backend, other, one, others).await;
    assert_eq!(sides(backend, one, other).await, both);
}

#[test]
fn two_who_ask_each_other_at_once_are_friends_of_each_other() {
    run(async {
        let backend = shared().await;
        let people = Someone::several(backend, ["A", "B", "C", "D", "E", "F"]).await;
        for (index, one) in people.iter().enumerate() {
            for other in &people[index + 1..] {
                // First as strangers without any items, then as users with earlier relations.
                for past in [None, Some("30 30"), Some("-b -"), Some("30 20")] {
                    if let Some(past) = past {
                        set(backend, one, other, past).await;
                    }
                    let before = turns(backend, one, other).await;
                    // The user who blocks the other sends the request first; otherwise one request would have no
                    // effect.
                    if past == Some("-b -") {
                        assert_eq!(one.does(backend, "/user/remove_from_blacklist", other).await, done());
                    }
                    let answers = tokio::join!(one.invites(backend, other, "a"), other.invites(backend, one, "b"));
                    let answers = BTreeSet::from([answers.0, answers.1].map(|(_, body)| body.to_string()));
                    let words = |word: &str| action(word).1.to_string();
                    assert_eq!(sides(backend, one, other).await, "20 20", "{past:?} {answers:?}");
                    let after = turns(backend, one, other).await;
                    if past == Some("30 20") {
                        let friends = refused(400, "you are already friends").1.to_string();
                        let late = [
                            BTreeSet::from([words("Added"), friends]),
                            BTreeSet::from([words("Added"), words("Sent")]),
                        ];
                        assert!(late.contains(&answers), "{answers:?}");
                    } else {
                        assert_eq!(answers, BTreeSet::from([words("Sent"), words("Added")]), "{past:?}");
                        let blocked = i64::from(past == Some("-b -"));
                        assert_eq!(after, (before.0 + 2 + blocked, before.1 + 2), "{past:?}");
                    }
                }
            }
        }
    });
}

#[test]
fn a_crowd_of_invitations_from_both_sides_makes_friends_once() {
    run(async {
        let backend = shared().await;
        for _ in 0..5 {
            let [one, other] = Someone::several(backend, ["One", "Other"]).await;
            let asking = (0..10).map(|n| if n % 2 == 0 { (&one, &other) } else { (&other, &one) });
            let answers = join_all(asking.map(|(who, whom)| who.invites(backend, whom, "hello"))).await;
            let count = |wanted: &(u16, Value)| answers.iter().filter(|answer| *answer == wanted).count();
            assert_eq!(count(&action("Added")), 1, "{answers:?}");
            let (sent, late) = (count(&action("Sent")), count(&refused(400, "you are already friends")));
            assert!((1..=5).contains(&sent) && sent + late == 9, "{answers:?}");
            assert_eq!(sides(backend, &one, &other).await, "20 20");
            let changes = i64::try_from(sent).expect("a few") + 1;
            assert_eq!(turns(backend, &one, &other).await, (changes, changes));
        }
    });
}

/// The possible results of an action at the same time as an acceptance, in both orders.
struct Race {
    /// The side of the user who sent the request, and the side of the user who received it.
    before: &'static str,
    /// Whether the sender of the request does the action, or the receiver.
    by_asker: bool,
    path: &'static str,
    /// Both sides, and whether the action and the acceptance succeed.
    after: &'static [(&'static str, bool, bool)],
}

const RACES: [Race; 9] = [
    Race {
        before: "10 11",
        by_asker: true,
        path: "/user/add_to_blacklist",
        // Accepting the request of a user who has blocked you has no effect, and the response does not show it.
        after: &[("31 20", true, true), ("10b 11", true, true)],
    },
    Race {
        before: "10 11",
        by_asker: false,
        path: "/user/add_to_blacklist",
        // Accepting also removes the other user from the blacklist.
        after: &[("20 31", true, true), ("20 20", true, true)],
    },
    Race {
        before: "10b 11",
        by_asker: true,
        path: "/user/remove_from_blacklist",
        after: &[("20 20", true, true), ("10 11", true, true)],
    },
    Race { before: "10 11b", by_asker: false, path: "/user/remove_from_blacklist", after: &[("20 20", true, true)] },
    Race {
        before: "10 11",
        by_asker: true,
        path: "/friendship/delete",
        after: &[("30 20", true, true), ("20 20", false, true)],
    },
    Race {
        before: "10 11",
        by_asker: false,
        path: "/friendship/delete",
        after: &[("20 30", true, true), ("20 20", false, true)],
    },
    Race {
        before: "10 11",
        by_asker: false,
        path: "/friendship/ignore",
        after: &[("10 21", true, false), ("20 20", false, true)],
    },
    Race {
        before: "10 11",
        by_asker: true,
        path: "/friendship/invite",
        after: &[("20 20", true, true), ("20 20", false, true)],
    },
    Race {
        before: "10 11",
        by_asker: false,
        path: "/friendship/invite",
        // An invitation makes them friends like an acceptance, and the second action finds that they are friends.
        after: &[("20 20", true, true), ("20 20", false, true)],
    },
];

#[test]
fn agreeing_at_once_with_anything_leaves_what_one_after_the_other_would() {
    run(async {
        let backend = shared().await;
        let [asker, other] = Someone::several(backend, ["Asker", "Other"]).await;
        let mut seen = BTreeSet::new();
        for round in 0..8 {
            for race in &RACES {
                set(backend, &asker, &other, race.before).await;
                let (who, whom) = if race.by_asker { (&asker, &other) } else { (&other, &asker) };
                let acting = who.does(backend, race.path, whom);
                let agreeing = other.does(backend, "/friendship/agree", &asker);
                let (acted, agreed) = if round % 2 == 0 {
                    tokio::join!(acting, agreeing)
                } else {
                    let (agreed, acted) = tokio::join!(agreeing, acting);
                    (acted, agreed)
                };
                let after = sides(backend, &asker, &other).await;
                let outcome = (after.as_str(), acted.0 == 200, agreed.0 == 200);
                let (name, by) = (race.path, race.by_asker);
                assert!(race.after.contains(&outcome), "{name} by the asker: {by}: {outcome:?} {acted:?} {agreed:?}");
                assert!(acted.0 < 500 && agreed.0 < 500, "{acted:?} {agreed:?}");
                seen.insert(format!("{name} {by} {outcome:?}"));
            }
        }
        // Both orders must occur; otherwise the rounds above have not tested a race.
        assert!(seen.len() > RACES.len(), "{seen:#?}");
    });
}

#[test]
fn whatever_two_people_do_at_once_their_sides_fit_each_other() {
    run(async {
        let backend = shared().await;
        let [one, other] = Someone::several(backend, ["One", "Other"]).await;
        let paths = [
            "/friendship/invite",
            "/friendship/agree",
            "/friendship/ignore",
            "/friendship/delete",
            "/friendship/set_display_name",
            "/user/add_to_blacklist",
            "/user/remove_from_blacklist",
            "/friendship/invite",
            "/friendship/agree",
        ];
        let (mut state, mut seen) = (20_261_121_u64, BTreeSet::new());
        let mut next = |below: usize| {
            // Knuth's MMIX generator: the rounds are the same in every run, only their timing differs.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).expect("31 bits") % below
        };
        for round in 0..60 {
            let actions: Vec<_> = (0..6).map(|_| (next(2), paths[next(paths.len())], next(1_000))).collect();
            let before = turns(backend, &one, &other).await;
            let acting = actions.iter().map(|(who, path, name)| {
                let (who, whom) = if *who == 0 { (&one, &other) } else { (&other, &one) };
                let body = json!({ "friendId": whom.id, "message": "m", "displayName": name.to_string() });
                who.post(backend, path, body)
            });
            let answers = join_all(acting).await;
            assert!(answers.iter().all(|(status, _)| [200, 400, 404].contains(status)), "{actions:?} {answers:?}");
            seen.insert(sides(backend, &one, &other).await);
            let after = turns(backend, &one, &other).await;
            let succeeded = i64::try_from(answers.iter().filter(|(status, _)| *status == 200).count()).expect("six");
            for (before, after) in [(before.0, after.0), (before.1, after.1)] {
                assert!((0..=succeeded).contains(&(after - before)), "round {round}: {actions:?} {answers:?}");
            }
        }
        assert!(seen.len() > 5, "{seen:?}");
    });
}

#[test]
fn names_given_at_once_are_all_given_and_the_last_one_stays() {
    run(async {
        let backend = shared().await;
        let [tom, jerry] = Someone::several(backend, ["Tom", "Jerry"]).await;
        set(backend, &tom, &jerry, "20 20").await;
        let names: Vec<_> =
            (0..10).map(|n| json!({ "friendId": jerry.id, "displayName": format!("name {n}") })).collect();
        let calls = names.iter().map(|name| tom.post(backend, "/friendship/set_display_name", name.clone()));
        assert_eq!(join_all(calls).await, vec![done(); 10]);
        assert_eq!(turns(backend, &tom, &jerry).await, (17, 7));
        let kept = tom.entry(backend, &jerry).await.expect("an entry")["displayName"].clone();
        assert!(names.iter().any(|name| name["displayName"] == kept), "{kept}");
    });
}

/// The actions on another user, with the sides before and the sides after.
const CHANGES: [(&str, &str, &str); 8] = [
    ("/friendship/invite", "30 30", "10 11"),
    ("/friendship/invite", "11 10", "20 20"),
    ("/friendship/agree", "11b 10", "20 20"),
    ("/friendship/ignore", "11 10", "21 10"),
    ("/friendship/delete", "20 20", "30 20"),
    ("/friendship/set_display_name", "20 20", "20 20"),
    ("/user/add_to_blacklist", "20 20", "31 20"),
    ("/user/remove_from_blacklist", "31 20", "20 20"),
];

#[test]
fn a_change_that_fails_is_not_half_done() {
    run(async {
        let backend = &Backend::start(&[]).await;
        let [tom, jerry] = Someone::several(backend, ["Tom", "Jerry"]).await;
        let endpoints = backend.running.endpoints();
        for (path, before, after) in CHANGES {
            let change = async || {
                let body = json!({ "friendId": jerry.id, "message": "m", "displayName": "J" });
                tom.post(backend, path, body).await
            };
            set(backend, &tom, &jerry, before).await;
            let stored = (held(backend, &tom, &jerry).await, held(backend, &jerry, &tom).await);
            for call in [BATCH_GET, TRANSACT] {
                endpoints.fail_next(call, 1, Fault::error(400, "ValidationException"));
                assert_eq!(change().await, internal_error(), "{path} without {call}");
                assert_eq!(endpoints.faults_left(), 0, "{path} does without {call}");
                let now = (held(backend, &tom, &jerry).await, held(backend, &jerry, &tom).await);
                assert_eq!(now, stored, "{path} without {call}");
            }
            // A conflict with another transaction is not a failure.
            endpoints.fail_next(TRANSACT, 2, Fault::transaction_conflict(1));
            assert_eq!(change().await.0, 200, "{path}");
            assert_eq!(endpoints.faults_left(), 0);
            assert_eq!(sides(backend, &tom, &jerry).await, after, "{path}");
            let both = path.ends_with("invite") || path.ends_with("agree");
            assert_eq!(turns(backend, &tom, &jerry).await, (8, if both { 8 } else { 7 }), "{path}");
        }
    });
}

#[test]
fn a_passing_failure_is_tried_again_and_a_lasting_one_is_told() {
    run(async {
        let backend = &Backend::start(&[]).await;
        let [tom, jerry] = Someone::several(backend, ["Tom", "Jerry"]).await;
        let endpoints = backend.running.endpoints();
        for call in [BATCH_GET, TRANSACT] {
            endpoints.fail_next(call, ATTEMPTS - 1, Fault::throughput_exceeded());
        }
        assert_eq!(tom.invites(backend, &jerry, "").await, action("Sent"));
        assert_eq!(endpoints.faults_left(), 0);
        endpoints.fail_next(TRANSACT, ATTEMPTS, Fault::internal_server_error());
        assert_eq!(jerry.does(backend, "/friendship/agree", &tom).await, internal_error());
        assert_eq!(endpoints.faults_left(), 0);
        assert_eq!(sides(backend, &tom, &jerry).await, "10 11");
        for (call, path) in [
            ("dynamodb:Query", "/friendship/all"),
            (BATCH_GET, "/friendship/all"),
            ("dynamodb:Query", "/user/blacklist"),
        ] {
            endpoints.fail_next(call, 1, Fault::error(400, "ValidationException"));
            assert_eq!(tom.get(backend, path).await, internal_error(), "{path} without {call}");
            assert_eq!(endpoints.faults_left(), 0);
        }
        assert_eq!(jerry.does(backend, "/friendship/agree", &tom).await, action("Added"));
    });
}
