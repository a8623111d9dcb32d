//! S3 reads: conditions, ranges, headers, presigned requests.

use std::time::Duration;

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_types::DateTime;

use crate::support::{BUCKET, TestStack, send};

const BODY: &[u8] = b"0123456789";

async fn with_object(stack: &TestStack) -> (aws_sdk_s3::Client, String) {
    let client = stack.s3("admin");
    let put = client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .content_type("audio/mp4")
        .cache_control("public, max-age=31536000, immutable")
        .content_disposition("inline")
        .body(ByteStream::from_static(BODY))
        .send()
        .await
        .expect("an object");
    (client, put.e_tag().expect("a tag").to_owned())
}

#[tokio::test]
async fn headers_come_back() {
    let stack = TestStack::start().await;
    let (client, tag) = with_object(&stack).await;
    let get = client.get_object().bucket(BUCKET).key("k").send().await.expect("stored");
    assert_eq!(get.content_type(), Some("audio/mp4"));
    assert_eq!(get.cache_control(), Some("public, max-age=31536000, immutable"));
    assert_eq!(get.content_disposition(), Some("inline"));
    assert_eq!(get.e_tag(), Some(tag.as_str()));
    assert!(get.last_modified().is_some());
    let head = client.head_object().bucket(BUCKET).key("k").send().await.expect("stored");
    assert_eq!(head.content_length(), Some(10));
    assert_eq!(head.cache_control(), get.cache_control());
    let other = client.get_object().bucket(BUCKET).key("k").response_content_type("text/plain");
    let other = other.response_content_disposition("attachment").send().await.expect("stored");
    assert_eq!(other.content_type(), Some("text/plain"));
    assert_eq!(other.content_disposition(), Some("attachment"));
}

#[tokio::test]
async fn conditional_reads_answer_304_and_412() {
    let stack = TestStack::start().await;
    let (client, tag) = with_object(&stack).await;
    let get = || client.get_object().bucket(BUCKET).key("k");
    let future = DateTime::from_secs(4_102_444_800);
    let past = DateTime::from_secs(0);
    let status = |error: aws_sdk_s3::error::SdkError<_>| {
        error.raw_response().map(|raw: &aws_sdk_s3::config::http::HttpResponse| raw.status().as_u16())
    };
    for unchanged in [get().if_none_match(&tag), get().if_none_match("*"), get().if_modified_since(future)] {
        assert_eq!(status(unchanged.send().await.expect_err("unchanged")), Some(304));
    }
    for failed in [get().if_match("\"other\""), get().if_unmodified_since(past)] {
        assert_eq!(status(failed.send().await.expect_err("a condition failed")), Some(412));
    }
    for fine in [
        get().if_match(&tag),
        get().if_none_match("\"other\""),
        get().if_modified_since(past),
        get().if_none_match("\"other\"").if_modified_since(future),
    ] {
        fine.send().await.expect("the condition holds");
    }
    let head = client.head_object().bucket(BUCKET).key("k").if_none_match(&tag).send().await;
    assert_eq!(head.expect_err("unchanged").raw_response().map(|raw| raw.status().as_u16()), Some(304));
}

#[tokio::test]
async fn ranges_answer_206_and_416() {
    let stack = TestStack::start().await;
    let (client, _) = with_object(&stack).await;
    let get = |range: &str| client.get_object().bucket(BUCKET).key("k").range(range).send();
    for (range, part, content_range) in [
        ("bytes=2-4", &BODY[2..5], "bytes 2-4/10"),
        ("bytes=7-", &BODY[7..], "bytes 7-9/10"),
        ("bytes=-3", &BODY[7..], "bytes 7-9/10"),
        ("bytes=5-999", &BODY[5..], "bytes 5-9/10"),
    ] {
        let answer = get(range).await.expect(range);
        assert_eq!(answer.content_range(), Some(content_range));
        assert_eq!(answer.body.collect().await.expect("bytes").to_vec(), part);
    }
    let error = get("bytes=10-").await.expect_err("past the end");
    assert_eq!(error.code(), Some("InvalidRange"));
    let raw = error.raw_response().expect("an answer");
    assert_eq!((raw.status().as_u16(), raw.headers().get("content-range")), (416, Some("bytes */10")));
}

#[tokio::test]
async fn a_304_has_its_headers_and_no_body() {
    let stack = TestStack::start().await;
    let (client, tag) = with_object(&stack).await;
    let config = PresigningConfig::expires_in(Duration::from_mins(1)).expect("a minute");
    let url = client.get_object().bucket(BUCKET).key("k").presigned(config).await.expect("a URL");
    let answer = send("GET", url.uri(), &[("if-none-match", &tag)], "").await;
    assert_eq!(answer.status(), 304);
    assert_eq!(answer.headers().get("etag").expect("a tag"), tag.as_str());
    assert!(answer.headers().contains_key("cache-control"));
    assert!(answer.body().is_empty());
}

#[tokio::test]
async fn presigned_requests_are_verified() {
    let stack = TestStack::start().await;
    let (client, _) = with_object(&stack).await;
    let minute = || PresigningConfig::expires_in(Duration::from_mins(1)).expect("a minute");
    let get = client.get_object().bucket(BUCKET).key("k").presigned(minute()).await.expect("a URL");
    let answer = send("GET", get.uri(), &[], "").await;
    assert_eq!((answer.status().as_u16(), answer.body().as_ref()), (200, BODY));
    let part = send("GET", get.uri(), &[("range", "bytes=0-1")], "").await;
    assert_eq!((part.status().as_u16(), part.body().as_ref()), (206, &BODY[..2]));

    let put = client.put_object().bucket(BUCKET).key("ticket").content_type("image/png").presigned(minute());
    let put = put.await.expect("a URL");
    let answer = send("PUT", put.uri(), &[("content-type", "image/png")], "png").await;
    assert_eq!(answer.status(), 200, "{:?}", answer.body());
    let wrong_type = send("PUT", put.uri(), &[("content-type", "text/html")], "png").await;
    assert_eq!(wrong_type.status(), 403);

    let other_key = get.uri().replace("/k?", "/ticket?");
    assert_eq!(send("GET", &other_key, &[], "").await.status(), 403);
    let longer = get.uri().replace("X-Amz-Expires=60", "X-Amz-Expires=600");
    assert_eq!(send("GET", &longer, &[], "").await.status(), 403);
    assert_eq!(send("DELETE", get.uri(), &[], "").await.status(), 403);
    let unsigned = get.uri().split('?').next().expect("a path");
    assert_eq!(send("GET", unsigned, &[], "").await.status(), 403);

    let past = std::time::SystemTime::now() - Duration::from_mins(10);
    let expired = PresigningConfig::builder().start_time(past).expires_in(Duration::from_mins(5));
    let expired = expired.build().expect("a past minute");
    let expired = client.get_object().bucket(BUCKET).key("k").presigned(expired).await.expect("a URL");
    assert_eq!(send("GET", expired.uri(), &[], "").await.status(), 403);
}

#[tokio::test]
async fn strangers_and_wrong_secrets_are_refused() {
    let stack = TestStack::start().await;
    let error = stack.s3("stranger").list_objects_v2().bucket(BUCKET).send().await.expect_err("refused");
    assert_eq!(error.code(), Some("InvalidAccessKeyId"));
    stack.register_with_secret("thief", "another secret");
    let error = stack.s3("thief").list_objects_v2().bucket(BUCKET).send().await.expect_err("refused");
    assert_eq!(error.code(), Some("SignatureDoesNotMatch"));
    let error = stack.s3("admin").list_objects_v2().bucket("other").send().await.expect_err("no bucket");
    assert_eq!(error.code(), Some("NoSuchBucket"));
}
