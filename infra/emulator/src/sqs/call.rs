//! Parses and runs one call.

use std::time::Duration;

use s3s::crypto::{Checksum as _, Md5};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::error::SqsError;
use super::store::QueueMessage;
use super::{Sqs, batch, reply};
use crate::hex::hex;
use crate::template::Queue;

/// The most bytes of a message, and of all messages of a batch (SQS developer guide, "Message quotas").
pub const MAX_MESSAGE: usize = 1024 * 1024;
/// The longest visibility timeout, in seconds.
const LONGEST_TIMEOUT: u32 = 12 * 60 * 60;
/// The longest delay, in seconds.
pub const LONGEST_DELAY: u32 = 15 * 60;
/// The longest time that a call waits for a message, in seconds.
const LONGEST_WAIT: u32 = 20;
/// The most messages that a call receives.
const MAX_RECEIVED: u32 = 10;

/// A parsed call. A field that this endpoint does not support is an error.
pub enum SqsCall {
    Send(SendMessage),
    SendBatch(Batch<SendEntry>),
    Receive(ReceiveMessage),
    Delete(DeleteMessage),
    DeleteBatch(Batch<DeleteEntry>),
    ChangeVisibility(ChangeVisibility),
    GetAttributes(GetAttributes),
    GetUrl(GetUrl),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct SendMessage {
    queue_url: String,
    message_body: String,
    delay_seconds: Option<u32>,
}

/// A call with up to ten entries.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Batch<T> {
    queue_url: String,
    /// The entries; some may fail while others succeed.
    pub entries: Vec<T>,
}

/// A message in a batch.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct SendEntry {
    /// The entry's name in the response.
    pub id: String,
    /// The message.
    pub message_body: String,
    /// Its delay in seconds.
    pub delay_seconds: Option<u32>,
}

/// A message to delete, in a batch.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteEntry {
    /// The entry's name in the response.
    pub id: String,
    /// The message's receipt handle.
    pub receipt_handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ReceiveMessage {
    queue_url: String,
    max_number_of_messages: Option<u32>,
    visibility_timeout: Option<u32>,
    wait_time_seconds: Option<u32>,
    /// The older name of the next field.
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    /// No message has such attributes.
    #[serde(rename = "MessageAttributeNames")]
    _message_attribute_names: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteMessage {
    queue_url: String,
    receipt_handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ChangeVisibility {
    queue_url: String,
    receipt_handle: String,
    visibility_timeout: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetAttributes {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetUrl {
    queue_name: String,
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, SqsError> {
    serde_json::from_slice(body).map_err(|error| SqsError::Parameter(format!("The local SQS endpoint: {error}")))
}

impl SqsCall {
    /// Parses a call.
    pub fn parse(operation: &str, body: &[u8]) -> Result<Self, SqsError> {
        Ok(match operation {
            "SendMessage" => Self::Send(read(body)?),
            "SendMessageBatch" => Self::SendBatch(read(body)?),
            "ReceiveMessage" => Self::Receive(read(body)?),
            "DeleteMessage" => Self::Delete(read(body)?),
            "DeleteMessageBatch" => Self::DeleteBatch(read(body)?),
            "ChangeMessageVisibility" => Self::ChangeVisibility(read(body)?),
            "GetQueueAttributes" => Self::GetAttributes(read(body)?),
            "GetQueueUrl" => Self::GetUrl(read(body)?),
            _ => return Err(SqsError::Unknown),
        })
    }

    /// The name of the call's queue: the last part of the URL, whose host does not matter.
    pub fn queue_name(&self) -> &str {
        let url = match self {
            Self::Send(call) => &call.queue_url,
            Self::SendBatch(call) => &call.queue_url,
            Self::Receive(call) => &call.queue_url,
            Self::Delete(call) => &call.queue_url,
            Self::DeleteBatch(call) => &call.queue_url,
            Self::ChangeVisibility(call) => &call.queue_url,
            Self::GetAttributes(call) => &call.queue_url,
            Self::GetUrl(call) => &call.queue_name,
        };
        url.rsplit('/').next().unwrap_or_default()
    }

    /// The action that a role must allow. A batch needs the permission of the single call.
    pub fn action(&self) -> &'static str {
        match self {
            Self::Send(_) | Self::SendBatch(_) => "sqs:SendMessage",
            Self::Receive(_) => "sqs:ReceiveMessage",
            Self::Delete(_) | Self::DeleteBatch(_) => "sqs:DeleteMessage",
            Self::ChangeVisibility(_) => "sqs:ChangeMessageVisibility",
            Self::GetAttributes(_) => "sqs:GetQueueAttributes",
            Self::GetUrl(_) => "sqs:GetQueueUrl",
        }
    }

    /// Runs the call.
    pub async fn run(self, sqs: &Sqs, queue: &Queue) -> Result<Value, SqsError> {
        match self {
            Self::Send(SendMessage { message_body, delay_seconds, .. }) => {
                check_message(&message_body, delay_seconds)?;
                let delay = delay_seconds.unwrap_or(queue.delay).into();
                let ids = sqs.store.send(&queue.arn, &[(&message_body, delay)], sqs.now())?;
                sqs.wake();
                Ok(json!({"MessageId": ids[0], "MD5OfMessageBody": md5(&message_body)}))
            }
            Self::SendBatch(call) => batch::send(sqs, queue, &call.entries),
            Self::Receive(call) => call.run(sqs, queue).await,
            Self::Delete(call) => {
                delete(sqs, queue, &call.receipt_handle)?;
                Ok(json!({}))
            }
            Self::DeleteBatch(call) => batch::delete(sqs, queue, &call.entries),
            Self::ChangeVisibility(call) => {
                check_receipt(&call.receipt_handle)?;
                within(call.visibility_timeout, 0, LONGEST_TIMEOUT, "VisibilityTimeout")?;
                let now = sqs.now();
                let until = now + u64::from(call.visibility_timeout) * 1_000;
                if !sqs.store.hide(&queue.arn, &call.receipt_handle, until, now)? {
                    return Err(SqsError::NotInFlight);
                }
                sqs.wake();
                Ok(json!({}))
            }
            Self::GetAttributes(call) => {
                let counts = sqs.store.counts(&queue.arn, sqs.now())?;
                let wanted = |name: &str| call.attribute_names.iter().any(|asked| asked == "All" || asked == name);
                let attributes = reply::attributes(queue, counts).into_iter().filter(|(name, _)| wanted(name));
                Ok(json!({"Attributes": attributes.collect::<Map<_, _>>()}))
            }
            Self::GetUrl(_) => Ok(json!({"QueueUrl": queue.url})),
        }
    }
}

impl ReceiveMessage {
    async fn run(self, sqs: &Sqs, queue: &Queue) -> Result<Value, SqsError> {
        let most = self.max_number_of_messages.unwrap_or(1);
        within(most, 1, MAX_RECEIVED, "MaxNumberOfMessages")?;
        let wait = self.wait_time_seconds.unwrap_or(queue.wait);
        within(wait, 0, LONGEST_WAIT, "WaitTimeSeconds")?;
        within(self.visibility_timeout.unwrap_or_default(), 0, LONGEST_TIMEOUT, "VisibilityTimeout")?;
        let deadline = Instant::now() + Duration::from_secs(wait.into());
        let received = sqs.receive(queue, most, self.visibility_timeout, Some(deadline)).await?;
        if received.is_empty() {
            return Ok(json!({}));
        }
        let asked: Vec<_> = self.attribute_names.iter().chain(&self.message_system_attribute_names).collect();
        let wanted = |name: &str| asked.iter().any(|asked| *asked == "All" || *asked == name);
        let message = |message: &QueueMessage| {
            let attributes = reply::system_attributes(message).into_iter().filter(|(name, _)| wanted(name));
            let attributes: Map<_, _> = attributes.collect();
            let mut told = json!({
                "MessageId": message.id, "ReceiptHandle": message.receipt, "Body": message.body,
                "MD5OfBody": md5(&message.body),
            });
            if !attributes.is_empty() {
                told["Attributes"] = Value::Object(attributes);
            }
            told
        };
        Ok(json!({"Messages": received.iter().map(message).collect::<Vec<_>>()}))
    }
}

/// Deletes a message. A receipt handle that is no longer the newest one is not an error.
pub fn delete(sqs: &Sqs, queue: &Queue, receipt: &str) -> Result<(), SqsError> {
    check_receipt(receipt)?;
    if sqs.store.delete(&queue.arn, receipt)? {
        sqs.wake();
    }
    Ok(())
}

/// Checks a message and its delay.
pub fn check_message(body: &str, delay: Option<u32>) -> Result<(), SqsError> {
    if body.is_empty() {
        return Err(SqsError::Parameter("The request must contain the parameter MessageBody.".to_owned()));
    }
    if body.len() > MAX_MESSAGE {
        let words =
            format!("One or more parameters are invalid. Reason: Message must be shorter than {MAX_MESSAGE} bytes.");
        return Err(SqsError::Parameter(words));
    }
    let is_valid = |char: char| matches!(char, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..);
    if !body.chars().all(is_valid) {
        return Err(SqsError::Contents);
    }
    within(delay.unwrap_or_default(), 0, LONGEST_DELAY, "DelaySeconds")
}

/// Checks the form of a receipt handle.
fn check_receipt(receipt: &str) -> Result<(), SqsError> {
    uuid::Uuid::parse_str(receipt).map(drop).map_err(|_| SqsError::Receipt)
}

fn within(value: u32, least: u32, most: u32, name: &str) -> Result<(), SqsError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    let reason = format!("Reason: Must be between {least} and {most}, if provided.");
    Err(SqsError::Parameter(format!("Value {value} for parameter {name} is invalid. {reason}")))
}

/// The MD5 of a message in hexadecimal, which some SDKs check.
pub fn md5(body: &str) -> String {
    hex(&Md5::checksum(body.as_bytes()))
}
