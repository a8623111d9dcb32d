//! Dead letters: messages about dropped records, for the queue of a mapping.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::mapping::Mapping;
use super::source::{Source, StreamRecord};
use crate::clock;
use crate::place::{ACCOUNT, REGION};

/// The number of letters that are kept; older ones are deleted.
const KEPT: usize = 1_000;

/// A letter about records that never reached a function successfully.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetter {
    /// The function's name.
    pub function: String,
    /// The ARN of the queue; `None` if the mapping has none, so AWS would send no letter.
    pub destination: Option<String>,
    /// The message in the queue. Like Lambda's, it names the records but does not contain them.
    pub body: Value,
    /// The error of the last attempt.
    pub error: String,
    /// When it was sent, in milliseconds since the Unix epoch.
    pub sent_at: u64,
}

/// The reason why records were dropped, in Lambda's words.
#[derive(Debug, Clone, Copy)]
pub enum Reason {
    /// Too many failed attempts.
    Retries,
    /// The records are too old.
    Age,
}

/// The newest letters, oldest first.
#[derive(Debug, Default)]
pub struct Letters(Mutex<VecDeque<DeadLetter>>);

impl Letters {
    /// Stores a letter.
    pub fn keep(&self, letter: DeadLetter) {
        let DeadLetter { function, destination, error, body, .. } = &letter;
        tracing::error!(function, destination, error, letter = %body, "changes of the table were given up");
        let mut letters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if letters.len() == KEPT {
            letters.pop_front();
        }
        letters.push_back(letter);
    }

    /// The stored letters, oldest first.
    pub fn all(&self) -> Vec<DeadLetter> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl DeadLetter {
    /// Builds a letter about records that were dropped after this number of attempts.
    ///
    /// From the Lambda developer guide, "Retain discarded records for a DynamoDB event source".
    pub(super) fn about(
        mapping: &Mapping,
        source: &Source,
        records: &[StreamRecord],
        (reason, attempts, error): (Reason, u32, &str),
    ) -> Self {
        let condition = match reason {
            Reason::Retries => "RetryAttemptsExhausted",
            Reason::Age => "RecordAgeExceeded",
        };
        let number = |record: Option<&StreamRecord>| record.map(StreamRecord::sequence_number).map(str::to_owned);
        let arrival = |record: Option<&StreamRecord>| record.map(|record| clock::time_of(record.created));
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
        let destination = mapping.changed.dead_letters.clone();
        let (function, error) = (mapping.function.clone(), error.to_owned());
        Self { function, destination, body, error, sent_at: clock::epoch_millis() }
    }
}
