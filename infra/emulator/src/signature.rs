//! Checks Signature Version 4 for the services that are called by `POST /`.
//!
//! S3 checks its own signatures, which have many more forms. From the IAM user guide, "Create a signed AWS API
//! request".

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use http::request::Parts;
use sha2::{Digest as _, Sha256};

use crate::hex::hex;

/// Whether the `Authorization` header was made with this secret for this request.
pub fn is_right(head: &Parts, body: &Bytes, secret: &str) -> bool {
    expected(head, body, secret).is_some_and(|(expected, given)| {
        let mut mac = keyed(b"");
        mac.update(expected.as_bytes());
        let mut other = keyed(b"");
        other.update(given.as_bytes());
        // Comparing digests takes the same time wherever the texts differ.
        mac.verify(&other.finalize().into_bytes()).is_ok()
    })
}

/// The expected signature of the request, and the received one.
fn expected(head: &Parts, body: &Bytes, secret: &str) -> Option<(String, String)> {
    let header = head.headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
    let fields = header.strip_prefix("AWS4-HMAC-SHA256")?;
    let field = |name: &str| fields.split(',').find_map(|field| field.trim().strip_prefix(name));
    let (_, scope) = field("Credential=")?.split_once('/')?;
    let signed_headers = field("SignedHeaders=")?;
    let canonical_headers = canonical_headers(&head.headers, signed_headers)?;
    let canonical = format!(
        "{}\n{}\n{}\n{canonical_headers}\n{signed_headers}\n{}",
        head.method,
        head.uri.path(),
        head.uri.query().unwrap_or_default(),
        hex(&Sha256::digest(body)),
    );
    let time = head.headers.get("x-amz-date")?.to_str().ok()?;
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    // The scope is date/region/service/aws4_request: the chain of the key.
    let key = scope.split('/').fold(format!("AWS4{secret}").into_bytes(), |key, part| code(&key, part));
    Some((hex(&code(&key, &to_sign)), field("Signature=")?.to_owned()))
}

fn canonical_headers(headers: &HeaderMap, signed: &str) -> Option<String> {
    let lines = signed.split(';').map(|name| {
        let values = headers.get_all(name).iter().map(|value| value.to_str().map(one_spaced));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        Ok(format!("{name}:{}\n", values.join(",")))
    });
    lines.collect::<Result<_, http::header::ToStrError>>().ok()
}

/// Trims a header value and collapses its runs of spaces, as signers do.
fn one_spaced(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn code(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = keyed(key);
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}
