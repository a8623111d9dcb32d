//! The code that all functions share.
//!
//! Dependencies only point down this list: [`http`] (response formats, extractors, error responses), [`aws`] (the
//! domain's traits with DynamoDB, S3 and SNS) and `outgoing` (the domain's traits with other services) use [`domain`]
//! (the rules; it uses neither AWS nor HTTP). A function's `main` needs [`lambda`] and [`config`] to start.

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
