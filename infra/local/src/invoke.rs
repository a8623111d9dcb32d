//! Invoking a function the way Lambda does: bytes in, bytes out, within a time.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::time::timeout;

use crate::clock;
use crate::limits::{MAX_PAYLOAD, Refusal};

/// A function that takes an event and gives a result, both JSON.
pub trait Invoke: Send + Sync {
    /// Handles one event. `deadline_ms` is when the function's time is over, in milliseconds since
    /// the Unix epoch. An `Err` is Lambda's function error: it is logged, and clients get fixed
    /// words.
    fn invoke(&self, payload: Vec<u8>, request_id: &str, deadline_ms: u64) -> BoxFuture<'_, Result<Vec<u8>, String>>;
}

/// A function that is ready to run.
#[derive(Clone)]
pub struct Function {
    /// Its name, for the log.
    pub name: String,
    /// How it is invoked.
    pub invoke: Arc<dyn Invoke>,
    /// How long one invocation may take.
    pub timeout: Duration,
}

impl Function {
    /// Invokes the function in a task of its own, so that a panic ends the invocation and nothing
    /// else, and a client that hangs up does not end it.
    ///
    /// Two times bound it. A function that outlives its own is stopped as Lambda stops the
    /// sandbox, which is a function error. One that outlives `patience`, the integration's
    /// time-out, goes on while the client is answered that it timed out.
    pub async fn call(&self, payload: Vec<u8>, request_id: String, patience: Duration) -> Result<Vec<u8>, Refusal> {
        let name = &self.name;
        if payload.len() > MAX_PAYLOAD {
            tracing::warn!(function = name, bytes = payload.len(), "the event is too large");
            return Err(Refusal::TooLarge);
        }
        let deadline = clock::epoch_millis(clock::now()) + millis(self.timeout);
        let invoke = Arc::clone(&self.invoke);
        let mut task = tokio::spawn(async move { invoke.invoke(payload, &request_id, deadline).await });
        let Ok(outcome) = timeout(self.timeout.min(patience), &mut task).await else {
            if patience <= self.timeout {
                tracing::error!(function = name, "the gateway did not wait any longer");
                return Err(Refusal::TimedOut);
            }
            task.abort();
            tracing::error!(function = name, seconds = self.timeout.as_secs_f64(), "timed out");
            return Err(Refusal::FunctionFailed);
        };
        match outcome {
            Ok(Ok(result)) if result.len() > MAX_PAYLOAD => {
                tracing::error!(function = name, bytes = result.len(), "the result is too large");
                Err(Refusal::FunctionFailed)
            }
            Ok(Ok(result)) => Ok(result),
            Ok(Err(error)) => {
                tracing::error!(function = name, error, "the function failed");
                Err(Refusal::FunctionFailed)
            }
            Err(error) => {
                tracing::error!(function = name, %error, "the function panicked");
                Err(Refusal::FunctionFailed)
            }
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
