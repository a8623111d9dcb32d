//! The number of open rooms.
//!
//! The count is part of the transaction that opens, closes, renews or deletes a room, so it is always right. It is
//! divided into shards, each of which is a separate item collection, because with a single item all those transactions
//! would wait for each other. A write chooses its shard at random. A single shard may be negative; only the sum of all
//! shards has a meaning.
//!
//! Rooms without an owner expire without a write that could be counted. So they are counted under the minute in which
//! they will expire: in the attribute `m<minute>` of that hour's item. The sum leaves out the minutes that have passed.

use aws_sdk_dynamodb::types::AttributeValue;

use crate::item::{Item, get_number, number, text};
use crate::write::Change;
use crate::{Table, keys};
use domain::clock::Timestamp;
use domain::random;
use domain::rooms::Room;
use domain::{Fault, Result};

/// Each shard allows 500 transactions a second; in practice, two transactions that meet in one shard are tried again.
/// Readers query all shards in parallel. The number may be raised at any time, but never lowered.
const SHARDS: u64 = 8;

const MINUTE: i64 = 60_000;
const MINUTES: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// The slot under which an open room is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    /// Rooms that stay until they are closed.
    Lasting,
    /// Rooms that expire at the beginning of this minute, counted from 1970.
    Minute(i64),
}

impl Slot {
    fn of(room: &Room) -> Option<Self> {
        let slot = room.expires.map_or(Self::Lasting, |expires| Self::Minute(expires.millis().div_euclid(MINUTE)));
        room.active.then_some(slot)
    }

    fn hour(self) -> Option<i64> {
        match self {
            Self::Lasting => None,
            Self::Minute(minute) => Some(minute.div_euclid(MINUTES)),
        }
    }

    fn attribute(self) -> String {
        match self {
            Self::Lasting => "count".to_owned(),
            Self::Minute(minute) => format!("m{}", minute.rem_euclid(MINUTES)),
        }
    }
}

impl Table {
    /// How a change of a room affects the count: not at all, or with these writes, which belong to the room's
    /// transaction.
    pub(super) fn count_change(&self, before: Option<&Room>, after: Option<&Room>) -> Vec<Change> {
        changes(random::below(&*self.random, SHARDS), before.and_then(Slot::of), after.and_then(Slot::of))
    }

    pub(super) async fn sum_open(&self, now: Timestamp) -> Result<u64> {
        let shards = (0..SHARDS).map(|shard| self.sum_shard(shard, now));
        let sum: i64 = telemetry::round_trips::all(shards).await?.into_iter().sum();
        Ok(u64::try_from(sum).unwrap_or_default())
    }

    async fn sum_shard(&self, shard: u64, now: Timestamp) -> Result<i64> {
        let query = self
            .client
            .query()
            .table_name(&*self.name)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND sk >= :sk")
            .expression_attribute_values(":pk", text(keys::open_rooms_counted(shard)))
            .expression_attribute_values(":sk", text(keys::expiring_rooms(shard, now.hour()).sk));
        let output = query.send().await;
        let output = output.map_err(|error| Fault::new("counting open rooms", error.into_service_error()))?;
        // The 60 small numbers for each hour of a day are some 15 KB, so they always fit into one response.
        Ok(output.items.unwrap_or_default().iter().map(|item| sum_item(item, now)).sum())
    }
}

/// The sum of those parts of an item of the count that have not expired at `now`.
fn sum_item(item: &Item, now: Timestamp) -> i64 {
    if let Some(count) = get_number(item, "count") {
        return count;
    }
    let Some(hour) = get_number::<i64>(item, "hour") else { return 0 };
    let passed = now.millis().div_euclid(MINUTE);
    let minutes = item.iter().filter_map(|(name, value)| {
        let minute: i64 = name.strip_prefix('m')?.parse().ok()?;
        let count: i64 = value.as_n().ok()?.parse().ok()?;
        (hour * MINUTES + minute > passed).then_some(count)
    });
    minutes.sum()
}

fn changes(shard: u64, from: Option<Slot>, to: Option<Slot>) -> Vec<Change> {
    match (from, to) {
        (from, to) if from == to => Vec::new(),
        // A transaction allows one write for each item.
        (Some(from), Some(to)) if from.hour() == to.hour() => vec![count(shard, from, &[(from, -1), (to, 1)])],
        (from, to) => {
            let steps = [(from, -1), (to, 1)].into_iter().filter_map(|(slot, step)| Some((slot?, step)));
            steps.map(|(slot, step)| count(shard, slot, &[(slot, step)])).collect()
        }
    }
}

/// Adds these steps in the item of a slot.
fn count(shard: u64, slot: Slot, steps: &[(Slot, i64)]) -> Change {
    let adds: Vec<_> = steps.iter().map(|(slot, step)| format!("#{0} {1}", slot.attribute(), sign(*step))).collect();
    let adds = format!("ADD {}", adds.join(", "));
    let mut change = match slot.hour() {
        None => Change::new(keys::lasting_rooms(shard), adds),
        Some(hour) => Change::new(keys::expiring_rooms(shard, hour), format!("SET #hour = :hour, #ttl = :ttl {adds}"))
            .value(":hour", number(hour))
            .value(":ttl", number((hour + 1) * HOUR + DAY)),
    };
    for (_, step) in steps {
        change = change.value(sign(*step), AttributeValue::N(step.to_string()));
    }
    change
}

fn sign(step: i64) -> &'static str {
    if step < 0 { ":less" } else { ":more" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_changes_only_where_the_room_moves() {
        let (a, b, c) = (Slot::Minute(60), Slot::Minute(119), Slot::Minute(120));
        assert!(changes(0, None, None).is_empty() && changes(0, Some(a), Some(a)).is_empty());
        let same_hour = changes(3, Some(a), Some(b));
        assert_eq!(same_hour.len(), 1);
        assert_eq!(same_hour[0].update, "SET #hour = :hour, #ttl = :ttl ADD #m0 :less, #m59 :more");
        assert_eq!(same_hour[0].key, keys::expiring_rooms(3, 1));
        let keys: Vec<_> = changes(3, Some(b), Some(c)).into_iter().map(|change| change.key).collect();
        assert_eq!(keys, [keys::expiring_rooms(3, 1), keys::expiring_rooms(3, 2)]);
        assert_eq!(changes(3, None, Some(Slot::Lasting))[0].update, "ADD #count :more");
    }

    #[test]
    fn what_has_passed_is_not_counted() {
        let item = Item::from([
            ("hour".to_owned(), number(1)),
            ("m0".to_owned(), number(5)),
            ("m1".to_owned(), number(-2)),
            ("m2".to_owned(), number(7)),
            ("ttl".to_owned(), number(99)),
        ]);
        let at = |minute: i64| sum_item(&item, Timestamp::from_millis(minute * MINUTE));
        assert_eq!((at(59), at(60), at(61), at(62)), (10, 5, 7, 0));
        assert_eq!(sum_item(&Item::from([("count".to_owned(), number(-3))]), Timestamp::from_millis(0)), -3);
    }
}
