//! What users of the Supabase API do with their own accounts.

use serde_json::{Map, Value};

use super::{ATTEMPTS, Identity, Proof};
use crate::account::{Account, Caller};
use crate::app_data::{self, AppData};
use crate::session::SessionId;
use crate::tokens::app::AppToken;
use crate::{Error, Fault, NotSignedIn, Result};

/// Which sessions a sign-out ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignOut {
    /// All sessions of the account, in all APIs.
    All,
    /// Only the caller's.
    Own,
    /// All except the caller's.
    Others,
}

impl Identity {
    /// The caller's account with its data of the Supabase API, if the session is active. Takes one round trip, and a
    /// second one the first time that a token of a generation is used. A deleted account is
    /// [`Error::NotFound`].
    pub async fn app_account(&self, token: AppToken) -> Result<Account> {
        let account = self.app_users.account_with_app(token.caller.user).await?.ok_or(Error::NotFound("user"))?;
        account.check_session(token.caller.session, self.clock.now())?;
        self.record_use(token, &account).await?;
        Ok(account)
    }

    /// Records the first use of a token of this generation. The client has its tokens then, so the refresh token before
    /// counts as stolen from now on.
    pub async fn record_use(&self, token: AppToken, account: &Account) -> Result<()> {
        let session = account.sessions.get(&token.caller.session);
        let unseen = |seen: Option<u32>| seen.is_none_or(|seen| seen < token.generation);
        if session.is_some_and(|session| session.generation == token.generation && unseen(session.seen_generation)) {
            self.app_users.record_seen(token.caller, token.generation).await?;
        }
        Ok(())
    }

    /// Changes the account's `user_metadata`: each key of `change` replaces the one of the same name, and null removes
    /// it.
    pub async fn change_user_metadata(&self, caller: Caller, change: &Map<String, Value>) -> Result<()> {
        let now = self.clock.now();
        for _ in 0..ATTEMPTS {
            let account = self.app_users.account_with_app(caller.user).await?.ok_or(Error::NotFound("user"))?;
            account.check_session(caller.session, now)?;
            let user_metadata = app_data::merge(&account.app.user_metadata, change.clone())?;
            let data = AppData { user_metadata, updated: Some(now), ..account.app.clone() };
            let proof = Proof::Nothing { from: None };
            if self.app_users.set_app_data(caller, &account, &data, &proof, now).await? {
                return Ok(());
            }
        }
        Err(Fault::new("changing user metadata", "it was changed by somebody else at every attempt").into())
    }

    /// Records for the client that a code was sent that confirms a change. `account` is the account as it was read; if
    /// its data was changed since, nothing is recorded, because the code works without it.
    pub async fn record_reauthentication(&self, caller: Caller, account: &Account) -> Result<()> {
        let now = self.clock.now();
        let data = AppData { reauthentication_sent: Some(now), ..account.app.clone() };
        self.app_users.set_app_data(caller, account, &data, &Proof::Nothing { from: None }, now).await.map(drop)
    }

    /// Ends one session of the caller's account, and with it its tokens in its API. [`Error::NotFound`] if the account
    /// has no such session.
    pub async fn end_session_of(&self, caller: Caller, session: SessionId) -> Result<()> {
        self.app_users.end_one_session(caller, session, self.clock.now()).await
    }

    /// Ends sessions, and with them their tokens in every API. It is not an error when the caller's has ended already.
    pub async fn sign_out_of(&self, caller: Caller, which: SignOut) -> Result<()> {
        if which == SignOut::Own {
            return self.store.end_session(caller).await;
        }
        for _ in 0..ATTEMPTS {
            let account = self.store.account(caller.user).await?.ok_or(Error::NotFound("user"))?;
            if !account.has_session(caller.session, self.clock.now()) {
                return Err(Error::Unauthenticated(NotSignedIn::Ended));
            }
            let kept = (which == SignOut::Others).then_some(caller.session);
            if self.app_users.end_sessions(&account, kept).await? {
                return Ok(());
            }
        }
        Err(Fault::new("ending sessions", "the account changed at every attempt").into())
    }
}
