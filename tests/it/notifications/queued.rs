//! Pushes go through a queue, and none is dropped.

use std::collections::BTreeMap;
use std::time::Instant;

use emulator::{Fault, Push};
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::oneshot;

use super::groups::crowd;
use super::{Member, news, operations, pushes, shown};
use crate::support::{Backend, run};

/// The number of members of a group and of its changes. `FULL_SIZE=1` in the environment sets the numbers that the queue
/// was made for; they take a few minutes.
fn sizes() -> (usize, usize) {
    if std::env::var_os("FULL_SIZE").is_some() { (500, 50) } else { (150, 12) }
}

/// Counts every push, by its token and text, until `over`.
async fn count(mut pushes: Receiver<Push>, mut over: oneshot::Receiver<()>) -> BTreeMap<(String, String), usize> {
    let mut counts = BTreeMap::new();
    let mut add = |push: Push| *counts.entry((push.token, shown(&push.payload))).or_default() += 1;
    loop {
        tokio::select! {
            biased;
            push = pushes.recv() => add(push.expect("this reader keeps up")),
            _ = &mut over => break,
        }
    }
    while let Ok(push) = pushes.try_recv() {
        add(push);
    }
    counts
}

#[test]
fn many_changes_of_a_large_group_reach_every_device_once() {
    run(async {
        let (members, changes) = sizes();
        let backend = &Backend::start(&[("GroupPushesPerHour", "1000")]).await;
        let tom = Member::new(backend, "Tom").await;
        let people = crowd(backend, &tom, members - 1).await;
        let group = tom.founds(backend, "Hiking", &people.iter().map(String::as_str).collect::<Vec<_>>()).await;
        backend.settled().await;
        let (end, over) = oneshot::channel();
        let counts = tokio::spawn(count(backend.running.endpoints().subscribe_pushes(), over));
        let began = Instant::now();
        for number in 0..changes {
            let change = json!({ "groupId": group, "bulletin": format!("number {number}") });
            tom.does(backend, "/group/set_bulletin", change).await;
        }
        let changed = began.elapsed();
        backend.settled().await;
        end.send(()).expect("the counter runs");
        let counts = counts.await.expect("counts");
        // Which text a push shows depends on when it is built, but each change is pushed to each device.
        assert_eq!(counts.values().sum::<usize>(), changes * (members - 1));
        let mut of_device: BTreeMap<&str, usize> = BTreeMap::new();
        for ((token, _), count) in &counts {
            *of_device.entry(token).or_default() += count;
        }
        assert_eq!(of_device.len(), members - 1);
        assert!(of_device.values().all(|count| *count == changes), "every device has as many as there are changes");
        assert_eq!(operations(backend).await.len(), 1 + changes);
        assert_eq!(backend.running.endpoints().denied(), []);
        println!(
            "{} pushes {:?} after the first change, the last of which took {changed:?}",
            changes * (members - 1),
            began.elapsed()
        );
    });
}

#[test]
fn pushes_whose_receivers_cannot_be_read_are_sent_later() {
    run(async {
        let backend = &Backend::start(&[]).await;
        let [tom, ann] = Member::several(backend, ["Tom", "Ann"]).await;
        ann.signs_in_with(backend, &json!({ "ng_device_token": "ann" })).await;
        let endpoints = backend.running.endpoints();
        // The request reads the relation of the two users, and the stream's reader their nicknames. The next call reads
        // the devices to push to.
        endpoints.fail_after("dynamodb:BatchGetItem", 2, 2, Fault::error(400, "ValidationException"));
        tom.invites(backend, &ann, "").await;
        assert_eq!((news(backend).await.len(), endpoints.faults_left()), (1, 0), "published once");
        let expected = ("ann".to_owned(), "Handset: Tom wants to be your friend".to_owned());
        assert_eq!(pushes(backend).await, [expected]);
        assert_eq!(backend.in_queue("FailedPushes"), []);
    });
}

#[test]
fn what_always_fails_is_a_dead_letter_and_holds_up_no_other() {
    run(async {
        let backend = &Backend::start(&[]).await;
        let [tom, ann] = Member::several(backend, ["Tom", "Ann"]).await;
        ann.signs_in_with(backend, &json!({ "ng_device_token": "ann" })).await;
        let url = &backend.running.environments()["notify"]["PUSHES_QUEUE_URL"];
        let client = aws_sdk_sqs::Client::new(backend.administrator());
        client.send_message().queue_url(url).message_body("{\"work\":\"dance\"}").send().await.expect("sent");
        tom.invites(backend, &ann, "").await;
        assert_eq!(pushes(backend).await.len(), 1);
        let failed = backend.in_queue("FailedPushes");
        assert_eq!(failed.iter().map(|message| &*message.body).collect::<Vec<_>>(), ["{\"work\":\"dance\"}"]);
        assert_eq!((failed[0].receives, backend.in_queue("Pushes")), (20, Vec::new()));
    });
}

#[test]
fn without_the_queue_a_notification_is_told_again_until_it_is_there() {
    run(async {
        let backend = &Backend::start(&[]).await;
        let [tom, ann] = Member::several(backend, ["Tom", "Ann"]).await;
        ann.signs_in_with(backend, &json!({ "ng_device_token": "ann" })).await;
        let endpoints = backend.running.endpoints();
        endpoints.fail_next("sqs:SendMessageBatch", 1, Fault::error(403, "AccessDenied"));
        tom.invites(backend, &ann, "").await;
        assert_eq!(pushes(backend).await.len(), 1);
        // The topic has it twice, under one id.
        let ids: Vec<_> = backend
            .published()
            .into_iter()
            .map(|(message, _)| serde_json::from_str::<serde_json::Value>(&message).expect("JSON")["id"].clone())
            .collect();
        assert_eq!((ids.len(), endpoints.faults_left()), (2, 0));
        assert_eq!(ids[0], ids[1]);
    });
}
