//! Tests who receives pushes, and that none is dropped: neither after a failure nor in large groups.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::account::UserId;
use domain::notifications::{Device, Listener, Platform};

use super::{MOST_TRIES, USERS};
use crate::work::Work;
use crate::world::{World, dispatch, happened, ids, next, publish, pushed, request, run, user, world};

fn google(token: &str) -> Device {
    Device { platform: Platform::Google, token: token.to_owned() }
}

/// The users in the queue's parts.
fn parts(world: &World) -> Vec<BTreeSet<UserId>> {
    let queue = world.queue.lock().unwrap();
    let part = |work: &Work| match work {
        Work::Push { targets, others, .. } => targets.union(others).copied().collect(),
        Work::Notify { .. } => panic!("a whole notification"),
    };
    queue.iter().map(|(work, _)| part(work)).collect()
}

#[tokio::test]
async fn work_that_fails_is_done_again_and_publishes_nothing() {
    let (world, failed) = publish(World { no_roster: true, ..world() }, &[happened(1, "Add", &[3]), request(2)]).await;
    assert_eq!((failed, ids(&world).len()), (None, 2));
    let (first, _) = next(&world).unwrap();
    run(&world, first.clone()).await.unwrap_err();
    let (second, _) = next(&world).unwrap();
    run(&world, second).await.unwrap();
    assert_eq!(pushed(&world), [("android 1".to_owned(), "P2 wants to be your friend: let me in".to_owned())]);
    let mut world = Arc::into_inner(world).unwrap();
    world.no_roster = false;
    let world = Arc::new(world);
    run(&world, first).await.unwrap();
    assert_eq!((ids(&world).len(), pushed(&world).len()), (2, 4));
}

#[tokio::test]
async fn a_device_that_is_gone_is_not_tried_again() {
    let mut world = world();
    world.people.get_mut(&user(1)).unwrap().devices = BTreeSet::from([google("gone")]);
    let (world, _) = dispatch(world, &[request(2)]).await;
    assert_eq!(pushed(&world), [("gone".to_owned(), "P2 wants to be your friend: let me in".to_owned())]);
}

#[tokio::test]
async fn a_large_group_is_pushed_to_in_parts_and_everybody_once() {
    let mut world = world();
    for id in 1..=500 {
        let devices = BTreeSet::from([google(&format!("device {id}"))]);
        world.people.insert(user(id), Listener { name: format!("P{id}"), devices });
        world.members.insert(user(id));
    }
    let (world, _) = publish(world, &[happened(1, "Add", &[2, 300])]).await;
    let (work, _) = next(&world).unwrap();
    run(&world, work).await.unwrap();
    assert!(pushed(&world).is_empty(), "the parts are done later");
    let parts = parts(&world);
    assert_eq!(parts.iter().map(BTreeSet::len).collect::<Vec<_>>(), [USERS, USERS, USERS, USERS, 99]);
    assert_eq!(parts.iter().flatten().collect::<BTreeSet<_>>().len(), 499, "nobody is in two parts");
    while let Some((work, _)) = next(&world) {
        run(&world, work).await.unwrap();
    }
    let text = |id| if [2, 300].contains(&id) { "徒步: P1 added you" } else { "徒步: P1 added P2, P300" };
    let mut expected: Vec<_> = (2..=500).map(|id| (format!("device {id}"), text(id).to_owned())).collect();
    expected.sort();
    assert_eq!(pushed(&world), expected);
}

#[tokio::test]
async fn what_is_not_sent_in_time_is_sent_later_and_the_rest_not_again() {
    let mut slow = World { push_takes: Duration::from_millis(400), ..world() };
    for id in 1..=200 {
        let devices = BTreeSet::from([google(&format!("device {id}"))]);
        slow.people.insert(user(id), Listener { name: format!("P{id}"), devices });
    }
    slow.members = (1..=100).map(user).collect();
    let (world, _) = publish(slow, &[happened(1, "Rename", &[])]).await;
    let (work, _) = next(&world).unwrap();
    run(&world, work).await.unwrap();
    let sent = pushed(&world).len();
    assert!((32..99).contains(&sent), "a second is enough for some of them: {sent}");
    let mut rounds = 1;
    while let Some((work, delay)) = next(&world) {
        assert_eq!(delay, Duration::ZERO, "nothing is wrong, so nothing has to wait");
        run(&world, work).await.unwrap();
        rounds += 1;
    }
    let tokens: BTreeSet<_> = pushed(&world).into_iter().map(|(token, _)| token).collect();
    assert_eq!((pushed(&world).len(), tokens.len()), (99, 99), "in {rounds} rounds");
}

#[tokio::test]
async fn a_device_that_cannot_be_sent_to_is_tried_again_alone_after_growing_pauses() {
    let mut people = world();
    people.people.get_mut(&user(2)).unwrap().devices = BTreeSet::from([google("busy"), google("free")]);
    *people.busy.lock().unwrap() = 2;
    let (world, _) = publish(people, &[happened(1, "Rename", &[])]).await;
    let mut delays = Vec::new();
    while let Some((work, delay)) = next(&world) {
        delays.push(delay.as_secs());
        run(&world, work).await.unwrap();
    }
    assert_eq!(delays, [0, 10, 20]);
    let tokens: Vec<_> = pushed(&world).into_iter().map(|(token, _)| token).collect();
    assert_eq!(tokens, ["android 3", "android 4", "busy", "free"]);
}

#[tokio::test]
async fn a_device_that_can_never_be_sent_to_ends_the_work() {
    let mut people = World { busy: Mutex::new(u32::MAX), ..world() };
    people.people.get_mut(&user(1)).unwrap().devices = BTreeSet::from([google("busy")]);
    let (world, _) = publish(people, &[request(1)]).await;
    let mut tries = 0;
    while let Some((work, _)) = next(&world) {
        run(&world, work).await.unwrap();
        tries += 1;
    }
    assert_eq!((tries, pushed(&world).len()), (MOST_TRIES + 1, 0));
}

#[tokio::test]
async fn a_device_that_was_signed_out_meanwhile_is_not_sent_to() {
    let mut people = World { busy: Mutex::new(1), ..world() };
    people.people.get_mut(&user(1)).unwrap().devices = BTreeSet::from([google("busy")]);
    let (world, _) = publish(people, &[request(1)]).await;
    let (work, _) = next(&world).unwrap();
    run(&world, work).await.unwrap();
    let (again, _) = next(&world).unwrap();
    let mut world = Arc::into_inner(world).unwrap();
    world.people.get_mut(&user(1)).unwrap().devices = BTreeSet::from([google("another device")]);
    let world = Arc::new(world);
    run(&world, again).await.unwrap();
    assert_eq!((pushed(&world), next(&world)), (Vec::new(), None));
}
