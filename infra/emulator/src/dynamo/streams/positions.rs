//! The position of each mapping, optionally on disk, so that it continues there after a restart.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::{Error, files};

/// The last finished sequence of each mapping, by its id.
#[derive(Debug)]
pub struct Positions {
    file: Option<PathBuf>,
    places: Mutex<BTreeMap<String, i64>>,
}

impl Positions {
    /// Reads the positions of earlier runs (`None`: nothing is stored). A file that cannot be read was written by
    /// another program and is an error: without it, changes might be skipped.
    pub fn open(folder: Option<&Path>) -> Result<Self, Error> {
        let file = folder.map(|folder| folder.join("streams.json"));
        let places = file.as_deref().map(files::read_json).transpose()?.unwrap_or_default();
        Ok(Self { file, places: Mutex::new(places) })
    }

    /// The position of a mapping.
    pub fn get(&self, id: &str) -> Option<i64> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner).get(id).copied()
    }

    /// Advances a mapping. If the position cannot be written, a restart only repeats some work.
    pub fn set(&self, id: &str, place: i64) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.insert(id.to_owned(), place) == Some(place) {
            return;
        }
        let Some(file) = &self.file else { return };
        let content = serde_json::to_vec(&*places).unwrap_or_default();
        if let Err(error) = files::replace(file, &content) {
            tracing::warn!(%error, "how far the table's changes were handled could not be written");
        }
    }
}
