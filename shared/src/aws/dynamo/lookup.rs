//! The address book.

use std::collections::{BTreeSet, HashMap};

use super::batch::Reads;
use super::item::{self, number};
use super::keys;
use super::write::Change;
use super::{Table, Transacted, Updated, change_by, failed};
use crate::domain::account::{Caller, UserId};
use crate::domain::clock::Timestamp;
use crate::domain::lookup::{Card, LookupStore};
use crate::domain::phone::Phone;
use crate::domain::{Cap, Error, Result};
use crate::trips;
use async_trait::async_trait;

const DAY: i64 = 86_400;

#[async_trait]
impl LookupStore for Table {
    async fn owners(&self, caller: Caller, phones: &BTreeSet<Phone>, now: Timestamp) -> Result<HashMap<Phone, UserId>> {
        let claims = phones.iter().map(keys::phone_claim).collect();
        let allow = self.allow_lookup(caller, phones.len(), now);
        let ((), claims) = trips::both(allow, self.get_all(claims, &["pk", "user"], Reads::Eventually)).await?;
        let by_key: HashMap<_, _> = claims
            .iter()
            .filter_map(|claim| Some((item::get_text(claim, "pk")?, item::get_user(claim, "user")?)))
            .collect();
        let owner = |phone: &Phone| Some((phone.clone(), *by_key.get(&keys::phone_claim(phone).pk)?));
        Ok(phones.iter().filter_map(owner).collect())
    }

    async fn cards(&self, users: &BTreeSet<UserId>) -> Result<HashMap<UserId, Card>> {
        // Somebody who registered this very second may be missed.
        let accounts = users.iter().map(|user| keys::account(*user)).collect();
        let accounts = self.get_all(accounts, item::CARD, Reads::Eventually).await?;
        Ok(accounts.iter().filter_map(item::read_card).map(|card| (card.id, card)).collect())
    }

    async fn cards_for(
        &self,
        caller: Caller,
        users: &BTreeSet<UserId>,
        now: Timestamp,
    ) -> Result<HashMap<UserId, Card>> {
        Ok(trips::both(self.check_living(caller, now), self.cards(users)).await?.1)
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
}
