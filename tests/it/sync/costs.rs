//! The cost of a sync: every row about it in `docs/access-patterns.md`, and with five hundred groups.

use std::collections::BTreeMap;

use serde_json::json;

use super::replica::Replica;
use super::{Somebody, version};
use crate::support::Backend;
use crate::support::backend::Whole;
use crate::support::round_trips::{documented, line_in};
use crate::support::run;

fn assert_costs(whole: &Whole, request: &str) {
    assert_eq!(whole.rounds(), documented(request), "{request}: {:?}", line_in(&whole.headers));
}

const NOTHING_NEW: &str = "SealTalk: sync, nothing new";
const ALONE: &str = "… and no friends or groups";
const PEOPLE: &str = "… people changed, or groups are gone";
const GROUPS: &str = "… groups changed";

#[test]
fn a_sync_costs_what_is_documented() {
    run(async {
        let backend = Backend::start(&[]).await;
        let (tom, ann) = (Somebody::new(&backend, "Tom").await, Somebody::new(&backend, "Ann").await);
        let first = tom.sync(&backend, 0).await;
        assert_costs(&tom.sync_whole(&backend, version(&first)).await, ALONE);
        tom.befriend(&backend, &ann).await;
        let friends = tom.sync_whole(&backend, version(&first)).await;
        assert_costs(&friends, PEOPLE);
        let group = tom.group(&backend, "Team", &[&ann.id]).await;
        let groups = tom.sync_whole(&backend, version(&friends.body["result"])).await;
        assert_costs(&groups, GROUPS);
        let known = version(&groups.body["result"]);
        assert_costs(&tom.sync_whole(&backend, known).await, NOTHING_NEW);
        tom.post(&backend, "/group/dismiss", &json!({ "groupId": group })).await;
        assert_costs(&tom.sync_whole(&backend, known).await, PEOPLE);
        let from_nothing = tom.sync_whole(&backend, 0).await;
        assert_costs(&from_nothing, PEOPLE);
    });
}

#[test]
fn five_hundred_groups_cost_two_rounds_when_nothing_changed_and_four_whatever_did() {
    run(async {
        let backend = Backend::start(&[("GroupsPerDay", "1000")]).await;
        let (tom, ann) = (Somebody::new(&backend, "Tom").await, Somebody::new(&backend, "Ann").await);
        let mut groups = Vec::new();
        for number in 0..500 {
            groups.push(tom.group(&backend, &format!("Team {number}"), &[&ann.id]).await);
        }
        let (status, refused) =
            tom.try_post(&backend, "/group/create", &json!({ "name": "One more", "memberIds": [] })).await;
        assert_eq!((status, &refused["code"]), (200, &json!(1_000)));
        let mut replica = Replica::default();
        let first = tom.sync_whole(&backend, 0).await;
        assert_costs(&first, GROUPS);
        assert_eq!(first.body["result"]["groups"].as_array().unwrap().len(), 500, "below a megabyte it is one answer");
        replica.take_in(&first.body["result"]);
        assert_costs(&tom.sync_whole(&backend, replica.version).await, NOTHING_NEW);
        for changed in [1, 150] {
            for group in &groups[..changed] {
                let name = format!("renamed {changed}");
                tom.post(&backend, "/group/rename", &json!({ "groupId": group, "name": name })).await;
            }
            let told = tom.sync_whole(&backend, replica.version).await;
            assert_costs(&told, GROUPS);
            assert_eq!(told.body["result"]["groups"].as_array().unwrap().len(), changed);
            assert_eq!(told.body["result"]["group_members"], json!([]), "no member changed");
            replica.take_in(&told.body["result"]);
        }
        let listed = tom.get(&backend, "/user/groups").await;
        let listed = listed.as_array().unwrap().iter();
        let names: BTreeMap<_, _> =
            listed.map(|group| (group["id"].as_str().unwrap().to_owned(), group["name"].clone())).collect();
        let told: BTreeMap<_, _> = replica.rows.groups.iter().map(|(id, row)| (id.clone(), row[1].clone())).collect();
        assert_eq!(told, names);
    });
}
