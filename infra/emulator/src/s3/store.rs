//! Buckets and objects, indexed in memory and optionally stored in a folder.
//!
//! Keys never become file names: a version of an object is stored under the SHA-256 of its key and its version id, so a
//! key may contain `..`, backslashes or NUL and stays inside its bucket. The index is locked while conditions are checked
//! and the object is replaced, so exactly one of several conditional writes succeeds. A bucket with versioning keeps
//! what is replaced or deleted.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use bytes::Bytes;
use s3s::S3Result;
use s3s::crypto::{Checksum as _, Sha256};

use super::blob::Blob;
use super::error::{failed, precondition_failed};
use super::object::{Attributes, NULL_VERSION, Object, ObjectRecord};
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

/// The versions of an object, oldest first. There is at least one.
type Versions = Vec<Arc<Object>>;

/// A bucket and the index of its objects.
#[derive(Debug)]
pub struct BucketStore {
    folder: Option<PathBuf>,
    /// Whether a write keeps the older versions.
    versioned: AtomicBool,
    objects: Mutex<BTreeMap<String, Versions>>,
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

    /// Creates a bucket unless it exists, and switches its versioning on or off. S3's naming rules allow no name that
    /// could leave the folder.
    pub fn create_bucket(&self, name: &str, versioned: bool) -> Result<(), Error> {
        if !s3s::path::check_bucket_name(name) {
            return Err(Error::BucketName(name.to_owned()));
        }
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get(name) {
            bucket.versioned.store(versioned, Ordering::Release);
            return Ok(());
        }
        let folder = self.folder.as_ref().map(|folder| folder.join(name));
        if let Some(folder) = &folder {
            fs::create_dir_all(folder).map_err(Error::io(folder.display().to_string()))?;
        }
        let bucket = BucketStore { folder, versioned: AtomicBool::new(versioned), objects: Mutex::default() };
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
        let mut objects: BTreeMap<String, Versions> = BTreeMap::new();
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
            let blob = if record.is_delete_marker { Blob::Memory(Bytes::new()) } else { Blob::existing(body.clone()) };
            if record.is_delete_marker || body.is_file() {
                objects.entry(record.key.clone()).or_default().push(Arc::new(Object { record, blob }));
            }
        }
        for versions in objects.values_mut() {
            versions.sort_by_key(|version| version.record.modified);
        }
        let bodies: Vec<_> = objects.values().flatten().filter_map(|object| object.blob.file_name()).collect();
        others.retain(|path| !bodies.iter().any(|body| path.ends_with(body)));
        for orphan in others {
            fs::remove_file(&orphan).map_err(Error::io(orphan.display().to_string()))?;
        }
        Ok(Self { folder: Some(folder), versioned: AtomicBool::new(false), objects: Mutex::new(objects) })
    }

    /// The newest version of an object, unless it was deleted.
    pub fn object(&self, key: &str) -> Option<Arc<Object>> {
        newest(self.index().get(key)?)
    }

    /// A version of an object, which may be a delete marker.
    pub fn version(&self, key: &str, id: &str) -> Option<Arc<Object>> {
        self.index().get(key)?.iter().find(|version| version.record.version_id() == id).cloned()
    }

    /// All objects, in the order of their keys.
    pub fn objects(&self) -> Vec<Arc<Object>> {
        self.index().values().filter_map(newest).collect()
    }

    /// All versions and delete markers, in the order of their keys, newest first, each with whether it is the newest.
    pub fn versions(&self) -> Vec<(Arc<Object>, bool)> {
        let index = self.index();
        let of_one = |versions: &Versions| -> Vec<_> {
            versions.iter().rev().enumerate().map(|(age, version)| (Arc::clone(version), age == 0)).collect()
        };
        index.values().flat_map(of_one).collect()
    }

    /// Writes an object; with `only_new`, unless one exists.
    pub async fn write(&self, draft: Draft, only_new: bool) -> S3Result<Arc<Object>> {
        let Draft { key, bytes, e_tag, attributes } = draft;
        let size = bytes.len() as u64;
        let blob = Blob::store(self.folder.as_deref(), bytes).await.map_err(failed)?;
        let record = ObjectRecord { size, e_tag, attributes, body: blob.file_name(), ..self.record(key.clone()) };
        let mut index = self.index();
        if only_new && index.get(&key).and_then(newest).is_some() {
            return Err(precondition_failed());
        }
        self.add(&mut index, record, blob)
    }

    /// Deletes an object; a missing object is not an error. In a bucket with versioning this adds a delete marker, which
    /// is returned.
    pub fn delete(&self, key: &str) -> S3Result<Option<Arc<Object>>> {
        let mut index = self.index();
        let is_versioned = self.versioned.load(Ordering::Acquire);
        let has_versions =
            index.get(key).is_some_and(|versions| versions.iter().any(|one| one.record.version.is_some()));
        if !is_versioned && !has_versions {
            self.remove(&mut index, key, NULL_VERSION)?;
            return Ok(None);
        }
        let marker = ObjectRecord { is_delete_marker: true, ..self.record(key.to_owned()) };
        self.add(&mut index, marker, Blob::Memory(Bytes::new())).map(Some)
    }

    /// Deletes a version, or a delete marker, and returns it. A missing one is not an error.
    pub fn delete_version(&self, key: &str, id: &str) -> S3Result<Option<Arc<Object>>> {
        self.remove(&mut self.index(), key, id)
    }

    /// The record of a new version, without content.
    fn record(&self, key: String) -> ObjectRecord {
        ObjectRecord {
            key,
            version: self.versioned.load(Ordering::Acquire).then(clock::random_id),
            is_delete_marker: false,
            size: 0,
            e_tag: String::new(),
            modified: clock::now().unix_timestamp_nanos(),
            attributes: Attributes::default(),
            body: None,
        }
    }

    /// Adds a version. It replaces the version with the same id, which is the one called `null`.
    fn add(&self, index: &mut Index<'_>, record: ObjectRecord, blob: Blob) -> S3Result<Arc<Object>> {
        self.save(&record)?;
        blob.keep(true);
        let object = Arc::new(Object { record, blob });
        let versions = index.entry(object.record.key.clone()).or_default();
        let replaced = versions.iter().position(|version| version.record.version == object.record.version);
        if let Some(replaced) = replaced {
            versions.remove(replaced).blob.keep(false);
        }
        versions.push(Arc::clone(&object));
        Ok(object)
    }

    /// Removes a version and its files.
    fn remove(&self, index: &mut Index<'_>, key: &str, id: &str) -> S3Result<Option<Arc<Object>>> {
        let Some(versions) = index.get_mut(key) else { return Ok(None) };
        let place = versions.iter().position(|version| version.record.version_id() == id);
        let Some(place) = place else { return Ok(None) };
        if let Some(folder) = &self.folder {
            fs::remove_file(folder.join(record_name(&versions[place].record))).map_err(failed)?;
        }
        let removed = versions.remove(place);
        if versions.is_empty() {
            index.remove(key);
        }
        removed.blob.keep(false);
        Ok(Some(removed))
    }

    fn index(&self) -> Index<'_> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn save(&self, record: &ObjectRecord) -> S3Result<()> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        let content = serde_json::to_vec(record).map_err(failed)?;
        files::replace(&folder.join(record_name(record)), &content).map_err(failed)
    }
}

/// The locked index of a bucket.
type Index<'a> = MutexGuard<'a, BTreeMap<String, Versions>>;

/// The newest version, unless it is a delete marker.
fn newest(versions: &Versions) -> Option<Arc<Object>> {
    versions.last().filter(|newest| !newest.record.is_delete_marker).cloned()
}

/// The file name of a version's record.
fn record_name(record: &ObjectRecord) -> String {
    let key = crate::hex::hex(Sha256::checksum(record.key.as_bytes()).as_ref());
    match &record.version {
        Some(version) => format!("{key}.{version}.json"),
        None => format!("{key}.json"),
    }
}
