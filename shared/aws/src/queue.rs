//! Queues in SQS, whose messages are JSON.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use serde::Serialize;

use domain::queue::Queue;
use domain::{Fault, Result};

const SENDING: &str = "putting messages on a queue";
const RETRYING: &str = "putting a message back on a queue";

/// The most messages of a call (SQS developer guide, "Message quotas").
const MAX_ENTRIES: usize = 10;
/// The most bytes of all messages of a call. SQS accepts 1 MiB; with less, the functions that receive them have smaller
/// events.
const MAX_BYTES: usize = 256 * 1024;

/// A queue.
#[derive(Clone, Debug)]
pub struct SqsQueue {
    client: Client,
    url: Arc<str>,
}

impl SqsQueue {
    /// The queue with this URL.
    #[must_use]
    pub fn new(sdk: &SdkConfig, url: &str) -> Self {
        Self { client: Client::new(sdk), url: url.into() }
    }

    async fn send_batch(&self, bodies: &[String], delay: Duration) -> Result<()> {
        let delay = i32::try_from(delay.as_secs()).map_err(|error| Fault::new(SENDING, error))?;
        let entry = |(number, body): (usize, &String)| {
            let entry = SendMessageBatchRequestEntry::builder().id(number.to_string()).message_body(body);
            entry.delay_seconds(delay).build()
        };
        let entries: std::result::Result<Vec<_>, _> = bodies.iter().enumerate().map(entry).collect();
        let entries = entries.map_err(|error| Fault::new(SENDING, error))?;
        let batch = self.client.send_message_batch().queue_url(&*self.url).set_entries(Some(entries));
        let sent = batch.send().await.map_err(|error| Fault::new(SENDING, error.into_service_error()))?;
        // A call can succeed for some of its messages.
        match sent.failed().first() {
            Some(failed) => Err(Fault::new(SENDING, format!("SQS refused a message: {}", failed.code())).into()),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl<M: Serialize + Sync + 'static> Queue<M> for SqsQueue {
    async fn send(&self, messages: &[M], delay: Duration) -> Result<()> {
        let bodies: serde_json::Result<Vec<_>> = messages.iter().map(serde_json::to_string).collect();
        let bodies = bodies.map_err(|error| Fault::new(SENDING, error))?;
        for batch in batches(&bodies) {
            self.send_batch(batch, delay).await?;
        }
        Ok(())
    }

    async fn retry_in(&self, receipt: &str, wait: Duration) -> Result<()> {
        let seconds = i32::try_from(wait.as_secs()).map_err(|error| Fault::new(RETRYING, error))?;
        let change = self.client.change_message_visibility().queue_url(&*self.url).receipt_handle(receipt);
        let changed = change.visibility_timeout(seconds).send().await;
        changed.map_err(|error| Fault::new(RETRYING, error.into_service_error()))?;
        Ok(())
    }
}

/// The messages in their order, in parts that fit into one call each.
fn batches(mut bodies: &[String]) -> Vec<&[String]> {
    let mut batches = Vec::new();
    while !bodies.is_empty() {
        let mut bytes = 0;
        let fitting = bodies.iter().take(MAX_ENTRIES).take_while(|body| {
            bytes += body.len();
            bytes <= MAX_BYTES
        });
        // A message that is too long for any call goes alone, and SQS refuses it.
        let (batch, rest) = bodies.split_at(fitting.count().max(1));
        batches.push(batch);
        bodies = rest;
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_ten_messages_and_a_quarter_of_a_mebibyte_at_most() {
        let parts = |lengths: &[usize]| -> Vec<usize> {
            let bodies: Vec<_> = lengths.iter().map(|length| "x".repeat(*length)).collect();
            batches(&bodies).iter().map(|batch| batch.len()).collect()
        };
        assert_eq!(parts(&[]), Vec::<usize>::new());
        assert_eq!(parts(&[1; 10]), [10]);
        assert_eq!(parts(&[1; 21]), [10, 10, 1]);
        assert_eq!(parts(&[100_000, 100_000, 100_000, 1]), [2, 2]);
        assert_eq!(parts(&[300_000, 1]), [1, 1]);
    }
}
