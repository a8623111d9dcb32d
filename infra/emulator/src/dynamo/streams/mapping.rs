//! An event source mapping: a function and the changes it receives.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::Value;

use crate::template::TableChanged;

/// A function that is invoked with the changes of a table. It receives a whole event as Lambda does (`{"Records":
/// […]}`) and returns the function's response; `Err` is a failed invocation.
pub type StreamHandler = Arc<dyn Fn(Value) -> BoxFuture<'static, Result<Value, String>> + Send + Sync>;

/// A function's subscription to the changes of a table.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// The function's name.
    pub function: String,
    /// Which changes it receives, and how.
    pub changed: TableChanged,
}

impl Mapping {
    /// The name under which its position in the stream is stored.
    pub fn id(&self) -> String {
        format!("{}/{}/{}", self.changed.table, self.function, self.changed.name)
    }
}
