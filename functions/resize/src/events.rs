//! Handles the bucket's events: makes the thumbnails of stored pictures.

use aws::bucket_events;
use domain::media::{ImageName, Key};
use domain::{Error, Result};
use telemetry::metrics::{self, Metric};

use super::thumbnails::Thumbnails;

/// The pictures in an event of the bucket, or `None` if the payload is not such an event.
pub(super) fn pictures(payload: &[u8]) -> Option<Vec<ImageName>> {
    Some(bucket_events::keys(payload)?.iter().filter_map(|key| Key::image(key)).collect())
}

/// Makes the thumbnails of every picture. Only a fault, which may be temporary, is an error: Lambda then sends the
/// event again. A picture that can never have thumbnails is logged once and skipped.
pub(super) async fn made(thumbnails: &Thumbnails, pictures: Vec<ImageName>) -> Result<()> {
    for picture in pictures {
        match thumbnails.make_all(&picture).await {
            Ok(bytes) => tracing::info!(event = "thumbnails_made", bytes, "made the thumbnails of a picture"),
            Err(Error::Fault(fault)) => {
                tracing::error!(
                    event = "fault",
                    chain = fault.chain(),
                    "the thumbnails of a picture could not be made"
                );
                metrics::count(Metric::Faults);
                return Err(fault.into());
            }
            Err(refusal) => {
                tracing::warn!(event = "thumbnails_refused", reason = %refusal, "a picture has no thumbnails");
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pictures_of_our_naming_are_taken_from_an_event() {
        let event = |key: &str| {
            format!(
                r#"{{"Records":[{{"eventName":"ObjectCreated:Put","s3":{{"bucket":{{"name":"b"}},"object":{{"key":"{key}","size":1}}}}}}]}}"#
            )
        };
        let name = "0123456789abcdef0123456789abcdef.jpg";
        let found = pictures(event(&format!("originals/images/{name}")).as_bytes()).unwrap();
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), [name]);
        for key in ["originals/images/x", "thumbnails/a", "originals/images/%2e%2e"] {
            assert_eq!(pictures(event(key).as_bytes()), Some(Vec::new()), "{key}");
        }
        for payload in [r#"{"version":"2.0","rawPath":"/images/x"}"#, "{}", "[]", "x"] {
            assert_eq!(pictures(payload.as_bytes()), None, "{payload}");
        }
    }
}
