//! A common identity for all APIs: signing up, signing in and signing out, with any credential that an account allows.

mod anonymous;
mod app_store;
mod app_user;
mod by_code;
mod by_id_token;
mod by_password;
mod by_provider;
mod confirmation;
mod known;
mod links;
mod number_change;
mod refresh;
mod store;

use std::net::IpAddr;
use std::sync::Arc;

pub use self::app_store::{AppUserStore, Linking, NumberChange, SessionAfter};
pub use self::app_user::SignOut;
pub use self::by_password::Registration;
pub use self::by_provider::{Stranger, Vouching};
pub use self::confirmation::Confirmation;
pub use self::known::known_network;
pub use self::number_change::FRESH;
pub use self::store::{
    Admission, Attempt, Claimed, Creation, Guesser, IdentityStore, Move, PasswordGuess, Proof, Remaining, SpentCode,
    Verification,
};
use super::account::{Account, Caller, Linked, UserId};
use super::clock::{Clock, Timestamp};
use super::codes::CodeStore;
use super::device_id::{self, DeviceId};
use super::login_identifier::LoginIdentifier;
use super::network::NetworkHash;
use super::policy::Policy;
use super::random::Random;
use super::session::{NewSession, Session, SessionId, SignInMethod};
use super::tokens::{Keys, RefreshToken};
use super::{Error, Fault, NotSignedIn, Result};
use telemetry::metrics::{self, Metric};

/// Signs users up, in and out.
pub struct Identity {
    /// The limits.
    pub policy: Arc<Policy>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of random ids and salts.
    pub random: Arc<dyn Random>,
    /// The keys that sign tokens.
    pub keys: Arc<Keys>,
    /// The store of codes.
    pub codes: Arc<dyn CodeStore>,
    /// The store of accounts.
    pub store: Arc<dyn IdentityStore>,
    /// The same accounts, with their data of the Supabase API.
    pub app_users: Arc<dyn AppUserStore>,
}

/// A user who has just signed in, or whose session was refreshed.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The account, including the new session.
    pub account: Account,
    /// The account's id and the session's id.
    pub caller: Caller,
    /// The turn of the session's refresh token.
    pub generation: u32,
    /// Whether the account was created just now.
    pub new_account: bool,
}

/// How often a sign-in is tried when a race interferes with it. Each race means that another request has just created
/// or deleted the account of the same claim.
const ATTEMPTS: usize = 3;

impl Identity {
    /// The access token of a sign-in.
    pub fn access_token(&self, signed_in: &SignedIn) -> Result<String> {
        self.keys.access_token(signed_in.caller, self.policy.access_token_ttl, self.clock.now())
    }

    /// The valid refresh token of a sign-in.
    #[must_use]
    pub fn refresh_token(&self, signed_in: &SignedIn) -> String {
        self.keys.refresh_token(RefreshToken { caller: signed_in.caller, generation: signed_in.generation })
    }

    /// The opaque session token of a sign-in by `api`, its name in the code.
    #[must_use]
    pub fn session_token(&self, signed_in: &SignedIn, api: &str) -> String {
        self.keys.session_token(signed_in.caller, api)
    }

    /// The caller's own account, if the session is active. Takes one round trip.
    pub async fn account(&self, caller: Caller) -> Result<Account> {
        let account = self.store.account(caller.user).await?;
        let account = account.ok_or(Error::Unauthenticated(NotSignedIn::Ended))?;
        account.check_session(caller.session, self.clock.now())?;
        Ok(account)
    }

    /// The account of another user for the caller, if the caller's session is active. Takes one round trip. `None` when
    /// there is no such user.
    pub async fn account_of(&self, caller: Caller, user: UserId) -> Result<Option<Account>> {
        let (_, other) = telemetry::round_trips::both(self.account(caller), self.store.account(user)).await?;
        Ok(other)
    }

    /// Whether this claim belongs to an account. The check counts against the limit of the IP address.
    pub async fn is_taken(&self, claim: &LoginIdentifier, from: Option<IpAddr>) -> Result<bool> {
        Ok(self.store.check(claim, from, self.clock.now()).await?.is_some())
    }

    /// Ends the caller's session. It is not an error when it has ended already.
    pub async fn sign_out(&self, caller: Caller) -> Result<()> {
        self.store.end_session(caller).await
    }

    /// The network of `address`, if the account knows it. Takes one round trip.
    async fn known_network(
        &self,
        user: UserId,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Option<NetworkHash>> {
        known::known_network(&*self.store, &self.keys, &self.policy, (user, address), now).await
    }

    fn begin(&self, new: NewSession, method: SignInMethod, now: Timestamp) -> Beginning {
        let from = new.from;
        let session = Session { method: Some(method), ..Session::begin(&self.policy, new, now) };
        Beginning { id: SessionId::generate(&*self.random), session, from }
    }

    /// The session in an account, including the network from which it begins.
    fn session_of(&self, user: UserId, beginning: &Beginning) -> (SessionId, Session) {
        let network = beginning.from.map(|from| self.keys.network_hash(user, from));
        (beginning.id, Session { network, ..beginning.session.clone() })
    }

    /// Adds a session to an existing account. `None` when the account has been deleted or its password has changed
    /// meanwhile.
    async fn admit(&self, user: UserId, admission: &Admission, now: Timestamp) -> Result<Option<SignedIn>> {
        let account = self.store.admit(user, admission, now).await?;
        let caller = Caller { user, session: admission.session.0 };
        if account.is_some() {
            metrics::count_by(Metric::SignIns, &admission.session.1.api);
        }
        Ok(account.map(|account| SignedIn { account, caller, generation: 0, new_account: false }))
    }

    /// Creates an account; draws another id if the first is in use. An account without a claim is anonymous.
    async fn create(
        &self,
        draft: Draft,
        claim: Option<&LoginIdentifier>,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<Made> {
        if !self.policy.sign_ups {
            return Err(Error::SignUpsClosed);
        }
        for attempt in 0..ATTEMPTS {
            let promised = draft.id.filter(|_| attempt == 0);
            let id = promised.unwrap_or_else(|| UserId::generate(&*self.random));
            let mut account = Account::new(id, self.session_of(id, &draft.session), now);
            // It is claimed together with the account, so signing up needs no additional round trip for it.
            account.device_id =
                (draft.session.session.api == device_id::API).then(|| DeviceId::generate(&*self.random));
            if let Some(LoginIdentifier::Provider { provider, subject }) = claim {
                account.linked.push(Linked { provider: *provider, subject: subject.clone(), since: now });
            }
            (draft.fill)(&mut account);
            match self.store.create(&account, claim, proof, now).await? {
                Creation::Done => {
                    let caller = Caller { user: id, session: draft.session.id };
                    metrics::count_by(Metric::SignIns, &draft.session.session.api);
                    return Ok(Made::Account(Box::new(SignedIn { account, caller, generation: 0, new_account: true })));
                }
                Creation::ClaimTaken => return Ok(Made::ClaimTaken),
                Creation::IdTaken => {}
            }
        }
        Err(Fault::new("making an account", "every random id was taken").into())
    }
}

/// A session before it begins, for an account that may not be known yet.
#[derive(Clone)]
struct Beginning {
    id: SessionId,
    session: Session,
    from: Option<IpAddr>,
}

/// An account before it is created.
struct Draft {
    session: Beginning,
    /// The id that its user knows already, if there is one.
    id: Option<UserId>,
    /// Fills in the data of a new account.
    fill: Fill,
}

/// Fills in the data of a new account.
type Fill = Arc<dyn Fn(&mut Account) + Send + Sync>;

/// The result of creating an account.
enum Made {
    Account(Box<SignedIn>),
    ClaimTaken,
}

impl Made {
    /// The sign-in, or the error that `what` is taken.
    fn or_taken(self, what: &'static str) -> Result<SignedIn> {
        match self {
            Self::Account(signed_in) => Ok(*signed_in),
            Self::ClaimTaken => Err(Error::Taken(what)),
        }
    }
}
