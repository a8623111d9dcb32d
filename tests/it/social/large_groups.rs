//! Groups larger than a transaction: they are created and dissolved in steps, but are either completely visible or not
//! at all.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use emulator::Fault;
use futures::future::{join, join_all};
use serde_json::json;

use super::group_helpers::{assert_whole, carry_on, crowd, full, named, no_group, partition, settled, too_many_groups};
use super::{Someone, TRANSACT, done, internal_error, refused, result};
use crate::support::{Backend, run};

const BATCH_GET: &str = "dynamodb:BatchGetItem";
const UPDATE: &str = "dynamodb:UpdateItem";
const DELETE: &str = "dynamodb:DeleteItem";

/// An error that no SDK retries.
fn lasting() -> Fault {
    Fault::error(400, "ValidationException")
}

/// A backend with one user and a crowd of others.
async fn backend_with(count: usize) -> (Backend, Someone, Vec<Someone>) {
    let backend = Backend::start(&[]).await;
    let owner = Someone::new(&backend, "Owner").await;
    let others = crowd(&backend, &owner, count).await;
    (backend, owner, others)
}

/// Five users of a crowd, from all parts of the order in which the lists of groups are written.
fn some_of<'a>(people: &[&'a Someone]) -> Vec<&'a Someone> {
    let mut all = people.to_vec();
    all.sort_by_key(|someone| someone.number());
    [0, 49, 50, all.len() / 2, all.len() - 1].map(|at| all[at]).to_vec()
}

/// Results for users who continually read a group: when it was there, and when it was not.
#[derive(Default)]
struct Watch {
    /// Counts events, instead of a clock.
    now: AtomicU64,
    over: AtomicBool,
    /// The group's id, once a user has seen it.
    group: Mutex<Option<String>>,
    /// Whether it was there, and the moments of the request and of the response.
    told: Mutex<Vec<(bool, u64, u64)>>,
}

impl Watch {
    fn tick(&self) -> u64 {
        self.now.fetch_add(1, Ordering::SeqCst)
    }

    fn tell(&self, is_there: bool, asked: u64) {
        let answered = self.tick();
        self.told.lock().expect("what was told").push((is_there, asked, answered));
    }

    /// Reads until the test is over. If there is a group, it has `count` members for every reader.
    async fn look(&self, backend: &Backend, who: &Someone, count: usize) {
        while !self.over.load(Ordering::SeqCst) {
            let asked = self.tick();
            let groups = who.groups(backend).await;
            assert!(groups.len() <= 1, "{groups:?}");
            self.tell(!groups.is_empty(), asked);
            if let Some(group) = groups.first() {
                *self.group.lock().expect("the group") = Some(group.clone());
            }
            let group = self.group.lock().expect("the group").clone();
            let Some(group) = group else { continue };
            let asked = self.tick();
            let (status, members) = who.get(backend, &format!("/group/{group}/members")).await;
            if status == 200 {
                assert_eq!(members["result"].as_array().expect("a list").len(), count);
            } else {
                assert_eq!((status, members), no_group());
            }
            self.tell(status == 200, asked);
            let asked = self.tick();
            let (status, shown) = who.sees(backend, &group).await;
            let there = status == 200 && shown["result"]["deletedAt"].is_null();
            if there {
                assert_eq!(shown["result"]["memberCount"], json!(count));
            }
            self.tell(there, asked);
        }
    }

    /// Runs an action while users read.
    async fn during<T>(&self, backend: &Backend, who: &[&Someone], count: usize, does: impl Future<Output = T>) -> T {
        let looking = join_all(who.iter().map(|who| self.look(backend, who, count)));
        let doing = async {
            let outcome = does.await;
            self.over.store(true, Ordering::SeqCst);
            outcome
        };
        join(looking, doing).await.1
    }

    /// Asserts that no user saw the old state after a user had seen the new one.
    fn assert_turned_once(&self, into: bool) {
        let told = self.told.lock().expect("what was told");
        let first = told.iter().filter(|(is_there, ..)| *is_there == into).map(|(_, _, answered)| *answered).min();
        let last = told.iter().filter(|(is_there, ..)| *is_there != into).map(|(_, asked, _)| *asked).max();
        if let (Some(first), Some(last)) = (first, last) {
            assert!(last < first, "told that it is {into} at {first}, and otherwise when asked at {last}");
        }
        assert!(!told.is_empty(), "nobody looked");
    }

    fn was_seen(&self) -> bool {
        self.told.lock().expect("what was told").iter().any(|(is_there, ..)| *is_there)
    }
}

/// The groups in a user's own list.
async fn lists_of(backend: &Backend, people: &[&Someone]) -> BTreeSet<String> {
    let mut groups = BTreeSet::new();
    for who in people {
        let list = backend.item(&format!("user#{}", who.number()), "groups").await;
        for set in ["live", "added"].into_iter().filter_map(|set| list.as_ref()?.get(set)) {
            groups.extend(set.as_ns().expect("numbers").clone());
        }
    }
    groups
}

#[test]
fn a_group_of_500_comes_to_all_of_them_at_once_and_goes_likewise() {
    run(async {
        let (backend, owner, others) = &backend_with(499).await;
        let everybody: Vec<_> = others.iter().chain([owner]).collect();
        let others: Vec<_> = others.iter().collect();
        let watchers = some_of(&everybody);
        let watch = Watch::default();
        let group = &watch.during(backend, &watchers, 500, owner.founds(backend, &others)).await;
        watch.assert_turned_once(true);
        settled(backend).await;
        assert_whole(backend, group, &everybody, &everybody).await;
        assert_eq!(others[7].acts(backend, "join", group, &[]).await, done());
        let [more] = Someone::several(backend, ["More"]).await;
        assert_eq!(more.acts(backend, "join", group, &[]).await, full());

        // 200 members in one request, who then come back.
        assert_eq!(owner.acts(backend, "kick", group, &others[..200]).await, done());
        let left: Vec<_> = others[200..].iter().copied().chain([owner]).collect();
        assert_whole(backend, group, &everybody, &left).await;
        assert_eq!(owner.acts(backend, "add", group, &others[..200]).await, result(&named(&others[..200])));
        assert_whole(backend, group, &everybody, &everybody).await;

        let watch = Watch::default();
        assert_eq!(watch.during(backend, &watchers, 500, owner.acts(backend, "dismiss", group, &[])).await, done());
        watch.assert_turned_once(false);
        settled(backend).await;
        assert_whole(backend, group, &everybody, &[]).await;
        // A record may be delivered again.
        let processed = json!({ "batchItemFailures": [] });
        assert_eq!(carry_on(backend, group).await, [processed.clone(), processed]);
        settled(backend).await;
        assert_whole(backend, group, &everybody, &[]).await;
    });
}

/// Faults at the steps of creating a large group, and whether the group is then not created: the call, and how many
/// such calls succeed first.
const STEPS: [(&str, usize, bool); 9] = [
    (BATCH_GET, 0, true),
    (TRANSACT, 0, true),
    (BATCH_GET, 6, false),
    (UPDATE, 0, false),
    (UPDATE, 49, false),
    (UPDATE, 60, false),
    (UPDATE, 120, false),
    (TRANSACT, 1, false),
    (BATCH_GET, 7, false),
];

#[test]
fn a_large_group_whose_making_fails_anywhere_is_made_by_itself_or_never_was() {
    run(async {
        let (backend, owner, others) = &backend_with(120).await;
        let everybody: Vec<_> = others.iter().chain([owner]).collect();
        let others: Vec<_> = others.iter().collect();
        let mut failed = 0;
        for (call, spared, nothing) in STEPS {
            let watch = Watch::default();
            let watchers = if call == BATCH_GET { &[][..] } else { &everybody[..3] };
            backend.running.endpoints().fail_after(call, spared, 1, lasting());
            let makes = async {
                let made = owner.makes(backend, "the group", &others).await;
                settled(backend).await;
                made
            };
            let (status, body) = watch.during(backend, watchers, 121, makes).await;
            // If the stream continues the job in the meantime, the fault may occur there.
            assert!(status == 200 || (status, body.clone()) == internal_error(), "{call} {spared}: {body}");
            failed += usize::from(status != 200);
            assert_eq!(backend.running.endpoints().faults_left(), 0, "{call} {spared}");
            let groups = owner.groups(backend).await;
            if nothing {
                assert_eq!(
                    (status, groups, lists_of(backend, &everybody).await),
                    (500, vec![], BTreeSet::new()),
                    "{call}"
                );
                continue;
            }
            if !watchers.is_empty() {
                watch.assert_turned_once(true);
            }
            assert_eq!(groups.len(), 1, "{call} {spared}: {body}");
            assert_whole(backend, &groups[0], &everybody, &everybody).await;
            assert_eq!(owner.acts(backend, "dismiss", &groups[0], &[]).await, done());
            settled(backend).await;
            assert_eq!(lists_of(backend, &everybody).await, BTreeSet::new(), "{call} {spared}");
        }
        assert!(failed >= 3, "{failed} requests failed");
    });
}

#[test]
fn a_large_group_whose_dissolving_fails_anywhere_goes_as_a_whole() {
    run(async {
        let (backend, owner, others) = &backend_with(120).await;
        let everybody: Vec<_> = others.iter().chain([owner]).collect();
        let others: Vec<_> = others.iter().collect();
        for (call, spared) in [(TRANSACT, 0), (UPDATE, 0), (UPDATE, 49), (UPDATE, 60), (UPDATE, 120), (DELETE, 0)] {
            let group = &owner.founds(backend, &others).await;
            settled(backend).await;
            let watch = Watch::default();
            backend.running.endpoints().fail_after(call, spared, 1, lasting());
            let dissolves = async {
                let outcome = owner.acts(backend, "dismiss", group, &[]).await;
                settled(backend).await;
                outcome
            };
            let outcome = watch.during(backend, &everybody[..3], 121, dissolves).await;
            assert_eq!(backend.running.endpoints().faults_left(), 0, "{call} {spared}");
            if call == TRANSACT {
                assert_eq!(outcome, internal_error());
                assert_whole(backend, group, &everybody, &everybody).await;
                assert_eq!(owner.acts(backend, "dismiss", group, &[]).await, done());
                settled(backend).await;
            } else {
                assert_eq!(outcome, done(), "{call} {spared}");
                watch.assert_turned_once(false);
            }
            assert_whole(backend, group, &everybody, &[]).await;
        }
    });
}

#[test]
fn a_large_group_with_somebody_in_too_many_groups_comes_to_nothing_unseen() {
    run(async {
        let (backend, owner, others) = &backend_with(200).await;
        let everybody: Vec<_> = others.iter().chain([owner]).collect();
        let busy = some_of(&everybody[..200])[3];
        busy.is_in_groups(backend, "added", 500).await;
        let rest: Vec<_> = everybody.iter().copied().filter(|who| who.id != busy.id).collect();
        let others: Vec<_> = others.iter().collect();
        let watch = Watch::default();
        let makes = async {
            let made = owner.makes(backend, "the group", &others).await;
            settled(backend).await;
            made
        };
        let answered = watch.during(backend, &rest[..3], 201, makes).await;
        assert_eq!(answered, too_many_groups());
        assert!(!watch.was_seen());
        assert_eq!(lists_of(backend, &rest).await, BTreeSet::new(), "nobody is in it");
        assert_eq!(lists_of(backend, &[busy]).await.len(), 500);
        let groups = backend.items_below("group#").await;
        let job = groups.iter().find(|item| item["sk"].as_s().is_ok_and(|sk| sk == "job"));
        assert!(job.is_none(), "{job:?}");
        // Adding too many users is refused before any is added.
        let group = &owner.founds(backend, &[]).await;
        assert_eq!(owner.acts(backend, "add", group, &others).await, too_many_groups());
        assert_whole(backend, group, &everybody, &[owner]).await;
        let without: Vec<_> = rest.iter().copied().filter(|who| who.id != owner.id).collect();
        assert_eq!(owner.acts(backend, "add", group, &without).await, result(&named(&without)));
        assert_whole(backend, group, &everybody, &rest).await;
        // The same for removing.
        let stranger = Someone::new(backend, "Stranger").await;
        let with: Vec<_> = without.iter().copied().chain([&stranger]).collect();
        let absent = refused(400, "a user in the request is not in the group");
        assert_eq!(owner.acts(backend, "kick", group, &with).await, absent);
        assert_whole(backend, group, &everybody, &rest).await;
    });
}

#[test]
fn room_is_the_same_whoever_blocks_the_one_who_adds() {
    run(async {
        let (backend, owner, others) = &backend_with(501).await;
        let [willing, blocking] = Someone::several(backend, ["Willing", "Blocking"]).await;
        assert_eq!(blocking.does(backend, "/user/add_to_blacklist", owner).await, done());
        let most: Vec<_> = others[..499].iter().collect();
        for last in [&willing, &blocking] {
            let too_many: Vec<_> = most.iter().copied().chain([last]).collect();
            assert_eq!(owner.makes(backend, "the group", &too_many).await, full());
        }
        let group = &owner.founds(backend, &most[..498]).await;
        for last in [&willing, &blocking] {
            assert_eq!(owner.acts(backend, "add", group, &[last, &others[500]]).await, full());
        }
        let answers = [
            owner.acts(backend, "add", group, &[&blocking]).await,
            owner.acts(backend, "add", group, &[&willing]).await,
        ];
        assert_eq!(answers, [result(&named(&[&blocking])), result(&named(&[&willing]))]);
        for last in [&others[500], &blocking] {
            assert_eq!(owner.acts(backend, "add", group, &[last]).await, full());
        }
        let partition = partition(group);
        assert!(backend.item(&partition, "job").await.is_none());
    });
}
