//! Changes of groups without a caller.

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{Delete, TransactWriteItem};

use super::groups::{Entry, forget, leave};
use super::items;
use crate::write::key_attributes;
use crate::{Table, Transacted, Updated, keys};
use domain::account::UserId;
use domain::clock::Timestamp;
use domain::social::group::{Changed, GroupId, GroupSnapshot};
use domain::social::store::{Enlist, JobStore};
use domain::social::{Memberships, Written};
use domain::{Fault, Result};
use telemetry::round_trips;

/// The condition that there is an item.
const THERE: &str = "attribute_exists(pk)";
/// How many lists are written in parallel.
const SIDE_BY_SIDE: usize = 50;

#[async_trait]
impl JobStore for Table {
    async fn held_by_nobody(&self, group: GroupId) -> Result<Option<GroupSnapshot>> {
        self.read_held(group).await
    }

    async fn write_by_nobody(&self, changed: &Changed) -> Result<Written> {
        let writes = items::put_held(&self.name, &changed.held)?.to_vec();
        match self.transact("changing a group", writes).await? {
            Transacted::Done => Ok(Written::Done),
            Transacted::Refused(_) => Ok(Written::Moved),
        }
    }

    async fn begin_spread(&self, user: UserId, by: &str, late: bool, now: Timestamp) -> Result<bool> {
        self.try_spread(user, by, late, now).await
    }

    async fn memberships_of(&self, user: UserId) -> Result<Memberships> {
        let list = self.get("reading a list of groups", &keys::memberships(user)).await?;
        Ok(items::read_memberships(list.as_ref()))
    }

    async fn enlist(&self, group: GroupId, people: &BTreeSet<UserId>, how: Enlist) -> Result<bool> {
        let people: Vec<_> = people.iter().copied().collect();
        for some in people.chunks(SIDE_BY_SIDE) {
            let all = round_trips::all(some.iter().map(|user| self.enlist_one(group, *user, how))).await?;
            if all.contains(&false) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn conclude(&self, changed: &Changed) -> Result<bool> {
        let delete = Delete::builder()
            .table_name(&*self.name)
            .set_key(Some(key_attributes(&keys::job(changed.held.group.id))))
            .condition_expression("attribute_exists(pk)")
            .build()
            .map_err(|error| Fault::new("building a delete", error))?;
        let mut writes = items::put_held(&self.name, &changed.held)?.to_vec();
        writes.push(TransactWriteItem::builder().delete(delete).build());
        Ok(matches!(self.transact("ending a job", writes).await?, Transacted::Done))
    }

    async fn forget(&self, group: GroupId) -> Result<()> {
        let delete = self.client.delete_item().table_name(&*self.name);
        let deleted = delete.set_key(Some(key_attributes(&keys::job(group)))).send().await;
        deleted.map_err(|error| Fault::new("ending a job", error.into_service_error()))?;
        Ok(())
    }
}

impl Table {
    /// `false` when there is no room on the list.
    async fn enlist_one(&self, group: GroupId, user: UserId, how: Enlist) -> Result<bool> {
        const DOING: &str = "changing a list of groups";
        let change = match how {
            Enlist::Enter { owner } if owner == user => self.enter(group, user, Entry::Own),
            Enlist::Enter { .. } => self.enter(group, user, Entry::ByStranger),
            // A user who was deleted meanwhile has no list, and gets none.
            Enlist::Leave => leave(group, user, false).and(THERE),
            Enlist::Forget => forget(group, user).and(THERE),
        };
        if matches!(self.update(DOING, change).await?, Updated::Done(_)) {
            return Ok(true);
        }
        match how {
            Enlist::Enter { owner } => {
                let is_friend = owner != user && !self.friends_among(&[user].into(), owner).await?.is_empty();
                let again = self.enter(group, user, Entry::ByFriend);
                Ok(is_friend && matches!(self.update(DOING, again).await?, Updated::Done(_)))
            }
            Enlist::Leave => {
                self.update(DOING, leave(group, user, true).and(THERE)).await?;
                Ok(true)
            }
            Enlist::Forget => Ok(true),
        }
    }
}
