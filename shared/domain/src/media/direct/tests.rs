//! Two uploads with the same presigned upload, processed at the same time.

use std::sync::Mutex;

use bytes::Bytes;
use tokio::sync::Barrier;

use super::super::store::{LinkFor, Meta};
use super::*;
use crate::account::UserId;
use crate::profile::ProfileChange;

/// A bucket in which all callers have looked for the original before any of them stores it.
struct Bucket {
    waiting: Mutex<Vec<Bytes>>,
    asked: Barrier,
    original: Mutex<Option<Bytes>>,
}

#[async_trait]
impl ObjectStore for Bucket {
    async fn put(&self, _: &Key, _: &'static str, bytes: Bytes) -> Result<String> {
        *self.original.lock().unwrap() = Some(bytes);
        Ok(String::new())
    }

    async fn put_new(&self, _: &Key, _: &'static str, bytes: Bytes) -> Result<bool> {
        let mut original = self.original.lock().unwrap();
        let is_new = original.is_none();
        original.get_or_insert(bytes);
        Ok(is_new)
    }

    async fn get(&self, _: &Key, _: Part, _: u64) -> Result<Fetched> {
        let Some(bytes) = self.waiting.lock().unwrap().pop() else { return Ok(Fetched::Missing) };
        let meta = Meta {
            content_type: String::new(),
            length: bytes.len() as u64,
            etag: String::new(),
            modified: Timestamp::from_millis(0),
        };
        Ok(Fetched::Found { meta, first: 0, bytes })
    }

    async fn head(&self, _: &Key) -> Result<Option<Meta>> {
        self.asked.wait().await;
        Ok(None)
    }

    async fn delete(&self, _: &Key) -> Result<()> {
        Ok(())
    }

    async fn link(&self, _: &Key, _: LinkFor) -> Result<String> {
        unreachable!("nothing is served here")
    }
}

struct Nobody;

#[async_trait]
impl AccountStore for Nobody {
    async fn change_profile(&self, _: Caller, _: &ProfileChange, _: Timestamp) -> Result<()> {
        unreachable!("the name was recorded with the presigned upload")
    }

    async fn record_upload(&self, _: Caller, _: &str, _: Option<u64>, _: Timestamp) -> Result<()> {
        unreachable!("the name was recorded with the presigned upload")
    }

    async fn count_upload(&self, _: UserId, _: &str, bytes: u64) -> Result<Counted> {
        Ok(Counted::Before(bytes))
    }
}

#[async_trait]
impl UploadSigner for Nobody {
    async fn sign(&self, _: Allowed<'_>, _: Timestamp, _: Timestamp) -> Result<PresignedUpload> {
        unreachable!("the upload is signed already")
    }
}

impl Clock for Nobody {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0)
    }
}

impl Random for Nobody {
    fn fill(&self, _: &mut [u8]) {
        unreachable!("the name is settled already")
    }
}

fn png(side: u32) -> Bytes {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::GrayImage::new(side, side).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner().into()
}

#[tokio::test]
async fn of_two_uploads_at_once_the_first_that_is_stored_stays() {
    let bucket = Arc::new(Bucket {
        waiting: Mutex::new(vec![png(4), png(5)]),
        asked: Barrier::new(2),
        original: Mutex::default(),
    });
    let uploads = DirectUploads {
        accounts: Arc::new(Nobody),
        objects: bucket.clone(),
        signer: Arc::new(Nobody),
        clock: Arc::new(Nobody),
        random: Arc::new(Nobody),
        policy: Arc::new(Policy::for_tests()),
    };
    let name = ImageName::parse("0123456789abcdef0123456789abcdef.png").unwrap();
    let take_in = async || {
        uploads.take_in(&WaitingImage { owner: UserId::new(7).unwrap(), name }).await.unwrap();
        bucket.original.lock().unwrap().clone()
    };
    let (one, other) = tokio::join!(take_in(), take_in());
    assert!(one.is_some());
    assert_eq!(one, other, "what was there was replaced");
}
