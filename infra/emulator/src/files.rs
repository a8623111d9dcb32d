//! Small files that are read and replaced whole.

use std::path::Path;
use std::{fs, io};

use serde::de::DeserializeOwned;

use crate::error::Error;

/// Parses a JSON file, or returns the default if it does not exist. A file that cannot be parsed was written by another
/// program and is an error.
pub fn read_json<T: DeserializeOwned + Default>(file: &Path) -> Result<T, Error> {
    match fs::read(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
        read => {
            let parsed = read.and_then(|bytes| Ok(serde_json::from_slice(&bytes)?));
            parsed.map_err(Error::io(file.display().to_string()))
        }
    }
}

/// Replaces a file in one step, so that after a crash either the old or the new one exists.
pub fn replace(file: &Path, content: &[u8]) -> io::Result<()> {
    let fresh = file.with_extension("new");
    fs::write(&fresh, content)?;
    fs::rename(&fresh, file)
}
