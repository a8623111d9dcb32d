//! What the Supabase API stores with an account besides the account itself: the app's own data, what sign-in providers
//! say about the user, and a change of the number that waits for its code.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::clock::Timestamp;
use super::{Error, Result};

/// The name of the API that uses this data, in the code and in sessions.
pub const API: &str = "supabase";

/// Maximum size of `user_metadata` in bytes, as compact JSON. It is read with every sign-in and refresh.
pub const USER_METADATA_BYTES: usize = 4_096;
/// Maximum size of what a sign-in provider says about a user, in bytes.
pub const IDENTITY_BYTES: usize = 2_048;
/// Maximum depth of `user_metadata`.
const DEPTH: usize = 16;

/// The data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AppData {
    /// The app's data, which users can change themselves.
    pub user_metadata: Map<String, Value>,
    /// The app's data, which only operators can change.
    pub app_metadata: Map<String, Value>,
    /// What each sign-in provider says about the user, by the provider's name.
    pub identities: BTreeMap<String, Map<String, Value>>,
    /// The number that the account gets when its code is entered, and when the code was requested.
    pub new_phone: Option<(String, Timestamp)>,
    /// When the user was last asked for a code to confirm a change.
    pub reauthentication_sent: Option<Timestamp>,
    /// When any of it was last changed.
    pub updated: Option<Timestamp>,
}

impl AppData {
    /// Whether there is nothing to store.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// `user_metadata` after a change: every key of `change` replaces the one of the same name, and null removes it.
pub fn merge(before: &Map<String, Value>, change: Map<String, Value>) -> Result<Map<String, Value>> {
    const TOO_LARGE: Error =
        Error::Invalid { field: "data", rule: "must have at most 4,096 bytes as JSON with what is stored already" };
    const TOO_DEEP: Error = Error::Invalid { field: "data", rule: "must be nested at most 16 deep" };
    let mut merged = before.clone();
    for (name, value) in change {
        if value.is_null() {
            merged.remove(&name);
        } else {
            merged.insert(name, value);
        }
    }
    if merged.values().any(|value| depth(value) >= DEPTH) {
        return Err(TOO_DEEP);
    }
    if serde_json::to_vec(&merged).is_ok_and(|bytes| bytes.len() <= USER_METADATA_BYTES) {
        Ok(merged)
    } else {
        Err(TOO_LARGE)
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(entries) => 1 + entries.iter().map(depth).max().unwrap_or_default(),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(object) = value else { panic!("{value}") };
        object
    }

    #[test]
    fn a_change_replaces_keys_and_null_removes_them() {
        let before = object(json!({ "a": 1, "b": { "c": 2 }, "d": 3 }));
        let merged = merge(&before, object(json!({ "b": { "e": 4 }, "d": null, "f": 5 }))).unwrap();
        assert_eq!(merged, object(json!({ "a": 1, "b": { "e": 4 }, "f": 5 })));
    }

    #[test]
    fn the_result_is_bounded() {
        let wide = |bytes: usize| object(json!({ "a": "x".repeat(bytes) }));
        let frame = r#"{"a":""}"#.len();
        assert!(merge(&Map::new(), wide(USER_METADATA_BYTES - frame)).is_ok());
        assert!(merge(&Map::new(), wide(USER_METADATA_BYTES - frame + 1)).is_err());
        let deep = |levels: usize| object(json!({ "a": (1..levels).fold(json!(1), |inner, _| json!([inner])) }));
        assert!(merge(&Map::new(), deep(DEPTH)).is_ok());
        assert!(merge(&Map::new(), deep(DEPTH + 1)).is_err());
    }
}
