//! The settings of an event source mapping, and its function.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::Value;

/// A function that is invoked with the changes of a table. It receives a whole event as Lambda does (`{"Records":
/// […]}`) and returns the function's response; `Err` is a failed invocation.
pub type StreamHandler = Arc<dyn Fn(Value) -> BoxFuture<'static, Result<Value, String>> + Send + Sync>;

/// An event source mapping: which changes of a table a function receives, and how. The terms are Lambda's.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// The table's name.
    pub table: String,
    /// The function's name.
    pub function: String,
    /// The mapping's name, unique among those of the function. Its position in the stream is stored under both names.
    pub name: String,
    /// Whether a new mapping starts with the oldest record in the stream (`TRIM_HORIZON`) instead of the next new one.
    pub from_start: bool,
    /// The most records in one invocation. The batching window of Lambda does not exist here.
    pub batch_size: usize,
    /// The number of parallel invocations. All records of a partition key are in the same one.
    pub parallelization_factor: usize,
    /// Filter patterns, at least one of which must match a record; empty to match every record.
    pub filters: Vec<Value>,
    /// The number of retries of a failed batch; `None` means until its records expire.
    pub retries: Option<usize>,
    /// Age in seconds at which a record is dropped; `None` means when it expires, after a day.
    pub record_age: Option<u64>,
    /// Whether a failed batch is split in two halves before it is tried again.
    pub bisects: bool,
    /// Whether the function's response names the first failed record (`ReportBatchItemFailures`).
    pub reports_failures: bool,
    /// The ARN of the queue for dropped records.
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

    /// The name under which its position in the stream is stored.
    pub(super) fn id(&self) -> String {
        format!("{}/{}/{}", self.table, self.function, self.name)
    }
}
