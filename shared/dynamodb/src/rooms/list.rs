//! The list of open rooms, read from the sparse index `open-rooms`.
//!
//! An index partition allows a thousand writes a second, so the index is divided into shards, which are read in
//! parallel and merged. Rooms with and without an owner have separate partitions: rooms without an owner expire by age,
//! so the existing ones form one continuous range of their partitions, and expired rooms are not even read.

use std::collections::VecDeque;

use super::{place, read_room};
use crate::item::text;
use crate::{Table, keys};
use domain::clock::Timestamp;
use domain::random;
use domain::rooms::{Listed, Page, Room, Start, earliest_living};
use domain::{Fault, Result};

/// Number of shards of each kind. It may be raised at any time, but never lowered.
const SHARDS: u64 = 2;

/// The unread part of one partition.
struct Shard {
    partition: String,
    /// The lower end of the range to read.
    lower: String,
    /// The upper end of the range that is not read yet.
    upper: String,
    /// Rooms that were read, newest first.
    rooms: VecDeque<Room>,
    /// Whether there may be more to read.
    more: bool,
}

impl Shard {
    fn is_dry(&self) -> bool {
        self.rooms.is_empty() && self.more
    }
}

impl Table {
    /// The index partition for an open room.
    pub(super) fn open_partition(&self, room: &Room) -> String {
        keys::open_rooms(room.owner.is_some(), random::below(&*self.random, SHARDS))
    }

    pub(super) async fn list_open(&self, page: Page, now: Timestamp) -> Result<Listed> {
        let (skip, upper) = match page.start {
            Start::Skip(skip) => (skip, keys::opened_at(Timestamp::from_millis(i64::MAX))),
            Start::After(place) => (0, keys::opened_before(place)),
        };
        let mut shards = self.shards(&upper, now);
        let mut rooms = Vec::new();
        // Reading one more room than requested shows whether there is a next page.
        let wanted = skip + page.size + 1;
        loop {
            self.fill(&mut shards, wanted - rooms.len()).await?;
            merge(&mut shards, &mut rooms, wanted, now);
            if rooms.len() >= wanted || !shards.iter().any(Shard::is_dry) {
                break;
            }
        }
        let mut rooms = rooms.split_off(skip.min(rooms.len()));
        let has_next = rooms.len() > page.size;
        rooms.truncate(page.size);
        Ok(Listed { next: rooms.last().filter(|_| has_next).map(place), rooms })
    }

    fn shards(&self, upper: &str, now: Timestamp) -> Vec<Shard> {
        let earliest = earliest_living(now, self.policy.anonymous_room_ttl);
        let kinds = [(true, keys::opened_at(Timestamp::from_millis(0))), (false, keys::opened_at(earliest))];
        let shard = |owned, shard, lower: &String| Shard {
            partition: keys::open_rooms(owned, shard),
            lower: lower.clone(),
            upper: upper.to_owned(),
            rooms: VecDeque::new(),
            // DynamoDB does not accept a lower bound above the upper one.
            more: lower.as_str() <= upper,
        };
        kinds.iter().flat_map(|(owned, lower)| (0..SHARDS).map(move |number| shard(*owned, number, lower))).collect()
    }

    /// Reads more rooms, in parallel, for every shard that has none left in memory.
    async fn fill(&self, shards: &mut [Shard], wanted: usize) -> Result<()> {
        // Rooms are spread evenly, so it is rare that a shard of one kind has more rooms of a range than its share plus
        // three standard deviations.
        let share = wanted / usize::try_from(SHARDS).unwrap_or(1);
        let limit = i32::try_from(share + 3 * share.isqrt() + 4).unwrap_or(i32::MAX);
        let reads = shards.iter_mut().filter(|shard| shard.is_dry()).map(|shard| self.read(shard, limit));
        telemetry::round_trips::all(reads).await.map(|_| ())
    }

    async fn read(&self, shard: &mut Shard, limit: i32) -> Result<()> {
        let [index, open, opened] = keys::OPEN_ROOMS;
        let query = self
            .client
            .query()
            .table_name(&*self.name)
            .index_name(index)
            .key_condition_expression("#open = :open AND #opened BETWEEN :lower AND :upper")
            .expression_attribute_names("#open", open)
            .expression_attribute_names("#opened", opened)
            .expression_attribute_values(":open", text(&shard.partition))
            .expression_attribute_values(":lower", text(&shard.lower))
            .expression_attribute_values(":upper", text(&shard.upper))
            .scan_index_forward(false)
            .limit(limit);
        let output = query.send().await;
        let output = output.map_err(|error| Fault::new("listing open rooms", error.into_service_error()))?;
        shard.more = output.last_evaluated_key.is_some_and(|key| !key.is_empty());
        shard.rooms = output.items.unwrap_or_default().iter().map(read_room).collect::<Result<_>>()?;
        if let Some(last) = shard.rooms.back() {
            shard.upper = keys::opened_before(place(last));
            shard.more &= shard.lower <= shard.upper;
        }
        Ok(())
    }
}

/// Moves rooms to the result in the order of the list, until there are enough or a shard needs another read.
fn merge(shards: &mut [Shard], rooms: &mut Vec<Room>, wanted: usize, now: Timestamp) {
    while rooms.len() < wanted && !shards.iter().any(Shard::is_dry) {
        let newest = shards.iter_mut().max_by_key(|shard| shard.rooms.front().map(place));
        let Some(room) = newest.and_then(|shard| shard.rooms.pop_front()) else { return };
        if room.is_active(now) {
            rooms.push(room);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::rooms::{Alias, RoomId};

    fn shard(opened: &[i64], more: bool) -> Shard {
        let room = |opened: &i64| Room {
            id: RoomId::new(1).unwrap(),
            number: String::new(),
            alias: Alias::parse("a").unwrap(),
            active: true,
            owner: None,
            personal: false,
            opened: Timestamp::from_millis(*opened),
            expires: None,
            turn: 0,
        };
        let rooms = opened.iter().map(room).collect();
        Shard { partition: String::new(), lower: String::new(), upper: String::new(), rooms, more }
    }

    fn merged(shards: &mut [Shard], wanted: usize) -> Vec<i64> {
        let mut rooms = Vec::new();
        merge(shards, &mut rooms, wanted, Timestamp::from_millis(0));
        rooms.into_iter().map(|room| room.opened.millis()).collect()
    }

    #[test]
    fn shards_are_merged_until_one_has_to_be_read_on() {
        let mut shards = [shard(&[9, 5, 1], false), shard(&[8, 7], true), shard(&[], false)];
        assert_eq!(merged(&mut shards, 10), [9, 8, 7]);
        assert!(shards[1].is_dry() && !shards[2].is_dry());
        let mut shards = [shard(&[9, 5, 1], false), shard(&[8, 7], false)];
        assert_eq!(merged(&mut shards, 4), [9, 8, 7, 5]);
        assert_eq!(merged(&mut shards, 4), [1]);
    }
}
