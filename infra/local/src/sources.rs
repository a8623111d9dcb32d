//! Invocations that do not come from the gateway: new objects in a bucket, changes of a table, and messages of
//! queues.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use emulator::template::Stack;
use emulator::{Endpoints, ObjectHandler, StreamHandler};
use futures::future::BoxFuture;
use serde_json::Value;

use crate::invoke::{BuiltFunction, Invoke};
use crate::{Error, clock};

/// How long to wait for a function: without a gateway only its own time-out counts.
const NO_GATEWAY: Duration = Duration::from_mins(15);

/// Delivers new objects, changes of tables and messages of queues to the functions in the template.
pub async fn subscribe(
    stack: &Stack,
    endpoints: &Endpoints,
    built: &BTreeMap<String, Arc<dyn Invoke>>,
) -> Result<(), Error> {
    for function in &stack.functions {
        for event in &function.other_events {
            let (kind, name) = (&event.kind, &event.name);
            tracing::warn!(function = function.binary, kind, name, "event source without a local counterpart");
        }
        let Some(invoke) = built.get(&function.binary) else {
            continue;
        };
        let target = BuiltFunction {
            name: function.binary.clone(),
            invoke: Arc::clone(invoke),
            timeout: Duration::from_secs(function.timeout.into()),
        };
        for created in &function.object_created {
            let (bucket, prefix, suffix) = (&created.bucket, &created.prefix, &created.suffix);
            endpoints.on_object_created(bucket, prefix, suffix, of_objects(target.clone()));
        }
        for changed in &function.table_changed {
            endpoints.on_table_changed(&function.binary, changed.clone(), with_answer(target.clone())).await?;
        }
        for events in &function.queue_events {
            endpoints.on_queue_message(&function.binary, events.clone(), with_answer(target.clone()))?;
        }
    }
    Ok(())
}

/// A function as the bucket invokes it; its response is ignored.
fn of_objects(target: BuiltFunction) -> ObjectHandler {
    Arc::new(move |event: Value| -> BoxFuture<'static, Result<(), String>> {
        let target = target.clone();
        Box::pin(async move { hand(&target, &event).await.map(drop) })
    })
}

/// A function as a stream or a queue invokes it; its response names what failed.
fn with_answer(target: BuiltFunction) -> StreamHandler {
    Arc::new(move |event: Value| -> BoxFuture<'static, Result<Value, String>> {
        let target = target.clone();
        Box::pin(async move {
            let answer = hand(&target, &event).await?;
            serde_json::from_slice(&answer).map_err(|error| format!("the answer is not JSON: {error}"))
        })
    })
}

/// Invokes a function with an event.
async fn hand(target: &BuiltFunction, event: &Value) -> Result<Vec<u8>, String> {
    let called = target.call(event.to_string().into_bytes(), clock::request_id(), NO_GATEWAY).await;
    called.map_err(|refusal| format!("{refusal:?}"))
}
