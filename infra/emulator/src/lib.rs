//! AWS on loopback, for the local run and for tests: DynamoDB, S3, SNS, SQS and KMS on one port, and the reader
//! of `template.yaml`. Nothing here knows the functions or their rules.
//!
//! The endpoints use the services' own protocols, so the ordinary SDK clients need only `AWS_ENDPOINT_URL`. Five
//! features distinguish them from a plain emulator:
//!
//! - **Roles are enforced.** Every function is a [`Principal`] with its own access key. A call that its IAM statements
//!   do not allow is denied as on AWS. The log then shows the missing statement, and [`Endpoints::used_statements`]
//!   shows which statements were used.
//! - **Table changes are delivered.** Event source mappings deliver a table's stream to functions, with filters,
//!   batches and retries as on Lambda.
//! - **Messages of queues are delivered.** The same with messages of SQS queues, which go to a dead-letter queue when they
//!   were received too often.
//! - **Uploads are delivered.** Writing an object delivers the same `ObjectCreated` event that S3 sends to Lambda.
//! - **Faults can be planned.** [`Endpoints::fail_next`] makes the next calls fail as in the real service, which a
//!   plain emulator cannot do.
//!
//! The data are in memory or in a folder; only one process at a time can use the folder. See `endpoints` for the entry
//! point, `serve` for how one port serves several services, and `iam` for the supported part of IAM.

mod answer;
mod authority;
mod clock;
mod credential;
mod delivery;
mod dynamo;
mod endpoints;
mod error;
mod fault;
mod files;
mod hex;
pub mod iam;
mod kms;
mod listen;
mod place;
mod s3;
mod serve;
mod signature;
mod signed;
mod sns;
mod sqs;
pub mod template;

pub use authority::{Denial, Principal, UsedStatement};
pub use delivery::ObjectHandler;
pub use dynamo::{DeadLetter, StreamHandler};
pub use endpoints::{EndpointOptions, Endpoints};
pub use error::Error;
pub use fault::Fault;
pub use place::{ACCOUNT, REGION};
pub use sns::{Notification, Push, Sms};
pub use sqs::{QueueHandler, QueueMessage};
