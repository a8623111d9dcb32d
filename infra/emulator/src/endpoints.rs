//! Starts, configures and observes the endpoints.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;

use crate::authority::{Authority, Denial, Principal, UsedStatement};
use crate::delivery::{Deliveries, ObjectHandler};
use crate::dynamo::{DeadLetter, Dynamo, StreamHandler};
use crate::fault::{Fault, Faults};
use crate::kms::Kms;
use crate::s3::S3;
use crate::serve::{Services, serve};
use crate::sns::{Notification, Push, Sms, Sns};
use crate::sqs::{QueueHandler, QueueMessage, Sqs};
use crate::template::{Queue, QueueEvents, TableChanged};
use crate::{Error, listen};

/// How often expired items (time to live) are deleted. DynamoDB takes up to a few days.
const SWEEP_EVERY: Duration = Duration::from_secs(30);

/// How long a shutdown waits for events in progress.
const SETTLE: Duration = Duration::from_secs(5);

/// The place of the data, and the port of the endpoints.
#[derive(Debug, Clone)]
pub struct EndpointOptions {
    /// The data folder, which is created if necessary; `None` keeps everything in memory.
    pub data: Option<PathBuf>,
    /// The address to listen on.
    pub host: IpAddr,
    /// The address at which callers reach it, also in presigned links.
    pub reached_at: IpAddr,
    /// The port; 0 uses any free one.
    pub port: u16,
}

impl Default for EndpointOptions {
    /// In memory, on any free port of the loopback interface.
    fn default() -> Self {
        let loopback = Ipv4Addr::LOCALHOST.into();
        Self { data: None, host: loopback, reached_at: loopback, port: 0 }
    }
}

/// DynamoDB, S3, SNS, SQS and KMS on one port, until they are shut down.
///
/// Dropping the endpoints also stops them, without waiting for anything.
pub struct Endpoints {
    services: Arc<Services>,
    url: String,
    /// Stopped in this order: first what serves callers, then what it uses.
    stages: Mutex<Vec<Stage>>,
    /// Holds the lock on the data folder.
    _lock: Option<File>,
}

/// Tasks that stop together.
struct Stage {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Endpoints {
    /// Starts the endpoints. No caller is accepted before a principal is [registered](Self::register).
    #[expect(clippy::unused_async, reason = "it needs a runtime, which async code has")]
    pub async fn start(options: EndpointOptions) -> Result<Self, Error> {
        let folder = options.data.as_deref();
        let lock = folder.map(lock).transpose()?;
        let authority = Arc::new(Authority::default());
        let faults = Arc::new(Faults::default());
        let deliveries = Arc::new(Deliveries::new());
        let s3 = S3::start(folder, Arc::clone(&authority), Arc::clone(&faults), Arc::clone(&deliveries))?;
        let sns = Sns::start(folder)?;
        let sqs = Arc::new(Sqs::start(folder)?);
        let kms = Kms::start(folder)?;
        let place = SocketAddr::new(options.host, options.port);
        let listener = listen::on(options.host, options.port).map_err(Error::io(place.to_string()))?;
        let port = listener.local_addr().map_err(Error::io("the port"))?.port();
        let address = SocketAddr::new(options.reached_at, port);
        let (stop_engine, engine_stopped) = watch::channel(false);
        let (dynamo, engine) = Dynamo::start(folder, engine_stopped)?;
        let services = Arc::new(Services { authority, faults, deliveries, dynamo, s3, sns, sqs, kms });
        let (stop, stopped) = watch::channel(false);
        let server = tokio::spawn(serve(listener, Arc::clone(&services), stopped.clone()));
        let sweeper = tokio::spawn(sweep(Arc::clone(&services), stopped));
        let callers = Stage { stop, tasks: vec![server, sweeper] };
        let engines = Stage { stop: stop_engine, tasks: vec![engine] };
        Ok(Self { services, url: format!("http://{address}"), stages: Mutex::new(vec![callers, engines]), _lock: lock })
    }

    /// The endpoint URL of all services, `http://127.0.0.1:PORT` unless another address was asked for.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Registers a caller with its role.
    pub fn register(&self, principal: Principal) -> Result<(), Error> {
        self.services.authority.register(principal)
    }

    /// The statements that allowed at least one call so far.
    #[must_use]
    pub fn used_statements(&self) -> Vec<UsedStatement> {
        self.services.authority.used()
    }

    /// The statements that at least one call so far needed, because no other statement of its caller allows it.
    #[must_use]
    pub fn needed_statements(&self) -> Vec<UsedStatement> {
        self.services.authority.needed()
    }

    /// The newest thousand denied calls, oldest first.
    #[must_use]
    pub fn denied(&self) -> Vec<Denial> {
        self.services.authority.denied()
    }

    /// Creates a table from the properties of an `AWS::DynamoDB::Table` with intrinsic functions resolved. An existing
    /// table is kept if its schema is the same, although its stream may be switched on or off; otherwise this is an
    /// error.
    pub fn create_table(&self, properties: &Value) -> Result<(), Error> {
        self.services.dynamo.create_table(properties)
    }

    /// Creates a bucket unless it exists, with or without versioning. Without it, an existing bucket keeps the versions
    /// that it has, and only stops keeping new ones.
    pub fn create_bucket(&self, name: &str, versioned: bool) -> Result<(), Error> {
        self.services.s3.create_bucket(name, versioned)
    }

    /// Creates a KMS key by its ARN. An existing key is kept.
    pub fn create_key(&self, arn: &str) {
        self.services.kms.create_key(arn);
    }

    /// Creates an SNS topic by its ARN. An existing topic is kept.
    pub fn create_topic(&self, arn: &str) {
        self.services.sns.create_topic(arn);
    }

    /// Creates an SNS platform application by its ARN, `…:app/<platform>/<name>`. The data folder keeps its endpoints
    /// across runs.
    pub fn create_platform_application(&self, arn: &str) {
        self.services.sns.create_application(arn);
    }

    /// Creates an SQS queue. An existing queue keeps its messages and gets these settings.
    pub fn create_queue(&self, queue: &Queue) {
        self.services.sqs.create_queue(queue);
    }

    /// Delivers an `ObjectCreated` event to `handler` for every object written to `bucket` whose key starts with
    /// `prefix` and ends with `suffix`; an empty text matches all keys. Delivery is asynchronous and at least once:
    /// after a failure the handler is called up to two more times.
    pub fn on_object_created(&self, bucket: &str, prefix: &str, suffix: &str, handler: ObjectHandler) {
        self.services.deliveries.subscribe(bucket, prefix, suffix, handler);
    }

    /// Delivers the changes of a table to `handler`, which is the function of this name, through the table's stream. A
    /// subscription from an earlier run on the same data folder continues at its position.
    pub async fn on_table_changed(
        &self,
        function: &str,
        changed: TableChanged,
        handler: StreamHandler,
    ) -> Result<(), Error> {
        self.services.dynamo.streams().map(function, changed, handler).await
    }

    /// Delivers the messages of a queue to `handler`, which is the function of this name. Messages that it processed are
    /// deleted; the others come back, or go to the dead-letter queue.
    pub fn on_queue_message(&self, function: &str, events: QueueEvents, handler: QueueHandler) -> Result<(), Error> {
        self.services.sqs.map(function, events, handler)
    }

    /// The messages that are now in the queue with this ARN, oldest first.
    #[must_use]
    pub fn queue_messages(&self, arn: &str) -> Vec<QueueMessage> {
        self.services.sqs.messages(arn)
    }

    /// Moves the clock of all queues forward, so that a test need not wait for visibility timeouts, delays and the end
    /// of the retention period.
    pub fn advance_queues(&self, by: Duration) {
        self.services.sqs.advance(by);
    }

    /// The newest thousand letters about dropped changes, oldest first.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.services.dynamo.streams().dead_letters()
    }

    /// Waits until no event of a bucket, a table's stream or a queue is in progress, including events caused by other
    /// events. An event counts from before the write's response until its handler has succeeded or the event was
    /// dropped. Messages that were sent with a delay count when it is over.
    pub async fn settled(&self) {
        let Services { deliveries, dynamo, sqs, .. } = &*self.services;
        loop {
            deliveries.settled().await;
            // Twice, because an event of the second may have caused one of the first.
            let mut waited = false;
            for _ in 0..2 {
                waited |= dynamo.streams().settled().await | sqs.settled().await;
            }
            if !waited && deliveries.is_settled() {
                return;
            }
        }
    }

    /// The newest thousand texts, newest first; for one phone or for all.
    #[must_use]
    pub fn texts(&self, phone: Option<&str>) -> Vec<Sms> {
        self.services.sns.texts(phone)
    }

    /// Subscribes to every text from now on.
    #[must_use]
    pub fn subscribe_texts(&self) -> broadcast::Receiver<Sms> {
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

    /// Subscribes to every push to a device from now on.
    #[must_use]
    pub fn subscribe_pushes(&self) -> broadcast::Receiver<Push> {
        self.services.sns.subscribe_pushes()
    }

    /// Makes the next `count` calls of one kind fail. `call` is `service:Operation`, for example
    /// `dynamodb:TransactWriteItems`, `s3:PutObject`, `sns:Publish` (to phones, topics and devices alike),
    /// `sqs:SendMessage` or `kms:Decrypt`; `service:*` is any call of a service. SDK clients retry errors that may be temporary, and every
    /// attempt counts.
    pub fn fail_next(&self, call: &str, count: usize, fault: Fault) {
        self.services.faults.plan(call, count, fault);
    }

    /// The same, but after `spared` such calls have succeeded: a fault in the middle of work that takes many calls.
    pub fn fail_after(&self, call: &str, spared: usize, count: usize, fault: Fault) {
        self.services.faults.plan_after(call, spared, count, fault);
    }

    /// The number of planned faults that have not happened yet, so that a test can check that its fault happened.
    #[must_use]
    pub fn faults_left(&self) -> usize {
        self.services.faults.left()
    }

    /// Deletes expired items (time to live) now instead of within half a minute; returns their number.
    pub async fn sweep_expired(&self) -> Result<usize, Error> {
        self.services.dynamo.sweep().await
    }

    /// Stops: lets requests and events in progress finish, for a few seconds, and returns when the port is free.
    pub async fn shutdown(&self) {
        let _ = tokio::time::timeout(SETTLE, self.settled()).await;
        self.services.dynamo.streams().stop(SETTLE).await;
        self.services.sqs.stop(SETTLE).await;
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

/// Creates the data folder and locks it for this process, because the index of objects is in memory and two processes
/// would not see each other's writes.
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
