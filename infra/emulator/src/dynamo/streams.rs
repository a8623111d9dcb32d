//! The tables' streams, and the event source mappings that deliver them to functions.
//!
//! The engine writes a record of every change in the same transaction as the change, so a record exists exactly when
//! the change does. A mapping reads the records in order ([`reader`]), skips those that its patterns do not match
//! ([`pattern`]), and delivers the others in batches ([`batch`]) as Lambda does: at least once, in order for each
//! partition key, with retries, and with letters about dropped records ([`letters`]). Its position survives a restart
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
pub use mapping::StreamHandler;

use crate::Error;
use crate::template::TableChanged;
use batch::Courier;
use letters::Letters;
use mapping::Mapping;
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
    running: Mutex<Vec<RunningMapping>>,
}

/// A running mapping.
struct RunningMapping {
    source: Source,
    progress: watch::Receiver<Progress>,
    task: Option<JoinHandle<()>>,
}

impl Streams {
    /// No mappings yet, but with the positions from earlier runs.
    pub fn start(database: Database, folder: Option<&Path>) -> Result<Self, Error> {
        Ok(Self {
            database,
            positions: Arc::new(Positions::open(folder)?),
            letters: Arc::default(),
            signal: watch::Sender::default(),
            running: Mutex::default(),
        })
    }

    /// Starts a mapping at its stored position, or at its configured start.
    pub async fn map(&self, function: &str, changed: TableChanged, handler: StreamHandler) -> Result<(), Error> {
        let filters = changed.filters.iter().map(Pattern::parse).collect::<Result<Vec<_>, _>>();
        let filters = filters.map_err(|problem| Error::Filter { function: function.to_owned(), problem })?;
        let source = Source::open(&self.database, &changed.table)?;
        let mapping = Mapping { function: function.to_owned(), changed };
        let after = match self.positions.get(&mapping.id()) {
            Some(place) => place,
            None if mapping.changed.from_start => 0,
            None => source.newest().await?,
        };
        // Stored now, so that the start is known even if nothing happens before it stops.
        self.positions.set(&mapping.id(), after);
        let (report, progress) = watch::channel(Progress { read_to: after, done_to: after, open: 0 });
        let courier = Courier { mapping, source: source.clone(), handler, letters: Arc::clone(&self.letters) };
        let told = (report, self.signal.subscribe());
        let task = tokio::spawn(Reader::new(courier, filters, Arc::clone(&self.positions), told, after).run());
        self.running().push(RunningMapping { source, progress, task: Some(task) });
        Ok(())
    }

    /// Reports that something was written.
    pub fn wake(&self) {
        self.signal.send_modify(|signal| signal.writes += 1);
    }

    /// Waits until every record written so far has succeeded or was dropped; returns whether there was anything to wait
    /// for.
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
                // This fails if the mapping has stopped; then there is nothing to wait for.
                let _ = progress.wait_for(is_done).await;
            }
        }
        waited
    }

    /// The letters about dropped records, oldest first.
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.letters.all()
    }

    /// The sequence below which no mapping needs a table's records; `None` if the table has no mapping.
    pub fn done_with(&self, table: &str) -> Option<i64> {
        let running = self.running();
        let of_table = running.iter().filter(|running| running.source.table == table);
        of_table.map(|running| running.progress.borrow().done_to).min()
    }

    /// Starts no more batches, and waits at most `patience` for those in progress.
    pub async fn stop(&self, patience: Duration) {
        self.signal.send_modify(|signal| signal.stopping = true);
        let tasks: Vec<_> = self.running().iter_mut().filter_map(|running| running.task.take()).collect();
        for mut task in tasks {
            if tokio::time::timeout(patience, &mut task).await.is_err() {
                task.abort();
            }
        }
    }

    fn running(&self) -> MutexGuard<'_, Vec<RunningMapping>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
