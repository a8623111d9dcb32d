//! The list of the user's groups.

use domain::short_id;
use domain::social::GroupId;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Someone, done, result};
use crate::support::backend::{answer, whole};
use crate::support::{Backend, round_trips, run, shared};

/// Creates a group and returns its id.
async fn create(backend: &Backend, who: &Someone, name: &str, portrait: &str, people: &[&Someone]) -> String {
    let ids: Vec<_> = people.iter().map(|person| &person.id).collect();
    let body = json!({ "name": name, "memberIds": ids, "portraitUri": portrait });
    let (status, body) = who.post(backend, "/group/create", body).await;
    assert_eq!((status, &body["code"]), (200, &json!(200)), "{body}");
    body["result"]["id"].as_str().expect("an id").to_owned()
}

/// An entry in the format of the documentation and the clients.
fn entry(id: &str, name: &str, portrait: &str, owner: &Someone, members: usize, role: u8) -> Value {
    let flat = json!({
        "id": id, "name": name, "portraitUri": portrait, "creatorId": owner.id, "memberCount": members,
    });
    let mut group = flat.clone();
    group["maxMemberCount"] = json!(500);
    let mut entry = flat;
    entry["role"] = json!(role);
    entry["group"] = group;
    entry
}

/// The list, with both methods.
async fn list(backend: &Backend, who: &Someone) -> (u16, Value) {
    let posted = answer(who.request(backend, Method::POST, "/user/groups")).await;
    assert_eq!(who.get(backend, "/user/groups").await, posted);
    assert_eq!(who.post(backend, "/user/groups", json!({ "friendId": 7 })).await, posted);
    posted
}

#[test]
fn groups_are_flat_as_documented_and_nested_as_the_clients_read_them() {
    run(async {
        let backend = shared().await;
        let [tom, jerry, spike] = Someone::several(backend, ["Tom", "Jerry", "Spike"]).await;
        assert_eq!(list(backend, &tom).await, result(&json!([])));
        let portrait = "http://test.com/group/abc123.jpg";
        let ours = backend.url("/images/0123456789abcdef0123456789abcdef.jpg");
        let team = create(backend, &tom, "Team 1", portrait, &[&jerry, &spike]).await;
        let other = create(backend, &jerry, "队伍", &ours, &[&tom]).await;
        let about = |group: &str, person: &Someone| json!({ "groupId": group, "memberIds": [person.id] });
        assert_eq!(tom.post(backend, "/group/set_manager", about(&team, &spike)).await, done());
        for (who, roles) in [(&tom, [Some(0), Some(1)]), (&jerry, [Some(1), Some(0)]), (&spike, [Some(2), None])] {
            let groups = [(&team, "Team 1", portrait, &tom, 3), (&other, "队伍", ours.as_str(), &jerry, 2)];
            let entries = groups.into_iter().zip(roles).filter_map(|((id, name, portrait, owner, members), role)| {
                let number = short_id::decode(id).map(GroupId::get).expect("an id");
                Some((number, entry(id, name, portrait, owner, members, role?)))
            });
            let mut entries: Vec<_> = entries.collect();
            entries.sort_by_key(|(number, _)| *number);
            let entries: Vec<_> = entries.into_iter().map(|(_, entry)| entry).collect();
            assert_eq!(list(backend, who).await, result(&json!(entries)));
        }
        let listed = whole(tom.request(backend, Method::GET, "/user/groups")).await;
        assert_eq!(listed.rounds(), round_trips::documented("SealTalk: groups"));
    });
}

#[test]
fn groups_that_one_is_no_longer_in_are_not_listed() {
    run(async {
        let backend = shared().await;
        let [tom, jerry, spike] = Someone::several(backend, ["Tom", "Jerry", "Spike"]).await;
        let team = create(backend, &tom, "Team 1", "", &[&jerry, &spike]).await;
        let (kick, only) = (json!({ "groupId": team, "memberIds": [spike.id] }), json!({ "groupId": team }));
        assert_eq!(tom.post(backend, "/group/kick", kick).await, done());
        assert_eq!(list(backend, &spike).await, result(&json!([])));
        assert_eq!(list(backend, &jerry).await, result(&json!([entry(&team, "Team 1", "", &tom, 2, 1)])));
        // An owner who leaves makes the next member the owner, and every list shows it.
        assert_eq!(tom.post(backend, "/group/quit", only.clone()).await, done());
        assert_eq!(list(backend, &tom).await, result(&json!([])));
        assert_eq!(list(backend, &jerry).await, result(&json!([entry(&team, "Team 1", "", &jerry, 1, 0)])));
        assert_eq!(spike.post(backend, "/group/join", only.clone()).await, done());
        assert_eq!(list(backend, &spike).await, result(&json!([entry(&team, "Team 1", "", &jerry, 2, 1)])));
        let rename = json!({ "groupId": team, "name": "Team 2" });
        assert_eq!(jerry.post(backend, "/group/rename", rename).await, done());
        assert_eq!(list(backend, &spike).await, result(&json!([entry(&team, "Team 2", "", &jerry, 2, 1)])));
        assert_eq!(jerry.post(backend, "/group/dismiss", only).await, done());
        for who in [&tom, &jerry, &spike] {
            assert_eq!(list(backend, who).await, result(&json!([])));
        }
    });
}
