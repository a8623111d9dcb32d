//! SQS queues, and subscriptions to their messages.
//!
//! Sources: the CloudFormation reference, `AWS::SQS::Queue`; the SAM specification, `SQS` event source; and the Lambda
//! developer guide's parameters of event source mappings for SQS.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::error::Error;
use super::model::{Function, Queue, QueueEvents, Redrive};
use super::{shape, streams};

/// The properties of a queue that are supported. Those of encryption, and tags, have no effect here.
const OF_QUEUE: [&str; 10] = [
    "DelaySeconds",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "MessageRetentionPeriod",
    "QueueName",
    "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
    "Tags",
    "VisibilityTimeout",
];

/// The properties of an event that are supported. How long Lambda waits for a batch to fill, and its metrics, have no
/// effect here.
const OF_EVENT: [&str; 7] = [
    "BatchSize",
    "Enabled",
    "FunctionResponseTypes",
    "MaximumBatchingWindowInSeconds",
    "MetricsConfig",
    "Queue",
    "ScalingConfig",
];

/// The largest batch without a time to wait for it.
const LARGEST_IMMEDIATE_BATCH: u32 = 10;

/// Reads a queue from its resolved properties.
pub(super) fn queue(id: &str, arn: String, url: String, properties: &Value) -> Result<Queue, Error> {
    let place = format!("Resources.{id}.Properties");
    check_names(properties, &OF_QUEUE, &place)?;
    let seconds = |key: &str, bounds: RangeInclusive<u32>, default: u32| {
        streams::within(properties, key, bounds, &place).map(|given| given.unwrap_or(default))
    };
    Ok(Queue {
        logical_id: id.to_owned(),
        arn,
        url,
        visibility_timeout: seconds("VisibilityTimeout", 0..=43_200, 30)?,
        retention: seconds("MessageRetentionPeriod", 60..=1_209_600, 345_600)?,
        delay: seconds("DelaySeconds", 0..=900, 0)?,
        wait: seconds("ReceiveMessageWaitTimeSeconds", 0..=20, 0)?,
        redrive: redrive(properties, &place)?,
    })
}

fn redrive(properties: &Value, place: &str) -> Result<Option<Redrive>, Error> {
    let Some(policy) = properties.get("RedrivePolicy") else { return Ok(None) };
    let place = format!("{place}.RedrivePolicy");
    let target =
        policy.get("deadLetterTargetArn").ok_or_else(|| Error::new(&place, "deadLetterTargetArn is missing"))?;
    let most = streams::within(policy, "maxReceiveCount", 1..=1_000, &place)?;
    let max_receives = most.ok_or_else(|| Error::new(&place, "maxReceiveCount is missing"))?;
    Ok(Some(Redrive { dead_letters: shape::text(target, &place)?, max_receives }))
}

/// Reads the resolved properties of an `SQS` event; `None` if it is switched off.
pub(super) fn subscription(name: &str, properties: &Value, place: &str) -> Result<Option<QueueEvents>, Error> {
    check_names(properties, &OF_EVENT, place)?;
    if let Some(enabled) = properties.get("Enabled")
        && !shape::boolean(enabled, place)?
    {
        return Ok(None);
    }
    let queue = properties.get("Queue").ok_or_else(|| Error::new(place, "Queue is missing"))?;
    let window = streams::within(properties, "MaximumBatchingWindowInSeconds", 0..=300, place)?.unwrap_or_default();
    let batch_size = streams::within(properties, "BatchSize", 1..=10_000, place)?.unwrap_or(10);
    if batch_size > LARGEST_IMMEDIATE_BATCH && window == 0 {
        return Err(Error::new(place, "a BatchSize above 10 needs MaximumBatchingWindowInSeconds"));
    }
    let max_concurrency = match properties.get("ScalingConfig") {
        Some(scaling) => streams::within(scaling, "MaximumConcurrency", 2..=1_000, place)?,
        None => None,
    };
    Ok(Some(QueueEvents {
        name: name.to_owned(),
        queue: shape::text(queue, place)?,
        batch_size,
        max_concurrency,
        reports_failures: streams::reports_failures(properties, place)?,
    }))
}

/// Checks what Lambda and SQS check when they are deployed: every named queue exists, and no message becomes visible
/// again while its function may still work on it.
pub(super) fn check(functions: &[Function], queues: &[Queue]) -> Result<(), Error> {
    let find = |arn: &str, place: &str| {
        let found = queues.iter().find(|queue| queue.arn == arn);
        found.ok_or_else(|| Error::new(place, format!("there is no queue {arn}")))
    };
    for queue in queues {
        if let Some(redrive) = &queue.redrive {
            find(&redrive.dead_letters, &format!("Resources.{}.Properties.RedrivePolicy", queue.logical_id))?;
        }
    }
    for function in functions {
        for events in &function.queue_events {
            let place = format!("Resources.{}.Properties.Events.{}", function.logical_id, events.name);
            let queue = find(&events.queue, &place)?;
            if queue.visibility_timeout < function.timeout {
                let reason =
                    format!("the VisibilityTimeout of {} is shorter than the function's Timeout", queue.logical_id);
                return Err(Error::new(place, reason));
            }
        }
    }
    Ok(())
}

fn check_names(properties: &Value, known: &[&str], place: &str) -> Result<(), Error> {
    let mut given = shape::object(Some(properties), place)?.into_iter().flatten();
    match given.find(|(name, _)| !known.contains(&name.as_str())) {
        Some((unknown, _)) => Err(Error::new(place, format!("the property {unknown} is not understood"))),
        None => Ok(()),
    }
}
