//! A gateway for a small template, with closures as functions.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use emulator::template::{Deployment, Template};
use futures::future::BoxFuture;
use local::{Gateway, Invoke, Pages, Server};
use serde_json::{Value, json};

/// A function that is a closure from event to result.
pub struct Closure<F>(pub F);

impl<F, R> Invoke for Closure<F>
where
    F: Fn(Value) -> R + Send + Sync,
    R: Future<Output = Result<Vec<u8>, String>> + Send + 'static,
{
    fn invoke(&self, payload: Vec<u8>, request_id: &str, deadline_ms: u64) -> BoxFuture<'_, Result<Vec<u8>, String>> {
        assert!(!request_id.is_empty() && deadline_ms > 1_700_000_000_000);
        Box::pin((self.0)(serde_json::from_slice(&payload).unwrap()))
    }
}

/// A template with one function `f` with these routes.
pub fn template(routes: &[&str], timeout: u32, cors: &str) -> Template {
    let mut text = format!(
        "Globals: {{HttpApi: {{{cors}}}}}\n\
         Resources:\n  F:\n    Type: AWS::Serverless::Function\n    \
         Metadata: {{BuildProperties: {{Binary: f}}}}\n    Properties:\n      \
         Timeout: {timeout}\n      Events:\n"
    );
    for (index, route) in routes.iter().enumerate() {
        let properties = match route.split_once(' ') {
            Some((method, path)) => format!("{{Method: {method}, Path: '{path}'}}"),
            None => "{}".to_owned(),
        };
        let event = format!("{{Type: HttpApi, Properties: {properties}}}");
        let _ = writeln!(text, "        E{index}: {event}");
    }
    Template::parse(&text).unwrap()
}

/// A gateway in front of one function.
pub struct Setup<'a> {
    pub routes: &'a [&'a str],
    pub timeout: u32,
    pub cors: &'a str,
    pub patience: Duration,
    pub pages: Option<Pages>,
}

impl Default for Setup<'_> {
    fn default() -> Self {
        Self { routes: &["$default"], timeout: 10, cors: "", patience: Duration::from_secs(30), pages: None }
    }
}

impl Setup<'_> {
    /// Starts the gateway on a free port.
    pub fn start<F, R>(self, function: F) -> Server
    where
        F: Fn(Value) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Vec<u8>, String>> + Send + 'static,
    {
        let template = template(self.routes, self.timeout, self.cors);
        let stack = template.resolve(&Deployment::default()).unwrap();
        let invoke: Arc<dyn Invoke> = Arc::new(Closure(function));
        let functions = BTreeMap::from([("f".to_owned(), invoke)]);
        let gateway = Gateway::new(&stack, &functions, "000000000000").unwrap();
        let gateway = gateway.with_integration_timeout(self.patience);
        Server::start(0, gateway, self.pages).unwrap()
    }
}

/// Returns the event itself.
pub async fn echo(event: Value) -> Result<Vec<u8>, String> {
    respond(json!({
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "body": event.to_string(),
    }))
}

/// A result.
#[expect(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "callers build it in place and return it as it is"
)]
pub fn respond(result: Value) -> Result<Vec<u8>, String> {
    Ok(result.to_string().into_bytes())
}
