//! Thumbnails of a picture in an in-memory store: the number of calls, and the stored objects after a failure.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::to_bytes;
use axum::http::{HeaderMap, Method, StatusCode};
use domain::clock::SystemClock;
use domain::media::Key;
use domain::media::store::LinkFor;

use super::*;

const NO_PICTURE: &str = "not a JPEG, PNG, WebP, GIF or HEIC picture";
const NAME: &str = "0123456789abcdef0123456789abcdef.jpg";

#[derive(Default)]
struct Memory {
    objects: Mutex<BTreeMap<String, (&'static str, Bytes)>>,
    calls: Mutex<Vec<String>>,
    broken: bool,
    /// After this number of calls, the next one fails like this.
    then: Mutex<Option<(usize, Then)>>,
}

/// The kind of failure.
#[derive(Clone, Copy, Debug)]
enum Then {
    /// It fails, and nothing is stored.
    Fails,
    /// The call takes effect, but its response is lost.
    IsDoneAndFails,
    /// It never ends, as if the process were killed during the call.
    Hangs,
    /// It takes effect and never ends: the process was killed right after it.
    IsDoneAndHangs,
}

impl Memory {
    fn holding(bytes: Vec<u8>) -> Arc<Self> {
        let store = Self::default();
        store.objects.lock().unwrap().insert(format!("originals/images/{NAME}"), ("image/jpeg", bytes.into()));
        Arc::new(store)
    }

    fn call(&self, name: &str) -> Result<()> {
        self.calls.lock().unwrap().push(name.to_owned());
        if self.broken { Err(cut()) } else { Ok(()) }
    }

    /// The failure of the next call, if it has one.
    fn fate(&self) -> Option<Then> {
        let mut then = self.then.lock().unwrap();
        match then.take() {
            Some((0, fate)) => Some(fate),
            Some((left, fate)) => {
                *then = Some((left - 1, fate));
                None
            }
            None => None,
        }
    }

    /// Runs a call, which `does` something to the store, with its failure.
    async fn meet(&self, does: impl FnOnce()) -> Result<()> {
        let fate = self.fate();
        if matches!(fate, None | Some(Then::IsDoneAndFails | Then::IsDoneAndHangs)) {
            does();
        }
        match fate {
            None => Ok(()),
            Some(Then::Fails | Then::IsDoneAndFails) => Err(cut()),
            Some(Then::Hangs | Then::IsDoneAndHangs) => std::future::pending().await,
        }
    }

    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    fn meta(&self, key: &Key) -> Option<(Meta, Bytes)> {
        let (content_type, bytes) = self.objects.lock().unwrap().get(key.as_str())?.clone();
        let modified = domain::clock::Timestamp::from_millis(0);
        let meta =
            Meta { content_type: content_type.into(), length: bytes.len() as u64, etag: "\"t\"".into(), modified };
        Some((meta, bytes))
    }
}

#[async_trait]
impl ObjectStore for Memory {
    async fn put(&self, key: &Key, content_type: &'static str, bytes: Bytes) -> Result<String> {
        self.call("put")?;
        self.meet(|| drop(self.objects.lock().unwrap().insert(key.to_string(), (content_type, bytes)))).await?;
        Ok("\"t\"".to_owned())
    }

    async fn put_new(&self, _: &Key, _: &'static str, _: Bytes) -> Result<bool> {
        unreachable!("a thumbnail may be stored again")
    }

    async fn get(&self, key: &Key, _: Part, most: u64) -> Result<Fetched> {
        self.call("get")?;
        self.meet(|| {}).await?;
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

fn cut() -> Error {
    Fault::new("asking", "the line was cut").into()
}

fn over(objects: Arc<Memory>) -> Thumbnails {
    within(objects, Limits::default().max_bytes)
}

fn within(objects: Arc<Memory>, max_bytes: u64) -> Thumbnails {
    let limits = Limits { max_pixels: 1_000_000, max_bytes };
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
    // The missing thumbnail, the missing note, the original, and the other thumbnails, which are missing as well.
    assert_eq!(store.calls(), ["get", "get", "get", "put", "put", "put", "put"]);
    let (_, again, kept) = ask(&thumbnails, "@128w_128h_1c", &Method::GET).await.unwrap();
    assert_eq!(store.calls(), ["get"]);
    assert_eq!((made, &headers["etag"]), (kept, &again["etag"]));
    assert_eq!(store.objects.lock().unwrap().len(), 5);
    store.objects.lock().unwrap().remove(Thumbnail::ALL[2].key(&name()).as_str());
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
        // Damage is noted. A size is not: it costs nothing to see, and what is allowed may change.
        let noted = matches!(error, Error::UnsupportedMedia("the picture is damaged" | NO_PICTURE));
        assert_eq!(store.calls(), if noted { vec!["get", "put"] } else { vec!["get"] });
        // An event about it also succeeds.
        crate::events::made(&over(store.clone()), vec![name()]).await.unwrap();
        let kept: Vec<_> = store.objects.lock().unwrap().keys().cloned().collect();
        let (original, refusal) = (name().key().to_string(), name().refusal_key().to_string());
        assert_eq!(kept, if noted { vec![original, refusal] } else { vec![original] });
    }
}

#[tokio::test]
async fn a_fault_of_the_store_makes_the_event_come_again() {
    let store = Arc::new(Memory { broken: true, ..Memory::default() });
    assert!(matches!(crate::events::made(&over(store), vec![name()]).await, Err(Error::Fault(_))));
}

#[tokio::test]
async fn a_refusal_is_found_out_once_and_then_read_by_every_process() {
    let store = Memory::holding(jpeg(60, 60)[..500].to_vec());
    let (thumbnails, other) = (over(store.clone()), over(store.clone()));
    assert!(ask(&thumbnails, "@128w_128h_1c", &Method::GET).await.is_err());
    // The thumbnail, the refusal, the original; and then the refusal is stored.
    assert_eq!(store.calls(), ["get", "get", "get", "put"]);
    for (thumbnails, suffix) in
        [(&thumbnails, "@128w_128h_1c"), (&thumbnails, "@256w_256h_0c"), (&other, "@128w_128h_1c")]
    {
        let again = ask(thumbnails, suffix, &Method::GET).await;
        assert!(matches!(again, Err(Error::UnsupportedMedia("the picture is damaged"))));
        assert_eq!(store.calls(), ["get", "get"]);
    }
    // The original is still served.
    assert_eq!(ask(&thumbnails, "", &Method::GET).await.unwrap().0, StatusCode::OK);
    assert_eq!(store.calls(), ["get"]);
    // What another decoder noted, or nobody understands, does not count, and is put right.
    for note in ["0: the picture is damaged", "1: ", "", &"1".repeat(500)] {
        let put = ("text/plain", Bytes::from(note.to_owned()));
        store.objects.lock().unwrap().insert(name().refusal_key().to_string(), put);
        assert!(ask(&over(store.clone()), "@128w_128h_1c", &Method::GET).await.is_err());
        assert_eq!(store.calls(), ["get", "get", "get", "put"], "{note}");
        let kept = store.objects.lock().unwrap()[name().refusal_key().as_str()].1.clone();
        assert_eq!(kept, "1: the picture is damaged");
    }
}

#[tokio::test]
async fn a_refusal_that_cannot_be_noted_is_a_fault_and_is_found_again() {
    let store = Memory::holding(jpeg(60, 60)[..500].to_vec());
    for fate in [Then::Fails, Then::IsDoneAndFails] {
        *store.then.lock().unwrap() = Some((1, fate));
        let thumbnails = over(store.clone());
        assert!(matches!(crate::events::made(&thumbnails, vec![name()]).await, Err(Error::Fault(_))), "{fate:?}");
        crate::events::made(&thumbnails, vec![name()]).await.unwrap();
        assert!(store.meta(&name().refusal_key()).is_some(), "{fate:?}");
    }
}

#[tokio::test]
async fn a_kind_that_the_codec_does_not_read_is_refused_and_no_fault() {
    let mut arithmetic = jpeg(60, 60);
    let frame = arithmetic.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    arithmetic[frame + 1] = 0xc9;
    let store = Memory::holding(arithmetic);
    let words = "a kind of picture that no thumbnails are made of";
    let error = over(store.clone()).make_all(&name()).await.unwrap_err();
    assert!(matches!(error, Error::UnsupportedMedia(told) if told == words), "{error:?}");
    crate::events::made(&over(store), vec![name()]).await.unwrap();
}

#[tokio::test]
async fn killed_or_failed_at_any_step_the_event_that_comes_again_makes_all_right() {
    let whole = Memory::holding(jpeg(600, 300));
    over(whole.clone()).make_all(&name()).await.unwrap();
    let right = whole.objects.lock().unwrap().clone();
    assert_eq!(right.len(), 5);
    // One read and four writes; the process ends before, during and after each of them.
    for step in 0..5 {
        for fate in [Then::Fails, Then::IsDoneAndFails, Then::Hangs, Then::IsDoneAndHangs] {
            let store = Memory::holding(jpeg(600, 300));
            *store.then.lock().unwrap() = Some((step, fate));
            let thumbnails = over(store.clone());
            let first = crate::events::made(&thumbnails, vec![name()]);
            let ended = tokio::time::timeout(Duration::from_millis(300), first).await;
            assert!(!matches!(ended, Ok(Ok(()))), "step {step}, {fate:?}: nothing went wrong");
            assert!(store.then.lock().unwrap().is_none(), "step {step} was not reached");
            // Every stored object is complete and correct.
            let left = store.objects.lock().unwrap().clone();
            assert!(left.iter().all(|(key, object)| right.get(key) == Some(object)), "step {step}, {fate:?}");
            // Another process, the same process, and the same one again.
            for thumbnails in [&over(store.clone()), &thumbnails, &thumbnails] {
                crate::events::made(thumbnails, vec![name()]).await.unwrap();
                assert!(*store.objects.lock().unwrap() == right, "step {step}, {fate:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_who_ask_at_once_get_the_same() {
    let store = Memory::holding(jpeg(900, 900));
    let thumbnails = over(store.clone());
    let all = join_all((0..8).map(|_| ask(&thumbnails, "@256w_256h_1c", &Method::GET))).await;
    let bodies: Vec<_> = all.into_iter().map(|asked| asked.unwrap().2).collect();
    assert!(!bodies[0].is_empty() && bodies.iter().all(|body| *body == bodies[0]));
}

#[tokio::test]
async fn a_picture_that_takes_more_memory_than_there_is_is_refused_and_not_noted() {
    let mut bytes = Cursor::new(Vec::new());
    image::RgbaImage::new(900, 900).write_to(&mut bytes, image::ImageFormat::WebP).unwrap();
    let store = Memory::holding(bytes.into_inner());
    let refused = within(store.clone(), 1 << 20).make_all(&name()).await;
    assert!(
        matches!(refused, Err(Error::UnsupportedMedia("the picture takes too much memory to show"))),
        "{refused:?}"
    );
    assert_eq!(store.calls(), ["get"]);
    within(store, 16 << 20).make_all(&name()).await.unwrap();
}
