//! Thumbnails of a picture in a store in memory: how many calls they take, and what is left when one fails.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Mutex;

use async_trait::async_trait;
use axum::body::to_bytes;
use axum::http::{HeaderMap, Method, StatusCode};
use shared::domain::clock::SystemClock;
use shared::domain::media::Key;
use shared::domain::media::store::LinkFor;

use super::*;

const NAME: &str = "0123456789abcdef0123456789abcdef.jpg";

#[derive(Default)]
struct Memory {
    objects: Mutex<BTreeMap<String, (&'static str, Bytes)>>,
    calls: Mutex<Vec<String>>,
    broken: bool,
}

impl Memory {
    fn holding(bytes: Vec<u8>) -> Arc<Self> {
        let store = Self::default();
        store.objects.lock().unwrap().insert(format!("originals/images/{NAME}"), ("image/jpeg", bytes.into()));
        Arc::new(store)
    }

    fn call(&self, name: &str) -> Result<()> {
        self.calls.lock().unwrap().push(name.to_owned());
        if self.broken { Err(Fault::new("asking", "the line was cut").into()) } else { Ok(()) }
    }

    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    fn meta(&self, key: &Key) -> Option<(Meta, Bytes)> {
        let (content_type, bytes) = self.objects.lock().unwrap().get(key.as_str())?.clone();
        let modified = shared::domain::clock::Timestamp::from_millis(0);
        let meta =
            Meta { content_type: content_type.into(), length: bytes.len() as u64, etag: "\"t\"".into(), modified };
        Some((meta, bytes))
    }
}

#[async_trait]
impl ObjectStore for Memory {
    async fn put(&self, key: &Key, content_type: &'static str, bytes: Bytes) -> Result<String> {
        self.call("put")?;
        self.objects.lock().unwrap().insert(key.to_string(), (content_type, bytes));
        Ok("\"t\"".to_owned())
    }

    async fn get(&self, key: &Key, _: Part, most: u64) -> Result<Fetched> {
        self.call("get")?;
        Ok(match self.meta(key) {
            None => Fetched::Missing,
            Some((meta, _)) if meta.length > most => Fetched::TooLong,
            Some((meta, bytes)) => Fetched::Found { meta, first: 0, bytes },
        })
    }

    async fn head(&self, key: &Key) -> Result<Option<Meta>> {
        self.call("head")?;
        Ok(self.meta(key).map(|(meta, _)| meta))
    }

    async fn delete(&self, _: &Key) -> Result<()> {
        unreachable!("nothing is deleted here")
    }

    async fn link(&self, key: &Key, _: LinkFor) -> Result<String> {
        Ok(format!("https://bucket/{key}"))
    }
}

fn over(objects: Arc<Memory>) -> Thumbnails {
    let limits = Limits { max_pixels: 1_000_000, ..Limits::default() };
    Thumbnails { objects, clock: Arc::new(SystemClock), longest: 1_000_000, limits }
}

fn jpeg(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image::RgbImage::new(width, height).write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

fn name() -> ImageName {
    ImageName::parse(NAME).unwrap()
}

async fn ask(thumbnails: &Thumbnails, suffix: &str, method: &Method) -> Result<(StatusCode, HeaderMap, Bytes)> {
    let asked = ImageRequest::parse(&format!("{NAME}{suffix}"))?;
    let request = DownloadRequest::new(method, &HeaderMap::new());
    let (parts, body) = thumbnails.answer(&asked, &request).await?.into_parts();
    Ok((parts.status, parts.headers, to_bytes(body, usize::MAX).await.unwrap()))
}

#[tokio::test]
async fn an_event_makes_all_four_from_one_read_and_may_come_twice() {
    let store = Memory::holding(jpeg(600, 300));
    let thumbnails = over(store.clone());
    thumbnails.make_all(&name()).await.unwrap();
    assert_eq!(store.calls(), ["get", "put", "put", "put", "put"]);
    let first = store.objects.lock().unwrap().clone();
    thumbnails.make_all(&name()).await.unwrap();
    assert_eq!(*store.objects.lock().unwrap(), first);
    let sizes: Vec<_> = Thumbnail::ALL
        .iter()
        .map(|thumbnail| {
            let (content_type, bytes) = &first[thumbnail.key(&name()).as_str()];
            let decoded = image::load_from_memory(bytes).unwrap();
            (*content_type, decoded.width(), decoded.height())
        })
        .collect();
    let jpeg = |width, height| ("image/jpeg", width, height);
    assert_eq!(sizes, [jpeg(128, 64), jpeg(128, 128), jpeg(256, 128), jpeg(256, 256)]);
}

#[tokio::test]
async fn a_missing_thumbnail_is_made_in_place_and_kept() {
    let store = Memory::holding(jpeg(600, 300));
    let thumbnails = over(store.clone());
    let (status, headers, made) = ask(&thumbnails, "@128w_128h_1c.jpg", &Method::GET).await.unwrap();
    assert_eq!((status, &headers["content-type"]), (StatusCode::OK, &"image/jpeg".parse().unwrap()));
    assert_eq!(store.calls(), ["get", "get", "put"]);
    let (_, again, kept) = ask(&thumbnails, "@128w_128h_1c", &Method::GET).await.unwrap();
    assert_eq!(store.calls(), ["get"]);
    assert_eq!((made, &headers["etag"]), (kept, &again["etag"]));
    let (status, headers, body) = ask(&thumbnails, "@256w_256h_0c", &Method::HEAD).await.unwrap();
    assert!(status == StatusCode::OK && body.is_empty() && headers["content-length"] != "0");
}

#[tokio::test]
async fn an_original_that_is_not_there_has_no_thumbnails_either() {
    let thumbnails = over(Arc::new(Memory::default()));
    for suffix in ["", "@128w_128h_1c"] {
        assert!(matches!(ask(&thumbnails, suffix, &Method::GET).await, Err(Error::NotFound("image"))));
    }
    assert!(matches!(thumbnails.make_all(&name()).await, Err(Error::NotFound("image"))));
}

#[tokio::test]
async fn what_cannot_be_made_is_refused_and_stores_nothing() {
    for bytes in [b"no picture".to_vec(), jpeg(2000, 600), jpeg(60, 60)[..500].to_vec(), vec![0; 1_000_001]] {
        let store = Memory::holding(bytes);
        let error = over(store.clone()).make_all(&name()).await.unwrap_err();
        assert!(matches!(error, Error::UnsupportedMedia(_) | Error::TooLarge { .. }), "{error:?}");
        assert_eq!(store.calls(), ["get"]);
        // An event about it is done with.
        crate::events::made(&over(store), vec![name()]).await.unwrap();
    }
}

#[tokio::test]
async fn a_fault_of_the_store_makes_the_event_come_again() {
    let store = Arc::new(Memory { broken: true, ..Memory::default() });
    assert!(matches!(crate::events::made(&over(store), vec![name()]).await, Err(Error::Fault(_))));
}
