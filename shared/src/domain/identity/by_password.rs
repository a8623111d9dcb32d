//! Passwords: registering with one, signing in with it, changing it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Admission, Attempt, Draft, Guesser, Identity, Made, PasswordGuess, Proof, SignedIn};
use crate::domain::account::{Account, Caller, Secret};
use crate::domain::claim::{Claim, Username};
use crate::domain::clock::Timestamp;
use crate::domain::password::{Check, Password};
use crate::domain::profile::Nickname;
use crate::domain::session::{NewSession, SessionId};
use crate::domain::{Cap, Error, Result};

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
        let (guess, attempt) = self.count_password_guess(Guesser::Claim(claim.clone()), from, now).await?;
        let text = typed.clone();
        let check = typed.check(attempt.secret.hash.as_deref()).await?;
        let rehashed = match check {
            Check::Right => None,
            Check::RightButOutdated => Some(text.hash(&*self.random).await?),
            Check::Wrong => return Err(Error::PasswordWrong),
        };
        let proof = Proof::Password { guess, rehashed };
        let version = Some(attempt.secret.version);
        let user = attempt.user.ok_or(Error::PasswordWrong)?;
        let session = self.session_of(user, &self.begin(session, now));
        let admission = Admission { session, proof, version };
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
        let counted = self.count_password_guess(Guesser::Caller(caller), from, now);
        let (account, (guess, _)) = crate::trips::both(self.account(caller), counted).await?;
        if old.check(account.secret.hash.as_deref()).await? == Check::Wrong {
            return Err(Error::PasswordWrong);
        }
        let secret = account.secret.next(new.hash(&*self.random).await?);
        let keep: Option<SessionId> = keep.then_some(caller.session);
        let proof = Proof::Password { guess, rehashed: None };
        let set = self.store.set_secret(&account, &secret, keep, &proof, now).await?;
        if set { Ok(()) } else { Err(Error::PasswordWrong) }
    }

    /// Counts a guess as failed before it is compared. Where strangers have locked the account, an address that it
    /// knows still has guesses of its own.
    async fn count_password_guess(
        &self,
        guesser: Guesser,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(PasswordGuess, Attempt)> {
        let guess = PasswordGuess { guesser, from, known: None };
        let limited = match self.store.attempt(&guess, now).await {
            Err(limited @ Error::Limited { cap: Cap::SignInFailures, .. }) => limited,
            counted => return Ok((guess, counted?)),
        };
        let user = match &guess.guesser {
            Guesser::Claim(claim) => self.store.owner(claim).await?,
            Guesser::Caller(caller) => Some(caller.user),
        };
        let known = match user {
            Some(user) => self.known_network(user, from, now).await?,
            None => None,
        };
        let guess = PasswordGuess { known: Some(known.ok_or(limited)?), ..guess };
        let attempt = self.store.attempt(&guess, now).await?;
        Ok((guess, attempt))
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
