//! Limits for one client, one account or one stranger, and the users that a limit must not affect.

mod accounts;
mod checks;
mod media;
mod rooms;

use serde_json::Value;

use crate::support::Backend;
use crate::support::table::number;

/// The count for the tests' one IP address, under sort keys with this prefix.
async fn counted(backend: &Backend, kind: &str) -> Option<i64> {
    let items = backend.items_below("address#").await;
    let of_kind = |item: &&crate::support::table::Item| item["sk"].as_s().is_ok_and(|sk| sk.starts_with(kind));
    let found: Vec<_> = items.iter().filter(of_kind).collect();
    assert!(found.len() <= 1, "{found:?}");
    found.first().and_then(|item| number(item, "count"))
}

/// Checks the message and the waiting time of a rate-limit error; `field` is the field of the message.
fn limited(field: &str, answer: &(u16, Value), words: &str) -> bool {
    answer.1[field].as_str().is_some_and(|said| said.starts_with(&format!("too many {words}; try again in ")))
}
