//! Push addresses in sessions.

use std::fmt::Write;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::TransactWriteItem;

use super::item::{self, Item, moment, number, text};
use super::write::{self, Change};
use super::{Table, Transacted, Updated, change_by, failed, found, keys, not_signed_in};
use domain::account::{Account, Caller, UserId};
use domain::clock::Timestamp;
use domain::device_id::{DeviceId, DeviceIdStore, Given};
use domain::devices::{DeviceStore, Holding, PushAddress};
use domain::session::{PushTokens, SessionId};
use domain::{Error, NotSignedIn, Result};

/// Adds the names and values of these tokens to the change.
fn with_tokens(change: Change, tokens: &PushTokens) -> Change {
    tokens.services.iter().fold(change, |change, (service, token)| {
        change.name(&format!("#{}", service.name()), service.name()).value(&format!(":{}", service.name()), text(token))
    })
}

#[async_trait]
impl DeviceStore for Table {
    async fn set_address(&self, caller: Caller, id: u64, address: &PushAddress, now: Timestamp) -> Result<Account> {
        let set = "#sessions.#sid.#device = :device, #sessions.#sid.#platform = :platform";
        let own = "(#device_id = :id OR (attribute_not_exists(#device_id) AND #id = :id))";
        let change = change_by(caller, set, now)
            .and(own)
            .value(":id", number(id))
            .value(":device", text(address.token()))
            .value(":platform", number(address.platform()));
        match self.update("setting a push address", change.returning_item()).await? {
            Updated::Done(item) => item::read_account(&item),
            Updated::Refused(item) => {
                let account = item::read_living(item.as_ref())?;
                account.ok_or(Error::Unauthenticated(NotSignedIn::Ended))?.check_session(caller.session, now)?;
                Err(Error::NotYours)
            }
        }
    }

    async fn bind(&self, caller: Caller, tokens: &PushTokens, now: Timestamp) -> Result<Account> {
        let set: Vec<_> =
            tokens.services.keys().map(|service| format!("#sessions.#sid.#{0} = :{0}", service.name())).collect();
        let change = with_tokens(change_by(caller, &set.join(", "), now), tokens);
        match self.update("setting push tokens", change.returning_item()).await? {
            Updated::Done(item) => item::read_account(&item),
            Updated::Refused(account) => Err(not_signed_in(account.as_ref(), caller)),
        }
    }

    async fn unbind(&self, caller: Caller, tokens: &PushTokens, now: Timestamp) -> Result<Option<Account>> {
        let names = || tokens.services.keys().map(|service| service.name());
        let mut change = change_by(caller, "", now);
        let removed: Vec<_> = names().map(|name| format!("#sessions.#sid.#{name}")).collect();
        let _ = write!(change.update, " REMOVE {}", removed.join(", "));
        let held: Vec<_> = names().map(|name| format!("#sessions.#sid.#{name} = :{name}")).collect();
        let change = with_tokens(change.and(&held.join(" AND ")), tokens);
        match self.update("taking push tokens", change).await? {
            Updated::Done(_) => Ok(None),
            Updated::Refused(item) => {
                let account = item::read_living(item.as_ref())?;
                let account = account.ok_or(Error::Unauthenticated(NotSignedIn::Ended))?;
                account.check_session(caller.session, now)?;
                Ok(Some(account))
            }
        }
    }

    async fn take_tokens(&self, user: UserId, held: &[Holding]) -> Result<()> {
        // Each gets a separate update, because a single update for all would fail if one session no longer exists.
        let take = |held: &Holding| {
            let token = format!("#sessions.#sid.#{}", held.service.name());
            let change = Change::new(keys::account(user), format!("REMOVE {token}"))
                .when(format!("{token} = :token"))
                .name("#sid", held.session.to_string())
                .value(":token", text(&held.token));
            self.update("taking a push token", change)
        };
        telemetry::round_trips::all(held.iter().map(take)).await.map(drop)
    }

    async fn take_addresses(&self, user: UserId, sessions: &[SessionId]) -> Result<()> {
        // Each gets a separate update, because a single update for all would fail if one session no longer exists.
        let take = |id: &SessionId| {
            let change = Change::new(keys::account(user), "REMOVE #sessions.#sid.#device, #sessions.#sid.#platform")
                .when("attribute_exists(#sessions.#sid)")
                .name("#sid", id.to_string());
            self.update("taking a push address", change)
        };
        telemetry::round_trips::all(sessions.iter().map(take)).await.map(drop)
    }

    async fn end_living_session(&self, caller: Caller, now: Timestamp) -> Result<()> {
        let change = Change::new(keys::account(caller.user), "REMOVE #sessions.#sid")
            .when("#sessions.#sid.#expires > :now AND #sessions.#sid.#ends > :now")
            .name("#sid", caller.session.to_string())
            .value(":now", moment(now));
        match self.update("ending a session", change).await? {
            Updated::Done(_) => Ok(()),
            Updated::Refused(account) => Err(not_signed_in(account.as_ref(), caller)),
        }
    }
}

#[async_trait]
impl DeviceIdStore for Table {
    async fn give_device_id(&self, user: UserId, id: DeviceId, now: Timestamp) -> Result<Given> {
        const ACCOUNT: usize = 0;
        let give = Change::new(keys::account(user), "SET #device_id = :id")
            .when("attribute_exists(pk) AND attribute_not_exists(#deleted) AND attribute_not_exists(#device_id)")
            .value(":id", number(id));
        let writes = vec![give.in_transaction(&self.name)?, self.claim_device_id(user, id, now)?];
        match self.transact("giving out an id of the device API", writes).await? {
            Transacted::Done => Ok(Given::Done),
            Transacted::Refused(reasons) if failed(&reasons, ACCOUNT) => {
                let had = found(&reasons, ACCOUNT).and_then(item::get_device_id);
                had.map(Given::Had).ok_or(Error::Unauthenticated(NotSignedIn::Ended))
            }
            Transacted::Refused(_) => Ok(Given::Taken),
        }
    }
}

impl Table {
    /// Claims an id of the device API for an account, as part of a transaction.
    pub(super) fn claim_device_id(&self, user: UserId, id: DeviceId, now: Timestamp) -> Result<TransactWriteItem> {
        let claim = Item::from([("user".to_owned(), number(user)), ("since".to_owned(), moment(now))]);
        write::put_new(&self.name, &keys::device_id(id), claim)
    }
}
