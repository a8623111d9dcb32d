//! Lists packed into one binary attribute, for data that changes as a whole and is billed by the kilobyte.
//!
//! The first byte is the version of the format, so that another format can be recognised in future. Numbers are in
//! LEB128, and texts are preceded by their length.

use std::collections::BTreeMap;

use domain::account::UserId;
use domain::clock::Timestamp;
use domain::social::group::{GroupId, Member, Role};
use domain::social::sync::{Row, SyncSnapshot};

const FORMAT: u8 = 1;
const GONE: u8 = 0x10;

/// The members of a roster.
pub fn people(people: &BTreeMap<UserId, Member>) -> Vec<u8> {
    let mut bytes = vec![FORMAT];
    for (user, member) in people {
        put_number(&mut bytes, user.get());
        bytes.push(member.role.number() | if member.gone { GONE } else { 0 });
        put_number(&mut bytes, member.version);
        put_moment(&mut bytes, member.joined);
        put_moment(&mut bytes, member.changed);
        put_number(&mut bytes, member.name.len() as u64);
        bytes.extend(member.name.as_bytes());
    }
    bytes
}

/// Unpacks the members that [`people`] packed.
pub fn read_people(bytes: &[u8]) -> Option<BTreeMap<UserId, Member>> {
    let mut rest = format(bytes)?;
    let mut people = BTreeMap::new();
    while !rest.is_empty() {
        let user = UserId::new(number(&mut rest)?)?;
        let flags = byte(&mut rest)?;
        let member = Member {
            role: Role::from_number(flags & !GONE)?,
            gone: flags & GONE != 0,
            version: number(&mut rest)?,
            joined: moment(&mut rest)?,
            changed: moment(&mut rest)?,
            name: text(&mut rest)?,
        };
        people.insert(user, member);
    }
    Some(people)
}

/// Packs the record of what a device was sent, in parts of at most so many rows; there is at least one part.
pub fn snapshot(snapshot: &SyncSnapshot, rows_of_part: usize) -> Vec<Vec<u8>> {
    let rows: Vec<_> = snapshot.iter().collect();
    let parts: Vec<_> = rows.chunks(rows_of_part).map(rows_packed).collect();
    if parts.is_empty() { vec![rows_packed(&[])] } else { parts }
}

fn rows_packed(rows: &[(&Row, &u64)]) -> Vec<u8> {
    let mut bytes = vec![FORMAT];
    for (row, mark) in rows {
        let (kind, id) = match row {
            Row::Oneself => (0, 0),
            Row::Blocked(user) => (1, user.get()),
            Row::Friend(user) => (2, user.get()),
            Row::Group(group) => (3, group.get()),
            Row::Uncertain => (4, 0),
        };
        bytes.push(kind);
        put_number(&mut bytes, id);
        // As a number, a digest would take ten bytes.
        bytes.extend(mark.to_be_bytes());
    }
    bytes
}

/// Unpacks one part that [`snapshot`] packed.
pub fn read_told(bytes: &[u8]) -> Option<SyncSnapshot> {
    let mut rest = format(bytes)?;
    let mut snapshot = SyncSnapshot::new();
    while !rest.is_empty() {
        let kind = byte(&mut rest)?;
        let id = number(&mut rest)?;
        let row = match kind {
            0 => Row::Oneself,
            1 => Row::Blocked(UserId::new(id)?),
            2 => Row::Friend(UserId::new(id)?),
            3 => Row::Group(GroupId::new(id)?),
            4 => Row::Uncertain,
            _ => return None,
        };
        let (mark, after) = rest.split_first_chunk::<8>()?;
        rest = after;
        snapshot.insert(row, u64::from_be_bytes(*mark));
    }
    Some(snapshot)
}

fn format(bytes: &[u8]) -> Option<&[u8]> {
    bytes.split_first().filter(|(format, _)| **format == FORMAT).map(|(_, rest)| rest)
}

fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).unwrap_or_default() | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap_or_default());
}

fn put_moment(bytes: &mut Vec<u8>, moment: Timestamp) {
    put_number(bytes, u64::try_from(moment.millis()).unwrap_or_default());
}

fn byte(rest: &mut &[u8]) -> Option<u8> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    Some(*first)
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let next = byte(rest)?;
        number |= u64::from(next & 0x7f).checked_shl(shift)?;
        if next & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn moment(rest: &mut &[u8]) -> Option<Timestamp> {
    i64::try_from(number(rest)?).ok().map(Timestamp::from_millis)
}

fn text(rest: &mut &[u8]) -> Option<String> {
    let length = usize::try_from(number(rest)?).ok()?;
    let (text, after) = rest.split_at_checked(length)?;
    *rest = after;
    String::from_utf8(text.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::crypto::SystemRandom;
    use domain::random::below;

    fn any_member() -> Member {
        let random = &SystemRandom;
        let name: String = (0..below(random, 33)).map(|_| if below(random, 2) == 0 { 'a' } else { '明' }).collect();
        let moment = || Timestamp::from_millis(i64::try_from(below(random, 1 << 45)).unwrap());
        Member {
            role: Role::ALL[usize::try_from(below(random, 3)).unwrap()],
            name,
            joined: moment(),
            changed: moment(),
            version: below(random, u64::MAX),
            gone: below(random, 2) == 0,
        }
    }

    #[test]
    fn lists_survive_packing() {
        for count in [0, 1, 2, 500] {
            let list: BTreeMap<_, _> = (0..count).map(|_| (UserId::generate(&SystemRandom), any_member())).collect();
            assert_eq!(read_people(&people(&list)).unwrap(), list);
            let mut marks = SyncSnapshot::from([(Row::Oneself, u64::MAX), (Row::Uncertain, 0)]);
            for _ in 0..count {
                marks.insert(Row::Friend(UserId::generate(&SystemRandom)), below(&SystemRandom, u64::MAX));
                marks.insert(Row::Blocked(UserId::generate(&SystemRandom)), 0);
                marks.insert(Row::Group(GroupId::generate(&SystemRandom)), 7);
            }
            for rows_of_part in [1, 7, 10_000] {
                let parts = snapshot(&marks, rows_of_part);
                let read = parts.iter().flat_map(|part| read_told(part).unwrap()).collect::<SyncSnapshot>();
                assert_eq!((read, parts.len()), (marks.clone(), marks.len().div_ceil(rows_of_part)));
            }
        }
    }

    #[test]
    fn what_is_cut_or_damaged_is_no_list_and_no_panic() {
        let list = BTreeMap::from([(UserId::new(7).unwrap(), any_member())]);
        let whole = people(&list);
        for end in 2..whole.len() {
            assert_eq!(read_people(&whole[..end]), None, "{end}");
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0xff;
            let _ = (read_people(&damaged), read_told(&damaged));
        }
        assert_eq!((read_people(&[]), read_told(&[2])), (None, None));
    }

    #[test]
    fn the_largest_roster_fits_into_an_item() {
        let longest = "\u{10ffff}".repeat(32);
        let member = |gone| Member {
            role: Role::Member,
            name: if gone { String::new() } else { longest.clone() },
            joined: Timestamp::from_millis(i64::MAX / 1_000_000),
            changed: Timestamp::from_millis(i64::MAX / 1_000_000),
            version: 1 << 40,
            gone,
        };
        let list: BTreeMap<_, _> =
            (0..10_000).map(|index| (UserId::new((1 << 53) - 1 - index).unwrap(), member(index >= 500))).collect();
        assert!(people(&list).len() < 390_000, "{}", people(&list).len());
    }
}
