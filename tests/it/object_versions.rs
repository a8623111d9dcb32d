//! A picture can be deleted with all of its versions, in a bucket that keeps them and in one that does not.

use domain::clock::SystemClock;
use domain::crypto::SystemRandom;
use domain::media::name::ImageName;
use domain::media::store::{ObjectEraser, ObjectStore};
use emulator::Fault;
use runtime::Services;
use std::sync::Arc;

use crate::support::pictures::{Bucket, jpeg, name};
use crate::support::{Backend, run};

/// The number of versions and delete markers of keys with this prefix.
async fn versions(backend: &Backend, prefix: &str) -> usize {
    let client = aws_sdk_s3::Client::new(backend.administrator());
    let list = client.list_object_versions().bucket(backend.bucket_name()).prefix(prefix).send().await;
    let list = list.expect("a list");
    list.versions().len() + list.delete_markers().len()
}

/// The bucket as functions use it, with the permissions of an administrator.
fn services(backend: &Backend) -> Services {
    let env = [("BUCKET", backend.bucket_name())].into_iter().collect();
    Services::new(env, backend.administrator().clone(), Arc::new(SystemClock), Arc::new(SystemRandom))
}

#[test]
fn a_picture_is_deleted_with_all_its_versions() {
    run(async {
        for (days, kept) in [("7", 4), ("0", 1)] {
            let backend = Backend::start(&[("DeletedMediaDays", days)]).await;
            let person = backend.person().await;
            let path = backend.post_image(&person, jpeg(30, 20)).await;
            backend.settled().await;
            let key = ImageName::parse(name(&path)).expect("a name").key();
            let bucket = Bucket::of(&backend);
            bucket.delete(key.as_str()).await;
            for bytes in ["old", "new"] {
                bucket.put(key.as_str(), "image/jpeg", bytes.into()).await;
            }
            // Another object, whose key only begins with the same text.
            bucket.put(&format!("{key}2"), "image/jpeg", "other".into()).await;
            let others = versions(&backend, &format!("{key}2")).await;
            assert_eq!(versions(&backend, key.as_str()).await, kept + others, "{days}");
            let objects = services(&backend).objects().expect("the bucket");
            objects.delete_with_versions(&key).await.expect("deleted");
            assert_eq!(versions(&backend, key.as_str()).await, others, "{days}");
            assert!(objects.head(&key).await.expect("an answer").is_none());
            objects.delete_with_versions(&key).await.expect("nothing is left to delete");
        }
    });
}

#[test]
fn a_deletion_that_fails_at_any_step_hides_the_picture_and_is_finished_by_the_next() {
    run(async {
        let backend = Backend::start(&[("DeletedMediaDays", "7")]).await;
        let key = ImageName::parse(&format!("{}.jpg", "0".repeat(32))).expect("a name").key();
        let (bucket, objects) = (Bucket::of(&backend), services(&backend).objects().expect("the bucket"));
        for failing in 1..=3 {
            for bytes in ["old", "new"] {
                bucket.put(key.as_str(), "image/jpeg", bytes.into()).await;
            }
            let fault = Fault::error(403, "AccessDenied");
            backend.running.endpoints().fail_after("s3:DeleteObject", failing, 1, fault);
            objects.delete_with_versions(&key).await.expect_err("a fault");
            assert!(objects.head(&key).await.expect("an answer").is_none(), "{failing}");
            objects.delete_with_versions(&key).await.expect("deleted");
            assert_eq!(versions(&backend, key.as_str()).await, 0, "{failing}");
        }
    });
}
