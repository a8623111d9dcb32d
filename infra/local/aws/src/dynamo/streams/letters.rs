//! Dead letters: what the queue of a mapping is told of records that were given up.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::mapping::Mapping;
use super::source::{Record, Source};
use crate::{ACCOUNT, REGION, clock};

/// How many letters are kept; older ones are forgotten.
const KEPT: usize = 1_000;

/// A letter about records that a function was not told of.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetter {
    /// The function's name.
    pub function: String,
    /// The ARN of the queue; `None` when the mapping has none, and nobody would have heard.
    pub destination: Option<String>,
    /// What the queue holds. It names the records and does not contain them, as Lambda's letters do.
    pub body: Value,
    /// Why the last attempt failed.
    pub error: String,
    /// When it was sent, in milliseconds since the Unix epoch.
    pub sent_at: u64,
}

/// Why records are given up, in Lambda's words.
#[derive(Debug, Clone, Copy)]
pub enum Reason {
    /// They failed too often.
    Retries,
    /// They are too old.
    Age,
}

/// The newest letters, oldest first.
#[derive(Debug, Default)]
pub struct Letters(Mutex<VecDeque<DeadLetter>>);

impl Letters {
    /// Keeps a letter.
    pub fn keep(&self, letter: DeadLetter) {
        let DeadLetter { function, destination, error, body, .. } = &letter;
        tracing::error!(function, destination, error, letter = %body, "changes of the table were given up");
        let mut letters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if letters.len() == KEPT {
            letters.pop_front();
        }
        letters.push_back(letter);
    }

    /// The letters kept, oldest first.
    pub fn all(&self) -> Vec<DeadLetter> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl DeadLetter {
    /// A letter about records that were given up after so many attempts.
    ///
    /// From the Lambda developer guide, "Retain discarded records for a DynamoDB event source".
    pub(super) fn about(
        mapping: &Mapping,
        source: &Source,
        records: &[Record],
        (reason, attempts, error): (Reason, usize, &str),
    ) -> Self {
        let condition = match reason {
            Reason::Retries => "RetryAttemptsExhausted",
            Reason::Age => "RecordAgeExceeded",
        };
        let number = |record: Option<&Record>| record.map(Record::sequence_number).map(str::to_owned);
        let arrival = |record: Option<&Record>| record.map(|record| clock::time_of(record.created));
        let (first, last) = (records.first(), records.last());
        let body = json!({
            "requestContext": {
                "requestId": clock::random_id(),
                "functionArn": format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{}", mapping.function),
                "condition": condition,
                "approximateInvokeCount": attempts,
            },
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "version": "1.0",
            "timestamp": clock::event_time(clock::now()),
            "DDBStreamBatchInfo": {
                "shardId": source.shard(),
                "startSequenceNumber": number(first),
                "endSequenceNumber": number(last),
                "approximateArrivalOfFirstRecord": arrival(first),
                "approximateArrivalOfLastRecord": arrival(last),
                "batchSize": records.len(),
                "streamArn": source.arn,
            },
        });
        let destination = mapping.dead_letters.clone();
        let (function, error) = (mapping.function.clone(), error.to_owned());
        Self { function, destination, body, error, sent_at: clock::epoch_millis() }
    }
}
