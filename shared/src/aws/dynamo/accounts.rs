//! Changes to accounts by their signed-in owners.

use async_trait::async_trait;

use super::item::{Item, moment, text};
use super::write;
use super::{Table, Transacted, Updated, change_by, keys};
use crate::domain::account::{AccountStore, Caller};
use crate::domain::clock::Timestamp;
use crate::domain::profile::{Avatar, Nickname, ProfileChange, StateLine};
use crate::domain::{Error, Result};

#[async_trait]
impl AccountStore for Table {
    async fn change_profile(&self, caller: Caller, change: &ProfileChange, now: Timestamp) -> Result<()> {
        let values = [
            ("name", change.name.as_ref().map(Nickname::as_str)),
            ("state", change.state.as_ref().map(StateLine::as_str)),
            ("avatar", change.avatar.as_ref().map(Avatar::as_str)),
        ];
        let changed: Vec<_> = values.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let set: Vec<_> = changed.iter().map(|(name, _)| format!("#{name} = :{name}")).collect();
        let mut update = change_by(caller, &set.join(", "), now);
        for (name, value) in changed {
            update = update.value(&format!(":{name}"), text(value));
        }
        match self.update("changing a profile", update).await? {
            Updated::Done(_) => Ok(()),
            Updated::Refused(_) => Err(Error::Unauthenticated),
        }
    }

    async fn record_upload(&self, caller: Caller, name: &str, now: Timestamp) -> Result<()> {
        let record = Item::from([("made".to_owned(), moment(now))]);
        let writes = vec![
            change_by(caller, "", now).in_transaction(&self.name)?,
            write::put_new(&self.name, &keys::media(caller.user, name), record)?,
        ];
        match self.transact("recording an upload", writes).await? {
            Transacted::Done => Ok(()),
            Transacted::Refused(_) => Err(Error::Unauthenticated),
        }
    }
}
