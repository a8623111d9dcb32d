//! What a delta sync reads, and what it remembers of the device.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;

use super::super::batch::Reads;
use super::super::item::{self, Item, blob, moment, number};
use super::super::write::{Change, key_attributes};
use super::super::{Table, keys};
use super::{items, packed};
use crate::domain::account::UserId;
use crate::domain::clock::Timestamp;
use crate::domain::social::Faces;
use crate::domain::social::group::{Group, GroupId, Roster};
use crate::domain::social::store::{Own, Remembered, SyncStore};
use crate::domain::social::sync::{REMEMBERED, Told};
use crate::domain::{Fault, Result};
use crate::trips;

#[async_trait]
impl SyncStore for Table {
    async fn own(&self, user: UserId, version: u64, now: Timestamp) -> Result<Own> {
        let (account, memberships, told) = (keys::account(user), keys::memberships(user), keys::told(user, version));
        let items = self.get_all(vec![account.clone(), memberships.clone(), told.clone()], &[], Reads::Consistently);
        let (items, relations) = trips::both(items, self.relations_of(user)).await?;
        let find = |key: &keys::Key| items.iter().find(|item| item::get_text(item, "sk").as_ref() == Some(&key.sk));
        Ok(Own {
            account: find(&account).map(item::read_account).transpose()?,
            told: find(&told).and_then(|item| read_told(item, now)),
            relations,
            memberships: items::read_memberships(find(&memberships)),
        })
    }

    async fn around(
        &self,
        people: &BTreeSet<UserId>,
        groups: &BTreeSet<GroupId>,
    ) -> Result<(Faces, HashMap<GroupId, Group>)> {
        // A nickname that a replica does not have yet still differs at the next sync, so the cheaper read will do.
        trips::both(self.read_faces(people, Reads::Eventually), self.read_groups(groups)).await
    }

    async fn rosters(&self, groups: &BTreeSet<GroupId>) -> Result<HashMap<GroupId, Roster>> {
        self.read_rosters(groups).await
    }

    async fn faces_now(&self, people: &BTreeSet<UserId>) -> Result<Faces> {
        self.read_faces(people, Reads::Consistently).await
    }

    async fn renew(&self, user: UserId, version: u64, now: Timestamp) -> Result<()> {
        let renew = Change::new(keys::told(user, version), "SET #since = :now, #ttl = :ttl")
            .when("attribute_exists(pk)")
            .value(":now", moment(now))
            .value(":ttl", number(now.plus(REMEMBERED).seconds()));
        self.update("remembering an answer for longer", renew).await.map(drop)
    }

    async fn remember(&self, user: UserId, version: u64, told: &Told, now: Timestamp) -> Result<bool> {
        let mut item = Item::from([
            ("rows".to_owned(), blob(&packed::told(told))),
            ("since".to_owned(), moment(now)),
            ("ttl".to_owned(), number(now.plus(REMEMBERED).seconds())),
        ]);
        item.extend(key_attributes(&keys::told(user, version)));
        let put = self.client.put_item().table_name(&*self.name).set_item(Some(item));
        let sent = put.condition_expression("attribute_not_exists(pk)").send().await;
        match sent.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(true),
            Err(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
            Err(error) => Err(Fault::new("remembering an answer", error).into()),
        }
    }
}

/// What a device was told, unless that was too long ago or cannot be read: it is told everything then.
fn read_told(item: &Item, now: Timestamp) -> Option<Remembered> {
    let since = item::get_moment(item, "since")?;
    let rows = packed::read_told(&item::get_blob(item, "rows")?)?;
    (since.plus(REMEMBERED) > now).then_some(Remembered { rows, since })
}
