//! SMS codes: asking for one, and guessing it.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;

use super::account::UserId;
use super::clock::{Clock, Timestamp};
use super::phone::Phone;
use super::policy::Policy;
use super::random::{self, Random};
use super::tokens::Keys;
use super::{Error, Result};
use crate::metrics::{self, Metric};

/// What a code is good for. A code for one purpose is wrong for every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Signing in, making the account when the number has none.
    SignIn,
    /// Making an account with a password.
    SignUp,
    /// Setting a new password.
    Recovery,
    /// Proving the number first and saying later what for: `SealTalk`.
    Verification,
}

impl Purpose {
    /// What the keyed hash of a code is bound to.
    #[must_use]
    pub fn subject(self, phone: &Phone) -> String {
        let purpose = match self {
            Self::SignIn => "sign-in",
            Self::SignUp => "sign-up",
            Self::Recovery => "recovery",
            Self::Verification => "verification",
        };
        format!("{} {purpose}", phone.e164())
    }
}

/// A code about to be sent, as the table keeps it.
#[derive(Clone, Debug)]
pub struct NewCode {
    /// Where it goes.
    pub phone: Phone,
    /// Its keyed hash.
    pub digest: [u8; 32],
    /// Who asked, as the gateway saw it.
    pub from: Option<IpAddr>,
    /// When it is sent.
    pub sent: Timestamp,
    /// When it stops working.
    pub expires: Timestamp,
}

/// A guess that was counted: what the guessed code is compared with.
#[derive(Clone, Debug)]
pub struct Guess {
    /// The keyed hash of the code that was sent.
    pub digest: Vec<u8>,
    /// The account that signs in with this phone, if there is one.
    pub user: Option<UserId>,
}

/// Where codes and the limits on them lie.
#[async_trait]
pub trait CodeStore: Send + Sync {
    /// Keeps a new code in place of an older one and counts it against every limit, all or nothing, in one round
    /// trip. Refused with [`Error::CodeTooSoon`] or [`Error::Limited`], and with [`Error::Taken`] when the number has
    /// to be `unclaimed` and is not.
    async fn keep(&self, code: &NewCode, unclaimed: bool) -> Result<()>;

    /// The account that signs in with this phone, in one round trip.
    async fn owner(&self, phone: &Phone) -> Result<Option<UserId>>;

    /// Takes a code that nobody is sent out of what the whole stage counts, its country and its block. The number and
    /// the address stay counted, so that nobody can tell.
    async fn release(&self, code: &NewCode) -> Result<()>;

    /// Takes back a code that could not be sent, as if it had never been asked for.
    async fn take_back(&self, code: &NewCode) -> Result<()>;

    /// Counts a guess at the code of `phone` **before** anybody compares it, and reads who the phone belongs to, in
    /// one round trip. It also counts as a failed sign-in from the address until it turns out right. Refused with
    /// [`Error::CodeNotAsked`], [`Error::CodeExpired`], [`Error::CodeGuessesSpent`] or [`Error::Limited`].
    async fn guess(&self, phone: &Phone, from: Option<IpAddr>, now: Timestamp) -> Result<Guess>;

    /// Takes back a guess that was counted against the address, because it was right and spent nothing.
    async fn forgive(&self, from: Option<IpAddr>, now: Timestamp) -> Result<()>;
}

/// Sends text messages.
#[async_trait]
pub trait Texts: Send + Sync {
    /// Sends `body`, or answers [`Error::TextNotSent`] when the service refused, and a fault when nobody knows whether it
    /// did.
    async fn send(&self, phone: &Phone, body: &str) -> Result<()>;
}

/// Sends codes.
pub struct CodeSender {
    /// The limits.
    pub policy: Arc<Policy>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where codes come from.
    pub random: Arc<dyn Random>,
    /// What codes are hashed with.
    pub keys: Arc<Keys>,
    /// Where codes are kept.
    pub store: Arc<dyn CodeStore>,
    /// What carries them.
    pub texts: Arc<dyn Texts>,
    /// The text, in which `{code}` and `{minutes}` are filled in.
    pub text: String,
}

impl CodeSender {
    /// Sends a new code and answers it, for stages that show codes.
    ///
    /// For [`Purpose::SignUp`] a number that has an account is refused. For [`Purpose::Recovery`] a number that has
    /// none is answered as if the code were on its way, limits and all, so that nobody learns who is registered.
    ///
    /// The code and all limits are written before the text-message service is called, so that a crash in between can
    /// only cost the caller a minute, never let a code out uncounted. A refusal of that service takes the code back.
    pub async fn send(&self, phone: &Phone, purpose: Purpose, from: Option<IpAddr>) -> Result<String> {
        let sent = self.keep_and_text(phone, purpose, from).await;
        metrics::refused(Metric::CodesRefused, &sent);
        sent
    }

    async fn keep_and_text(&self, phone: &Phone, purpose: Purpose, from: Option<IpAddr>) -> Result<String> {
        if self.policy.countries.as_ref().is_some_and(|served| !served.contains(&phone.zone())) {
            return Err(Error::CountryNotServed);
        }
        let now = self.clock.now();
        let code = generate(&*self.random, self.policy.code_digits);
        let kept = NewCode {
            phone: phone.clone(),
            digest: self.keys.code_digest(&purpose.subject(phone), &code),
            from,
            sent: now,
            expires: now.plus(self.policy.code_ttl),
        };
        match purpose {
            Purpose::SignIn | Purpose::Verification => self.store.keep(&kept, false).await?,
            Purpose::SignUp => self.store.keep(&kept, true).await?,
            Purpose::Recovery => {
                let ((), owner) = crate::trips::both(self.store.keep(&kept, false), self.store.owner(phone)).await?;
                if owner.is_none() {
                    self.store.release(&kept).await?;
                    metrics::count_by(Metric::CodesRefused, metrics::NO_ACCOUNT);
                    return Ok(code);
                }
            }
        }
        match self.texts.send(phone, &self.body(&code)).await {
            Ok(()) => {
                metrics::count(Metric::CodesSent);
                Ok(code)
            }
            Err(Error::TextNotSent) => {
                self.store.take_back(&kept).await?;
                Err(Error::TextNotSent)
            }
            // It may be on its way all the same, so it stays counted and stays good.
            Err(unknown) => Err(unknown),
        }
    }

    fn body(&self, code: &str) -> String {
        let minutes = self.policy.code_ttl.as_secs().div_ceil(60);
        self.text.replace("{code}", code).replace("{minutes}", &minutes.to_string())
    }
}

/// A code as it was typed, or as a number that lost its leading zeros on the way.
#[must_use]
pub fn typed(code: &str, digits: u32) -> String {
    format!("{:0>width$}", code.trim(), width = digits as usize)
}

/// Decimal digits, each code equally likely.
fn generate(random: &dyn Random, digits: u32) -> String {
    let number = random::below(random, 10_u64.saturating_pow(digits));
    format!("{number:0width$}", width = digits as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SystemRandom;

    #[test]
    fn a_code_that_came_as_a_number_gets_its_zeros_back() {
        assert_eq!(typed(" 12345 ", 6), "012345");
        assert_eq!(typed("123456", 6), "123456");
    }

    #[test]
    fn codes_keep_their_leading_zeros() {
        struct Zero;
        impl Random for Zero {
            fn fill(&self, bytes: &mut [u8]) {
                bytes.fill(0);
            }
        }
        assert_eq!(generate(&Zero, 6), "000000");
        for _ in 0..100 {
            let code = generate(&SystemRandom, 6);
            assert!(code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()), "{code}");
        }
    }
}
