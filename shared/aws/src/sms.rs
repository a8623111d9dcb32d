//! Text messages through SNS.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_sns::Client;
use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sns::types::MessageAttributeValue;

use domain::codes::SmsSender;
use domain::phone::Phone;
use domain::{Error, Fault, Result};

/// Publishing is not idempotent: a second attempt after a lost response would send, and cost, a second text. So there
/// is only one attempt, and it may use the whole time.
const PUBLISH: Duration = Duration::from_secs(8);

/// Sends text messages through SNS.
#[derive(Clone)]
pub struct SnsSmsSender {
    client: Client,
    sender: Option<Arc<str>>,
}

impl SnsSmsSender {
    /// With a sender id, if there is one.
    #[must_use]
    pub fn new(sdk: &SdkConfig, sender: Option<&str>) -> Self {
        let config = aws_sdk_sns::config::Builder::from(sdk).retry_config(RetryConfig::disabled());
        let client = Client::from_conf(config.timeout_config(super::once(PUBLISH)).build());
        Self { client, sender: sender.map(Arc::from) }
    }
}

#[async_trait]
impl SmsSender for SnsSmsSender {
    async fn send(&self, phone: &Phone, body: &str) -> Result<()> {
        let mut publish = self.client.publish().phone_number(phone.e164()).message(body);
        // A code that arrives late is worthless, so it is never sent as promotional.
        publish = publish.message_attributes("AWS.SNS.SMS.SMSType", text("Transactional")?);
        if let Some(sender) = &self.sender {
            publish = publish.message_attributes("AWS.SNS.SMS.SenderID", text(sender)?);
        }
        let Err(error) = publish.send().await else { return Ok(()) };
        match &error {
            SdkError::ServiceError(refused) => {
                // The service's message may quote the number, so only its error code is logged.
                let code = refused.err().code().unwrap_or("unknown");
                tracing::warn!(event = "text_refused", code, "SNS refused a text message");
                Err(Error::TextNotSent)
            }
            // It is unknown whether SNS accepted the text, so it stays counted.
            _ => Err(Fault::new("sending a text message", "SNS gave no answer").into()),
        }
    }
}

fn text(value: &str) -> Result<MessageAttributeValue> {
    let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
    value.map_err(|error| Fault::new("writing a text message's attributes", error).into())
}
