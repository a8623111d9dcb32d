//! Numbers that name people, rooms and groups.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use super::random::{self, Random};
use super::{Error, Result};

/// What an [`Id`] is the id of.
pub trait Kind {
    /// The noun, in refusals: "no such user".
    const NAME: &'static str;
}

/// An id: a random whole number from 1 below 2^53, so that every JSON reader keeps it exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id<K>(u64, PhantomData<K>);

impl<K: Copy> Id<K> {
    const BOUND: u64 = 1 << 53;

    /// A new id. Whether it is free is decided by the conditional write that uses it.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        Self(1 + random::below(random, Self::BOUND - 1), PhantomData)
    }

    /// From a number, if it is in range.
    #[must_use]
    pub const fn new(number: u64) -> Option<Self> {
        if number == 0 || number >= Self::BOUND { None } else { Some(Self(number, PhantomData)) }
    }

    /// As a number.
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

    fn from_str(text: &str) -> Result<Self> {
        text.parse().ok().and_then(Self::new).ok_or(Error::NotFound(K::NAME))
    }
}
