//! Numeric ids of users, rooms and groups.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Error;
use super::random::{self, Random};

/// The kind of thing that an [`Id`] identifies.
pub trait Kind {
    /// The noun in error messages such as "no such user".
    const NAME: &'static str;
}

/// An id: a random whole number from 1 to below 2^53, so that every JSON parser represents it exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id<K>(u64, PhantomData<K>);

impl<K: Copy> Id<K> {
    const BOUND: u64 = 1 << 53;

    /// A new id. The conditional write that uses the id decides whether it is free.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        Self(1 + random::below(random, Self::BOUND - 1), PhantomData)
    }

    /// The id with this number, if it is in range.
    #[must_use]
    pub const fn new(number: u64) -> Option<Self> {
        if number == 0 || number >= Self::BOUND { None } else { Some(Self(number, PhantomData)) }
    }

    /// The id as a number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<K: Kind + Copy> FromStr for Id<K> {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        text.parse().ok().and_then(Self::new).ok_or(Error::NotFound(K::NAME))
    }
}

impl<K> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, K: Kind + Copy> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(deserializer)?;
        Self::new(number).ok_or_else(|| D::Error::custom("an id is a number from 1 to below 2^53"))
    }
}

/// The type of user ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct User;

impl Kind for User {
    const NAME: &'static str = "user";
}

/// A user's id.
pub type UserId = Id<User>;

/// An account's id in the device API: a random whole number from 1 below 2^31.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(u32);

impl DeviceId {
    const BOUND: u32 = 1 << 31;

    /// A new id. The conditional write that claims the id decides whether it is free.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        let number = 1 + random::below(random, u64::from(Self::BOUND) - 1);
        // The number is below the bound, so it fits.
        Self(u32::try_from(number).unwrap_or(1))
    }

    /// The id with this number, if it is in range.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        if number == 0 || number >= Self::BOUND { None } else { Some(Self(number)) }
    }

    /// The id as a number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
