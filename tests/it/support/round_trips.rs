//! Reads the log lines of requests: the number of DynamoDB round trips, and everything else in the log.

use std::collections::HashMap;
use std::fmt::Debug;
use std::io::Write;
use std::sync::{LazyLock, Mutex};
use std::{fs, io};

use reqwest::Response;
use reqwest::header::HeaderMap;
use serde_json::Value;
use telemetry::JsonLines;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use super::third_party_engines::{engine, not_here};

/// The fields of every logged event and span so far, each as one map.
static LOG: LazyLock<Mutex<Vec<HashMap<String, String>>>> = LazyLock::new(Mutex::default);

struct Collect;

#[derive(Default)]
struct Fields(HashMap<String, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl Collect {
    fn keep(metadata: &Metadata<'_>, record: impl FnOnce(&mut Fields)) {
        if *metadata.level() <= tracing::Level::INFO {
            let mut fields = Fields::default();
            record(&mut fields);
            LOG.lock().expect("the log").push(fields.0);
        }
    }
}

/// Deployed functions log no more than this: the highest `LogLevel` in the template is `info`.
impl<S: Subscriber> Layer<S> for Collect {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        Self::keep(attributes.metadata(), |fields| attributes.record(fields));
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        Self::keep(event.metadata(), |fields| event.record(fields));
    }
}

/// The bytes that deployed functions would have written to `CloudWatch` so far.
static OUTPUT: LazyLock<Mutex<Vec<u8>>> = LazyLock::new(Mutex::default);

struct Output;

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        OUTPUT.lock().expect("the output").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Output {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

/// Starts collecting.
pub fn install() {
    let deployed = JsonLines::new(Output).with_filter(LevelFilter::INFO);
    tracing_subscriber::registry().with(deployed).with(Collect).init();
}

/// Ends a test that reads the functions' log if they run in other processes.
fn only_here() {
    if engine().is_some() {
        not_here("log lines");
    }
}

/// The lines that deployed functions would have written so far, byte for byte.
pub fn output() -> Vec<String> {
    only_here();
    let written = OUTPUT.lock().expect("the output");
    std::str::from_utf8(&written).expect("text").lines().map(str::to_owned).collect()
}

/// The same lines as JSON.
pub fn lines() -> Vec<Value> {
    output().iter().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// Everything that was logged so far.
pub fn log() -> Vec<HashMap<String, String>> {
    only_here();
    LOG.lock().expect("the log").clone()
}

/// The log line of the request whose response has these headers.
pub fn line_in(headers: &HeaderMap) -> HashMap<String, String> {
    only_here();
    let id = headers["apigw-requestid"].to_str().expect("an id");
    let log = LOG.lock().expect("the log");
    let line = log.iter().rev().find(|line| {
        line.get("event").is_some_and(|event| event == "request")
            && line.get("gateway_request_id").is_some_and(|line| line.contains(id))
    });
    line.cloned().unwrap_or_else(|| panic!("no log line of request {id}"))
}

/// The number of sequential DynamoDB round trips that the request waited for.
pub fn rounds_of(response: &Response) -> u32 {
    rounds_in(response.headers())
}

/// The same for the request whose response has these headers.
pub fn rounds_in(headers: &HeaderMap) -> u32 {
    line_in(headers)["dynamo_rounds"].parse().expect("a number")
}

/// A row of the questions in `docs/access-patterns.md`.
pub struct Row {
    /// The API of the request.
    pub api: &'static str,
    /// The beginning of the row.
    pub request: String,
    /// The number of DynamoDB round trips.
    pub rounds: u32,
}

/// All rows. Those of the messenger API begin with the request, those of other APIs with the API's name, and those that
/// begin with an ellipsis belong to the row above.
pub fn rows() -> Vec<Row> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/access-patterns.md");
    let text = fs::read_to_string(path).expect("the document");
    let table = text.split("## Questions").nth(1).expect("the questions").split("\n## ").next().expect("a table");
    let mut rows: Vec<Row> = Vec::new();
    for line in table.lines().filter(|line| line.starts_with('|')).skip(2) {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let request = cells[1].to_owned();
        let others = [
            ("device: ", "device"),
            ("rooms: ", "rooms"),
            ("web: ", "web"),
            ("SealTalk: ", "sealtalk"),
            ("supabase: ", "supabase"),
            ("v1: ", "v1"),
        ];
        let api = match others.iter().find(|(prefix, _)| request.starts_with(prefix)) {
            Some((_, api)) => api,
            None if request.starts_with('…') => rows.last().expect("a row above").api,
            None => "messenger",
        };
        assert!(rows.iter().all(|row| row.request != request), "two rows begin with {request}");
        rows.push(Row { api, request, rounds: cells[3].parse().expect("a number of rounds") });
    }
    rows
}

/// The documented number of round trips of a request.
pub fn documented(request: &str) -> u32 {
    let row = rows().into_iter().find(|row| row.request == request);
    row.unwrap_or_else(|| panic!("{request} is not documented")).rounds
}
