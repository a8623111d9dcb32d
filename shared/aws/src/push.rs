//! Push notifications through SNS platform applications, in which every device has an endpoint.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_sns::Client;
use aws_sdk_sns::error::ProvideErrorMetadata;
use aws_sdk_sns::operation::create_platform_endpoint::CreatePlatformEndpointError;
use aws_sdk_sns::operation::publish::PublishError;
use serde_json::json;

use domain::notifications::{Device, Platform, PushEndpoints, PushSender, Pushed};
use domain::{Fault, Result as DomainResult};

/// There is only one attempt, because a second one after a lost response would show the same notification twice.
const CALL: Duration = Duration::from_secs(3);
/// How many endpoints are kept in memory, about 2 MB.
const REMEMBERED: usize = 4_096;
/// The text for a device whose service has no payload. There is no such service.
const DEFAULT: &str = "There is news.";

/// Sends pushes to devices of the platforms that have an application.
#[derive(Clone)]
pub struct SnsPushSender {
    client: Client,
    apple: Option<Arc<str>>,
    google: Option<Arc<str>>,
    endpoints: Arc<Mutex<Endpoints>>,
}

impl SnsPushSender {
    /// With the platform applications of Apple's and Google's services, by their ARNs. A platform without one gets no
    /// pushes.
    #[must_use]
    pub fn new(sdk: &SdkConfig, apple: Option<&str>, google: Option<&str>) -> Self {
        let config = aws_sdk_sns::config::Builder::from(sdk).retry_config(RetryConfig::disabled());
        Self {
            client: Client::from_conf(config.timeout_config(super::once(CALL)).build()),
            apple: apple.map(Arc::from),
            google: google.map(Arc::from),
            endpoints: Arc::default(),
        }
    }

    fn application(&self, platform: Platform) -> Option<&Arc<str>> {
        match platform {
            Platform::Apple => self.apple.as_ref(),
            Platform::Google => self.google.as_ref(),
        }
    }

    /// The device's endpoint, which is created if there is none. Creating it again returns the same one.
    async fn endpoint(&self, device: &Device) -> Result<Arc<str>, Pushed> {
        if let Some(known) = self.endpoints().find(device) {
            return Ok(known);
        }
        let application = self.application(device.platform).ok_or(Pushed::Failed)?;
        let create = self.client.create_platform_endpoint().platform_application_arn(&**application);
        let made = create.token(&device.token).send().await.map_err(|error| match error.into_service_error() {
            // The service's message quotes the token, so no part of it is logged.
            CreatePlatformEndpointError::InvalidParameterException(_) => Pushed::Gone,
            CreatePlatformEndpointError::AuthorizationErrorException(_)
            | CreatePlatformEndpointError::NotFoundException(_) => Pushed::Failed,
            _ => Pushed::Unsent,
        })?;
        let endpoint: Arc<str> = made.endpoint_arn.ok_or(Pushed::Failed)?.into();
        self.endpoints().remember(device, &endpoint);
        Ok(endpoint)
    }

    fn endpoints(&self) -> std::sync::MutexGuard<'_, Endpoints> {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(&self, device: &Device, payload: &str) -> Result<(), Pushed> {
        let endpoint = self.endpoint(device).await?;
        let publish = self.client.publish().target_arn(&*endpoint).message_structure("json");
        let sent = publish.message(message(device.platform, payload)).send().await;
        sent.map(drop).map_err(|error| match error.into_service_error() {
            PublishError::EndpointDisabledException(_)
            | PublishError::InvalidParameterException(_)
            | PublishError::InvalidParameterValueException(_)
            | PublishError::NotFoundException(_) => {
                // The endpoint was deleted without our knowledge. It is created again next time.
                self.endpoints().forget(device);
                Pushed::Gone
            }
            other if matches!(other.code(), Some("Throttled" | "Throttling" | "ThrottlingException")) => Pushed::Unsent,
            // After a lost response or an error of the service, it may have been sent.
            _ => Pushed::Failed,
        })
    }
}

#[async_trait]
impl PushSender for SnsPushSender {
    fn reaches(&self, platform: Platform) -> bool {
        self.application(platform).is_some()
    }

    async fn push(&self, device: &Device, payload: &str) -> Pushed {
        self.send(device, payload).await.err().unwrap_or(Pushed::Sent)
    }
}

#[async_trait]
impl PushEndpoints for SnsPushSender {
    async fn forget(&self, device: &Device) -> DomainResult<()> {
        if self.application(device.platform).is_none() {
            return Ok(());
        }
        // Nobody stores the endpoint of a device, and asking for it is the same call as creating it.
        let endpoint = match self.endpoint(device).await {
            Ok(endpoint) => endpoint,
            // The application is gone, or is not ours any more: then so are its endpoints.
            Err(Pushed::Gone | Pushed::Failed) => return Ok(()),
            Err(_) => return Err(Fault::new("forgetting a device", "its endpoint could not be found").into()),
        };
        self.endpoints().forget(device);
        let deleted = self.client.delete_endpoint().endpoint_arn(&*endpoint).send().await;
        // The service's message may quote the token, so it is not part of the fault.
        deleted.map(drop).map_err(|_| Fault::new("forgetting a device", "its endpoint could not be deleted").into())
    }
}

/// The message to an endpoint: a payload for each service that may reach it, and the default that SNS requires.
fn message(platform: Platform, payload: &str) -> String {
    match platform {
        Platform::Apple => json!({ "default": DEFAULT, "APNS": payload, "APNS_SANDBOX": payload }),
        Platform::Google => json!({ "default": DEFAULT, "GCM": payload }),
    }
    .to_string()
}

/// The endpoints of recently used devices.
#[derive(Default)]
struct Endpoints(HashMap<Device, Arc<str>>);

impl Endpoints {
    fn find(&self, device: &Device) -> Option<Arc<str>> {
        self.0.get(device).cloned()
    }

    fn remember(&mut self, device: &Device, endpoint: &Arc<str>) {
        if self.0.len() >= REMEMBERED {
            // All of them are cheap to look up again, so it does not matter which ones are dropped.
            self.0.clear();
        }
        self.0.insert(device.clone(), Arc::clone(endpoint));
    }

    fn forget(&mut self, device: &Device) {
        self.0.remove(device);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_a_payload_for_each_service_and_a_default() {
        let message = |platform| message(platform, r#"{"aps":{}}"#);
        assert_eq!(
            message(Platform::Apple),
            r#"{"APNS":"{\"aps\":{}}","APNS_SANDBOX":"{\"aps\":{}}","default":"There is news."}"#
        );
        assert_eq!(message(Platform::Google), r#"{"GCM":"{\"aps\":{}}","default":"There is news."}"#);
    }

    #[test]
    fn only_so_many_endpoints_are_remembered() {
        let mut endpoints = Endpoints::default();
        let device = |number: usize| Device { platform: Platform::Google, token: number.to_string() };
        for number in 0..=2 * REMEMBERED {
            endpoints.remember(&device(number), &Arc::from(number.to_string()));
            assert!(endpoints.0.len() <= REMEMBERED);
        }
        assert_eq!(endpoints.find(&device(2 * REMEMBERED)).as_deref(), Some("8192"));
        assert_eq!(endpoints.find(&device(0)), None);
        endpoints.forget(&device(2 * REMEMBERED));
        assert_eq!(endpoints.find(&device(2 * REMEMBERED)), None);
    }
}
