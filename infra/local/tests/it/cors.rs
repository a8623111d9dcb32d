//! CORS follows the configuration, whatever functions return.

use serde_json::json;

use crate::client::send;
use crate::fixture::{Setup, respond};

const RULES: &str = "CorsConfiguration: {AllowOrigins: ['https://app.example', 'http://*'], \
    AllowMethods: [GET, POST], AllowHeaders: [authorization, content-type], \
    ExposeHeaders: [etag, x-b], MaxAge: 600, AllowCredentials: true}";

async fn opinionated(_: serde_json::Value) -> Result<Vec<u8>, String> {
    respond(json!({"statusCode": 200, "headers": {
        "access-control-allow-origin": "https://evil.example",
        "access-control-allow-methods": "DELETE",
        "x-called": "yes",
    }}))
}

#[tokio::test]
async fn preflight_is_answered_by_the_gateway() {
    let server = Setup { cors: RULES, ..Setup::default() }.start(opinionated);
    let headers = ["Origin: https://app.example", "Access-Control-Request-Method: POST"];
    let answer = send(server.port(), "OPTIONS /anything", &headers, b"").await;
    assert_eq!((answer.status, answer.header("x-called")), (204, None));
    for (name, value) in [
        ("access-control-allow-origin", "https://app.example"),
        ("access-control-allow-methods", "GET,POST"),
        ("access-control-allow-headers", "authorization,content-type"),
        ("access-control-allow-credentials", "true"),
        ("access-control-max-age", "600"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    let headers = ["Origin: https://evil.example", "Access-Control-Request-Method: POST"];
    let answer = send(server.port(), "OPTIONS /anything", &headers, b"").await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (204, None));
}

#[tokio::test]
async fn options_that_is_no_preflight_takes_its_route() {
    let server = Setup { cors: RULES, ..Setup::default() }.start(opinionated);
    for headers in [vec![], vec!["Origin: https://app.example"]] {
        let answer = send(server.port(), "OPTIONS /anything", &headers, b"").await;
        assert_eq!((answer.status, answer.header("x-called")), (200, Some("yes")));
    }
}

#[tokio::test]
async fn configured_headers_replace_the_function_s() {
    let server = Setup { cors: RULES, ..Setup::default() }.start(opinionated);
    let port = server.port();
    let answer = send(port, "GET /", &["Origin: http://any.example"], b"").await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://any.example"));
    assert_eq!(answer.header("access-control-expose-headers"), Some("etag,x-b"));
    assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
    assert_eq!(answer.header("access-control-allow-methods"), None);
    for headers in [vec![], vec!["Origin: https://evil.example"]] {
        let answer = send(port, "GET /", &headers, b"").await;
        let found = answer.headers.iter().find(|(name, _)| name.starts_with("access-control"));
        assert_eq!((answer.header("x-called"), found), (Some("yes"), None));
    }
}

#[tokio::test]
async fn any_origin_is_a_star_and_refusals_carry_it_too() {
    let cors = "CorsConfiguration: {AllowOrigins: ['*'], AllowMethods: ['*']}";
    let server = Setup { cors, routes: &["GET /a"], ..Setup::default() }.start(opinionated);
    let answer = send(server.port(), "GET /b", &["Origin: https://x.example"], b"").await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
}

#[tokio::test]
async fn without_configuration_functions_speak_for_themselves() {
    let server = Setup::default().start(opinionated);
    let headers = ["Origin: https://app.example", "Access-Control-Request-Method: POST"];
    let answer = send(server.port(), "OPTIONS /", &headers, b"").await;
    assert_eq!((answer.status, answer.header("x-called")), (200, Some("yes")));
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://evil.example"));
}
