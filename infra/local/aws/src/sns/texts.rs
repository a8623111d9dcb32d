//! The texts that would have been sent: the newest ones, on disk if wanted.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use crate::Error;

/// How many texts are kept; older ones are forgotten.
const KEPT: usize = 1_000;

/// How many texts a slow listener may fall behind before it misses some.
const BACKLOG: usize = 256;

/// A text message that SNS would have sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// The phone number it was published to, in E.164 form.
    pub phone: String,
    /// The words.
    pub body: String,
    /// When, in milliseconds since the Unix epoch.
    pub sent_at: u64,
    /// The id `Publish` answered with.
    pub message_id: String,
    /// String message attributes, for example `AWS.SNS.SMS.SMSType`.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
}

/// The newest texts, oldest first, with a JSON line for each in a file.
pub struct Texts {
    kept: Mutex<Kept>,
    listeners: broadcast::Sender<Text>,
}

struct Kept {
    texts: VecDeque<Text>,
    file: Option<PathBuf>,
    /// Lines in the file, among them those of forgotten texts.
    lines: usize,
}

impl Texts {
    /// Reads the file's texts, if there is a file. A line that cannot be read,
    /// such as one half written when the power failed, is skipped.
    pub fn open(file: Option<PathBuf>) -> Result<Self, Error> {
        let mut texts = VecDeque::new();
        if let Some(file) = &file {
            let content = match std::fs::read_to_string(file) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
                content => content.map_err(Error::io(file.display().to_string()))?,
            };
            texts.extend(content.lines().filter_map(|line| serde_json::from_str(line).ok()));
            texts.drain(..texts.len().saturating_sub(KEPT));
        }
        let mut kept = Kept { texts, file, lines: 0 };
        kept.rewrite().map_err(Error::io("the kept texts"))?;
        Ok(Self { kept: Mutex::new(kept), listeners: broadcast::Sender::new(BACKLOG) })
    }

    /// Keeps a text and tells the listeners.
    pub fn keep(&self, text: Text) -> io::Result<()> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.append(&text)?;
        kept.texts.push_back(text.clone());
        if kept.texts.len() > KEPT {
            kept.texts.pop_front();
        }
        // Rewriting only every so often keeps the cost of a text constant.
        if kept.lines >= 2 * KEPT {
            kept.rewrite()?;
        }
        drop(kept);
        // It is no failure that nobody listens.
        let _ = self.listeners.send(text);
        Ok(())
    }

    /// The texts kept, newest first; of one phone or of all.
    pub fn newest_first(&self, phone: Option<&str>) -> Vec<Text> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = |text: &&Text| phone.is_none_or(|phone| text.phone == phone);
        kept.texts.iter().rev().filter(wanted).cloned().collect()
    }

    /// Hears of every text from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Text> {
        self.listeners.subscribe()
    }
}

impl Kept {
    fn append(&mut self, text: &Text) -> io::Result<()> {
        let Some(path) = &self.file else {
            return Ok(());
        };
        let mut file = OpenOptions::new().append(true).create(true).open(path)?;
        file.write_all(line(text)?.as_bytes())?;
        self.lines += 1;
        Ok(())
    }

    /// Writes the file anew with the kept texts only.
    fn rewrite(&mut self) -> io::Result<()> {
        let Some(path) = &self.file else {
            return Ok(());
        };
        let fresh = path.with_extension("new");
        let lines = self.texts.iter().map(line).collect::<io::Result<String>>()?;
        File::create(&fresh)?.write_all(lines.as_bytes())?;
        std::fs::rename(&fresh, path)?;
        self.lines = self.texts.len();
        Ok(())
    }
}

fn line(text: &Text) -> io::Result<String> {
    Ok(serde_json::to_string(text)? + "\n")
}
