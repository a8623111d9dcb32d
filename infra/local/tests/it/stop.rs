//! Starting to listen, and stopping.

use std::time::Duration;

use serde_json::json;
use tokio::net::TcpStream;

use crate::client::get;
use crate::fixture::{Setup, respond};

#[tokio::test]
async fn requests_under_way_finish_and_no_new_ones_are_taken() {
    let server = Setup::default().start(async |_| {
        tokio::time::sleep(Duration::from_millis(400)).await;
        respond(json!({"statusCode": 200, "body": "done"}))
    });
    let port = server.port();
    let idle = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let under_way = tokio::spawn(async move { get(port, "GET /").await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let begun = std::time::Instant::now();
    server.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(4), "an idle connection held it up");
    assert_eq!(under_way.await.unwrap().text(), "done");
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
    drop(idle);
}
