//! Refresh tokens, which extend a session.

use std::net::IpAddr;

use super::{Identity, Move, SignedIn};
use crate::account::UserId;
use crate::session::Session;
use crate::{Error, Result, app_data};
use telemetry::metrics::{self, Metric};

impl Identity {
    /// Exchanges a refresh token for the next one. Sending the previous token again within the grace period, as after a
    /// lost response, returns the same next token. Sending an older one means that the token was stolen, and ends the
    /// session.
    ///
    /// `api` is the API that the request is for: a refresh token is valid only in the API in which the session began.
    /// `holder` is the user whom the request names, if it names one. The account knows the address from now on.
    pub async fn refresh(
        &self,
        api: &str,
        token: &str,
        holder: Option<UserId>,
        from: Option<IpAddr>,
    ) -> Result<SignedIn> {
        let now = self.clock.now();
        let token = self.keys.check_refresh_token(token)?;
        if holder.is_some_and(|holder| holder != token.caller.user) {
            return Err(Error::RefreshInvalid);
        }
        let next = |account, generation| Ok(SignedIn { account, caller: token.caller, generation, new_account: false });
        let network = from.map(|from| self.keys.network_hash(token.caller.user, from));
        let account = match self.store.move_refresh_token(api, token, network, now).await? {
            Move::Done(account) => return next(*account, token.generation + 1),
            Move::Refused(account) => account.ok_or(Error::RefreshInvalid)?,
        };
        let session = account.sessions.get(&token.caller.session);
        let session = session.filter(|session| session.is_active(now) && session.api == api);
        let session = session.ok_or(Error::RefreshInvalid)?;
        if token.generation >= session.generation {
            // The valid token of an active session would have been exchanged, and a later one was never issued.
            return Err(Error::RefreshInvalid);
        }
        let lost = now <= session.moved.plus(self.policy.refresh_grace) || may_be_lost(session);
        if token.generation + 1 == session.generation && lost {
            let generation = session.generation;
            return next(*account, generation);
        }
        self.store.end_session(token.caller).await?;
        tracing::warn!(
            user = %token.caller.user,
            event = "refresh_token_theft",
            "an old refresh token came back; its session was ended"
        );
        metrics::count(Metric::RefreshTokenThefts);
        Err(Error::RefreshReused)
    }
}

/// Whether the client may not have received its latest tokens, however long ago they were issued: a phone can lose a
/// response and come back hours later. Only the Supabase API records what the client has used.
fn may_be_lost(session: &Session) -> bool {
    session.api == app_data::API && session.seen_generation != Some(session.generation)
}
