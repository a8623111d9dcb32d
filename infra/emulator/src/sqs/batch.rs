//! Calls with up to ten entries, each of which succeeds or fails by itself.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Sqs;
use super::call::{DeleteEntry, MAX_MESSAGE, SendEntry, check_message, delete as delete_one, md5};
use super::error::SqsError;
use crate::template::Queue;

/// The most entries of a call.
const MAX_ENTRIES: usize = 10;

/// `SendMessageBatch`.
pub fn send(sqs: &Sqs, queue: &Queue, entries: &[SendEntry]) -> Result<Value, SqsError> {
    check_ids(entries.iter().map(|entry| &*entry.id))?;
    let sent = entries.iter().map(|entry| entry.message_body.len()).sum();
    if sent > MAX_MESSAGE {
        return Err(SqsError::BatchTooLong { sent });
    }
    let (mut accepted, mut failed) = (Vec::new(), Vec::new());
    for entry in entries {
        match check_message(&entry.message_body, entry.delay_seconds) {
            Ok(()) => accepted.push(entry),
            Err(error) => failed.push(failure(&entry.id, &error)),
        }
    }
    let delay = |entry: &SendEntry| u64::from(entry.delay_seconds.unwrap_or(queue.delay));
    let messages: Vec<_> = accepted.iter().map(|entry| (&*entry.message_body, delay(entry))).collect();
    let ids = sqs.store.send(&queue.arn, &messages, sqs.now())?;
    sqs.wake();
    let successful = accepted
        .iter()
        .zip(ids)
        .map(|(entry, id)| json!({"Id": entry.id, "MessageId": id, "MD5OfMessageBody": md5(&entry.message_body)}));
    Ok(json!({"Successful": successful.collect::<Vec<_>>(), "Failed": failed}))
}

/// `DeleteMessageBatch`.
pub fn delete(sqs: &Sqs, queue: &Queue, entries: &[DeleteEntry]) -> Result<Value, SqsError> {
    check_ids(entries.iter().map(|entry| &*entry.id))?;
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in entries {
        match delete_one(sqs, queue, &entry.receipt_handle) {
            Ok(()) => successful.push(json!({"Id": entry.id})),
            Err(error) => failed.push(failure(&entry.id, &error)),
        }
    }
    Ok(json!({"Successful": successful, "Failed": failed}))
}

fn failure(id: &str, error: &SqsError) -> Value {
    let is_ours = matches!(error, SqsError::Storage(_));
    json!({"Id": id, "SenderFault": !is_ours, "Code": error.code(), "Message": error.to_string()})
}

fn check_ids<'a>(ids: impl ExactSizeIterator<Item = &'a str>) -> Result<(), SqsError> {
    if ids.len() == 0 {
        return Err(SqsError::EmptyBatch);
    }
    if ids.len() > MAX_ENTRIES {
        return Err(SqsError::TooManyEntries(ids.len()));
    }
    let is_valid = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_');
    let mut seen = BTreeSet::new();
    for id in ids {
        if id.is_empty() || id.len() > 80 || !id.chars().all(is_valid) {
            return Err(SqsError::EntryId);
        }
        if !seen.insert(id) {
            return Err(SqsError::RepeatedId(id.to_owned()));
        }
    }
    Ok(())
}
