//! Signing in by code, and staying signed in by refresh tokens.

use std::sync::Arc;

use async_trait::async_trait;

use super::account::{Account, Caller, UserId};
use super::clock::{Clock, Timestamp};
use super::codes::{self, CodeStore, Purpose};
use super::phone::Phone;
use super::policy::Policy;
use super::random::Random;
use super::session::{PushTokens, Session, SessionId};
use super::tokens::{Keys, RefreshToken};
use super::{Error, Fault, Result};

/// A code that was guessed right and is spent by the write it is given to.
#[derive(Clone, Debug)]
pub struct SpentCode {
    /// The number it was sent to.
    pub phone: Phone,
    /// Its keyed hash, as kept.
    pub digest: Vec<u8>,
}

/// How a sign-up ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignUp {
    /// The account exists now.
    Done,
    /// Somebody made an account with this phone in the meantime. Nothing was written.
    PhoneTaken,
    /// The random id belongs to somebody already. Nothing was written.
    IdTaken,
}

/// How moving a refresh token ended.
#[derive(Clone, Debug)]
pub enum Move {
    /// It moved to the next turn; the account as it is now.
    Done(Box<Account>),
    /// It was not the living token of a living session; the account as it is, if there is one.
    Refused(Option<Box<Account>>),
}

/// Where sessions lie.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Spends the code and adds the session, all or nothing; ends the oldest sessions where there is no room.
    /// Answers the account, or `None` when it no longer exists. [`Error::CodeNotAsked`] when the code was spent by
    /// somebody else.
    async fn sign_in(
        &self,
        user: UserId,
        session: &(SessionId, Session),
        spent: &SpentCode,
        now: Timestamp,
    ) -> Result<Option<Account>>;

    /// Spends the code, makes the account and claims the phone for it, all or nothing. [`Error::CodeNotAsked`] when
    /// the code was spent by somebody else.
    async fn sign_up(&self, account: &Account, spent: &SpentCode, now: Timestamp) -> Result<SignUp>;

    /// Moves the session's refresh token from `token.turn` to the next turn, if it is the living one.
    async fn move_refresh_token(&self, token: RefreshToken, now: Timestamp) -> Result<Move>;

    /// Ends a session, if it is still there.
    async fn end_session(&self, caller: Caller) -> Result<()>;
}

/// What a sign-in or a refresh gives.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The account.
    pub account: Account,
    /// A fresh access token.
    pub access_token: String,
    /// The living refresh token.
    pub refresh_token: String,
}

/// Signs people in.
pub struct SignIn {
    /// The limits.
    pub policy: Arc<Policy>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub random: Arc<dyn Random>,
    /// What tokens are signed with.
    pub keys: Arc<Keys>,
    /// Where codes are kept.
    pub codes: Arc<dyn CodeStore>,
    /// Where sessions are kept.
    pub sessions: Arc<dyn SessionStore>,
}

/// Races that move the ground under a sign-in are run again this often: each needs somebody else to have just made or
/// deleted the account of the same phone.
const ATTEMPTS: usize = 3;

impl SignIn {
    /// Signs in with a code, making the account when the number has none. `api` is the API's name in the code.
    pub async fn by_code(&self, phone: &Phone, code: &str, push: PushTokens, api: &str) -> Result<SignedIn> {
        let now = self.clock.now();
        let guess = self.codes.guess(phone, now).await?;
        let code = codes::typed(code, self.policy.code_digits);
        if !self.keys.code_matches(&Purpose::SignIn.subject(phone), &code, &guess.digest) {
            return Err(Error::CodeWrong);
        }
        let spent = SpentCode { phone: phone.clone(), digest: guess.digest };
        let session = (SessionId::generate(&*self.random), Session::begin(&self.policy, api, push, now));
        let mut user = guess.user;
        for _ in 0..ATTEMPTS {
            if let Some(known) = user {
                if let Some(account) = self.sessions.sign_in(known, &session, &spent, now).await? {
                    return self.signed_in(account, session.0, 0, now);
                }
                user = None;
            } else {
                let account = Account::with_phone(UserId::generate(&*self.random), phone, session.clone(), now);
                match self.sessions.sign_up(&account, &spent, now).await? {
                    SignUp::Done => return self.signed_in(account, session.0, 0, now),
                    SignUp::PhoneTaken => user = self.codes.owner(phone).await?,
                    SignUp::IdTaken => {}
                }
            }
        }
        Err(Fault::new("signing in by code", "the account changed at every attempt").into())
    }

    /// Exchanges a refresh token for the next one. Presenting the one before again within the grace period, as after
    /// a lost reply, gives the same next one; presenting an older one means it was stolen and ends the session.
    ///
    /// `holder` is who the request says it comes from, if it says so at all.
    pub async fn refresh(&self, token: &str, holder: Option<UserId>) -> Result<SignedIn> {
        let now = self.clock.now();
        let token = self.keys.check_refresh_token(token)?;
        if holder.is_some_and(|holder| holder != token.caller.user) {
            return Err(Error::RefreshInvalid);
        }
        let account = match self.sessions.move_refresh_token(token, now).await? {
            Move::Done(account) => return self.signed_in(*account, token.caller.session, token.turn + 1, now),
            Move::Refused(account) => account.ok_or(Error::RefreshInvalid)?,
        };
        let session = account.sessions.get(&token.caller.session).filter(|session| session.lives(now));
        let session = session.ok_or(Error::RefreshInvalid)?;
        if token.turn >= session.turn {
            // The living token of a living session would have moved, and a later one was never handed out.
            return Err(Error::RefreshInvalid);
        }
        if token.turn + 1 == session.turn && now <= session.moved.plus(self.policy.refresh_grace) {
            let turn = session.turn;
            return self.signed_in(*account, token.caller.session, turn, now);
        }
        self.sessions.end_session(token.caller).await?;
        tracing::warn!(user = %token.caller.user, event = "refresh_token_theft", "an old refresh token came back; its session was ended");
        Err(Error::RefreshReused)
    }

    fn signed_in(&self, account: Account, session: SessionId, turn: u32, now: Timestamp) -> Result<SignedIn> {
        let caller = Caller { user: account.id, session };
        Ok(SignedIn {
            access_token: self.keys.access_token(caller, self.policy.access_token_ttl, now)?,
            refresh_token: self.keys.refresh_token(RefreshToken { caller, turn }),
            account,
        })
    }
}
