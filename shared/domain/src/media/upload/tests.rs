//! Tests the order of storing and recording, and the state that is left when either of the two fails.

use std::sync::Mutex;

use async_trait::async_trait;

use super::super::name::Key;
use super::super::store::{Fetched, LinkFor, Meta, Part};
use super::*;
use crate::NotSignedIn;
use crate::account::{Counted, UserId};
use crate::clock::Timestamp;
use crate::profile::ProfileChange;
use crate::session::SessionId;

/// An account and a bucket that record the calls to them, in order.
#[derive(Default)]
struct World {
    log: Mutex<Vec<String>>,
    refusal: Mutex<Option<Error>>,
}

impl World {
    fn note(&self, line: String) {
        self.log.lock().unwrap().push(line);
    }

    fn answer(&self) -> Result<()> {
        self.refusal.lock().unwrap().take().map_or(Ok(()), Err)
    }
}

#[async_trait]
impl AccountStore for World {
    async fn change_profile(&self, _: Caller, change: &ProfileChange, _: Timestamp) -> Result<()> {
        self.note(format!("point {}", change.avatar.as_ref().map(Avatar::as_str).unwrap_or_default()));
        self.answer()
    }

    async fn record_upload(&self, _: Caller, name: &str, _: Option<u64>, _: Timestamp) -> Result<()> {
        self.note(format!("record {name}"));
        self.answer()
    }

    async fn count_upload(&self, _: UserId, _: &str, _: u64) -> Result<Counted> {
        unreachable!("only a presigned upload is counted afterwards")
    }
}

#[async_trait]
impl ObjectStore for World {
    async fn put(&self, key: &Key, content_type: &'static str, _: Bytes) -> Result<String> {
        self.note(format!("put {key} {content_type}"));
        Ok(String::new())
    }

    async fn put_new(&self, _: &Key, _: &'static str, _: Bytes) -> Result<bool> {
        unreachable!("a name that nobody knows yet needs no condition")
    }

    async fn get(&self, _: &Key, _: Part, _: u64) -> Result<Fetched> {
        unreachable!("an upload reads nothing")
    }

    async fn head(&self, _: &Key) -> Result<Option<Meta>> {
        unreachable!("an upload reads nothing")
    }

    async fn delete(&self, _: &Key) -> Result<()> {
        unreachable!("nothing is deleted here")
    }

    async fn link(&self, _: &Key, _: LinkFor) -> Result<String> {
        unreachable!("an upload makes no link")
    }
}

struct Fixed;

impl Random for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0xab);
    }
}

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0)
    }
}

fn policy() -> Policy {
    Policy { image_max_bytes: 300, image_max_pixels: 16, audio_max_bytes: 100, ..Policy::for_tests() }
}

fn uploads(world: &Arc<World>) -> Uploads {
    Uploads {
        accounts: world.clone(),
        objects: world.clone(),
        clock: Arc::new(Fixed),
        random: Arc::new(Fixed),
        policy: Arc::new(policy()),
    }
}

fn caller() -> Caller {
    Caller { user: UserId::new(1).unwrap(), session: SessionId::from_bytes([1; 12]) }
}

fn png(side: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::GrayImage::new(side, side).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

const NAME: &str = "abababababababababababababababab";

#[tokio::test]
async fn an_upload_is_noted_and_then_stored_as_what_its_bytes_are() {
    let world = Arc::new(World::default());
    let image = uploads(&world).image(caller(), &png(4)).await.unwrap();
    assert_eq!(image.to_string(), format!("{NAME}.png"));
    uploads(&world).audio(caller(), Bytes::from_static(b"#!AMR\n\x3c")).await.unwrap();
    uploads(&world).audio(caller(), Bytes::from_static(b"\x01a recording of its own kind")).await.unwrap();
    let expected = [
        format!("record {NAME}.png"),
        format!("put originals/images/{NAME}.png image/png"),
        format!("record {NAME}.amr"),
        format!("put originals/audios/{NAME}.amr audio/amr"),
        format!("record {NAME}.bin"),
        format!("put originals/audios/{NAME}.bin application/octet-stream"),
    ];
    assert_eq!(*world.log.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_dead_session_stores_nothing() {
    let world = Arc::new(World::default());
    for audio in [false, true] {
        *world.refusal.lock().unwrap() = Some(Error::Unauthenticated(NotSignedIn::Ended));
        let error = if audio {
            uploads(&world).audio(caller(), Bytes::from_static(b"#!AMR\n")).await.err()
        } else {
            uploads(&world).image(caller(), &png(4)).await.err()
        };
        assert!(matches!(error, Some(Error::Unauthenticated(_))));
    }
    assert!(world.log.lock().unwrap().iter().all(|line| line.starts_with("record")));
}

#[tokio::test]
async fn an_account_points_to_an_avatar_only_once_it_is_stored() {
    let world = Arc::new(World::default());
    uploads(&world).avatar(caller(), &png(4)).await.unwrap();
    let expected = [
        format!("record {NAME}.png"),
        format!("put originals/images/{NAME}.png image/png"),
        format!("point /images/{NAME}.png"),
    ];
    assert_eq!(*world.log.lock().unwrap(), expected);
    let world = Arc::new(World::default());
    *world.refusal.lock().unwrap() = Some(Error::Unauthenticated(NotSignedIn::Ended));
    assert!(matches!(uploads(&world).avatar(caller(), &png(4)).await, Err(Error::Unauthenticated(_))));
    assert_eq!(*world.log.lock().unwrap(), expected[..1]);
}

#[tokio::test]
async fn what_is_refused_is_not_even_noted() {
    let world = Arc::new(World::default());
    let uploads = uploads(&world);
    let jpeg = Bytes::from_static(b"\xff\xd8\xff\xe0");
    for bytes in [Bytes::new(), jpeg, Bytes::from_static(b"<html>"), Bytes::from_static(b"\x7fELF\x02")] {
        let error = uploads.audio(caller(), bytes.clone()).await;
        assert!(matches!(error, Err(Error::UnsupportedMedia(_))), "{bytes:?}");
        assert!(matches!(uploads.image(caller(), &bytes).await, Err(Error::UnsupportedMedia(_))), "{bytes:?}");
        assert!(matches!(uploads.avatar(caller(), &bytes).await, Err(Error::UnsupportedMedia(_))), "{bytes:?}");
    }
    assert!(matches!(uploads.image(caller(), &png(5)).await, Err(Error::UnsupportedMedia(_))));
    assert!(matches!(uploads.image(caller(), &[0; 301]).await, Err(Error::TooLarge { limit: 300 })));
    assert!(matches!(uploads.audio(caller(), vec![0; 101].into()).await, Err(Error::TooLarge { limit: 100 })));
    assert!(world.log.lock().unwrap().is_empty());
}
