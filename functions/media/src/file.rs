//! Reads the file of an upload: the whole body, or a part of a form. Only this choice depends on the header; the type
//! of the file comes from its bytes.

use axum::body::Bytes;
use axum::extract::multipart::Field;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use domain::{Error, Result};
use handset_http::body;

const MULTIPART: &str = "multipart/form-data";
/// The most bytes for the header of a form and its other parts, in addition to the file.
const AROUND_THE_FILE: usize = 64 * 1024;
/// The first part of a form starts within this many bytes. Further on, a bare file might contain anything by chance.
const PREAMBLE: usize = 1024;

/// Reads the file of an upload of at most `limit` bytes; in a form it is the part named `file`.
pub(super) async fn read(request: Request, limit: u64) -> Result<Bytes> {
    read_part(request, "file", limit).await
}

/// Reads the file of an upload of at most `limit` bytes; in a form it is the part with this name.
pub(super) async fn read_part(request: Request, name: &str, limit: u64) -> Result<Bytes> {
    let most = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(AROUND_THE_FILE);
    let (mut parts, body) = request.into_parts();
    let bytes = body::read(body, most).await.map_err(|error| match error {
        Error::TooLarge { .. } => Error::TooLarge { limit },
        other => other,
    })?;
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !is_form(kind, &bytes) {
        return Ok(bytes);
    }
    // Written as the form parser reads it: without a space after the type.
    if let Some(kind) = boundary(kind).and_then(|boundary| format!("{MULTIPART}; boundary=\"{boundary}\"").parse().ok())
    {
        parts.headers.insert(CONTENT_TYPE, kind);
    }
    let mut request = Request::from_parts(parts, bytes.into());
    DefaultBodyLimit::disable().apply(&mut request);
    let form = Multipart::from_request(request, &()).await;
    file_of(form.map_err(|_| unreadable())?, name).await
}

/// Whether a body of this type is a form. Some clients announce a form and send the bare file.
fn is_form(kind: &str, body: &[u8]) -> bool {
    if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(MULTIPART)) {
        return false;
    }
    let empty_lines = body.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    body[empty_lines..].starts_with(b"--") || boundary(kind).is_some_and(|boundary| has_preamble(body, boundary))
}

/// Whether there is a preamble, text to be ignored, before the first part (RFC 2046 §5.1.1).
fn has_preamble(body: &[u8], boundary: &str) -> bool {
    let line = format!("\n--{boundary}");
    body[..body.len().min(PREAMBLE)].windows(line.len()).any(|window| window == line.as_bytes())
}

/// The boundary between the parts of a form. It contains no semicolon, quoted or not (RFC 2046 §5.1.1).
fn boundary(kind: &str) -> Option<&str> {
    let mut parameters = kind.split(';').filter_map(|parameter| parameter.split_once('='));
    let (_, value) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))?;
    Some(value.trim().trim_matches('"')).filter(|boundary| !boundary.is_empty())
}

fn unreadable() -> Error {
    Error::Malformed("the multipart form cannot be read; check that it is whole and that its boundary is right".into())
}

/// The part with this name, or else the first part with a file name.
async fn file_of(mut form: Multipart, name: &str) -> Result<Bytes> {
    let malformed = |_| unreadable();
    let mut other = None;
    while let Some(part) = form.next_field().await.map_err(malformed)? {
        let (called, file_name) = dispositions(&part);
        let (named, has_file_name) = (called.as_deref() == Some(name), file_name.is_some());
        let is_encoded = body::is_encoded(part.headers());
        let bytes = part.bytes().await.map_err(malformed)?;
        let file = if is_encoded { Err(Error::EncodedBody) } else { Ok(bytes) };
        if named {
            return file;
        }
        if has_file_name && other.is_none() {
            other = Some(file);
        }
    }
    other.unwrap_or_else(|| Err(Error::Malformed(format!("the form must have a part named {name}"))))
}

/// The name of a part and of its file. Parameter names are compared case-insensitively (RFC 2183 § 2), unlike in the
/// form parser.
fn dispositions(part: &Field<'_>) -> (Option<String>, Option<String>) {
    let header = part.headers().get(CONTENT_DISPOSITION).map(|header| String::from_utf8_lossy(header.as_bytes()));
    let found =
        |name: &str, plain: Option<&str>| plain.map(str::to_owned).or_else(|| parameter(header.as_deref()?, name));
    (found("name", part.name()), found("filename", part.file_name()))
}

/// A parameter of a header, with or without quotes.
fn parameter(header: &str, wanted: &str) -> Option<String> {
    let mut quoted = false;
    let mut parameters = header.split(|c| {
        quoted ^= c == '"';
        c == ';' && !quoted
    });
    let pairs = parameters.by_ref().filter_map(|parameter| parameter.split_once('='));
    let mut values = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case(wanted));
    values.next().map(|(_, value)| value.trim().trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    async fn file(kind: &str, body: &[u8]) -> Result<Bytes> {
        let request = Request::post("/images").header(CONTENT_TYPE, kind).body(Body::from(body.to_vec())).unwrap();
        read(request, 1000).await
    }

    const FORM: &str = "multipart/form-data; boundary=x";

    #[tokio::test]
    async fn a_body_is_the_file_whatever_its_type_says() {
        for kind in ["application/plain", "image/png", "application/x-www-form-urlencoded", "multipart/mixed", FORM] {
            assert_eq!(file(kind, b"\x89PNG").await.unwrap(), &b"\x89PNG"[..], "{kind}");
        }
        assert_eq!(file("", b"").await.unwrap(), &b""[..]);
    }

    #[tokio::test]
    async fn a_form_has_a_part_named_file_or_one_with_a_file_name() {
        let named = b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nno\r\n--x\r\n\
            Content-Disposition: form-data; name=\"file\"\r\n\r\n\x00\x01\r\n--x--\r\n";
        assert_eq!(file(FORM, named).await.unwrap(), &b"\x00\x01"[..]);
        let other = b"--x\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a.png\"\r\n\r\nyes\r\n--x--\r\n";
        assert_eq!(file("Multipart/Form-Data; boundary=\"x\"", other).await.unwrap(), &b"yes"[..]);
    }

    #[tokio::test]
    async fn types_and_the_names_of_parameters_are_compared_without_case() {
        for disposition in
            ["FORM-DATA; NAME=\"file\"", "Form-Data; filename=x; Name=file", "form-data; NAME=\"a\"; FileName=\"b;c\""]
        {
            let body = format!("--x\r\nCONTENT-DISPOSITION: {disposition}\r\n\r\nyes\r\n--x--\r\n");
            for kind in [
                "MULTIPART/FORM-DATA; BOUNDARY=x",
                "multipart/form-data ; boundary=x",
                "Multipart/Form-Data;boundary=\"x\"",
            ] {
                assert_eq!(file(kind, body.as_bytes()).await.unwrap(), &b"yes"[..], "{kind} {disposition}");
            }
        }
    }

    #[tokio::test]
    async fn a_file_that_is_compressed_in_its_part_is_refused() {
        let form = |coding: &str, name: &str| {
            format!(
                "--x\r\nContent-Disposition: form-data; {name}\r\nContent-Encoding: {coding}\r\n\r\nyes\r\n--x--\r\n"
            )
        };
        for name in ["name=\"file\"", "name=\"a\"; filename=\"b\""] {
            let refused = file(FORM, form("gzip", name).as_bytes()).await;
            assert!(matches!(refused, Err(Error::EncodedBody)), "{name}");
            assert_eq!(file(FORM, form("identity", name).as_bytes()).await.unwrap(), &b"yes"[..], "{name}");
        }
    }

    #[tokio::test]
    async fn a_form_may_begin_with_empty_lines_or_words_for_nobody() {
        let parts = &b"--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n\x00\x01\r\n--x--\r\n"[..];
        for preamble in [&b""[..], b"\r\n", b"\n", b"\r\n\r\n", b"This is a form.\r\n", b"\r\nTwo\r\nlines.\r\n"] {
            for kind in [FORM, "multipart/form-data; charset=utf-8; Boundary=\"x\""] {
                let body = [preamble, parts].concat();
                assert_eq!(file(kind, &body).await.unwrap(), &b"\x00\x01"[..], "{kind} {preamble:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_bare_file_is_no_form_whatever_it_holds() {
        let far = [&[b'a'; PREAMBLE][..], b"\r\n--x\r\n"].concat();
        for body in [&b"\r\n\x89PNG"[..], b"\x89PNG --x\r\n", b"\x89PNG\r\n--y\r\n", b"\r\n", &far] {
            assert_eq!(file(FORM, body).await.unwrap(), body, "{body:?}");
        }
        let bare = &b"\x89PNG\r\n--\r\n"[..];
        assert_eq!(file("multipart/form-data; boundary=", bare).await.unwrap(), bare);
    }

    #[tokio::test]
    async fn a_form_that_makes_no_sense_is_malformed() {
        let without = &b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nno\r\n--x--\r\n"[..];
        let cut = &b"--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nhalf"[..];
        for (kind, body) in [(FORM, without), (FORM, cut), ("multipart/form-data; charset=utf-8", without)] {
            assert!(matches!(file(kind, body).await, Err(Error::Malformed(_))), "{kind}");
        }
    }

    #[tokio::test]
    async fn a_file_that_is_too_large_is_told_the_limit() {
        assert!(matches!(file("", &vec![0; 1001 + AROUND_THE_FILE]).await, Err(Error::TooLarge { limit: 1000 })));
    }
}
