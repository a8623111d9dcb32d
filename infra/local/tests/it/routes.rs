//! The route of a request, tested through the socket.

use crate::client::get;
use crate::fixture::{Setup, echo};

#[tokio::test]
async fn requests_take_the_most_specific_route() {
    let routes = ["GET /users", "GET /users/{id}", "ANY /files/{path+}", "GET /users/me", "$default"];
    let server = Setup { routes: &routes, ..Setup::default() }.start(echo);
    for (line, key) in [
        ("GET /users", "GET /users"),
        ("GET /users?x=1", "GET /users"),
        ("GET /users/", "$default"),
        ("GET /users/me", "GET /users/me"),
        ("GET /users/7", "GET /users/{id}"),
        ("GET /users/7/", "$default"),
        ("POST /users", "$default"),
        ("HEAD /users", "$default"),
        ("PUT /files/a/b", "ANY /files/{path+}"),
        ("GET /files/", "$default"),
        ("GET /nowhere", "$default"),
        ("OPTIONS /users", "$default"),
    ] {
        let answer = get(server.port(), line).await;
        assert_eq!(answer.status, 200, "{line}");
        if !line.starts_with("HEAD") {
            assert_eq!(answer.json()["routeKey"], key, "{line}");
            assert_eq!(answer.json()["requestContext"]["routeKey"], key, "{line}");
        }
    }
}

#[tokio::test]
async fn without_a_default_route_the_unknown_is_refused() {
    let server = Setup { routes: &["POST /users"], ..Setup::default() }.start(echo);
    for line in ["GET /users", "POST /users/", "POST /", "GET /_locals"] {
        let answer = get(server.port(), line).await;
        assert_eq!((answer.status, answer.text().as_str()), (404, r#"{"message":"Not Found"}"#));
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert!(answer.header("apigw-requestid").is_some());
    }
}

#[tokio::test]
async fn paths_are_decoded_before_routing() {
    let routes = ["GET /images/{name}", "GET /a/{b}/{c}"];
    let server = Setup { routes: &routes, ..Setup::default() }.start(echo);
    let event = get(server.port(), "GET /images/a%20b%40%E4%BD%A0+c?d=%20").await.json();
    assert_eq!(event["rawPath"], "/images/a b@你+c");
    assert_eq!(event["requestContext"]["http"]["path"], "/images/a b@你+c");
    assert_eq!(event["pathParameters"]["name"], "a b@你+c");
    assert_eq!(event["rawQueryString"], "d=%20");
    // An encoded slash separates segments, an encoded question mark cuts off the rest, and decoding happens once.
    let event = get(server.port(), "GET /a/b%2Fc").await.json();
    assert_eq!(event["pathParameters"], serde_json::json!({"b": "b", "c": "c"}));
    let event = get(server.port(), "GET /images/a%3Fb").await.json();
    assert_eq!(event["rawPath"], "/images/a");
    let event = get(server.port(), "GET /images/a%252Fb").await.json();
    assert_eq!(event["pathParameters"]["name"], "a%2Fb");
    assert_eq!(get(server.port(), "GET /images/%FF").await.status, 400);
}
