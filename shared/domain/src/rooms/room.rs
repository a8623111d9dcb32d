//! Rooms and their properties.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::id::{Id, Kind, UserId};
use crate::random::{self, Random};
use crate::text::{self, Bounds};
use crate::{Error, Result};

const MINUTE: i64 = 60_000;

/// The type of room ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomKind;

impl Kind for RoomKind {
    const NAME: &'static str = "room";
}

/// A room's permanent id. The API's documentation calls it pk.
pub type RoomId = Id<RoomKind>;

/// A new id for an account's personal room: from 1 to below 2^31, because the apps store the `roompk` of an account in
/// a signed 32-bit number. The conditional write that uses the id decides whether it is free.
#[must_use]
pub fn personal_id(random: &dyn Random) -> RoomId {
    const BOUND: u64 = 1 << 31;
    loop {
        if let Some(id) = RoomId::new(1 + random::below(random, BOUND - 1)) {
            return id;
        }
    }
}

/// A room's name, chosen by its creator; unique among the existing rooms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias(String);

impl Alias {
    /// 1 to 64 characters, none of them a control character and none invisible, since an alias must not look like another
    /// one; spaces around them are dropped.
    pub fn parse(text: &str) -> Result<Self> {
        const ALIAS: Bounds =
            Bounds::line("room_alias", 1, 64, "must have 1 to 64 characters and no control characters");
        let alias = ALIAS.trimmed(text)?;
        if text::hides_nothing(&alias) {
            Ok(Self(alias))
        } else {
            Err(Error::Invalid { field: "room_alias", rule: "must not contain invisible characters" })
        }
    }

    /// The alias of a room that exists, as it is stored. It may be from before today's rules. By those its room could be
    /// neither read nor listed, and so not be renamed or deleted either; and its claim is found only by the very same text.
    #[must_use]
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The alias as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// Its id.
    pub id: RoomId,
    /// The number that people dial: decimal digits.
    pub number: String,
    /// Its alias.
    pub alias: Alias,
    /// Whether it is open. Only open rooms are listed.
    pub active: bool,
    /// Its owner. Anyone may change or delete a room without an owner.
    pub owner: Option<UserId>,
    /// Whether it is its owner's personal room, which the number of their account belongs to.
    pub personal: bool,
    /// When it was opened or, without an owner, last renewed. This determines its place in the list.
    pub opened: Timestamp,
    /// When it disappears, at a full minute: only for rooms without an owner.
    pub expires: Option<Timestamp>,
    /// How often it was changed. A change is written only if this number is still the one that was read.
    pub turn: u32,
}

/// A change to a room; fields that are `None` stay unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoomChange {
    /// Another alias.
    pub alias: Option<Alias>,
    /// Open or closed.
    pub active: Option<bool>,
}

impl Room {
    /// Whether it still exists at the time `now`.
    #[must_use]
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }

    /// Whether a change at the time `now` would leave everything as it is, including the minute of its expiry.
    #[must_use]
    pub fn is_already(&self, change: &RoomChange, ttl: Duration, now: Timestamp) -> bool {
        let after = self.changed(change, ttl, now);
        (&after.alias, after.active, after.expires) == (&self.alias, self.active, self.expires)
    }

    /// The room after a change at the time `now`. The change also renews it for `ttl` if it has no owner.
    #[must_use]
    pub fn changed(&self, change: &RoomChange, ttl: Duration, now: Timestamp) -> Self {
        let active = change.active.unwrap_or(self.active);
        let stays = self.owner.is_some() && self.active && active;
        Self {
            alias: change.alias.clone().unwrap_or_else(|| self.alias.clone()),
            active,
            opened: if stays { self.opened } else { now },
            expires: self.expires.map(|_| expiry(now, ttl)),
            turn: self.turn.wrapping_add(1),
            ..self.clone()
        }
    }
}

/// When a room without an owner disappears that was renewed at `renewed`: after `ttl`, rounded down to a full minute.
/// The totals count rooms by that minute, so a room leaves the total at the same moment as the list.
#[must_use]
pub fn expiry(renewed: Timestamp, ttl: Duration) -> Timestamp {
    let exact = renewed.plus(ttl).millis();
    Timestamp::from_millis(exact - exact.rem_euclid(MINUTE))
}

/// The earliest renewal after which a room without an owner still exists at the time `now`.
#[must_use]
pub fn earliest_living(now: Timestamp, ttl: Duration) -> Timestamp {
    let next_minute = (now.millis().div_euclid(MINUTE) + 1) * MINUTE;
    Timestamp::from_millis(next_minute).minus(ttl)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    const DAY: Duration = Duration::from_hours(24);

    fn room(owner: Option<u64>, active: bool, opened: Timestamp) -> Room {
        Room {
            id: RoomId::new(1).unwrap(),
            number: "1263".into(),
            alias: Alias("a".into()),
            active,
            owner: owner.and_then(UserId::new),
            personal: false,
            opened,
            expires: owner.is_none().then(|| expiry(opened, DAY)),
            turn: 0,
        }
    }

    #[test]
    fn the_list_and_the_expiry_agree_on_every_millisecond() {
        let now = Timestamp::from_millis(1_800_000_030_000);
        let earliest = earliest_living(now, DAY).millis();
        for opened in earliest - 70_000..earliest + 70_000 {
            let opened = Timestamp::from_millis(opened);
            assert_eq!(room(None, true, opened).is_active(now), opened.millis() >= earliest, "{opened:?}");
        }
    }

    #[test]
    fn a_room_without_an_owner_lives_a_day_less_a_minute_at_most() {
        let opened = Timestamp::from_millis(1_800_000_030_000);
        let room = room(None, true, opened);
        assert!(room.is_active(opened.plus(DAY).minus(Duration::from_mins(1))));
        assert!(!room.is_active(opened.plus(DAY)));
    }

    #[test]
    fn a_change_renews_and_moves_only_what_has_to_be() {
        let (then, now) = (Timestamp::from_millis(1_000_000), Timestamp::from_millis(9_000_000));
        let open = RoomChange { active: Some(true), ..RoomChange::default() };
        assert_eq!(room(Some(1), true, then).changed(&open, DAY, now).opened, then);
        assert_eq!(room(Some(1), false, then).changed(&open, DAY, now).opened, now);
        let renewed = room(None, true, then).changed(&RoomChange::default(), DAY, now);
        assert_eq!((renewed.opened, renewed.expires, renewed.turn), (now, Some(expiry(now, DAY)), 1));
        assert!(room(Some(1), true, then).is_already(&open, DAY, now) && renewed.is_already(&open, DAY, now));
        assert!(!room(None, true, then).is_already(&open, DAY, now));
        assert!(!room(Some(1), false, then).is_already(&open, DAY, now));
    }

    #[test]
    fn an_alias_that_is_stored_stays_as_it_is_whatever_the_rules_are_today() {
        for old in ["a\u{200b}b", " a ", "", "a\nb", &"a".repeat(65)] {
            assert_eq!(Alias::stored(old.into()).as_str(), old);
            assert!(Alias::parse(old).map_or(true, |today| today.as_str() != old), "{old:?}");
        }
        // A change of something else keeps it, and another alias takes its place.
        let then = Timestamp::from_millis(1_000_000);
        let before = Room { alias: Alias::stored("a\u{200b}b".into()), ..room(Some(1), true, then) };
        let close = RoomChange { active: Some(false), ..RoomChange::default() };
        assert_eq!(before.changed(&close, DAY, then).alias, before.alias);
        let rename = RoomChange { alias: Some(Alias::parse("ab").unwrap()), ..RoomChange::default() };
        assert_eq!(before.changed(&rename, DAY, then).alias.as_str(), "ab");
    }

    #[test]
    fn aliases_have_bounds() {
        assert_eq!(Alias::parse(" 1262 ").unwrap().as_str(), "1262");
        for bad in ["", " ", "a\nb", &"a".repeat(65)] {
            assert!(Alias::parse(bad).is_err(), "{bad:?}");
        }
        for bad in ["0", "-1", "a", "", "9007199254740992", "99999999999999999999999"] {
            assert!(matches!(bad.parse::<RoomId>(), Err(Error::NotFound("room"))), "{bad}");
        }
    }
}
