//! A version of an object: its bytes, and the record that describes it.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::blob::Blob;

/// A version of an object, or the mark that it was deleted.
#[derive(Debug)]
pub struct Object {
    /// Its record.
    pub record: ObjectRecord,
    /// Its bytes.
    pub blob: Blob,
}

/// The stored data of an object, without its bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ObjectRecord {
    /// The key.
    pub key: String,
    /// The version id; `None` for the version that S3 calls `null`, which was written without versioning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether this is a delete marker: the object was deleted at this time, and has no bytes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_delete_marker: bool,
    /// The size in bytes.
    pub size: u64,
    /// The entity tag without quotes.
    pub e_tag: String,
    /// The time of the write, in nanoseconds since the Unix epoch.
    pub modified: i128,
    /// Headers given with it.
    pub attributes: Attributes,
    /// The file with the bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// The id of a version that was written without versioning.
pub const NULL_VERSION: &str = "null";

/// The attributes that a writer gave an object.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Attributes {
    /// `Content-Type`; S3 returns `binary/octet-stream` if none was given.
    pub content_type: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// CRC-32 in base64, given by the writer and verified.
    pub crc32: Option<String>,
}

impl ObjectRecord {
    /// The version id as S3 writes it.
    pub fn version_id(&self) -> &str {
        self.version.as_deref().unwrap_or(NULL_VERSION)
    }

    /// The time of the write.
    pub fn modified(&self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(self.modified).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}
