//! Messages that SNS would have sent: texts, messages of topics, and pushes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A text message that SNS would have sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sms {
    /// The phone number it was published to, in E.164 form.
    pub phone: String,
    /// The text.
    pub body: String,
    /// The time, in milliseconds since the Unix epoch.
    pub sent_at: u64,
    /// The id that `Publish` returned.
    pub message_id: String,
    /// The values of the message attributes, for example of `AWS.SNS.SMS.SMSType`.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
}

/// A message that the subscribers of a topic would have received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// The topic's ARN.
    pub topic: String,
    /// The message.
    pub message: String,
    /// The values of the message attributes.
    pub attributes: BTreeMap<String, String>,
    /// The time, in milliseconds since the Unix epoch.
    pub sent_at: u64,
    /// The id that `Publish` returned.
    pub message_id: String,
}

/// A push that a device would have received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    /// The ARN of the device's endpoint.
    pub endpoint: String,
    /// The service, as the application's ARN names it: `APNS`, `GCM`, ….
    pub platform: String,
    /// The device's token.
    pub token: String,
    /// The payload for the push service.
    pub payload: String,
    /// The time, in milliseconds since the Unix epoch.
    pub sent_at: u64,
    /// The id that `Publish` returned.
    pub message_id: String,
}
