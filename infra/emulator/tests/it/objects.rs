//! S3 writes: conditions, hostile keys, copies, deletions, listings, parts.

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, Delete, MetadataDirective, ObjectIdentifier,
};
use emulator::Fault;

use crate::fixture::{BUCKET, Stack};

#[tokio::test]
async fn fifty_parallel_creations_have_one_winner() {
    let stack = Stack::start().await;
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
async fn a_write_can_insist_on_the_version_it_replaces() {
    let stack = Stack::start().await;
    let client = stack.s3("admin");
    let put = |body: &'static [u8]| client.put_object().bucket(BUCKET).key("k").body(ByteStream::from_static(body));
    let first = put(b"one").send().await.expect("new");
    let tag = first.e_tag().expect("a tag").to_owned();
    put(b"two").if_match(&tag).send().await.expect("the known version");
    let error = put(b"three").if_match(&tag).send().await.expect_err("a stale version");
    assert_eq!(error.code(), Some("PreconditionFailed"));
}

#[tokio::test]
async fn hostile_keys_are_ordinary_keys() {
    let folder = std::env::temp_dir().join(format!("handset-keys-{}", std::process::id()));
    let stack = Stack::start_in(Some(folder.clone())).await;
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
    let outside: Vec<_> = std::fs::read_dir(folder.join("s3")).expect("the folder").flatten().collect();
    assert_eq!(outside.len(), 1, "only the bucket lies beside itself: {outside:?}");
    stack.endpoints.shutdown().await;
    std::fs::remove_dir_all(folder).expect("the folder goes");
}

#[tokio::test]
async fn copies_keep_or_replace_metadata() {
    let stack = Stack::start().await;
    let client = stack.s3("admin");
    client
        .put_object()
        .bucket(BUCKET)
        .key("a b")
        .content_type("image/png")
        .metadata("owner", "7")
        .body(ByteStream::from_static(b"png"))
        .send()
        .await
        .expect("a source");
    let copy = |key: &str| client.copy_object().bucket(BUCKET).key(key).copy_source(format!("{BUCKET}/a%20b"));
    copy("kept").send().await.expect("a copy");
    let replaced = copy("replaced").metadata_directive(MetadataDirective::Replace).content_type("text/plain");
    replaced.send().await.expect("a copy");
    copy("a b").send().await.expect_err("onto itself without a change");
    for (key, kind, owner) in [("kept", "image/png", true), ("replaced", "text/plain", false)] {
        let head = client.head_object().bucket(BUCKET).key(key).send().await.expect(key);
        assert_eq!(head.content_type(), Some(kind));
        assert_eq!(head.metadata().is_some_and(|data| data.contains_key("owner")), owner);
        assert_eq!(head.content_length(), Some(3));
    }
}

#[tokio::test]
async fn listings_page_and_group_in_order() {
    let stack = Stack::start().await;
    let client = stack.s3("admin");
    for key in ["a/1", "a/2", "b", "c/1", "c/2", "d"] {
        client.put_object().bucket(BUCKET).key(key).send().await.expect(key);
    }
    let mut seen = Vec::new();
    let mut token = None;
    loop {
        let list = client.list_objects_v2().bucket(BUCKET).delimiter("/").max_keys(1);
        let page = list.set_continuation_token(token).send().await.expect("a page");
        seen.extend(page.contents().iter().filter_map(|object| object.key().map(ToOwned::to_owned)));
        seen.extend(page.common_prefixes().iter().filter_map(|group| group.prefix().map(ToOwned::to_owned)));
        token = page.next_continuation_token().map(ToOwned::to_owned);
        assert_eq!(page.is_truncated(), Some(token.is_some()));
        if token.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["a/", "b", "c/", "d"]);
    let rest = client.list_objects_v2().bucket(BUCKET).prefix("c/").start_after("c/1").send().await;
    assert_eq!(rest.expect("a page").key_count(), Some(1));
    let objects = ["a/1", "a/2", "never"].map(|key| ObjectIdentifier::builder().key(key).build().expect("a key"));
    let delete = Delete::builder().set_objects(Some(objects.to_vec())).build().expect("a list");
    client.delete_objects().bucket(BUCKET).delete(delete).send().await.expect("deleted");
    client.delete_object().bucket(BUCKET).key("b").send().await.expect("deleted");
    client.delete_object().bucket(BUCKET).key("b").send().await.expect("deleting twice is no error");
    let left = client.list_objects_v2().bucket(BUCKET).send().await.expect("a listing");
    assert_eq!(left.key_count(), Some(3));
}

#[tokio::test]
async fn parts_become_one_object() {
    let stack = Stack::start().await;
    let client = stack.s3("admin");
    let created = client.create_multipart_upload().bucket(BUCKET).key("big").content_type("audio/mp4");
    let created = created.send().await.expect("an upload");
    let id = created.upload_id().expect("an id");
    let mut parts = Vec::new();
    for (number, size) in [(1, 5 * 1024 * 1024), (2, 7)] {
        let body = ByteStream::from(vec![u8::try_from(number).expect("small"); size]);
        let part = client.upload_part().bucket(BUCKET).key("big").upload_id(id).part_number(number).body(body);
        let part = part.send().await.expect("a part");
        parts.push(CompletedPart::builder().part_number(number).e_tag(part.e_tag().expect("a tag")).build());
    }
    let complete = |parts: Vec<CompletedPart>| {
        let upload = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        client.complete_multipart_upload().bucket(BUCKET).key("big").upload_id(id).multipart_upload(upload).send()
    };
    let mut reversed = parts.clone();
    reversed.reverse();
    assert_eq!(complete(reversed).await.expect_err("the order").code(), Some("InvalidPartOrder"));
    let done = complete(parts.clone()).await.expect("an object");
    assert!(done.e_tag().is_some_and(|tag| tag.ends_with("-2\"")), "{:?}", done.e_tag());
    let head = client.head_object().bucket(BUCKET).key("big").send().await.expect("stored");
    assert_eq!(head.content_length(), Some(5 * 1024 * 1024 + 7));
    assert_eq!(head.content_type(), Some("audio/mp4"));
    assert_eq!(complete(parts).await.expect_err("it is complete").code(), Some("NoSuchUpload"));
}

#[tokio::test]
async fn every_checksum_of_the_sdk_is_verified_and_given_back() {
    let stack = Stack::start().await;
    let client = stack.s3("admin");
    // A streamed body with a known length is sent in chunks with the checksum in a trailer.
    let folder = std::env::temp_dir().join(format!("handset-sums-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("upload");
    std::fs::write(&file, vec![7; 300_000]).expect("a file");
    for algorithm in [
        ChecksumAlgorithm::Crc32,
        ChecksumAlgorithm::Crc32C,
        ChecksumAlgorithm::Crc64Nvme,
        ChecksumAlgorithm::Sha1,
        ChecksumAlgorithm::Sha256,
    ] {
        let body = ByteStream::from_path(&file).await.expect("a body");
        let put = client.put_object().bucket(BUCKET).key("sum").checksum_algorithm(algorithm.clone()).body(body);
        put.send().await.expect("a verified upload");
        let stored = client.get_object().bucket(BUCKET).key("sum").send().await.expect("stored");
        let sum = match algorithm {
            ChecksumAlgorithm::Crc32 => stored.checksum_crc32(),
            ChecksumAlgorithm::Crc32C => stored.checksum_crc32_c(),
            ChecksumAlgorithm::Crc64Nvme => stored.checksum_crc64_nvme(),
            ChecksumAlgorithm::Sha1 => stored.checksum_sha1(),
            _ => stored.checksum_sha256(),
        };
        assert!(sum.is_some(), "{algorithm:?}");
        assert_eq!(stored.body.collect().await.expect("bytes").to_vec(), vec![7; 300_000]);
    }
    let wrong = client.put_object().bucket(BUCKET).key("sum").checksum_crc32("AAAAAA==");
    let error = wrong.body(ByteStream::from_static(b"x")).send().await.expect_err("a wrong checksum");
    assert_eq!(error.code(), Some("BadDigest"));
    std::fs::remove_dir_all(folder).expect("the folder goes");
}

#[tokio::test]
async fn s3_faults_look_like_s3() {
    let stack = Stack::start().await;
    let client = stack.s3("admin");
    let put = || client.put_object().bucket(BUCKET).key("k").body(ByteStream::from_static(b"x")).send();
    stack.endpoints.fail_next("s3:PutObject", 2, Fault::slow_down());
    put().await.expect("the third attempt succeeds");
    stack.endpoints.fail_next("s3:*", 3, Fault::slow_down());
    let error = put().await.expect_err("three attempts fail");
    assert_eq!(error.code(), Some("SlowDown"));
    assert_eq!(error.raw_response().map(|raw| raw.status().as_u16()), Some(503));
}
