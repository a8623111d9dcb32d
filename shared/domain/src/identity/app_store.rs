//! The store of what users of the Supabase API do with their own accounts.

use async_trait::async_trait;

use super::{Proof, SpentCode};
use crate::Result;
use crate::account::{Account, Caller, Linked, UserId};
use crate::app_data::AppData;
use crate::clock::Timestamp;
use crate::login_identifier::LoginIdentifier;
use crate::session::{Session, SessionId};

/// Another number for an account.
#[derive(Clone, Debug)]
pub struct NumberChange {
    /// The code that proves the number.
    pub spent: SpentCode,
    /// The session that goes on.
    pub session: SessionAfter,
}

/// The session after a change that answers with new tokens.
#[derive(Clone, Debug)]
pub enum SessionAfter {
    /// The session that asked for the change, with its next refresh token.
    Next {
        /// Its id.
        id: SessionId,
        /// The generation of the refresh token until then.
        generation: u32,
    },
    /// A new session.
    New(SessionId, Session),
}

/// A change to the ways in which users sign in to an account.
#[derive(Clone, Debug)]
pub enum Linking {
    /// Adds a sign-in provider's user, and what the provider says about the user.
    Add {
        /// The provider's user.
        linked: Linked,
        /// The account's data of the Supabase API afterwards.
        data: AppData,
    },
    /// Removes a way to sign in.
    Remove {
        /// The claim.
        claim: LoginIdentifier,
        /// The account's data of the Supabase API afterwards.
        data: AppData,
    },
}

/// Reads and changes accounts with their data of the Supabase API. Each method is one round trip.
#[async_trait]
pub trait AppUserStore: Send + Sync {
    /// An account with its data of the Supabase API.
    async fn account_with_app(&self, user: UserId) -> Result<Option<Account>>;

    /// Uses up the proof and replaces the account's data of the Supabase API, all or nothing. `account` is the account
    /// as it was read. Returns `false` when the data was changed since, or the caller's session has ended.
    async fn set_app_data(
        &self,
        caller: Caller,
        account: &Account,
        data: &AppData,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<bool>;

    /// Uses up the code and gives the account another number, all or nothing. `account` is the account as it was read.
    /// Fails with [`Error::Taken`](crate::Error::Taken) when the number belongs to an account. Returns `false` when the
    /// account was changed since.
    async fn change_number(&self, account: &Account, change: &NumberChange, now: Timestamp) -> Result<bool>;

    /// Uses up the proof, and links a sign-in provider's user to the account or removes a way to sign in, all or nothing. `account` is the
    /// account as it was read. Fails with [`Error::Taken`](crate::Error::Taken) when the provider's user has an account.
    /// Returns `false` when the account was changed since, or the caller's session has ended.
    async fn change_links(
        &self,
        caller: Caller,
        account: &Account,
        change: &Linking,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<bool>;

    /// Ends the sessions of an account except the `kept` one. `account` is the account as it was read. Returns `false`
    /// when the kept session was changed since.
    async fn end_sessions(&self, account: &Account, kept: Option<SessionId>) -> Result<bool>;

    /// Ends one session of the caller's account. [`Error::NotFound`](crate::Error::NotFound) if it has no such session.
    async fn end_one_session(&self, caller: Caller, session: SessionId, now: Timestamp) -> Result<()>;

    /// Records that the client has used the access token of this generation.
    async fn record_seen(&self, caller: Caller, generation: u32) -> Result<()>;
}
