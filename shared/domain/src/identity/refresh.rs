//! Refresh tokens, which extend a session.

use std::net::IpAddr;

use super::{Identity, Move, SignedIn};
use crate::account::UserId;
use crate::{Error, Result};
use telemetry::metrics::{self, Metric};

impl Identity {
    /// Exchanges a refresh token for the next one. Sending the previous token again within the grace period, as after a
    /// lost response, returns the same next token. Sending an older one means that the token was stolen, and ends the
    /// session.
    ///
    /// `holder` is the user whom the request names, if it names one. The account knows the address from now on.
    pub async fn refresh(&self, token: &str, holder: Option<UserId>, from: Option<IpAddr>) -> Result<SignedIn> {
        let now = self.clock.now();
        let token = self.keys.check_refresh_token(token)?;
        if holder.is_some_and(|holder| holder != token.caller.user) {
            return Err(Error::RefreshInvalid);
        }
        let next = |account, generation| Ok(SignedIn { account, caller: token.caller, generation, new_account: false });
        let network = from.map(|from| self.keys.network_hash(token.caller.user, from));
        let account = match self.store.move_refresh_token(token, network, now).await? {
            Move::Done(account) => return next(*account, token.generation + 1),
            Move::Refused(account) => account.ok_or(Error::RefreshInvalid)?,
        };
        let session = account.sessions.get(&token.caller.session).filter(|session| session.is_active(now));
        let session = session.ok_or(Error::RefreshInvalid)?;
        if token.generation >= session.generation {
            // The valid token of an active session would have been exchanged, and a later one was never issued.
            return Err(Error::RefreshInvalid);
        }
        if token.generation + 1 == session.generation && now <= session.moved.plus(self.policy.refresh_grace) {
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
