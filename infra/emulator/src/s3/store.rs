//! Buckets and objects, indexed in memory and optionally stored in a folder.
//!
//! Keys never become file names: an object is stored under the SHA-256 of its key, so a key may contain `..`,
//! backslashes or NUL and stays inside its bucket. The index is locked while conditions are checked and the object is
//! replaced, so exactly one of several conditional writes succeeds.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use bytes::Bytes;
use s3s::S3Result;
use s3s::crypto::{Checksum as _, Sha256};

use super::blob::Blob;
use super::error::{failed, precondition_failed};
use super::object::{Attributes, Object, ObjectRecord};
use crate::{Error, clock, files};

/// An object that is to be written.
pub struct Draft {
    /// The key.
    pub key: String,
    /// The bytes.
    pub bytes: Bytes,
    /// The entity tag without quotes.
    pub e_tag: String,
    /// Headers given with it.
    pub attributes: Attributes,
}

/// All buckets.
#[derive(Debug, Default)]
pub struct Store {
    folder: Option<PathBuf>,
    buckets: RwLock<HashMap<String, Arc<BucketStore>>>,
}

/// A bucket and the index of its objects.
#[derive(Debug)]
pub struct BucketStore {
    folder: Option<PathBuf>,
    objects: Mutex<BTreeMap<String, Arc<Object>>>,
}

impl Store {
    /// Opens the buckets in a folder, or an empty store in memory.
    pub fn open(folder: Option<&Path>) -> Result<Self, Error> {
        let Some(folder) = folder else {
            return Ok(Self::default());
        };
        let folder = folder.join("s3");
        let at = || folder.display().to_string();
        fs::create_dir_all(&folder).map_err(Error::io(at()))?;
        let mut buckets = HashMap::new();
        for entry in fs::read_dir(&folder).map_err(Error::io(at()))? {
            let entry = entry.map_err(Error::io(at()))?;
            if entry.path().is_dir() {
                let bucket = BucketStore::open(entry.path())?;
                buckets.insert(entry.file_name().to_string_lossy().into_owned(), Arc::new(bucket));
            }
        }
        Ok(Self { folder: Some(folder), buckets: RwLock::new(buckets) })
    }

    /// Creates a bucket unless it exists. S3's naming rules allow no name that could leave the folder.
    pub fn create_bucket(&self, name: &str) -> Result<(), Error> {
        if !s3s::path::check_bucket_name(name) {
            return Err(Error::BucketName(name.to_owned()));
        }
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        if buckets.contains_key(name) {
            return Ok(());
        }
        let folder = self.folder.as_ref().map(|folder| folder.join(name));
        if let Some(folder) = &folder {
            fs::create_dir_all(folder).map_err(Error::io(folder.display().to_string()))?;
        }
        let bucket = BucketStore { folder, objects: Mutex::default() };
        buckets.insert(name.to_owned(), Arc::new(bucket));
        Ok(())
    }

    /// The bucket of this name.
    pub fn bucket(&self, name: &str) -> S3Result<Arc<BucketStore>> {
        let buckets = self.buckets.read().unwrap_or_else(PoisonError::into_inner);
        buckets.get(name).cloned().ok_or_else(|| s3s::s3_error!(NoSuchBucket, "The specified bucket does not exist"))
    }
}

impl BucketStore {
    /// Reads the records in a folder, and removes bytes that no record refers to.
    fn open(folder: PathBuf) -> Result<Self, Error> {
        let at = || folder.display().to_string();
        let mut objects = BTreeMap::new();
        let mut others = Vec::new();
        for entry in fs::read_dir(&folder).map_err(Error::io(at()))? {
            let path = entry.map_err(Error::io(at()))?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                others.push(path);
                continue;
            }
            let json = fs::read(&path).map_err(Error::io(path.display().to_string()))?;
            let record: ObjectRecord =
                serde_json::from_slice(&json).map_err(|error| Error::io(path.display().to_string())(error.into()))?;
            let body = folder.join(record.body.as_deref().unwrap_or_default());
            if body.is_file() {
                let blob = Blob::existing(body);
                objects.insert(record.key.clone(), Arc::new(Object { record, blob }));
            }
        }
        let bodies: Vec<_> = objects.values().filter_map(|object| object.blob.file_name()).collect();
        others.retain(|path| !bodies.iter().any(|body| path.ends_with(body)));
        for orphan in others {
            fs::remove_file(&orphan).map_err(Error::io(orphan.display().to_string()))?;
        }
        Ok(Self { folder: Some(folder), objects: Mutex::new(objects) })
    }

    /// The object of this key.
    pub fn object(&self, key: &str) -> Option<Arc<Object>> {
        self.index().get(key).cloned()
    }

    /// All objects, in the order of their keys.
    pub fn objects(&self) -> Vec<Arc<Object>> {
        self.index().values().cloned().collect()
    }

    /// Writes an object; with `only_new`, unless one exists.
    pub async fn write(&self, draft: Draft, only_new: bool) -> S3Result<Arc<Object>> {
        let Draft { key, bytes, e_tag, attributes } = draft;
        let size = bytes.len() as u64;
        let blob = Blob::store(self.folder.as_deref(), bytes).await.map_err(failed)?;
        let record = ObjectRecord {
            key: key.clone(),
            size,
            e_tag,
            modified: clock::now().unix_timestamp_nanos(),
            attributes,
            body: blob.file_name(),
        };
        let mut index = self.index();
        if only_new && index.contains_key(&key) {
            return Err(precondition_failed());
        }
        self.save(&record)?;
        blob.keep(true);
        let object = Arc::new(Object { record, blob });
        if let Some(replaced) = index.insert(key, Arc::clone(&object)) {
            replaced.blob.keep(false);
        }
        Ok(object)
    }

    /// Deletes an object; a missing object is not an error.
    pub fn delete(&self, key: &str) -> S3Result<()> {
        let mut index = self.index();
        let Some(object) = index.remove(key) else {
            return Ok(());
        };
        if let Some(folder) = &self.folder {
            fs::remove_file(folder.join(record_name(key))).map_err(failed)?;
        }
        object.blob.keep(false);
        Ok(())
    }

    fn index(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Object>>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn save(&self, record: &ObjectRecord) -> S3Result<()> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        let content = serde_json::to_vec(record).map_err(failed)?;
        files::replace(&folder.join(record_name(&record.key)), &content).map_err(failed)
    }
}

/// The file name of a key's record.
fn record_name(key: &str) -> String {
    format!("{}.json", crate::hex::hex(Sha256::checksum(key.as_bytes()).as_ref()))
}
