//! Errors that the gateway returns itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::client::{raw, send};
use crate::fixture::{Setup, echo, respond};

const TOO_LARGE: (u16, &str) = (413, r#"{"message":"Request Entity Too Large"}"#);

#[tokio::test]
async fn a_body_above_10_mb_is_refused_and_never_reaches_a_function() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let server = Setup::default().start(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        async { respond(json!({"statusCode": 200})) }
    });
    let port = server.port();
    let body = vec![b'x'; 10 * 1024 * 1024 + 1];
    let answer = send(port, "POST /", &["Content-Type: text/plain"], &body).await;
    assert_eq!((answer.status, answer.text().as_str()), TOO_LARGE);
    // A client that asks first gets the error before it sends anything.
    let head =
        format!("POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n", body.len());
    assert_eq!(raw(port, head.as_bytes()).await.status, 413);
    // A client that does not state the length is stopped while it sends.
    let mut chunked = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..11 {
        chunked.extend_from_slice(b"100000\r\n");
        chunked.extend_from_slice(&body[..1024 * 1024]);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let answer = raw(port, &chunked).await;
    assert_eq!((answer.status, answer.text().as_str()), TOO_LARGE);
    assert_eq!(calls.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn an_event_above_6_mb_is_refused() {
    let server = Setup::default().start(async |event: serde_json::Value| {
        let length = event["body"].as_str().unwrap().len();
        respond(json!({"statusCode": 200, "body": length.to_string()}))
    });
    let port = server.port();
    // 4.5 MB of binary is 6 MB of base64.
    let binary = vec![0; 4_800_000];
    let answer = send(port, "POST /", &["Content-Type: image/jpeg"], &binary).await;
    assert_eq!((answer.status, answer.text().as_str()), TOO_LARGE);
    let answer = send(port, "POST /", &["Content-Type: image/jpeg"], &binary[..4_700_000]).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "6266668"));
    let answer = send(port, "POST /", &["Content-Type: text/plain"], &vec![b'x'; 6_200_000]).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "6200000"));
}

#[tokio::test]
async fn request_line_and_header_values_are_bounded_together() {
    let server = Setup::default().start(echo);
    let port = server.port();
    let room = 10_240 - "GET / HTTP/1.1".len() - format!("localhost:{port}").len();
    let value = |length: usize| format!("X-Long: {}", "a".repeat(length));
    let fits = send(port, "GET /", &[&value(room)], b"").await;
    assert_eq!(fits.status, 200);
    let one_more = value(room + 1);
    let many: Vec<String> = (0..20).map(|_| value(1_000)).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let query = format!("GET /?{}", "q".repeat(10_240));
    for (line, headers) in [("GET /", vec![one_more.as_str()]), ("GET /", many), (query.as_str(), vec![])] {
        let answer = send(port, line, &headers, b"").await;
        assert_eq!(answer.status, 431, "{} headers", headers.len());
        assert_eq!(answer.text(), r#"{"message":"Request Header Fields Too Large"}"#);
    }
}
