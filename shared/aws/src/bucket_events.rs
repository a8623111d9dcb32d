//! Events of the bucket. An event is delivered at least once, in any order, and again after a failure, so processing it
//! twice must do no harm.

use serde::Deserialize;

/// The parts of an event that are needed (Amazon S3, "Event message structure").
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    s3: Entity,
}

#[derive(Deserialize)]
struct Entity {
    object: Object,
}

#[derive(Deserialize)]
struct Object {
    key: String,
}

/// The keys in an event of the bucket; `None` when the payload is not such an event. Keys are encoded as in a form, but
/// this changes nothing in our names.
#[must_use]
pub fn keys(payload: &[u8]) -> Option<Vec<String>> {
    let event: Event = serde_json::from_slice(payload).ok()?;
    Some(event.records.into_iter().map(|record| record.s3.object.key).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_event_of_the_bucket_has_keys() {
        let event = r#"{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},"object":{"key":"a/b","size":1}}}]}"#;
        assert_eq!(keys(event.as_bytes()), Some(vec!["a/b".to_owned()]));
        for payload in [r#"{"version":"2.0","rawPath":"/images/x"}"#, "{}", "[]", "x"] {
            assert_eq!(keys(payload.as_bytes()), None, "{payload}");
        }
    }
}
