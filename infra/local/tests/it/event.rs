//! The event that a function receives.

use serde_json::{Value, json};

use crate::client::{raw, send};
use crate::fixture::{Setup, echo};

#[tokio::test]
async fn the_event_has_the_form_of_payload_2() {
    let server = Setup { routes: &["POST /users/{id}"], ..Setup::default() }.start(echo);
    let headers = [
        "User-Agent: test/1",
        "Cookie: a=1; b=2",
        "Cookie: c=3",
        "X-Multi: one",
        "X-Multi: two",
        "Content-Type: application/json",
    ];
    let line = "POST /users/7?x=1&x=2&y=a+b%2B&z";
    let event = send(server.port(), line, &headers, br#"{"a":1}"#).await.json();
    let host = format!("localhost:{}", server.port());
    let context = &event["requestContext"];
    let id = context["requestId"].as_str().unwrap();
    let time = context["time"].as_str().unwrap();
    assert_eq!((id.len(), time.len(), &time[20..]), (16, 26, " +0000"));
    let expected = json!({
        "version": "2.0",
        "routeKey": "POST /users/{id}",
        "rawPath": "/users/7",
        "rawQueryString": "x=1&x=2&y=a+b%2B&z",
        "cookies": ["a=1", "b=2", "c=3"],
        "headers": {
            "content-length": "7",
            "content-type": "application/json",
            "host": host,
            "user-agent": "test/1",
            "x-forwarded-for": "127.0.0.1",
            "x-forwarded-port": server.port().to_string(),
            "x-forwarded-proto": "http",
            "x-multi": "one,two",
        },
        "queryStringParameters": {"x": "1,2", "y": "a b+", "z": ""},
        "pathParameters": {"id": "7"},
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": host,
            "domainPrefix": "localhost",
            "http": {
                "method": "POST",
                "path": "/users/7",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "test/1",
            },
            "requestId": id,
            "routeKey": "POST /users/{id}",
            "stage": "$default",
            "time": time,
            "timeEpoch": context["timeEpoch"].as_u64().unwrap(),
        },
        "body": "{\"a\":1}",
        "isBase64Encoded": false,
    });
    assert_eq!(event, expected);
}

#[tokio::test]
async fn what_a_request_lacks_the_event_lacks() {
    let server = Setup::default().start(echo);
    let event = send(server.port(), "GET /", &[], b"").await.json();
    for absent in ["cookies", "queryStringParameters", "pathParameters", "body"] {
        assert!(event.get(absent).is_none(), "{absent}");
    }
    assert_eq!(event["isBase64Encoded"], false);
    assert_eq!(event["rawQueryString"], "");
    assert_eq!(event["requestContext"]["http"]["userAgent"], "");
}

#[tokio::test]
async fn a_client_cannot_choose_its_address() {
    let server = Setup::default().start(echo);
    let headers = [
        "X-Forwarded-For: 203.0.113.9",
        "X-Forwarded-For: 10.0.0.1",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Port: 443",
    ];
    let event = send(server.port(), "GET /", &headers, b"").await.json();
    assert_eq!(event["requestContext"]["http"]["sourceIp"], "127.0.0.1");
    assert_eq!(event["headers"]["x-forwarded-for"], "203.0.113.9,10.0.0.1, 127.0.0.1");
    assert_eq!(event["headers"]["x-forwarded-proto"], "http");
}

#[tokio::test]
async fn headers_of_the_connection_are_not_passed_on() {
    let server = Setup::default().start(echo);
    let headers = [
        "Connection: keep-alive, X-Hop",
        "Keep-Alive: timeout=5",
        "X-Hop: 1",
        "TE: trailers",
        "Proxy-Authorization: Basic eDp5",
        "X-End: 2",
    ];
    let event = send(server.port(), "GET /", &headers, b"").await.json();
    let names: Vec<_> = event["headers"].as_object().unwrap().keys().collect();
    let expected = ["host", "x-end", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn a_body_is_text_only_under_a_few_types() {
    let server = Setup::default().start(echo);
    let body = |kind: &'static str, body: &'static [u8]| {
        let port = server.port();
        async move {
            let header = format!("Content-Type: {kind}");
            let headers = if kind.is_empty() { vec![] } else { vec![header.as_str()] };
            let event = send(port, "POST /", &headers, body).await.json();
            (event["body"].clone(), event["isBase64Encoded"].clone())
        }
    };
    for kind in [
        "text/plain",
        "TEXT/html; charset=utf-8",
        "application/json",
        "application/json; charset=utf-8",
        "application/xml",
        "application/javascript",
    ] {
        assert_eq!(body(kind, b"hi").await, (json!("hi"), json!(false)), "{kind}");
    }
    for kind in [
        "",
        "application/x-www-form-urlencoded",
        "application/octet-stream",
        "application/vnd.api+json",
        "image/png",
        "multipart/form-data; boundary=x",
    ] {
        assert_eq!(body(kind, b"hi").await, (json!("aGk="), json!(true)), "{kind}");
    }
    // Bytes that are not text cannot be passed as text, whatever their content type is.
    assert_eq!(body("text/plain", b"\xff\xfe").await, (json!("//4="), json!(true)));
}

#[tokio::test]
async fn a_chunked_body_arrives_whole() {
    let server = Setup::default().start(echo);
    let request = format!(
        "POST / HTTP/1.1\r\nHost: localhost:{}\r\nContent-Type: text/plain\r\n\
         Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n",
        server.port()
    );
    let event = raw(server.port(), request.as_bytes()).await.json();
    assert_eq!(event["body"], "abcdefg");
    assert_eq!(event["headers"]["content-length"], "7");
    assert_eq!(event["headers"].get("transfer-encoding"), None::<&Value>);
}

#[tokio::test]
async fn the_host_is_the_one_asked_for_and_must_be_one() {
    let server = Setup::default().start(echo);
    let request = "GET / HTTP/1.1\r\nHost: 10.0.2.2:3000\r\n\r\n";
    let event = raw(server.port(), request.as_bytes()).await.json();
    assert_eq!(event["requestContext"]["domainName"], "10.0.2.2:3000");
    let request = "GET http://api.example/x HTTP/1.1\r\nHost: other\r\n\r\n";
    let event = raw(server.port(), request.as_bytes()).await.json();
    assert_eq!(event["requestContext"]["domainName"], "api.example");
    assert_eq!((&event["rawPath"], &event["headers"]["host"]), (&json!("/x"), &json!("api.example")));
    for request in [
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: user@host\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    ] {
        assert_eq!(raw(server.port(), request.as_bytes()).await.status, 400, "{request}");
    }
}
