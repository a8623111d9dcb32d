//! Text messages by SNS.

use std::sync::Arc;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;

use crate::config::Env;
use crate::domain::codes::Texts;
use crate::domain::phone::Phone;
use crate::domain::{Error, Result};

/// Sends text messages through SNS.
#[derive(Clone)]
pub struct SnsTexts {
    client: Client,
    sender: Option<Arc<str>>,
}

impl SnsTexts {
    /// With the sender id of `SMS_SENDER_ID`, where one is set.
    #[must_use]
    pub fn new(sdk: &SdkConfig, env: &Env) -> Self {
        Self { client: Client::new(sdk), sender: env.optional("SMS_SENDER_ID").map(Arc::from) }
    }
}

#[async_trait]
impl Texts for SnsTexts {
    async fn send(&self, phone: &Phone, body: &str) -> Result<()> {
        let mut publish = self.client.publish().phone_number(phone.e164()).message(body);
        // A code that comes late is worth nothing, so it is never sent as promotional.
        publish = publish.message_attributes("AWS.SNS.SMS.SMSType", text("Transactional")?);
        if let Some(sender) = &self.sender {
            publish = publish.message_attributes("AWS.SNS.SMS.SenderID", text(sender)?);
        }
        publish.send().await.map(|_| ()).map_err(|error| {
            // The service's message may quote the number, so only its code is told.
            let code = aws_sdk_sns::error::ProvideErrorMetadata::code(&error).unwrap_or("no answer");
            tracing::warn!(event = "text_refused", code, "SNS did not take a text message");
            Error::TextNotSent
        })
    }
}

fn text(value: &str) -> Result<MessageAttributeValue> {
    let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
    value.map_err(|error| crate::domain::Fault::new("writing a text message's attributes", error).into())
}
