//! Reading many items by their keys.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::KeysAndAttributes;

use super::Table;
use super::item::Item;
use super::keys::Key;
use super::write::key_attributes;
use crate::domain::{Fault, Result};
use crate::trips;

/// `BatchGetItem` takes this many keys.
const BATCH: usize = 100;
/// A batch that comes back with keys it had no capacity for is asked again this often, after waits that are drawn from
/// growing times. Large items come back the same way where more than 16 MB were asked for.
const ATTEMPTS: u32 = 5;
const WAIT: Duration = Duration::from_millis(40);

/// Which writes a read has to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    /// Perhaps not those of this very second, at half the price.
    Eventually,
    /// All that were answered before.
    Consistently,
}

impl Table {
    /// The items at `keys` that exist, all batches side by side; only these attributes, unless none are named. The
    /// keys are distinct.
    pub(super) async fn get_all(&self, keys: Vec<Key>, attributes: &[&str], reads: Reads) -> Result<Vec<Item>> {
        let batches = keys.chunks(BATCH).map(|batch| self.get_batch(batch, attributes, reads));
        Ok(trips::all(batches).await?.concat())
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
