//! Removing ways to sign in to an account.

use std::net::IpAddr;
use std::time::Duration;

use super::number_change::FRESH;
use super::{Confirmation, Identity, Linking};
use crate::account::{Account, Caller};
use crate::app_data::AppData;
use crate::login_identifier::{LoginIdentifier, Username};
use crate::{Error, Fault, NotSignedIn, Result};

impl Account {
    /// Everything that users sign in to this account with, in the order in which it was added as far as that is known:
    /// the number, the username, and the sign-in providers' users.
    pub fn login_identifiers(&self) -> Result<Vec<LoginIdentifier>> {
        let phone = self.phone.as_ref().map(|phone| phone.parse().map(LoginIdentifier::Phone)).transpose()?;
        let username = self.username.as_ref();
        let username = username.map(|name| Username::stored(name).map(LoginIdentifier::Username)).transpose()?;
        let linked = self
            .linked
            .iter()
            .map(|linked| LoginIdentifier::Provider { provider: linked.provider, subject: linked.subject.clone() });
        Ok(phone.into_iter().chain(username).chain(linked).collect())
    }
}

impl Identity {
    /// Removes a way to sign in to the caller's account. The last one is refused with [`Error::LastIdentity`]. Removing
    /// the number or the username needs a confirmation, or a session that has just begun.
    pub async fn unlink(
        &self,
        caller: Caller,
        which: impl Fn(&LoginIdentifier) -> bool,
        confirmation: &Confirmation,
        from: Option<IpAddr>,
    ) -> Result<()> {
        let now = self.clock.now();
        let account = self.app_users.account_with_app(caller.user).await?.ok_or(Error::NotFound("user"))?;
        account.check_session(caller.session, now)?;
        let all = account.login_identifiers()?;
        let claim = all.iter().find(|claim| which(claim)).ok_or(Error::NotFound("identity"))?.clone();
        if all.len() == 1 {
            return Err(Error::LastIdentity);
        }
        // Whoever has stolen a token could otherwise link an identity of their own and remove the owner's number.
        let needs_proof = matches!(claim, LoginIdentifier::Phone(_) | LoginIdentifier::Username(_));
        let fresh = if needs_proof { FRESH } else { Duration::MAX };
        let proof = self.confirm(&account, caller, confirmation, fresh, from, now).await?;
        let mut data = AppData { updated: Some(now), ..account.app.clone() };
        if let LoginIdentifier::Provider { provider, .. } = &claim {
            data.identities.remove(provider.name());
        }
        match self.app_users.change_links(caller, &account, &Linking::Remove { claim, data }, &proof, now).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::Unauthenticated(NotSignedIn::Ended)),
            Err(Error::Taken(_)) => Err(Fault::new("unlinking", "nothing is claimed").into()),
            Err(other) => Err(other),
        }
    }
}
