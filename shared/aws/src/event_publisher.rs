//! Notices as messages of an SNS topic.

use std::sync::Arc;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sns::Client;
use aws_sdk_sns::error::SdkError;
use aws_sdk_sns::operation::publish::PublishError;
use aws_sdk_sns::types::MessageAttributeValue;

use domain::notifications::{EventPublisher, Notice, Taken};
use domain::{Fault, Result};

const DOING: &str = "publishing news";

/// Publishes to one topic.
#[derive(Clone)]
pub struct SnsEventPublisher {
    client: Client,
    arn: Arc<str>,
}

impl SnsEventPublisher {
    /// The topic with this ARN.
    #[must_use]
    pub fn new(sdk: &SdkConfig, arn: &str) -> Self {
        Self { client: Client::new(sdk), arn: arn.into() }
    }
}

#[async_trait]
impl EventPublisher for SnsEventPublisher {
    async fn publish(&self, notice: &Notice) -> Result<Taken> {
        // The SDK retries after a lost response, so a message may be delivered twice. Subscribers recognise this by its
        // id.
        let publish = self.client.publish().topic_arn(&*self.arn).message(&notice.body);
        let publish = publish.message_attributes("type", attribute(notice.kind)?);
        let sent = publish.message_attributes("operation", attribute(notice.operation)?).send().await;
        match sent.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(Taken::Done),
            Err(
                PublishError::InvalidParameterException(_)
                | PublishError::InvalidParameterValueException(_)
                | PublishError::ValidationException(_),
            ) => Ok(Taken::Refused),
            Err(error) => Err(Fault::new(DOING, error).into()),
        }
    }
}

fn attribute(value: &str) -> Result<MessageAttributeValue> {
    let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
    value.map_err(|error| Fault::new(DOING, error).into())
}
