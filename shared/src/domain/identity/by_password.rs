//! Passwords: registering with one, signing in with it, changing it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Admission, Attempt, Draft, Guesser, Identity, Made, PasswordGuess, Proof, Remaining, SignedIn};
use crate::domain::account::{Account, Caller, Secret};
use crate::domain::claim::{Claim, Username};
use crate::domain::clock::Timestamp;
use crate::domain::password::{Check, Password};
use crate::domain::profile::Nickname;
use crate::domain::session::NewSession;
use crate::domain::{Cap, Error, Result};
use crate::metrics::{self, Metric};

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
    /// Makes an account that signs in with a name, counted for the address.
    pub async fn register_by_username(
        &self,
        username: &Username,
        registration: Registration,
        from: Option<IpAddr>,
        session: NewSession,
    ) -> Result<SignedIn> {
        self.looks_new(username).await?;
        let claim = Claim::Username(username.clone());
        let made = self.register(claim, registration, session, &Proof::Nothing { from }, self.clock.now()).await?;
        made.or_taken("username")
    }

    /// Refuses a name that an account of before has in pieces (NFD): the two look the same. No such name is made any
    /// more, so that reading first loses no race. No round trip for a name without accents.
    pub async fn looks_new(&self, username: &Username) -> Result<()> {
        let Some(decomposed) = username.decomposed() else { return Ok(()) };
        if self.store.owner(&Claim::Username(decomposed)).await?.is_some() {
            Err(Error::Taken("username"))
        } else {
            Ok(())
        }
    }

    /// The name of an account as its owner typed it. Names were once kept as they were typed and are composed (NFC)
    /// today, so a name that is typed in pieces may be either: one round trip for such a name, and none for others.
    pub async fn known_as(&self, typed: Username) -> Result<Username> {
        let Some(composed) = typed.composed() else { return Ok(typed) };
        let before = self.store.owner(&Claim::Username(typed.clone())).await?.is_some();
        Ok(if before { typed } else { composed })
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
        let (guess, attempt) = match self.count_password_guess(Guesser::Claim(claim.clone()), from, now).await {
            Ok(counted) => counted,
            Err(error) => return Err(hide_lock(error, typed).await?),
        };
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

    /// Changes the password of a signed-in user who knows the old one. Every other session ends.
    pub async fn change_password(
        &self,
        caller: Caller,
        old: Password,
        new: Password,
        from: Option<IpAddr>,
    ) -> Result<()> {
        self.replace_password(caller, old, new, from, Remaining::Caller(caller.session)).await.map(drop)
    }

    /// The same, but the caller's session ends too, and another one begins in the same write. So the answer does not
    /// depend on a second sign-in, which other people's wrong passwords may have locked.
    pub async fn change_password_and_session(
        &self,
        caller: Caller,
        old: Password,
        new: Password,
        from: Option<IpAddr>,
        session: NewSession,
    ) -> Result<SignedIn> {
        let (id, session) = self.session_of(caller.user, &self.begin(session, self.clock.now()));
        let remaining = Remaining::Instead { of: caller.session, session: (id, session.clone()) };
        let account = self.replace_password(caller, old, new, from, remaining).await?;
        metrics::count_by(Metric::SignIns, &session.api);
        let account = Account { sessions: [(id, session)].into(), ..account };
        Ok(SignedIn { account, caller: Caller { session: id, ..caller }, turn: 0, new_account: false })
    }

    async fn replace_password(
        &self,
        caller: Caller,
        old: Password,
        new: Password,
        from: Option<IpAddr>,
        remaining: Remaining,
    ) -> Result<Account> {
        let now = self.clock.now();
        let counted = self.count_password_guess(Guesser::Caller(caller), from, now);
        let (account, guess) = match crate::trips::both(self.account(caller), counted).await {
            Ok((account, (guess, _))) => (account, guess),
            Err(error) => return Err(hide_lock(error, old).await?),
        };
        if old.check(account.secret.hash.as_deref()).await? == Check::Wrong {
            return Err(Error::PasswordWrong);
        }
        let secret = account.secret.next(new.hash(&*self.random).await?);
        let proof = Proof::Password { guess, rehashed: None };
        let set = self.store.set_secret(&account, &secret, &remaining, &proof, now).await?;
        if set { Ok(Account { secret, ..account }) } else { Err(Error::PasswordWrong) }
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

/// What a password is refused with that could not be compared, after as much time as comparing takes: neither the words
/// nor the time show that there is a lock.
async fn hide_lock(error: Error, typed: Password) -> Result<Error> {
    let Error::Limited { cap: Cap::SignInFailures, retry_after } = error else { return Ok(error) };
    typed.check(None).await?;
    Ok(Error::Locked { retry_after })
}
