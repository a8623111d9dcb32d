//! The limits on changes by one user to the lists of others.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};

use super::group_helpers::{assert_whole, changes, too_many_groups};
use super::{Someone, action, done, held, is_blocked, not_signed_in};
use crate::support::backend::whole;
use crate::support::round_trips::documented;
use crate::support::table::number;
use crate::support::{Backend, run};

fn limited(words: &str) -> (u16, Value) {
    (200, json!({ "code": 5_000, "message": words }))
}

#[test]
fn strangers_fill_neither_the_own_groups_of_a_person_nor_those_of_friends() {
    run(async {
        let policy = [("GroupsAddedByStrangers", "3"), ("GroupsAdded", "4")];
        let backend = &Backend::frozen(&policy).await;
        let [stranger, friend, tom] = &Someone::several(backend, ["Stranger", "Friend", "Tom"]).await;
        tom.befriends(backend, friend).await;
        let mut groups = Vec::new();
        for _ in 0..3 {
            groups.push(stranger.founds(backend, &[tom]).await);
        }
        let before = backend.count_items().await;
        assert_eq!(stranger.makes(backend, "ab", &[tom]).await, too_many_groups());
        assert_eq!(backend.count_items().await, before, "a refused request changes nothing");
        let other = &stranger.founds(backend, &[]).await;
        assert_eq!(stranger.acts(backend, "add", other, &[tom]).await, too_many_groups());
        // Groups of their own, and those that they join.
        groups.push(tom.founds(backend, &[]).await);
        assert_eq!(tom.acts(backend, "join", other, &[]).await, done());
        groups.push(other.clone());
        // And a friend adds them all the same, up to a bound of its own.
        let theirs = &friend.founds(backend, &[]).await;
        let body = json!({ "groupId": theirs, "memberIds": [tom.id] });
        let added = whole(friend.sends(backend, "/group/add", &body)).await;
        assert_eq!((added.status, &added.body["code"]), (200, &json!(200)), "{}", added.body);
        assert_eq!(added.rounds(), documented("… whose lists are full for strangers, but not for friends"));
        groups.push(theirs.clone());
        assert_eq!(friend.makes(backend, "ab", &[tom]).await, too_many_groups());
        let all: BTreeSet<_> = tom.groups(backend).await.into_iter().collect();
        assert_eq!(all, groups.iter().cloned().collect());
        assert_whole(backend, theirs, &[friend, tom, stranger], &[friend, tom]).await;
        // Leaving makes room.
        for group in &groups[..2] {
            assert_eq!(tom.acts(backend, "quit", group, &[]).await, done());
        }
        stranger.founds(backend, &[tom]).await;
        assert_eq!(stranger.makes(backend, "ab", &[tom]).await, too_many_groups());
    });
}

#[test]
fn of_many_groups_made_at_once_as_many_are_made_as_a_day_has() {
    run(async {
        let backend = &Backend::frozen(&[("GroupsPerDay", "3")]).await;
        let [tom, ann] = &Someone::several(backend, ["Tom", "Ann"]).await;
        let made = join_all((0..8).map(|_| tom.makes(backend, "ab", &[]))).await;
        let count = made.iter().filter(|(_, body)| body["code"] == 200).count();
        assert_eq!((count, tom.groups(backend).await.len()), (3, 3), "{made:?}");
        let before = backend.count_items().await;
        let (status, body) = tom.makes(backend, "ab", &[ann]).await;
        let words = body["message"].as_str().expect("words");
        assert!(status == 200 && body["code"] == 5_000 && words.contains("groups made today"), "{body}");
        assert_eq!(backend.count_items().await, before);
        ann.founds(backend, &[tom]).await;
        backend.advance(Duration::from_hours(24));
        tom.founds(backend, &[ann]).await;
    });
}

#[test]
fn an_account_asks_so_many_people_a_day() {
    run(async {
        let backend = &Backend::frozen(&[("InvitationsPerDay", "2")]).await;
        let [tom, late] = &Someone::several(backend, ["Tom", "Late"]).await;
        let others = &Someone::several(backend, ["A", "B", "C", "D"]).await;
        let asked = join_all(others.iter().map(|other| tom.invites(backend, other, ""))).await;
        assert_eq!(asked.iter().filter(|asked| **asked == action("Sent")).count(), 2, "{asked:?}");
        let kept = join_all(others.iter().map(|other| held(backend, other, tom))).await;
        assert_eq!(kept.iter().flatten().count(), 2, "a refused request leaves nothing");
        let (_, body) = tom.invites(backend, late, "").await;
        let words = body["message"].as_str().expect("words");
        assert!(body["code"] == 5_000 && words.contains("friend requests today"), "{body}");
        // A request to a user who has sent one is always accepted, even after the sender's own limit is reached.
        assert_eq!(late.invites(backend, tom, "").await, action("Sent"));
        assert_eq!(tom.invites(backend, late, "").await, action("Added"));
        backend.advance(Duration::from_hours(24));
        let missed = asked.iter().zip(others).find(|(asked, _)| **asked != action("Sent")).expect("one refused").1;
        assert_eq!(tom.invites(backend, missed, "").await, action("Sent"));
    });
}

/// The number of users that a user blocks, by the relations and by the account's count.
async fn blocked(backend: &Backend, who: &Someone, of: &[Someone]) -> (usize, Option<i64>) {
    let relations = join_all(of.iter().map(|other| held(backend, who, other))).await;
    let count = relations.iter().flatten().filter(|relation| is_blocked(relation)).count();
    (count, number(&backend.account(who.number()).await, "blocked"))
}

#[test]
fn a_blacklist_ends_and_taking_a_person_off_makes_room() {
    run(async {
        let backend = &Backend::frozen(&[("BlockedPerAccount", "3")]).await;
        let tom = &Someone::new(backend, "Tom").await;
        let others = &Someone::several(backend, ["A", "B", "C", "D", "E", "F"]).await;
        let (add, remove) = ("/user/add_to_blacklist", "/user/remove_from_blacklist");
        assert_eq!(blocked(backend, tom, others).await, (0, None));
        let full = limited("the blacklist is full; remove a person first");
        let tried = join_all(others.iter().map(|other| tom.does(backend, add, other))).await;
        assert_eq!(tried.iter().filter(|tried| **tried == done()).count(), 3, "{tried:?}");
        assert_eq!(tried.iter().filter(|tried| **tried == full).count(), 3, "{tried:?}");
        assert_eq!(blocked(backend, tom, others).await, (3, Some(3)));
        let (on, off): (Vec<_>, Vec<_>) = others.iter().zip(tried).partition(|(_, tried)| *tried == done());
        assert_eq!(tom.does(backend, add, on[0].0).await, done(), "is on it already");
        assert_eq!(tom.does(backend, add, off[0].0).await, full);
        for _ in 0..2 {
            assert_eq!(tom.does(backend, remove, on[0].0).await, done());
        }
        assert_eq!(tom.invites(backend, on[1].0, "").await, action("Sent"));
        assert_eq!(blocked(backend, tom, others).await, (1, Some(1)));
        for (other, expected) in off.iter().map(|(other, _)| other).zip([done(), done(), full]) {
            assert_eq!(tom.does(backend, add, other).await, expected);
        }
        assert_eq!(blocked(backend, tom, others).await, (3, Some(3)));
        // A request without a session gets that error, even if the list is full.
        tom.leaves(backend).await;
        assert_eq!(tom.does(backend, add, off[2].0).await, not_signed_in());
        assert_eq!(tom.does(backend, add, tom).await, not_signed_in());
    });
}

async fn renames(backend: &Backend, who: &Someone, nickname: &str) {
    assert_eq!(who.post(backend, "/user/set_nickname", json!({ "nickname": nickname })).await, done());
    backend.settled().await;
}

#[test]
fn a_nickname_is_spread_once_a_minute_and_the_last_one_is_not_lost() {
    run(async {
        let backend = &Backend::frozen(&[("SpreadsPerDay", "3")]).await;
        let [tom, ann] = &Someone::several(backend, ["Tom", "Ann"]).await;
        let group = &tom.founds(backend, &[ann]).await;
        let start = changes(backend, group).await;
        let spread = async || changes(backend, group).await - start;
        for number in 0..4 {
            renames(backend, tom, &format!("Tom {number}")).await;
        }
        assert_eq!(spread().await, 1);
        // Too early, so nothing but the account and the note of it is written.
        let marked = async || backend.account(tom.number()).await.contains_key("unspread");
        let partition = format!("user#{}", tom.number());
        assert!(marked().await && backend.item(&partition, "unspread").await.is_some());
        renames(backend, tom, "Tom 3").await;
        assert_eq!(spread().await, 1, "not before the minute is over");
        backend.advance(Duration::from_mins(1));
        // The next thing that they do spreads it, whatever it is.
        renames(backend, tom, "Tom 3").await;
        assert_eq!((spread().await, marked().await), (2, false));
        renames(backend, tom, "Tom 3").await;
        assert_eq!(spread().await, 2);
        // Somebody who does nothing more: the note's time to live ends.
        renames(backend, tom, "Thomas").await;
        assert_eq!(spread().await, 2);
        backend.advance(Duration::from_mins(1));
        backend.delete_item(&partition, "unspread").await;
        backend.settled().await;
        assert_eq!((spread().await, marked().await), (3, false));
        // The day's last was spread.
        backend.advance(Duration::from_mins(1));
        renames(backend, tom, "Tommy").await;
        backend.delete_item(&partition, "unspread").await;
        backend.settled().await;
        assert!(marked().await && backend.item(&partition, "unspread").await.is_some(), "it is noted again");
        assert_eq!(spread().await, 3);
        backend.advance(Duration::from_hours(24));
        backend.delete_item(&partition, "unspread").await;
        backend.settled().await;
        assert_eq!((spread().await, marked().await), (4, false));
        let (_, told) = ann.get(backend, "/user/sync/0").await;
        let members = told["result"]["group_members"].as_array().expect("members");
        assert!(members.iter().any(|member| member["user"]["nickname"] == "Tommy"), "{told}");
    });
}
