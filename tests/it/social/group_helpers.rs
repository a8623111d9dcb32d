//! Helpers for the tests of groups.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::account::{Caller, UserId};
use domain::crypto::SystemRandom;
use domain::random;
use domain::short_id;
use domain::social::GroupId;
use emulator::Fault;
use futures::StreamExt;
use futures::future::join_all;
use local::{Functions, Handset};
use serde_json::{Value, json};

use super::{Someone, done, refused, result};
use crate::support::backend::Runs;
use crate::support::table::{Item, number};
use crate::support::{Backend, round_trips};

pub fn no_group() -> (u16, Value) {
    refused(404, "no such group")
}

pub fn no_user() -> (u16, Value) {
    refused(404, "no such user")
}

pub fn members_only() -> (u16, Value) {
    refused(403, "you are not a member of this group")
}

pub const MANAGERS_ONLY: &str = "only the owner and managers of the group may do this";

pub fn managers_only() -> (u16, Value) {
    refused(403, MANAGERS_ONLY)
}

pub fn owner_only() -> (u16, Value) {
    refused(400, "only the owner of the group may do this")
}

pub fn owner_appoints() -> (u16, Value) {
    refused(401, "only the owner of the group may appoint and remove managers")
}

pub fn absent() -> (u16, Value) {
    refused(402, "a user in the request is not in the group")
}

pub fn stays() -> (u16, Value) {
    refused(403, "the owner cannot be removed or given another role; use POST /group/transfer")
}

pub fn full() -> (u16, Value) {
    refused(400, "a group can have at most 500 members")
}

pub fn too_many_groups() -> (u16, Value) {
    (200, json!({ "code": 1_000, "message": "a user can be in at most 500 groups" }))
}

/// The response about the named users: the same for all of them.
pub fn named(people: &[&Someone]) -> Value {
    let people: BTreeSet<_> = people.iter().map(|someone| (someone.number(), &someone.id)).collect();
    people.into_iter().map(|(_, id)| json!({ "id": id, "status": 1 })).collect()
}

pub fn ids<'a>(people: &[&'a Someone]) -> Vec<&'a str> {
    people.iter().map(|someone| someone.id.as_str()).collect()
}

/// The partition of a group.
pub fn partition(group: &str) -> String {
    format!("group#{}", short_id::decode(group).map(GroupId::get).expect("an id"))
}

/// The faults so far, for the message of an assertion.
pub fn faults() -> Vec<String> {
    let failed = round_trips::log().into_iter().filter(|line| line.get("event").is_some_and(|event| event == "fault"));
    failed.filter_map(|line| line.get("chain").cloned()).collect()
}

/// How often a group was changed.
pub async fn changes(backend: &Backend, group: &str) -> i64 {
    let head = backend.item(&partition(group), "head").await.expect("a group");
    number(&head, "seq").expect("a count")
}

/// The groups in one set of a user's own list.
fn listed(list: Option<&Item>, set: &str) -> BTreeSet<String> {
    let groups = list.and_then(|list| list.get(set)).map(|set| set.as_ns().expect("numbers"));
    groups.into_iter().flatten().cloned().collect()
}

impl Someone {
    /// The request to create a group.
    pub async fn makes(&self, backend: &Backend, name: &str, people: &[&Self]) -> (u16, Value) {
        self.post(backend, "/group/create", json!({ "name": name, "memberIds": ids(people) })).await
    }

    /// Creates a group and returns its id.
    pub async fn founds(&self, backend: &Backend, people: &[&Self]) -> String {
        let (status, body) = self.makes(backend, "the group", people).await;
        let id = body["result"]["id"].as_str().unwrap_or_else(|| panic!("an id in {body}")).to_owned();
        assert_eq!((status, body), result(&json!({ "id": id, "userStatus": named(people) })));
        id
    }

    /// An action on a group, and on users if the action needs them.
    pub async fn acts(&self, backend: &Backend, action: &str, group: &str, people: &[&Self]) -> (u16, Value) {
        let mut body = json!({ "groupId": group });
        if !people.is_empty() {
            body["memberIds"] = json!(ids(people));
            body["userId"] = json!(people[0].id);
        }
        self.post(backend, &format!("/group/{action}"), body).await
    }

    /// A group as this user sees it.
    pub async fn sees(&self, backend: &Backend, group: &str) -> (u16, Value) {
        self.get(backend, &format!("/group/{group}")).await
    }

    /// The members of a group with their roles, in the order of the list.
    pub async fn roles(&self, backend: &Backend, group: &str) -> Vec<(String, u64)> {
        let (status, body) = self.get(backend, &format!("/group/{group}/members")).await;
        assert_eq!((status, &body["code"]), (200, &json!(200)), "{body}");
        let members = body["result"].as_array().expect("a list").iter();
        let role = |member: &Value| {
            (member["user"]["id"].as_str().expect("an id").to_owned(), member["role"].as_u64().expect("a role"))
        };
        members.map(role).collect()
    }

    /// The groups that this user is in, as the API lists them.
    pub async fn groups(&self, backend: &Backend) -> Vec<String> {
        let (status, body) = self.get(backend, "/user/groups").await;
        assert_eq!((status, &body["code"]), (200, &json!(200)), "{body}");
        let groups = body["result"].as_array().expect("a list").iter();
        groups.map(|group| group["id"].as_str().expect("an id").to_owned()).collect()
    }

    async fn list(&self, backend: &Backend) -> Option<Item> {
        backend.item(&format!("user#{}", self.number()), "groups").await
    }

    /// Whether their own list has a group in its set of current groups, and in its set of left groups.
    pub async fn lists(&self, backend: &Backend, group: &str) -> (bool, bool) {
        let (list, id) = (self.list(backend).await, partition(group).replace("group#", ""));
        let (own, added) = (listed(list.as_ref(), "live").contains(&id), listed(list.as_ref(), "added").contains(&id));
        assert!(!(own && added), "one way into a group, and not two: {list:?}");
        (own || added, listed(list.as_ref(), "left").contains(&id))
    }

    /// Adds this many groups that do not exist to their list: to their own (`live`) or to those of others (`added`).
    pub async fn is_in_groups(&self, backend: &Backend, set: &str, count: usize) {
        use aws_sdk_dynamodb::types::AttributeValue;
        let groups = (1..=count).map(|group| group.to_string()).collect();
        let item = Item::from([
            ("pk".to_owned(), AttributeValue::S(format!("user#{}", self.number()))),
            ("sk".to_owned(), AttributeValue::S("groups".to_owned())),
            (set.to_owned(), AttributeValue::Ns(groups)),
        ]);
        backend.put_item(item).await;
    }
}

/// A test machine has few cores, and the SDK times out if it waits too long.
const SIDE_BY_SIDE: usize = 20;

/// Asserts that a group, its roster and all users' own lists agree: it has exactly these members, one of whom is the
/// owner; or, if there are none, it is dissolved.
pub async fn assert_whole(backend: &Backend, group: &str, everybody: &[&Someone], members: &[&Someone]) {
    let head = backend.item(&partition(group), "head").await.expect("a group");
    let gone = head.get("dissolved").is_some_and(|gone| *gone.as_bool().expect("a boolean"));
    assert_eq!((gone, head.get("forming")), (members.is_empty(), None), "{head:?}");
    assert!(backend.item(&partition(group), "job").await.is_none(), "something is left to do");
    let expected: BTreeSet<_> = members.iter().map(|someone| someone.id.clone()).collect();
    for some in everybody.chunks(SIDE_BY_SIDE) {
        let lists = join_all(some.iter().map(|someone| someone.lists(backend, group))).await;
        for (someone, (live, left)) in some.iter().zip(lists) {
            assert_eq!(live, expected.contains(&someone.id), "{} is in their own list", someone.id);
            assert!(!(live && left), "{} is in it and left", someone.id);
        }
    }
    let shown = everybody.first().expect("somebody").sees(backend, group).await;
    if members.is_empty() {
        // Former members see that it is dissolved.
        let dissolved = &shown.1["result"];
        let told = shown.0 == 200 && dissolved["deletedAt"].is_string() && dissolved["memberCount"] == 0;
        assert!(told || shown == no_group(), "{shown:?}");
    } else {
        assert_eq!(shown.1["result"]["memberCount"], json!(members.len()), "{shown:?}");
    }
    let Some(someone) = members.first() else { return };
    let roles = someone.roles(backend, group).await;
    assert_eq!(roles.iter().map(|(id, _)| id.clone()).collect::<BTreeSet<_>>(), expected);
    assert_eq!(roles.len(), expected.len());
    let owners: Vec<_> = roles.iter().filter(|(_, role)| *role == 0).map(|(id, _)| id.clone()).collect();
    let owner = number(&head, "owner").and_then(|owner| UserId::new(owner.cast_unsigned())).expect("an owner");
    assert_eq!(owners, [short_id::encode(owner)]);
    assert_eq!(number(&head, "members"), i64::try_from(expected.len()).ok());
}

/// Creates signed-in accounts by writing copies of an existing one, because signing up hundreds of users takes minutes.
pub async fn crowd(backend: &Backend, like: &Someone, count: usize) -> Vec<Someone> {
    let keys = backend.keys(&[]);
    let account = backend.account(like.number()).await;
    let sessions = account["sessions"].as_m().expect("sessions");
    let session = sessions.keys().next().expect("a session").parse().expect("an id");
    let people = (0..count).map(|_| {
        let user = UserId::generate(&SystemRandom);
        let token = keys.session_token(Caller { user, session }, "sealtalk");
        let mut item = account.clone();
        item.remove("phone");
        item.insert("pk".to_owned(), aws_sdk_dynamodb::types::AttributeValue::S(format!("user#{user}")));
        item.insert("id".to_owned(), aws_sdk_dynamodb::types::AttributeValue::N(user.to_string()));
        let someone = Someone {
            phone: like.phone.clone(),
            id: short_id::encode(user),
            cookie: format!("sealtalk_session={token}"),
        };
        async {
            backend.put_item(item).await;
            someone
        }
    });
    futures::stream::iter(people).buffered(SIDE_BY_SIDE).collect().await
}

/// Passes the function a stream record about the note of a group's job, and then the job itself. Both may arrive more than
/// once.
pub async fn carry_on(backend: &Backend, group: &str) -> [Value; 2] {
    let record = json!({ "Records": [{
        "eventID": random::below(&SystemRandom, 1 << 50).to_string(), "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": { "pk": { "S": partition(group) }, "sk": { "S": "job" } }, "SequenceNumber": "42",
            "NewImage": { "pk": { "S": partition(group) }, "sk": { "S": "job" }, "since": { "N": "1" } },
        },
    }] });
    let group = short_id::decode(group).map(GroupId::get).expect("an id");
    let message = json!({ "Records": [{
        "messageId": "test", "receiptHandle": "test", "body": json!({ "job": "finish_group", "group": group }).to_string(),
        "attributes": { "ApproximateReceiveCount": "1" }, "eventSource": "aws:sqs",
    }] });
    let handset = Handset { clock: Arc::clone(&backend.clock) as _, ..Handset::default() };
    let function = handset.build("jobs", &backend.running.environments()["jobs"]).await.expect("the function");
    let invoke = async |event: Value| -> Value {
        let answer = function.invoke(event.to_string().into_bytes(), "test", 0).await.expect("an answer");
        serde_json::from_slice(&answer).expect("JSON")
    };
    [invoke(record).await, invoke(message).await]
}

/// Adds a note that work is left for a group, as if the function that did the work had crashed.
pub async fn note_job(backend: &Backend, group: &str) {
    use aws_sdk_dynamodb::types::AttributeValue;
    let note = [
        ("pk", AttributeValue::S(partition(group))),
        ("sk", AttributeValue::S("job".to_owned())),
        ("since", AttributeValue::N("1".to_owned())),
    ];
    backend.put_item(note.map(|(name, value)| (name.to_owned(), value)).into()).await;
}

/// Waits until the table's stream and the queues have been processed.
pub async fn settled(backend: &Backend) {
    tokio::time::timeout(Duration::from_mins(2), backend.settled()).await.expect("it settles");
    if let Runs::Here(running) = &backend.running {
        assert!(running.endpoints().dead_letters().is_empty(), "{:?}", running.endpoints().dead_letters());
        assert_eq!(backend.in_queue("FailedJobs"), []);
    }
}

/// Uses every group feature once, for the test that compares the functions' roles with their calls.
pub async fn whole_group(backend: &Backend) {
    let [owner, other] = Someone::several(backend, ["Owner", "Other"]).await;
    let many = crowd(backend, &owner, 96).await;
    let large = owner.founds(backend, &many.iter().collect::<Vec<_>>()).await;
    assert_eq!(owner.acts(backend, "dismiss", &large, &[]).await, done());
    settled(backend).await;
    let group = owner.founds(backend, &[]).await;
    assert_eq!(other.acts(backend, "join", &group, &[]).await, done());
    let post = json!({ "groupId": group, "bulletin": "hello" });
    assert_eq!(owner.post(backend, "/group/set_bulletin", post).await, done());
    for path in ["/user/groups", &format!("/group/{group}"), &format!("/group/{group}/members")] {
        assert_eq!(other.get(backend, path).await.0, 200, "{path}");
    }
    assert_eq!(other.get(backend, &format!("/group/get_bulletin?groupId={group}")).await.0, 200);
    // A nickname that is copied to a group.
    let renamed = json!({ "nickname": "Renamed" });
    assert_eq!(other.post(backend, "/user/set_nickname", renamed).await, done());
    settled(backend).await;
    assert_eq!(owner.acts(backend, "kick", &group, &[&other]).await, done());
    // A job that fails once, and is tried again.
    settled(backend).await;
    backend.running.endpoints().fail_next("dynamodb:BatchGetItem", 1, Fault::error(400, "ValidationException"));
    note_job(backend, &group).await;
    settled(backend).await;
    assert_eq!(backend.running.endpoints().faults_left(), 0);
    assert!(backend.item(&partition(&group), "job").await.is_none(), "it is done");
    assert_eq!(owner.acts(backend, "quit", &group, &[]).await, done());
}
