//! Receives a body: its size limit, its MD5 and its checksums.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::{Bytes, BytesMut};
use futures::TryStreamExt as _;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3ErrorCode, S3Result, TrailingHeaders, s3_error};
use serde::{Deserialize, Serialize};

use crate::hex::hex;

/// The largest body in one request, in bytes. S3 accepts 5 GB; here a body is in memory while it is checked.
pub const MAX_BODY: usize = 256 * 1024 * 1024;

/// Checksums in base64, in the order of the `x-amz-checksum-*` names below.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Checksums {
    /// CRC-32.
    pub crc32: Option<String>,
    /// CRC-32C.
    pub crc32c: Option<String>,
    /// CRC-64/NVME.
    pub crc64nvme: Option<String>,
    /// SHA-1.
    pub sha1: Option<String>,
    /// SHA-256.
    pub sha256: Option<String>,
}

/// A complete body.
pub struct Received {
    /// The bytes.
    pub bytes: Bytes,
    /// MD5 of the bytes.
    pub md5: [u8; 16],
    /// The given checksums, all of them correct.
    pub checksums: Checksums,
}

impl Received {
    /// The MD5 as an entity tag, in hexadecimal without quotes.
    pub fn e_tag(&self) -> String {
        hex(&self.md5)
    }
}

/// Reads a body and compares it with the checksums of headers and trailers.
pub async fn receive(
    body: Option<StreamingBlob>,
    content_md5: Option<&str>,
    mut given: Checksums,
    trailers: Option<TrailingHeaders>,
) -> S3Result<Received> {
    let bytes = collect(body).await?;
    if let Some(trailers) = trailers.and_then(|trailers| trailers.take()) {
        let trailer = |name: &str| Some(trailers.get(name)?.to_str().ok()?.to_owned());
        given.crc32 = given.crc32.or_else(|| trailer("x-amz-checksum-crc32"));
        given.crc32c = given.crc32c.or_else(|| trailer("x-amz-checksum-crc32c"));
        given.crc64nvme = given.crc64nvme.or_else(|| trailer("x-amz-checksum-crc64nvme"));
        given.sha1 = given.sha1.or_else(|| trailer("x-amz-checksum-sha1"));
        given.sha256 = given.sha256.or_else(|| trailer("x-amz-checksum-sha256"));
    }
    let md5 = Md5::checksum(&bytes);
    let same_md5 = |given: &str| BASE64_STANDARD.decode(given).is_ok_and(|given| given == md5);
    if !content_md5.is_none_or(same_md5) || given.computed_over(&bytes) != given {
        return Err(s3_error!(BadDigest, "The checksum you specified did not match the calculated checksum."));
    }
    Ok(Received { bytes, md5, checksums: given })
}

impl Checksums {
    /// The same kinds of checksum, computed over these bytes.
    fn computed_over(&self, bytes: &[u8]) -> Self {
        let mut hasher = ChecksumHasher {
            crc32: self.crc32.as_ref().map(|_| Crc32::new()),
            crc32c: self.crc32c.as_ref().map(|_| Crc32c::new()),
            crc64nvme: self.crc64nvme.as_ref().map(|_| Crc64Nvme::new()),
            sha1: self.sha1.as_ref().map(|_| Sha1::new()),
            sha256: self.sha256.as_ref().map(|_| Sha256::new()),
        };
        hasher.update(bytes);
        let computed = hasher.finalize();
        Self {
            crc32: computed.checksum_crc32,
            crc32c: computed.checksum_crc32c,
            crc64nvme: computed.checksum_crc64nvme,
            sha1: computed.checksum_sha1,
            sha256: computed.checksum_sha256,
        }
    }
}

async fn collect(body: Option<StreamingBlob>) -> S3Result<Bytes> {
    let Some(mut body) = body else {
        return Ok(Bytes::new());
    };
    let mut collected = BytesMut::new();
    let broken = |error| S3Error::with_source(S3ErrorCode::IncompleteBody, error);
    while let Some(chunk) = body.try_next().await.map_err(broken)? {
        if collected.len() + chunk.len() > MAX_BODY {
            return Err(s3_error!(EntityTooLarge, "The local S3 endpoint takes 256 MB in one request."));
        }
        collected.extend_from_slice(&chunk);
    }
    Ok(collected.freeze())
}
