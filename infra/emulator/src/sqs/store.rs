//! The messages of all queues, in `SQLite`.
//!
//! A message is visible from the time in `visible` on. Receiving it moves this time into the future and gives it a new
//! receipt handle, so it comes back unless it is deleted before.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use crate::template::Queue;
use crate::{Error, clock};

/// A message in a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueMessage {
    /// Its id, which stays the same in a dead-letter queue.
    pub id: String,
    /// The text that was sent.
    pub body: String,
    /// When it was sent, in milliseconds since the Unix epoch.
    pub sent_at: u64,
    /// How often it was received.
    pub receives: u32,
    /// When it was first received, in milliseconds since the Unix epoch.
    pub first_received_at: Option<u64>,
    /// The receipt handle of the last time that it was received.
    pub receipt: Option<String>,
    /// The ARN of the queue that it was moved from, if this is a dead-letter queue.
    pub source: Option<String>,
}

/// How many messages of a queue are in which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Messages that can be received.
    pub visible: u64,
    /// Messages that were received and not deleted, and are hidden.
    pub in_flight: u64,
    /// Messages that were sent with a delay that is not over.
    pub delayed: u64,
}

const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS messages (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        queue TEXT NOT NULL,
        id TEXT NOT NULL,
        body TEXT NOT NULL,
        sent INTEGER NOT NULL,
        visible INTEGER NOT NULL,
        receives INTEGER NOT NULL DEFAULT 0,
        first_received INTEGER,
        receipt TEXT,
        source TEXT
    );
    CREATE INDEX IF NOT EXISTS by_time ON messages (queue, visible, number);
    CREATE INDEX IF NOT EXISTS by_receipt ON messages (receipt);
";

/// The columns of a [`QueueMessage`].
const COLUMNS: &str = "id, body, sent, receives, first_received, receipt, source";

/// The messages.
pub struct Store(Mutex<Connection>);

impl Store {
    /// Opens the messages in a folder, or an empty store in memory.
    pub fn open(folder: Option<&Path>) -> Result<Self, Error> {
        let connection = match folder {
            Some(folder) => Connection::open(folder.join("sqs.sqlite"))?,
            None => Connection::open_in_memory()?,
        };
        // A crash of this process loses nothing; only one of the machine may lose the last messages.
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")?;
        connection.execute_batch(TABLE)?;
        Ok(Self(Mutex::new(connection)))
    }

    /// Makes all messages visible that were received and not deleted.
    pub fn release(&self, now: u64) -> rusqlite::Result<()> {
        let release = "UPDATE messages SET visible = MIN(visible, ?1) WHERE receives > 0";
        self.connection().execute(release, params![number(now)]).map(drop)
    }

    /// Adds messages, all or none; returns their ids.
    pub fn send(&self, queue: &str, messages: &[(&str, u64)], now: u64) -> rusqlite::Result<Vec<String>> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let insert = "INSERT INTO messages (queue, id, body, sent, visible) VALUES (?1, ?2, ?3, ?4, ?5)";
        let mut ids = Vec::new();
        for (body, delay) in messages {
            let id = clock::random_id();
            transaction.execute(insert, params![queue, id, body, number(now), number(now + delay * 1_000)])?;
            ids.push(id);
        }
        transaction.commit()?;
        Ok(ids)
    }

    /// Receives at most this many visible messages, oldest first. Before that, it deletes messages that are too old and
    /// moves those that were received too often to the dead-letter queue. It also returns whether any message left the
    /// queue that way.
    pub fn receive(
        &self,
        queue: &Queue,
        most: u32,
        visibility: Option<u32>,
        now: u64,
    ) -> rusqlite::Result<(Vec<QueueMessage>, bool)> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let left = expire(&transaction, queue, now)? + bury(&transaction, queue, now)?;
        let hidden_until = now + u64::from(visibility.unwrap_or(queue.visibility_timeout)) * 1_000;
        let due = "SELECT number FROM messages WHERE queue = ?1 AND visible <= ?2 ORDER BY visible, number LIMIT ?3";
        let numbers: Vec<i64> = transaction
            .prepare_cached(due)?
            .query_map(params![queue.arn, number(now), most], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let take = format!(
            "UPDATE messages SET visible = ?2, receives = receives + 1, receipt = ?3, \
             first_received = COALESCE(first_received, ?4) WHERE number = ?1 RETURNING {COLUMNS}"
        );
        let mut received = Vec::new();
        for message in numbers {
            let values = params![message, number(hidden_until), clock::random_id(), number(now)];
            received.push(transaction.prepare_cached(&take)?.query_row(values, read)?);
        }
        transaction.commit()?;
        Ok((received, left > 0))
    }

    /// Deletes the message with this receipt handle. A handle that is not the newest one deletes nothing.
    pub fn delete(&self, queue: &str, receipt: &str) -> rusqlite::Result<bool> {
        let delete = "DELETE FROM messages WHERE queue = ?1 AND receipt = ?2";
        Ok(self.connection().execute(delete, params![queue, receipt])? > 0)
    }

    /// Sets when a message that is in flight becomes visible; returns whether it is in flight.
    pub fn hide(&self, queue: &str, receipt: &str, until: u64, now: u64) -> rusqlite::Result<bool> {
        let hide = "UPDATE messages SET visible = ?3 WHERE queue = ?1 AND receipt = ?2 AND visible > ?4";
        Ok(self.connection().execute(hide, params![queue, receipt, number(until), number(now)])? > 0)
    }

    /// Makes a received message visible at this time, unless it becomes visible before that.
    pub fn hasten(&self, queue: &str, receipt: &str, until: u64) -> rusqlite::Result<()> {
        let hasten = "UPDATE messages SET visible = MIN(visible, ?3) WHERE queue = ?1 AND receipt = ?2";
        self.connection().execute(hasten, params![queue, receipt, number(until)]).map(drop)
    }

    /// The time at which the next message of a queue becomes visible or is visible already, in milliseconds.
    pub fn next_visible(&self, queue: &str) -> rusqlite::Result<Option<u64>> {
        let next = "SELECT visible FROM messages WHERE queue = ?1 ORDER BY visible LIMIT 1";
        let next = self.connection().query_row(next, params![queue], |row| row.get::<_, i64>(0)).optional()?;
        Ok(next.map(unsigned))
    }

    /// Whether a queue has a message that is visible or in flight.
    pub fn has_open(&self, queue: &str, now: u64) -> rusqlite::Result<bool> {
        let open = "SELECT EXISTS (SELECT 1 FROM messages WHERE queue = ?1 AND (visible <= ?2 OR receives > 0))";
        self.connection().query_row(open, params![queue, number(now)], |row| row.get(0))
    }

    /// The numbers of messages by their state.
    pub fn counts(&self, queue: &str, now: u64) -> rusqlite::Result<Counts> {
        let counts = "SELECT COUNT(*) FILTER (WHERE visible <= ?2), \
                      COUNT(*) FILTER (WHERE visible > ?2 AND receives > 0), \
                      COUNT(*) FILTER (WHERE visible > ?2 AND receives = 0) FROM messages WHERE queue = ?1";
        self.connection().query_row(counts, params![queue, number(now)], |row| {
            let count = |column: usize| row.get::<_, i64>(column).map(unsigned);
            Ok(Counts { visible: count(0)?, in_flight: count(1)?, delayed: count(2)? })
        })
    }

    /// All messages of a queue, oldest first.
    pub fn messages(&self, queue: &str) -> rusqlite::Result<Vec<QueueMessage>> {
        let all = format!("SELECT {COLUMNS} FROM messages WHERE queue = ?1 ORDER BY number");
        self.connection().prepare(&all)?.query_map(params![queue], read)?.collect()
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Deletes the messages that are older than the queue keeps them.
fn expire(transaction: &Transaction<'_>, queue: &Queue, now: u64) -> rusqlite::Result<usize> {
    let oldest = now.saturating_sub(u64::from(queue.retention) * 1_000);
    let expire = "DELETE FROM messages WHERE queue = ?1 AND sent < ?2";
    transaction.prepare_cached(expire)?.execute(params![queue.arn, number(oldest)])
}

/// Moves the visible messages that were received as often as the queue allows to the dead-letter queue.
fn bury(transaction: &Transaction<'_>, queue: &Queue, now: u64) -> rusqlite::Result<usize> {
    let Some(redrive) = &queue.redrive else { return Ok(0) };
    let bury = "UPDATE messages SET queue = ?3, source = ?1, receipt = NULL WHERE queue = ?1 AND visible <= ?2 AND \
                receives >= ?4";
    let values = params![queue.arn, number(now), redrive.dead_letters, redrive.max_receives];
    let buried = transaction.prepare_cached(bury)?.execute(values)?;
    if buried > 0 {
        let queue = queue.name();
        tracing::error!(queue, buried, "messages were received too often and are now in the dead-letter queue");
    }
    Ok(buried)
}

fn read(row: &Row<'_>) -> rusqlite::Result<QueueMessage> {
    Ok(QueueMessage {
        id: row.get(0)?,
        body: row.get(1)?,
        sent_at: row.get(2).map(unsigned)?,
        receives: row.get(3)?,
        first_received_at: row.get::<_, Option<i64>>(4)?.map(unsigned),
        receipt: row.get(5)?,
        source: row.get(6)?,
    })
}

/// The integers of `SQLite` have a sign; times are far below its range.
fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}
