//! Which changes in the table's stream lead to notifications, and who receives them.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;

use super::items;
use crate::batch::Reads;
use crate::counters::{HOUR, count};
use crate::item::{self, Item};
use crate::stream::Record;
use crate::{Table, Updated, keys};
use domain::Result;
use domain::account::UserId;
use domain::clock::Timestamp;
use domain::notifications::{Change, CountedPush, Listener, Listeners, PushCounts, Recipients};
use domain::social::GroupId;

/// The change in a record, if it is that of a relation or a group and not a deletion. A fault means that the item
/// cannot be parsed and never will be.
pub fn change_of(record: &Record) -> Result<Option<Change>> {
    let Record { pk, sk, old, new, .. } = record;
    let Some(new) = new else { return Ok(None) };
    let old = old.as_ref();
    if let Some(of) = keys::owner_of_relation(pk, sk) {
        let before = old.map(items::read_relation).transpose()?;
        return Ok(Some(Change::Relation { of, before, after: items::read_relation(new)? }));
    }
    if keys::is_group(pk, sk) {
        let before = old.map(items::read_group).transpose()?;
        return Ok(Some(Change::Group { before, after: items::read_group(new)? }));
    }
    Ok(None)
}

#[async_trait]
impl Listeners for Table {
    async fn listeners(&self, people: &BTreeSet<UserId>, now: Timestamp) -> Result<HashMap<UserId, Listener>> {
        let accounts = people.iter().map(|user| keys::account(*user)).collect();
        let accounts = self.get_all(accounts, &["id", "name", "created", "sessions"], Reads::Eventually).await?;
        // An account that cannot be parsed must not prevent the others from receiving notifications.
        let listener = |account: &Item| {
            let account = item::read_account(account).ok()?;
            Some((account.id, Listener::of(&account, now)))
        };
        Ok(accounts.iter().filter_map(listener).collect())
    }
}

#[async_trait]
impl Recipients for Table {
    async fn members_of(&self, group: GroupId) -> Result<BTreeSet<UserId>> {
        let roster = self.get("reading a roster", &keys::roster(group)).await?;
        let roster = roster.as_ref().map(items::read_roster).transpose()?.unwrap_or_default();
        Ok(roster.members().map(|(user, _)| user).collect())
    }

    async fn posted_in(&self, group: GroupId) -> Result<Option<String>> {
        let board = self.get("reading a bulletin", &keys::bulletin(group)).await?;
        Ok(board.and_then(|board| items::read_bulletin(&board).ok()).map(|bulletin| bulletin.content))
    }

    async fn to_whom_a_friend(&self, people: &BTreeSet<UserId>, other: UserId) -> Result<BTreeSet<UserId>> {
        self.friends_among(people, other).await
    }
}

#[async_trait]
impl PushCounts for Table {
    async fn may_push(&self, push: CountedPush, now: Timestamp) -> Result<bool> {
        let (user, kind, most) = match push {
            CountedPush::Request { to } => (to, "requests", self.policy.stranger_pushes_per_hour),
            CountedPush::Addition { to } => (to, "additions", self.policy.stranger_pushes_per_hour),
            CountedPush::Group { by } => (by, "groups", self.policy.group_pushes_per_hour),
        };
        let counted = self.update("counting a push", count(keys::pushes(user, kind, now), 1, most, HOUR, now)).await?;
        Ok(matches!(counted, Updated::Done(_)))
    }
}
