//! Logging of invocations. When an invocation ends, one line is written with its cost and its counts, but never with
//! its content. Every line in between names the invocation that it belongs to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lambda_http::Context;
use tracing::{Instrument, Span};

use crate::config::Env;
use crate::domain::clock::{Clock, Timestamp};
use crate::metrics::emf::{self, About};
use crate::metrics::{Batch, Metric};

/// The target of spans and lines that are written at every level, because other tools depend on them.
pub const TARGET: &str = "handset";
/// The field of a line that contains the members of an embedded-metric-format document, as JSON.
pub const METRICS: &str = "metrics";

/// The time-out of a request. After this time the caller gets an error in the format of their API, four seconds before
/// Lambda would stop the function and five before the gateway would respond itself. Three calls to AWS that use all of
/// their time (`aws/mod.rs`) fit into it.
pub const PATIENCE: Duration = Duration::from_secs(25);

/// Observes the invocations of one function.
#[derive(Clone)]
pub struct Observer(Arc<Observed>);

struct Observed {
    function: &'static str,
    /// The namespace of metrics; `None` writes no metrics.
    namespace: Option<String>,
    clock: Arc<dyn Clock>,
    /// Whether an earlier invocation has begun.
    warm: AtomicBool,
}

/// Where an invocation comes from, in addition to the data in Lambda's context.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// The gateway's id of the request.
    pub gateway_request_id: Option<String>,
    /// The method of the request.
    pub method: Option<String>,
    /// The route of the request, or the source of an event.
    pub route: Option<String>,
}

/// An invocation that has begun.
pub struct Invocation {
    observer: Observer,
    span: Span,
    began: Timestamp,
    batch: Batch,
}

impl Observer {
    /// The observer of `function`. Metrics are written to the namespace `METRICS_NAMESPACE`, or not at all if it is
    /// empty.
    #[must_use]
    pub fn new(function: &'static str, env: &Env, clock: Arc<dyn Clock>) -> Self {
        let namespace = env.optional("METRICS_NAMESPACE").map(str::to_owned);
        Self(Arc::new(Observed { function, namespace, clock, warm: AtomicBool::new(false) }))
    }

    /// The function's name.
    #[must_use]
    pub fn function(&self) -> &'static str {
        self.0.function
    }

    /// Begins an invocation.
    #[must_use]
    pub fn begin(&self, context: Option<&Context>, caller: &Caller) -> Invocation {
        let span = tracing::error_span!(
            target: TARGET,
            "invocation",
            function = self.0.function,
            request_id = context.map(|context| context.request_id.as_str()),
            trace_id = context.and_then(|context| trace(context.xray_trace_id.as_deref()?)),
            gateway_request_id = caller.gateway_request_id,
            method = caller.method,
            route = caller.route,
        );
        let batch = Batch::default();
        if !self.0.warm.swap(true, Ordering::Relaxed) {
            batch.add(Metric::ColdStarts, None, 1);
        }
        Invocation { observer: self.clone(), span, began: self.0.clock.now(), batch }
    }

    /// Runs the work for an event, and writes its log line. `source` is the service that sent the event.
    pub async fn event<T>(&self, source: &str, context: &Context, work: impl Future<Output = T>) -> T {
        let caller = Caller { route: Some(source.to_owned()), ..Caller::default() };
        let invocation = self.begin(Some(context), &caller);
        let output = invocation.run(work).await;
        let faults = invocation.batch.counted().iter().any(|counted| counted.metric == Metric::Faults);
        let (millis, outcome) = (invocation.millis(), if faults { "fault" } else { "ok" });
        invocation.end(|metrics| {
            tracing::info!(target: TARGET, event = "event", outcome, millis, metrics, "an event was handled");
        });
        output
    }
}

impl Invocation {
    /// Runs the invocation's work. Its log lines and counts belong to the invocation.
    pub async fn run<F: Future>(&self, work: F) -> F::Output {
        self.batch.of(work).instrument(self.span.clone()).await
    }

    /// Adds to one of the invocation's counts.
    pub fn add(&self, metric: Metric, value: u64) {
        self.batch.add(metric, None, value);
    }

    /// Milliseconds since it began.
    #[must_use]
    pub fn millis(&self) -> u64 {
        let millis = self.observer.0.clock.now().millis().saturating_sub(self.began.millis());
        u64::try_from(millis).unwrap_or_default()
    }

    /// Ends the invocation: `line` writes its last line, including the counts if there are any. Counts that do not fit
    /// into one document follow in separate lines.
    pub fn end(self, line: impl FnOnce(Option<&str>)) {
        let Observed { function, namespace, clock, .. } = &*self.observer.0;
        let documents = namespace.as_deref().map_or_else(Vec::new, |namespace| {
            emf::documents(About { namespace, function, at: clock.now() }, &self.batch.counted())
        });
        let mut documents = documents.into_iter().map(|document| serde_json::Value::from(document).to_string());
        self.span.in_scope(|| {
            line(documents.next().as_deref());
            for metrics in documents {
                tracing::info!(target: TARGET, event = "metrics", metrics, "more of what was counted");
            }
        });
    }
}

/// The trace id in the header that X-Ray forwards: `Root=1-…;Parent=…;Sampled=1`.
fn trace(header: &str) -> Option<&str> {
    header.split(';').find_map(|part| part.trim().strip_prefix("Root="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_trace_is_its_root() {
        let root = "1-5759e988-bd862e3fe1be46a994272793";
        assert_eq!(trace(&format!("Root={root};Parent=53995c3f42cd8ad8;Sampled=1")), Some(root));
        assert_eq!(trace(&format!("Self=1-2-3; Root={root}")), Some(root));
        assert_eq!(trace("Sampled=0"), None);
    }
}
