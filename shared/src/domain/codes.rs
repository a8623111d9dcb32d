//! SMS codes: asking for one, and guessing it.

mod sender;
mod typed;

use std::net::IpAddr;

use async_trait::async_trait;

pub use self::sender::{CaptchaRule, CodeRequest, CodeSender, SolvedCaptcha, Texts};
pub use self::typed::{Code, Typed};
use super::Result;
use super::account::UserId;
use super::clock::Timestamp;
use super::phone::Phone;

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
    /// The client's IP address, as the gateway saw it.
    pub from: Option<IpAddr>,
    /// The group of networks in which the unused codes of a block are counted.
    pub network_group: u8,
    /// When it is sent.
    pub sent: Timestamp,
    /// When it stops working.
    pub expires: Timestamp,
}

/// What the caller of a request for a code is to the number's account. Those further down are allowed more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Not looked up, or the number has no account.
    Stranger,
    /// The number has an account.
    HasAccount,
    /// The number has an account, which knows the address.
    Known,
}

/// Which part of the limits a code is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The number must not have an account.
    pub unclaimed: bool,
    /// Who asks.
    pub standing: Standing,
    /// Whether the address must be below the share of its cap from which a captcha is asked for.
    pub without_captcha: bool,
    /// Whether the code counts in its block. It does not when its network has its share of unused codes there.
    pub counts_in_block: bool,
}

/// A limit that a code ran into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendLimit {
    /// The number has an account.
    Claimed,
    /// Requests from the address in a day whose answers show whether a number has an account.
    Checks {
        /// Seconds until another may be made.
        retry_after: u64,
    },
    /// A code was sent to the number a moment ago.
    Resend {
        /// Seconds until another may be asked for.
        retry_after: u64,
    },
    /// Codes to the number in an hour or a day.
    Number {
        /// Seconds until another may be asked for.
        retry_after: u64,
    },
    /// Codes from the address in an hour.
    Address {
        /// Seconds until another may be asked for.
        retry_after: u64,
    },
    /// The share of the address's cap from which a captcha is asked for.
    AddressWithoutCaptcha,
    /// The network's share of a block's unused codes.
    BlockShare,
    /// Too few codes of the number's block are used.
    Block {
        /// Seconds until another may be asked for.
        retry_after: u64,
    },
    /// Codes to the country in an hour or a day.
    Country {
        /// Seconds until another may be asked for.
        retry_after: u64,
    },
}

/// Where a code counts as unused until it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockShare {
    /// The hour it was sent in, counted from 1970.
    pub hour: i64,
    /// The group of networks it was asked for from.
    pub network_group: u8,
}

/// Groups that networks are put into for counting a block's unused codes, so that the block's item stays small.
pub const NETWORK_GROUPS: u8 = 64;

/// Where a guess at a code comes from.
#[derive(Clone, Copy, Debug)]
pub struct GuessOrigin {
    /// The client's IP address.
    pub address: Option<IpAddr>,
    /// Whether the number's account knows the address. Its guesses are counted on their own.
    pub known: bool,
}

/// A guess that was counted: what the guessed code is compared with.
#[derive(Clone, Debug)]
pub struct Guess {
    /// The keyed hash of the code that was sent.
    pub digest: Vec<u8>,
    /// The account that signs in with this phone, if there is one.
    pub user: Option<UserId>,
    /// Where the code counts as unused.
    pub share: Option<BlockShare>,
    /// Where the guess comes from.
    pub origin: GuessOrigin,
}

/// Where codes and the limits on them lie.
#[async_trait]
pub trait CodeStore: Send + Sync {
    /// Keeps a new code in place of an older one and counts it against every limit, all or nothing, in one round
    /// trip. Returns the limits that refused it; none means that it is kept.
    async fn keep(&self, code: &NewCode, terms: Terms) -> Result<Vec<SendLimit>>;

    /// Counts for the address that an answer shows that the number has an account, in one round trip. A code that is
    /// kept for an unclaimed number is counted by [`keep`](Self::keep). Refused with [`super::Error::Limited`].
    async fn count_check(&self, code: &NewCode) -> Result<()>;

    /// The account that signs in with this phone, in one round trip.
    async fn owner(&self, phone: &Phone) -> Result<Option<UserId>>;

    /// Takes a code that is not sent to anybody out of what the whole stage counts, its country and its block. The
    /// number and the address stay counted, so that nobody can tell.
    async fn release(&self, code: &NewCode, terms: Terms) -> Result<()>;

    /// Takes back a code that could not be sent, as if it had never been asked for.
    async fn take_back(&self, code: &NewCode, terms: Terms) -> Result<()>;

    /// Counts a guess at the code of `phone`, on the code and on the address, all or nothing, **before** it is
    /// compared; and reads which account the phone belongs to. One round trip. The guess also counts as a failed
    /// sign-in from the address until it turns out right. Refused with [`super::Error::CodeNotAsked`],
    /// [`super::Error::CodeExpired`], [`super::Error::CodeGuessesSpent`] or [`super::Error::Limited`]; then nothing is
    /// counted.
    async fn guess(&self, phone: &Phone, origin: GuessOrigin, now: Timestamp) -> Result<Guess>;

    /// Takes back a guess that was counted, because it was right and spent nothing.
    async fn forgive(&self, phone: &Phone, guess: &Guess, now: Timestamp) -> Result<()>;
}
