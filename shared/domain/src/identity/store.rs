//! The store of accounts, their claims and their sessions.

use std::net::IpAddr;

use async_trait::async_trait;

use crate::Result;
use crate::account::{Account, Caller, Linked, Secret, UserId};
use crate::clock::Timestamp;
use crate::codes::CodeAttempt;
use crate::login_identifier::LoginIdentifier;
use crate::network::NetworkHash;
use crate::phone::Phone;
use crate::session::{Session, SessionId};
use crate::tokens::RefreshToken;

/// A code that was right and is used up by the write that it authorises.
#[derive(Clone, Debug)]
pub struct SpentCode {
    /// The number to which it was sent.
    pub phone: Phone,
    /// The successful try, which then no longer counts as a failure.
    pub guess: CodeAttempt,
}

/// The authorisation of a write. The same transaction uses it up or settles its counts.
#[derive(Clone, Debug)]
pub enum Proof {
    /// None: anyone may create an account with a free username. It counts against the limit of the IP address, and so
    /// does an error, because it shows whether the username was free.
    Nothing {
        /// The client's IP address.
        from: Option<IpAddr>,
    },
    /// None: an anonymous account, which counts against a limit of the IP address.
    Anonymous {
        /// The client's IP address.
        from: Option<IpAddr>,
    },
    /// A confirmation by a sign-in provider. The failure counted in advance for the address is taken back. An account
    /// created by it counts against the limit of the address.
    Vouched {
        /// The client's IP address.
        from: Option<IpAddr>,
    },
    /// A code, valid for one write.
    Code(SpentCode),
    /// A verification token, valid for one write.
    Verification([u8; 32]),
    /// A password that was right. The failure counted in advance is taken back, and a new hash is stored if the old one
    /// used another cost.
    Password {
        /// The try as it was counted.
        guess: PasswordGuess,
        /// A hash with the current cost.
        rehashed: Option<String>,
    },
}

/// A sign-in that was authorised.
#[derive(Clone, Debug)]
pub struct Admission {
    /// The new session, including the network that the account knows from now on.
    pub session: (SessionId, Session),
    /// Its authorisation.
    pub proof: Proof,
    /// The version of the secret that was checked, if one was.
    pub version: Option<u64>,
    /// The sign-in provider's user who signs in. It is listed in an account that lists none: one from before they were
    /// listed.
    pub linked: Option<Linked>,
}

/// Whose try at a password it is, for the counters.
#[derive(Clone, Debug)]
pub enum Guesser {
    /// A user who signs in with a claim.
    LoginIdentifier(LoginIdentifier),
    /// A signed-in user who enters the old password. Nothing is counted when the session has ended.
    Caller(Caller),
}

/// A try at a password, for the counters.
#[derive(Clone, Debug)]
pub struct PasswordGuess {
    /// Whose try it is.
    pub guesser: Guesser,
    /// The client's IP address.
    pub from: Option<IpAddr>,
    /// The network, if the account knows it. Tries from it are counted separately, so that a stranger's tries do not
    /// lock out the owner.
    pub known: Option<NetworkHash>,
}

/// Which sessions an account keeps after a new password. It forgets all networks except that of the remaining session
/// or of the request, since the old password may have been known to somebody else.
#[derive(Clone, Debug)]
pub enum Remaining {
    /// None.
    None {
        /// The network of the request, which the account still knows.
        network: Option<NetworkHash>,
    },
    /// The caller's.
    Caller(SessionId),
    /// A new session in place of the caller's.
    Instead {
        /// The caller's session, which must be active until then.
        of: SessionId,
        /// The new session.
        session: (SessionId, Session),
    },
}

/// A try at a password that was counted as failed, until the password turns out to be right.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The account of the claim, if it exists.
    pub user: Option<UserId>,
    /// Its stored password.
    pub secret: Secret,
}

/// The result of creating an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// The account exists now.
    Done,
    /// The claim belongs to another account. Nothing was written.
    ClaimTaken,
    /// The random id, or the id in the device API, belongs to another account. Nothing was written.
    IdTaken,
}

/// A claim that belongs to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The account.
    pub user: UserId,
    /// Since when it has the claim, if that was recorded.
    pub since: Option<Timestamp>,
}

/// A number that was proved by a code, for a later registration or recovery.
#[derive(Clone, Debug)]
pub struct Verification {
    /// The number.
    pub phone: Phone,
    /// When the token stops working.
    pub expires: Timestamp,
}

/// The result of exchanging a refresh token.
#[derive(Clone, Debug)]
pub enum Move {
    /// The session moved to the next generation; contains the account after the change.
    Done(Box<Account>),
    /// It was not the valid token of an active session; contains the current account, if it exists.
    Refused(Option<Box<Account>>),
}

/// Stores accounts, claims and sessions. Each method is one round trip unless its documentation says otherwise.
#[async_trait]
pub trait IdentityStore: Send + Sync {
    /// The owner of a claim.
    async fn owner(&self, claim: &LoginIdentifier) -> Result<Option<UserId>>;

    /// An account, with a strongly consistent read.
    async fn account(&self, user: UserId) -> Result<Option<Account>>;

    /// Counts a try at a password as failed **before** the password is compared, and reads the claim. Fails with
    /// [`Error::Limited`](crate::Error::Limited), for right and wrong passwords alike, and with
    /// [`Error::Unauthenticated`](crate::Error::Unauthenticated) when a caller's session has ended. A try that
    /// is refused counts nowhere.
    async fn attempt(&self, guess: &PasswordGuess, now: Timestamp) -> Result<Attempt>;

    /// Counts a failed sign-in from the address **before** a provider is called, and reads the claim. Fails with
    /// [`Error::Limited`](crate::Error::Limited).
    async fn knock(&self, claim: &LoginIdentifier, from: Option<IpAddr>, now: Timestamp) -> Result<Option<Claimed>>;

    /// Takes back the count of [`knock`](Self::knock).
    async fn forgive(&self, from: Option<IpAddr>, now: Timestamp) -> Result<()>;

    /// The owner of a claim, for a client that has not proved anything. The check counts against the limit of the
    /// address. Fails with [`Error::Limited`](crate::Error::Limited).
    async fn check(&self, claim: &LoginIdentifier, from: Option<IpAddr>, now: Timestamp) -> Result<Option<UserId>>;

    /// Uses up the proof and adds the session, all or nothing. For a session of the Supabase API, the account is read
    /// with its data of that API. If there is no room, the oldest sessions end, which
    /// takes a second round trip. Returns the account, or `None` when it has been deleted or its secret has another
    /// version. A code that was used before gives [`Error::CodeNotAsked`](crate::Error::CodeNotAsked).
    async fn admit(&self, user: UserId, admission: &Admission, now: Timestamp) -> Result<Option<Account>>;

    /// Uses up the proof, creates the account and gives it the claim and, if it has them, its id in the device API and
    /// its data of the Supabase API, all or nothing. An account that cost no text message counts against the limit of the address and may fail with
    /// [`Error::Limited`](crate::Error::Limited). A taken claim, which a client without a proof finds out this
    /// way, is counted in a second round trip.
    async fn create(
        &self,
        account: &Account,
        claim: Option<&LoginIdentifier>,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<Creation>;

    /// Uses up the proof, gives the account a new secret and ends all sessions except the `remaining` ones, all or
    /// nothing. `account` is the account as it was read. Returns `false` when the secret has another version by now, or
    /// when the caller's session has ended.
    async fn set_secret(
        &self,
        account: &Account,
        secret: &Secret,
        remaining: &Remaining,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<bool>;

    /// Uses up the code and stores the keyed hash of a verification token.
    async fn keep_verification(
        &self,
        spent: &SpentCode,
        digest: &[u8; 32],
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<()>;

    /// The number of a verification token.
    async fn verification(&self, digest: &[u8; 32]) -> Result<Option<Verification>>;

    /// Moves the session's refresh token from `token.generation` to the next generation, if this is its valid token and
    /// the session began in `api`. The session is then in use from `network`. For the Supabase API, the account is read
    /// with its data of that API.
    async fn move_refresh_token(
        &self,
        api: &str,
        token: RefreshToken,
        network: Option<NetworkHash>,
        now: Timestamp,
    ) -> Result<Move>;

    /// Ends a session, if it still exists.
    async fn end_session(&self, caller: Caller) -> Result<()>;
}
