//! The space of an account for presigned uploads.

use futures::future::join_all;
use serde_json::json;

use super::pictures::{settled, token, upload};
use super::{Owner, as_of, refused, register};
use crate::support::backend::answer;
use crate::support::pictures::{Bucket, jpeg, name};
use crate::support::table::{number, text};
use crate::support::{Backend, run};

const WORDS: &str = "the account has no space left for pictures and voice notes";

/// The bytes that are counted for the account of the one person there is.
async fn used(backend: &Backend) -> i64 {
    let accounts = backend.items_below("user#").await;
    let mut accounts = accounts.iter().filter(|item| text(item, "sk") == Some("account"));
    accounts.next().and_then(|account| number(account, "media_bytes")).unwrap_or_default()
}

/// The lengths of the originals in the bucket, together.
async fn stored(backend: &Backend) -> i64 {
    let keys = settled(backend).await;
    assert!(keys.iter().all(|key| !key.starts_with("uploads/")), "{keys:?}");
    let mut sum = 0;
    for key in keys.iter().filter(|key| key.starts_with("originals/")) {
        let (bytes, _) = Bucket::of(backend).get(key).await.expect("an original");
        sum += i64::try_from(bytes.len()).unwrap();
    }
    sum
}

async fn by_ticket(backend: &Backend, owner: &Owner, picture: Vec<u8>) {
    let token = token(backend, &owner.cookie, &[]).await;
    assert!((200..300).contains(&upload(&token, picture).await));
    backend.settled().await;
}

#[test]
fn what_comes_by_a_ticket_is_counted_when_it_is_taken_in() {
    run(async {
        let picture = jpeg(200, 150);
        let backend = Backend::start(&[("MediaBytesPerAccount", &(2 * picture.len() + 100).to_string())]).await;
        let owner = register(&backend).await;
        for _ in 0..2 {
            by_ticket(&backend, &owner, picture.clone()).await;
        }
        let both = stored(&backend).await;
        assert!(both > 0 && used(&backend).await == both, "{both}");
        // A presigned upload is issued while there is any space, but a picture that does not fit is deleted.
        let objects = settled(&backend).await;
        by_ticket(&backend, &owner, picture).await;
        assert_eq!((settled(&backend).await, used(&backend).await), (objects, both));
    });
}

#[test]
fn an_account_without_space_gets_no_ticket() {
    run(async {
        let picture = jpeg(200, 150);
        let backend = Backend::start(&[("MediaBytesPerAccount", &picture.len().to_string())]).await;
        let owner = register(&backend).await;
        by_ticket(&backend, &owner, picture.clone()).await;
        let used = used(&backend).await;
        assert!(used > 0 && used <= i64::try_from(picture.len()).unwrap(), "{used}");
        let backend = Backend::start(&[("MediaBytesPerAccount", &used.to_string())]).await;
        let owner = register(&backend).await;
        by_ticket(&backend, &owner, picture).await;
        let before = backend.count_items().await;
        let asked = answer(as_of(backend.get("/user/get_image_token"), &owner.cookie)).await;
        assert_eq!(asked, refused(200, 5_000, WORDS));
        assert_eq!(backend.count_items().await, before);
        let other = register(&backend).await;
        token(&backend, &other.cookie, &[]).await;
    });
}

#[test]
fn of_two_uploads_by_one_ticket_the_one_that_is_stored_is_counted() {
    run(async {
        for round in 0..8_u32 {
            let backend = Backend::start(&[]).await;
            let owner = register(&backend).await;
            let token = token(&backend, &owner.cookie, &[]).await;
            let uploads = (0..6).map(|nth| upload(&token, jpeg(40 + 90 * (nth + round), 200)));
            join_all(uploads).await;
            let stored = stored(&backend).await;
            assert!(stored > 0 && used(&backend).await == stored, "round {round}: {stored}");
            let record = backend.items_below("user#").await;
            let record = record.iter().find(|item| text(item, "sk") == Some(&format!("media#{}", name(&token.image))));
            assert_eq!(record.and_then(|record| number(record, "bytes")), Some(stored));
        }
    });
}

#[test]
fn a_ticket_names_its_account_and_serves_no_other() {
    run(async {
        let backend = Backend::start(&[]).await;
        let (one, other) = (register(&backend).await, register(&backend).await);
        let (mut mine, theirs) = (token(&backend, &one.cookie, &[]).await, token(&backend, &other.cookie, &[]).await);
        mine.put_key_of(&theirs);
        let status = upload(&mine, jpeg(50, 50)).await;
        assert!((400..500).contains(&status), "{status}");
        assert_eq!((used(&backend).await, stored(&backend).await), (0, 0), "{}", json!(theirs.image));
    });
}
