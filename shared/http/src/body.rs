//! Extractors for the data in a request. Each returns errors in the format of the API in which it is used.

use std::marker::PhantomData;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::api::{Api, Refusal};
use super::decode;
use domain::{Error, Fault, Result};

/// Maximum size in bytes of a request's fields, as JSON or a form, for all endpoints.
const TEXT_LIMIT: usize = 256 * 1024;
/// Maximum size in bytes of a JSON list. An address book of 5,000 numbers with 100 bytes each fits.
const LIST_LIMIT: usize = 512 * 1024;

/// The media type of forms.
const FORM: &str = "application/x-www-form-urlencoded";

/// The fields of a request, from its query string and from its body, which is a form or a JSON object. Fields in the
/// body take precedence. The existing clients of the older APIs mix all three.
#[derive(Debug)]
pub struct Params<A, T>(pub T, pub PhantomData<A>);

/// A JSON body that may be a long list. The content type is ignored.
#[derive(Debug)]
pub struct JsonBody<A, T>(pub T, pub PhantomData<A>);

/// The fields of a change in which all are optional, read as [`Params`] are.
#[derive(Debug)]
pub struct Changes<A, T> {
    /// The fields.
    pub given: T,
    known: bool,
    empty: bool,
    api: PhantomData<A>,
}

/// A wire type in which every field is optional.
pub trait Partial {
    /// The names of the fields that change something.
    const FIELDS: &'static [&'static str];
}

impl<A, T: Partial> Changes<A, T> {
    /// Refuses a request that names no field of the wire type: a misspelled name must not look like a success.
    pub fn demand(&self) -> Result<()> {
        if self.known {
            return Ok(());
        }
        Err(Error::Malformed(format!("nothing to change: send {}", decode::listed(T::FIELDS, "or"))))
    }

    /// The same, where a request without any field but the credential is no mistake.
    pub fn demand_unless_empty(&self) -> Result<()> {
        if self.empty { Ok(()) } else { self.demand() }
    }
}

impl<A: Api, T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Params<A, T> {
    type Rejection = Refusal<A>;

    async fn from_request(request: Request, _: &S) -> std::result::Result<Self, Refusal<A>> {
        let fields = Value::Object(fields(request).await?);
        Ok(Self(decode::read(&fields)?, PhantomData))
    }
}

impl<A: Api, T: DeserializeOwned + Partial, S: Send + Sync> FromRequest<S> for Changes<A, T> {
    type Rejection = Refusal<A>;

    async fn from_request(request: Request, _: &S) -> std::result::Result<Self, Refusal<A>> {
        let fields = fields(request).await?;
        let known = T::FIELDS.iter().any(|name| fields.contains_key(*name));
        // The rooms API puts its credential among the fields.
        let empty = fields.keys().all(|name| name == "token");
        Ok(Self { given: decode::read(&Value::Object(fields))?, known, empty, api: PhantomData })
    }
}

impl<A: Api, T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<A, T> {
    type Rejection = Refusal<A>;

    async fn from_request(request: Request, _: &S) -> std::result::Result<Self, Refusal<A>> {
        let body = read(request.into_body(), LIST_LIMIT).await?;
        let body = without_mark(&body);
        let value = if body.trim_ascii().is_empty() { Value::Null } else { decode::json(body)? };
        Ok(Self(decode::read(&value)?, PhantomData))
    }
}

/// The fields of a request's query string and body.
async fn fields(request: Request) -> Result<Map<String, Value>> {
    let mut fields = request.uri().query().map(form).unwrap_or_default();
    let kind = media_type(request.headers());
    let body = read(request.into_body(), TEXT_LIMIT).await?;
    let body = without_mark(&body);
    let wrong = |words: &str| Err(Error::Malformed(words.into()));
    match (body.trim_ascii_start(), kind.as_str()) {
        ([], _) => {}
        ([b'{', ..], _) => match decode::json(body)? {
            Value::Object(object) => fields.extend(object),
            _ => return wrong("the body must be a JSON object"),
        },
        (text, FORM) => match std::str::from_utf8(text) {
            Ok(text) => fields.extend(form(text)),
            Err(_) => return wrong("the form must be UTF-8"),
        },
        (_, "multipart/form-data") => {
            return wrong("send JSON or application/x-www-form-urlencoded; multipart/form-data is for uploads only");
        }
        ([b'[' | b'"', ..], _) | (_, "application/json") => return wrong("the body must be a JSON object"),
        _ => return wrong("send a JSON object, or a form with Content-Type: application/x-www-form-urlencoded"),
    }
    Ok(fields)
}

/// Whether a body is a form. The parameters of its media type are ignored, and media types are not case-sensitive (RFC
/// 9110 § 8.3.1).
#[must_use]
pub fn is_form(headers: &HeaderMap) -> bool {
    media_type(headers) == FORM
}

/// Refuses a body that is compressed or otherwise encoded (RFC 9110 § 8.4). No function decodes such a body, so none is
/// read or stored.
pub fn check_encoding(headers: &HeaderMap, body: &Body) -> Result<()> {
    if is_encoded(headers) && !body.is_end_stream() { Err(Error::EncodedBody) } else { Ok(()) }
}

/// Whether the headers of a body, or of a part of a form, name a coding other than `identity`.
#[must_use]
pub fn is_encoded(headers: &HeaderMap) -> bool {
    let values = headers.get_all(CONTENT_ENCODING).iter();
    let mut codings = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    codings.any(|coding| {
        let coding = coding.trim_ascii();
        !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity")
    })
}

/// The text after a byte-order mark. Windows writes this mark before UTF-8, and RFC 8259 permits parsers to skip it.
#[must_use]
pub fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// The media type of a request's body in small letters, without parameters; empty where there is none. Types are
/// compared without case (RFC 9110 § 8.3.1).
fn media_type(headers: &HeaderMap) -> String {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A whole body of at most `limit` bytes.
pub async fn read(body: Body, limit: usize) -> Result<Bytes> {
    let collected = Limited::new(body, limit).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            Error::TooLarge { limit: limit as u64 }
        } else {
            Fault::new("reading a request's body", error).into()
        }
    });
    Ok(collected?.to_bytes())
}

/// The refusal of a request without a field that only its handler knows to be needed.
#[must_use]
pub fn missing(field: &str) -> Error {
    Error::Malformed(format!("{field} is missing"))
}

/// A JSON response for success, with status 200.
pub fn ok(body: impl Serialize) -> Response {
    axum::Json(body).into_response()
}

fn form(text: &str) -> Map<String, Value> {
    form_urlencoded::parse(text.as_bytes())
        .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Messenger;

    #[derive(Debug, serde::Deserialize)]
    struct Fields {
        #[serde(deserialize_with = "crate::lenient::text")]
        zone: String,
        #[serde(default, deserialize_with = "crate::lenient::optional_text")]
        number: Option<String>,
    }

    async fn extract(uri: &str, kind: &str, body: &str) -> std::result::Result<Fields, Error> {
        let request = Request::post(uri).header(CONTENT_TYPE, kind).body(Body::from(body.to_owned())).unwrap();
        let params = Params::<Messenger, Fields>::from_request(request, &()).await;
        params.map(|params| params.0).map_err(|refusal| refusal.0)
    }

    #[tokio::test]
    async fn fields_come_from_query_form_and_json_and_the_body_wins() {
        const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
        for (uri, kind, body) in [
            ("/?zone=86&number=%2B1", "", ""),
            ("/", FORM, "zone=86&number=%2B1"),
            ("/", "", r#" {"zone": 86, "number": "+1"}"#),
            ("/?zone=1", FORM, r#"{"zone": "86", "number": "+1"}"#),
            ("/?zone=1&number=2", FORM, "zone=86&number=%2B1"),
            ("/", "", "\u{feff} {\"zone\": \"86\", \"number\": \"+1\"}"),
            ("/", FORM, "\u{feff}zone=86&number=%2B1"),
            ("/", "Application/X-WWW-Form-URLEncoded ; Charset=UTF-8", "zone=86&number=%2B1"),
        ] {
            let fields = extract(uri, kind, body).await.unwrap();
            assert_eq!((fields.zone.as_str(), fields.number.as_deref()), ("86", Some("+1")), "{uri} {body}");
        }
    }

    #[test]
    fn a_body_with_a_coding_is_refused_and_one_without_passes() {
        let check = |values: &[&'static str], body: &'static str| {
            let headers = values.iter().map(|value| (CONTENT_ENCODING, http::HeaderValue::from_static(value)));
            check_encoding(&headers.collect(), &Body::from(body)).is_ok()
        };
        let plain: [&[&str]; 5] = [&[], &[""], &["identity"], &["Identity, identity"], &["identity", ""]];
        let coded: [&[&str]; 5] = [&["gzip"], &["GZIP"], &["identity, br"], &["identity", "deflate"], &["x"]];
        for values in plain {
            assert!(check(values, "body"), "{values:?}");
        }
        for values in coded {
            assert!(!check(values, "body") && check(values, ""), "{values:?}");
        }
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_malformed() {
        for body in [
            "",
            "{",
            "[]",
            "zone=86",
            r#"{"zone": {}}"#,
            r#"{"zone": 1.5}"#,
            r#"{"zone": null}"#,
            "\u{feff}{}",
            "\u{feff}\u{feff}{\"zone\": \"86\"}",
        ] {
            assert!(matches!(extract("/", "", body).await, Err(Error::Malformed(_))), "{body}");
        }
        let long = format!(r#"{{"zone": "{}"}}"#, "a".repeat(TEXT_LIMIT));
        assert!(matches!(extract("/", "", &long).await, Err(Error::TooLarge { .. })));
    }
}
