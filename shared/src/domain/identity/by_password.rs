//! Passwords: registering with one, signing in with it, changing it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Admission, Draft, Guesser, Identity, Made, Proof, SignedIn};
use crate::domain::account::{Account, Caller, Secret};
use crate::domain::claim::{Claim, Username};
use crate::domain::clock::Timestamp;
use crate::domain::password::{Check, Password};
use crate::domain::profile::Nickname;
use crate::domain::session::{NewSession, SessionId};
use crate::domain::{Error, Result};

/// What an account is made with, beside the claim it is made for.
#[derive(Debug)]
pub struct Registration {
    /// The password.
    pub password: Password,
    /// The nickname, where one was given.
    pub name: Option<Nickname>,
    /// What the rooms API keeps beside the profile.
    pub details: BTreeMap<String, String>,
}

impl Identity {
    /// Makes an account that signs in with a name.
    pub async fn register_by_username(
        &self,
        username: &Username,
        registration: Registration,
        session: NewSession,
    ) -> Result<SignedIn> {
        let claim = Claim::Username(username.clone());
        let made = self.register(claim, registration, session, &Proof::Elsewhere, self.clock.now()).await?;
        made.or_taken("username")
    }

    /// Signs in with a claim and its password. A claim that nobody has is refused in the same words and takes as long.
    pub async fn sign_in_by_password(
        &self,
        claim: &Claim,
        typed: Password,
        from: Option<IpAddr>,
        session: NewSession,
    ) -> Result<SignedIn> {
        let now = self.clock.now();
        let guesser = Guesser::Claim(claim.clone());
        let attempt = self.store.attempt(&guesser, from, now).await?;
        let text = typed.clone();
        let check = typed.check(attempt.secret.hash.as_deref()).await?;
        let rehashed = match check {
            Check::Right => None,
            Check::RightButOutdated => Some(text.hash(&*self.random).await?),
            Check::Wrong => return Err(Error::PasswordWrong),
        };
        let proof = Proof::Password { guesser, from, rehashed };
        let version = Some(attempt.secret.version);
        let admission = Admission { session: self.begin(session, now), proof, version };
        let user = attempt.user.ok_or(Error::PasswordWrong)?;
        // A password that was changed this very moment is a wrong one.
        self.admit(user, &admission, now).await?.ok_or(Error::PasswordWrong)
    }

    /// Changes the password of somebody who is signed in and knows the old one. Every other session ends; the
    /// caller's stays where `keep` says so.
    pub async fn change_password(
        &self,
        caller: Caller,
        old: Password,
        new: Password,
        from: Option<IpAddr>,
        keep: bool,
    ) -> Result<()> {
        let now = self.clock.now();
        let guesser = Guesser::User(caller.user);
        let (account, _) = crate::trips::both(self.account(caller), self.store.attempt(&guesser, from, now)).await?;
        if old.check(account.secret.hash.as_deref()).await? == Check::Wrong {
            return Err(Error::PasswordWrong);
        }
        let secret = account.secret.next(new.hash(&*self.random).await?);
        let keep: Option<SessionId> = keep.then_some(caller.session);
        let proof = Proof::Password { guesser, from, rehashed: None };
        let set = self.store.set_secret(&account, &secret, keep, &proof, now).await?;
        if set { Ok(()) } else { Err(Error::PasswordWrong) }
    }

    pub(super) async fn register(
        &self,
        claim: Claim,
        registration: Registration,
        session: NewSession,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<Made> {
        let Registration { password, name, details } = registration;
        let secret = Secret::default().next(password.hash(&*self.random).await?);
        let owner = claim.clone();
        let fill = move |account: &mut Account| {
            match &owner {
                Claim::Phone(phone) => account.phone = Some(phone.e164().to_owned()),
                Claim::Username(username) => account.username = Some(username.as_str().to_owned()),
                Claim::Provider { .. } => {}
            }
            account.secret = secret.clone();
            account.name = name.as_ref().map(|name| name.as_str().to_owned()).unwrap_or_default();
            account.details.clone_from(&details);
        };
        self.create(Draft { session: self.begin(session, now), fill: Box::new(fill) }, &claim, proof, now).await
    }
}
