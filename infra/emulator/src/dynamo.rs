//! DynamoDB: the embedded engine, behind permission checks and planned faults.
//!
//! The engine (dynoxide) offers its protocol only as a server with its own listener, so calls are forwarded to it over
//! loopback. Its typed interface would skip the request checks and the exact error messages of that server. The inner
//! port is random and checks no permissions; callers never learn it.

mod leading;
mod needs;
mod region;
mod streams;
mod table;
mod upkeep;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use dynoxide::Database;
use dynoxide::actions::list_tables::ListTablesRequest;
use http::request::Parts;
use http_body_util::Full;
use hyper::Uri;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use s3s::{Body, HttpResponse};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::authority::Authority;
use crate::fault::Faults;
use crate::signed::SignedCall;
use crate::{Error, answer, clock, listen};
use streams::Streams;
use upkeep::Upkeep;

pub use streams::{DeadLetter, StreamHandler};

/// The largest request that DynamoDB accepts, in bytes.
pub const MAX_BODY: usize = 16 * 1024 * 1024;

/// The DynamoDB endpoint.
pub struct Dynamo {
    database: Database,
    engine: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
    folder: PathBuf,
    upkeep: Upkeep,
    streams: Streams,
}

impl Dynamo {
    /// Opens the database (`None`: in memory) and starts the engine's server,
    /// which runs until `stop` changes.
    pub fn start(folder: Option<&Path>, mut stop: watch::Receiver<bool>) -> Result<(Self, JoinHandle<()>), Error> {
        let location = match folder {
            // A file in the memory of this process, which a second connection finds by its name.
            None => format!("file:/{}?vfs=memdb", clock::random_id()),
            Some(folder) => folder.join("dynamodb.sqlite").to_string_lossy().into_owned(),
        };
        let database = Database::new(&location)?;
        let upkeep = Upkeep::new(location);
        upkeep.prepare()?;
        let streams = Streams::start(database.clone(), folder)?;
        let listener = listen::on_loopback(0).map_err(Error::io("DynamoDB's port"))?;
        let engine = listener.local_addr().map_err(Error::io("DynamoDB's port"))?;
        let engine_database = database.clone();
        let server = tokio::spawn(async move {
            let stopped = async move {
                let _ = stop.changed().await;
            };
            let outcome = dynoxide::server::serve_with_shutdown(listener, engine_database, stopped).await;
            if let Err(error) = outcome {
                tracing::error!(error, "the embedded DynamoDB stopped");
            }
        });
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let folder = folder.unwrap_or(Path::new("")).to_owned();
        Ok((Self { database, engine, client, folder, upkeep, streams }, server))
    }

    /// Creates a table from the properties of an `AWS::DynamoDB::Table`, or keeps an existing one with the same schema.
    pub fn create_table(&self, properties: &Value) -> Result<(), Error> {
        table::create(&self.database, properties, &self.folder)
    }

    /// The mappings of the tables' streams.
    pub fn streams(&self) -> &Streams {
        &self.streams
    }

    /// Deletes expired items (time to live) and returns their number. It also deletes stream records that DynamoDB
    /// would no longer have, unless a mapping still needs them.
    pub async fn sweep(&self) -> Result<usize, Error> {
        let (database, upkeep) = (self.database.clone(), self.upkeep.clone());
        let kept_for = Duration::from_secs(streams::KEPT_FOR);
        let tables = database.list_tables(ListTablesRequest::default())?.table_names;
        let needed: Vec<_> = tables.into_iter().map(|table| (self.streams.done_with(&table), table)).collect();
        let swept = tokio::task::spawn_blocking(move || {
            let swept = database.sweep_ttl()?;
            for (done_to, table) in needed {
                upkeep.trim(&table, done_to.unwrap_or(i64::MAX).min(sequence_before(kept_for)))?;
            }
            Ok::<_, Error>(swept)
        });
        let swept = match swept.await {
            Ok(swept) => swept?,
            Err(error) => return Err(Error::io("the sweep")(error.into())),
        };
        if swept > 0 {
            self.streams.wake();
        }
        Ok(swept)
    }

    /// Handles one call of a registered caller.
    pub async fn answer(&self, authority: &Authority, faults: &Faults, call: SignedCall) -> HttpResponse {
        let SignedCall { caller, head, body } = call;
        let operation = operation_of(&head).unwrap_or_default().to_owned();
        // The engine accepts deeper nesting than this parser, so a body that this parser cannot read must not reach it
        // unchecked.
        let Ok(request) = serde_json::from_slice::<Value>(&body) else {
            return answer::dynamo_refusal("SerializationException", "The body is not readable.");
        };
        let schema = leading::Schema::new(&self.database, &caller);
        let Some(needs) = needs::of(&operation, &request, &schema) else {
            let words = "The local DynamoDB endpoint only reads and writes items.";
            return answer::dynamo_refusal("UnknownOperationException", words);
        };
        for access in needs {
            if let Err(denial) = authority.authorize(&caller, &access) {
                return answer::dynamo_refusal("AccessDeniedException", &denial.message());
            }
        }
        if let Some(fault) = faults.take("dynamodb", &operation) {
            let items = request["TransactItems"].as_array().map_or(0, Vec::len);
            let (status, body) = fault.dynamo(items);
            return answer::dynamo(status, &body);
        }
        let answer = self.pass_on(head, body).await.unwrap_or_else(|error| {
            tracing::error!(error, "the embedded DynamoDB cannot be reached");
            let code = "com.amazonaws.dynamodb.v20120810#InternalServerError";
            let words = "The embedded DynamoDB cannot be reached.";
            answer::dynamo(500, &json!({"__type": code, "message": words}))
        });
        if writes(&operation) {
            self.streams.wake();
        }
        answer
    }

    async fn pass_on(&self, mut head: Parts, body: Bytes) -> Result<HttpResponse, s3s::StdError> {
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        head.uri = Uri::try_from(format!("http://{}{path}", self.engine))?;
        // The length belongs to the received body; hyper sets it again.
        head.headers.remove(http::header::CONTENT_LENGTH);
        head.headers.remove(http::header::TRANSFER_ENCODING);
        let request = http::Request::from_parts(head, Full::new(body));
        let response = self.client.request(request).await?;
        Ok(response.map(Body::from))
    }
}

/// The operation in `X-Amz-Target`, for example `PutItem`.
fn operation_of(head: &Parts) -> Option<&str> {
    let target = head.headers.get("x-amz-target")?.to_str().ok()?;
    target.split_once('.').map(|(_, operation)| operation)
}

/// Whether an operation changes items.
fn writes(operation: &str) -> bool {
    matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem" | "TransactWriteItems")
}

/// The sequence of records that are `age` old: the engine counts in microseconds since the Unix epoch.
fn sequence_before(age: Duration) -> i64 {
    let then = Duration::from_millis(clock::epoch_millis()).saturating_sub(age);
    i64::try_from(then.as_micros()).unwrap_or_default()
}
