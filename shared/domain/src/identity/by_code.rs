//! Signing in with a code, and setting a password with one.

use std::net::IpAddr;
use std::sync::Arc;

use super::{ATTEMPTS, Admission, Draft, Fill, Identity, Made, Proof, Registration, Remaining, SignedIn, SpentCode};
use crate::account::{Account, Secret, UserId};
use crate::app_data::AppData;
use crate::clock::Timestamp;
use crate::codes::{Code, CodeAttempt, GuessOrigin, Purpose, Typed};
use crate::crypto;
use crate::login_identifier::LoginIdentifier;
use crate::password::Password;
use crate::phone::Phone;
use crate::random;
use crate::session::{NewSession, SignInMethod};
use crate::{Error, Fault, Result, error};
use telemetry::metrics::{self, Metric};

impl Identity {
    /// Parses a code that a client sent. Text that cannot be a code is refused here, before a try is counted.
    pub fn code(&self, typed: &Typed) -> Result<Code> {
        Code::parse(typed, self.policy.code_digits)
    }

    /// Signs in with a code. Creates an account if the number has none.
    pub async fn sign_in_by_code(
        &self,
        phone: &Phone,
        code: &Code,
        from: Option<IpAddr>,
        session: NewSession,
    ) -> Result<SignedIn> {
        let now = self.clock.now();
        let guess = self.attempt_code(phone, code, &[Purpose::SignIn], from, now).await?;
        let signed_in = self.spend_on_sign_in(phone, guess, session, now).await?;
        metrics::count(Metric::CodesUsed);
        Ok(signed_in)
    }

    async fn spend_on_sign_in(
        &self,
        phone: &Phone,
        guess: CodeAttempt,
        session: NewSession,
        now: Timestamp,
    ) -> Result<SignedIn> {
        let session = self.begin(session, SignInMethod::Code, now);
        let claim = LoginIdentifier::Phone(phone.clone());
        let mut user = guess.user;
        let (id, fill) = self.account_of_code(phone, &guess, now);
        let proof = spent(phone, guess);
        for _ in 0..ATTEMPTS {
            if let Some(known) = user {
                let session = self.session_of(known, &session);
                let admission = Admission { session, proof: proof.clone(), version: None, linked: None };
                if let Some(signed_in) = self.admit(known, &admission, now).await? {
                    return Ok(signed_in);
                }
                user = None;
                continue;
            }
            let draft = Draft { session: session.clone(), id, fill: fill.clone() };
            match self.create(draft, Some(&claim), &proof, now).await? {
                Made::Account(signed_in) => return Ok(*signed_in),
                Made::ClaimTaken => user = self.store.owner(&claim).await?,
            }
        }
        Err(Fault::new("signing in by code", "the account changed at every attempt").into())
    }

    /// The id and the data of an account that a code creates, with what waits for the code. A waiting password counts
    /// only where the code is entered in the network in which it was requested.
    fn account_of_code(&self, phone: &Phone, guess: &CodeAttempt, now: Timestamp) -> (Option<UserId>, Fill) {
        let (e164, waiting) = (phone.e164().to_owned(), guess.waiting.clone());
        let asked_here = guess.origin.address.zip(waiting.network.as_deref());
        let asked_here = asked_here.is_some_and(|(address, network)| self.keys.is_network(address, network));
        let fill = move |account: &mut Account| {
            account.phone = Some(e164.clone());
            account.phone_proved = Some(now);
            if let Some(hash) = waiting.password_hash.as_ref().filter(|_| asked_here) {
                account.secret = Secret::default().next(hash.clone());
            }
            if let Some(Ok(metadata)) = waiting.user_metadata.as_deref().map(serde_json::from_str) {
                account.app = AppData { user_metadata: metadata, updated: Some(now), ..AppData::default() };
            }
        };
        (guess.waiting.user, Arc::new(fill))
    }

    /// Creates an account with a password for a number that is proved by a code of [`Purpose::SignUp`].
    pub async fn register_by_code(
        &self,
        phone: &Phone,
        code: &Code,
        from: Option<IpAddr>,
        registration: Registration,
        session: NewSession,
    ) -> Result<SignedIn> {
        let now = self.clock.now();
        let guess = self.attempt_code(phone, code, &[Purpose::SignUp], from, now).await?;
        if guess.user.is_some() {
            return Err(Error::Taken("number"));
        }
        let proof = spent(phone, guess);
        let session = self.begin(session, SignInMethod::Code, now);
        let made = self.register(LoginIdentifier::Phone(phone.clone()), registration, session, &proof, now).await?;
        let signed_in = made.or_taken("number")?;
        metrics::count(Metric::CodesUsed);
        Ok(signed_in)
    }

    /// Sets a new password with a code of [`Purpose::Recovery`], and ends all sessions.
    pub async fn recover_by_code(
        &self,
        phone: &Phone,
        code: &Code,
        from: Option<IpAddr>,
        password: Password,
    ) -> Result<()> {
        let now = self.clock.now();
        let guess = self.attempt_code(phone, code, &[Purpose::Recovery], from, now).await?;
        let user = guess.user.ok_or(Error::CodeNotAsked)?;
        self.recover(user, password, from, &spent(phone, guess), now).await?;
        metrics::count(Metric::CodesUsed);
        Ok(())
    }

    /// Checks a code without using it up. Only a wrong code counts as a try.
    pub async fn check_code(
        &self,
        phone: &Phone,
        code: &Code,
        from: Option<IpAddr>,
        purposes: &[Purpose],
    ) -> Result<()> {
        let now = self.clock.now();
        let guess = self.attempt_code(phone, code, purposes, from, now).await?;
        self.codes.forgive(phone, &guess, now).await
    }

    /// Exchanges a code of [`Purpose::Verification`] for a token that later proves the number once: a random UUID.
    pub async fn verify_code(&self, phone: &Phone, code: &Code, from: Option<IpAddr>) -> Result<String> {
        let now = self.clock.now();
        let guess = self.attempt_code(phone, code, &[Purpose::Verification], from, now).await?;
        let token = uuid(random::bytes(&*self.random));
        let expires = now.plus(self.policy.verification_ttl);
        self.store
            .keep_verification(
                &SpentCode { phone: phone.clone(), guess },
                &crypto::sha256(token.as_bytes()),
                expires,
                now,
            )
            .await?;
        metrics::count(Metric::CodesUsed);
        Ok(token)
    }

    /// Creates an account with a password for the number of a verification token.
    pub async fn register_by_verification(
        &self,
        token: &str,
        registration: Registration,
        session: NewSession,
    ) -> Result<SignedIn> {
        let now = self.clock.now();
        let (phone, proof) = self.verified(token, now).await?;
        let session = self.begin(session, SignInMethod::Code, now);
        self.register(LoginIdentifier::Phone(phone), registration, session, &proof, now).await?.or_taken("number")
    }

    /// Sets a new password for the number of a verification token, and ends all sessions.
    pub async fn recover_by_verification(&self, token: &str, password: Password, from: Option<IpAddr>) -> Result<()> {
        let now = self.clock.now();
        let (phone, proof) = self.verified(token, now).await?;
        let owner = self.store.owner(&LoginIdentifier::Phone(phone)).await?;
        self.recover(owner.ok_or(Error::NotFound("user"))?, password, from, &proof, now).await
    }

    /// Counts a try and compares the code. A code for any of these purposes is right.
    pub(super) async fn attempt_code(
        &self,
        phone: &Phone,
        code: &Code,
        purposes: &[Purpose],
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<CodeAttempt> {
        let guess = self.count_guess(phone, from, now).await;
        let guess = guess.and_then(|guess| {
            let right =
                |purpose: &Purpose| self.keys.code_matches(&purpose.subject(phone), code.as_str(), &guess.digest);
            if purposes.iter().any(right) { Ok(guess) } else { Err(Error::CodeWrong) }
        });
        error::count_refusal(Metric::GuessesRefused, &guess);
        guess
    }

    /// Counts a try. If strangers have used up the tries, an address that the number's account knows still has tries of
    /// its own.
    pub(super) async fn count_guess(
        &self,
        phone: &Phone,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<CodeAttempt> {
        let counted = self.codes.verify_code(phone, GuessOrigin { address, known: false }, now).await;
        let Err(Error::CodeGuessesSpent) = counted else { return counted };
        match self.codes.owner(phone).await? {
            Some(user) if self.known_network(user, address, now).await?.is_some() => {
                self.codes.verify_code(phone, GuessOrigin { address, known: true }, now).await
            }
            _ => counted,
        }
    }

    async fn verified(&self, token: &str, now: Timestamp) -> Result<(Phone, Proof)> {
        let digest = crypto::sha256(token.as_bytes());
        let verification = self.store.verification(&digest).await?.filter(|verification| now < verification.expires);
        let verification = verification.ok_or(Error::VerificationUnknown)?;
        Ok((verification.phone, Proof::Verification(digest)))
    }

    async fn recover(
        &self,
        user: UserId,
        password: Password,
        from: Option<IpAddr>,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<()> {
        let remaining = Remaining::None { network: from.map(|from| self.keys.network_hash(user, from)) };
        let hash = password.hash(&*self.random).await?;
        for _ in 0..ATTEMPTS {
            let account = self.store.account(user).await?.ok_or(Error::NotFound("user"))?;
            let secret = account.secret.next(hash.clone());
            if self.store.set_secret(&account, &secret, &remaining, proof, now).await? {
                return Ok(());
            }
        }
        Err(Fault::new("setting a password", "it was changed by somebody else at every attempt").into())
    }
}

pub(super) fn spent(phone: &Phone, guess: CodeAttempt) -> Proof {
    Proof::Code(SpentCode { phone: phone.clone(), guess })
}

/// A version 4 UUID (RFC 9562) of random bytes.
fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = crypto::hex(&bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_the_form_of_a_random_uuid() {
        assert_eq!(uuid([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid([0; 16]), "00000000-0000-4000-8000-000000000000");
    }
}
