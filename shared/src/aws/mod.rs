//! The domain's traits on AWS. A function links only the parts whose feature it asks for.

#[cfg(feature = "dynamo")]
pub mod dynamo;
pub mod events;
#[cfg(feature = "kms")]
pub mod kms;
#[cfg(feature = "s3")]
pub mod objects;
#[cfg(feature = "sns")]
pub mod pushes;
#[cfg(feature = "dynamo")]
pub mod stream;
#[cfg(feature = "sns")]
pub mod texts;
#[cfg(feature = "sns")]
pub mod topic;
#[cfg(feature = "dynamo")]
mod trips;

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};

/// One attempt at a call: long enough for a slow answer of a healthy service, short enough to try again.
const ATTEMPT: Duration = Duration::from_secs(3);
/// A whole call with its retries: no request makes more than three after one another, and the gateway gives it 30 s.
const OPERATION: Duration = Duration::from_secs(8);
const CONNECT: Duration = Duration::from_secs(2);
const ATTEMPTS: u32 = 3;

/// The SDK's configuration from a function's environment, with time-outs that fit inside the gateway's.
pub async fn load() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts()).retry_config(retries()).load().await
}

/// The time-outs of every call.
#[must_use]
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build()
}

/// How often a failed call is tried again; the SDK waits with jitter in between.
#[must_use]
pub fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS)
}

#[cfg(all(test, feature = "sns"))]
mod sns_tests;
