//! Passwords: registering with one, signing in with it, changing it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::{Admission, Attempt, Beginning, Draft, Guesser, Identity, Made, PasswordGuess, Proof, Remaining, SignedIn};
use crate::account::{Account, Caller, Secret};
use crate::clock::Timestamp;
use crate::login_identifier::{LoginIdentifier, Username};
use crate::password::{Check, Password};
use crate::profile::Nickname;
use crate::session::{NewSession, SignInMethod};
use crate::{Cap, Error, Result};
use telemetry::metrics::{self, Metric};

/// The data of a new account, in addition to its claim.
#[derive(Debug)]
pub struct Registration {
    /// The password.
    pub password: Password,
    /// The nickname, if the request has one.
    pub name: Option<Nickname>,
    /// The data that the rooms API stores besides the profile.
    pub details: BTreeMap<String, String>,
}

impl Identity {
    /// Creates an account with a username. It counts against the limit of the IP address.
    pub async fn register_by_username(
        &self,
        username: &Username,
        registration: Registration,
        from: Option<IpAddr>,
        session: NewSession,
    ) -> Result<SignedIn> {
        self.looks_new(username, from).await?;
        let claim = LoginIdentifier::Username(username.clone());
        let now = self.clock.now();
        let session = self.begin(session, SignInMethod::Password, now);
        let made = self.register(claim, registration, session, &Proof::Nothing { from }, now).await?;
        made.or_taken("username")
    }

    /// Refuses a username that an older account has in decomposed form (NFD), because the two look the same. New
    /// usernames are never stored in that form, so reading first cannot lose a race. No round trip for a username
    /// without accents.
    /// One round trip for others, and a second one to count that the caller learns of an account.
    pub async fn looks_new(&self, username: &Username, from: Option<IpAddr>) -> Result<()> {
        let Some(decomposed) = username.decomposed() else { return Ok(()) };
        let claim = LoginIdentifier::Username(decomposed);
        if self.store.owner(&claim).await?.is_none() {
            return Ok(());
        }
        self.store.check(&claim, from, self.clock.now()).await?;
        Err(Error::Taken("username"))
    }

    /// The username of an account as it is stored. Usernames were once stored as they were typed and are composed (NFC)
    /// today, so a name that is typed in decomposed form may be stored either way. This takes one round trip for such a
    /// name, and none for others.
    pub async fn known_as(&self, typed: Username) -> Result<Username> {
        let Some(composed) = typed.composed() else { return Ok(typed) };
        let before = self.store.owner(&LoginIdentifier::Username(typed.clone())).await?.is_some();
        Ok(if before { typed } else { composed })
    }

    /// Signs in with a claim and its password. A claim that does not exist gives the same error after the same time.
    pub async fn sign_in_by_password(
        &self,
        claim: &LoginIdentifier,
        typed: Password,
        from: Option<IpAddr>,
        session: NewSession,
    ) -> Result<SignedIn> {
        let now = self.clock.now();
        let (guess, attempt) = match self.count_password_guess(Guesser::LoginIdentifier(claim.clone()), from, now).await
        {
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
        let session = self.session_of(user, &self.begin(session, SignInMethod::Password, now));
        let admission = Admission { session, proof, version, linked: None };
        // A password that was changed just now is treated as a wrong one.
        self.admit(user, &admission, now).await?.ok_or(Error::PasswordWrong)
    }

    /// Changes the password of a signed-in user who knows the old one. All other sessions end.
    pub async fn change_password(
        &self,
        caller: Caller,
        old: Password,
        new: Password,
        from: Option<IpAddr>,
    ) -> Result<()> {
        self.replace_password(caller, old, new, from, Remaining::Caller(caller.session)).await.map(drop)
    }

    /// The same, but the caller's session ends too, and a new one begins in the same write. So the result does not
    /// depend on a second sign-in, which could be locked because of other people's wrong passwords.
    pub async fn change_password_and_session(
        &self,
        caller: Caller,
        old: Password,
        new: Password,
        from: Option<IpAddr>,
        session: NewSession,
    ) -> Result<SignedIn> {
        let (id, session) =
            self.session_of(caller.user, &self.begin(session, SignInMethod::Password, self.clock.now()));
        let remaining = Remaining::Instead { of: caller.session, session: (id, session.clone()) };
        let account = self.replace_password(caller, old, new, from, remaining).await?;
        metrics::count_by(Metric::SignIns, &session.api);
        let account = Account { sessions: [(id, session)].into(), ..account };
        Ok(SignedIn { account, caller: Caller { session: id, ..caller }, generation: 0, new_account: false })
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
        let (account, guess) = match telemetry::round_trips::both(self.account(caller), counted).await {
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

    /// Counts a try as failed before the password is compared. If strangers have locked the account, an address that
    /// the account knows still has tries of its own.
    pub(super) async fn count_password_guess(
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
            Guesser::LoginIdentifier(claim) => self.store.owner(claim).await?,
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
        claim: LoginIdentifier,
        registration: Registration,
        session: Beginning,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<Made> {
        let Registration { password, name, details } = registration;
        let secret = Secret::default().next(password.hash(&*self.random).await?);
        let owner = claim.clone();
        let fill = move |account: &mut Account| {
            match &owner {
                LoginIdentifier::Phone(phone) => {
                    account.phone = Some(phone.e164().to_owned());
                    account.phone_proved = Some(now);
                }
                LoginIdentifier::Username(username) => account.username = Some(username.as_str().to_owned()),
                LoginIdentifier::Provider { .. } => {}
            }
            account.secret = secret.clone();
            account.name = name.as_ref().map(|name| name.as_str().to_owned()).unwrap_or_default();
            account.details.clone_from(&details);
        };
        self.create(Draft { session, id: None, fill: Arc::new(fill) }, Some(&claim), proof, now).await
    }
}

/// The error for a password that could not be compared because of a lock. It is returned after as much time as a
/// comparison takes, so neither the message nor the time shows that there is a lock.
pub(super) async fn hide_lock(error: Error, typed: Password) -> Result<Error> {
    let Error::Limited { cap: Cap::SignInFailures, retry_after } = error else { return Ok(error) };
    typed.check(None).await?;
    Ok(Error::Locked { retry_after })
}
