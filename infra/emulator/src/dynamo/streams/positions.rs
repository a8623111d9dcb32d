//! The position of each mapping, optionally on disk, so that it continues there after a restart.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::Error;

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
        let places = match &file {
            None => BTreeMap::new(),
            Some(file) => {
                let at = || file.display().to_string();
                match fs::read(file) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
                    Err(error) => return Err(Error::io(at())(error)),
                    Ok(bytes) => {
                        serde_json::from_slice(&bytes).map_err(|error| Error::io(at())(io::Error::other(error)))?
                    }
                }
            }
        };
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
        let fresh = file.with_extension("new");
        let content = serde_json::to_vec(&*places).unwrap_or_default();
        if let Err(error) = fs::write(&fresh, content).and_then(|()| fs::rename(&fresh, file)) {
            tracing::warn!(%error, "the position in the table's stream could not be written");
        }
    }
}
