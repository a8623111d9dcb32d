//! The data that a sync reads, and the record of what the device was sent.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;

use super::{items, packed};
use crate::batch::Reads;
use crate::item::{self, Item, blob, moment, number};
use crate::write::{Change, key_attributes};
use crate::{Table, keys};
use domain::account::UserId;
use domain::clock::Timestamp;
use domain::social::PublicProfiles;
use domain::social::group::{Group, GroupId, Roster};
use domain::social::sync::store::{Own, Remembered, SyncStore, Telling};
use domain::social::sync::{REMEMBERED, SyncSnapshot};
use domain::{Fault, Result};
use telemetry::round_trips;

/// How many rows fit into one item, which is limited to 400 KB: a row has 17 bytes.
const ROWS_OF_PART: usize = 15_000;

#[async_trait]
impl SyncStore for Table {
    async fn own(&self, user: UserId, version: u64, now: Timestamp) -> Result<Own> {
        let (account, memberships, told) = (keys::account(user), keys::memberships(user), keys::told(user, version, 0));
        let items = self.get_all(vec![account.clone(), memberships.clone(), told.clone()], &[], Reads::Consistently);
        let (items, relations) = round_trips::both(items, self.relations_of(user)).await?;
        let find = |key: &keys::Key| items.iter().find(|item| item::get_text(item, "sk").as_ref() == Some(&key.sk));
        let told = match find(&told) {
            Some(first) => self.read_told(user, version, first, now).await?,
            None => None,
        };
        Ok(Own {
            account: item::read_living(find(&account))?,
            snapshot: told,
            relations,
            memberships: items::read_memberships(find(&memberships)),
        })
    }

    async fn around(
        &self,
        people: &BTreeSet<UserId>,
        groups: &BTreeSet<GroupId>,
    ) -> Result<(PublicProfiles, HashMap<GroupId, Group>)> {
        // A nickname that a replica does not have yet still differs at the next sync, so the cheaper read is enough.
        round_trips::both(self.read_faces(people, Reads::Eventually), self.read_groups(groups)).await
    }

    async fn rosters(&self, groups: &BTreeSet<GroupId>) -> Result<HashMap<GroupId, Roster>> {
        self.read_rosters(groups).await
    }

    async fn faces_now(&self, people: &BTreeSet<UserId>) -> Result<PublicProfiles> {
        self.read_faces(people, Reads::Consistently).await
    }

    async fn renew(&self, user: UserId, version: u64, now: Timestamp) -> Result<()> {
        let renew = Change::new(keys::told(user, version, 0), "SET #since = :now, #ttl = :ttl")
            .when("attribute_exists(pk)")
            .value(":now", moment(now))
            .value(":ttl", number(now.plus(REMEMBERED).seconds()));
        self.update("remembering an answer for longer", renew).await.map(drop)
    }

    async fn remember(&self, user: UserId, version: u64, telling: &Telling, now: Timestamp) -> Result<bool> {
        let parts = packed::snapshot(&telling.rows, ROWS_OF_PART);
        let first = self.put_part(user, version, 0, &parts, telling.before, now);
        let (free, ()) = round_trips::both(first, self.forget_answer(user, telling.outlived)).await?;
        if free {
            // If a later sync finds the first part without the others, the device is sent everything again.
            let rest = 1..parts.len();
            round_trips::all(rest.map(|part| self.put_part(user, version, part, &parts, telling.before, now))).await?;
        }
        Ok(free)
    }
}

impl Table {
    /// Writes one of the items that record what a device was sent; returns `false` when it exists already.
    async fn put_part(
        &self,
        user: UserId,
        version: u64,
        part: usize,
        parts: &[Vec<u8>],
        before: u64,
        now: Timestamp,
    ) -> Result<bool> {
        let mut item = Item::from([
            ("rows".to_owned(), blob(&parts[part])),
            ("parts".to_owned(), number(parts.len())),
            ("before".to_owned(), number(before)),
            ("since".to_owned(), moment(now)),
            ("ttl".to_owned(), number(now.plus(REMEMBERED).seconds())),
        ]);
        item.extend(key_attributes(&keys::told(user, version, part)));
        let put = self.client.put_item().table_name(&*self.name).set_item(Some(item));
        let sent = put.condition_expression("attribute_not_exists(pk)").send().await;
        match sent.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(true),
            Err(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
            Err(error) => Err(Fault::new("remembering an answer", error).into()),
        }
    }

    /// Deletes the record of a response that the device does not need any more. Further parts are left to TTL.
    async fn forget_answer(&self, user: UserId, version: Option<u64>) -> Result<()> {
        let Some(version) = version else { return Ok(()) };
        let delete = self.client.delete_item().table_name(&*self.name);
        let deleted = delete.set_key(Some(key_attributes(&keys::told(user, version, 0)))).send().await;
        deleted.map_err(|error| Fault::new("forgetting an answer", error.into_service_error()))?;
        Ok(())
    }

    /// Reads the record of what a device was sent; `None` if that was too long ago or cannot be parsed. In that case
    /// the device is sent everything.
    async fn read_told(&self, user: UserId, version: u64, first: &Item, now: Timestamp) -> Result<Option<Remembered>> {
        let parts: usize = item::get_number(first, "parts").unwrap_or(1);
        let keys = (1..parts).map(|part| keys::told(user, version, part)).collect();
        let rest = self.get_all(keys, &["rows"], Reads::Consistently).await?;
        if rest.len() + 1 < parts {
            return Ok(None);
        }
        let mut rows = SyncSnapshot::new();
        for part in [first].into_iter().chain(&rest) {
            let Some(some) = item::get_blob(part, "rows").and_then(|rows| packed::read_told(&rows)) else {
                return Ok(None);
            };
            rows.extend(some);
        }
        let Some(since) = item::get_moment(first, "since") else { return Ok(None) };
        let before = item::get_number(first, "before").unwrap_or_default();
        Ok((since.plus(REMEMBERED) > now).then_some(Remembered { rows, since, before }))
    }
}
