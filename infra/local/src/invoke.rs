//! Invokes a function as Lambda does: bytes in, bytes out, with a time limit.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::time::timeout;

use crate::clock;
use crate::limits::{LimitExceeded, MAX_PAYLOAD};

/// A function that takes an event and returns a result, both JSON.
pub trait Invoke: Send + Sync {
    /// Handles one event. `deadline_ms` is the end of the function's time, in milliseconds since the Unix epoch. An
    /// `Err` is Lambda's function error: it is logged, and clients get a fixed message.
    fn invoke(&self, payload: Vec<u8>, request_id: &str, deadline_ms: u64) -> BoxFuture<'_, Result<Vec<u8>, String>>;
}

/// A function that can be invoked.
#[derive(Clone)]
pub struct BuiltFunction {
    /// Its name, for the log.
    pub name: String,
    /// The way to invoke it.
    pub invoke: Arc<dyn Invoke>,
    /// The time limit of one invocation.
    pub timeout: Duration,
}

impl BuiltFunction {
    /// Invokes the function in a separate task, so that a panic ends only this invocation, and a client that
    /// disconnects does not end it.
    ///
    /// There are two time limits. A function that exceeds its own is stopped, as Lambda stops the sandbox; this is a
    /// function error. If it exceeds only `patience`, the integration's time-out, it keeps running and the client gets
    /// a time-out error.
    pub async fn call(
        &self,
        payload: Vec<u8>,
        request_id: String,
        patience: Duration,
    ) -> Result<Vec<u8>, LimitExceeded> {
        let name = &self.name;
        if payload.len() > MAX_PAYLOAD {
            tracing::warn!(function = name, bytes = payload.len(), "the event is too large");
            return Err(LimitExceeded::TooLarge);
        }
        let deadline = clock::epoch_millis(clock::now()) + millis(self.timeout);
        let invoke = Arc::clone(&self.invoke);
        let mut task = tokio::spawn(async move { invoke.invoke(payload, &request_id, deadline).await });
        let Ok(outcome) = timeout(self.timeout.min(patience), &mut task).await else {
            if patience <= self.timeout {
                tracing::error!(function = name, "the gateway did not wait any longer");
                return Err(LimitExceeded::TimedOut);
            }
            task.abort();
            tracing::error!(function = name, seconds = self.timeout.as_secs_f64(), "timed out");
            return Err(LimitExceeded::FunctionFailed);
        };
        match outcome {
            Ok(Ok(result)) if result.len() > MAX_PAYLOAD => {
                tracing::error!(function = name, bytes = result.len(), "the result is too large");
                Err(LimitExceeded::FunctionFailed)
            }
            Ok(Ok(result)) => Ok(result),
            Ok(Err(error)) => {
                tracing::error!(function = name, error, "the function failed");
                Err(LimitExceeded::FunctionFailed)
            }
            Err(error) => {
                tracing::error!(function = name, %error, "the function panicked");
                Err(LimitExceeded::FunctionFailed)
            }
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
