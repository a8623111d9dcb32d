//! The domain's traits, implemented with S3, SNS, SQS and KMS, and the configuration of all AWS clients.

pub mod bucket_events;
pub mod event_publisher;
pub mod https;
pub mod kms;
pub mod objects;
pub mod push;
pub mod queue;
pub mod queue_events;
pub mod sms;

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;

use crate::https::{InvalidBundle, Trusted};

// How the time-outs fit together (docs/observability.md, "Time-outs"): three attempts of 3 s with their pauses fit into
// the call's 8 s; three calls that use all of their time fit into the request's 25 s (`observe.rs`); Lambda stops the
// function after 29 s, and the gateway waits for 30 s.

/// For establishing a connection.
const CONNECT: Duration = Duration::from_secs(2);
/// For one attempt at a call: long enough for a slow response of a healthy service, and short enough to try again.
const ATTEMPT: Duration = Duration::from_secs(3);
/// For a whole call with its attempts and the pauses between them.
const OPERATION: Duration = Duration::from_secs(8);
const ATTEMPTS: u32 = 3;
/// The pause before the second attempt at a throttled call is random, between zero and this; the maximum doubles for
/// each further attempt. After other failures the SDK starts with a tenth of it.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The maximum length of a pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// A body that stops arriving is given up after this time, because the time-outs above only cover the head of a
/// response.
const STALLED: Duration = Duration::from_secs(5);

/// The SDK's configuration from a function's environment, with time-outs that fit inside the gateway's.
///
/// Lambda sets the region and the credentials as variables. The SDK searches other places (files, the container, the
/// virtual machine) only if they are missing.
pub async fn load<'a>(variable: impl Fn(&str) -> Option<&'a str>) -> Result<SdkConfig, InvalidBundle> {
    let region = variable("AWS_REGION");
    let trusted = Trusted::in_environment(variable("AWS_CA_BUNDLE"), region)?;
    let mut config = aws_config::defaults(BehaviorVersion::latest())
        .http_client(https::client(trusted))
        .timeout_config(timeouts())
        .retry_config(retries())
        .stalled_stream_protection(stalled_streams());
    if let Some(region) = region {
        config = config.region(Region::new(region.to_owned()));
    }
    if let Some((id, secret)) = variable("AWS_ACCESS_KEY_ID").zip(variable("AWS_SECRET_ACCESS_KEY")) {
        let token = variable("AWS_SESSION_TOKEN").map(str::to_owned);
        config = config.credentials_provider(Credentials::new(id, secret, token, None, "environment"));
    }
    Ok(config.load().await)
}

/// The time-outs of every call that may be retried.
#[must_use]
pub fn timeouts() -> TimeoutConfig {
    let attempt = TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(ATTEMPT);
    attempt.operation_attempt_timeout(ATTEMPT).operation_timeout(OPERATION).build()
}

/// The time-outs of a call that is made only once and may use the whole time.
fn once(whole: Duration) -> TimeoutConfig {
    let attempt = TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(whole);
    attempt.operation_attempt_timeout(whole).operation_timeout(whole).build()
}

/// How often a failed call is retried; the SDK chooses random pauses in between, which grow each time.
#[must_use]
pub fn retries() -> RetryConfig {
    let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS);
    retries.with_initial_backoff(FIRST_PAUSE).with_max_backoff(LONGEST_PAUSE)
}

/// How long a body may stop arriving.
#[must_use]
pub fn stalled_streams() -> StalledStreamProtectionConfig {
    StalledStreamProtectionConfig::enabled().grace_period(STALLED).build()
}

#[cfg(test)]
mod sns_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_of_three_slow_calls_ends_before_the_function_does() {
        let limits = timeouts();
        let attempts = ATTEMPT * (ATTEMPTS - 1) + FIRST_PAUSE + LONGEST_PAUSE;
        assert!(attempts < OPERATION, "the last attempt at a call has no time at all");
        assert!(limits.connect_timeout() < limits.read_timeout());
        assert!(OPERATION * 3 < domain::policy::REQUEST_TIMEOUT);
        assert!(domain::policy::REQUEST_TIMEOUT < Duration::from_secs(29));
        assert_eq!((retries().max_attempts(), retries().max_backoff()), (3, LONGEST_PAUSE));
    }
}
