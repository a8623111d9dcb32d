//! The bytes of an object, in memory or in a file.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use crate::clock;

/// The bytes of one version of an object. Clones share them.
#[derive(Debug, Clone)]
pub enum Blob {
    /// Bytes in memory, for an endpoint without a data folder.
    Memory(Bytes),
    /// Bytes in a separate file.
    File(Arc<BodyFile>),
}

/// A file that is deleted with its last user, unless an object refers to it. So a download in progress can finish while
/// the object is replaced.
#[derive(Debug)]
pub struct BodyFile {
    path: PathBuf,
    kept: AtomicBool,
}

impl Blob {
    /// Stores bytes, in a new file in `folder` if there is one.
    pub async fn store(folder: Option<&Path>, bytes: Bytes) -> std::io::Result<Self> {
        let Some(folder) = folder else {
            return Ok(Self::Memory(bytes));
        };
        let path = folder.join(format!("{}.body", clock::random_id()));
        let file = BodyFile { path, kept: AtomicBool::new(false) };
        tokio::fs::write(&file.path, &bytes).await?;
        Ok(Self::File(Arc::new(file)))
    }

    /// The bytes of a file written by an earlier run.
    pub fn existing(path: PathBuf) -> Self {
        Self::File(Arc::new(BodyFile { path, kept: AtomicBool::new(true) }))
    }

    /// The file's name, if the bytes are in a file.
    pub fn file_name(&self) -> Option<String> {
        match self {
            Self::Memory(_) => None,
            Self::File(file) => Some(file.path.file_name()?.to_string_lossy().into_owned()),
        }
    }

    /// Sets whether an object refers to the bytes.
    pub fn keep(&self, kept: bool) {
        if let Self::File(file) = self {
            file.kept.store(kept, Ordering::Release);
        }
    }

    /// Reads a range of the bytes.
    pub async fn read(&self, range: Range<u64>) -> std::io::Result<Bytes> {
        let too_large = |_| std::io::Error::from(std::io::ErrorKind::FileTooLarge);
        let length = usize::try_from(range.end - range.start).map_err(too_large)?;
        match self {
            Self::Memory(bytes) => {
                let start = usize::try_from(range.start).map_err(too_large)?;
                Ok(bytes.slice(start..start + length))
            }
            Self::File(file) => {
                let mut file = tokio::fs::File::open(&file.path).await?;
                file.seek(std::io::SeekFrom::Start(range.start)).await?;
                let mut bytes = vec![0; length];
                file.read_exact(&mut bytes).await?;
                Ok(bytes.into())
            }
        }
    }
}

impl Drop for BodyFile {
    fn drop(&mut self) {
        if !self.kept.load(Ordering::Acquire) {
            // The next start removes a file that is left over.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
