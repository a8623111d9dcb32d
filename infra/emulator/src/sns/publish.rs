//! `Publish` and `PublishBatch`: parses them, and stores the messages.

use std::collections::BTreeSet;

use super::Sns;
use super::error::SnsError;
use super::form::Form;
use super::message::{LONGEST, Message};
use super::sent::{Notification, Push, Text};
use crate::clock;

/// The most messages in a batch.
const LARGEST_BATCH: usize = 10;

/// The target of a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Target {
    /// A phone number in E.164 form.
    Phone(String),
    /// A topic.
    Topic(String),
    /// A topic or a platform endpoint.
    Any(String),
}

impl Target {
    /// Reads the target of a call.
    pub fn read(form: &Form) -> Result<Self, SnsError> {
        let text = |name: &str| form.get(name).map(str::to_owned);
        match (text("PhoneNumber"), text("TopicArn"), text("TargetArn")) {
            (Some(phone), None, None) if is_e164(&phone) => Ok(Self::Phone(phone)),
            (Some(phone), None, None) => {
                Err(SnsError::Parameter(format!("PhoneNumber Reason: {phone} is not valid to publish to")))
            }
            (None, Some(topic), None) => Ok(Self::Topic(topic)),
            (None, None, Some(any)) => Ok(Self::Any(any)),
            _ => Err(SnsError::parameter("TopicArn or TargetArn Reason: no value for required parameter")),
        }
    }

    /// The resource that a role must allow. A text has no resource, so only `*` (or `NotResource`) allows it.
    pub fn resource(&self) -> &str {
        match self {
            Self::Phone(_) => "*",
            Self::Topic(arn) | Self::Any(arn) => arn,
        }
    }
}

impl Sns {
    /// Stores a message and returns its id.
    pub(super) fn publish(&self, target: Target, message: Message) -> Result<String, SnsError> {
        match target {
            Target::Phone(phone) => self.text(phone, message),
            Target::Any(arn) if arn.contains(":endpoint/") => self.push(arn, message),
            Target::Topic(topic) | Target::Any(topic) => self.notify(topic, message),
        }
    }

    /// Stores the messages of a batch and returns their names and ids. If one is malformed, all fail.
    pub(super) fn publish_batch(&self, topic: &str, form: &Form) -> Result<Vec<(String, String)>, SnsError> {
        let entries = form.members("PublishBatchRequestEntries.member");
        if entries.is_empty() {
            return Err(SnsError::Batch(
                "EmptyBatchRequest",
                "The batch request doesn't contain any entries.".to_owned(),
            ));
        }
        if entries.len() > LARGEST_BATCH {
            let words = "The batch request contains more entries than permissible.";
            return Err(SnsError::Batch("TooManyEntriesInBatchRequest", words.to_owned()));
        }
        let names: Vec<String> =
            entries.iter().map(|entry| form.get(&format!("{entry}Id")).unwrap_or_default().to_owned()).collect();
        if names.iter().collect::<BTreeSet<_>>().len() < names.len() {
            let words = "Two or more batch entries in the request have the same Id.";
            return Err(SnsError::Batch("BatchEntryIdsNotDistinct", words.to_owned()));
        }
        let messages: Vec<Message> =
            entries.iter().map(|entry| Message::read(form, entry)).collect::<Result<_, _>>()?;
        if messages.iter().map(|message| message.length).sum::<usize>() > LONGEST {
            let words = "The length of all the batch messages put together is more than the limit.";
            return Err(SnsError::Batch("BatchRequestTooLong", words.to_owned()));
        }
        let kept = names.into_iter().zip(messages);
        kept.map(|(name, message)| Ok((name, self.notify(topic.to_owned(), message)?))).collect()
    }

    fn text(&self, phone: String, message: Message) -> Result<String, SnsError> {
        let (body, attributes) = message.for_phone()?;
        let message_id = clock::random_id();
        let sent_at = clock::epoch_millis();
        self.texts.keep(Text { phone, body, sent_at, message_id: message_id.clone(), attributes })?;
        Ok(message_id)
    }

    fn notify(&self, topic: String, mut message: Message) -> Result<String, SnsError> {
        if !self.has_topic(&topic) {
            return Err(SnsError::Missing("Topic"));
        }
        let (subject, attributes) = (message.subject.take(), std::mem::take(&mut message.attributes));
        let (message, message_id) = (message.for_all()?, clock::random_id());
        let sent_at = clock::epoch_millis();
        let notification =
            Notification { topic, message, subject, attributes, sent_at, message_id: message_id.clone() };
        self.notifications.keep(notification)?;
        Ok(message_id)
    }

    fn push(&self, endpoint: String, message: Message) -> Result<String, SnsError> {
        let (platform, token) = self.platforms.address(&endpoint)?;
        let payload = message.for_platform(&platform)?;
        let (sent_at, message_id) = (clock::epoch_millis(), clock::random_id());
        self.pushes.keep(Push { endpoint, platform, token, payload, sent_at, message_id: message_id.clone() })?;
        Ok(message_id)
    }
}

/// ITU-T E.164: at most 15 digits, no leading zero. SNS also accepts numbers without the plus.
fn is_e164(phone: &str) -> bool {
    let digits = phone.strip_prefix('+').unwrap_or(phone);
    (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{Form, SnsError, Target};

    #[test]
    fn a_message_goes_to_one_place() {
        let read = |fields: [(&str, &str); 2]| Target::read(&Form::from(fields));
        let none = ("Message", "hi");
        assert_eq!(read([("PhoneNumber", "+8613800138000"), none]), Ok(Target::Phone("+8613800138000".into())));
        assert_eq!(read([("TopicArn", "arn:t"), none]), Ok(Target::Topic("arn:t".into())));
        assert_eq!(read([("TargetArn", "arn:e"), none]), Ok(Target::Any("arn:e".into())));
        for fields in [
            [none, ("Subject", "s")],
            [("PhoneNumber", "+8613800138000"), ("TopicArn", "arn:x")],
            [("TargetArn", "arn:e"), ("TopicArn", "arn:x")],
            [("PhoneNumber", "+0123456789"), none],
            [("PhoneNumber", "call me"), none],
        ] {
            assert!(matches!(read(fields), Err(SnsError::Parameter(_))), "{fields:?}");
        }
    }
}
