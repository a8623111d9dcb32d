//! Many users make changes while their devices sync, on machines with different clocks and late writes. In the end the
//! devices' rows, built only from their sync responses, are correct.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use domain::crypto::SystemRandom;
use domain::random::below;
use local::Options;
use serde_json::{Value, json};

use super::replica::{Replica, Rows};
use super::several_machines::Machines;
use super::{Somebody, settled};
use crate::support::{Backend, run};

const PEOPLE: usize = 6;
/// The number of actions of each writer.
const ACTS: usize = 120;
const WRITERS: usize = 8;
/// The minimum number of syncs of all devices in this time.
const SYNCS: usize = 2_000;

fn pick<T>(from: &[T]) -> &T {
    &from[usize::try_from(below(&SystemRandom, from.len() as u64)).expect("an index")]
}

fn word() -> String {
    format!("word {}", below(&SystemRandom, 100))
}

/// A random action, which the rules may refuse.
async fn act(backend: &Backend, people: &[Somebody], groups: &[String]) {
    let (me, other, group) = (pick(people), pick(people), pick(groups));
    let friend = json!({ "friendId": other.id });
    let named = |field: &str, value: Value| json!({ "friendId": other.id, field: value });
    let of_group = |field: &str, value: Value| json!({ "groupId": group, field: value });
    let others = json!([other.id]);
    let (path, body) = match below(&SystemRandom, 19) {
        0 | 1 => ("/friendship/invite", named("message", json!(word()))),
        2 | 3 => ("/friendship/agree", friend),
        4 => ("/friendship/ignore", friend),
        5 => ("/friendship/delete", friend),
        6 => ("/friendship/set_display_name", named("displayName", json!(word()))),
        7 => ("/user/add_to_blacklist", friend),
        8 => ("/user/remove_from_blacklist", friend),
        9 => ("/user/set_nickname", json!({ "nickname": word() })),
        10 | 11 => ("/group/add", of_group("memberIds", others)),
        12 => ("/group/join", json!({ "groupId": group })),
        13 => ("/group/kick", of_group("memberIds", others)),
        14 => ("/group/quit", json!({ "groupId": group })),
        15 => ("/group/rename", of_group("name", json!(word()))),
        16 => ("/group/transfer", of_group("userId", json!(other.id))),
        17 => ("/group/set_display_name", of_group("displayName", json!(word()))),
        _ => ("/group/set_manager", of_group("memberIds", others)),
    };
    let (status, answer) = me.try_post(backend, path, &body).await;
    assert!(status < 500, "{path} {body}: {status} {answer}");
}

/// Syncs a device as long as users write; from time to time a response is lost.
async fn follow(backend: &Backend, somebody: &Somebody, over: &AtomicBool, syncs: &AtomicUsize) -> Replica {
    let mut replica = Replica::default();
    while !over.load(Ordering::SeqCst) || syncs.load(Ordering::SeqCst) < SYNCS {
        let answer = somebody.sync(backend, replica.version).await;
        syncs.fetch_add(1, Ordering::SeqCst);
        if below(&SystemRandom, 8) > 0 {
            replica.take_in(&answer);
        }
    }
    replica
}

#[test]
fn no_change_is_skipped_whatever_the_clocks_say_and_however_late_writes_commit() {
    run(async {
        // Every nickname is spread at once, so that what devices are told in the end is the truth.
        let at_once = [("SpreadSeconds", "0"), ("SpreadsPerDay", "100000")];
        let parameters = at_once.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let options = Options { port: 0, data: None, parameters, ..Options::default() };
        let backend = Arc::new(Backend::with(options, Machines).await.expect("the backend starts"));
        let mut people = Vec::new();
        for index in 0..PEOPLE {
            people.push(Somebody::new(&backend, &format!("Nr {index}")).await);
        }
        let mut groups = Vec::new();
        for index in 0..3 {
            groups.push(people[index].group(&backend, "Team", &[&people[index + 1].id]).await);
        }
        let (people, groups) = (Arc::new(people), Arc::new(groups));
        let (over, syncs) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let followers: Vec<_> = (0..PEOPLE)
            .map(|index| {
                let (backend, people, over, syncs) = (backend.clone(), people.clone(), over.clone(), syncs.clone());
                tokio::spawn(async move { follow(&backend, &people[index], &over, &syncs).await })
            })
            .collect();
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| {
                let (backend, people, groups) = (backend.clone(), people.clone(), groups.clone());
                tokio::spawn(async move {
                    for _ in 0..ACTS {
                        act(&backend, &people, &groups).await;
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.expect("a writer");
        }
        over.store(true, Ordering::SeqCst);
        let mut replicas = Vec::new();
        for follower in followers {
            replicas.push(follower.await.expect("a device"));
        }
        assert!(syncs.load(Ordering::SeqCst) >= SYNCS);
        settled(&backend).await;
        for (somebody, replica) in people.iter().zip(&mut replicas) {
            replica.catch_up(&backend, somebody).await;
            assert_eq!(replica.rows, Rows::truth(&backend, somebody).await);
        }
    });
}
