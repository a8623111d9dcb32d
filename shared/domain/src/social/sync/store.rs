//! The store of what a sync reads, and of what each device was last sent.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;

use super::snapshot::SyncSnapshot;
use crate::Result;
use crate::account::{Account, UserId};
use crate::clock::Timestamp;
use crate::social::PublicProfiles;
use crate::social::friendship::Relation;
use crate::social::group::{Group, GroupId, Roster};
use crate::social::store::Memberships;

/// The data that a sync reads and writes.
#[async_trait]
pub trait SyncStore: Send + Sync {
    /// The user's own data, and what the device was sent with this version. The session is not checked. Takes one round
    /// trip, or one for each megabyte of relations.
    async fn own(&self, user: UserId, version: u64, now: Timestamp) -> Result<Own>;

    /// The public profiles of these users, which may be slightly out of date, and the current state of these groups.
    /// Takes one round trip.
    async fn around(
        &self,
        people: &BTreeSet<UserId>,
        groups: &BTreeSet<GroupId>,
    ) -> Result<(PublicProfiles, HashMap<GroupId, Group>)>;

    /// The rosters of these groups. Takes one round trip.
    async fn rosters(&self, groups: &BTreeSet<GroupId>) -> Result<HashMap<GroupId, Roster>>;

    /// The current public profiles of these users. Takes one round trip.
    async fn faces_now(&self, people: &BTreeSet<UserId>) -> Result<PublicProfiles>;

    /// Extends how long the record of this version is kept. Takes one round trip.
    async fn renew(&self, user: UserId, version: u64, now: Timestamp) -> Result<()>;

    /// Saves what a device is sent; returns `false` when another response has that version. Also deletes the record of
    /// the response before the device's last one, since the device has shown that it received the last one. Takes one
    /// round trip, and another for a user with more than fifteen thousand rows.
    async fn remember(&self, user: UserId, version: u64, telling: &Telling, now: Timestamp) -> Result<bool>;
}

/// The result of [`SyncStore::own`].
#[derive(Clone, Debug)]
pub struct Own {
    /// The account; `None` when it is deleted.
    pub account: Option<Account>,
    /// The record of what the device was sent; `None` when that was never recorded, or has expired.
    pub snapshot: Option<Remembered>,
    /// The user's relations to others.
    pub relations: Vec<Relation>,
    /// The user's groups.
    pub memberships: Memberships,
}

/// The record of what a device was sent in one response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// The rows that the device has.
    pub rows: SyncSnapshot,
    /// When the record was written, or last renewed.
    pub since: Timestamp,
    /// The version of the response before.
    pub before: u64,
}

/// The record for a response that is about to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telling {
    /// All rows that the device will have.
    pub rows: SyncSnapshot,
    /// The version that the device sent.
    pub before: u64,
    /// The version before that one. It is no longer needed.
    pub outlived: Option<u64>,
}
