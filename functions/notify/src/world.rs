//! Everything that the function depends on, for its tests.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::account::UserId;
use domain::clock::{Clock, Timestamp};
use domain::notifications::{
    CountedPush, Device, EventPublisher, Listener, Listeners, Notice, Platform, PushCounts, PushSender, Pushed,
    Recipients, Taken,
};
use domain::queue::Queue;
use domain::social::GroupId;
use domain::{Fault, Result};
use dynamodb::stream;
use serde_json::{Value, json};

use crate::dispatcher::Dispatcher;
use crate::pusher::Pusher;
use crate::work::Work;

/// All dependencies of the function.
#[derive(Default)]
pub(crate) struct World {
    /// All users, with the token of their Android device if they have one.
    pub(crate) people: HashMap<UserId, Listener>,
    pub(crate) members: BTreeSet<UserId>,
    /// How many more notices the topic accepts before it fails.
    pub(crate) takes: Mutex<Option<usize>>,
    /// The operation whose notices the topic rejects as invalid.
    pub(crate) refuses: Option<&'static str>,
    pub(crate) no_roster: bool,
    /// The friends of user 1.
    pub(crate) friends: BTreeSet<UserId>,
    pub(crate) counts: Mutex<HashMap<CountedPush, usize>>,
    /// How many pushes of each kind are allowed.
    pub(crate) most: Option<usize>,
    /// The time that a push to a device takes.
    pub(crate) push_takes: Duration,
    pub(crate) no_applications: bool,
    /// Milliseconds that pass each time the clock is read.
    pub(crate) pace: i64,
    pub(crate) now: Mutex<i64>,
    pub(crate) published: Mutex<Vec<Value>>,
    pub(crate) pushed: Mutex<Vec<(String, String)>>,
    /// How many more times sending to the device `busy` cannot be done.
    pub(crate) busy: Mutex<u32>,
    /// How often adding to the queue fails.
    pub(crate) full: Mutex<usize>,
    /// The work on the queue, each with its delay.
    pub(crate) queue: Mutex<VecDeque<(Work, Duration)>>,
    pub(crate) asked_for: Mutex<Vec<BTreeSet<UserId>>>,
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        let mut now = self.now.lock().unwrap();
        *now += self.pace;
        Timestamp::from_millis(*now)
    }
}

#[async_trait]
impl Listeners for World {
    async fn listeners(&self, people: &BTreeSet<UserId>, _: Timestamp) -> Result<HashMap<UserId, Listener>> {
        self.asked_for.lock().unwrap().push(people.clone());
        Ok(people.iter().filter_map(|user| Some((*user, self.people.get(user)?.clone()))).collect())
    }
}

#[async_trait]
impl Recipients for World {
    async fn members_of(&self, _: GroupId) -> Result<BTreeSet<UserId>> {
        if self.no_roster { Err(Fault::new("reading a roster", "no").into()) } else { Ok(self.members.clone()) }
    }

    async fn posted_in(&self, _: GroupId) -> Result<Option<String>> {
        Ok(Some("at eight".to_owned()))
    }

    async fn to_whom_a_friend(&self, people: &BTreeSet<UserId>, _: UserId) -> Result<BTreeSet<UserId>> {
        Ok(people.intersection(&self.friends).copied().collect())
    }
}

#[async_trait]
impl PushCounts for World {
    async fn may_push(&self, push: CountedPush, _: Timestamp) -> Result<bool> {
        let mut counts = self.counts.lock().unwrap();
        let count = counts.entry(push).or_default();
        *count += 1;
        Ok(self.most.is_none_or(|most| *count <= most))
    }
}

#[async_trait]
impl EventPublisher for World {
    async fn publish(&self, notice: &Notice) -> Result<Taken> {
        if self.refuses == Some(notice.operation) {
            return Ok(Taken::Refused);
        }
        let mut takes = self.takes.lock().unwrap();
        *takes = match *takes {
            Some(0) => return Err(Fault::new("publishing news", "the topic is away").into()),
            takes => takes.map(|takes| takes - 1),
        };
        let body: Value = serde_json::from_str(&notice.body).unwrap();
        assert_eq!(
            (body["objectName"].as_str(), body["operation"].as_str()),
            (Some(notice.kind), Some(notice.operation))
        );
        self.published.lock().unwrap().push(body);
        Ok(Taken::Done)
    }
}

#[async_trait]
impl PushSender for World {
    fn reaches(&self, platform: Platform) -> bool {
        platform == Platform::Google && !self.no_applications
    }

    async fn push(&self, device: &Device, payload: &str) -> Pushed {
        tokio::time::sleep(self.push_takes).await;
        let payload: Value = serde_json::from_str(payload).unwrap();
        let body = payload["fcmV1Message"]["message"]["notification"]["body"].as_str().unwrap().to_owned();
        let mut busy = self.busy.lock().unwrap();
        if device.token == "busy" && *busy > 0 {
            *busy -= 1;
            return Pushed::Unsent;
        }
        self.pushed.lock().unwrap().push((device.token.clone(), body));
        if device.token == "gone" { Pushed::Gone } else { Pushed::Sent }
    }
}

#[async_trait]
impl Queue<Work> for World {
    async fn send(&self, messages: &[Work], delay: Duration) -> Result<()> {
        let mut full = self.full.lock().unwrap();
        if *full > 0 {
            *full -= 1;
            return Err(Fault::new("putting messages on a queue", "it is full").into());
        }
        // As on the queue.
        let written = messages.iter().map(|work| (serde_json::from_value(json!(work)).unwrap(), delay));
        self.queue.lock().unwrap().extend(written);
        Ok(())
    }

    async fn retry_in(&self, _: &str, _: Duration) -> Result<()> {
        unreachable!("the queue's own time counts")
    }
}

pub(crate) fn user(id: u64) -> UserId {
    UserId::new(id).unwrap()
}

/// Users 1 to 5, each with an Android device `android <id>` and an iPhone.
pub(crate) fn world() -> World {
    let person = |id: u64| {
        let android = Device { platform: Platform::Google, token: format!("android {id}") };
        let iphone = Device { platform: Platform::Apple, token: format!("iphone {id}") };
        (user(id), Listener { name: format!("P{id}"), devices: BTreeSet::from([android, iphone]) })
    };
    World { people: (1..=5).map(person).collect(), members: (1..=4).map(user).collect(), ..World::default() }
}

/// Passes the records to a dispatcher, and returns the world with the sequence number of the first record that Lambda has
/// to send again.
pub(crate) async fn publish(world: World, records: &[Value]) -> (Arc<World>, Option<String>) {
    let world = Arc::new(world);
    let dispatcher = Dispatcher {
        clock: world.clone(),
        listeners: world.clone(),
        recipients: world.clone(),
        publisher: world.clone(),
        push_sender: world.clone(),
        queue: world.clone(),
        app: "App".into(),
    };
    let event = json!({ "Records": records }).to_string();
    let records = stream::records(event.as_bytes()).unwrap();
    let failed = dispatcher.dispatch(&records).await.map(str::to_owned);
    (world, failed)
}

/// The same, and then does the work on the queue.
pub(crate) async fn dispatch(world: World, records: &[Value]) -> (Arc<World>, Option<String>) {
    let (world, failed) = publish(world, records).await;
    while let Some((work, _)) = next(&world) {
        run(&world, work).await.unwrap();
    }
    (world, failed)
}

/// Takes the next work from the queue, with its delay.
pub(crate) fn next(world: &World) -> Option<(Work, Duration)> {
    world.queue.lock().unwrap().pop_front()
}

/// Does work.
pub(crate) async fn run(world: &Arc<World>, work: Work) -> Result<()> {
    let pusher = Pusher {
        clock: world.clone(),
        listeners: world.clone(),
        recipients: world.clone(),
        counts: world.clone(),
        push_sender: world.clone(),
        queue: world.clone(),
        // Long enough for a task that only has to be woken up.
        pushing: Duration::from_secs(1),
    };
    pusher.run(work).await
}

pub(crate) fn record(sequence: u64, pk: &str, sk: &str, old: Value, new: Value) -> Value {
    let mut change = json!({
        "Keys": { "pk": { "S": pk }, "sk": { "S": sk } }, "SequenceNumber": sequence.to_string(), "SizeBytes": 1,
    });
    for (name, image) in [("OldImage", old), ("NewImage", new)] {
        if !image.is_null() {
            change[name] = image;
        }
    }
    json!({ "eventID": format!("event {sequence}"), "eventName": "MODIFY", "dynamodb": change })
}

pub(crate) fn relation(other: u64, status: u8, asked: u64) -> Value {
    json!({
        "other": { "N": other.to_string() }, "status": { "N": status.to_string() }, "asked": { "N": asked.to_string() },
        "updated": { "N": asked.to_string() }, "turn": { "N": "1" }, "message": { "S": "let me in" },
    })
}

/// User 2 sends user 1 a friend request.
pub(crate) fn request(sequence: u64) -> Value {
    record(sequence, "user#1", "friend#2", Value::Null, relation(2, 11, 5))
}

pub(crate) fn group(told: Option<(u64, &str, &[u64])>) -> Value {
    let mut group = json!({
        "id": { "N": "7" }, "name": { "S": "徒步" }, "owner": { "N": "1" }, "members": { "N": "4" },
        "seq": { "N": "9" }, "created": { "N": "1" }, "updated": { "N": "5" },
    });
    if let Some((seq, operation, targets)) = told {
        let targets: Vec<_> = targets.iter().map(|target| json!({ "N": target.to_string() })).collect();
        group["told"] = json!({ "M": {
            "seq": { "N": seq.to_string() }, "operation": { "S": operation }, "operator": { "N": "1" },
            "targets": { "L": targets },
        } });
    }
    group
}

/// User 1 acts on users in the group of 1 to 4.
pub(crate) fn happened(sequence: u64, operation: &str, targets: &[u64]) -> Value {
    record(sequence, "group#7", "head", group(Some((8, "Rename", &[]))), group(Some((9, operation, targets))))
}

pub(crate) fn ids(world: &World) -> Vec<String> {
    world.published.lock().unwrap().iter().map(|body| body["id"].as_str().unwrap().to_owned()).collect()
}

pub(crate) fn pushed(world: &World) -> Vec<(String, String)> {
    let mut pushed = world.pushed.lock().unwrap().clone();
    pushed.sort();
    pushed
}
