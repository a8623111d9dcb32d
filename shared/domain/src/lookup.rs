//! Contact look-up: which of these numbers are registered, and to which users.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use async_trait::async_trait;

use super::account::{Caller, UserId};
use super::clock::{Clock, Timestamp};
use super::phone::Phone;
use super::policy::Policy;
use super::{Error, Result};

/// The data about a user that is shown to everyone who has the user's number.
#[derive(Clone, Debug)]
pub struct Card {
    /// The account.
    pub id: UserId,
    /// The nickname; empty when the user has not set one.
    pub name: String,
    /// The state line; empty when the user has not set one.
    pub state: String,
    /// The picture; empty when the user has not set one.
    pub avatar: String,
    /// The time of the last authenticated request.
    pub seen: Option<Timestamp>,
}

/// The users with some phone numbers.
#[derive(Clone, Debug)]
pub struct Owners {
    /// The user of each registered number.
    pub users: HashMap<Phone, UserId>,
    /// Whether the numbers were counted. If they were not, because the account's last list of the day was the same,
    /// [`LookupStore::permit_repetition`] must permit the look-up.
    pub counted: bool,
}

/// The store for look-ups.
#[async_trait]
pub trait LookupStore: Send + Sync {
    /// The users with these phone numbers, in one round trip that also checks the session and counts the numbers
    /// against the account's daily limit. Fails with [`Error::Unauthenticated`] or [`Error::Limited`].
    async fn owners(&self, caller: Caller, phones: &BTreeSet<Phone>, now: Timestamp) -> Result<Owners>;

    /// Checks the session, and that the account's last list of the day was the same as this one, in one round trip.
    /// Fails with [`Error::Unauthenticated`] or, if the list is another one by now, [`Error::Limited`].
    async fn permit_repetition(&self, caller: Caller, phones: &BTreeSet<Phone>, now: Timestamp) -> Result<()>;

    /// The cards of these users, in one round trip. A user who no longer exists has no card.
    async fn cards(&self, users: &BTreeSet<UserId>) -> Result<HashMap<UserId, Card>>;

    /// The same for a signed-in caller, whose session is checked in the same round trip. Fails with
    /// [`Error::Unauthenticated`].
    async fn cards_for(
        &self,
        caller: Caller,
        users: &BTreeSet<UserId>,
        now: Timestamp,
    ) -> Result<HashMap<UserId, Card>>;
}

/// Maximum number of users whose cards one request may read by id: as many as a group has members.
pub const MOST_PEOPLE: usize = super::social::group::MOST_MEMBERS;

/// Looks up contacts.
pub struct Lookup {
    /// The limits.
    pub policy: Arc<Policy>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The store to search.
    pub store: Arc<dyn LookupStore>,
}

impl Lookup {
    /// The cards of at most [`MOST_PEOPLE`] users, as far as they exist. This does not count as a look-up of numbers,
    /// because a caller who has an id already knows the user.
    pub async fn people(&self, caller: Caller, users: &BTreeSet<UserId>) -> Result<HashMap<UserId, Card>> {
        if users.len() > MOST_PEOPLE {
            return Err(Error::Invalid { field: "id", rule: "must name at most 500 users" });
        }
        self.store.cards_for(caller, users, self.clock.now()).await
    }

    /// The cards of the registered numbers. The caller leaves out numbers that cannot be parsed.
    ///
    /// An address book that comes again on the same day is not counted again: apps send it every hour, and it shows
    /// nothing that the first look-up did not show.
    pub async fn find(&self, caller: Caller, phones: &BTreeSet<Phone>) -> Result<HashMap<Phone, Card>> {
        if phones.len() > self.policy.lookup_numbers_per_call {
            return Err(Error::TooMany { most: self.policy.lookup_numbers_per_call, what: "numbers per call" });
        }
        let now = self.clock.now();
        let Owners { users, counted } = self.store.owners(caller, phones, now).await?;
        let owners = users.values().copied().collect();
        let cards = self.store.cards(&owners);
        let cards = if counted {
            cards.await?
        } else {
            telemetry::round_trips::both(self.store.permit_repetition(caller, phones, now), cards).await?.1
        };
        Ok(users.into_iter().filter_map(|(phone, user)| Some((phone, cards.get(&user)?.clone()))).collect())
    }
}
