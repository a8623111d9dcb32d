//! What an event source mapping is set to, and what it calls.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::Value;

/// A function invoked with the changes of a table. It gets a whole event as Lambda does (`{"Records": […]}`) and
/// answers what the function answered; `Err` is a failed invocation.
pub type StreamHandler = Arc<dyn Fn(Value) -> BoxFuture<'static, Result<Value, String>> + Send + Sync>;

/// An event source mapping: which changes of a table go to a function, and how. The terms are Lambda's.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// The table's name.
    pub table: String,
    /// The function's name.
    pub function: String,
    /// The mapping's name, alone among those of the function. Its place in the stream is kept under both names.
    pub name: String,
    /// Whether a new mapping begins with what the stream still holds (`TRIM_HORIZON`) instead of with what comes.
    pub from_start: bool,
    /// Records of one invocation at most. How long Lambda waits for a batch to fill is not waited here.
    pub batch_size: usize,
    /// Invocations at once. Records of one partition key are always in the same.
    pub parallelization_factor: usize,
    /// Filter patterns, of which a record must match one; empty for every record.
    pub filters: Vec<Value>,
    /// How often a failed batch is tried again; `None` until its records expire.
    pub retries: Option<usize>,
    /// Seconds after which a record is given up; `None` is when it expires, after a day.
    pub record_age: Option<u64>,
    /// Whether a batch that failed is tried again in two halves.
    pub bisects: bool,
    /// Whether the function's answer says from which record on it failed (`ReportBatchItemFailures`).
    pub reports_failures: bool,
    /// The ARN of the queue that is told of records given up.
    pub dead_letters: Option<String>,
}

impl Mapping {
    /// A mapping of every change with Lambda's defaults, from the start of the stream.
    #[must_use]
    pub fn new(table: &str, function: &str, name: &str) -> Self {
        Self {
            table: table.to_owned(),
            function: function.to_owned(),
            name: name.to_owned(),
            from_start: true,
            batch_size: 100,
            parallelization_factor: 1,
            filters: Vec::new(),
            retries: None,
            record_age: None,
            bisects: false,
            reports_failures: false,
            dead_letters: None,
        }
    }

    /// The name that its place in the stream is kept under.
    pub(super) fn id(&self) -> String {
        format!("{}/{}/{}", self.table, self.function, self.name)
    }
}
