//! Conversion of a function's result to a response.

use std::time::Duration;

use serde_json::json;

use crate::client::{get, send};
use crate::fixture::{Setup, respond};

const FAILED: (u16, &str) = (500, r#"{"message":"Internal Server Error"}"#);

#[tokio::test]
async fn a_result_becomes_the_response() {
    let server = Setup::default().start(async |event: serde_json::Value| {
        let method = event["requestContext"]["http"]["method"].clone();
        respond(json!({
            "statusCode": 201,
            "headers": {"Content-Type": "image/png", "X-Method": method, "Connection": "close"},
            "cookies": ["a=1; HttpOnly", "b=2"],
            "body": "AAEC",
            "isBase64Encoded": true,
        }))
    });
    let answer = get(server.port(), "GET /").await;
    assert_eq!((answer.status, answer.body.as_slice()), (201, [0_u8, 1, 2].as_slice()));
    assert_eq!(answer.all("set-cookie"), ["a=1; HttpOnly", "b=2"]);
    assert_eq!(answer.header("content-type"), Some("image/png"));
    assert_eq!(answer.header("content-length"), Some("3"));
    assert_eq!(answer.header("connection"), None);
    let answer = get(server.port(), "HEAD /").await;
    assert_eq!(answer.header("x-method"), Some("HEAD"));
    assert_eq!((answer.header("content-length"), answer.body.len()), (Some("3"), 0));
}

#[tokio::test]
async fn a_result_that_is_no_response_is_the_body() {
    let server = Setup::default().start(async |_| respond(json!([1, "a"])));
    let answer = get(server.port(), "GET /").await;
    assert_eq!((answer.status, answer.text().as_str()), (200, r#"[1,"a"]"#));
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn a_function_that_fails_in_any_way_is_a_500_with_fixed_words() {
    let server = Setup::default().start(async |event: serde_json::Value| match event["rawPath"].as_str().unwrap() {
        "/panic" => panic!("the function's own words"),
        "/error" => Err("the function's own words".to_owned()),
        "/garbage" => Ok(b"the function's own words".to_vec()),
        "/large" => respond(json!({"statusCode": 200, "body": "x".repeat(6_291_556)})),
        _ => respond(json!({"statusCode": 42})),
    });
    for path in ["/panic", "/error", "/garbage", "/large", "/status"] {
        let answer = get(server.port(), &format!("GET {path}")).await;
        assert_eq!((answer.status, answer.text().as_str()), FAILED, "{path}");
    }
    // A panic ends only its own invocation.
    assert_eq!(get(server.port(), "GET /panic").await.status, 500);
}

#[tokio::test]
async fn a_result_just_below_6_mb_passes() {
    let server = Setup::default().start(async |_| respond(json!({"statusCode": 200, "body": "x".repeat(6_290_000)})));
    assert_eq!(get(server.port(), "GET /").await.body.len(), 6_290_000);
}

#[tokio::test]
async fn a_function_that_outlives_its_timeout_has_failed() {
    let server = Setup { timeout: 1, ..Setup::default() }.start(async |_| {
        tokio::time::sleep(Duration::from_mins(1)).await;
        respond(json!({}))
    });
    let answer = get(server.port(), "GET /").await;
    assert_eq!((answer.status, answer.text().as_str()), FAILED);
}

#[tokio::test]
async fn a_function_that_outlives_the_integration_is_unavailable() {
    let patience = Duration::from_millis(100);
    let server = Setup { timeout: 60, patience, ..Setup::default() }.start(async |_| {
        tokio::time::sleep(Duration::from_mins(1)).await;
        respond(json!({}))
    });
    let answer = get(server.port(), "GET /").await;
    let expected = r#"{"message":"Service Unavailable"}"#;
    assert_eq!((answer.status, answer.text().as_str()), (503, expected));
}

#[tokio::test]
async fn many_requests_run_at_the_same_time() {
    let server = Setup::default().start(async |_| {
        tokio::time::sleep(Duration::from_millis(300)).await;
        respond(json!({"statusCode": 200}))
    });
    let port = server.port();
    let begun = std::time::Instant::now();
    let requests = (0..100).map(|_| async move { send(port, "GET /", &[], b"").await.status });
    let statuses = futures::future::join_all(requests).await;
    assert!(statuses.iter().all(|status| *status == 200));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}
