//! Bad input to uploads and downloads: each is a clear refusal, stores nothing, and is never a fault.

mod forms;
mod pictures;
mod requests;

use reqwest::RequestBuilder;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

use crate::support::pictures::{chunk, png};
use crate::support::{Backend, Person};

/// What the whole backend holds: items, and the keys of objects.
type Holdings = (i32, Vec<String>);

async fn holdings(backend: &Backend) -> Holdings {
    backend.settled().await;
    (backend.count_items().await, backend.objects().await)
}

/// A backend with one person and nothing else.
async fn own() -> (Backend, Person, Holdings) {
    let backend = Backend::start(&[]).await;
    let person = backend.person().await;
    let before = holdings(&backend).await;
    (backend, person, before)
}

fn assert_in_envelope(what: &str, status: u16, body: &Value) {
    let words = body.as_object().filter(|body| body.len() == 1).and_then(|body| body.get("error"));
    let words = words.and_then(Value::as_str).unwrap_or_else(|| panic!("{what}: {status} {body}"));
    assert!((1..300).contains(&words.len()) && !words.contains("panicked"), "{what}: {words}");
}

/// A PNG whose header claims this size, with a right checksum.
fn png_claiming(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = png(8, 8);
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &bytes[24..29]].concat();
    bytes.splice(8..33, chunk(*b"IHDR", &header));
    bytes
}

fn multipart(backend: &Backend, person: &Person, kind: &str, body: Vec<u8>) -> RequestBuilder {
    backend.post("/images").bearer_auth(&person.access_token).header(CONTENT_TYPE, kind).body(body)
}
