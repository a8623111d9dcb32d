//! Push addresses in sessions.

use async_trait::async_trait;

use super::item::{self, moment, number, text};
use super::write::Change;
use super::{Table, Updated, change_by, keys};
use crate::domain::account::{Account, Caller, UserId};
use crate::domain::clock::Timestamp;
use crate::domain::devices::{DeviceStore, PushAddress};
use crate::domain::session::SessionId;
use crate::domain::{Error, Result};

#[async_trait]
impl DeviceStore for Table {
    async fn set_address(&self, caller: Caller, address: &PushAddress, now: Timestamp) -> Result<Account> {
        let set = "#sessions.#sid.#device = :device, #sessions.#sid.#platform = :platform";
        let change = change_by(caller, set, now)
            .value(":device", text(address.token()))
            .value(":platform", number(address.platform()));
        match self.update("setting a push address", change).await? {
            Updated::Done(item) => item::read_account(&item),
            Updated::Refused(_) => Err(Error::Unauthenticated),
        }
    }

    async fn take_addresses(&self, user: UserId, sessions: &[SessionId]) -> Result<()> {
        // One update each, because one for all of them would fail when a single session is gone.
        let take = |id: &SessionId| {
            let change = Change::new(keys::account(user), "REMOVE #sessions.#sid.#device, #sessions.#sid.#platform")
                .when("attribute_exists(#sessions.#sid)")
                .name("#sid", id.to_string());
            self.update("taking a push address", change)
        };
        crate::trips::all(sessions.iter().map(take)).await.map(drop)
    }

    async fn end_living_session(&self, caller: Caller, now: Timestamp) -> Result<()> {
        let change = Change::new(keys::account(caller.user), "REMOVE #sessions.#sid")
            .when("#sessions.#sid.#expires > :now AND #sessions.#sid.#ends > :now")
            .name("#sid", caller.session.to_string())
            .value(":now", moment(now));
        match self.update("ending a session", change).await? {
            Updated::Done(_) => Ok(()),
            Updated::Refused(_) => Err(Error::Unauthenticated),
        }
    }
}
