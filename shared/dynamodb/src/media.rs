//! The pictures and voice notes that accounts own.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;

use super::accounts::{COUNT_LOOKS, count_looks, profile};
use super::item::{self, Item, moment, number, text};
use super::once::made_before;
use super::write::{Change, key_attributes};
use super::{
    CONFLICT_ATTEMPTS, Table, Transacted, change_by, failed, found, keys, living, not_signed_in, too_many_at_once,
};
use domain::account::{Caller, UserId};
use domain::clock::Timestamp;
use domain::media::library::{MediaPage, MediaRecord, MediaStore, Recorded};
use domain::media::{ImageName, MediaName};
use domain::once::Once;
use domain::profile::{Avatar, ProfileChange};
use domain::{Error, Fault, Quota, Result};
use telemetry::round_trips;

/// How long the mark of a deleted picture or voice note stays. A presigned upload, and a request that is repeated by its
/// key, must find it.
const MARKED: Duration = Duration::from_hours(24 * 7);

/// How many queries one page may take.
const QUERIES: u32 = 4;

#[async_trait]
impl MediaStore for Table {
    async fn record_once(
        &self,
        caller: Caller,
        name: &MediaName,
        bytes: Option<u64>,
        once: &Once,
        now: Timestamp,
    ) -> Result<Recorded> {
        const ACCOUNT: usize = 0;
        const ONCE: usize = 2;
        let name = name.to_string();
        let mut writes = self.writes_of_upload(caller, &name, bytes, now)?;
        writes.push(self.remember(caller.user, once, &name, now)?);
        match self.transact("recording an upload once", writes).await? {
            Transacted::Done => Ok(Recorded::New),
            Transacted::Refused(reasons) => {
                if failed(&reasons, ACCOUNT) {
                    living(found(&reasons, ACCOUNT), caller, now)?;
                }
                if !failed(&reasons, ONCE) {
                    return Err(Error::Full(Quota::Media));
                }
                made_before(found(&reasons, ONCE), once)?.parse().map(Recorded::Before)
            }
        }
    }

    async fn media(&self, caller: Caller, name: &MediaName, now: Timestamp) -> Result<Option<MediaRecord>> {
        let record = keys::media(caller.user, &name.to_string());
        let record = self.get("reading a media record", &record);
        let ((), record) = round_trips::both(self.check_living(caller, now), record).await?;
        Ok(record.as_ref().and_then(read_record))
    }

    async fn media_page(
        &self,
        caller: Caller,
        after: Option<&MediaName>,
        most: usize,
        now: Timestamp,
    ) -> Result<MediaPage> {
        let page = self.stored_media(caller.user, after, most);
        Ok(round_trips::both(self.check_living(caller, now), page).await?.1)
    }

    async fn discard(&self, caller: Caller, name: &MediaName, now: Timestamp) -> Result<bool> {
        const DOING: &str = "deleting a media record";
        let key = keys::media(caller.user, &name.to_string());
        for attempt in 0..CONFLICT_ATTEMPTS {
            let own = keys::account(caller.user);
            let (account, record) = round_trips::both(self.get(DOING, &own), self.get(DOING, &key)).await?;
            living(account.as_ref(), caller, now)?;
            let record = record.ok_or(Error::NotFound("media"))?;
            if record.contains_key("deleted") {
                return Ok(false);
            }
            let (bytes, shown) =
                (item::get_number(&record, "bytes"), account.and_then(|a| item::get_text(&a, "avatar")));
            let shows = shown.is_some_and(|shown| shown == name.path());
            let account = give_back(caller, bytes.unwrap_or_default(), (&name.path(), shows), now);
            let writes =
                vec![account.in_transaction(&self.name)?, mark(key.clone(), bytes, now).in_transaction(&self.name)?];
            if let Transacted::Done = self.transact(DOING, writes).await? {
                return Ok(true);
            }
            // Something changed since it was read: read it again.
            self.wait_out_conflict(attempt).await;
        }
        Err(too_many_at_once())
    }

    async fn show(&self, caller: Caller, picture: &ImageName, now: Timestamp) -> Result<()> {
        const ACCOUNT: usize = 0;
        let change = ProfileChange { avatar: Some(Avatar::of_image(picture)), ..ProfileChange::default() };
        let record = Change::new(keys::media(caller.user, &picture.to_string()), "")
            .when("attribute_exists(#bytes) AND attribute_not_exists(#deleted)");
        let account = profile(caller, &change, now).in_transaction(&self.name)?;
        match self.transact("showing a picture", vec![account, record.into_check(&self.name)?]).await? {
            Transacted::Done => Ok(()),
            Transacted::Refused(reasons) if failed(&reasons, ACCOUNT) => {
                Err(not_signed_in(found(&reasons, ACCOUNT), caller))
            }
            Transacted::Refused(_) => Err(domain::media::library::NOT_OWN_PICTURE),
        }
    }
}

/// The change of an account whose picture or voice note is deleted: it gets the bytes back, and shows the picture no
/// longer. `shown` is the path of the picture, and whether the account shows it.
fn give_back(caller: Caller, bytes: u64, (path, shows): (&str, bool), now: Timestamp) -> Change {
    let mut account = if shows {
        let set = format!("#avatar = :no_avatar, {COUNT_LOOKS}");
        count_looks(change_by(caller, &set, now)).and("#avatar = :path").value(":no_avatar", text(""))
    } else {
        change_by(caller, "", now).and("(attribute_not_exists(#avatar) OR #avatar <> :path)")
    };
    account = account.value(":path", text(path));
    if bytes > 0 {
        account.update.push_str(" ADD #media_bytes :given_back");
        account = account.name("#media_bytes", "media_bytes").value(":given_back", number(format!("-{bytes}")));
    }
    account
}

/// The mark of a deleted record, on the condition that it is as it was read.
fn mark(key: keys::Key, bytes: Option<u64>, now: Timestamp) -> Change {
    let change = Change::new(key, "SET #deleted = :now, #ttl = :ttl")
        .when("attribute_exists(pk) AND attribute_not_exists(#deleted)")
        .value(":now", moment(now))
        .value(":ttl", number(now.plus(MARKED).seconds()));
    match bytes {
        Some(bytes) => change.and("#bytes = :bytes").value(":bytes", number(bytes)),
        None => change.and("attribute_not_exists(#bytes)"),
    }
}

/// A record that was not deleted.
fn read_record(record: &Item) -> Option<MediaRecord> {
    if record.contains_key("deleted") {
        return None;
    }
    let made = item::get_moment(record, "made")?;
    Some(MediaRecord { name: name_of(record)?, made, bytes: item::get_number(record, "bytes") })
}

/// The name in the key of a record.
fn name_of(record: &Item) -> Option<MediaName> {
    item::get_text(record, "sk")?.strip_prefix(keys::MEDIA)?.parse().ok()
}

impl Table {
    /// A page of the stored media of a user.
    async fn stored_media(&self, user: UserId, after: Option<&MediaName>, most: usize) -> Result<MediaPage> {
        const DOING: &str = "reading media records";
        let key = keys::media(user, "");
        let mut start = after.map(|after| key_attributes(&keys::media(user, &after.to_string())));
        let mut records = Vec::new();
        for _ in 0..QUERIES {
            let page = self
                .client
                .query()
                .table_name(&*self.name)
                .consistent_read(true)
                .key_condition_expression("pk = :pk AND begins_with(sk, :media)")
                .expression_attribute_values(":pk", AttributeValue::S(key.pk.clone()))
                .expression_attribute_values(":media", AttributeValue::S(key.sk.clone()))
                .limit(i32::try_from(most + 1).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| Fault::new(DOING, error.into_service_error()))?;
            // A presigned upload has no size before it is accepted.
            records.extend(page.items().iter().filter_map(read_record).filter(|record| record.bytes.is_some()));
            start = page.last_evaluated_key;
            if start.is_none() || records.len() > most {
                break;
            }
        }
        if records.len() > most {
            records.truncate(most);
            return Ok(MediaPage { next: records.last().map(|last| last.name), records });
        }
        Ok(MediaPage { next: start.as_ref().and_then(name_of), records })
    }
}
