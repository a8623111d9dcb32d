//! Messages that SNS would have sent: the newest of each kind, optionally on disk.

use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::broadcast;

use crate::{Error, files};

/// The number of messages of a kind that are kept; older ones are deleted.
const KEPT: usize = 1_000;

/// The number of messages that a slow subscriber may fall behind before it misses some.
const BACKLOG: usize = 4_096;

/// The newest messages of a kind, oldest first, with one JSON line for each in a file.
pub struct Journal<T> {
    kept: Mutex<Kept<T>>,
    listeners: broadcast::Sender<T>,
}

struct Kept<T> {
    messages: VecDeque<T>,
    file: Option<PathBuf>,
    /// Lines in the file, including those of deleted messages.
    lines: usize,
}

impl<T: Clone + Serialize + DeserializeOwned> Journal<T> {
    /// Reads the messages in the file, if there is a file. A line that cannot be read, for example one half written
    /// when the power failed, is skipped.
    pub fn open(file: Option<PathBuf>) -> Result<Self, Error> {
        let mut messages = VecDeque::new();
        let mut at = String::new();
        if let Some(file) = &file {
            at = file.display().to_string();
            let content = match std::fs::read_to_string(file) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
                content => content.map_err(Error::io(&at))?,
            };
            messages.extend(content.lines().filter_map(|line| serde_json::from_str(line).ok()));
            messages.drain(..messages.len().saturating_sub(KEPT));
        }
        let mut kept = Kept { messages, file, lines: 0 };
        kept.rewrite().map_err(Error::io(at))?;
        Ok(Self { kept: Mutex::new(kept), listeners: broadcast::Sender::new(BACKLOG) })
    }

    /// Stores a message and notifies the subscribers.
    pub fn keep(&self, message: T) -> io::Result<()> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.append(&message)?;
        kept.messages.push_back(message.clone());
        if kept.messages.len() > KEPT {
            kept.messages.pop_front();
        }
        // Rewriting only now and then keeps the cost per message constant.
        if kept.lines >= 2 * KEPT {
            kept.rewrite()?;
        }
        drop(kept);
        // It is not an error if there are no subscribers.
        let _ = self.listeners.send(message);
        Ok(())
    }

    /// The stored messages that `wanted` accepts, newest first.
    pub fn newest_first(&self, wanted: impl Fn(&T) -> bool) -> Vec<T> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.messages.iter().rev().filter(|message| wanted(message)).cloned().collect()
    }

    /// Subscribes to every message from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<T> {
        self.listeners.subscribe()
    }
}

impl<T: Serialize> Kept<T> {
    fn append(&mut self, message: &T) -> io::Result<()> {
        let Some(path) = &self.file else {
            return Ok(());
        };
        let mut file = OpenOptions::new().append(true).create(true).open(path)?;
        file.write_all(line(message)?.as_bytes())?;
        self.lines += 1;
        Ok(())
    }

    /// Rewrites the file with only the stored messages.
    fn rewrite(&mut self) -> io::Result<()> {
        let Some(path) = &self.file else {
            return Ok(());
        };
        let lines = self.messages.iter().map(line).collect::<io::Result<String>>()?;
        files::replace(path, lines.as_bytes())?;
        self.lines = self.messages.len();
        Ok(())
    }
}

fn line<T: Serialize>(message: &T) -> io::Result<String> {
    Ok(serde_json::to_string(message)? + "\n")
}
