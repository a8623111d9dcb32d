//! The address book.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::KeysAndAttributes;

use super::item::{self, Item, number};
use super::keys::{self, Key};
use super::write::{Change, key_attributes};
use super::{Table, Transacted, Updated, change_by, failed};
use crate::domain::account::{Caller, UserId};
use crate::domain::clock::Timestamp;
use crate::domain::lookup::{Card, LookupStore};
use crate::domain::phone::Phone;
use crate::domain::{Cap, Error, Fault, Result};
use crate::trips;

/// `BatchGetItem` takes this many keys.
const BATCH: usize = 100;
/// A batch that comes back with keys it had no capacity for is asked again this often, after growing waits.
const BATCH_ATTEMPTS: u32 = 5;
const BATCH_WAIT: Duration = Duration::from_millis(20);
const DAY: i64 = 86_400;

#[async_trait]
impl LookupStore for Table {
    async fn owners(&self, caller: Caller, phones: &BTreeSet<Phone>, now: Timestamp) -> Result<HashMap<Phone, UserId>> {
        let claims = phones.iter().map(keys::phone_claim).collect();
        let allow = self.allow_lookup(caller, phones.len(), now);
        let ((), claims) = trips::both(allow, self.get_all(claims, &["pk", "user"])).await?;
        let by_key: HashMap<_, _> = claims
            .iter()
            .filter_map(|claim| Some((item::get_text(claim, "pk")?, item::get_user(claim, "user")?)))
            .collect();
        let owner = |phone: &Phone| Some((phone.clone(), *by_key.get(&keys::phone_claim(phone).pk)?));
        Ok(phones.iter().filter_map(owner).collect())
    }

    async fn cards(&self, users: &BTreeSet<UserId>) -> Result<HashMap<UserId, Card>> {
        let accounts = self.get_all(users.iter().map(|user| keys::account(*user)).collect(), item::CARD).await?;
        Ok(accounts.iter().filter_map(item::read_card).map(|card| (card.id, card)).collect())
    }
}

impl Table {
    /// Checks the session and counts the numbers against the day's allowance, all or nothing.
    async fn allow_lookup(&self, caller: Caller, numbers: usize, now: Timestamp) -> Result<()> {
        let numbers = u32::try_from(numbers).unwrap_or(u32::MAX);
        let most = self.policy.lookup_numbers_per_day;
        let too_many = Error::Limited {
            cap: Cap::Lookups,
            retry_after: u64::try_from((now.day() + 1) * DAY - now.seconds()).unwrap_or(1).max(1),
        };
        let Some(before) = most.checked_sub(numbers) else {
            let known = self.update("checking a session", change_by(caller, "", now)).await?;
            return Err(if matches!(known, Updated::Done(_)) { too_many } else { Error::Unauthenticated });
        };
        let count = Change::new(keys::lookups(caller.user, now), "SET #ttl = :ttl ADD #count :numbers")
            .when("attribute_not_exists(#count) OR #count <= :before")
            .value(":ttl", number(now.seconds() + 2 * DAY))
            .value(":numbers", number(numbers))
            .value(":before", number(before));
        let writes = vec![change_by(caller, "", now).in_transaction(&self.name)?, count.in_transaction(&self.name)?];
        match self.transact("counting looked-up numbers", writes).await? {
            Transacted::Done => Ok(()),
            Transacted::Refused(reasons) if failed(&reasons, 0) => Err(Error::Unauthenticated),
            Transacted::Refused(_) => Err(too_many),
        }
    }

    /// The items at `keys` that exist, all batches side by side. Eventually consistent, at half the price: somebody
    /// who registered this very second may be missed.
    async fn get_all(&self, keys: Vec<Key>, attributes: &[&str]) -> Result<Vec<Item>> {
        let batches = keys.chunks(BATCH).map(|batch| self.get_batch(batch, attributes));
        Ok(trips::all(batches).await?.concat())
    }

    async fn get_batch(&self, keys: &[Key], attributes: &[&str]) -> Result<Vec<Item>> {
        const DOING: &str = "reading a batch";
        let names: Vec<_> = attributes.iter().map(|name| format!("#{name}")).collect();
        let mut request = KeysAndAttributes::builder().projection_expression(names.join(", "));
        for name in attributes {
            request = request.expression_attribute_names(format!("#{name}"), *name);
        }
        let request = request.set_keys(Some(keys.iter().map(key_attributes).collect()));
        let request = request.build().map_err(|error| Fault::new(DOING, error))?;
        let (mut rest, mut items) = (HashMap::from([(self.name.to_string(), request)]), Vec::new());
        for attempt in 0..BATCH_ATTEMPTS {
            let output = self.client.batch_get_item().set_request_items(Some(rest)).send().await;
            let output = output.map_err(|error| Fault::new(DOING, error.into_service_error()))?;
            items.extend(output.responses.into_iter().flat_map(HashMap::into_values).flatten());
            rest = output.unprocessed_keys.unwrap_or_default();
            if rest.is_empty() {
                return Ok(items);
            }
            tokio::time::sleep(BATCH_WAIT * 2_u32.pow(attempt)).await;
        }
        Err(Fault::new(DOING, "the table had no capacity for it").into())
    }
}
