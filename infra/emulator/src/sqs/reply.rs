//! The attributes of queues and of messages, as SQS and Lambda write them.

use serde_json::{Value, json};

use super::store::{Counts, QueueMessage};
use crate::place::ACCOUNT;
use crate::template::Queue;

/// The attributes of a queue.
pub fn attributes(queue: &Queue, counts: Counts) -> Vec<(String, Value)> {
    let number = |name: &str, value: u64| (name.to_owned(), Value::from(value.to_string()));
    let mut attributes = vec![
        ("QueueArn".to_owned(), Value::from(&*queue.arn)),
        number("ApproximateNumberOfMessages", counts.visible),
        number("ApproximateNumberOfMessagesNotVisible", counts.in_flight),
        number("ApproximateNumberOfMessagesDelayed", counts.delayed),
        number("VisibilityTimeout", queue.visibility_timeout.into()),
        number("MessageRetentionPeriod", queue.retention.into()),
        number("DelaySeconds", queue.delay.into()),
        number("ReceiveMessageWaitTimeSeconds", queue.wait.into()),
    ];
    if let Some(redrive) = &queue.redrive {
        let policy = json!({"deadLetterTargetArn": redrive.dead_letters, "maxReceiveCount": redrive.max_receives});
        attributes.push(("RedrivePolicy".to_owned(), Value::from(policy.to_string())));
    }
    attributes
}

/// The attributes that SQS gives a received message.
pub fn system_attributes(message: &QueueMessage) -> Vec<(String, Value)> {
    let mut attributes = vec![
        ("SenderId".to_owned(), Value::from(ACCOUNT)),
        ("SentTimestamp".to_owned(), Value::from(message.sent_at.to_string())),
        ("ApproximateReceiveCount".to_owned(), Value::from(message.receives.to_string())),
    ];
    if let Some(first) = message.first_received_at {
        attributes.push(("ApproximateFirstReceiveTimestamp".to_owned(), Value::from(first.to_string())));
    }
    if let Some(source) = &message.source {
        attributes.push(("DeadLetterQueueSourceArn".to_owned(), Value::from(&**source)));
    }
    attributes
}
