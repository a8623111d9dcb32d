//! Friends, groups, and what devices were sent.

mod friends;
mod groups;
mod items;
mod jobs;
mod notifications;
mod packed;
mod parting;
mod spread;
mod sync;

pub use self::notifications::change_of;

use std::collections::BTreeSet;

use super::batch::Reads;
use super::deletion::{DeletedAccount, deleted_account};
use super::item::{self, Item};
use super::{Table, keys, living};
use crate::stream::Record;
use domain::Result;
use domain::account::{Caller, UserId};
use domain::clock::Timestamp;
use domain::jobs::Job;
use domain::social::{PublicProfile, PublicProfiles};

/// The job that a change of the table requires, if any.
#[must_use]
pub fn job_of(record: &Record) -> Option<Job> {
    let spread = |user: UserId, late: bool| Job::SpreadProfile { user, change: record.id.clone(), late };
    match deleted_account(record) {
        Some(DeletedAccount::Tombstone(user)) => return Some(Job::PurgeUser { user }),
        Some(DeletedAccount::GraceOver(user)) => return Some(Job::EndGrace { user }),
        None => {}
    }
    let Some(new) = &record.new else {
        return keys::owner_of_unspread(&record.pk, &record.sk).map(|user| spread(user, true));
    };
    match record.sk.as_str() {
        "job" if record.old.is_none() => {
            let group = record.pk.strip_prefix("group#")?.parse().ok()?;
            Some(Job::FinishGroup { group })
        }
        "account" => {
            let (old, user) = (record.old.as_ref()?, item::get_user(new, "id")?);
            if ["name", "avatar"].into_iter().any(|name| old.get(name) != new.get(name)) {
                return Some(spread(user, false));
            }
            // The change that marks the account is not the one that asks again.
            let is_late = [old, new].into_iter().all(|account| account.contains_key(spread::UNSPREAD));
            is_late.then(|| spread(user, true))
        }
        _ => None,
    }
}

/// The attributes that a public profile needs, for a projection.
const FACE: &[&str] = &["id", "name", "avatar", "phone"];

impl Table {
    /// The public profiles of these users.
    async fn read_faces(&self, people: &BTreeSet<UserId>, reads: Reads) -> Result<PublicProfiles> {
        let accounts = people.iter().map(|user| keys::account(*user)).collect();
        let accounts = self.get_all(accounts, FACE, reads).await?;
        Ok(accounts.iter().filter_map(|account| Some((item::get_user(account, "id")?, profile(account)))).collect())
    }

    /// Checks that the caller's session is active.
    pub(super) async fn check_living(&self, caller: Caller, now: Timestamp) -> Result<()> {
        let account = self.get("reading an account", &keys::account(caller.user)).await?;
        living(account.as_ref(), caller, now)
    }
}

fn profile(account: &Item) -> PublicProfile {
    PublicProfile {
        name: item::get_text(account, "name").unwrap_or_default(),
        avatar: item::get_text(account, "avatar").unwrap_or_default(),
        phone: item::get_text(account, "phone"),
    }
}
