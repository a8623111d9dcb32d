//! The telemetry of a function: log lines, metrics, and the round trips of each request to the table.
//!
//! This crate knows nothing of the rest. The time and the ids of an invocation are arguments.

pub mod invocation;
mod log;
pub mod metrics;
pub mod round_trips;

pub use self::log::{JsonLines, log_json};
