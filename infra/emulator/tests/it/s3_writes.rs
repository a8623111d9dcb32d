//! S3 writes: conditions, hostile keys, deletions, listings, checksums, and what is not supported.

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumAlgorithm;
use emulator::Fault;

use crate::persistence::Folder;
use crate::support::{BUCKET, TestStack};

#[tokio::test]
async fn fifty_parallel_creations_have_one_winner() {
    let stack = TestStack::start().await;
    let client = stack.s3("admin");
    let attempts = (0..50).map(|number: u8| {
        let put = client
            .put_object()
            .bucket(BUCKET)
            .key("once")
            .if_none_match("*")
            .body(ByteStream::from(vec![number; 1_000]));
        tokio::spawn(async move { put.send().await })
    });
    let mut winners = Vec::new();
    for (number, attempt) in attempts.collect::<Vec<_>>().into_iter().enumerate() {
        match attempt.await.expect("no panic") {
            Ok(_) => winners.push(number),
            Err(error) => assert_eq!(error.code(), Some("PreconditionFailed")),
        }
    }
    assert_eq!(winners.len(), 1);
    let stored = client.get_object().bucket(BUCKET).key("once").send().await.expect("stored");
    let bytes = stored.body.collect().await.expect("bytes").to_vec();
    assert!(bytes.iter().all(|byte| usize::from(*byte) == winners[0]));
}

#[tokio::test]
async fn hostile_keys_are_ordinary_keys() {
    let folder = Folder::new("keys");
    let stack = TestStack::start_in(Some(folder.path())).await;
    let client = stack.s3("admin");
    let keys = [
        "../escape",
        "../../etc/passwd",
        "a/../b",
        "./a",
        "a/./b",
        "a//b",
        "/a",
        "..",
        "a\\..\\b",
        "a/",
        "a",
        "ü 漢+%2F?&#",
        ".json",
        "x.body",
        "lock",
    ];
    for key in keys {
        let body = ByteStream::from(key.as_bytes().to_vec());
        client.put_object().bucket(BUCKET).key(key).body(body).send().await.expect(key);
    }
    for key in keys {
        let stored = client.get_object().bucket(BUCKET).key(key).send().await.expect(key);
        assert_eq!(stored.body.collect().await.expect("bytes").to_vec(), key.as_bytes());
    }
    let listed = client.list_objects_v2().bucket(BUCKET).send().await.expect("a listing");
    let mut expected = keys.to_vec();
    expected.sort_unstable();
    let listed: Vec<_> = listed.contents().iter().filter_map(|object| object.key()).collect();
    assert_eq!(listed, expected);
    let outside: Vec<_> = std::fs::read_dir(folder.path().join("s3")).expect("the folder").flatten().collect();
    assert_eq!(outside.len(), 1, "only the bucket lies beside itself: {outside:?}");
    stack.endpoints.shutdown().await;
}

#[tokio::test]
async fn a_deleted_object_is_not_listed() {
    let stack = TestStack::start().await;
    let client = stack.s3("admin");
    for key in ["a", "b"] {
        client.put_object().bucket(BUCKET).key(key).send().await.expect(key);
    }
    client.delete_object().bucket(BUCKET).key("b").send().await.expect("deleted");
    client.delete_object().bucket(BUCKET).key("b").send().await.expect("deleting twice is no error");
    let left = client.list_objects_v2().bucket(BUCKET).send().await.expect("a listing");
    assert_eq!((left.key_count(), left.contents()[0].key(), left.is_truncated()), (Some(1), Some("a"), Some(false)));
}

#[tokio::test]
async fn the_checksum_of_the_sdk_is_verified_and_given_back() {
    let stack = TestStack::start().await;
    let client = stack.s3("admin");
    // A streamed body with a known length is sent in chunks with the checksum in a trailer.
    let folder = Folder::new("sums");
    std::fs::create_dir_all(folder.path()).expect("a folder");
    let file = folder.path().join("upload");
    std::fs::write(&file, vec![7; 300_000]).expect("a file");
    let body = ByteStream::from_path(&file).await.expect("a body");
    client.put_object().bucket(BUCKET).key("sum").body(body).send().await.expect("a verified upload");
    let stored = client.get_object().bucket(BUCKET).key("sum").send().await.expect("stored");
    assert!(stored.checksum_crc32().is_some());
    assert_eq!(stored.body.collect().await.expect("bytes").to_vec(), vec![7; 300_000]);
    let wrong = client.put_object().bucket(BUCKET).key("sum").checksum_crc32("AAAAAA==");
    let error = wrong.body(ByteStream::from_static(b"x")).send().await.expect_err("a wrong checksum");
    assert_eq!(error.code(), Some("BadDigest"));
}

#[tokio::test]
async fn what_is_not_supported_is_refused_by_name() {
    let stack = TestStack::start().await;
    let client = stack.s3("admin");
    let put = || client.put_object().bucket(BUCKET).key("k").body(ByteStream::from_static(b"x"));
    for put in [
        put().if_match("\"tag\""),
        put().if_none_match("\"tag\""),
        put().checksum_algorithm(ChecksumAlgorithm::Sha256),
        put().content_encoding("gzip"),
        put().metadata("owner", "7"),
        put().tagging("a=b"),
    ] {
        assert_eq!(put.send().await.expect_err("not supported").code(), Some("NotImplemented"));
    }
    let part_of = client.list_objects_v2().bucket(BUCKET).prefix("a/").send().await;
    assert_eq!(part_of.expect_err("not supported").code(), Some("NotImplemented"));
    let copy = client.copy_object().bucket(BUCKET).key("k").copy_source(format!("{BUCKET}/a")).send().await;
    assert_eq!(copy.expect_err("not supported").code(), Some("NotImplemented"));
    let parts = client.create_multipart_upload().bucket(BUCKET).key("k").send().await;
    assert_eq!(parts.expect_err("not supported").code(), Some("NotImplemented"));
}

#[tokio::test]
async fn s3_faults_look_like_s3() {
    let stack = TestStack::start().await;
    let client = stack.s3("admin");
    let put = || client.put_object().bucket(BUCKET).key("k").body(ByteStream::from_static(b"x")).send();
    stack.endpoints.fail_next("s3:PutObject", 2, Fault::slow_down());
    put().await.expect("the third attempt succeeds");
    stack.endpoints.fail_next("s3:*", 3, Fault::slow_down());
    let error = put().await.expect_err("three attempts fail");
    assert_eq!(error.code(), Some("SlowDown"));
    assert_eq!(error.raw_response().map(|raw| raw.status().as_u16()), Some(503));
}
