//! The store of media files, as the domain sees it.

use async_trait::async_trait;
use bytes::Bytes;

use super::name::Key;
use crate::Result;
use crate::clock::Timestamp;

/// Information about a stored object, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Its media type.
    pub content_type: String,
    /// The total length in bytes.
    pub length: u64,
    /// Its entity tag, including the quotes.
    pub etag: String,
    /// When it was stored, to the second.
    pub modified: Timestamp,
}

/// The result of reading an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// There is no such object.
    Missing,
    /// The whole object is longer than the caller's limit, and nothing was read.
    TooLong,
    /// The part begins after the end of the object.
    PastTheEnd,
    /// The requested bytes, as many of them as exist.
    Found {
        /// Information about the whole object.
        meta: Meta,
        /// The position of the first byte in the whole object.
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
    /// From one byte up to and including another, or to the end if that comes first.
    Between(u64, u64),
    /// From a byte to the end.
    From(u64),
    /// This many bytes at the end.
    Last(u64),
}

impl Part {
    /// The first byte and the byte after the last, within an object of `length` bytes; `None` when the part is empty.
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

/// The methods that a link can be created for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkFor {
    /// Reading the object.
    Get,
    /// Reading the information about it.
    Head,
}

/// Stores media files. Every method is one call to the store, except [`link`](Self::link), which makes no call.
#[async_trait]
pub trait ObjectStore: Send + Sync {
    /// Stores an object and returns its entity tag. The object never changes afterwards, so it may be cached for ever.
    async fn put(&self, key: &Key, content_type: &'static str, bytes: Bytes) -> Result<String>;

    /// The same, unless the object exists already. In that case it stays unchanged, and the method returns `false`.
    async fn put_new(&self, key: &Key, content_type: &'static str, bytes: Bytes) -> Result<bool>;

    /// Reads a part of an object, unless the whole object is longer than `most` bytes.
    async fn get(&self, key: &Key, part: Part, most: u64) -> Result<Fetched>;

    /// Reads the information about an object, if it exists.
    async fn head(&self, key: &Key) -> Result<Option<Meta>>;

    /// Deletes an object. It is not an error when the object does not exist.
    async fn delete(&self, key: &Key) -> Result<()>;

    /// Deletes several objects, each with a call of its own. It is not an error when an object does not exist.
    async fn delete_all(&self, keys: &[Key]) -> Result<()> {
        telemetry::round_trips::all(keys.iter().map(|key| self.delete(key))).await.map(|_| ())
    }

    /// A link with which anyone may read the object for 15 minutes.
    async fn link(&self, key: &Key, method: LinkFor) -> Result<String>;
}

/// Deletes objects for good.
#[async_trait]
pub trait ObjectEraser: Send + Sync {
    /// Deletes an object with all of its versions, also those that a bucket keeps after an object is replaced or deleted.
    /// It is not an error when there are none. Nobody can read the object from the first step on. If it fails, a repeated
    /// call continues.
    async fn delete_with_versions(&self, key: &Key) -> Result<()>;
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
