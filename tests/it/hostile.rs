//! Bad input to uploads and downloads: each gets a clear error, stores nothing, and never causes a fault.

mod encodings;
mod forms;
mod pictures;
mod requests;

use reqwest::RequestBuilder;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

use crate::support::pictures::{chunk, png};
use crate::support::{Backend, Person};

/// The content of the whole backend: the number of items, and the keys of objects.
type Holdings = (i32, Vec<String>);

async fn holdings(backend: &Backend) -> Holdings {
    backend.settled().await;
    (backend.count_items().await, backend.objects().await)
}

/// A backend with one user and nothing else.
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

/// A PNG whose header states this size, with a correct checksum.
fn png_claiming(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = png(8, 8);
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &bytes[24..29]].concat();
    bytes.splice(8..33, chunk(*b"IHDR", &header));
    bytes
}

fn multipart(backend: &Backend, person: &Person, kind: &str, body: Vec<u8>) -> RequestBuilder {
    backend.post("/images").bearer_auth(&person.access_token).header(CONTENT_TYPE, kind).body(body)
}
