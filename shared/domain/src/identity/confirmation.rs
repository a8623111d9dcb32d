//! Changes that a session alone may not make when it is old: whoever finds an unlocked phone, or steals a token, must
//! not take the account over.

use std::net::IpAddr;
use std::time::Duration;

use super::by_code::spent;
use super::by_password::hide_lock;
use super::number_change::FRESH;
use super::{Guesser, Identity, Proof, Remaining};
use crate::account::{Account, Caller};
use crate::clock::Timestamp;
use crate::codes::{Code, Purpose};
use crate::password::{Check, Password};
use crate::{Error, NotSignedIn, Result};

/// A further proof that the caller is the owner.
#[derive(Clone, Debug, Default)]
pub enum Confirmation {
    /// None.
    #[default]
    None,
    /// A code of [`Purpose::Reauthentication`].
    Code(Code),
    /// The account's password.
    Password(Password),
}

impl Identity {
    /// Sets another password, and ends all other sessions in every API. A session older than the policy permits needs a
    /// confirmation.
    pub async fn set_new_password(
        &self,
        caller: Caller,
        new: Password,
        confirmation: &Confirmation,
        from: Option<IpAddr>,
    ) -> Result<()> {
        let now = self.clock.now();
        let account = self.account(caller).await?;
        if account.phone.is_none() && account.username.is_none() {
            return Err(Error::NotForAnonymous);
        }
        let fresh = self.policy.reauthenticate_after;
        let proof = self.confirm(&account, caller, confirmation, fresh, from, now).await?;
        if new.clone().check(account.secret.hash.as_deref()).await? != Check::Wrong {
            return Err(Error::SamePassword);
        }
        let secret = account.secret.next(new.hash(&*self.random).await?);
        let remaining = Remaining::Caller(caller.session);
        let set = self.store.set_secret(&account, &secret, &remaining, &proof, now).await?;
        if set { Ok(()) } else { Err(Error::Unauthenticated(NotSignedIn::Ended)) }
    }

    /// Removes the account's password, and ends all other sessions in every API. An account whose users could not sign in
    /// any more is refused with [`Error::LastIdentity`]. Needs a confirmation, or a session that has just begun.
    pub async fn remove_password(
        &self,
        caller: Caller,
        confirmation: &Confirmation,
        from: Option<IpAddr>,
    ) -> Result<()> {
        let now = self.clock.now();
        let account = self.account(caller).await?;
        if account.secret.hash.is_none() {
            return Err(Error::NotFound("password"));
        }
        if account.phone.is_none() && account.linked.is_empty() {
            return Err(Error::LastIdentity);
        }
        let proof = self.confirm(&account, caller, confirmation, FRESH, from, now).await?;
        let remaining = Remaining::Caller(caller.session);
        let removed = self.store.set_secret(&account, &account.secret.removed(), &remaining, &proof, now).await?;
        if removed { Ok(()) } else { Err(Error::Unauthenticated(NotSignedIn::Ended)) }
    }

    /// Checks a confirmation. Without one, the session must be younger than `fresh`. The write that the proof authorises
    /// uses it up. A wrong code gives the errors of codes, and a wrong password [`Error::PasswordWrong`].
    pub(crate) async fn confirm(
        &self,
        account: &Account,
        caller: Caller,
        confirmation: &Confirmation,
        fresh: Duration,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Proof> {
        match confirmation {
            Confirmation::None => {
                let session = account.sessions.get(&caller.session);
                let fresh = session.is_some_and(|session| now < session.began.plus(fresh));
                if fresh { Ok(Proof::Nothing { from }) } else { Err(Error::ReauthenticationNeeded) }
            }
            Confirmation::Code(code) => {
                let phone = account.phone.as_deref().ok_or(Error::CodeNotAsked)?.parse()?;
                let purpose = Purpose::Reauthentication(caller.user);
                Ok(spent(&phone, self.attempt_code(&phone, code, &[purpose], from, now).await?))
            }
            Confirmation::Password(typed) => {
                let guess = match self.count_password_guess(Guesser::Caller(caller), from, now).await {
                    Ok((guess, _)) => guess,
                    Err(error) => return Err(hide_lock(error, typed.clone()).await?),
                };
                if typed.clone().check(account.secret.hash.as_deref()).await? == Check::Wrong {
                    return Err(Error::PasswordWrong);
                }
                Ok(Proof::Password { guess, rehashed: None })
            }
        }
    }
}
