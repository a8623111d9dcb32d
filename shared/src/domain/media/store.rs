//! Where the bytes of media lie, as the domain sees it.

use async_trait::async_trait;
use bytes::Bytes;

use super::name::Key;
use crate::domain::Result;
use crate::domain::clock::Timestamp;

/// What is known of a stored object without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Its media type.
    pub content_type: String,
    /// Its length in bytes, the whole of it.
    pub length: u64,
    /// Its entity tag, with the quotes.
    pub etag: String,
    /// When it was stored, exact to the second.
    pub modified: Timestamp,
}

/// What reading an object gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// There is no such object.
    Missing,
    /// The whole object is longer than the caller wanted to read, and nothing of it was read.
    TooLong,
    /// The part begins after the object's end.
    PastTheEnd,
    /// The bytes asked for, as many of them as there are.
    Found {
        /// What is known of the whole.
        meta: Meta,
        /// The place of the first byte in the whole.
        first: u64,
        /// The bytes.
        bytes: Bytes,
    },
}

/// A part of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// From one byte up to and including another, or to the end if that is nearer.
    Between(u64, u64),
    /// From a byte to the end.
    From(u64),
    /// This many bytes at the end.
    Last(u64),
}

impl Part {
    /// The first byte and the one after the last, within an object of `length` bytes; `None` when nothing is left.
    #[must_use]
    pub fn within(self, length: u64) -> Option<(u64, u64)> {
        let (first, end) = match self {
            Self::Whole => return Some((0, length)),
            Self::Between(first, last) => (first, last.saturating_add(1).min(length)),
            Self::From(first) => (first, length),
            Self::Last(count) => (length.saturating_sub(count), length),
        };
        (first < end).then_some((first, end))
    }
}

/// The methods that a link for a client can be made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkFor {
    /// Reading the object.
    Get,
    /// Reading what is known of it.
    Head,
}

/// Keeps the bytes of media. Every method is one call to the store, but [`link`](Self::link), which is none.
#[async_trait]
pub trait ObjectStore: Send + Sync {
    /// Stores an object and answers its entity tag. It is never changed afterwards, so it may be cached for ever.
    async fn put(&self, key: &Key, content_type: &'static str, bytes: Bytes) -> Result<String>;

    /// The same, unless there is an object already: then that one stays, and the answer is `false`.
    async fn put_new(&self, key: &Key, content_type: &'static str, bytes: Bytes) -> Result<bool>;

    /// Reads a part of an object, unless the whole is longer than `most` bytes.
    async fn get(&self, key: &Key, part: Part, most: u64) -> Result<Fetched>;

    /// Reads what is known of an object, if there is one.
    async fn head(&self, key: &Key) -> Result<Option<Meta>>;

    /// Deletes an object; it is no error when there is none.
    async fn delete(&self, key: &Key) -> Result<()>;

    /// A link by which anybody may read the object for a quarter of an hour.
    async fn link(&self, key: &Key, method: LinkFor) -> Result<String>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_ends_with_the_object_and_may_lie_behind_it() {
        let cases = [
            (Part::Whole, Some((0, 10))),
            (Part::Between(0, 0), Some((0, 1))),
            (Part::Between(2, 99), Some((2, 10))),
            (Part::Between(10, 12), None),
            (Part::From(9), Some((9, 10))),
            (Part::From(10), None),
            (Part::From(u64::MAX), None),
            (Part::Last(3), Some((7, 10))),
            (Part::Last(99), Some((0, 10))),
            (Part::Last(0), None),
            (Part::Between(0, u64::MAX), Some((0, 10))),
        ];
        for (part, expected) in cases {
            assert_eq!(part.within(10), expected, "{part:?}");
        }
    }
}
