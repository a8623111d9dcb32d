//! The task of one mapping: it reads the stream, filters the records, and keeps its lanes busy.

use std::collections::{BTreeSet, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::batch::Courier;
use super::pattern::Pattern;
use super::positions::Positions;
use super::source::StreamRecord;

/// The most records that may wait for a function. The others stay in the stream.
const AHEAD: usize = 1_000;

/// The largest event, in bytes: Lambda accepts 6 MB.
const MAX_EVENT: usize = 6_000_000;

/// How often the stream is checked when no write was reported, for example because a caller disconnected before its
/// response.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The progress of a mapping.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    /// The stream has been read up to this sequence.
    pub read_to: i64,
    /// Everything up to this sequence is done.
    pub done_to: i64,
    /// The number of records that were read and are not done.
    pub open: usize,
}

/// Signals to the tasks of mappings.
#[derive(Debug, Clone, Copy, Default)]
pub struct Signal {
    /// Grows with every write.
    pub writes: u64,
    /// No more batches may start.
    pub stopping: bool,
}

/// The task of one mapping.
pub struct Reader {
    courier: Arc<Courier>,
    filters: Vec<Pattern>,
    positions: Arc<Positions>,
    progress: watch::Sender<Progress>,
    signal: watch::Receiver<Signal>,
    lanes: Vec<Lane>,
    /// The sequences of unfinished records.
    open: BTreeSet<i64>,
    read_to: i64,
    running: JoinSet<(usize, Vec<i64>)>,
}

/// Records that are delivered one batch after another.
#[derive(Default)]
struct Lane {
    waiting: VecDeque<StreamRecord>,
    busy: bool,
}

impl Reader {
    /// Creates a task that starts after this sequence.
    pub fn new(
        courier: Courier,
        filters: Vec<Pattern>,
        positions: Arc<Positions>,
        (progress, signal): (watch::Sender<Progress>, watch::Receiver<Signal>),
        after: i64,
    ) -> Self {
        let lanes = (0..courier.mapping.changed.parallelization_factor.max(1)).map(|_| Lane::default()).collect();
        Self {
            courier: Arc::new(courier),
            filters,
            positions,
            progress,
            signal,
            lanes,
            open: BTreeSet::new(),
            read_to: after,
            running: JoinSet::new(),
        }
    }

    /// Works until it is told to stop, or until the sender of that signal is gone.
    pub async fn run(mut self) {
        loop {
            let stopping = self.signal.borrow_and_update().stopping;
            if stopping && self.running.is_empty() {
                self.positions.set(&self.courier.mapping.id(), self.done_to());
                return;
            }
            if !stopping {
                self.read().await;
                self.start();
            }
            self.report();
            tokio::select! {
                Some(done) = self.running.join_next() => self.finish(done),
                changed = self.signal.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Reads new records, unless too many are waiting.
    async fn read(&mut self) {
        while self.open.len() < AHEAD {
            let (records, read_to) = match self.courier.source.read(self.read_to).await {
                Ok(page) => page,
                Err(error) => {
                    tracing::warn!(%error, "the table's stream could not be read");
                    return;
                }
            };
            if read_to == self.read_to {
                return;
            }
            self.read_to = read_to;
            for record in records {
                if self.filters.is_empty() || self.filters.iter().any(|filter| filter.matches(&record.event)) {
                    self.open.insert(record.sequence);
                    let lane = self.lane_of(&record.key);
                    self.lanes[lane].waiting.push_back(record);
                }
            }
        }
    }

    /// Records with the same key share a lane, so they keep their order.
    fn lane_of(&self, key: &str) -> usize {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let lanes = u64::try_from(self.lanes.len()).unwrap_or(1);
        usize::try_from(hasher.finish() % lanes).unwrap_or_default()
    }

    /// Starts a batch in every idle lane.
    fn start(&mut self) {
        let batch_size = usize::try_from(self.courier.mapping.changed.batch_size).unwrap_or(usize::MAX);
        for (index, lane) in self.lanes.iter_mut().enumerate() {
            if lane.busy || lane.waiting.is_empty() {
                continue;
            }
            lane.busy = true;
            let batch = lane.next_batch(batch_size);
            let courier = Arc::clone(&self.courier);
            self.running.spawn(async move {
                let sequences = batch.iter().map(|record| record.sequence).collect();
                courier.deliver(batch).await;
                (index, sequences)
            });
        }
    }

    fn finish(&mut self, done: Result<(usize, Vec<i64>), tokio::task::JoinError>) {
        match done {
            Ok((lane, sequences)) => {
                self.lanes[lane].busy = false;
                for sequence in sequences {
                    self.open.remove(&sequence);
                }
                self.positions.set(&self.courier.mapping.id(), self.done_to());
            }
            // A panic of a function never gets here, because it is caught earlier.
            Err(error) => tracing::error!(%error, "a delivery of changes broke off; a restart repeats it"),
        }
    }

    fn done_to(&self) -> i64 {
        self.open.first().map_or(self.read_to, |first| first - 1)
    }

    fn report(&self) {
        let progress = Progress { read_to: self.read_to, done_to: self.done_to(), open: self.open.len() };
        self.progress.send_replace(progress);
    }
}

impl Lane {
    /// The next records that fit into an event, at least one.
    fn next_batch(&mut self, size: usize) -> Vec<StreamRecord> {
        let mut length = 0;
        let fitting = self.waiting.iter().take(size).take_while(|record| {
            length += record.length + 1;
            length <= MAX_EVENT
        });
        let count = fitting.count().max(1);
        self.waiting.drain(..count.min(self.waiting.len())).collect()
    }
}
