//! Tombstones of deleted accounts, and what lies beside them.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};

use super::identity::spent_already;
use super::item::{self, Item, moment, number, text};
use super::stream::Record;
use super::write::{self, Change, key_attributes};
use super::{Table, Transacted, Updated, failed, keys, session_is_active};
use domain::account::{Account, Caller, UserId};
use domain::clock::Timestamp;
use domain::deletion::{Belonging, DeletionStore, Leftover, PurgeStore};
use domain::identity::Proof;
use domain::notifications::{Device, Platform};
use domain::rooms::RoomId;
use domain::social::Written;
use domain::social::group::Changed;
use domain::{Error, Fault, Result};
use telemetry::round_trips;

/// How long a tombstone stays after everything else is gone: until every device that knew the user has synced.
const TOMBSTONE: Duration = Duration::from_hours(24 * 180);

/// What a change of the table means for a deleted account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeletedAccount {
    /// The account has become a tombstone, so what belonged to it can be removed.
    Tombstone(UserId),
    /// Its grace period may be over.
    GraceOver(UserId),
}

/// What a change of the table means for a deleted account, if anything.
#[must_use]
pub fn deleted_account(record: &Record) -> Option<DeletedAccount> {
    let Some(new) = &record.new else {
        return keys::owner_of_grace(&record.pk, &record.sk).map(DeletedAccount::GraceOver);
    };
    let user = keys::owner_of_account(&record.pk, &record.sk)?;
    let is_tombstone = |account: &Item| item::is_deleted(account) && !account.contains_key("purge_at");
    let before = record.old.as_ref().is_some_and(is_tombstone);
    (is_tombstone(new) && !before).then_some(DeletedAccount::Tombstone(user))
}

#[async_trait]
impl DeletionStore for Table {
    async fn delete_account(
        &self,
        caller: Caller,
        account: &Account,
        proof: &Proof,
        purge_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<bool> {
        let mut writes = self.proof(proof, now)?;
        let condition = as_read(session_is_active(caller, now), account);
        match purge_at {
            None => {
                writes.push(self.put_tombstone(account.id, &Leftover::of(account), condition, now)?);
                writes.extend(self.free_claims(account)?);
            }
            Some(purge_at) => {
                let hide =
                    "SET #deleted = :now, #purge_at = :purge_at, #leftover = :leftover, #sessions = :none REMOVE #id";
                let hide = condition
                    .updating(hide.to_owned())
                    .value(":purge_at", moment(purge_at))
                    .value(":leftover", leftover(&Leftover::of(account)))
                    .value(":none", AttributeValue::M(Item::new()));
                writes.push(hide.in_transaction(&self.name)?);
                // A little later than the period, which must be over when the note is deleted.
                let note = Item::from([("ttl".to_owned(), number(purge_at.seconds() + 60))]);
                writes.push(write::put(&self.name, &keys::grace(account.id), note)?);
            }
        }
        match self.transact("deleting an account", writes).await? {
            Transacted::Done => Ok(true),
            Transacted::Refused(reasons) => spent_already(proof, failed(&reasons, 0)).map(|()| false),
        }
    }
}

#[async_trait]
impl PurgeStore for Table {
    async fn leftover(&self, user: UserId) -> Result<Option<Leftover>> {
        let account = self.get("reading a tombstone", &keys::account(user)).await?;
        let tombstone = account.filter(|account| item::is_deleted(account) && !account.contains_key("purge_at"));
        Ok(tombstone.and_then(|tombstone| Some(read_leftover(tombstone.get("leftover")?.as_m().ok()?))))
    }

    async fn belongings(&self, user: UserId) -> Result<Vec<(String, Belonging)>> {
        let own = keys::account(user);
        let page = self
            .client
            .query()
            .table_name(&*self.name)
            .consistent_read(true)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(own.pk))
            .send()
            .await
            .map_err(|error| Fault::new("reading what belongs to a user", error.into_service_error()))?;
        let named =
            |item: &Item| item::get_text(item, "sk").filter(|sk| *sk != own.sk).map(|sk| (belonging(&sk, item), sk));
        Ok(page.items().iter().filter_map(named).map(|(belonging, sk)| (sk, belonging)).collect())
    }

    async fn remove(&self, user: UserId, items: &[String]) -> Result<()> {
        let pk = keys::account(user).pk;
        let delete = |sk: &String| {
            let key = key_attributes(&keys::Key { pk: pk.clone(), sk: sk.clone() });
            let delete = self.client.delete_item().table_name(&*self.name).set_key(Some(key)).send();
            async {
                let deleted = delete.await.map_err(SdkError::into_service_error);
                deleted.map_err(|error| Fault::new("removing what belongs to a user", error))?;
                Ok::<_, Error>(())
            }
        };
        round_trips::all(items.iter().map(delete)).await.map(drop)
    }

    async fn part(&self, user: UserId, other: UserId, now: Timestamp) -> Result<()> {
        self.end_relation(user, other, now).await
    }

    async fn leave_group(&self, changed: &Changed, now: Timestamp) -> Result<Written> {
        self.leave_group_by_nobody(changed, now).await
    }

    async fn free_room_number(&self, user: UserId, number_of_room: &str) -> Result<()> {
        let key = keys::room_number(number_of_room);
        let delete = self.client.delete_item().table_name(&*self.name).set_key(Some(key_attributes(&key)));
        let delete = delete.condition_expression("#user = :user").expression_attribute_names("#user", "user");
        let deleted = delete.expression_attribute_values(":user", number(user)).send().await;
        match deleted.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(()),
            Err(error) if error.is_conditional_check_failed_exception() => Ok(()),
            Err(error) => Err(Fault::new("freeing a room number", error).into()),
        }
    }

    async fn forget_waiting(&self, user: UserId, phone: &str) -> Result<()> {
        let attributes = ["digest", "purpose"].into_iter().chain(item::WAITING);
        let removed: Vec<_> = attributes.map(|name| format!("#{name}")).collect();
        // A number that cannot be read has no code.
        let Ok(phone) = phone.parse() else { return Ok(()) };
        let change = Change::new(keys::code(&phone), format!("REMOVE {}", removed.join(", ")))
            .when("#waiting_user = :user")
            .value(":user", number(user));
        self.update("forgetting what waits for a code", change).await.map(drop)
    }

    async fn forget_report(&self, made: Timestamp, report: &str) -> Result<()> {
        let key = key_attributes(&keys::report_entry(made, report));
        let deleted = self.client.delete_item().table_name(&*self.name).set_key(Some(key)).send().await;
        deleted.map(drop).map_err(|error| Fault::new("forgetting a report", error.into_service_error()).into())
    }

    async fn end_grace(&self, user: UserId, now: Timestamp) -> Result<()> {
        let Some(hidden) = self.get("reading a tombstone", &keys::account(user)).await? else { return Ok(()) };
        let Some(purge_at) = item::get_moment(&hidden, "purge_at").filter(|purge_at| *purge_at <= now) else {
            return Ok(());
        };
        let mut account = hidden.clone();
        account.insert("id".to_owned(), number(user));
        let account = item::read_account(&account)?;
        let kept = hidden.get("leftover").and_then(|map| map.as_m().ok()).map(read_leftover).unwrap_or_default();
        let same =
            Change::new(keys::account(user), "").when("#purge_at = :purge_at").value(":purge_at", moment(purge_at));
        let mut writes = vec![self.put_tombstone(user, &kept, same, now)?];
        writes.extend(self.free_claims(&account)?);
        match self.transact("ending a grace period", writes).await? {
            Transacted::Done => Ok(()),
            // The user has signed in again at the last moment.
            Transacted::Refused(reasons) if failed(&reasons, 0) => Ok(()),
            Transacted::Refused(_) => Err(Fault::new("ending a grace period", "a claim is not the user's").into()),
        }
    }

    async fn conclude_purge(&self, user: UserId, now: Timestamp) -> Result<()> {
        let bare = Change::new(keys::account(user), "SET #ttl = :ttl REMOVE #leftover")
            .when("attribute_exists(#deleted)")
            .value(":ttl", number(now.plus(TOMBSTONE).seconds()));
        match self.update("ending a deletion", bare).await? {
            Updated::Done(_) => Ok(()),
            Updated::Refused(_) => Err(Fault::new("ending a deletion", "the account is not deleted").into()),
        }
    }
}

impl Table {
    /// Replaces an account by a tombstone, on the condition of `condition`.
    fn put_tombstone(
        &self,
        user: UserId,
        kept: &Leftover,
        condition: Change,
        now: Timestamp,
    ) -> Result<TransactWriteItem> {
        let mut tombstone = key_attributes(&keys::account(user));
        tombstone.extend([
            ("deleted".to_owned(), moment(now)),
            ("sessions".to_owned(), AttributeValue::M(Item::new())),
            ("leftover".to_owned(), leftover(kept)),
        ]);
        let put = Put::builder()
            .table_name(&*self.name)
            .set_item(Some(tombstone))
            .set_condition_expression(condition.condition)
            .set_expression_attribute_names(Some(condition.names))
            .set_expression_attribute_values(Some(condition.values));
        let put = put.build().map_err(|error| Fault::new("building a put", error))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// The writes that free everything that the user signs in with.
    fn free_claims(&self, account: &Account) -> Result<Vec<TransactWriteItem>> {
        let claims = account.login_identifiers()?;
        let claims = claims.iter().map(keys::claim);
        let keys = claims.chain(account.device_id.map(keys::device_id));
        keys.map(|key| write::delete_of_user(&self.name, &key, account.id)).collect()
    }
}

/// The condition that what the user signs in with is as it was read.
fn as_read(condition: Change, account: &Account) -> Change {
    let linked = (!account.linked.is_empty()).then(|| item::linked(&account.linked));
    let attributes = [
        ("phone", account.phone.as_ref().map(text)),
        ("username", account.username.as_ref().map(text)),
        ("linked", linked),
        ("device_id", account.device_id.map(number)),
        ("room_id", account.room_id.map(number)),
        ("room", account.room.as_ref().map(text)),
    ];
    let condition = condition.and("attribute_not_exists(#deleted)").if_secret(account.secret.version);
    attributes.into_iter().fold(condition, |condition, (name, value)| match value {
        Some(value) => condition.and(&format!("#{name} = :before_{name}")).value(&format!(":before_{name}"), value),
        None => condition.and(&format!("attribute_not_exists(#{name})")),
    })
}

/// What a tombstone keeps, as a map.
fn leftover(kept: &Leftover) -> AttributeValue {
    let device = |device: &Device| {
        let platform = match device.platform {
            Platform::Apple => APPLE,
            Platform::Google => GOOGLE,
        };
        text(format!("{platform}{}", device.token))
    };
    let mut map = Item::from([("devices".to_owned(), AttributeValue::L(kept.devices.iter().map(device).collect()))]);
    map.extend(kept.phone.iter().map(|phone| ("phone".to_owned(), text(phone))));
    map.extend(kept.room_number.iter().map(|room| ("room".to_owned(), text(room))));
    map.extend(kept.room.map(|room| ("room_id".to_owned(), number(room))));
    AttributeValue::M(map)
}

const APPLE: &str = "apple ";
const GOOGLE: &str = "google ";

fn read_leftover(map: &Item) -> Leftover {
    let device = |text: &AttributeValue| {
        let text = text.as_s().ok()?;
        let of = |prefix: &str, platform| {
            text.strip_prefix(prefix).map(|token| Device { platform, token: token.to_owned() })
        };
        of(APPLE, Platform::Apple).or_else(|| of(GOOGLE, Platform::Google))
    };
    let devices = map.get("devices").and_then(|list| list.as_l().ok()).into_iter().flatten();
    Leftover {
        phone: item::get_text(map, "phone"),
        devices: devices.filter_map(device).collect::<BTreeSet<_>>(),
        room_number: item::get_text(map, "room"),
        room: item::get_number(map, "room_id").and_then(RoomId::new),
    }
}

/// What an item beside an account means, by its sort key.
fn belonging(sk: &str, item: &Item) -> Belonging {
    let other = |prefix: &str| sk.strip_prefix(prefix).and_then(|other| other.parse().ok());
    match sk.split_once('#').map_or(sk, |(kind, _)| kind) {
        "media" => Belonging::Media(sk.trim_start_matches("media#").to_owned()),
        "friend" | "blocker" => {
            other(keys::RELATIONS).or_else(|| other(keys::BLOCKERS)).map_or(Belonging::Other, Belonging::Relation)
        }
        "groups" if sk == "groups" => Belonging::Groups,
        "rooms" => {
            let owned = item.get("owned").and_then(|owned| owned.as_ns().ok()).into_iter().flatten();
            Belonging::Rooms(owned.filter_map(|id| id.parse().ok().and_then(RoomId::new)).collect())
        }
        "report" => report(sk).unwrap_or(Belonging::Other),
        "app" => Belonging::AppData(item::get_text(item, "new_phone")),
        _ => Belonging::Other,
    }
}

fn report(sk: &str) -> Option<Belonging> {
    let (made, id) = sk.strip_prefix("report#")?.split_once('#')?;
    Some(Belonging::Report(Timestamp::from_millis(made.parse().ok()?), id.to_owned()))
}

/// The kinds of items beside an account that are only removed, because nothing else depends on them. A test compares
/// these and those of [`belonging`] with the list of all items.
#[cfg(test)]
const ONLY_REMOVED: &[&str] = &[
    "failures",
    "grace",
    "groups#<day>",
    "identity",
    "invitations#<day>",
    "lookups",
    "once",
    "reports#<day>",
    "pushes",
    "sync",
    "unspread",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_tombstone_keeps_survives_the_table() {
        let device = |platform, token: &str| Device { platform, token: token.to_owned() };
        let kept = Leftover {
            phone: Some("+8613912345678".to_owned()),
            devices: [device(Platform::Apple, "a b"), device(Platform::Google, "c")].into(),
            room_number: Some("8696".to_owned()),
            room: RoomId::new(7),
        };
        assert_eq!(read_leftover(leftover(&kept).as_m().unwrap()), kept);
        let none = Leftover::default();
        assert_eq!(read_leftover(leftover(&none).as_m().unwrap()), none);
    }

    /// The sort keys of all items of a user, as the documentation lists them.
    fn documented() -> BTreeSet<String> {
        let page = include_str!("../../../docs/access-patterns.md");
        let (_, items) = page.split_once("\n## Items\n").unwrap();
        let (items, _) = items.split_once("\n\n`sessions` maps").unwrap();
        let of_users = items.lines().filter(|row| row.contains("`user#<id>`"));
        let keys = of_users.flat_map(|row| {
            let column = row.split('|').nth(3).unwrap_or_default();
            column.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()
        });
        keys.collect()
    }

    #[test]
    fn every_kind_of_item_that_a_user_has_is_removed_on_purpose() {
        let keys = documented();
        assert!(keys.len() >= 15, "{keys:?}");
        for key in &keys {
            let sk = key
                .replace("<other>", "7")
                .replace("<name>", "a.jpg")
                .replace("report#<milliseconds, 13 digits>#<id>", "report#1800000000000#a");
            let listed = ONLY_REMOVED
                .iter()
                .any(|kind| key == kind || key.split('#').next() == Some(kind) && !kind.contains('<'));
            let handled = belonging(&sk, &Item::new()) != Belonging::Other;
            assert!(
                key == "account" || listed != handled,
                "{key}: say in `belonging` or in ONLY_REMOVED what becomes of it"
            );
        }
    }

    #[test]
    fn only_a_new_tombstone_starts_a_purge() {
        let user = UserId::new(7).unwrap();
        let record = |sk: &str, old: Option<&[&str]>, new: Option<&[&str]>| {
            let image = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), number(1))).collect();
            Record {
                id: String::new(),
                sequence: String::new(),
                pk: "user#7".to_owned(),
                sk: sk.to_owned(),
                old: old.map(image),
                new: new.map(image),
            }
        };
        let of = |sk, old, new| deleted_account(&record(sk, old, new));
        let tombstone = Some(DeletedAccount::Tombstone(user));
        assert_eq!(of("account", Some(&["id"]), Some(&["deleted"])), tombstone);
        assert_eq!(of("account", Some(&["deleted", "purge_at"]), Some(&["deleted"])), tombstone);
        assert_eq!(of("account", Some(&["id"]), Some(&["deleted", "purge_at"])), None);
        assert_eq!(of("account", Some(&["deleted"]), Some(&["deleted", "ttl"])), None);
        assert_eq!(of("account", Some(&["id"]), Some(&["id"])), None);
        assert_eq!(of("account", Some(&["deleted"]), None), None);
        assert_eq!(of("grace", Some(&["ttl"]), None), Some(DeletedAccount::GraceOver(user)));
        assert_eq!(of("app", Some(&["ttl"]), None), None);
    }
}
