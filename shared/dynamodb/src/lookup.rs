//! Contact look-up.

use std::collections::{BTreeSet, HashMap};

use super::batch::Reads;
use super::item::{self, blob, number};
use super::keys;
use super::write::Change;
use super::{Table, Transacted, change_by, failed, found, not_signed_in};
use async_trait::async_trait;
use domain::account::{Caller, UserId};
use domain::clock::Timestamp;
use domain::crypto;
use domain::lookup::{Card, LookupStore, Owners};
use domain::phone::Phone;
use domain::{Cap, Error, Result};
use telemetry::round_trips;

#[async_trait]
impl LookupStore for Table {
    async fn owners(&self, caller: Caller, phones: &BTreeSet<Phone>, now: Timestamp) -> Result<Owners> {
        let claims = phones.iter().map(keys::phone_claim).collect();
        let allow = self.count_lookup(caller, phones, now);
        let (counted, claims) =
            round_trips::both(allow, self.get_all(claims, &["pk", "user"], Reads::Eventually)).await?;
        let by_key: HashMap<_, _> = claims
            .iter()
            .filter_map(|claim| Some((item::get_text(claim, "pk")?, item::get_user(claim, "user")?)))
            .collect();
        let owner = |phone: &Phone| Some((phone.clone(), *by_key.get(&keys::phone_claim(phone).pk)?));
        Ok(Owners { users: phones.iter().filter_map(owner).collect(), counted })
    }

    async fn permit_repetition(&self, caller: Caller, phones: &BTreeSet<Phone>, now: Timestamp) -> Result<()> {
        let count = self.lookups(caller.user, 0, now);
        let repeats = Change::new(count.key.clone(), "SET #ttl = :ttl")
            .when("#list = :list")
            .value(":ttl", number(now.seconds() + 2 * count.window))
            .value(":list", blob(&digest(phones)));
        let session = change_by(caller, "", now).in_transaction(&self.name)?;
        let writes = vec![session, repeats.in_transaction(&self.name)?];
        match self.transact("repeating a look-up", writes).await? {
            Transacted::Done => Ok(()),
            Transacted::Refused(reasons) if failed(&reasons, 0) => Err(not_signed_in(found(&reasons, 0), caller)),
            // Another device of the account has sent another list meanwhile.
            Transacted::Refused(_) => Err(Error::Limited { cap: Cap::AtOnce, retry_after: 1 }),
        }
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
        Ok(round_trips::both(self.check_living(caller, now), self.cards(users)).await?.1)
    }
}

impl Table {
    /// Checks the session and counts the numbers against the daily limit, all or nothing. Returns whether they were
    /// counted; they are not if the account's last list of the day was the same.
    async fn count_lookup(&self, caller: Caller, phones: &BTreeSet<Phone>, now: Timestamp) -> Result<bool> {
        let count = self.lookups(caller.user, u32::try_from(phones.len()).unwrap_or(u32::MAX), now);
        let mut change = count.change(now);
        let list = (phones.len() >= ADDRESS_BOOK).then(|| digest(phones));
        if let Some(list) = &list {
            change.update = change.update.replacen("SET ", "SET #list = :list, ", 1);
            change = change.and("(attribute_not_exists(#list) OR #list <> :list)").value(":list", blob(list));
        }
        let session = change_by(caller, "", now).in_transaction(&self.name)?;
        match self.transact("counting looked-up numbers", vec![session, change.in_transaction(&self.name)?]).await? {
            Transacted::Done => Ok(true),
            Transacted::Refused(reasons) if failed(&reasons, 0) => Err(not_signed_in(found(&reasons, 0), caller)),
            Transacted::Refused(reasons) => {
                let before = found(&reasons, 1).and_then(|item| item::get_blob(item, "list"));
                let repeats = list.is_some_and(|list| before.as_deref() == Some(&list[..]));
                if repeats { Ok(false) } else { Err(count.refusal(now)) }
            }
        }
    }
}

/// The least numbers in a list that is recognized when it comes again. A hash of a few numbers could be reversed by
/// trying all of them, so shorter lists are always counted.
const ADDRESS_BOOK: usize = 20;

/// Identifies a list of numbers.
fn digest(phones: &BTreeSet<Phone>) -> [u8; 32] {
    let list: Vec<_> = phones.iter().map(Phone::e164).collect();
    crypto::sha256(list.join(",").as_bytes())
}
