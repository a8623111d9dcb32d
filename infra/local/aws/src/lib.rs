//! DynamoDB, S3, SNS and KMS on one loopback port, for the local run and for tests.
//!
//! The endpoints speak the services' own protocols, so the ordinary SDK
//! clients are configured by `AWS_ENDPOINT_URL` alone. Four things set them
//! apart from a plain emulator:
//!
//! - **Roles are enforced.** Every function is a [`Principal`] with its own
//!   access key, and a call its IAM statements do not allow is refused as AWS
//!   refuses it. The log then shows the statement that is missing, and
//!   [`Endpoints::used_statements`] tells which ones were never needed.
//! - **Changes are announced.** A table's stream goes to functions by event
//!   source mappings, filtered, batched and retried as Lambda does it.
//! - **Uploads are announced.** Writing an object delivers the same
//!   `ObjectCreated` event that S3 sends to Lambda.
//! - **Faults can be ordered.** [`Endpoints::fail_next`] makes the next calls
//!   fail the way the real service fails, which no emulator does by itself.
//!
//! Data lives in memory or in a folder; the folder belongs to one process at
//! a time. See `endpoints` for the entry point, `serve` for how one port
//! serves several services, and `iam` for what is understood of IAM.

mod answer;
mod authority;
mod clock;
mod credential;
mod delivery;
mod dynamo;
mod endpoints;
mod error;
mod fault;
mod hex;
pub mod iam;
mod kms;
mod listen;
mod s3;
mod serve;
mod signature;
mod sns;

pub use authority::{Denial, Principal, UsedStatement};
pub use delivery::Handler;
pub use dynamo::{DeadLetter, Mapping, StreamHandler};
pub use endpoints::{Endpoints, Options};
pub use error::Error;
pub use fault::Fault;
pub use sns::{Notification, Push, Text};

/// The region every local ARN names, and which clients should be set to.
pub const REGION: &str = "us-east-1";

/// The account every local ARN names.
pub const ACCOUNT: &str = "000000000000";
