//! Event source mappings: they receive the messages of a queue, invoke a function with them, and delete those that it
//! processed.
//!
//! From the Lambda developer guide, "Using Lambda with Amazon SQS": a message that failed comes back when its
//! visibility timeout is over, and goes to the dead-letter queue when it was received too often. There is one
//! difference: these timeouts are long, so a failed message waits at most a second here. Lambda also collects messages
//! for the time of the batching window; here a batch is what is there.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::{Map, Value, json};
use tokio::sync::{Semaphore, watch};

use super::Sqs;
use super::call::md5;
use super::reply::system_attributes;
use super::store::QueueMessage;
use crate::place::REGION;
use crate::template::{Queue, QueueEvents};

/// A function that is invoked with messages of a queue. It receives a whole event as Lambda does (`{"Records": […]}`)
/// and returns the function's response; `Err` is a failed invocation.
pub type QueueHandler = Arc<dyn Fn(Value) -> BoxFuture<'static, Result<Value, String>> + Send + Sync>;

/// The longest time until a message comes back after its first failure; the time doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The longest time until a message comes back after a failure.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The pause after an error of the store.
const AFTER_ERROR: Duration = Duration::from_secs(1);

/// The number of batches at the same time if the mapping does not limit it: that of Lambda's pollers at the start.
const CONCURRENCY: u32 = 5;

/// A function's subscription to the messages of a queue.
pub struct Mapping {
    /// The function's name.
    pub function: String,
    /// The queue.
    pub queue: Arc<Queue>,
    /// The settings.
    pub events: QueueEvents,
    /// The function.
    pub handler: QueueHandler,
    /// The endpoint.
    pub sqs: Arc<Sqs>,
}

impl Mapping {
    /// Delivers messages until `stop` becomes true, and then waits for the deliveries in progress.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let most = self.events.max_concurrency.unwrap_or(CONCURRENCY);
        let slots = Arc::new(Semaphore::new(most as usize));
        let mapping = Arc::new(self);
        while let Ok(slot) = Arc::clone(&slots).acquire_owned().await {
            let received = tokio::select! {
                received = mapping.sqs.receive(&mapping.queue, mapping.events.batch_size, None, None) => received,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            match received {
                Ok(batch) => {
                    let mapping = Arc::clone(&mapping);
                    tokio::spawn(async move {
                        mapping.deliver(&batch).await;
                        drop(slot);
                    });
                }
                Err(error) => {
                    tracing::error!(%error, queue = mapping.queue.name(), "a queue cannot be read");
                    tokio::time::sleep(AFTER_ERROR).await;
                }
            }
        }
        let _ = slots.acquire_many(most).await;
    }

    /// Invokes the function with a batch, and deletes the messages that it processed.
    async fn deliver(&self, batch: &[QueueMessage]) {
        let records: Vec<_> = batch.iter().map(|message| self.record(message)).collect();
        // A panic in the function counts as a failure.
        let call = AssertUnwindSafe(async { (self.handler)(json!({"Records": records})).await }).catch_unwind();
        let failed = match call.await {
            Ok(Ok(answer)) if self.events.reports_failures => reported(&answer, batch),
            Ok(Ok(_)) => Ok(BTreeSet::new()),
            Ok(Err(error)) => Err(error),
            Err(_) => Err("the function panicked".to_owned()),
        };
        let failed = failed.unwrap_or_else(|error| {
            tracing::warn!(function = self.function, error, "a batch of messages failed");
            batch.iter().map(|message| &*message.id).collect()
        });
        for message in batch {
            let receipt = message.receipt.as_deref().unwrap_or_default();
            let (store, queue) = (&self.sqs.store, &self.queue.arn);
            let done = if failed.contains(&*message.id) {
                let pause = FIRST_PAUSE * 2u32.saturating_pow(message.receives.saturating_sub(1).min(10));
                let pause = u64::try_from(pause.min(LONGEST_PAUSE).as_millis()).unwrap_or_default();
                store.hasten(queue, receipt, self.sqs.now() + pause)
            } else {
                store.delete(queue, receipt).map(drop)
            };
            if let Err(error) = done {
                tracing::error!(%error, queue, "a message could not be deleted or put back");
            }
        }
        self.sqs.wake();
    }

    /// A message in an event.
    fn record(&self, message: &QueueMessage) -> Value {
        json!({
            "messageId": message.id,
            "receiptHandle": message.receipt,
            "body": message.body,
            "attributes": system_attributes(message).into_iter().collect::<Map<_, _>>(),
            "messageAttributes": {},
            "md5OfBody": md5(&message.body),
            "eventSource": "aws:sqs",
            "eventSourceARN": self.queue.arn,
            "awsRegion": REGION,
        })
    }
}

/// The ids of the messages that the function reports as failed.
///
/// From the Lambda developer guide, "Implementing partial batch responses": a response without failures is a success,
/// and one that names an unknown message is a failure of the whole batch.
fn reported<'a>(answer: &Value, batch: &'a [QueueMessage]) -> Result<BTreeSet<&'a str>, String> {
    let failures = match answer.get("batchItemFailures") {
        None | Some(Value::Null) => return Ok(BTreeSet::new()),
        Some(failures) => failures.as_array().ok_or("batchItemFailures is no list")?,
    };
    let named = |failure: &Value| {
        let named = failure["itemIdentifier"].as_str()?;
        batch.iter().map(|message| &*message.id).find(|id| *id == named)
    };
    let failed: Option<BTreeSet<&str>> = failures.iter().map(named).collect();
    failed.ok_or_else(|| "batchItemFailures names no message of the batch".to_owned())
}
