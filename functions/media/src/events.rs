//! Handles the bucket's events: accepts pictures that clients have put there with presigned uploads.

use aws::bucket_events;
use domain::media::{DirectUploads, Key, WaitingImage};
use domain::{Error, Result};
use telemetry::metrics::{self, Metric};

/// The waiting pictures in an event of the bucket, or `None` if the payload is not such an event.
pub(super) fn waiting(payload: &[u8]) -> Option<Vec<WaitingImage>> {
    Some(bucket_events::keys(payload)?.iter().filter_map(|key| Key::waiting_image(key)).collect())
}

/// Accepts every picture. Only a fault, which may be temporary, is an error: Lambda then sends the event again.
pub(super) async fn taken_in(uploads: &DirectUploads, pictures: Vec<WaitingImage>) -> Result<()> {
    for picture in pictures {
        match uploads.take_in(&picture).await {
            Ok(()) => tracing::info!(event = "upload_taken_in", "accepted a picture from a presigned upload"),
            Err(Error::Fault(fault)) => {
                tracing::error!(event = "fault", chain = fault.chain(), "an uploaded picture could not be processed");
                metrics::count(Metric::Faults);
                return Err(fault.into());
            }
            Err(refusal) => {
                tracing::warn!(event = "upload_refused", reason = %refusal, "a presigned upload was refused");
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_waiting_pictures_are_taken_from_an_event() {
        let event = |key: &str| format!(r#"{{"Records":[{{"s3":{{"object":{{"key":"{key}"}}}}}}]}}"#);
        let name = "0123456789abcdef0123456789abcdef.jpg";
        let found = waiting(event(&format!("uploads/images/7/{name}")).as_bytes()).unwrap();
        assert_eq!(found.iter().map(|waiting| waiting.name.to_string()).collect::<Vec<_>>(), [name]);
        for key in [&format!("originals/images/{name}"), &format!("uploads/images/{name}"), "uploads/images/7/x"] {
            assert_eq!(waiting(event(key).as_bytes()), Some(Vec::new()), "{key}");
        }
        assert_eq!(waiting(br#"{"version":"2.0"}"#), None);
    }
}
