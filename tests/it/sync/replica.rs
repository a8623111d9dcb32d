//! A device's data: built only from its sync responses, and compared with the lists.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::{Somebody, version};
use crate::support::Backend;
use crate::support::backend::answer;

/// A device's rows, by subject.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replica {
    pub version: u64,
    pub rows: Rows,
}

/// Rows, by subject.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    pub user: Value,
    pub blacklist: BTreeMap<String, Value>,
    pub friends: BTreeMap<String, Value>,
    pub groups: BTreeMap<String, Value>,
    pub members: BTreeMap<(String, String), Value>,
}

fn text(row: &Value, name: &str) -> String {
    row[name].as_str().unwrap_or_else(|| panic!("{name} in {row}")).to_owned()
}

fn list<'a>(answer: &'a Value, name: &str) -> &'a Vec<Value> {
    answer[name].as_array().unwrap_or_else(|| panic!("a list {name} in {answer}"))
}

fn face(user: &Value) -> Value {
    json!([user["id"], user["nickname"], user["portraitUri"]])
}

impl Replica {
    /// Applies a response; returns whether it had any changes.
    pub fn take_in(&mut self, answer: &Value) -> bool {
        let rows = &mut self.rows;
        rows.user = face(&answer["user"]);
        for row in list(answer, "blacklist") {
            let id = text(row, "friendId");
            let row = if row["status"] == true {
                rows.blacklist.insert(id, face(&row["user"]))
            } else {
                rows.blacklist.remove(&id)
            };
            drop(row);
        }
        for row in list(answer, "friends") {
            let said = json!([row["status"], row["displayName"], row["message"], face(&row["user"])]);
            rows.friends.insert(text(row, "friendId"), said);
        }
        for row in list(answer, "groups") {
            let (id, group) = (text(&row["group"], "id"), &row["group"]);
            if row["isDeleted"] == true {
                rows.groups.remove(&id);
                rows.members.retain(|(of, _), _| *of != id);
            } else {
                let said =
                    json!([row["role"], group["name"], group["portraitUri"], group["creatorId"], group["memberCount"]]);
                rows.groups.insert(id, said);
            }
        }
        for row in list(answer, "group_members") {
            let key = (text(row, "groupId"), text(row, "memberId"));
            assert!(rows.groups.contains_key(&key.0), "a member of a group that the device has: {row}");
            if row["isDeleted"] == true {
                rows.members.remove(&key);
            } else {
                rows.members.insert(key, json!([row["role"], row["displayName"], face(&row["user"])]));
            }
        }
        let news = version(answer) != self.version;
        self.version = version(answer);
        news
    }

    /// Syncs until there are no more changes; returns the number of responses with changes.
    pub async fn catch_up(&mut self, backend: &Backend, somebody: &Somebody) -> usize {
        let mut answers = 0;
        loop {
            let answer = somebody.sync(backend, self.version).await;
            if !self.take_in(&answer) {
                for name in ["blacklist", "friends", "groups", "group_members"] {
                    assert_eq!(answer[name], json!([]), "the same version and nothing to tell");
                }
                assert_eq!(answer["more"], false);
                return answers;
            }
            answers += 1;
        }
    }
}

impl Rows {
    /// The data according to the lists.
    pub async fn truth(backend: &Backend, somebody: &Somebody) -> Self {
        let own = somebody.get(backend, &format!("/user/{}", somebody.id)).await;
        let mut rows = Self { user: face(&own), ..Self::default() };
        for entry in somebody.get(backend, "/user/blacklist").await.as_array().unwrap() {
            rows.blacklist.insert(text(entry, "id"), face(entry));
        }
        for entry in somebody.get(backend, "/friendship/all").await.as_array().unwrap() {
            let said = json!([entry["status"], entry["displayName"], entry["message"], face(&entry["user"])]);
            rows.friends.insert(text(&entry["user"], "id"), said);
        }
        for entry in somebody.get(backend, "/user/groups").await.as_array().unwrap() {
            let id = text(entry, "id");
            let said =
                json!([entry["role"], entry["name"], entry["portraitUri"], entry["creatorId"], entry["memberCount"]]);
            rows.groups.insert(id.clone(), said);
            let path = format!("/group/{id}/members");
            let (status, members) = answer(somebody.request(backend, Method::GET, &path)).await;
            assert_eq!(status, 200, "{members}");
            for member in members["result"].as_array().unwrap() {
                let said = json!([member["role"], member["displayName"], face(&member["user"])]);
                rows.members.insert((id.clone(), text(&member["user"], "id")), said);
            }
        }
        rows
    }
}
