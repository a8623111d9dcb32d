//! Media files in S3.

mod form;

use std::time::Duration;

use async_trait::async_trait;
use aws_config::{Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_smithy_types::DateTime;
use bytes::Bytes;

use domain::clock::Timestamp;
use domain::media::Key;
use domain::media::store::{Fetched, LinkFor, Meta, ObjectEraser, ObjectStore, Part};
use domain::{Fault, Result};

/// How long a link is valid: long enough to play a voice note twice, short enough to be worthless when it leaks.
const LINK_LIFETIME: Duration = Duration::from_mins(15);
/// Names are random and never used twice, so the content under a name never changes.
const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

/// Media in one bucket.
#[derive(Clone, Debug)]
pub struct S3Objects {
    client: Client,
    bucket: String,
    /// The credentials for signing forms, which the SDK cannot do.
    credentials: Option<SharedCredentialsProvider>,
    region: Option<Region>,
}

impl S3Objects {
    /// In the bucket called `bucket`.
    #[must_use]
    pub fn new(sdk: &SdkConfig, bucket: &str) -> Self {
        // A custom endpoint is not S3 and has no separate host name for each bucket.
        let own_endpoint = sdk.endpoint_url().is_some();
        let config = aws_sdk_s3::config::Builder::from(sdk).force_path_style(own_endpoint).build();
        Self {
            client: Client::from_conf(config),
            bucket: bucket.to_owned(),
            credentials: sdk.credentials_provider(),
            region: sdk.region().cloned(),
        }
    }

    fn storing(&self, key: &Key, content_type: &'static str, bytes: Bytes) -> PutObjectFluentBuilder {
        let put = self.client.put_object().bucket(&self.bucket).key(key.as_str()).body(bytes.into());
        let put = put.content_type(content_type).cache_control(CACHE_CONTROL);
        // A file of unknown type is always a download, also when it is read through a link.
        let attachment = (content_type == "application/octet-stream").then(|| "attachment".to_owned());
        put.set_content_disposition(attachment)
    }
}

#[async_trait]
impl ObjectStore for S3Objects {
    async fn put(&self, key: &Key, content_type: &'static str, bytes: Bytes) -> Result<String> {
        let stored = self.storing(key, content_type, bytes).send().await;
        let stored = stored.map_err(|error| Fault::new("storing an object", error))?;
        Ok(stored.e_tag.unwrap_or_default())
    }

    async fn put_new(&self, key: &Key, content_type: &'static str, bytes: Bytes) -> Result<bool> {
        match self.storing(key, content_type, bytes).if_none_match("*").send().await {
            Ok(_) => Ok(true),
            // A 409 does not mean this: it only says that another operation on the key was running, and that the
            // request may be repeated.
            Err(error) if status(&error) == Some(412) => Ok(false),
            Err(error) => Err(Fault::new("storing a new object", error).into()),
        }
    }

    async fn get(&self, key: &Key, part: Part, most: u64) -> Result<Fetched> {
        let get = self.client.get_object().bucket(&self.bucket).key(key.as_str()).set_range(range(part));
        let output = match get.send().await {
            Ok(output) => output,
            Err(error) if missing(&error) => return Ok(Fetched::Missing),
            Err(error) if status(&error) == Some(416) => return Ok(Fetched::PastTheEnd),
            Err(error) => return Err(Fault::new("reading an object", error).into()),
        };
        let (meta, first) = described(&output)?;
        if meta.length > most {
            return Ok(Fetched::TooLong);
        }
        let bytes = output.body.collect().await.map_err(|error| Fault::new("reading an object's bytes", error))?;
        Ok(Fetched::Found { meta, first, bytes: bytes.into_bytes() })
    }

    async fn head(&self, key: &Key) -> Result<Option<Meta>> {
        match self.client.head_object().bucket(&self.bucket).key(key.as_str()).send().await {
            Ok(output) => Ok(Some(Meta {
                content_type: output.content_type.unwrap_or_default(),
                length: length(output.content_length)?,
                etag: output.e_tag.unwrap_or_default(),
                modified: timestamp(output.last_modified),
            })),
            Err(error) if missing(&error) => Ok(None),
            Err(error) => Err(Fault::new("asking for an object", error).into()),
        }
    }

    async fn delete(&self, key: &Key) -> Result<()> {
        let deleted = self.client.delete_object().bucket(&self.bucket).key(key.as_str()).send().await;
        deleted.map_err(|error| Fault::new("deleting an object", error))?;
        Ok(())
    }

    async fn link(&self, key: &Key, method: LinkFor) -> Result<String> {
        let lifetime =
            PresigningConfig::expires_in(LINK_LIFETIME).map_err(|error| Fault::new("making a link", error))?;
        let (bucket, key) = (&self.bucket, key.as_str());
        let signed = match method {
            LinkFor::Get => self.client.get_object().bucket(bucket).key(key).presigned(lifetime).await.map_err(fault),
            LinkFor::Head => self.client.head_object().bucket(bucket).key(key).presigned(lifetime).await.map_err(fault),
        };
        Ok(signed?.uri().to_owned())
    }
}

#[async_trait]
impl ObjectEraser for S3Objects {
    async fn delete_with_versions(&self, key: &Key) -> Result<()> {
        // This hides the object at once. Without it, deleting the newest version would show the one before.
        self.delete(key).await?;
        let mut after = (None, None);
        loop {
            let list = self.client.list_object_versions().bucket(&self.bucket).prefix(key.as_str());
            let list = list.set_key_marker(after.0).set_version_id_marker(after.1).send().await;
            let list = list.map_err(|error| Fault::new("listing the versions of an object", error))?;
            let versions = list.versions().iter().map(|version| (version.key(), version.version_id()));
            let markers = list.delete_markers().iter().map(|marker| (marker.key(), marker.version_id()));
            // The newest delete marker goes last, so it hides the object until nothing else is left. Keys that only begin
            // with this one belong to other objects.
            let of_key = versions.chain(markers.rev()).filter(|(listed, _)| *listed == Some(key.as_str()));
            for id in of_key.filter_map(|(_, id)| id) {
                let delete = self.client.delete_object().bucket(&self.bucket).key(key.as_str()).version_id(id);
                delete.send().await.map_err(|error| Fault::new("deleting a version of an object", error))?;
            }
            if list.is_truncated() != Some(true) {
                return Ok(());
            }
            after = (list.next_key_marker, list.next_version_id_marker);
        }
    }
}

fn fault(error: impl std::error::Error + Send + Sync + 'static) -> Fault {
    Fault::new("making a link", error)
}

/// The `Range` header of a part (RFC 9110 §14.2).
fn range(part: Part) -> Option<String> {
    match part {
        Part::Whole => None,
        Part::Between(first, last) => Some(format!("bytes={first}-{last}")),
        Part::From(first) => Some(format!("bytes={first}-")),
        Part::Last(count) => Some(format!("bytes=-{count}")),
    }
}

/// Information about the whole object, and the position in it where the response begins.
fn described(output: &GetObjectOutput) -> Result<(Meta, u64)> {
    let (first, length) = match output.content_range.as_deref() {
        Some(range) => {
            content_range(range).ok_or_else(|| Fault::new("reading an object", "a Content-Range that says nothing"))?
        }
        None => (0, length(output.content_length)?),
    };
    let meta = Meta {
        content_type: output.content_type.clone().unwrap_or_default(),
        length,
        etag: output.e_tag.clone().unwrap_or_default(),
        modified: timestamp(output.last_modified),
    };
    Ok((meta, first))
}

/// The first byte and the total length in `bytes <first>-<last>/<length>`.
fn content_range(text: &str) -> Option<(u64, u64)> {
    let (range, length) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = range.split_once('-')?;
    Some((first.parse().ok()?, length.parse().ok()?))
}

fn length(length: Option<i64>) -> Result<u64> {
    let length = length.and_then(|length| u64::try_from(length).ok());
    Ok(length.ok_or_else(|| Fault::new("reading an object", "an answer without a length"))?)
}

fn timestamp(time: Option<DateTime>) -> Timestamp {
    Timestamp::from_millis(time.and_then(|time| time.to_millis().ok()).unwrap_or_default())
}

/// Whether the object does not exist. The response to a HEAD has no body, so only its status shows this.
fn missing<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    let told = error.as_service_error().and_then(ProvideErrorMetadata::code);
    matches!(told, Some("NoSuchKey" | "NotFound")) || (told.is_none() && status(error) == Some(404))
}

fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_asked_for_as_http_writes_them() {
        assert_eq!(range(Part::Whole), None);
        assert_eq!(range(Part::Between(2, 5)).as_deref(), Some("bytes=2-5"));
        assert_eq!(range(Part::From(2)).as_deref(), Some("bytes=2-"));
        assert_eq!(range(Part::Last(2)).as_deref(), Some("bytes=-2"));
    }

    #[test]
    fn a_content_range_tells_the_start_and_the_whole() {
        assert_eq!(content_range("bytes 2-5/10"), Some((2, 10)));
        for text in ["", "bytes */10", "bytes 2-5/*", "2-5/10"] {
            assert_eq!(content_range(text), None, "{text}");
        }
    }
}
