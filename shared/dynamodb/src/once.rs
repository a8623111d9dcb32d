//! Requests that a client may repeat: what the first one made.

use std::time::Duration;

use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem};

use super::item::{self, Item, moment, number, text};
use super::write::key_attributes;
use super::{Table, keys};
use domain::account::UserId;
use domain::clock::Timestamp;
use domain::once::Once;
use domain::{Error, Fault, Result};

/// How long the result of a request is remembered for its key.
const REMEMBERED: Duration = Duration::from_hours(24);

impl Table {
    /// The write that remembers what a request made, as part of the transaction that makes it. Its condition fails if a
    /// request with this key made something in the last 24 hours: see [`made_before`].
    pub(super) fn remember(&self, user: UserId, once: &Once, made: &str, now: Timestamp) -> Result<TransactWriteItem> {
        let forgotten = now.plus(REMEMBERED);
        let mut item = key_attributes(&keys::once(user, once));
        item.extend([
            ("digest".to_owned(), text(once.digest())),
            ("made".to_owned(), text(made)),
            ("expires".to_owned(), moment(forgotten)),
            ("ttl".to_owned(), number(forgotten.seconds())),
        ]);
        let put = Put::builder()
            .table_name(&*self.name)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk) OR #expires <= :now")
            .expression_attribute_names("#expires", "expires")
            .expression_attribute_values(":now", moment(now))
            .return_values_on_condition_check_failure(OnFailure::AllOld);
        let put = put.build().map_err(|error| Fault::new("building a put", error))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// What an earlier request of the user with this key made, if it is remembered. Takes one round trip.
    pub(super) async fn made_before(&self, user: UserId, once: &Once, now: Timestamp) -> Result<Option<String>> {
        let found = self.get("reading a key of a request", &keys::once(user, once)).await?;
        let lasts = |found: &&Item| item::get_moment(found, "expires").is_some_and(|expires| expires > now);
        found.as_ref().filter(lasts).map(|found| made_before(Some(found), once)).transpose()
    }
}

/// What the earlier request with this key made. `found` is the item because of which [`Table::remember`] failed. If that
/// was another request, [`Error::IdempotencyKeyReused`].
pub(super) fn made_before(found: Option<&Item>, once: &Once) -> Result<String> {
    let said = |name| found.and_then(|found| item::get_text(found, name));
    if said("digest").as_deref() != Some(once.digest()) {
        return Err(Error::IdempotencyKeyReused);
    }
    Ok(said("made").unwrap_or_default())
}
