//! Pages that only the local run serves.

use local::{Pages, Text};
use serde_json::json;

use crate::client::{get, raw};
use crate::fixture::{Setup, echo};

fn setup() -> Setup<'static> {
    let texts = [
        Text { phone: "+8613800000001".into(), body: "222222 is your code".into(), sent_at: 2 },
        Text { phone: "+8613800000000".into(), body: "no code".into(), sent_at: 1 },
    ];
    let inbox = move |phone: Option<&str>| {
        let wanted = |text: &&Text| phone.is_none_or(|phone| text.phone == phone);
        texts.iter().filter(wanted).cloned().collect()
    };
    let openapi = json!({"openapi": "3.1.0", "paths": {}});
    let told = || vec![json!({"kind": "push", "sent_at": 2}), json!({"kind": "topic", "sent_at": 1})];
    Setup { pages: Some(Pages::new(Box::new(inbox), Box::new(told), &openapi)), ..Setup::default() }
}

#[tokio::test]
async fn the_inbox_shows_texts_newest_first_and_by_phone() {
    let server = setup().start(echo);
    let answer = get(server.port(), "GET /_local/sms").await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let newest = json!({
        "phone": "+8613800000001", "body": "222222 is your code", "code": "222222", "sent_at": 2,
    });
    let other = json!({
        "phone": "+8613800000000", "body": "no code", "code": null, "sent_at": 1,
    });
    assert_eq!(answer.json(), json!([newest, other]));
    for query in ["%2B8613800000001", "+8613800000001", "8613800000001"] {
        let answer = get(server.port(), &format!("GET /_local/sms?phone={query}")).await;
        assert_eq!(answer.json(), json!([newest]), "{query}");
    }
    assert_eq!(get(server.port(), "GET /_local/sms?phone=1").await.json(), json!([]));
}

#[tokio::test]
async fn the_notifications_are_shown_as_many_as_are_asked_for() {
    let server = setup().start(echo);
    let answer = get(server.port(), "GET /_local/notifications").await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.json(), json!([{"kind": "push", "sent_at": 2}, {"kind": "topic", "sent_at": 1}]));
    let newest = get(server.port(), "GET /_local/notifications?limit=1").await;
    assert_eq!(newest.json(), json!([{"kind": "push", "sent_at": 2}]));
}

#[tokio::test]
async fn the_page_needs_nothing_from_elsewhere() {
    let server = setup().start(echo);
    let answer = get(server.port(), "GET /").await;
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    let page = answer.text();
    for own in ["/_local/sms", "/_local/notifications", "/_local/openapi.json"] {
        assert!(page.contains(own), "{own}");
    }
    for foreign in ["src=\"http", "href=\"http", "@import", "url(http", "//cdn"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert_eq!(get(server.port(), "HEAD /").await.body.len(), 0);
    assert_eq!(get(server.port(), "GET /_local/openapi.json").await.json()["openapi"], "3.1.0");
}

#[tokio::test]
async fn the_first_session_has_the_address_that_it_was_asked_at() {
    let server = setup().start(echo);
    let asked_at = async |host: &str| {
        let head = format!("GET /_local/first-session.sh HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        raw(server.port(), head.as_bytes()).await.text()
    };
    for host in ["localhost:3001", "192.168.1.5:3000", "[fd00::1]:3000", "my-laptop.local:3000"] {
        let script = asked_at(host).await;
        assert!(script.starts_with("# A first session"), "{script}");
        assert!(script.contains(&format!("API=${{API:-http://{host}}}")), "{host}");
    }
    // The script is there to be run, so what a shell would take for more than a name is left out.
    for hostile in ["a;id", "$(id)", "a`id`", "a'b", "a}b"] {
        let script = asked_at(hostile).await;
        assert!(!script.contains(hostile) && script.contains("API=${API:-http://localhost:3000}"), "{hostile}");
    }
}

#[tokio::test]
async fn only_the_local_pages_stand_before_the_routes() {
    let server = setup().start(echo);
    assert_eq!(get(server.port(), "POST /").await.json()["rawPath"], "/");
    assert_eq!(get(server.port(), "GET /_locals").await.json()["rawPath"], "/_locals");
    assert_eq!(get(server.port(), "GET /_local/other").await.status, 404);
    assert_eq!(get(server.port(), "DELETE /_local/sms").await.status, 405);
}
