//! Contact look-up.

use std::collections::{BTreeSet, HashMap};

use super::batch::Reads;
use super::item;
use super::keys;
use super::{Table, Transacted, change_by, failed, found, not_signed_in};
use crate::domain::Result;
use crate::domain::account::{Caller, UserId};
use crate::domain::clock::Timestamp;
use crate::domain::lookup::{Card, LookupStore};
use crate::domain::phone::Phone;
use crate::trips;
use async_trait::async_trait;

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
        // A user who registered within the last second may be missed.
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
    /// Checks the session and counts the numbers against the daily limit, all or nothing.
    async fn allow_lookup(&self, caller: Caller, numbers: usize, now: Timestamp) -> Result<()> {
        let count = self.lookups(caller.user, u32::try_from(numbers).unwrap_or(u32::MAX), now);
        let session = change_by(caller, "", now).in_transaction(&self.name)?;
        let writes = vec![session, count.change(now).in_transaction(&self.name)?];
        match self.transact("counting looked-up numbers", writes).await? {
            Transacted::Done => Ok(()),
            Transacted::Refused(reasons) if failed(&reasons, 0) => Err(not_signed_in(found(&reasons, 0), caller)),
            Transacted::Refused(_) => Err(count.refusal(now)),
        }
    }
}
