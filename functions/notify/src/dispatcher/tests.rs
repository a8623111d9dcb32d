//! Tests which notifications a batch of records produces, in which order, and which records Lambda sends again after a
//! failure.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;
use domain::Fault;
use domain::clock::Timestamp;
use domain::notifications::Listener;
use domain::social::GroupId;
use dynamodb::stream;
use serde_json::{Value, json};

use super::*;

/// All dependencies of a dispatcher.
#[derive(Default)]
struct World {
    /// All users, with the token of their Android device if they have one.
    people: HashMap<UserId, Listener>,
    members: BTreeSet<UserId>,
    /// How many more notices the topic accepts before it fails.
    takes: Mutex<Option<usize>>,
    /// The operation whose notices the topic rejects as invalid.
    refuses: Option<&'static str>,
    no_roster: bool,
    /// The friends of user 1.
    friends: BTreeSet<UserId>,
    counts: Mutex<HashMap<CountedPush, usize>>,
    /// How many pushes of each kind are allowed.
    most: Option<usize>,
    /// The time that a push to a device takes.
    push_takes: Duration,
    no_applications: bool,
    /// Milliseconds that pass each time the clock is read.
    pace: i64,
    now: Mutex<i64>,
    published: Mutex<Vec<Value>>,
    pushed: Mutex<Vec<(String, String)>>,
    asked_for: Mutex<Vec<BTreeSet<UserId>>>,
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
        self.pushed.lock().unwrap().push((device.token.clone(), body));
        if device.token == "gone" { Pushed::Gone } else { Pushed::Sent }
    }
}

fn user(id: u64) -> UserId {
    UserId::new(id).unwrap()
}

/// Users 1 to 5, each with an Android device `android <id>` and an iPhone.
fn world() -> World {
    let person = |id: u64| {
        let android = Device { platform: Platform::Google, token: format!("android {id}") };
        let iphone = Device { platform: Platform::Apple, token: format!("iphone {id}") };
        (user(id), Listener { name: format!("P{id}"), devices: BTreeSet::from([android, iphone]) })
    };
    World { people: (1..=5).map(person).collect(), members: (1..=4).map(user).collect(), ..World::default() }
}

/// Passes the records to a dispatcher, and returns the world with the sequence number of the first record that Lambda has
/// to send again.
async fn dispatch(world: World, records: &[Value]) -> (Arc<World>, Option<String>) {
    let world = Arc::new(world);
    let dispatcher = Dispatcher {
        clock: world.clone(),
        listeners: world.clone(),
        recipients: world.clone(),
        counts: world.clone(),
        publisher: world.clone(),
        push_sender: world.clone(),
        app: "App".into(),
        // Long enough for a task that only has to be woken up.
        pushing: Duration::from_secs(1),
    };
    let event = json!({ "Records": records }).to_string();
    let records = stream::records(event.as_bytes()).unwrap();
    let failed = dispatcher.dispatch(&records).await.map(str::to_owned);
    (world, failed)
}

fn record(sequence: u64, pk: &str, sk: &str, old: Value, new: Value) -> Value {
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

fn relation(other: u64, status: u8, asked: u64) -> Value {
    json!({
        "other": { "N": other.to_string() }, "status": { "N": status.to_string() }, "asked": { "N": asked.to_string() },
        "updated": { "N": asked.to_string() }, "turn": { "N": "1" }, "message": { "S": "let me in" },
    })
}

/// User 2 sends user 1 a friend request.
fn request(sequence: u64) -> Value {
    record(sequence, "user#1", "friend#2", Value::Null, relation(2, 11, 5))
}

fn group(told: Option<(u64, &str, &[u64])>) -> Value {
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
fn happened(sequence: u64, operation: &str, targets: &[u64]) -> Value {
    record(sequence, "group#7", "head", group(Some((8, "Rename", &[]))), group(Some((9, operation, targets))))
}

fn ids(world: &World) -> Vec<String> {
    world.published.lock().unwrap().iter().map(|body| body["id"].as_str().unwrap().to_owned()).collect()
}

fn pushed(world: &World) -> Vec<(String, String)> {
    let mut pushed = world.pushed.lock().unwrap().clone();
    pushed.sort();
    pushed
}

#[tokio::test]
async fn each_change_is_published_once_under_its_id_and_pushed_to_who_is_to_hear() {
    let accepted = record(3, "user#2", "friend#1", relation(1, 10, 5), relation(1, 20, 5));
    let (world, failed) = dispatch(world(), &[request(1), happened(2, "Add", &[3]), accepted]).await;
    assert_eq!((failed, ids(&world)), (None, vec!["event 1".to_owned(), "event 2".to_owned(), "event 3".to_owned()]));
    let published = world.published.lock().unwrap();
    assert_eq!(published[0]["content"]["extra"]["sourceUserNickname"], "P2");
    assert_eq!(published[1]["content"]["data"]["targetUserDisplayNames"], json!(["P3"]));
    let expected = [
        ("android 1", "P2 wants to be your friend: let me in"),
        ("android 2", "P1 is your friend now"),
        ("android 2", "徒步: P1 added P3"),
        ("android 3", "徒步: P1 added you"),
        ("android 4", "徒步: P1 added P3"),
    ];
    assert_eq!(pushed(&world), expected.map(|(token, body)| (token.to_owned(), body.to_owned())));
}

#[tokio::test]
async fn who_was_put_out_hears_of_it() {
    let (world, _) = dispatch(world(), &[happened(1, "Kicked", &[5])]).await;
    assert!(pushed(&world).contains(&("android 5".to_owned(), "徒步: P1 removed you".to_owned())));
    assert!(pushed(&world).contains(&("android 2".to_owned(), "徒步: P1 removed P5".to_owned())));
}

#[tokio::test]
async fn a_bulletin_says_what_is_posted() {
    let (world, _) = dispatch(world(), &[happened(1, "Bulletin", &[])]).await;
    assert_eq!(world.published.lock().unwrap()[0]["content"]["data"]["content"], "at eight");
    assert!(pushed(&world).contains(&("android 2".to_owned(), "徒步: P1: at eight".to_owned())));
}

#[tokio::test]
async fn what_is_no_news_is_not_told() {
    let records = [
        record(1, "user#1", "account", Value::Null, json!({})),
        record(2, "group#7", "roster", Value::Null, json!({})),
        record(3, "user#1", "friend#2", relation(2, 11, 5), Value::Null),
        record(4, "user#1", "friend#2", relation(2, 11, 5), relation(2, 21, 5)),
        record(5, "group#7", "head", group(Some((9, "Add", &[3]))), group(Some((9, "Add", &[3])))),
        record(6, "group#7", "head", group(Some((9, "Add", &[3]))), group(None)),
    ];
    let (world, failed) = dispatch(world(), &records).await;
    assert_eq!((failed, ids(&world)), (None, Vec::new()));
    assert_eq!(*world.asked_for.lock().unwrap(), Vec::<BTreeSet<UserId>>::new());
}

#[tokio::test]
async fn a_broken_record_holds_nothing_up() {
    let records = [
        json!({ "eventID": "event 1" }),
        record(2, "user#1", "friend#2", Value::Null, json!({ "status": { "S": "11" } })),
        record(3, "group#7", "head", json!({}), group(Some((9, "Add", &[3])))),
        record(4, "group#7", "head", Value::Null, group(Some((9, "Dance", &[3])))),
        request(5),
    ];
    let (world, failed) = dispatch(world(), &records).await;
    assert_eq!((failed, ids(&world)), (None, vec!["event 5".to_owned()]));
}

#[tokio::test]
async fn from_a_failure_on_nothing_is_published_and_before_it_everything() {
    let world = World { takes: Mutex::new(Some(2)), ..world() };
    let records = [request(1), happened(2, "Add", &[3]), happened(3, "Dismiss", &[]), request(4)];
    let (world, failed) = dispatch(world, &records).await;
    assert_eq!((failed.as_deref(), ids(&world)), (Some("3"), vec!["event 1".to_owned(), "event 2".to_owned()]));
    // The published notification is still pushed.
    assert_eq!(pushed(&world).len(), 4);
}

#[tokio::test]
async fn what_the_topic_calls_invalid_is_passed_over() {
    let world = World { refuses: Some("Add"), ..world() };
    let (world, failed) = dispatch(world, &[happened(1, "Add", &[3]), request(2)]).await;
    assert_eq!((failed, ids(&world)), (None, vec!["event 2".to_owned()]));
    assert_eq!(pushed(&world), [("android 1".to_owned(), "P2 wants to be your friend: let me in".to_owned())]);
}

#[tokio::test]
async fn pushes_that_fail_bring_nothing_back() {
    let mut world = World { no_roster: true, ..world() };
    world.people.get_mut(&user(1)).unwrap().devices =
        BTreeSet::from([Device { platform: Platform::Google, token: "gone".to_owned() }]);
    let (world, failed) = dispatch(world, &[happened(1, "Add", &[3]), request(2)]).await;
    assert_eq!((failed, ids(&world).len()), (None, 2));
    assert_eq!(pushed(&world), [("gone".to_owned(), "P2 wants to be your friend: let me in".to_owned())]);
}

#[tokio::test]
async fn pushes_that_take_too_long_are_dropped() {
    let world = World { push_takes: Duration::from_mins(1), ..world() };
    let (world, failed) = dispatch(world, &[happened(1, "Add", &[3])]).await;
    assert_eq!((failed, ids(&world).len(), pushed(&world)), (None, 1, Vec::new()));
}

#[tokio::test]
async fn without_platform_applications_nobody_is_looked_up_for_pushes() {
    let world = World { no_applications: true, ..world() };
    let (world, _) = dispatch(world, &[happened(1, "Add", &[3])]).await;
    assert_eq!(*world.asked_for.lock().unwrap(), [BTreeSet::from([user(1), user(3)])]);
}

#[tokio::test]
async fn a_slow_batch_is_put_off_but_never_its_first_record() {
    let world = World { pace: 3_000, ..world() };
    let (world, failed) = dispatch(world, &[request(1), request(2), request(3)]).await;
    assert_eq!((failed.as_deref(), ids(&world)), (Some("2"), vec!["event 1".to_owned()]));
    let world = World { pace: 60_000, ..self::world() };
    let (world, failed) = dispatch(world, &[request(1)]).await;
    assert_eq!((failed, ids(&world)), (None, vec!["event 1".to_owned()]));
}

#[tokio::test]
async fn who_is_pushed_too_often_is_pushed_no_more_but_the_topic_has_everything() {
    let world = World { most: Some(1), ..world() };
    let other = record(2, "user#1", "friend#3", Value::Null, relation(3, 11, 5));
    let (world, _) =
        dispatch(world, &[request(1), other, happened(3, "Rename", &[]), happened(4, "Rename", &[])]).await;
    assert_eq!(ids(&world).len(), 4);
    let renamed = |id| (format!("android {id}"), "徒步: P1 gave the group this name".to_owned());
    let asked = ("android 1".to_owned(), "P2 wants to be your friend: let me in".to_owned());
    assert_eq!(pushed(&world), [asked, renamed(2), renamed(3), renamed(4)]);
}

#[tokio::test]
async fn a_request_again_on_the_same_day_is_published_and_not_pushed() {
    let again = record(1, "user#1", "friend#2", relation(2, 21, 5), relation(2, 11, 6));
    let (world, _) = dispatch(world(), &[again]).await;
    assert_eq!((ids(&world).len(), pushed(&world)), (1, Vec::new()));
    assert_eq!(*world.counts.lock().unwrap(), HashMap::new());
}

#[tokio::test]
async fn who_is_added_by_a_friend_is_told_whatever_strangers_did() {
    let full = |friends| World { most: Some(0), friends, ..world() };
    let (world, _) = dispatch(full(BTreeSet::from([user(3)])), &[happened(1, "Add", &[3, 4])]).await;
    assert!(pushed(&world).is_empty(), "what one person does is counted too");
    let world = World { friends: BTreeSet::from([user(3)]), ..self::world() };
    let (world, _) = dispatch(world, &[happened(1, "Add", &[3, 4])]).await;
    let counted = world.counts.lock().unwrap().clone();
    let expected = [CountedPush::Group { by: user(1) }, CountedPush::Addition { to: user(4) }];
    assert_eq!(counted, expected.map(|push| (push, 1)).into());
}
