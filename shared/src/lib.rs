//! What every function shares.
//!
//! Three layers, and dependencies only point down this list: [`http`] (envelopes, extractors, errors on the wire),
//! [`aws`] (DynamoDB, S3 and SNS behind the domain's traits) and `outgoing` (other services behind the same) use
//! [`domain`] (rules; neither AWS nor HTTP).
//! [`lambda`] and [`config`] are what a function's `main` needs to start.

pub mod aws;
pub mod config;
pub mod crypto;
pub mod domain;
pub mod http;
pub mod lambda;
pub mod metrics;
pub mod observe;
#[cfg(feature = "outgoing")]
pub mod outgoing;
pub mod trips;
