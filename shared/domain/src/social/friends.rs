//! Friends and the blacklist, as a signed-in user reads and changes them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::friendship::{Greeting, Invited, Pair, Relation, Remark};
use super::store::{FriendStore, Listed, MAX_CONFLICT_RETRIES};
use super::{PublicProfile, PublicProfiles};
use crate::account::{Caller, UserId};
use crate::clock::Clock;
use crate::{Error, Fault, Result};

/// Reads and changes friendships.
pub struct Friends {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The store of relations.
    pub store: Arc<dyn FriendStore>,
}

/// A user on a list, with the current public profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Friend {
    /// The caller's relation to this user.
    pub relation: Relation,
    /// The public profile; it includes the phone number only for friends.
    pub profile: PublicProfile,
}

/// The result of an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The two users are friends now.
    Added,
    /// The request was sent.
    Sent,
    /// Nothing happened, and the caller does not learn why.
    Nothing,
}

/// The relation between two users after one of them asked for a friendship.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The two users are friends.
    Friends,
    /// The other user did not answer yet. The caller does not learn whether the request reached the other user.
    Requested,
}

/// The data to write once an action was checked.
enum Outcome<T> {
    Nothing(T),
    Mine(T, Box<Relation>),
    Both(T, Box<Pair>),
}

impl Friends {
    /// Sends a friend request. Takes two round trips.
    pub async fn invite(&self, caller: Caller, friend: UserId, greeting: &Greeting) -> Result<Action> {
        let now = self.clock.now();
        let judge = |pair: Pair| {
            Ok(match pair.invite(greeting, now)? {
                Invited::Added(pair) => Outcome::Both(Action::Added, pair),
                Invited::Sent(pair) => Outcome::Both(Action::Sent, pair),
                Invited::Nothing => Outcome::Nothing(Action::Nothing),
            })
        };
        self.act(caller, friend, judge).await
    }

    /// Asks a user to be a friend, or accepts that user's request. Asking again changes nothing while the request is not
    /// answered, unless the message is a new one. Takes two round trips, and one if nothing changes.
    pub async fn ask(&self, caller: Caller, friend: UserId, greeting: Option<&Greeting>) -> Result<Standing> {
        let now = self.clock.now();
        let judge = |pair: Pair| {
            if pair.are_friends() {
                return Ok(Outcome::Nothing(Standing::Friends));
            }
            if pair.is_waiting(greeting) {
                return Ok(Outcome::Nothing(Standing::Requested));
            }
            Ok(match pair.invite(greeting.unwrap_or(&Greeting::default()), now)? {
                Invited::Added(pair) => Outcome::Both(Standing::Friends, pair),
                Invited::Sent(pair) => Outcome::Both(Standing::Requested, pair),
                Invited::Nothing => Outcome::Nothing(Standing::Requested),
            })
        };
        self.act(caller, friend, judge).await
    }

    /// Accepts a friend request.
    pub async fn agree(&self, caller: Caller, friend: UserId) -> Result<()> {
        let now = self.clock.now();
        let agreed =
            |pair: Pair| Ok(pair.agree(now)?.map_or(Outcome::Nothing(()), |pair| Outcome::Both((), Box::new(pair))));
        self.act(caller, friend, agreed).await
    }

    /// Ignores a friend request.
    pub async fn ignore(&self, caller: Caller, friend: UserId) -> Result<()> {
        let now = self.clock.now();
        self.change_mine(caller, friend, |mine| mine.ignore(now).map(Some)).await
    }

    /// Ends a friendship.
    pub async fn delete(&self, caller: Caller, friend: UserId) -> Result<()> {
        let now = self.clock.now();
        self.change_mine(caller, friend, |mine| mine.delete(now).map(Some)).await
    }

    /// Sets the caller's own name for a friend.
    pub async fn remark(&self, caller: Caller, friend: UserId, remark: &Remark) -> Result<()> {
        let now = self.clock.now();
        self.change_mine(caller, friend, |mine| mine.remark(remark, now)).await
    }

    /// Puts a user on the blacklist.
    pub async fn block(&self, caller: Caller, friend: UserId) -> Result<()> {
        let now = self.clock.now();
        self.change_mine(caller, friend, |mine| Ok(mine.block(now))).await
    }

    /// Takes a user off the blacklist.
    pub async fn pardon(&self, caller: Caller, friend: UserId) -> Result<()> {
        let now = self.clock.now();
        self.change_mine(caller, friend, |mine| Ok(mine.pardon(now))).await
    }

    /// Everyone the caller has a friendship status with, now or in the past, with their current names. Takes two round
    /// trips.
    pub async fn all(&self, caller: Caller) -> Result<Vec<Friend>> {
        self.list(caller, |relation| relation.status.is_some()).await
    }

    /// Everyone on the blacklist, with their current names. Takes two round trips.
    pub async fn blacklist(&self, caller: Caller) -> Result<Vec<Friend>> {
        self.list(caller, Relation::is_blocked).await
    }

    /// A friend. Takes one round trip. [`Error::NotFriends`] for any other user, whether or not the user exists.
    pub async fn friend(&self, caller: Caller, friend: UserId) -> Result<Friend> {
        if friend == caller.user {
            self.store.living(caller, self.clock.now()).await?;
            return Err(Error::NotFriends);
        }
        let (pair, profile) = self.store.pair(caller, friend, self.clock.now()).await?;
        let profile = profile.filter(|_| pair.mine.is_friend()).ok_or(Error::NotFriends)?;
        Ok(Friend { relation: pair.mine, profile })
    }

    async fn list(&self, caller: Caller, shown: impl Fn(&Relation) -> bool + Send + Sync) -> Result<Vec<Friend>> {
        let relations = self.relations(caller, shown).await?;
        self.with_profiles(relations).await
    }

    /// The caller's relations that are `shown`, ordered by the ids of the other users. Takes one round trip.
    pub async fn relations(
        &self,
        caller: Caller,
        shown: impl Fn(&Relation) -> bool + Send + Sync,
    ) -> Result<Vec<Relation>> {
        let mut relations = self.store.relations(caller, self.clock.now()).await?;
        relations.retain(|relation| shown(relation));
        Ok(relations)
    }

    /// These relations with the current public profiles of the other users. Takes one round trip, and none without a
    /// relation.
    pub async fn with_profiles(&self, relations: Vec<Relation>) -> Result<Vec<Friend>> {
        let people: BTreeSet<_> = relations.iter().map(|relation| relation.other).collect();
        let mut profiles = if people.is_empty() { PublicProfiles::new() } else { self.store.profiles(&people).await? };
        let with_face = |relation: Relation| {
            let profile = profiles.remove(&relation.other).unwrap_or_default();
            let profile = if relation.is_friend() { profile } else { PublicProfile { phone: None, ..profile } };
            Friend { relation, profile }
        };
        Ok(relations.into_iter().map(with_face).collect())
    }

    async fn change_mine(
        &self,
        caller: Caller,
        friend: UserId,
        change: impl Fn(Relation) -> Result<Option<Relation>> + Send + Sync,
    ) -> Result<()> {
        let judge = |pair: Pair| {
            let mine = change(pair.mine)?;
            Ok(mine.map_or(Outcome::Nothing(()), |mine| Outcome::Mine((), Box::new(mine))))
        };
        self.act(caller, friend, judge).await
    }

    /// Checks an action against the current state of both sides and writes the result. Starts again if the state
    /// changed meanwhile.
    async fn act<T: Send>(
        &self,
        caller: Caller,
        friend: UserId,
        judge: impl Fn(Pair) -> Result<Outcome<T>> + Send + Sync,
    ) -> Result<T> {
        let now = self.clock.now();
        if friend == caller.user {
            self.store.living(caller, now).await?;
            return Err(Error::Invalid { field: "friendId", rule: "is your own id" });
        }
        for _ in 0..MAX_CONFLICT_RETRIES {
            let (pair, profile) = self.store.pair(caller, friend, now).await?;
            profile.ok_or(Error::NotFound("user"))?;
            let was_blocked = pair.mine.is_blocked();
            let (answer, mine, theirs) = match judge(pair)? {
                Outcome::Nothing(answer) => return Ok(answer),
                Outcome::Mine(answer, mine) => (answer, *mine, None),
                Outcome::Both(answer, pair) => (answer, pair.mine, Some(pair.theirs)),
            };
            let listed = match (was_blocked, mine.is_blocked()) {
                (false, true) => Listed::On,
                (true, false) => Listed::Off,
                (true, true) | (false, false) => Listed::AsBefore,
            };
            if self.store.write(caller, &mine, theirs.as_ref(), listed, now).await? {
                return Ok(answer);
            }
        }
        Err(Fault::new("changing a friendship", "it changed at every attempt").into())
    }
}
