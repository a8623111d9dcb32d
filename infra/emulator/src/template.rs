//! Reads `template.yaml`, the AWS SAM template that is the single source of truth.
//!
//! A [`Template`] is the parsed file. With a [`Deployment`] (parameter values, region, names) it is resolved to a
//! [`Stack`]: functions with their environment, permissions and routes, tables, buckets, secrets, keys, topics, queues
//! and the gateway's CORS rules, without intrinsics.
//!
//! It reads only what the local run and the tests need, and ignores the rest of the file. If a part that it needs has
//! an unsupported form, the result is an [`Error`] with the place: a permission or a route that was silently skipped
//! would only be noticed after deployment.

mod document;
mod dynamic;
mod error;
mod events;
mod function;
mod intrinsics;
mod model;
mod parameters;
mod physical;
mod queues;
mod secret;
mod shape;
mod stack;
mod streams;
mod yaml;

pub use document::Template;
pub use error::Error;
pub use model::{
    Bucket, Cors, Deployment, Function, Key, ObjectCreated, OtherEvent, Queue, QueueEvents, Redrive, Route, Stack,
    Table, TableChanged, Topic,
};
pub use parameters::Parameter;
pub use secret::Secret;
