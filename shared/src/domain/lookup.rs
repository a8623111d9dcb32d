//! The address book: which of these numbers are registered, and as whom.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use async_trait::async_trait;

use super::account::{Caller, UserId};
use super::clock::{Clock, Timestamp};
use super::phone::Phone;
use super::policy::Policy;
use super::{Error, Result};

/// What somebody who has a person's number may know of them.
#[derive(Clone, Debug)]
pub struct Card {
    /// The account.
    pub id: UserId,
    /// The nickname; empty when none was set.
    pub name: String,
    /// The state line; empty when none was set.
    pub state: String,
    /// The picture; empty when none was set.
    pub avatar: String,
    /// The last authenticated request.
    pub seen: Option<Timestamp>,
}

/// Where the address book is looked up.
#[async_trait]
pub trait LookupStore: Send + Sync {
    /// Who these phones belong to, in one round trip that also checks the session and counts the numbers against the
    /// account's daily allowance. Refused with [`Error::Unauthenticated`] or [`Error::Limited`].
    async fn owners(&self, caller: Caller, phones: &BTreeSet<Phone>, now: Timestamp) -> Result<HashMap<Phone, UserId>>;

    /// The cards of these users, in one round trip. A user who no longer exists has none.
    async fn cards(&self, users: &BTreeSet<UserId>) -> Result<HashMap<UserId, Card>>;

    /// The same for a signed-in caller, whose session is checked in the same round trip. Refused with
    /// [`Error::Unauthenticated`].
    async fn cards_for(
        &self,
        caller: Caller,
        users: &BTreeSet<UserId>,
        now: Timestamp,
    ) -> Result<HashMap<UserId, Card>>;
}

/// The most people whose cards one request may ask for by their ids: as many as a group has.
pub const MOST_PEOPLE: usize = super::social::group::MOST_MEMBERS;

/// Looks up address books.
pub struct Lookup {
    /// The limits.
    pub policy: Arc<Policy>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where to look.
    pub store: Arc<dyn LookupStore>,
}

impl Lookup {
    /// The cards of at most [`MOST_PEOPLE`] users who exist. It does not count as a look-up of numbers: who has an id
    /// knows the person already.
    pub async fn people(&self, caller: Caller, users: &BTreeSet<UserId>) -> Result<HashMap<UserId, Card>> {
        if users.len() > MOST_PEOPLE {
            return Err(Error::Invalid { field: "id", rule: "names at most 500 users" });
        }
        self.store.cards_for(caller, users, self.clock.now()).await
    }

    /// The cards of those numbers that are registered. Numbers that could not be read are left out by the caller.
    pub async fn find(&self, caller: Caller, phones: &BTreeSet<Phone>) -> Result<HashMap<Phone, Card>> {
        if phones.len() > self.policy.lookup_numbers_per_call {
            return Err(Error::Invalid { field: "list", rule: "has more numbers than one call may look up" });
        }
        let owners = self.store.owners(caller, phones, self.clock.now()).await?;
        let cards = self.store.cards(&owners.values().copied().collect()).await?;
        Ok(owners.into_iter().filter_map(|(phone, user)| Some((phone, cards.get(&user)?.clone()))).collect())
    }
}
