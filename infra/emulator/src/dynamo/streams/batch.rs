//! Delivers one batch to a function until every record has succeeded or was dropped.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use serde_json::{Value, json};

use super::letters::{DeadLetter, Letters, Reason};
use super::mapping::{Mapping, StreamHandler};
use super::source::{Source, StreamRecord};
use crate::clock;

/// The pause before the first retry of a batch; each later pause is twice as long. Lambda's pauses are too long for a
/// developer's machine.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The age at which a record leaves the stream, in seconds. DynamoDB keeps records for a day.
pub const KEPT_FOR: u64 = 24 * 60 * 60;

/// Delivers the batches of one mapping.
pub struct Courier {
    /// The mapping's settings.
    pub mapping: Mapping,
    /// The stream.
    pub source: Source,
    /// The function.
    pub handler: StreamHandler,
    /// The queue for dropped records.
    pub letters: Arc<Letters>,
}

/// A part of a batch, and its state.
struct Part {
    records: Vec<StreamRecord>,
    /// Attempts that count as retries.
    attempts: u32,
    /// The error of the last attempt.
    error: String,
}

/// A failed invocation: the first failed record, and the error.
struct Failure {
    from: usize,
    error: String,
}

impl Courier {
    /// Delivers a batch in order. Returns when every record has succeeded or was dropped.
    pub async fn deliver(&self, batch: Vec<StreamRecord>) {
        // The parts of the batch in reverse order: the next one is last.
        let mut parts = vec![Part { records: batch, attempts: 0, error: String::new() }];
        let mut pause = FIRST_PAUSE;
        while let Some(mut part) = parts.pop() {
            self.give_up_old(&mut part);
            if part.records.is_empty() {
                continue;
            }
            let Err(failure) = self.invoke(&part.records).await else {
                pause = FIRST_PAUSE;
                continue;
            };
            tracing::warn!(function = self.mapping.function, error = failure.error, "a batch of changes failed");
            part.records.drain(..failure.from);
            part.error = failure.error;
            if self.mapping.changed.bisects && failure.from > 0 {
                // The function reported where it failed; the rest is delivered again, which does not count as a retry.
                parts.push(part);
            } else if self.mapping.changed.bisects && part.records.len() > 1 {
                let rest = part.records.split_off(part.records.len() / 2);
                parts.push(Part { records: rest, attempts: part.attempts, error: part.error.clone() });
                parts.push(part);
            } else {
                part.attempts += 1;
                if self.mapping.changed.retries.is_some_and(|retries| part.attempts > retries) {
                    self.give_up(&part.records, (Reason::Retries, part.attempts, &part.error));
                    continue;
                }
                parts.push(part);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn invoke(&self, records: &[StreamRecord]) -> Result<(), Failure> {
        let events: Vec<&Value> = records.iter().map(|record| &record.event).collect();
        let event = json!({"Records": events});
        // A panic in the function counts as a failure.
        let call = AssertUnwindSafe(async { (self.handler)(event).await }).catch_unwind();
        match call.await {
            Ok(Ok(answer)) if self.mapping.changed.reports_failures => reported(&answer, records),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Failure { from: 0, error }),
            Err(_) => Err(Failure { from: 0, error: "the function panicked".to_owned() }),
        }
    }

    /// Drops the records at the front that are too old.
    fn give_up_old(&self, part: &mut Part) {
        let allowed = self.mapping.changed.record_age.map_or(KEPT_FOR, u64::from).min(KEPT_FOR);
        let now = clock::epoch_millis() / 1_000;
        let old = part.records.iter().take_while(|record| now.saturating_sub(record.created) > allowed).count();
        if old > 0 {
            let old: Vec<StreamRecord> = part.records.drain(..old).collect();
            self.give_up(&old, (Reason::Age, part.attempts, &part.error));
        }
    }

    fn give_up(&self, records: &[StreamRecord], why: (Reason, u32, &str)) {
        self.letters.keep(DeadLetter::about(&self.mapping, &self.source, records, why));
    }
}

/// Returns an error with the first record that the function reports as failed.
///
/// From the Lambda developer guide, "Configuring partial batch response with DynamoDB and Lambda": a response without
/// failures is a success; a response that names an unknown record is a failure of the whole batch; if it names several
/// records, the first counts.
fn reported(answer: &Value, records: &[StreamRecord]) -> Result<(), Failure> {
    let failures = match answer.get("batchItemFailures") {
        None | Some(Value::Null) => return Ok(()),
        Some(failures) => failures.as_array(),
    };
    let Some(failures) = failures else {
        return Err(Failure { from: 0, error: "batchItemFailures is no list".to_owned() });
    };
    let position = |failure: &Value| {
        let named = failure["itemIdentifier"].as_str()?;
        records.iter().position(|record| record.sequence_number() == named)
    };
    let positions: Option<Vec<usize>> = failures.iter().map(position).collect();
    match positions.map(|positions| positions.into_iter().min()) {
        Some(None) => Ok(()),
        Some(Some(from)) => Err(Failure { from, error: "reported by the function".to_owned() }),
        None => Err(Failure { from: 0, error: "batchItemFailures names no record of the batch".to_owned() }),
    }
}
