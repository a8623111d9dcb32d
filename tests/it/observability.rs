//! Observing a running deployment: its log lines, its metrics, its alarms, and that everything ends in time.

mod alarms;
mod counts;
mod failures;
mod lines;
mod secrets;
mod timeouts;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use local::{Functions, Handset, Invoke, Options};
use serde_json::Value;

use crate::support::Backend;

/// Metrics are written only if this is set.
const OBSERVED: (&str, &str) = ("Observability", "true");

/// One invocation, as the function receives it.
#[derive(Clone)]
struct Seen {
    function: String,
    request_id: String,
    event: Value,
    answer: Value,
}

/// Everything that passed between the gateway and the functions of a backend.
#[derive(Clone, Default)]
struct Record(Arc<Mutex<Vec<Seen>>>);

impl Record {
    fn all(&self) -> Vec<Seen> {
        self.0.lock().expect("the record").clone()
    }
}

/// The repository's functions, wrapped to record their requests and responses.
struct Recorded(Handset, Record);

struct Recorder {
    function: String,
    inner: Arc<dyn Invoke>,
    record: Record,
}

impl Functions for Recorded {
    fn build<'a>(
        &'a self,
        binary: &'a str,
        environment: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<Arc<dyn Invoke>, String>> {
        Box::pin(async move {
            let inner = self.0.build(binary, environment).await?;
            Ok(Arc::new(Recorder { function: binary.to_owned(), inner, record: self.1.clone() }) as Arc<dyn Invoke>)
        })
    }

    fn openapi(&self) -> Value {
        self.0.openapi()
    }
}

impl Invoke for Recorder {
    fn invoke(&self, payload: Vec<u8>, request_id: &str, deadline_ms: u64) -> BoxFuture<'_, Result<Vec<u8>, String>> {
        let request_id = request_id.to_owned();
        Box::pin(async move {
            let event = serde_json::from_slice(&payload).expect("an event");
            let answer = self.inner.invoke(payload, &request_id, deadline_ms).await;
            let told = answer.as_ref().ok().and_then(|answer| serde_json::from_slice(answer).ok()).unwrap_or_default();
            let seen = Seen { function: self.function.clone(), request_id, event, answer: told };
            self.record.0.lock().expect("the record").push(seen);
            answer
        })
    }
}

/// A backend with these parameters whose invocations are recorded.
async fn recorded(parameters: &[(&str, &str)]) -> (Backend, Record) {
    let record = Record::default();
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let options = Options { port: 0, data: None, parameters, ..Options::default() };
    let kept = record.clone();
    let backend = Backend::with(options, |handset| Recorded(handset, kept)).await.expect("the backend starts");
    (backend, record)
}
