//! Logging of invocations. When an invocation ends, one line is written with its cost and its counts, but never with
//! its content. Every line in between names the invocation that it belongs to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::{Instrument, Span};

use crate::metrics::emf::{self, About};
use crate::metrics::{Batch, Metric};

/// The target of spans and lines that are written at every level, because other tools depend on them.
pub const TARGET: &str = "handset";
/// The field of a line that contains the members of an embedded-metric-format document, as JSON.
pub const METRICS: &str = "metrics";

/// Tells the time in milliseconds since the Unix epoch.
pub type Now = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Observes the invocations of one function.
#[derive(Clone)]
pub struct Observer(Arc<Observed>);

struct Observed {
    function: &'static str,
    /// The namespace of metrics; `None` writes no metrics.
    namespace: Option<String>,
    now: Now,
    /// Whether an earlier invocation has begun.
    warm: AtomicBool,
}

/// The ids of an invocation in its log lines.
#[derive(Clone, Debug, Default)]
pub struct Ids {
    /// Lambda's id of the invocation.
    pub request_id: Option<String>,
    /// The header that X-Ray forwards.
    pub xray_trace: Option<String>,
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
    /// Milliseconds since the Unix epoch.
    began: i64,
    batch: Batch,
}

impl Observer {
    /// The observer of `function`. Metrics are written to `namespace`, or not at all without one.
    #[must_use]
    pub fn new(function: &'static str, namespace: Option<String>, now: Now) -> Self {
        Self(Arc::new(Observed { function, namespace, now, warm: AtomicBool::new(false) }))
    }

    /// The function's name.
    #[must_use]
    pub fn function(&self) -> &'static str {
        self.0.function
    }

    /// Begins an invocation.
    #[must_use]
    pub fn begin(&self, ids: &Ids) -> Invocation {
        let span = tracing::error_span!(
            target: TARGET,
            "invocation",
            function = self.0.function,
            request_id = ids.request_id,
            trace_id = ids.xray_trace.as_deref().and_then(trace),
            gateway_request_id = ids.gateway_request_id,
            method = ids.method,
            route = ids.route,
        );
        let batch = Batch::default();
        if !self.0.warm.swap(true, Ordering::Relaxed) {
            batch.add(Metric::ColdStarts, None, 1);
        }
        Invocation { observer: self.clone(), span, began: (self.0.now)(), batch }
    }

    /// Runs the work for an event, and writes its log line. The route in `ids` is the service that sent the event.
    pub async fn event<T>(&self, ids: &Ids, work: impl Future<Output = T>) -> T {
        let invocation = self.begin(ids);
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
        u64::try_from((self.observer.0.now)().saturating_sub(self.began)).unwrap_or_default()
    }

    /// Ends the invocation: `line` writes its last line, including the counts if there are any. Counts that do not fit
    /// into one document follow in separate lines.
    pub fn end(self, line: impl FnOnce(Option<&str>)) {
        let Observed { function, namespace, now, .. } = &*self.observer.0;
        let documents = namespace.as_deref().map_or_else(Vec::new, |namespace| {
            emf::documents(About { namespace, function, at: now() }, &self.batch.counted())
        });
        let mut documents = documents.into_iter().map(|document| serde_json::Value::from(document).to_string());
        self.span.in_scope(|| {
            line(documents.next().as_deref());
            for metrics in documents {
                tracing::info!(target: TARGET, event = "metrics", metrics, "more metrics of the invocation");
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
