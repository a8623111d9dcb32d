//! Changes to accounts by their signed-in owners.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::TransactWriteItem;

use super::item::{self, Item, moment, number, text};
use super::write::{self, Change};
use super::{Table, Transacted, Updated, change_by, found, keys, living, not_signed_in};
use domain::account::{Account, AccountStore, Caller, Counted, ProfileStore, UserId};
use domain::clock::Timestamp;
use domain::profile::{Avatar, Nickname, ProfileChange, StateLine};
use domain::{Error, Quota, Result};

#[async_trait]
impl AccountStore for Table {
    async fn change_profile(&self, caller: Caller, change: &ProfileChange, now: Timestamp) -> Result<()> {
        match self.update("changing a profile", profile(caller, change, now)).await? {
            Updated::Done(_) => Ok(()),
            Updated::Refused(account) => Err(not_signed_in(account.as_ref(), caller)),
        }
    }

    async fn record_upload(&self, caller: Caller, name: &str, bytes: Option<u64>, now: Timestamp) -> Result<()> {
        const ACCOUNT: usize = 0;
        let writes = self.writes_of_upload(caller, name, bytes, now)?;
        match self.transact("recording an upload", writes).await? {
            Transacted::Done => Ok(()),
            Transacted::Refused(reasons) => {
                living(found(&reasons, ACCOUNT), caller, now)?;
                Err(Error::Full(Quota::Media))
            }
        }
    }

    async fn count_upload(&self, owner: UserId, name: &str, bytes: u64) -> Result<Counted> {
        const RECORD: usize = 0;
        let record = Change::new(keys::media(owner, name), "SET #bytes = :bytes")
            .when("attribute_exists(pk) AND attribute_not_exists(#bytes) AND attribute_not_exists(#deleted)")
            .value(":bytes", number(bytes));
        let account = Change::new(keys::account(owner), ADD_BYTES.trim_start())
            .when("attribute_exists(pk) AND attribute_not_exists(#deleted)");
        let account = self.fits(account, bytes).value(":bytes", number(bytes));
        let writes = vec![record.in_transaction(&self.name)?, account.in_transaction(&self.name)?];
        match self.transact("counting an upload", writes).await? {
            Transacted::Done => Ok(Counted::Done),
            Transacted::Refused(reasons) => {
                let record = found(&reasons, RECORD);
                if record.is_some_and(|record| record.contains_key("deleted")) {
                    return Ok(Counted::Deleted);
                }
                let before = record.and_then(|record| item::get_number(record, "bytes"));
                Ok(before.map_or(Counted::Full, Counted::Before))
            }
        }
    }
}

/// A change of the caller's profile.
pub(super) fn profile(caller: Caller, change: &ProfileChange, now: Timestamp) -> Change {
    let values = [
        ("name", change.name.as_ref().map(Nickname::as_str)),
        ("state", change.state.as_ref().map(StateLine::as_str)),
        ("avatar", change.avatar.as_ref().map(Avatar::as_str)),
    ];
    let changed: Vec<_> = values.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let set = changed.iter().map(|(name, _)| format!("#{name} = :{name}")).chain([COUNT_LOOKS.to_owned()]);
    let update = count_looks(change_by(caller, &set.collect::<Vec<_>>().join(", "), now));
    changed.into_iter().fold(update, |update, (name, value)| update.value(&format!(":{name}"), text(value)))
}

/// Counts a change of the nickname, the state line or the picture.
pub(super) const COUNT_LOOKS: &str = "#looks = if_not_exists(#looks, :none) + :one";

/// Defines the values of [`COUNT_LOOKS`].
pub(super) fn count_looks(change: Change) -> Change {
    change.value(":none", number(0)).value(":one", number(1))
}

#[async_trait]
impl ProfileStore for Table {
    async fn edit_profile(
        &self,
        caller: Caller,
        change: &ProfileChange,
        version: Option<u64>,
        now: Timestamp,
    ) -> Result<Account> {
        let mut update = profile(caller, change, now).returning_item();
        if let Some(version) = version {
            let unset = if version == 0 { "attribute_not_exists(#looks) OR " } else { "" };
            update = update.and(&format!("({unset}#looks = :version)")).value(":version", number(version));
        }
        match self.update("changing a profile", update).await? {
            Updated::Done(account) => item::read_account(&account),
            Updated::Refused(account) => {
                living(account.as_ref(), caller, now)?;
                Err(Error::ConditionFailed)
            }
        }
    }
}

/// Adds to the bytes that an account has uploaded.
const ADD_BYTES: &str = " ADD #media_bytes :bytes";

impl Table {
    /// The writes that record an upload: the account with the bytes, and the record. For a size that is not known, the
    /// first only checks that some space is left.
    pub(super) fn writes_of_upload(
        &self,
        caller: Caller,
        name: &str,
        bytes: Option<u64>,
        now: Timestamp,
    ) -> Result<Vec<TransactWriteItem>> {
        let mut record = Item::from([("made".to_owned(), moment(now))]);
        record.extend(bytes.map(|bytes| ("bytes".to_owned(), number(bytes))));
        let mut account = self.fits(change_by(caller, "", now), bytes.unwrap_or(1));
        if let Some(bytes) = bytes {
            account.update.push_str(ADD_BYTES);
            account = account.value(":bytes", number(bytes));
        }
        let record = write::put_new(&self.name, &keys::media(caller.user, name), record)?;
        Ok(vec![account.in_transaction(&self.name)?, record])
    }

    /// Adds the condition that the account has space for so many more bytes.
    fn fits(&self, account: Change, bytes: u64) -> Change {
        match self.policy.media_bytes_per_account.checked_sub(bytes) {
            Some(space) => account
                .and("(attribute_not_exists(#media_bytes) OR #media_bytes <= :space)")
                .value(":space", number(space)),
            // This is never true: a comparison with a missing attribute is false, and no count is below 0.
            None => account.and("#media_bytes < :space").value(":space", number(0)),
        }
    }
}
