//! Conversions between the items of friends and groups and the domain's types.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};

use super::packed;
use crate::item::{self, Item, blob, moment, number, text};
use crate::keys::{self, Key};
use crate::last_event::{LAST_EVENT, last_event_from_item, last_event_to_item};
use crate::write::key_attributes;
use domain::account::UserId;
use domain::clock::Timestamp;
use domain::social::friendship::{Relation, Status};
use domain::social::group::{Bulletin, Group, GroupId, GroupSnapshot, Roster, Stage};
use domain::social::store::Memberships;
use domain::{Fault, Result};

/// How long after its dissolution a group is deleted, in seconds: once every device knows that it is dissolved, nobody
/// needs it.
const COLLECTED_AFTER: i64 = 90 * 86_400;

/// Writes a relation, on the condition that the stored one is exactly one change older, as part of a transaction.
pub fn put_relation(table: &str, of: UserId, relation: &Relation) -> Result<TransactWriteItem> {
    put_after(table, &keys::relation(of, relation.other), relation_item(relation), "turn", relation.turn)
}

/// The same for a relation to a deleted user, which ends at a time.
pub fn put_last_relation(table: &str, of: UserId, relation: &Relation, ends: Timestamp) -> Result<TransactWriteItem> {
    let mut item = relation_item(relation);
    item.insert("ttl".to_owned(), number(ends.seconds()));
    put_after(table, &keys::relation(of, relation.other), item, "turn", relation.turn)
}

fn relation_item(relation: &Relation) -> Item {
    let mut item = Item::from([
        ("other".to_owned(), number(relation.other)),
        ("updated".to_owned(), moment(relation.updated)),
        ("turn".to_owned(), number(relation.turn)),
    ]);
    item.extend(relation.status.map(|status| ("status".to_owned(), number(status.number()))));
    item.extend(relation.blocked.map(|blocked| ("blocked".to_owned(), AttributeValue::Bool(blocked))));
    item.extend(relation.asked.map(|asked| ("asked".to_owned(), moment(asked))));
    for (name, value) in [("remark", &relation.remark), ("message", &relation.message)] {
        item.extend((!value.is_empty()).then(|| (name.to_owned(), text(value))));
    }
    item
}

/// The relation in an item.
pub fn read_relation(item: &Item) -> Result<Relation> {
    let read = || {
        let status = item::get_number(item, "status").map(Status::from_number);
        Some(Relation {
            other: item::get_user(item, "other")?,
            status: if let Some(status) = status { Some(status?) } else { None },
            blocked: item.get("blocked").and_then(|blocked| blocked.as_bool().ok()).copied(),
            remark: item::get_text(item, "remark").unwrap_or_default(),
            message: item::get_text(item, "message").unwrap_or_default(),
            asked: item::get_moment(item, "asked"),
            updated: item::get_moment(item, "updated")?,
            turn: item::get_number(item, "turn")?,
        })
    };
    Ok(read().ok_or_else(|| broken("reading a relation"))?)
}

/// Writes a group and its roster, on the condition that the stored ones are exactly one change older, as parts of a
/// transaction.
pub fn put_held(table: &str, held: &GroupSnapshot) -> Result<[TransactWriteItem; 2]> {
    let Group { id, seq, .. } = held.group;
    let mut group = group_item(&held.group);
    let mut roster = Item::from([
        ("seq".to_owned(), number(seq)),
        ("people".to_owned(), blob(&packed::people(&held.roster.people))),
    ]);
    if held.group.stage == Stage::Dissolved {
        let ttl = number(held.group.updated.seconds() + COLLECTED_AFTER);
        group.insert("ttl".to_owned(), ttl.clone());
        roster.insert("ttl".to_owned(), ttl);
    }
    Ok([
        put_after(table, &keys::group(id), group, "seq", seq)?,
        put_after(table, &keys::roster(id), roster, "seq", seq)?,
    ])
}

fn group_item(group: &Group) -> Item {
    let mut item = Item::from([
        ("id".to_owned(), number(group.id)),
        ("name".to_owned(), text(&group.name)),
        ("owner".to_owned(), number(group.owner)),
        ("members".to_owned(), number(group.members)),
        ("seq".to_owned(), number(group.seq)),
        ("created".to_owned(), moment(group.created)),
        ("updated".to_owned(), moment(group.updated)),
    ]);
    item.extend((!group.portrait.is_empty()).then(|| ("portrait".to_owned(), text(&group.portrait))));
    item.extend(match group.stage {
        Stage::Alive => None,
        Stage::Forming => Some(("forming".to_owned(), AttributeValue::Bool(true))),
        Stage::Dissolved => Some(("dissolved".to_owned(), AttributeValue::Bool(true))),
    });
    item.extend(group.last_event.as_ref().map(|event| (LAST_EVENT.to_owned(), last_event_to_item(event))));
    item
}

/// The group in an item.
pub fn read_group(item: &Item) -> Result<Group> {
    let is = |name: &str| item.get(name).is_some_and(|value| value.as_bool() == Ok(&true));
    let read = || {
        Some(Group {
            id: item::get_number(item, "id").and_then(GroupId::new)?,
            name: item::get_text(item, "name")?,
            portrait: item::get_text(item, "portrait").unwrap_or_default(),
            owner: item::get_user(item, "owner")?,
            members: item::get_number(item, "members")?,
            seq: item::get_number(item, "seq")?,
            stage: match (is("dissolved"), is("forming")) {
                (true, _) => Stage::Dissolved,
                (_, true) => Stage::Forming,
                (false, false) => Stage::Alive,
            },
            created: item::get_moment(item, "created")?,
            updated: item::get_moment(item, "updated")?,
            last_event: last_event_from_item(item),
        })
    };
    Ok(read().ok_or_else(|| broken("reading a group"))?)
}

/// The roster in an item.
pub fn read_roster(item: &Item) -> Result<Roster> {
    let read = || {
        Some(Roster {
            seq: item::get_number(item, "seq")?,
            people: packed::read_people(&item::get_blob(item, "people")?)?,
        })
    };
    Ok(read().ok_or_else(|| broken("reading a roster"))?)
}

/// The item of a board, without its key.
pub fn bulletin(bulletin: &Bulletin) -> Item {
    Item::from([("content".to_owned(), text(&bulletin.content)), ("posted".to_owned(), moment(bulletin.posted))])
}

/// The bulletin in an item.
pub fn read_bulletin(item: &Item) -> Result<Bulletin> {
    let read =
        || Some(Bulletin { content: item::get_text(item, "content")?, posted: item::get_moment(item, "posted")? });
    Ok(read().ok_or_else(|| broken("reading a bulletin"))?)
}

/// The groups in the item of a user's list.
pub fn read_memberships(item: Option<&Item>) -> Memberships {
    let set = |name: &str| -> BTreeSet<GroupId> {
        let numbers = item.and_then(|item| item.get(name)).and_then(|set| set.as_ns().ok());
        numbers.into_iter().flatten().filter_map(|id| id.parse().ok().and_then(GroupId::new)).collect()
    };
    let mut live = set("live");
    live.append(&mut set("added"));
    Memberships { live, left: set("left") }
}

/// Puts an item whose `counter` is `count`, on the condition that the stored counter is one less, or that there is no
/// item if this is the first.
fn put_after(table: &str, key: &Key, mut item: Item, counter: &str, count: u64) -> Result<TransactWriteItem> {
    item.extend(key_attributes(key));
    let put = Put::builder().table_name(table).set_item(Some(item));
    let put = if count > 1 {
        put.condition_expression("#counter = :before")
            .expression_attribute_names("#counter", counter)
            .expression_attribute_values(":before", number(count - 1))
    } else {
        put.condition_expression("attribute_not_exists(pk)")
    };
    let put = put.build().map_err(|error| Fault::new("building a put", error))?;
    Ok(TransactWriteItem::builder().put(put).build())
}

fn broken(doing: &'static str) -> Fault {
    Fault::new(doing, "the item lacks an attribute or has it in another type")
}
