//! SMS codes: requesting and verifying them.

mod sender;
mod text;
mod typed;

use std::net::IpAddr;

use async_trait::async_trait;

pub use self::sender::{CaptchaRule, CodeRequest, CodeSender, SmsSender, SolvedCaptcha};
pub use self::text::{AppHash, CodeText, TextTooLong};
pub use self::typed::{Code, Typed};
use super::Result;
use super::clock::Timestamp;
use super::id::UserId;
use super::phone::Phone;
use super::session::SessionId;

/// The purpose of a code. A code for one purpose is wrong for every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Signing in. Creates an account if the number has none.
    SignIn,
    /// Creating an account with a password.
    SignUp,
    /// Setting a new password.
    Recovery,
    /// Proving the number first and using the proof later: `SealTalk`.
    Verification,
    /// Giving this account the number.
    NumberChange(UserId),
    /// Confirming a change to this account, whose number it is.
    Reauthentication(UserId),
}

impl Purpose {
    /// The subject that the keyed hash of a code is bound to.
    #[must_use]
    pub fn subject(self, phone: &Phone) -> String {
        match self.user() {
            Some(user) => format!("{} {} {user}", phone.e164(), self.name()),
            None => format!("{} {}", phone.e164(), self.name()),
        }
    }

    /// Its name in the table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::SignUp => "sign-up",
            Self::Recovery => "recovery",
            Self::Verification => "verification",
            Self::NumberChange(_) => "number-change",
            Self::Reauthentication(_) => "reauthentication",
        }
    }

    /// The account that it is bound to.
    #[must_use]
    pub const fn user(self) -> Option<UserId> {
        match self {
            Self::NumberChange(user) | Self::Reauthentication(user) => Some(user),
            Self::SignIn | Self::SignUp | Self::Recovery | Self::Verification => None,
        }
    }

    /// Which numbers get a text for this purpose.
    #[must_use]
    pub const fn recipients(self) -> Recipients {
        match self {
            Self::SignUp | Self::NumberChange(_) => Recipients::WithoutAccount,
            Self::Recovery => Recipients::WithAccount,
            Self::SignIn | Self::Verification | Self::Reauthentication(_) => Recipients::All,
        }
    }
}

/// Which numbers get a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipients {
    /// All.
    All,
    /// Those without an account. For others, the caller is told that the number is taken.
    WithoutAccount,
    /// Those without an account. For others, everything is counted and answered as if a text had been sent, and the code
    /// that they may be waiting for stays valid.
    WithoutAccountSilently,
    /// Those with an account. For others, everything is counted and answered as if a text had been sent.
    WithAccount,
}

/// What waits with a code until it is entered.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Waiting {
    /// The account that a sign-up creates, or that gets the number.
    pub user: Option<UserId>,
    /// The session that asked for another number.
    pub session: Option<SessionId>,
    /// The hash of a new account's password.
    pub password_hash: Option<String>,
    /// The network that the code was requested from. A waiting password is kept only if the code is entered there too:
    /// whoever enters a code that a stranger requested must not get an account with the stranger's password.
    pub network: Option<String>,
    /// A new account's `user_metadata`, as JSON.
    pub user_metadata: Option<String>,
    /// Whether the client asked for a code only for a number that has an account.
    pub needs_account: bool,
}

/// It may contain a hash and personal data, so it is never logged.
impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Waiting")
    }
}

/// A code that was requested, as far as a request for the same code again needs it.
#[derive(Clone, Debug)]
pub struct RequestedCode {
    /// The name of its purpose.
    pub purpose: String,
    /// What waits with it.
    pub waiting: Waiting,
    /// When it was sent.
    pub sent: Timestamp,
}

/// A code before it is sent, as it is stored in the table.
#[derive(Clone, Debug)]
pub struct NewCode {
    /// The number to send it to.
    pub phone: Phone,
    /// Its keyed hash.
    pub digest: [u8; 32],
    /// Its purpose.
    pub purpose: Purpose,
    /// What waits with it.
    pub waiting: Waiting,
    /// The client's IP address, as the gateway reports it.
    pub from: Option<IpAddr>,
    /// The group of networks under which an unused code is counted in its block.
    pub network_group: u8,
    /// When it is sent.
    pub sent: Timestamp,
    /// When it stops working.
    pub expires: Timestamp,
}

/// How the caller who requests a code is related to the number's account. Later variants are allowed more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// The account was not looked up, or the number has none.
    Stranger,
    /// The number has an account.
    HasAccount,
    /// The number has an account, and the account knows the address.
    Known,
}

/// Which part of the limits applies to a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is decided on its own")]
pub struct Terms {
    /// The number must not have an account.
    pub unclaimed: bool,
    /// The caller's standing.
    pub standing: Standing,
    /// Whether the address must be below the share of its limit above which a captcha is required.
    pub without_captcha: bool,
    /// Whether the code is counted in its block. It is not when its network has reached its share of unused codes
    /// there.
    pub counts_in_block: bool,
    /// Whether the request is only counted for the number and the address, and no code is stored.
    pub only_counted: bool,
}

/// A limit that refused a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendLimit {
    /// The number has an account.
    Claimed,
    /// Requests from the IP address in a day whose responses show whether a number has an account.
    Checks {
        /// Seconds until the next such request is allowed.
        retry_after: u64,
    },
    /// A code was sent to the number a moment ago.
    Resend {
        /// Seconds until another code can be requested.
        retry_after: u64,
    },
    /// Codes to the number in an hour or a day.
    Number {
        /// Seconds until another code can be requested.
        retry_after: u64,
    },
    /// Codes from the IP address in an hour.
    Address {
        /// Seconds until another code can be requested.
        retry_after: u64,
    },
    /// The share of the address's limit above which a captcha is required.
    AddressWithoutCaptcha,
    /// The network's share of a block's unused codes.
    BlockShare,
    /// Too few codes of the number's block are used.
    Block {
        /// Seconds until another code can be requested.
        retry_after: u64,
    },
    /// Codes to the country in an hour or a day.
    Country {
        /// Seconds until another code can be requested.
        retry_after: u64,
    },
}

/// The counter of unused codes in which a code is counted until it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockShare {
    /// The hour in which the code was sent, counted from 1970.
    pub hour: i64,
    /// The group of networks from which it was requested.
    pub network_group: u8,
}

/// Number of groups into which networks are divided for counting the unused codes of a block. The number is limited so
/// that the block's item stays small.
pub const NETWORK_GROUPS: u8 = 64;

/// Where a try at a code comes from.
#[derive(Clone, Copy, Debug)]
pub struct GuessOrigin {
    /// The client's IP address.
    pub address: Option<IpAddr>,
    /// Whether the number's account knows the address. Tries from such an address are counted separately.
    pub known: bool,
}

/// A try that was counted, with the data to compare the code with.
#[derive(Clone, Debug)]
pub struct CodeAttempt {
    /// The keyed hash of the code that was sent.
    pub digest: Vec<u8>,
    /// The account that signs in with this number, if there is one.
    pub user: Option<UserId>,
    /// The counter in which the code is counted as unused.
    pub share: Option<BlockShare>,
    /// Where the try comes from.
    pub origin: GuessOrigin,
    /// What waits with the code.
    pub waiting: Waiting,
}

/// The store of codes and of the limits on them.
#[async_trait]
pub trait CodeStore: Send + Sync {
    /// Stores a new code in place of an older one and counts it against every limit, all or nothing, in one round trip.
    /// Returns the limits that refused it; an empty list means that the code is stored.
    async fn keep(&self, code: &NewCode, terms: Terms) -> Result<Vec<SendLimit>>;

    /// Counts for the address that a response shows that the number has an account, in one round trip. A code that is
    /// stored for an unclaimed number is counted by [`keep`](Self::keep). Fails with [`super::Error::Limited`].
    async fn count_check(&self, code: &NewCode) -> Result<()>;

    /// The code of a number that was neither used nor taken back, even if it has expired, in one round trip.
    async fn requested(&self, phone: &Phone) -> Result<Option<RequestedCode>>;

    /// The account that signs in with this number, in one round trip.
    async fn owner(&self, phone: &Phone) -> Result<Option<UserId>>;

    /// Takes a code that is not sent to anybody out of the counters of the whole deployment, which are those of its
    /// country and its block. It stays counted for the number and the address, so that nobody can see the difference.
    async fn release(&self, code: &NewCode, terms: Terms) -> Result<()>;

    /// Takes back a code that could not be sent, as if it had never been requested. Only the address keeps its count:
    /// otherwise a number that the service refuses would give it any number of tries.
    async fn take_back(&self, code: &NewCode, terms: Terms) -> Result<()>;

    /// Counts a try at the code of `phone`, for the code and for the address, all or nothing, **before** the code is
    /// compared; also reads which account the number belongs to. Takes one round trip. Until the code turns out to be
    /// right, the try also counts as a failed sign-in from the address. Fails with [`super::Error::CodeNotAsked`],
    /// [`super::Error::CodeExpired`], [`super::Error::CodeGuessesSpent`] or [`super::Error::Limited`]; in these cases
    /// nothing is counted.
    async fn verify_code(&self, phone: &Phone, origin: GuessOrigin, now: Timestamp) -> Result<CodeAttempt>;

    /// Takes back a counted try, because the code was right and was not used up.
    async fn forgive(&self, phone: &Phone, guess: &CodeAttempt, now: Timestamp) -> Result<()>;
}
