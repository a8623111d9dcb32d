//! `ObjectCreated` events: their content, their time, and their repetition after a failure.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_sdk_s3::primitives::ByteStream;
use base64::Engine as _;
use emulator::ObjectHandler;
use futures::FutureExt as _;
use serde_json::Value;

use crate::support::{BUCKET, TestStack, send, sign};

fn recorder() -> (ObjectHandler, Arc<Mutex<Vec<Value>>>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&events);
    let handler: ObjectHandler = Arc::new(move |event| {
        seen.lock().expect("no panic").push(event);
        async { Ok(()) }.boxed()
    });
    (handler, events)
}

#[tokio::test]
async fn writing_an_object_delivers_an_event() {
    let stack = TestStack::start().await;
    let (handler, events) = recorder();
    stack.endpoints.on_object_created(BUCKET, "images/", ".jpg", handler);
    let client = stack.s3("admin");
    for key in ["images/a b.jpg", "images/a.png", "thumbnails/a.jpg"] {
        let body = ByteStream::from_static(b"12345");
        client.put_object().bucket(BUCKET).key(key).body(body).send().await.expect(key);
    }
    stack.endpoints.settled().await;
    let events = events.lock().expect("no panic").clone();
    assert_eq!(events.len(), 1);
    let record = &events[0]["Records"][0];
    assert_eq!(record["eventName"], "ObjectCreated:Put");
    assert_eq!(record["eventSource"], "aws:s3");
    assert_eq!(record["s3"]["bucket"]["name"], BUCKET);
    assert_eq!(record["s3"]["object"]["key"], "images/a+b.jpg");
    assert_eq!(record["s3"]["object"]["size"], 5);
    assert_eq!(record["s3"]["object"]["eTag"], "827ccb0eea8a706c4c34a16891f84e7b");
    assert!(record["eventTime"].as_str().is_some_and(|time| time.ends_with('Z')));
}

#[tokio::test]
async fn a_failing_handler_is_called_three_times() {
    let stack = TestStack::start().await;
    for (prefix, failures, calls) in [("twice", 2, 3), ("ever", usize::MAX, 3), ("never", 0, 1)] {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let handler: ObjectHandler = Arc::new(move |_| {
            let attempt = counted.fetch_add(1, Ordering::SeqCst);
            async move {
                // A panic counts as a failure.
                assert!(attempt > 0 || failures == 0, "the first attempt");
                if attempt < failures { Err("not yet".to_owned()) } else { Ok(()) }
            }
            .boxed()
        });
        stack.endpoints.on_object_created(BUCKET, prefix, "", handler);
        let client = stack.s3("admin");
        client.put_object().bucket(BUCKET).key(prefix).send().await.expect("an object");
        stack.endpoints.settled().await;
        assert_eq!(count.load(Ordering::SeqCst), calls, "{prefix}");
    }
}

#[tokio::test]
async fn a_write_that_fails_delivers_nothing() {
    let stack = TestStack::start().await;
    let client = stack.s3("admin");
    client.put_object().bucket(BUCKET).key("k").send().await.expect("an object");
    let (handler, events) = recorder();
    stack.endpoints.on_object_created(BUCKET, "", "", handler);
    client.put_object().bucket(BUCKET).key("k").if_none_match("*").send().await.expect_err("it exists");
    stack.endpoints.settled().await;
    assert!(events.lock().expect("no panic").is_empty());
}

/// The fields of a form upload below `uploads/` with at most ten bytes.
fn form(policy_for: &str, key: &str, file: &str) -> String {
    let now = time::OffsetDateTime::now_utc();
    let date = format!("{:04}{:02}{:02}", now.year(), u8::from(now.month()), now.day());
    let time = format!("{date}T{:02}{:02}{:02}Z", now.hour(), now.minute(), now.second());
    let credential = format!("{policy_for}/{date}/us-east-1/s3/aws4_request");
    let policy = serde_json::json!({
        "expiration": "2099-01-01T00:00:00.000Z",
        "conditions": [
            {"bucket": BUCKET},
            ["starts-with", "$key", "uploads/"],
            ["content-length-range", 1, 10],
            {"x-amz-algorithm": "AWS4-HMAC-SHA256"},
            {"x-amz-credential": credential},
            {"x-amz-date": time},
        ],
    });
    let policy = base64::prelude::BASE64_STANDARD.encode(policy.to_string());
    let signature = sign(policy_for, &date, "s3", &policy);
    let fields = [
        ("key", key),
        ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
        ("x-amz-credential", &credential),
        ("x-amz-date", &time),
        ("policy", &policy),
        ("x-amz-signature", &signature),
    ];
    let part = |(name, value)| format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let fields = fields.map(part).concat();
    let disposition = "Content-Disposition: form-data; name=\"file\"; filename=\"f\"";
    format!("{fields}--b\r\n{disposition}\r\n\r\n{file}\r\n--b--\r\n")
}

#[tokio::test]
async fn a_form_upload_is_checked_and_announced() {
    let stack = TestStack::start().await;
    let uploads = format!("arn:aws:s3:::{BUCKET}/uploads/*");
    let statement = serde_json::json!([{"Effect": "Allow", "Action": "s3:PutObject", "Resource": uploads}]);
    stack.register("tickets", Some(statement));
    stack.register("nobody", Some(serde_json::json!([])));
    let (handler, events) = recorder();
    stack.endpoints.on_object_created(BUCKET, "uploads/", "", handler);
    let url = format!("{}/{BUCKET}", stack.endpoints.url());
    let headers = [("content-type", "multipart/form-data; boundary=b")];
    for (by, key, file, status) in [
        ("tickets", "uploads/a", "12345", 204),
        // S3 itself answers 403 here; `s3s` also rejects it, but with a 400.
        ("tickets", "elsewhere/a", "12345", 400),
        ("tickets", "uploads/a", "longer than ten", 400),
        ("nobody", "uploads/a", "12345", 403),
        ("stranger", "uploads/a", "12345", 403),
    ] {
        let answer = send("POST", &url, &headers, form(by, key, file)).await;
        assert_eq!(answer.status(), status, "{by} {key} {file}: {:?}", answer.body());
    }
    stack.endpoints.settled().await;
    let events = events.lock().expect("no panic");
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["Records"][0]["eventName"], "ObjectCreated:Post");
}
