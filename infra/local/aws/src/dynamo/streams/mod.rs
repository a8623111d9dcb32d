//! The tables' streams, and the event source mappings that hand them to functions.
//!
//! The engine writes a record of every change in the transaction of the change itself, so a record is there exactly
//! when the change is. A mapping reads them in order ([`reader`]), leaves out what its patterns do not match
//! ([`pattern`]), and delivers the rest in batches ([`batch`]) as Lambda does: at least once, in the order of each
//! partition key, with retries, and with letters about what it gave up ([`letters`]). How far it is outlives a restart
//! ([`positions`]).

mod batch;
mod letters;
mod mapping;
mod pattern;
mod positions;
mod reader;
mod source;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dynoxide::Database;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use batch::KEPT_FOR;
pub use letters::DeadLetter;
pub use mapping::{Mapping, StreamHandler};

use crate::Error;
use batch::Courier;
use letters::Letters;
use pattern::Pattern;
use positions::Positions;
use reader::{Progress, Reader, Signal};
use source::Source;

/// The mappings of all tables.
pub struct Streams {
    database: Database,
    positions: Arc<Positions>,
    letters: Arc<Letters>,
    signal: watch::Sender<Signal>,
    running: Mutex<Vec<Running>>,
}

/// A mapping at work.
struct Running {
    source: Source,
    progress: watch::Receiver<Progress>,
    task: Option<JoinHandle<()>>,
}

impl Streams {
    /// No mappings yet, but the places of those of earlier runs.
    pub fn start(database: Database, folder: Option<&Path>) -> Result<Self, Error> {
        Ok(Self {
            database,
            positions: Arc::new(Positions::open(folder)?),
            letters: Arc::default(),
            signal: watch::Sender::default(),
            running: Mutex::default(),
        })
    }

    /// Starts a mapping where it was, or where it is to begin.
    pub async fn map(&self, mapping: Mapping, handler: StreamHandler) -> Result<(), Error> {
        let filters = mapping.filters.iter().map(Pattern::parse).collect::<Result<Vec<_>, _>>();
        let filters = filters.map_err(|problem| Error::Filter { function: mapping.function.clone(), problem })?;
        let source = Source::open(&self.database, &mapping.table)?;
        let after = match self.positions.get(&mapping.id()) {
            Some(place) => place,
            None if mapping.from_start => 0,
            None => source.newest().await?,
        };
        // Also when nothing happens before it stops, it has begun here.
        self.positions.set(&mapping.id(), after);
        let (report, progress) = watch::channel(Progress { read_to: after, done_to: after, open: 0 });
        let courier = Courier { mapping, source: source.clone(), handler, letters: Arc::clone(&self.letters) };
        let told = (report, self.signal.subscribe());
        let task = tokio::spawn(Reader::new(courier, filters, Arc::clone(&self.positions), told, after).run());
        self.running().push(Running { source, progress, task: Some(task) });
        Ok(())
    }

    /// Says that something was written.
    pub fn wake(&self) {
        self.signal.send_modify(|signal| signal.writes += 1);
    }

    /// Waits until every record written so far is done or given up; says whether there was anything to wait for.
    pub async fn settled(&self) -> bool {
        let watched: Vec<_> =
            self.running().iter().map(|running| (running.source.clone(), running.progress.clone())).collect();
        let mut waited = false;
        for (source, mut progress) in watched {
            let Ok(newest) = source.newest().await else { continue };
            let is_done = |progress: &Progress| progress.open == 0 && progress.read_to >= newest;
            if !is_done(&progress.borrow()) {
                waited = true;
                self.wake();
                // It fails when the mapping stopped, and then there is nothing to wait for.
                let _ = progress.wait_for(is_done).await;
            }
        }
        waited
    }

    /// The letters about records that were given up, oldest first.
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.letters.all()
    }

    /// The sequence below which no mapping needs a table's records; `None` when none is mapped.
    pub fn done_with(&self, table: &str) -> Option<i64> {
        let running = self.running();
        let of_table = running.iter().filter(|running| running.source.table == table);
        of_table.map(|running| running.progress.borrow().done_to).min()
    }

    /// Begins no more batches, and waits for those under way, but not for longer than so.
    pub async fn stop(&self, patience: Duration) {
        self.signal.send_modify(|signal| signal.stopping = true);
        let tasks: Vec<_> = self.running().iter_mut().filter_map(|running| running.task.take()).collect();
        for mut task in tasks {
            if tokio::time::timeout(patience, &mut task).await.is_err() {
                task.abort();
            }
        }
    }

    fn running(&self) -> MutexGuard<'_, Vec<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
