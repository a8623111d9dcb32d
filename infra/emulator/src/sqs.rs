//! SQS in the JSON protocol: standard queues with visibility timeouts, delays, retention and dead-letter queues, and the
//! event source mappings that deliver their messages to functions.
//!
//! Messages are in `SQLite` ([`store`]), in memory or in the data folder. The rules of a queue are those of the SQS
//! developer guide, and time is the machine's clock, which a test may move forward. Queues with the properties of FIFO
//! queues, and attributes of messages, are not supported.

mod batch;
mod call;
mod error;
mod mapping;
mod reply;
mod store;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use s3s::HttpResponse;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub use mapping::QueueHandler;
pub use store::QueueMessage;

use crate::authority::Authority;
use crate::fault::Faults;
use crate::iam::Access;
use crate::signed::SignedCall;
use crate::template::{Queue, QueueEvents};
use crate::{Error, answer, clock};
use call::SqsCall;
use error::SqsError;
use mapping::Mapping;
use store::Store;

/// The largest accepted request, in bytes: ten messages are at most 1 MiB together.
pub const MAX_BODY: usize = 8 * 1024 * 1024;

/// The SQS endpoint.
pub struct Sqs {
    store: Store,
    /// The queues by their ARN.
    queues: RwLock<HashMap<String, Arc<Queue>>>,
    /// Changes whenever a message becomes visible earlier than before, or leaves a queue.
    changes: watch::Sender<u64>,
    /// How far a test moved the clock of the queues forward, in milliseconds.
    ahead: AtomicU64,
    stopping: watch::Sender<bool>,
    running: Mutex<Vec<RunningMapping>>,
}

/// A running mapping.
struct RunningMapping {
    queue: Arc<Queue>,
    task: Option<JoinHandle<()>>,
}

impl Sqs {
    /// Opens the endpoint with the messages of earlier runs (`None`: in memory). Messages that an earlier run received
    /// and did not delete are visible again, because nobody works on them any more.
    pub fn start(folder: Option<&Path>) -> Result<Self, Error> {
        let store = Store::open(folder)?;
        store.release(clock::epoch_millis())?;
        Ok(Self {
            store,
            queues: RwLock::default(),
            changes: watch::Sender::new(0),
            ahead: AtomicU64::new(0),
            stopping: watch::Sender::new(false),
            running: Mutex::default(),
        })
    }

    /// Creates a queue, or gives an existing one new settings. Its messages are kept.
    pub fn create_queue(&self, queue: &Queue) {
        let mut queues = self.queues.write().unwrap_or_else(PoisonError::into_inner);
        queues.insert(queue.arn.clone(), Arc::new(queue.clone()));
    }

    /// Delivers the messages of a queue to `handler`, which is the function of this name.
    pub fn map(self: &Arc<Self>, function: &str, events: QueueEvents, handler: QueueHandler) -> Result<(), Error> {
        let queue = self.by_arn(&events.queue).ok_or_else(|| Error::NoQueue(events.queue.clone()))?;
        let mapping = Mapping {
            function: function.to_owned(),
            queue: Arc::clone(&queue),
            events,
            handler,
            sqs: Arc::clone(self),
        };
        let task = tokio::spawn(mapping.run(self.stopping.subscribe()));
        self.running().push(RunningMapping { queue, task: Some(task) });
        Ok(())
    }

    /// The messages that are in a queue now, oldest first.
    pub fn messages(&self, arn: &str) -> Vec<QueueMessage> {
        self.store.messages(arn).unwrap_or_default()
    }

    /// Moves the clock of the queues forward.
    pub fn advance(&self, by: Duration) {
        self.ahead.fetch_add(u64::try_from(by.as_millis()).unwrap_or_default(), Ordering::SeqCst);
        self.wake();
    }

    /// Waits until the queues with a mapping contain no message except delayed ones; returns whether there was anything
    /// to wait for.
    pub async fn settled(&self) -> bool {
        let mapped: Vec<_> = self.running().iter().map(|running| Arc::clone(&running.queue)).collect();
        let mut changed = self.changes.subscribe();
        let mut waited = false;
        loop {
            changed.borrow_and_update();
            let now = self.now();
            let is_open = |queue: &Arc<Queue>| self.store.has_open(&queue.arn, now).unwrap_or_default();
            if *self.stopping.borrow() || !mapped.iter().any(is_open) {
                return waited;
            }
            waited = true;
            // The sender exists as long as `self`, so waiting cannot fail.
            let _ = changed.changed().await;
        }
    }

    /// Starts no more deliveries, and waits at most `patience` for those in progress.
    pub async fn stop(&self, patience: Duration) {
        self.stopping.send_replace(true);
        self.wake();
        let tasks: Vec<_> = self.running().iter_mut().filter_map(|running| running.task.take()).collect();
        for mut task in tasks {
            if tokio::time::timeout(patience, &mut task).await.is_err() {
                task.abort();
            }
        }
    }

    /// Handles one call of a registered caller.
    pub async fn answer(&self, authority: &Authority, faults: &Faults, call: &SignedCall) -> HttpResponse {
        let SignedCall { caller, head, body } = call;
        let operation = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let operation = operation.and_then(|target| target.strip_prefix("AmazonSQS.")).unwrap_or_default();
        let parsed = SqsCall::parse(operation, body).and_then(|call| Ok((self.queue_of(&call)?, call)));
        let (queue, call) = match parsed {
            Ok(parsed) => parsed,
            Err(refusal) => return refusal.response(),
        };
        if let Err(denial) = authority.authorize(caller, &Access::new(call.action(), &queue.arn)) {
            return SqsError::Denied(denial.message()).response();
        }
        if let Some(fault) = faults.take("sqs", operation) {
            let (status, code, message) = fault.xml();
            return answer::dynamo(status, &json!({"__type": format!("com.amazonaws.sqs#{code}"), "message": message}));
        }
        match call.run(self, &queue).await {
            Ok(body) => answer::dynamo(200, &body),
            Err(refusal) => refusal.response(),
        }
    }

    /// Receives messages, and waits for the first one until `deadline`; without a deadline until there is one.
    async fn receive(
        &self,
        queue: &Queue,
        most: u32,
        visibility: Option<u32>,
        deadline: Option<Instant>,
    ) -> Result<Vec<QueueMessage>, SqsError> {
        let mut changed = self.changes.subscribe();
        loop {
            changed.borrow_and_update();
            let (received, left) = self.store.receive(queue, most, visibility, self.now())?;
            if left {
                // Expired messages and dead letters left the queue.
                self.wake();
            }
            if !received.is_empty() {
                return Ok(received);
            }
            let now = self.now();
            let next = self.store.next_visible(&queue.arn)?.map(|at| Duration::from_millis(at.saturating_sub(now)));
            let next = next.map(|wait| Instant::now() + wait.max(Duration::from_millis(1)));
            match (deadline, next) {
                (Some(deadline), _) if Instant::now() >= deadline => return Ok(Vec::new()),
                (Some(deadline), next) => {
                    let until = next.unwrap_or(deadline).min(deadline);
                    let _ = tokio::time::timeout_at(until, changed.changed()).await;
                }
                (None, Some(next)) => {
                    let _ = tokio::time::timeout_at(next, changed.changed()).await;
                }
                (None, None) => {
                    let _ = changed.changed().await;
                }
            }
        }
    }

    /// Reports that a queue changed.
    fn wake(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// The time of the queues, in milliseconds since the Unix epoch.
    fn now(&self) -> u64 {
        clock::epoch_millis() + self.ahead.load(Ordering::SeqCst)
    }

    fn by_arn(&self, arn: &str) -> Option<Arc<Queue>> {
        self.queues.read().unwrap_or_else(PoisonError::into_inner).get(arn).cloned()
    }

    fn queue_of(&self, call: &SqsCall) -> Result<Arc<Queue>, SqsError> {
        let name = call.queue_name();
        let queues = self.queues.read().unwrap_or_else(PoisonError::into_inner);
        let found = queues.values().find(|queue| queue.name() == name);
        found.cloned().ok_or(SqsError::NoQueue)
    }

    fn running(&self) -> MutexGuard<'_, Vec<RunningMapping>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
