//! Where accounts, their claims and their sessions lie.

use std::net::IpAddr;

use async_trait::async_trait;

use crate::domain::Result;
use crate::domain::account::{Account, Caller, Secret, UserId};
use crate::domain::claim::Claim;
use crate::domain::clock::Timestamp;
use crate::domain::codes::Guess;
use crate::domain::known::NetworkHash;
use crate::domain::phone::Phone;
use crate::domain::session::{Session, SessionId};
use crate::domain::tokens::RefreshToken;

/// A code that was guessed right and is spent by the write it is given to.
#[derive(Clone, Debug)]
pub struct SpentCode {
    /// The number it was sent to.
    pub phone: Phone,
    /// The guess that was right, which no longer counts as a failure.
    pub guess: Guess,
}

/// What permits a write, and is spent or settled by it in the same transaction.
#[derive(Clone, Debug)]
pub enum Proof {
    /// Nothing: anybody may have an account with a username that is free. It is counted for the address, as is the
    /// answer, which shows whether the name was free.
    Nothing {
        /// The client's IP address.
        from: Option<IpAddr>,
    },
    /// A sign-in provider's word: the failure counted in advance for the address is taken back. An account made by it
    /// is counted for the address.
    Vouched {
        /// The client's IP address.
        from: Option<IpAddr>,
    },
    /// A code, good for one write.
    Code(SpentCode),
    /// A verification token, good for one write.
    Verification([u8; 32]),
    /// A password that was right: the failure counted in advance is taken back, and a new hash kept where the old one
    /// had another cost.
    Password {
        /// As what it was counted.
        guess: PasswordGuess,
        /// A hash of today's cost.
        rehashed: Option<String>,
    },
}

/// A sign-in that was permitted.
#[derive(Clone, Debug)]
pub struct Admission {
    /// The new session, with the network that the account knows from now on.
    pub session: (SessionId, Session),
    /// What permits it.
    pub proof: Proof,
    /// The version of the secret that was checked, where one was.
    pub version: Option<u64>,
}

/// Who guesses a password, as far as counting goes.
#[derive(Clone, Debug)]
pub enum Guesser {
    /// Somebody who signs in with a claim.
    Claim(Claim),
    /// A user who is signed in and gives the old password. Nothing is counted when the session is over.
    Caller(Caller),
}

/// A guess at a password, as far as counting goes.
#[derive(Clone, Debug)]
pub struct PasswordGuess {
    /// Whose it is.
    pub guesser: Guesser,
    /// The client's IP address.
    pub from: Option<IpAddr>,
    /// The network, if the account knows it. Its guesses are counted on their own, so that a stranger's do not lock it
    /// out.
    pub known: Option<NetworkHash>,
}

/// Which sessions an account has after a new password.
#[derive(Clone, Debug)]
pub enum Remaining {
    /// None.
    None,
    /// The caller's.
    Caller(SessionId),
    /// A new one in place of the caller's.
    Instead {
        /// The caller's, which has to be alive until then.
        of: SessionId,
        /// The new one.
        session: (SessionId, Session),
    },
}

/// A guess at a password that was counted as failed, until it turns out right.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The account of the claim, if there is one.
    pub user: Option<UserId>,
    /// How its password is kept.
    pub secret: Secret,
}

/// How making an account ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// The account exists now.
    Done,
    /// Somebody has the claim. Nothing was written.
    ClaimTaken,
    /// The random id, or the one in the device API, belongs to somebody already. Nothing was written.
    IdTaken,
}

/// A number that a code proved, waiting for what it is for.
#[derive(Clone, Debug)]
pub struct Verification {
    /// The number.
    pub phone: Phone,
    /// When the token stops working.
    pub expires: Timestamp,
}

/// How moving a refresh token ended.
#[derive(Clone, Debug)]
pub enum Move {
    /// It moved to the next turn; the account as it is now.
    Done(Box<Account>),
    /// It was not the living token of a living session; the account as it is, if there is one.
    Refused(Option<Box<Account>>),
}

/// Keeps accounts, claims and sessions. Each method is one round trip unless it says otherwise.
#[async_trait]
pub trait IdentityStore: Send + Sync {
    /// Who has a claim.
    async fn owner(&self, claim: &Claim) -> Result<Option<UserId>>;

    /// An account, strongly consistent.
    async fn account(&self, user: UserId) -> Result<Option<Account>>;

    /// Counts a guess at a password as failed **before** it is compared, and reads the claim. Refused with
    /// [`Error::Limited`](crate::domain::Error::Limited), for right and wrong passwords alike, and with
    /// [`Error::Unauthenticated`](crate::domain::Error::Unauthenticated) when a caller's session is over. A refused
    /// guess is counted nowhere.
    async fn attempt(&self, guess: &PasswordGuess, now: Timestamp) -> Result<Attempt>;

    /// Counts a failed sign-in of the address **before** a provider is asked, and reads the claim. Refused with
    /// [`Error::Limited`](crate::domain::Error::Limited).
    async fn knock(&self, claim: &Claim, from: Option<IpAddr>, now: Timestamp) -> Result<Option<UserId>>;

    /// Takes back what [`knock`](Self::knock) counted.
    async fn forgive(&self, from: Option<IpAddr>, now: Timestamp) -> Result<()>;

    /// Who has a claim, for somebody who has not proved anything: counted for the address. Refused with
    /// [`Error::Limited`](crate::domain::Error::Limited).
    async fn check(&self, claim: &Claim, from: Option<IpAddr>, now: Timestamp) -> Result<Option<UserId>>;

    /// Spends the proof and adds the session, all or nothing; ends the oldest sessions where there is no room, which
    /// takes a second round trip. Answers the account, or `None` when it is gone or its secret is of another version.
    /// A spent code is [`Error::CodeNotAsked`](crate::domain::Error::CodeNotAsked).
    async fn admit(&self, user: UserId, admission: &Admission, now: Timestamp) -> Result<Option<Account>>;

    /// Spends the proof, makes the account and gives it the claim, and its id in the device API where it has one, all or
    /// nothing. An account that cost no text message is counted for the address and may be refused with
    /// [`Error::Limited`](crate::domain::Error::Limited); that a claim is taken, which somebody without a proof learns
    /// by this, is counted in a second round trip.
    async fn create(&self, account: &Account, claim: &Claim, proof: &Proof, now: Timestamp) -> Result<Creation>;

    /// Spends the proof and gives the account, as it was read, a new secret and no sessions but the `remaining`, all or
    /// nothing. `false` when the secret is of another version by now, or the caller's session is over.
    async fn set_secret(
        &self,
        account: &Account,
        secret: &Secret,
        remaining: &Remaining,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<bool>;

    /// Spends the code and keeps a verification token by its keyed hash.
    async fn keep_verification(
        &self,
        spent: &SpentCode,
        digest: &[u8; 32],
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<()>;

    /// The number behind a verification token.
    async fn verification(&self, digest: &[u8; 32]) -> Result<Option<Verification>>;

    /// Moves the session's refresh token from `token.turn` to the next turn, if it is the living one. The session is in
    /// use from `network` now.
    async fn move_refresh_token(
        &self,
        token: RefreshToken,
        network: Option<NetworkHash>,
        now: Timestamp,
    ) -> Result<Move>;

    /// Ends a session, if it is still there.
    async fn end_session(&self, caller: Caller) -> Result<()>;
}
