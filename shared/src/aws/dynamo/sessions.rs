//! Sign-ins, sign-ups and refreshes.

use std::fmt::Write;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::TransactWriteItem;

use super::item::{self, Item, moment, number};
use super::keys;
use super::write::{self, Change};
use super::{Table, Transacted, Updated, failed, found};
use crate::domain::account::{Account, Caller, UserId};
use crate::domain::clock::Timestamp;
use crate::domain::session::{Session, SessionId};
use crate::domain::sign_in::{Move, SessionStore, SignUp, SpentCode};
use crate::domain::tokens::RefreshToken;
use crate::domain::{Error, Fault, Result};
use crate::trips;

/// Positions in the transactions below.
const CODE: usize = 0;
const ACCOUNT: usize = 2;
const CLAIM: usize = 3;

/// Sign-ins to one account that meet all take turns; this many meetings in a row do not happen by chance.
const ATTEMPTS: usize = 8;

#[async_trait]
impl SessionStore for Table {
    async fn sign_in(
        &self,
        user: UserId,
        session: &(SessionId, Session),
        spent: &SpentCode,
        now: Timestamp,
    ) -> Result<Option<Account>> {
        let account = keys::account(user);
        let add = add_session(user, session, now)
            .when("attribute_exists(pk) AND size(#sessions) < :room")
            .value(":room", number(self.policy.sessions_per_account));
        // Most accounts have room, so the profile is read beside the write and not before it.
        // A read that fails must not hide what the write did.
        let read = async { Ok(self.get("reading an account", &account).await) };
        let (added, read) = trips::both(self.add_session(add, spent, now), read).await?;
        let mut crowded = match (added, read) {
            (Added::Done, Ok(read)) => return with_session(read.as_ref(), session),
            (Added::Done, Err(_)) => {
                return with_session(self.get("reading an account", &account).await?.as_ref(), session);
            }
            (Added::Refused(old), _) => old,
        };
        for _ in 0..ATTEMPTS {
            let Some(old) = crowded else { return Ok(None) };
            let add = self.replace_sessions(user, session, &old, now)?;
            match self.add_session(add, spent, now).await? {
                Added::Done => return with_session(Some(&old), session),
                Added::Refused(old) => crowded = old,
            }
        }
        Err(Fault::new("adding a session", "the account's sessions changed at every attempt").into())
    }

    async fn sign_up(&self, account: &Account, spent: &SpentCode, now: Timestamp) -> Result<SignUp> {
        let [code, conversion] = self.spend(spent, now)?;
        let claim = Item::from([("user".to_owned(), number(account.id)), ("since".to_owned(), moment(now))]);
        let writes = vec![
            code,
            conversion,
            write::put_new(&self.name, &keys::account(account.id), item::account(account))?,
            write::put_new(&self.name, &keys::phone_claim(&spent.phone), claim)?,
        ];
        match self.transact("making an account", writes).await? {
            Transacted::Done => Ok(SignUp::Done),
            Transacted::Refused(reasons) if failed(&reasons, CODE) => Err(Error::CodeNotAsked),
            Transacted::Refused(reasons) if failed(&reasons, CLAIM) => Ok(SignUp::PhoneTaken),
            Transacted::Refused(_) => Ok(SignUp::IdTaken),
        }
    }

    async fn move_refresh_token(&self, token: RefreshToken, now: Timestamp) -> Result<Move> {
        let change = Change::new(
            keys::account(token.caller.user),
            "SET #sessions.#sid.#turn = :next, #sessions.#sid.#moved = :now, #sessions.#sid.#expires = :until, \
             #seen = :now",
        )
        .when("#sessions.#sid.#turn = :turn AND #sessions.#sid.#expires > :now AND #sessions.#sid.#ends > :now")
        .name("#sid", token.caller.session.to_string())
        .value(":turn", number(token.turn))
        .value(":next", number(token.turn.saturating_add(1)))
        .value(":now", moment(now))
        .value(":until", moment(now.plus(self.policy.refresh_sliding)));
        match self.update("moving a refresh token", change).await? {
            Updated::Done(account) => Ok(Move::Done(Box::new(item::read_account(&account)?))),
            Updated::Refused(None) => Ok(Move::Refused(None)),
            Updated::Refused(Some(account)) => Ok(Move::Refused(Some(Box::new(item::read_account(&account)?)))),
        }
    }

    async fn end_session(&self, caller: Caller) -> Result<()> {
        let change = Change::new(keys::account(caller.user), "REMOVE #sessions.#sid")
            .when("attribute_exists(#sessions.#sid)")
            .name("#sid", caller.session.to_string());
        self.update("ending a session", change).await.map(|_| ())
    }
}

/// How adding a session ended.
enum Added {
    Done,
    /// The account's condition failed; the account as it is, if there is one.
    Refused(Option<Item>),
}

impl Table {
    /// Spends the code and adds the session in one transaction.
    async fn add_session(&self, add: Change, spent: &SpentCode, now: Timestamp) -> Result<Added> {
        let [code, conversion] = self.spend(spent, now)?;
        let writes: Vec<TransactWriteItem> = vec![code, conversion, add.in_transaction(&self.name)?];
        match self.transact("signing in", writes).await? {
            Transacted::Done => Ok(Added::Done),
            Transacted::Refused(reasons) if failed(&reasons, CODE) => Err(Error::CodeNotAsked),
            Transacted::Refused(reasons) => Ok(Added::Refused(found(&reasons, ACCOUNT).cloned())),
        }
    }

    /// Adds a session in place of those of `old` that have to go, if `old` still is what the table holds.
    fn replace_sessions(
        &self,
        user: UserId,
        session: &(SessionId, Session),
        old: &Item,
        now: Timestamp,
    ) -> Result<Change> {
        let account = item::read_account(old)?;
        let room = self.policy.sessions_per_account.saturating_sub(1);
        let mut add = add_session(user, session, now);
        let mut condition = String::from("size(#sessions) = :size");
        for (index, ended) in account.sessions_to_end(room, now).into_iter().enumerate() {
            add.update.push_str(if index == 0 { " REMOVE " } else { ", " });
            let _ = write!(add.update, "#sessions.#end{index}");
            let _ = write!(condition, " AND attribute_exists(#sessions.#end{index})");
            add = add.name(&format!("#end{index}"), ended.to_string());
        }
        Ok(add.when(condition).value(":size", number(account.sessions.len())))
    }
}

fn add_session(user: UserId, (id, session): &(SessionId, Session), now: Timestamp) -> Change {
    Change::new(keys::account(user), "SET #sessions.#sid = :session, #seen = :now")
        .name("#sid", id.to_string())
        .value(":session", item::session(session))
        .value(":now", moment(now))
}

/// The account of an item that may have been read just before the session came in.
fn with_session(item: Option<&Item>, (id, session): &(SessionId, Session)) -> Result<Option<Account>> {
    let mut account = item.map(item::read_account).transpose()?;
    if let Some(account) = &mut account {
        account.sessions.insert(*id, session.clone());
    }
    Ok(account)
}
