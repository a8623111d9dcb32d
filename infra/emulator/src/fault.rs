//! Fault injection: makes the next calls fail as they would in the real service.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

/// The kind of failure. The SDK receives the same bytes that the service would send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// An error response.
    Error {
        /// The HTTP status.
        status: u16,
        /// The service's error code in the response, for example `SlowDown` (S3), `Throttling` (SNS) or
        /// `ProvisionedThroughputExceededException` (DynamoDB).
        code: String,
        /// The error message.
        message: String,
    },
    /// `TransactWriteItems` or `TransactGetItems`, cancelled because other transactions were using these items, counted
    /// from 0.
    TransactionConflict {
        /// The positions of the items in the request.
        positions: Vec<usize>,
    },
}

impl Fault {
    /// An error response with a general message.
    pub fn error(status: u16, code: impl Into<String>) -> Self {
        Self::Error { status, code: code.into(), message: "This fault was injected.".to_owned() }
    }

    /// DynamoDB: the table's throughput is exceeded. The SDK retries it.
    #[must_use]
    pub fn throughput_exceeded() -> Self {
        Self::error(400, "ProvisionedThroughputExceededException")
    }

    /// DynamoDB: the service failed. The SDK retries it.
    #[must_use]
    pub fn internal_server_error() -> Self {
        Self::error(500, "InternalServerError")
    }

    /// S3: too many requests. The SDK retries it.
    #[must_use]
    pub fn slow_down() -> Self {
        Self::error(503, "SlowDown")
    }

    /// SNS: too many requests. The SDK retries it.
    #[must_use]
    pub fn throttled() -> Self {
        Self::error(400, "Throttling")
    }

    /// SNS: the service failed, the SDK's `InternalErrorException`. The SDK
    /// retries it.
    #[must_use]
    pub fn internal_error() -> Self {
        Self::error(500, "InternalError")
    }

    /// A transaction conflict on one item.
    #[must_use]
    pub fn transaction_conflict(position: usize) -> Self {
        Self::TransactionConflict { positions: vec![position] }
    }

    /// Status and JSON body in DynamoDB's format; `items` is the number of items in the transaction.
    pub(crate) fn dynamo(&self, items: usize) -> (u16, Value) {
        const NAMESPACE: &str = "com.amazonaws.dynamodb.v20120810";
        match self {
            Self::Error { status, code, message } => {
                (*status, json!({"__type": format!("{NAMESPACE}#{code}"), "message": message}))
            }
            Self::TransactionConflict { positions } => {
                let reasons: Vec<Value> = (0..items)
                    .map(|position| {
                        if positions.contains(&position) {
                            let message = "Transaction is ongoing for the item";
                            json!({"Code": "TransactionConflict", "Message": message})
                        } else {
                            json!({"Code": "None"})
                        }
                    })
                    .collect();
                let codes: Vec<&str> = reasons.iter().filter_map(|reason| reason["Code"].as_str()).collect();
                let body = json!({
                    "__type": format!("{NAMESPACE}#TransactionCanceledException"),
                    "Message": format!(
                        "Transaction cancelled, please refer cancellation reasons for specific \
                         reasons [{}]",
                        codes.join(", ")
                    ),
                    "CancellationReasons": reasons,
                });
                (400, body)
            }
        }
    }

    /// Status, code and message for the services with XML responses. A transaction conflict has no meaning there and
    /// becomes an internal error.
    pub(crate) fn xml(&self) -> (u16, &str, &str) {
        match self {
            Self::Error { status, code, message } => (*status, code, message),
            Self::TransactionConflict { .. } => {
                (500, "InternalError", "A transaction conflict was ordered outside DynamoDB.")
            }
        }
    }
}

/// The planned faults.
#[derive(Debug, Default)]
pub struct Faults {
    planned: Mutex<Vec<Planned>>,
}

#[derive(Debug)]
struct Planned {
    call: String,
    /// The number of calls that succeed first.
    spared: usize,
    left: usize,
    fault: Fault,
}

impl Faults {
    /// Makes the next `count` calls named `call` fail. A call is named `service:Operation`, or `service:*` for any
    /// operation of a service.
    pub fn plan(&self, call: &str, count: usize, fault: Fault) {
        self.plan_after(call, 0, count, fault);
    }

    /// The same, after `spared` calls named `call` have succeeded.
    pub fn plan_after(&self, call: &str, spared: usize, count: usize, fault: Fault) {
        let planned = Planned { call: call.to_owned(), spared, left: count, fault };
        self.planned.lock().unwrap_or_else(PoisonError::into_inner).push(planned);
    }

    /// The number of planned faults that have not happened yet.
    pub fn left(&self) -> usize {
        let planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        planned.iter().map(|planned| planned.left).sum()
    }

    /// The planned fault for this call, if there is one; it then counts as happened.
    pub fn take(&self, service: &str, operation: &str) -> Option<Fault> {
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        planned.retain(|fault| fault.left > 0);
        let due = planned.iter_mut().find(|planned| {
            planned.call.split_once(':').is_some_and(|(of, name)| of == service && (name == "*" || name == operation))
        })?;
        if due.spared > 0 {
            due.spared -= 1;
            return None;
        }
        due.left -= 1;
        Some(due.fault.clone())
    }
}
