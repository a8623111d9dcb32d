//! Delivers S3 events: asynchronously, at least once, with two retries.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::sync::watch;

use crate::clock;
use crate::place::REGION;

/// An event handler. It receives a whole event as Lambda does (`{"Records": […]}`) and reports success; after an `Err`
/// the same event is delivered again.
pub type ObjectHandler = Arc<dyn Fn(Value) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// The pauses before the second and third attempt. Lambda waits one and two minutes, which is too long on a developer's
/// machine.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(500)];

/// An object that was just written.
#[derive(Debug, Clone)]
pub struct Created {
    /// The operation that wrote it: `Put` or `Post`.
    pub by: &'static str,
    /// The bucket's name.
    pub bucket: String,
    /// The key, not encoded.
    pub key: String,
    /// The object's size in bytes.
    pub size: u64,
    /// The entity tag without quotes.
    pub e_tag: String,
    /// The time of the write.
    pub at: OffsetDateTime,
}

/// The subscriptions and the deliveries in progress.
#[derive(Debug)]
pub struct Deliveries {
    subscriptions: RwLock<Vec<Subscription>>,
    under_way: watch::Sender<usize>,
    sequence: AtomicU64,
}

#[derive(Clone)]
struct Subscription {
    bucket: String,
    prefix: String,
    suffix: String,
    handler: ObjectHandler,
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}*{}", self.bucket, self.prefix, self.suffix)
    }
}

impl Deliveries {
    /// No subscriptions, and no deliveries in progress.
    pub fn new() -> Self {
        Self { subscriptions: RwLock::default(), under_way: watch::Sender::new(0), sequence: AtomicU64::default() }
    }

    /// Delivers objects of `bucket` whose key has this prefix and suffix to `handler`.
    pub fn subscribe(&self, bucket: &str, prefix: &str, suffix: &str, handler: ObjectHandler) {
        let subscription =
            Subscription { bucket: bucket.to_owned(), prefix: prefix.to_owned(), suffix: suffix.to_owned(), handler };
        self.subscriptions.write().unwrap_or_else(PoisonError::into_inner).push(subscription);
    }

    /// Starts the deliveries of one object. They count as in progress before this returns, so a writer with a response
    /// can wait for them.
    pub fn announce(self: &Arc<Self>, created: &Created) {
        let interested: Vec<Subscription> = {
            let subscriptions = self.subscriptions.read().unwrap_or_else(PoisonError::into_inner);
            subscriptions.iter().filter(|subscription| subscription.wants(created)).cloned().collect()
        };
        if interested.is_empty() {
            return;
        }
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        let event = event(created, sequence);
        for subscription in interested {
            let under_way = UnderWay::begin(Arc::clone(self));
            let event = event.clone();
            tokio::spawn(async move {
                subscription.deliver(&event).await;
                drop(under_way);
            });
        }
    }

    /// Whether no delivery is in progress.
    pub fn is_settled(&self) -> bool {
        *self.under_way.borrow() == 0
    }

    /// Waits until no delivery is in progress.
    pub async fn settled(&self) {
        // The sender exists as long as `self`, so waiting cannot fail.
        let _ = self.under_way.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Subscription {
    fn wants(&self, created: &Created) -> bool {
        self.bucket == created.bucket && created.key.starts_with(&self.prefix) && created.key.ends_with(&self.suffix)
    }

    async fn deliver(&self, event: &Value) {
        let mut pauses = PAUSES.iter();
        loop {
            // A separate task, so that a panic counts as a failed attempt.
            let outcome = match tokio::spawn((self.handler)(event.clone())).await {
                Ok(outcome) => outcome,
                Err(panic) => Err(panic.to_string()),
            };
            let Err(error) = outcome else { return };
            let Some(pause) = pauses.next() else {
                tracing::error!(error, subscription = ?self, "an S3 event was given up");
                return;
            };
            tracing::warn!(error, subscription = ?self, "an S3 event will be delivered again");
            tokio::time::sleep(*pause).await;
        }
    }
}

/// Counts one delivery as in progress until it is dropped.
struct UnderWay(Arc<Deliveries>);

impl UnderWay {
    fn begin(deliveries: Arc<Deliveries>) -> Self {
        deliveries.under_way.send_modify(|count| *count += 1);
        Self(deliveries)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.send_modify(|count| *count -= 1);
    }
}

/// Builds the event in the format of the S3 user guide, "Event message structure", version 2.1.
fn event(created: &Created, sequence: u64) -> Value {
    // Sequencers are hexadecimal and grow for each key; the time makes them grow across restarts too.
    let sequencer = format!("{:012X}{:08X}", clock::epoch_millis(), sequence);
    json!({"Records": [{
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventTime": clock::event_time(created.at),
        "eventName": format!("ObjectCreated:{}", created.by),
        "userIdentity": {"principalId": "LOCAL"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {
            "x-amz-request-id": clock::random_id(),
            "x-amz-id-2": clock::random_id(),
        },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "local",
            "bucket": {
                "name": created.bucket,
                "ownerIdentity": {"principalId": "LOCAL"},
                "arn": format!("arn:aws:s3:::{}", created.bucket),
            },
            "object": {
                "key": encode_key(&created.key),
                "size": created.size,
                "eTag": created.e_tag,
                "sequencer": sequencer,
            },
        },
    }]})
}

/// Encodes a key as in events: form encoding, but with slashes unchanged.
fn encode_key(key: &str) -> String {
    let segments =
        key.split('/').map(|segment| form_urlencoded::byte_serialize(segment.as_bytes()).collect::<String>());
    segments.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::encode_key;

    #[test]
    fn keys_are_encoded_as_s3_encodes_them() {
        assert_eq!(encode_key("images/a b+c@é.jpg"), "images/a+b%2Bc%40%C3%A9.jpg");
    }
}
