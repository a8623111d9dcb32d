//! Receives a body: its size limit, its MD5 and its CRC-32, which is the checksum that the SDK sends.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::{Bytes, BytesMut};
use futures::TryStreamExt as _;
use s3s::crypto::{Checksum as _, Crc32, Md5};
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3ErrorCode, S3Result, TrailingHeaders, s3_error};

use crate::hex::hex;

/// The largest body in one request, in bytes. S3 accepts 5 GB; here a body is in memory while it is checked.
pub const MAX_BODY: usize = 256 * 1024 * 1024;

/// A complete body.
pub struct Received {
    /// The bytes.
    pub bytes: Bytes,
    /// The entity tag: their MD5 in hexadecimal, without quotes.
    pub e_tag: String,
    /// CRC-32 in base64, if it was given; it is correct.
    pub crc32: Option<String>,
}

/// Reads a body and compares it with the checksums of headers and trailers.
pub async fn receive(
    body: Option<StreamingBlob>,
    content_md5: Option<&str>,
    crc32: Option<String>,
    trailers: Option<TrailingHeaders>,
) -> S3Result<Received> {
    let bytes = collect(body).await?;
    let trailers = trailers.and_then(|trailers| trailers.take()).unwrap_or_default();
    let trailing = trailers.get("x-amz-checksum-crc32").and_then(|value| value.to_str().ok());
    let crc32 = crc32.or_else(|| trailing.map(str::to_owned));
    let md5 = Md5::checksum(&bytes);
    let is_right = |given: Option<&str>, computed: &[u8]| {
        given.is_none_or(|given| BASE64_STANDARD.decode(given).is_ok_and(|given| given == computed))
    };
    if !is_right(content_md5, &md5) || !is_right(crc32.as_deref(), &Crc32::checksum(&bytes)) {
        return Err(s3_error!(BadDigest, "The checksum you specified did not match the calculated checksum."));
    }
    Ok(Received { bytes, e_tag: hex(&md5), crc32 })
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
