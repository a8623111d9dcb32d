//! Rooms. Each is a separate item, with one claim for its alias and one for its number.

mod count;
mod list;

use std::collections::BTreeSet;
use std::net::IpAddr;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};

use super::batch::Reads;
use super::counters::{Counter, HOUR};
use super::item::{self, Item, moment, number, text};
use super::keys::{self, Key};
use super::write::{self, Change, key_attributes};
use super::{Table, Transacted, change_by, failed, found, living, not_signed_in};
use domain::account::{Caller, UserId};
use domain::clock::Timestamp;
use domain::network::NetworkHash;
use domain::person::Detail;
use domain::phone::Phone;
use domain::rooms::{Alias, Given, Host, Hosts, Listed, Made, Own, Page, Place, Room, RoomId, RoomStore};
use domain::{Cap, Error, Fault, NotSignedIn, Quota, Result};

/// The kinds of writes in a transaction, in the order in which their failures are reported: failures that the caller
/// can do something about come before those of random values, which are drawn again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Session,
    Owned,
    Address,
    Alias,
    Number,
    Room,
    Count,
}

/// The writes of a transaction, each with its kind.
struct Parts<'a> {
    table: &'a Table,
    by: Option<Caller>,
    kinds: Vec<Part>,
    writes: Vec<TransactWriteItem>,
}

#[async_trait]
impl RoomStore for Table {
    async fn make(&self, room: &Room, by: Option<Caller>, from: Option<IpAddr>, now: Timestamp) -> Result<Made> {
        let mut parts = self.parts(by, now)?;
        let address = from.zip(self.policy.anonymous_rooms_per_ip_hour).filter(|_| by.is_none()).map(|(from, most)| {
            let key = keys::rooms_of_address(from, now);
            Counter { cap: Cap::AnonymousRooms, key, amount: 1, most, window: HOUR }
        });
        if let Some(address) = &address {
            parts.change(Part::Address, address.change(now))?;
        }
        if let Some(owner) = room.owner {
            parts.change(Part::Owned, own(owner, room.id, self.policy.rooms_per_owner))?;
        }
        parts.change(Part::Alias, take(keys::room_alias(&room.alias), room, now))?;
        parts.change(Part::Number, take(keys::room_number(&room.number), room, now))?;
        parts.push(Part::Room, write::put_new(&self.name, &keys::room(room.id), self.room_item(room))?);
        parts.counts(None, Some(room))?;
        match parts.send("making a room").await? {
            None => Ok(Made::Done),
            Some(Part::Owned) => Err(Error::Full(Quota::Rooms)),
            Some(Part::Address) => {
                let full = Error::Fault(Fault::new("making a room", "a count that was not made is full"));
                Err(address.map_or(full, |address| address.refusal(now)))
            }
            Some(Part::Alias) => Err(Error::Taken("room alias")),
            Some(Part::Number) => Ok(Made::NumberTaken),
            Some(Part::Session | Part::Room | Part::Count) => Ok(Made::IdTaken),
        }
    }

    async fn room(&self, id: RoomId) -> Result<Option<Room>> {
        self.get("reading a room", &keys::room(id)).await?.as_ref().map(read_room).transpose()
    }

    async fn change(&self, before: &Room, after: &Room, by: Option<Caller>, now: Timestamp) -> Result<bool> {
        let mut parts = self.parts(by, now)?;
        if before.alias != after.alias {
            parts.change(Part::Alias, take(keys::room_alias(&after.alias), after, now))?;
            parts.push(Part::Room, self.release(&keys::room_alias(&before.alias), before)?);
        } else if before.expires != after.expires {
            parts.change(Part::Room, extend(keys::room_alias(&after.alias), after))?;
        }
        if before.expires != after.expires {
            parts.change(Part::Room, extend(keys::room_number(&after.number), after))?;
        }
        parts.push(Part::Room, self.replace(before, after)?);
        parts.counts(Some(before), Some(after))?;
        match parts.send("changing a room").await? {
            None => Ok(true),
            Some(Part::Alias) => Err(Error::Taken("room alias")),
            Some(_) => Ok(false),
        }
    }

    async fn delete(&self, room: &Room, by: Option<Caller>, now: Timestamp) -> Result<bool> {
        let mut parts = Parts { table: self, by: None, kinds: Vec::new(), writes: Vec::new() };
        if let Some(caller) = by {
            let mut account = change_by(caller, "", now);
            if room.personal {
                // The account's number is freed together with its room.
                account.update.push_str(" REMOVE #room, #room_id");
                account = account.name("#room", "room").name("#room_id", "room_id");
            }
            parts.change(Part::Session, account)?;
        }
        if let Some(owner) = room.owner {
            parts.change(Part::Owned, disown(owner, room.id))?;
        }
        parts.push(Part::Room, self.release(&keys::room_alias(&room.alias), room)?);
        parts.push(Part::Room, self.release(&keys::room_number(&room.number), room)?);
        let delete = Delete::builder()
            .table_name(&*self.name)
            .set_key(Some(key_attributes(&keys::room(room.id))))
            .condition_expression("turn = :turn")
            .expression_attribute_values(":turn", number(room.turn));
        parts.push(Part::Room, TransactWriteItem::builder().delete(delete.build().map_err(unbuilt)?).build());
        parts.counts(Some(room), None)?;
        match parts.send("deleting a room").await? {
            None => Ok(true),
            Some(_) => Ok(false),
        }
    }

    async fn count_open(&self, now: Timestamp) -> Result<u64> {
        self.sum_open(now).await
    }

    async fn open(&self, page: Page, now: Timestamp) -> Result<Listed> {
        self.list_open(page, now).await
    }

    async fn check_session(&self, caller: Caller, now: Timestamp) -> Result<()> {
        let account = self.get("reading an account", &keys::account(caller.user)).await?;
        living(account.as_ref(), caller, now)
    }

    async fn give_room(&self, room: &Room, before: Option<&str>, now: Timestamp) -> Result<Given> {
        let owner = room.owner.ok_or_else(|| Fault::new("giving an account its room", "the room has no owner"))?;
        let own = before == Some(room.number.as_str());
        let account = Change::new(keys::account(owner), "SET #room = :room, #room_id = :id")
            .when(
                "attribute_exists(pk) AND attribute_not_exists(#deleted) AND attribute_not_exists(#room_id) \
                 AND (attribute_not_exists(#room) OR #room = :before)",
            )
            .value(":room", text(&room.number))
            .value(":id", number(room.id))
            // No number is empty, so this condition fails for every account that has one.
            .value(":before", text(before.unwrap_or_default()));
        let claim = "SET #user = :user, #room = :room, #since = :now REMOVE #expires, #ttl";
        let claim = Change::new(keys::room_number(&room.number), claim)
            .when(if own { "#user = :user AND attribute_not_exists(#room)" } else { FREE })
            .value(":user", number(owner))
            .value(":room", number(room.id))
            .value(":now", moment(now));
        let mut parts = Parts { table: self, by: None, kinds: Vec::new(), writes: Vec::new() };
        parts.change(Part::Session, account)?;
        parts.change(Part::Number, claim)?;
        parts.change(Part::Alias, take(keys::room_alias(&room.alias), room, now))?;
        parts.push(Part::Room, write::put_new(&self.name, &keys::room(room.id), self.room_item(room))?);
        let reasons = match self.transact("giving an account its room", parts.writes).await? {
            Transacted::Done => return Ok(Given::Done),
            Transacted::Refused(reasons) => reasons,
        };
        let first = (0..parts.kinds.len()).find(|position| failed(&reasons, *position)).unwrap_or_default();
        match parts.kinds[first] {
            Part::Number => Ok(Given::NumberTaken),
            Part::Alias => Ok(Given::AliasTaken),
            Part::Room | Part::Count | Part::Address | Part::Owned => Ok(Given::IdTaken),
            Part::Session => {
                let account = found(&reasons, first).ok_or(Error::Unauthenticated(NotSignedIn::Ended))?;
                let room = item::get_number(account, "room_id").and_then(RoomId::new);
                Ok(Given::Had(Own { number: item::get_text(account, "room"), room }))
            }
        }
    }

    async fn knows(&self, owner: UserId, networks: &[NetworkHash], now: Timestamp) -> Result<bool> {
        let account = self.get("reading an account", &keys::account(owner)).await?;
        let account = item::read_living(account.as_ref())?;
        Ok(account.is_some_and(|account| account.knows(&self.policy, networks, now)))
    }

    async fn hosts(&self, owners: &BTreeSet<UserId>) -> Result<Hosts> {
        let accounts = owners.iter().map(|owner| keys::account(*owner)).collect();
        let accounts = self.get_all(accounts, HOST, Reads::Eventually).await?;
        Ok(accounts.iter().filter_map(|account| Some((item::get_user(account, "id")?, host(account)))).collect())
    }
}

/// The attributes that [`host`] needs, for a projection.
const HOST: &[&str] = &["id", "username", "details", "name", "avatar"];

/// The public data of an account. A username that is a phone number is not public.
fn host(account: &Item) -> Host {
    let details = account.get("details").and_then(|details| details.as_m().ok());
    let called = details.and_then(|details| item::get_text(details, Detail::DisplayName.name()));
    let username = item::get_text(account, "username").filter(|name| Phone::parse("", name).is_err());
    let names = [username, called, item::get_text(account, "name")];
    let username = names.into_iter().flatten().find(|name| !name.is_empty()).unwrap_or_default();
    Host { username, avatar: item::get_text(account, "avatar").unwrap_or_default() }
}

impl Table {
    /// A transaction that starts with the check of the caller's session, if there is a caller.
    fn parts(&self, by: Option<Caller>, now: Timestamp) -> Result<Parts<'_>> {
        let mut parts = Parts { table: self, by, kinds: Vec::new(), writes: Vec::new() };
        if let Some(caller) = by {
            parts.change(Part::Session, change_by(caller, "", now))?;
        }
        Ok(parts)
    }

    /// Overwrites a room, on the condition that it has not changed since it was read.
    fn replace(&self, before: &Room, after: &Room) -> Result<TransactWriteItem> {
        let mut item = self.room_item(after);
        item.extend(key_attributes(&keys::room(after.id)));
        let put = Put::builder()
            .table_name(&*self.name)
            .set_item(Some(item))
            .condition_expression("turn = :turn")
            .expression_attribute_values(":turn", number(before.turn));
        Ok(TransactWriteItem::builder().put(put.build().map_err(unbuilt)?).build())
    }

    /// Deletes a claim of a room.
    fn release(&self, claim: &Key, room: &Room) -> Result<TransactWriteItem> {
        let delete = Delete::builder()
            .table_name(&*self.name)
            .set_key(Some(key_attributes(claim)))
            .condition_expression("#room = :room")
            .expression_attribute_names("#room", "room")
            .expression_attribute_values(":room", number(room.id));
        Ok(TransactWriteItem::builder().delete(delete.build().map_err(unbuilt)?).build())
    }

    fn room_item(&self, room: &Room) -> Item {
        let mut item = Item::from([
            ("id".to_owned(), number(room.id)),
            ("number".to_owned(), text(&room.number)),
            ("alias".to_owned(), text(room.alias.as_str())),
            ("active".to_owned(), AttributeValue::Bool(room.active)),
            ("since".to_owned(), moment(room.opened)),
            ("turn".to_owned(), number(room.turn)),
        ]);
        item.extend(room.owner.map(|owner| ("owner".to_owned(), number(owner))));
        item.extend(room.personal.then(|| ("personal".to_owned(), AttributeValue::Bool(true))));
        if let Some(expires) = room.expires {
            item.extend([("expires".to_owned(), moment(expires)), ("ttl".to_owned(), number(expires.seconds()))]);
        }
        if room.active {
            let [_, open, opened] = keys::OPEN_ROOMS;
            item.extend([
                (open.to_owned(), text(self.open_partition(room))),
                (opened.to_owned(), text(keys::opened(place(room)))),
            ]);
        }
        item
    }
}

impl Parts<'_> {
    fn push(&mut self, part: Part, write: TransactWriteItem) {
        self.kinds.push(part);
        self.writes.push(write);
    }

    fn change(&mut self, part: Part, change: Change) -> Result<()> {
        self.push(part, change.in_transaction(&self.table.name)?);
        Ok(())
    }

    fn counts(&mut self, before: Option<&Room>, after: Option<&Room>) -> Result<()> {
        let counts = self.table.count_change(before, after);
        counts.into_iter().try_for_each(|count| self.change(Part::Count, count))
    }

    /// `None` when everything was written, or else the first part whose condition failed. A session that is over is
    /// refused here.
    async fn send(self, doing: &'static str) -> Result<Option<Part>> {
        match self.table.transact(doing, self.writes).await? {
            Transacted::Done => Ok(None),
            Transacted::Refused(reasons) => {
                let first = (0..self.kinds.len()).find(|position| failed(&reasons, *position)).unwrap_or_default();
                match (self.kinds[first], self.by) {
                    (Part::Session, Some(caller)) => Err(not_signed_in(found(&reasons, first), caller)),
                    (part, _) => Ok(Some(part)),
                }
            }
        }
    }
}

/// Adds a room to its owner's list, if the list has room for it. A personal room is on no list.
fn own(owner: UserId, room: RoomId, most: usize) -> Change {
    Change::new(keys::rooms_of_owner(owner), "ADD #owned :room")
        .when("attribute_not_exists(#owned) OR size(#owned) < :most")
        .value(":room", AttributeValue::Ns(vec![room.to_string()]))
        .value(":most", number(most))
}

/// Removes a room from its owner's list. An empty set is stored as a missing attribute.
fn disown(owner: UserId, room: RoomId) -> Change {
    Change::new(keys::rooms_of_owner(owner), "DELETE #owned :room")
        .value(":room", AttributeValue::Ns(vec![room.to_string()]))
}

/// The condition that nobody has the claim, or only a room that has expired and is not deleted yet.
const FREE: &str = "attribute_not_exists(pk) OR #expires <= :now";

/// Claims a key for a room, as long as the room exists.
fn take(claim: Key, room: &Room, now: Timestamp) -> Change {
    let update = if room.expires.is_some() {
        "SET #room = :room, #since = :now, #expires = :expires, #ttl = :ttl REMOVE #user"
    } else {
        "SET #room = :room, #since = :now REMOVE #user, #expires, #ttl"
    };
    let change = Change::new(claim, update).when(FREE).value(":room", number(room.id)).value(":now", moment(now));
    until(change, room)
}

/// Extends a room's claim to the room's new expiry.
fn extend(claim: Key, room: &Room) -> Change {
    let change = Change::new(claim, "SET #expires = :expires, #ttl = :ttl");
    until(change.when("#room = :room").value(":room", number(room.id)), room)
}

fn until(change: Change, room: &Room) -> Change {
    let Some(expires) = room.expires else { return change };
    change.value(":expires", moment(expires)).value(":ttl", number(expires.seconds()))
}

fn place(room: &Room) -> Place {
    Place { opened: room.opened, id: room.id }
}

fn read_room(item: &Item) -> Result<Room> {
    let read = || {
        Some(Room {
            id: item::get_number(item, "id").and_then(RoomId::new)?,
            number: item::get_text(item, "number")?,
            alias: Alias::stored(item::get_text(item, "alias")?),
            active: *item.get("active")?.as_bool().ok()?,
            owner: item::get_user(item, "owner"),
            personal: item.get("personal").is_some_and(|personal| personal.as_bool() == Ok(&true)),
            opened: item::get_moment(item, "since")?,
            expires: item::get_moment(item, "expires"),
            turn: item::get_number(item, "turn")?,
        })
    };
    let broken = || Fault::new("reading a room", "the item lacks an attribute or has it in another type");
    Ok(read().ok_or_else(broken)?)
}

#[expect(clippy::needless_pass_by_value, reason = "the form `map_err` calls")]
fn unbuilt(error: aws_sdk_dynamodb::error::BuildError) -> Fault {
    Fault::new("building a write", error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_read_whatever_the_alias_that_is_stored() {
        for alias in ["a", "a\u{200b}b", " a ", &"a".repeat(65)] {
            let item = Item::from([
                ("id".to_owned(), number(1)),
                ("number".to_owned(), text("1263")),
                ("alias".to_owned(), text(alias)),
                ("active".to_owned(), AttributeValue::Bool(true)),
                ("since".to_owned(), moment(Timestamp::from_millis(0))),
                ("turn".to_owned(), number(0)),
            ]);
            assert_eq!(read_room(&item).unwrap().alias.as_str(), alias);
        }
    }
}
