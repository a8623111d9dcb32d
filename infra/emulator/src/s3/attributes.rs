//! Headers, metadata and checksums that are stored with an object and returned with it.

use std::collections::BTreeMap;

use s3s::dto::{CopyObjectInput, CreateMultipartUploadInput, GetObjectOutput, HeadObjectOutput, PutObjectInput};
use serde::{Deserialize, Serialize};

use super::checksum::Checksums;

/// The attributes that a writer gave an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attributes {
    /// `Content-Type`; S3 returns `binary/octet-stream` if none was given.
    pub content_type: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// `Content-Encoding`, without the `aws-chunked` of the transfer.
    pub content_encoding: Option<String>,
    /// `Content-Language`.
    pub content_language: Option<String>,
    /// `x-amz-meta-*`, without the prefix.
    pub metadata: BTreeMap<String, String>,
    /// Checksums of the whole object, given by the writer and verified.
    pub checksums: Checksums,
}

/// The content type that S3 returns for an object stored without one.
const UNTYPED: &str = "binary/octet-stream";

/// Reads the attributes from the inputs that share these fields.
macro_rules! read_attributes {
    ($input:ident) => {
        Attributes {
            content_type: $input.content_type.take(),
            cache_control: $input.cache_control.take(),
            content_disposition: $input.content_disposition.take(),
            content_encoding: without_transfer($input.content_encoding.take()),
            content_language: $input.content_language.take(),
            metadata: $input.metadata.take().unwrap_or_default().into_iter().collect(),
            checksums: Checksums::default(),
        }
    };
}

/// Fills the fields that `GetObject` and `HeadObject` share.
macro_rules! fill_output {
    ($output:ident, $attributes:expr) => {{
        let attributes: &Attributes = $attributes;
        $output.content_type = Some(attributes.content_type.clone().unwrap_or(UNTYPED.to_owned()));
        $output.cache_control.clone_from(&attributes.cache_control);
        $output.content_disposition.clone_from(&attributes.content_disposition);
        $output.content_encoding.clone_from(&attributes.content_encoding);
        $output.content_language.clone_from(&attributes.content_language);
        if !attributes.metadata.is_empty() {
            $output.metadata = Some(attributes.metadata.clone().into_iter().collect());
        }
    }};
}

impl Attributes {
    /// From `PutObject`.
    pub fn of_put(input: &mut PutObjectInput) -> Self {
        read_attributes!(input)
    }

    /// From `CreateMultipartUpload`.
    pub fn of_upload(input: &mut CreateMultipartUploadInput) -> Self {
        read_attributes!(input)
    }

    /// From a `CopyObject` that replaces the source's metadata.
    pub fn of_copy(input: &mut CopyObjectInput) -> Self {
        read_attributes!(input)
    }

    /// Writes them into the response of `GetObject`.
    pub fn fill_get(&self, output: &mut GetObjectOutput) {
        fill_output!(output, self);
    }

    /// Writes them into the response of `HeadObject`.
    pub fn fill_head(&self, output: &mut HeadObjectOutput) {
        fill_output!(output, self);
    }
}

/// Removes `aws-chunked`, which describes how the SDK sent the body.
fn without_transfer(encoding: Option<String>) -> Option<String> {
    let encoding = encoding?;
    let kept: Vec<&str> =
        encoding.split(',').map(str::trim).filter(|part| !part.is_empty() && *part != "aws-chunked").collect();
    (!kept.is_empty()).then(|| kept.join(","))
}

#[cfg(test)]
mod tests {
    use super::without_transfer;

    #[test]
    fn the_transfer_encoding_is_not_stored() {
        let stored = |given: &str| without_transfer(Some(given.to_owned()));
        assert_eq!(stored("aws-chunked"), None);
        assert_eq!(stored("gzip,aws-chunked").as_deref(), Some("gzip"));
        assert_eq!(stored("gzip").as_deref(), Some("gzip"));
    }
}
