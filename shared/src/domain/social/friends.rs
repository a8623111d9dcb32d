//! Friends and the blacklist, as a signed-in person reads and changes them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::friendship::{Greeting, Invited, Pair, Relation, Remark};
use super::store::{FriendStore, MEETINGS};
use super::{Face, Faces};
use crate::domain::account::{Caller, UserId};
use crate::domain::clock::Clock;
use crate::domain::{Error, Fault, Result};

/// Reads and changes who is whose friend.
pub struct Friends {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where relations lie.
    pub store: Arc<dyn FriendStore>,
}

/// Somebody on a list, and what they look like now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Friend {
    /// What is held of them.
    pub relation: Relation,
    /// What they look like; the phone only of friends.
    pub face: Face,
}

/// What an invitation answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// They are friends now.
    Added,
    /// They are asked.
    Sent,
    /// Nothing happened, and it is not told why.
    Nothing,
}

/// What is to be written after an action was judged.
enum Outcome<T> {
    Nothing(T),
    Mine(T, Box<Relation>),
    Both(T, Box<Pair>),
}

impl Friends {
    /// Asks somebody to be friends: two round trips.
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

    /// Agrees to be friends.
    pub async fn agree(&self, caller: Caller, friend: UserId) -> Result<()> {
        let now = self.clock.now();
        let agreed =
            |pair: Pair| Ok(pair.agree(now)?.map_or(Outcome::Nothing(()), |pair| Outcome::Both((), Box::new(pair))));
        self.act(caller, friend, agreed).await
    }

    /// Ignores that somebody asked.
    pub async fn ignore(&self, caller: Caller, friend: UserId) -> Result<()> {
        let now = self.clock.now();
        self.change_mine(caller, friend, |mine| mine.ignore(now).map(Some)).await
    }

    /// Ends a friendship.
    pub async fn delete(&self, caller: Caller, friend: UserId) -> Result<()> {
        let now = self.clock.now();
        self.change_mine(caller, friend, |mine| mine.delete(now).map(Some)).await
    }

    /// Calls a friend something.
    pub async fn remark(&self, caller: Caller, friend: UserId, remark: &Remark) -> Result<()> {
        let now = self.clock.now();
        self.change_mine(caller, friend, |mine| mine.remark(remark, now)).await
    }

    /// Puts somebody on the blacklist.
    pub async fn block(&self, caller: Caller, friend: UserId) -> Result<()> {
        let now = self.clock.now();
        self.change_mine(caller, friend, |mine| Ok(mine.block(now))).await
    }

    /// Takes somebody off the blacklist.
    pub async fn pardon(&self, caller: Caller, friend: UserId) -> Result<()> {
        let now = self.clock.now();
        self.change_mine(caller, friend, |mine| Ok(mine.pardon(now))).await
    }

    /// Everybody the caller is or was something to, with their names as they are now: two round trips.
    pub async fn all(&self, caller: Caller) -> Result<Vec<Friend>> {
        self.list(caller, |relation| relation.status.is_some()).await
    }

    /// Everybody on the blacklist, with their names as they are now: two round trips.
    pub async fn blacklist(&self, caller: Caller) -> Result<Vec<Friend>> {
        self.list(caller, Relation::is_blocked).await
    }

    /// A friend: one round trip. [`Error::NotFriends`] for anybody else, whether or not they exist.
    pub async fn friend(&self, caller: Caller, friend: UserId) -> Result<Friend> {
        if friend == caller.user {
            self.store.living(caller, self.clock.now()).await?;
            return Err(Error::NotFriends);
        }
        let (pair, face) = self.store.pair(caller, friend, self.clock.now()).await?;
        let face = face.filter(|_| pair.mine.is_friend()).ok_or(Error::NotFriends)?;
        Ok(Friend { relation: pair.mine, face })
    }

    async fn list(&self, caller: Caller, shown: impl Fn(&Relation) -> bool + Send + Sync) -> Result<Vec<Friend>> {
        let mut relations = self.store.relations(caller, self.clock.now()).await?;
        relations.retain(|relation| shown(relation));
        let people: BTreeSet<_> = relations.iter().map(|relation| relation.other).collect();
        let mut faces = if people.is_empty() { Faces::new() } else { self.store.faces(&people).await? };
        let with_face = |relation: Relation| {
            let face = faces.remove(&relation.other).unwrap_or_default();
            let face = if relation.is_friend() { face } else { Face { phone: None, ..face } };
            Friend { relation, face }
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

    /// Judges an action by both sides as they are and writes what it makes of them, again if they moved meanwhile.
    async fn act<T: Send>(
        &self,
        caller: Caller,
        friend: UserId,
        judge: impl Fn(Pair) -> Result<Outcome<T>> + Send + Sync,
    ) -> Result<T> {
        let now = self.clock.now();
        if friend == caller.user {
            self.store.living(caller, now).await?;
            return Err(Error::Invalid { field: "friendId", rule: "is somebody else" });
        }
        for _ in 0..MEETINGS {
            let (pair, face) = self.store.pair(caller, friend, now).await?;
            face.ok_or(Error::NotFound("user"))?;
            let (answer, written) = match judge(pair)? {
                Outcome::Nothing(answer) => return Ok(answer),
                Outcome::Mine(answer, mine) => (answer, self.store.write(caller, &mine, None, now).await?),
                Outcome::Both(answer, pair) => {
                    (answer, self.store.write(caller, &pair.mine, Some(&pair.theirs), now).await?)
                }
            };
            if written {
                return Ok(answer);
            }
        }
        Err(Fault::new("changing a friendship", "it changed at every attempt").into())
    }
}
