//! Deleting accounts.
//!
//! An account is deleted in two steps. The request itself is one transaction: it ends all sessions, frees everything that
//! the user signed in with, and leaves a tombstone in the account's place. Nobody can sign in to a tombstone, and no one
//! sees it. Then [`Purge`] removes everything else that belonged to the user. It starts a minute later, when every request
//! that was admitted before the deletion has ended, so nothing is written behind its back. Each of its steps can be
//! repeated, so it may be stopped at any point and started again.
//!
//! With a grace period, the first step only ends the sessions and hides the account. Signing in before the period is over
//! makes it as it was.

mod purge;
mod store;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

pub use self::purge::Purge;
pub use self::store::{Belonging, DeletionStore, Leftover, PurgeStore};
use crate::account::{Account, Caller};
use crate::identity::{Confirmation, FRESH, Identity};
use crate::notifications::Device;
use crate::{Fault, Result};

/// How long after a deletion the account's belongings are removed: longer than any request that was admitted before it.
pub const PURGED_AFTER: Duration = Duration::from_mins(1);

/// Deletes accounts for their owners.
pub struct Deletions {
    /// Checks that the caller is the owner.
    pub identity: Arc<Identity>,
    /// The store of accounts.
    pub store: Arc<dyn DeletionStore>,
    /// How long a user can undo the deletion by signing in. Zero deletes at once.
    pub grace: Duration,
}

impl Deletions {
    /// Deletes the caller's account. Needs a confirmation, or a session that has just begun. A wrong code gives the errors
    /// of codes, and a wrong password [`Error::PasswordWrong`](crate::Error::PasswordWrong). Takes two
    /// round trips, and one more with a confirmation.
    pub async fn delete(&self, caller: Caller, confirmation: &Confirmation, from: Option<IpAddr>) -> Result<()> {
        let now = self.identity.clock.now();
        let mut account = self.identity.account(caller).await?;
        // Nobody can sign in to an anonymous account, neither to confirm a deletion nor to undo one.
        let (fresh, undoable) = if account.is_anonymous() { (Duration::MAX, false) } else { (FRESH, true) };
        let proof = self.identity.confirm(&account, caller, confirmation, fresh, from, now).await?;
        let purge_at = (undoable && !self.grace.is_zero()).then(|| now.plus(self.grace));
        for _ in 0..ATTEMPTS {
            if self.store.delete_account(caller, &account, &proof, purge_at, now).await? {
                return Ok(());
            }
            // Either the session has ended, or the user changed the ways to sign in at the same time.
            account = self.identity.account(caller).await?;
        }
        Err(Fault::new("deleting an account", "it was changed at every attempt").into())
    }
}

/// How often a deletion is tried again because the account was changed at the same time.
const ATTEMPTS: usize = 4;

impl Leftover {
    /// What nothing but the account itself leads to.
    #[must_use]
    pub fn of(account: &Account) -> Self {
        Self {
            phone: account.phone.clone(),
            devices: account.sessions.values().flat_map(|session| Device::of(&session.push)).collect(),
            room_number: account.room.clone(),
            room: account.room_id,
        }
    }
}
