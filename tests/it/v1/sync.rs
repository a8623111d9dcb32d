//! Incremental sync: a device that only applies responses has what the lists have.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{Someone, done, sealtalk, users, wrong_field};
use crate::support::{Backend, run, shared};

/// A device's data, built only from sync responses.
#[derive(Debug, Default, PartialEq)]
struct Device {
    cursor: Option<String>,
    me: Value,
    blocks: BTreeMap<String, Value>,
    friends: BTreeMap<String, Value>,
    groups: BTreeMap<String, Value>,
    members: BTreeMap<(String, String), Value>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text, not {value}")).to_owned()
}

fn list<'a>(answer: &'a Value, name: &str) -> &'a [Value] {
    answer[name].as_array().unwrap_or_else(|| panic!("{name} in {answer}"))
}

/// An entry without the fields that only a list or only a sync has.
fn without(entry: &Value, fields: &[&str]) -> Value {
    let mut entry = entry.clone();
    for field in fields {
        entry.as_object_mut().expect("an entry").remove(*field);
    }
    entry
}

fn put<K: Ord>(entries: &mut BTreeMap<K, Value>, key: K, entry: &Value, gone: bool) {
    if gone {
        entries.remove(&key);
    } else {
        entries.insert(key, entry.clone());
    }
}

impl Device {
    /// Syncs once, and returns the response.
    async fn sync_once(&mut self, backend: &Backend, who: &Someone) -> Value {
        let request = who.get(backend, "/v1/sync");
        let answer = done(request.query(&self.cursor.as_ref().map(|cursor| [("cursor", cursor)])), 200).await;
        if let Some(me) = answer.get("me") {
            self.me = me.clone();
        }
        for row in list(&answer, "blocks") {
            put(&mut self.blocks, text(&row["user"]["id"]), &row["user"], row["gone"] == true);
        }
        for row in list(&answer, "friends") {
            put(&mut self.friends, text(&row["user"]["id"]), row, row["state"] == "gone");
        }
        for row in list(&answer, "groups") {
            let id = text(&row["id"]);
            if row["gone"] == true {
                assert_eq!(*row, json!({ "id": id, "gone": true }));
                self.members.retain(|(group, _), _| *group != id);
            }
            put(&mut self.groups, id, row, row["gone"] == true);
        }
        for row in list(&answer, "members") {
            let key = (text(&row["group"]), text(&row["user"]["id"]));
            assert!(self.groups.contains_key(&key.0), "a member of an unknown group: {row}");
            put(&mut self.members, key, &without(row, &["group"]), row["gone"] == true);
        }
        self.cursor = Some(text(&answer["next_cursor"]));
        answer
    }

    /// Syncs until nothing is left.
    async fn sync(&mut self, backend: &Backend, who: &Someone) {
        while self.sync_once(backend, who).await["more"] == true {}
    }

    /// Asserts that the device has what the lists have.
    async fn assert_current(&self, backend: &Backend, who: &Someone) {
        let all = |path: String| async move { who.list(backend, &path, 50).await };
        let blocks = all("/v1/blocks".into()).await;
        let blocks: BTreeMap<_, _> =
            blocks.iter().map(|entry| (text(&entry["user"]["id"]), entry["user"].clone())).collect();
        assert_eq!(self.blocks.keys().collect::<Vec<_>>(), blocks.keys().collect::<Vec<_>>());
        let friends = all("/v1/friends".into()).await;
        let own = self.friends.values().filter(|entry| entry["state"] == "friends");
        let own: Vec<_> = own.map(|entry| without(entry, &["state"])).collect();
        let friends: BTreeMap<_, _> = friends.iter().map(|entry| (text(&entry["user"]["id"]), entry)).collect();
        let listed: Vec<_> = friends.values().map(|entry| without(entry, &["blocked", "updated_at"])).collect();
        assert_eq!(own, listed);
        let asked = all("/v1/friend_requests".into()).await;
        let mut open: Vec<_> = users(&asked);
        open.sort();
        let waiting = ["requested", "request_received"];
        let own = self.friends.iter().filter(|(_, entry)| waiting.contains(&entry["state"].as_str().unwrap()));
        assert_eq!(own.map(|(id, _)| id.clone()).collect::<Vec<_>>(), open);
        let groups = all("/v1/groups".into()).await;
        let groups: BTreeMap<_, _> = groups.iter().map(|entry| (text(&entry["id"]), entry.clone())).collect();
        let own: BTreeMap<_, _> =
            self.groups.iter().map(|(id, entry)| (id.clone(), without(entry, &["display_name"]))).collect();
        assert_eq!(own, groups);
        let mut members = BTreeMap::new();
        for group in groups.keys() {
            for entry in all(format!("/v1/groups/{group}/members")).await {
                members.insert((group.clone(), text(&entry["user"]["id"])), without(&entry, &["updated_at"]));
            }
        }
        assert_eq!(self.members, members);
    }
}

async fn settled(backend: &Backend) {
    tokio::time::timeout(Duration::from_mins(1), backend.settled()).await.expect("it settles");
}

/// New users whose names were copied to their groups, so that nothing changes by itself.
async fn people<const N: usize>(backend: &Backend, names: [&str; N]) -> [Someone; N] {
    let people = Someone::several(backend, names).await;
    settled(backend).await;
    people
}

#[test]
fn a_first_sync_has_everything_and_the_next_has_nothing() {
    run(async {
        let backend = &Backend::start(&[]).await;
        let [one, friend, blocked] = people(backend, ["One", "Friend", "Blocked"]).await;
        one.befriends(backend, &friend).await;
        done(one.put(backend, &format!("/v1/blocks/{}", blocked.id)), 204).await;
        let group = one.founds(backend, &[&friend]).await;
        let mut device = Device::default();
        let first = device.sync_once(backend, &one).await;
        assert_eq!(first["me"], json!({ "id": one.id, "name": "One" }));
        assert_eq!(first["friends"][0]["user"]["phone"], json!(friend.phone.e164()));
        assert_eq!((list(&first, "groups").len(), &first["groups"][0]["id"]), (1, &json!(group)));
        assert_eq!(list(&first, "members").len(), 2);
        device.assert_current(backend, &one).await;
        let cursor = device.cursor.clone();
        let nothing = device.sync_once(backend, &one).await;
        let empty = json!({
            "next_cursor": cursor, "more": false, "blocks": [], "friends": [], "groups": [], "members": [],
        });
        assert_eq!(nothing, empty);
    });
}

#[test]
fn two_devices_come_to_the_same_state_after_any_changes() {
    run(async {
        let backend = &Backend::frozen(&[]).await;
        let [one, other, third] = people(backend, ["One", "Other", "Third"]).await;
        let (mut often, mut seldom) = (Device::default(), Device::default());
        seldom.sync(backend, &one).await;
        let group = format!("/v1/groups/{}", one.founds(backend, &[&other]).await);
        let lost = format!("/v1/groups/{}", other.founds(backend, &[&one, &third]).await);
        let (friend, block) = (format!("/v1/friends/{}", other.id), format!("/v1/blocks/{}", other.id));
        let changes = [
            one.put(backend, &friend),
            other.put(backend, &format!("/v1/friends/{}", one.id)),
            one.patch(backend, &friend, &json!({ "remark": "Tom" })),
            one.put(backend, &block),
            third.put(backend, &format!("/v1/friends/{}", one.id)).json(&json!({ "message": "hi" })),
            one.delete(backend, &format!("/v1/friend_requests/{}", third.id)),
            third.put(backend, &format!("{group}/members/me")),
            one.patch(backend, &format!("{group}/members/{}", third.id), &json!({ "role": "manager" })),
            third.patch(backend, &group, &json!({ "name": "another" })),
            third.patch(backend, &format!("{group}/members/me"), &json!({ "display_name": "The Third" })),
            one.patch(backend, &format!("{group}/members/me"), &json!({ "display_name": "The One" })),
            one.delete(backend, &format!("{group}/members/{}", other.id)),
            one.delete(backend, &block),
            other.delete(backend, &format!("{lost}/members/{}", one.id)),
            one.delete(backend, &friend),
            one.post(backend, &format!("{group}/transfer"), &json!({ "to": third.id })),
            one.patch(backend, "/v1/me", &json!({ "name": "Somebody" })),
        ];
        let last = changes.len() - 1;
        for (number, change) in changes.into_iter().enumerate() {
            if number == last {
                // A name is copied to groups at most once a minute.
                backend.advance(Duration::from_mins(2));
            }
            let status = change.send().await.expect("an answer").status();
            assert!(status.is_success(), "change {number}: {status}");
            often.sync(backend, &one).await;
            if number < last {
                // The changed name comes to groups a little later.
                often.assert_current(backend, &one).await;
            }
        }
        settled(backend).await;
        for device in [&mut often, &mut seldom] {
            device.sync(backend, &one).await;
            device.assert_current(backend, &one).await;
        }
        assert_eq!(often.me["name"], "Somebody");
        let without_cursor = |device: Device| Device { cursor: None, ..device };
        let (often, seldom) = (without_cursor(often), without_cursor(seldom));
        assert!(!often.groups.contains_key(lost.trim_start_matches("/v1/groups/")), "{:?}", often.groups);
        assert_eq!(often.groups, seldom.groups);
        assert_eq!(often.members, seldom.members);
        assert_eq!(often.blocks, seldom.blocks);
        assert_eq!(often.friends, seldom.friends);
    });
}

#[test]
fn changes_through_the_other_api_arrive() {
    run(async {
        let backend = shared().await;
        let ((one, mine), (other, theirs)) =
            (Someone::with_sealtalk(backend).await, Someone::with_sealtalk(backend).await);
        let mut device = Device::default();
        device.sync(backend, &one).await;
        let invite = json!({ "friendId": other.short_id(), "message": "hello" });
        sealtalk(backend, &mine, Method::POST, "/friendship/invite", &invite).await;
        device.sync(backend, &one).await;
        let entry = &device.friends[&other.id];
        assert_eq!((&entry["state"], &entry["message"]), (&json!("requested"), &json!("hello")));
        let agree = json!({ "friendId": one.short_id() });
        sealtalk(backend, &theirs, Method::POST, "/friendship/agree", &agree).await;
        let create = json!({ "name": "the group", "memberIds": [one.short_id()] });
        sealtalk(backend, &theirs, Method::POST, "/group/create", &create).await;
        device.sync(backend, &one).await;
        assert_eq!((device.friends[&other.id]["state"].as_str(), device.groups.len()), (Some("friends"), 1));
        device.assert_current(backend, &one).await;
        // And what was changed here arrives there.
        let synced = sealtalk(backend, &mine, Method::GET, "/user/sync/0", &json!({})).await;
        let version = synced["version"].as_u64().expect("a version");
        done(one.patch(backend, &format!("/v1/friends/{}", other.id), &json!({ "remark": "Tom" })), 204).await;
        let synced = sealtalk(backend, &mine, Method::GET, &format!("/user/sync/{version}"), &json!({})).await;
        assert_eq!(synced["friends"][0]["displayName"], "Tom");
    });
}

#[test]
fn a_cursor_of_nobody_is_refused() {
    run(async {
        let backend = shared().await;
        let one = Someone::new(backend, "One").await;
        let of = |cursor: &str| one.get(backend, "/v1/sync").query(&[("cursor", cursor)]);
        let encoded = handset_http::v1::cursor;
        // The last is newer than now.
        for cursor in ["", "!", "x", &encoded("x"), &encoded("-1"), &encoded("9999999999999999")] {
            wrong_field(of(cursor), "cursor").await;
        }
        // An old one that nothing is known of gets everything.
        let all = done(of(&encoded("1")), 200).await;
        assert_eq!(all["me"]["id"], one.id);
    });
}
