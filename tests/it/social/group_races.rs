//! Many simultaneous changes of one group: in any order, the group is consistent afterwards.

use std::collections::BTreeSet;

use domain::crypto::SystemRandom;
use domain::random::below;
use futures::future::join_all;
use serde_json::json;

use super::group_helpers::{assert_whole, changes, crowd, faults, partition};
use super::{Someone, done};
use crate::support::{Backend, run, shared};

/// A random action on a group, and whether its outcome is one of the allowed ones.
async fn does_anything(backend: &Backend, who: &Someone, group: &str, everybody: &[&Someone]) -> (u16, u16) {
    let other = everybody[usize::try_from(below(&SystemRandom, everybody.len() as u64)).expect("an index")];
    let (status, body) = match below(&SystemRandom, 12) {
        0..=3 => who.acts(backend, "join", group, &[]).await,
        4..=5 => who.acts(backend, "quit", group, &[]).await,
        6..=7 => who.acts(backend, "kick", group, &[other]).await,
        8 => who.acts(backend, "add", group, &[other]).await,
        9 => who.acts(backend, "set_manager", group, &[other]).await,
        10 => who.acts(backend, "transfer", group, &[other]).await,
        _ => who.post(backend, "/group/rename", json!({ "groupId": group, "name": format!("by {}", who.id) })).await,
    };
    (status, u16::try_from(body["code"].as_u64().expect("a code")).expect("a code"))
}

/// The members that the group's owner sees, found by asking all users.
async fn members<'a>(backend: &Backend, group: &str, everybody: &[&'a Someone]) -> Vec<&'a Someone> {
    for who in everybody {
        let (status, body) = who.get(backend, &format!("/group/{group}/members")).await;
        if status == 200 {
            let members = body["result"].as_array().expect("a list").iter();
            let ids: BTreeSet<_> =
                members.map(|member| member["user"]["id"].as_str().expect("an id").to_owned()).collect();
            return everybody.iter().copied().filter(|who| ids.contains(&who.id)).collect();
        }
    }
    Vec::new()
}

#[test]
fn twenty_people_who_do_whatever_they_like_leave_the_group_whole() {
    run(async {
        let backend = &Backend::start(&[]).await;
        let first = Someone::new(backend, "First").await;
        let others = crowd(backend, &first, 19).await;
        let everybody: Vec<_> = others.iter().chain([&first]).collect();
        let (mut group, mut dissolved) = (first.founds(backend, &others.iter().collect::<Vec<_>>()).await, 0);
        for round in 0..25 {
            let outcomes = join_all(everybody.iter().map(|who| does_anything(backend, who, &group, &everybody))).await;
            for (status, code) in outcomes {
                assert!(
                    [200, 400, 401, 402, 403, 404].contains(&status) && code == status,
                    "round {round}: {status} {code} {:?}",
                    faults()
                );
            }
            let members = members(backend, &group, &everybody).await;
            assert_whole(backend, &group, &everybody, &members).await;
            if members.is_empty() {
                dissolved += 1;
                group = first.founds(backend, &others.iter().collect::<Vec<_>>()).await;
            }
        }
        assert!(changes(backend, &group).await > 5, "hardly anything happened, and {dissolved} groups were dissolved");
    });
}

#[test]
fn everybody_quitting_at_once_dissolves_the_group_once() {
    run(async {
        let backend = shared().await;
        let first = Someone::new(backend, "First").await;
        let others = crowd(backend, &first, 19).await;
        let everybody: Vec<_> = others.iter().chain([&first]).collect();
        for _ in 0..5 {
            let group = first.founds(backend, &others.iter().collect::<Vec<_>>()).await;
            let outcomes = join_all(everybody.iter().map(|who| who.acts(backend, "quit", &group, &[]))).await;
            assert!(outcomes.iter().all(|outcome| *outcome == done()), "{outcomes:?} {:?}", faults());
            assert_whole(backend, &group, &everybody, &[]).await;
            assert_eq!(changes(backend, &group).await, 21, "made, and left by twenty");
        }
    });
}

#[test]
fn the_last_place_goes_to_one_of_those_who_want_it() {
    run(async {
        let backend = shared().await;
        let first = Someone::new(backend, "First").await;
        let others = crowd(backend, &first, 498).await;
        let rest = crowd(backend, &first, 10).await;
        let group = first.founds(backend, &others.iter().collect::<Vec<_>>()).await;
        let outcomes = join_all(rest.iter().map(|who| who.acts(backend, "join", &group, &[]))).await;
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == done()).count(), 1, "{outcomes:?} {:?}", faults());
        let inside = rest.iter().zip(&outcomes).filter(|(_, outcome)| **outcome == done()).map(|(who, _)| who);
        let inside: Vec<_> = others.iter().chain([&first]).chain(inside).collect();
        let everybody: Vec<_> = inside.iter().copied().chain(&rest).collect();
        assert_eq!(inside.len(), 500);
        assert_whole(backend, &group, &everybody, &inside).await;
        assert!(backend.item(&partition(&group), "job").await.is_none());
    });
}

#[test]
fn a_crowd_that_comes_at_once_comes_in() {
    run(async {
        let backend = &Backend::start(&[]).await;
        let first = Someone::new(backend, "First").await;
        let others = crowd(backend, &first, 60).await;
        let group = first.founds(backend, &[]).await;
        let outcomes = join_all(others.iter().map(|who| who.acts(backend, "join", &group, &[]))).await;
        let refused: Vec<_> = outcomes.iter().filter(|outcome| **outcome != done()).collect();
        assert!(refused.is_empty(), "{refused:?} {:?}", faults());
        let everybody: Vec<_> = others.iter().chain([&first]).collect();
        assert_whole(backend, &group, &everybody, &everybody).await;
    });
}
