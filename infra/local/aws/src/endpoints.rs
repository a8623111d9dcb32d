//! Starting, setting up and watching the endpoints.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;

use crate::authority::{Authority, Denial, Principal, UsedStatement};
use crate::delivery::{Deliveries, Handler};
use crate::dynamo::{DeadLetter, Dynamo, Mapping, StreamHandler};
use crate::fault::{Fault, Faults};
use crate::kms::Kms;
use crate::s3::S3;
use crate::serve::{Services, serve};
use crate::sns::{Notification, Push, Sns, Text};
use crate::{Error, listen};

/// How often items are deleted whose time to live has passed. DynamoDB takes
/// up to a few days for it.
const SWEEP_EVERY: Duration = Duration::from_secs(30);

/// How long a shutdown waits for events that are being handled.
const SETTLE: Duration = Duration::from_secs(5);

/// Where the data lives and where the endpoints listen.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The data folder, created if need be; `None` keeps everything in memory.
    pub data: Option<PathBuf>,
    /// The port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
}

/// DynamoDB, S3, SNS and KMS on one loopback port, until they are shut down.
///
/// Dropping the endpoints stops them as well, without waiting for anything.
pub struct Endpoints {
    services: Arc<Services>,
    url: String,
    /// Stopped one after the other: what serves callers before what it calls.
    stages: Mutex<Vec<Stage>>,
    /// Holds the data folder's lock.
    _lock: Option<File>,
}

/// Tasks that stop together.
struct Stage {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Endpoints {
    /// Starts the endpoints. Nobody may call them before a principal is
    /// [registered](Self::register).
    #[expect(clippy::unused_async, reason = "it needs a runtime, which async code has")]
    pub async fn start(options: Options) -> Result<Self, Error> {
        let folder = options.data.as_deref();
        let lock = folder.map(lock).transpose()?;
        let authority = Arc::new(Authority::default());
        let faults = Arc::new(Faults::default());
        let deliveries = Arc::new(Deliveries::new());
        let s3 = S3::start(folder, Arc::clone(&authority), Arc::clone(&faults), Arc::clone(&deliveries))?;
        let sns = Sns::start(folder)?;
        let kms = Kms::start(folder)?;
        let listener = listen::on_loopback(options.port).map_err(Error::io(format!("port {}", options.port)))?;
        let address = listener.local_addr().map_err(Error::io("the port"))?;
        let (stop_engine, engine_stopped) = watch::channel(false);
        let (dynamo, engine) = Dynamo::start(folder, engine_stopped)?;
        let services = Arc::new(Services { authority, faults, deliveries, dynamo, s3, sns, kms });
        let (stop, stopped) = watch::channel(false);
        let server = tokio::spawn(serve(listener, Arc::clone(&services), stopped.clone()));
        let sweeper = tokio::spawn(sweep(Arc::clone(&services), stopped));
        let callers = Stage { stop, tasks: vec![server, sweeper] };
        let engines = Stage { stop: stop_engine, tasks: vec![engine] };
        Ok(Self { services, url: format!("http://{address}"), stages: Mutex::new(vec![callers, engines]), _lock: lock })
    }

    /// The endpoint URL of all services, `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes a caller known, with the role it has.
    pub fn register(&self, principal: Principal) -> Result<(), Error> {
        self.services.authority.register(principal)
    }

    /// The statements that decided at least one call so far.
    #[must_use]
    pub fn used_statements(&self) -> Vec<UsedStatement> {
        self.services.authority.used()
    }

    /// The statements without which at least one call so far would have been refused, because no other of the
    /// caller's allows it.
    #[must_use]
    pub fn needed_statements(&self) -> Vec<UsedStatement> {
        self.services.authority.needed()
    }

    /// The newest thousand calls that were refused, oldest first.
    #[must_use]
    pub fn denied(&self) -> Vec<Denial> {
        self.services.authority.denied()
    }

    /// Creates a table from the properties of an `AWS::DynamoDB::Table` with
    /// intrinsic functions resolved. A table that exists is kept if its schema
    /// is the same, but for a stream that is switched on or off, and is an error otherwise.
    pub fn create_table(&self, properties: &Value) -> Result<(), Error> {
        self.services.dynamo.create_table(properties)
    }

    /// Creates a bucket unless it exists.
    pub fn create_bucket(&self, name: &str) -> Result<(), Error> {
        self.services.s3.create_bucket(name)
    }

    /// Creates a KMS key by its ARN, with aliases in the form `alias/name`. A
    /// key that exists is kept.
    pub fn create_key(&self, arn: &str, aliases: &[String]) {
        self.services.kms.create_key(arn, aliases);
    }

    /// Creates an SNS topic by its ARN. A topic that exists is kept.
    pub fn create_topic(&self, arn: &str) {
        self.services.sns.create_topic(arn);
    }

    /// Creates an SNS platform application by its ARN, `…:app/<platform>/<name>`. Its endpoints outlive a run in the
    /// data folder.
    pub fn create_platform_application(&self, arn: &str) {
        self.services.sns.create_application(arn);
    }

    /// Delivers an `ObjectCreated` event to `handler` for every object written
    /// to `bucket` whose key starts with `prefix` and ends with `suffix`; an
    /// empty text matches all keys. Delivery is asynchronous and at least
    /// once: a handler that fails is called twice more.
    pub fn on_object_created(&self, bucket: &str, prefix: &str, suffix: &str, handler: Handler) {
        self.services.deliveries.subscribe(bucket, prefix, suffix, handler);
    }

    /// Delivers the changes of a table to `handler`, by its stream. A mapping
    /// that an earlier run on the same data folder had goes on where it was.
    pub async fn on_table_changed(&self, mapping: Mapping, handler: StreamHandler) -> Result<(), Error> {
        self.services.dynamo.streams().map(mapping, handler).await
    }

    /// The newest thousand letters about changes that were given up, oldest first.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.services.dynamo.streams().dead_letters()
    }

    /// Waits until no event is under way, of a bucket or of a table's stream,
    /// nor one that came of another. An event counts from before the write is
    /// answered until its handler succeeded or was given up.
    pub async fn settled(&self) {
        let Services { deliveries, dynamo, .. } = &*self.services;
        loop {
            deliveries.settled().await;
            if !dynamo.streams().settled().await && !dynamo.streams().settled().await && deliveries.is_settled() {
                return;
            }
        }
    }

    /// The newest thousand texts, newest first; of one phone or of all.
    #[must_use]
    pub fn texts(&self, phone: Option<&str>) -> Vec<Text> {
        self.services.sns.texts(phone)
    }

    /// Hears of every text from now on.
    #[must_use]
    pub fn subscribe_texts(&self) -> broadcast::Receiver<Text> {
        self.services.sns.subscribe()
    }

    /// The newest thousand messages of topics, newest first.
    #[must_use]
    pub fn notifications(&self) -> Vec<Notification> {
        self.services.sns.notifications()
    }

    /// The newest thousand pushes to devices, newest first.
    #[must_use]
    pub fn pushes(&self) -> Vec<Push> {
        self.services.sns.pushes()
    }

    /// Makes the next `count` calls of one kind fail. `call` is
    /// `service:Operation`, for example `dynamodb:TransactWriteItems`,
    /// `s3:PutObject`, `sns:Publish` (to phones, topics and devices alike) or `kms:Decrypt`; `service:*` is any call of a service.
    /// SDK clients retry what is worth retrying, and every attempt counts.
    pub fn fail_next(&self, call: &str, count: usize, fault: Fault) {
        self.services.faults.plan(call, count, fault);
    }

    /// The same, once `spared` such calls went through: a fault in the middle of
    /// what takes many calls.
    pub fn fail_after(&self, call: &str, spared: usize, count: usize, fault: Fault) {
        self.services.faults.plan_after(call, spared, count, fault);
    }

    /// How many ordered faults are still to happen, so that a test can tell
    /// that its fault did.
    #[must_use]
    pub fn faults_left(&self) -> usize {
        self.services.faults.left()
    }

    /// Deletes the items whose time to live has passed now instead of within
    /// half a minute; says how many.
    pub async fn sweep_expired(&self) -> Result<usize, Error> {
        self.services.dynamo.sweep().await
    }

    /// Stops: lets running requests and events finish, for a few seconds,
    /// and returns when the port is free.
    pub async fn shutdown(&self) {
        let _ = tokio::time::timeout(SETTLE, self.settled()).await;
        self.services.dynamo.streams().stop(SETTLE).await;
        let stages = std::mem::take(&mut *self.stages.lock().unwrap_or_else(PoisonError::into_inner));
        for Stage { stop, tasks } in stages {
            stop.send_replace(true);
            for mut task in tasks {
                if tokio::time::timeout(SETTLE, &mut task).await.is_err() {
                    task.abort();
                }
            }
        }
    }
}

/// Creates the data folder and takes it for this process, because the index of
/// objects lives in memory and two processes would not see each other's writes.
fn lock(folder: &Path) -> Result<File, Error> {
    let at = folder.display().to_string();
    std::fs::create_dir_all(folder).map_err(Error::io(&at))?;
    let lock = File::create(folder.join("lock")).map_err(Error::io(&at))?;
    lock.try_lock().map_err(|_| Error::InUse(folder.to_owned()))?;
    Ok(lock)
}

async fn sweep(services: Arc<Services>, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(SWEEP_EVERY) => {}
            _ = stop.changed() => return,
        }
        if let Err(error) = services.dynamo.sweep().await {
            tracing::warn!(%error, "expired items could not be deleted");
        }
    }
}
