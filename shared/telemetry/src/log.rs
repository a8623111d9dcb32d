//! Log lines in the form that `CloudWatch` reads. Every line is a flat JSON object. It has the ids of its invocation
//! and, if there is an embedded-metric-format document, the members of that document.

use std::borrow::Cow;
use std::fmt::Debug;
use std::io::Write as _;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::{LookupSpan, Scope};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::invocation::{METRICS, TARGET};

/// Logs one JSON object a line, at `level`. With `metrics`, the line that ends an invocation is written at every level,
/// because it carries them.
pub fn log_json(level: &str, metrics: bool) {
    let always = if metrics { format!(",{TARGET}=info") } else { String::new() };
    let filter = EnvFilter::new(format!("{level}{always}"));
    tracing_subscriber::registry().with(filter).with(JsonLines::new(std::io::stdout)).init();
}

/// Writes every event as a line of JSON. Of all spans only those of [`crate::invocation`] are included, because we do not
/// control what libraries write into theirs.
pub struct JsonLines<W>(W);

impl<W> JsonLines<W> {
    /// Writes to the writers that `writer` creates.
    pub fn new(writer: W) -> Self {
        Self(writer)
    }
}

/// The fields of a span or an event: names and values. A line has about twenty, for which a list is faster than a map.
#[derive(Clone, Default)]
struct Fields(Vec<(Cow<'static, str>, Value)>);

impl Fields {
    /// Sets a field, in place of an earlier one with this name.
    fn set(&mut self, name: impl Into<Cow<'static, str>>, value: Value) {
        let name = name.into();
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.0.push((name, value)),
        }
    }

    fn insert(&mut self, field: &Field, value: impl Into<Value>) {
        self.set(field.name(), value.into());
    }

    /// Removes a field and returns its value.
    fn remove(&mut self, name: &str) -> Option<Value> {
        let place = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(place).1)
    }

    /// A JSON object, and the end of the line.
    fn line(&self) -> serde_json::Result<Vec<u8>> {
        let mut line = b"{".to_vec();
        for (place, (name, value)) in self.0.iter().enumerate() {
            if place > 0 {
                line.push(b',');
            }
            serde_json::to_writer(&mut line, name)?;
            line.push(b':');
            serde_json::to_writer(&mut line, value)?;
        }
        line.extend_from_slice(b"}\n");
        Ok(line)
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.insert(field, format!("{value:?}"));
    }
}

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id).filter(|span| span.metadata().target() == TARGET) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        span.extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = Fields::default();
        line.set("level", event.metadata().level().as_str().into());
        for span in context.event_scope(event).into_iter().flat_map(Scope::from_root) {
            if let Some(fields) = span.extensions().get::<Fields>() {
                for (name, value) in &fields.0 {
                    line.set(name.clone(), value.clone());
                }
            }
        }
        event.record(&mut line);
        if event.metadata().target() == TARGET
            && let Some(document) = line.remove(METRICS)
        {
            let members = document.as_str().and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
            for (name, value) in members.into_iter().flatten() {
                line.set(name, value);
            }
        }
        // Written in one piece, so that lines of different threads never mix. If writing fails, there is nobody to
        // report it to.
        if let Ok(line) = line.line() {
            let _ = self.0.make_writer_for(event.metadata()).write_all(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::json;

    use super::*;

    /// The lines that are written while `say` runs.
    fn lines(say: impl FnOnce()) -> Vec<Value> {
        let written = Arc::new(Mutex::new(Vec::new()));
        let subscriber = tracing_subscriber::registry().with(JsonLines::new(Shared(written.clone())));
        tracing::subscriber::with_default(subscriber, say);
        let written = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        written.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[derive(Clone)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl<'w> MakeWriter<'w> for Shared {
        type Writer = Self;

        fn make_writer(&'w self) -> Self {
            self.clone()
        }
    }

    #[test]
    fn a_line_has_the_ids_of_its_invocation_and_nothing_of_a_librarys_span() {
        let said = lines(|| {
            let _library = tracing::info_span!("a library's", secret = "x").entered();
            let _span = tracing::error_span!(target: TARGET, "invocation", request_id = "r-1", route = "/a").entered();
            tracing::warn!(event = "text_refused", count = 2, chain = ?"a\nb", "said\nso");
            tracing::info!(request_id = "other");
        });
        assert_eq!(
            said,
            [
                json!({ "level": "WARN", "request_id": "r-1", "route": "/a", "event": "text_refused", "count": 2,
                    "chain": "\"a\\nb\"", "message": "said\nso" }),
                json!({ "level": "INFO", "request_id": "other", "route": "/a" }),
            ]
        );
    }

    #[test]
    fn metrics_stand_in_the_line_itself_where_cloudwatch_looks_for_them() {
        let metrics = r#"{"_aws":{"Timestamp":1},"CodesSent":1}"#;
        let said = lines(|| {
            tracing::info!(target: TARGET, event = "request", metrics);
            tracing::info!(target: TARGET, event = "request", metrics = None::<&str>);
            tracing::info!(event = "somebody else's", metrics);
        });
        assert_eq!(
            said,
            [
                json!({ "level": "INFO", "event": "request", "_aws": { "Timestamp": 1 }, "CodesSent": 1 }),
                json!({ "level": "INFO", "event": "request" }),
                json!({ "level": "INFO", "event": "somebody else's", "metrics": metrics }),
            ]
        );
    }
}
