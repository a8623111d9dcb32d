//! Reading many items by their keys.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::KeysAndAttributes;
use tokio::sync::Semaphore;

use super::Table;
use super::item::Item;
use super::keys::Key;
use super::write::key_attributes;
use domain::{Fault, Result};
use telemetry::round_trips;

/// Maximum number of keys in a `BatchGetItem`.
const BATCH: usize = 100;
/// Maximum number of batches that are read at a time. Each needs a connection, and with too many of them on one
/// processor the last would time out.
const PARALLEL: usize = 16;
/// How often a batch is requested again for the keys that came back unprocessed for lack of capacity. The waits are
/// random and grow. Large items come back in the same way when more than 16 MB were requested.
const ATTEMPTS: u32 = 5;
const WAIT: Duration = Duration::from_millis(40);

/// Which writes a read must see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    /// Perhaps without the writes of the last second, at half the price.
    Eventually,
    /// All writes that completed before.
    Consistently,
}

impl Table {
    /// The items at `keys` that exist; the batches are read in parallel. Reads only these attributes, or all of them if
    /// none are named. The keys must be distinct.
    pub(super) async fn get_all(&self, keys: Vec<Key>, attributes: &[&str], reads: Reads) -> Result<Vec<Item>> {
        let slots = &Semaphore::new(PARALLEL);
        let batches = keys.chunks(BATCH).map(|batch| async move {
            let _slot = slots.acquire().await.map_err(|error| Fault::new("reading many items", error))?;
            self.get_batch(batch, attributes, reads).await
        });
        Ok(round_trips::all(batches).await?.concat())
    }

    async fn get_batch(&self, keys: &[Key], attributes: &[&str], reads: Reads) -> Result<Vec<Item>> {
        const DOING: &str = "reading a batch";
        let mut request = KeysAndAttributes::builder().consistent_read(reads == Reads::Consistently);
        if !attributes.is_empty() {
            let names: Vec<_> = attributes.iter().map(|name| format!("#{name}")).collect();
            request = request.projection_expression(names.join(", "));
        }
        for name in attributes {
            request = request.expression_attribute_names(format!("#{name}"), *name);
        }
        let request = request.set_keys(Some(keys.iter().map(key_attributes).collect()));
        let request = request.build().map_err(|error| Fault::new(DOING, error))?;
        let (mut rest, mut items) = (HashMap::from([(self.name.to_string(), request)]), Vec::new());
        for attempt in 0..ATTEMPTS {
            let output = self.client.batch_get_item().set_request_items(Some(rest)).send().await;
            let output = output.map_err(|error| Fault::new(DOING, error.into_service_error()))?;
            items.extend(output.responses.into_iter().flat_map(HashMap::into_values).flatten());
            rest = output.unprocessed_keys.unwrap_or_default();
            if rest.is_empty() {
                return Ok(items);
            }
            self.pause(WAIT * 2_u32.pow(attempt)).await;
        }
        Err(Fault::new(DOING, "the table had no capacity for it").into())
    }
}
