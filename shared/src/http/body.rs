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
use crate::domain::{Error, Fault, Result};

/// Maximum size in bytes of a request's fields, as JSON or a form, for all endpoints.
const TEXT_LIMIT: usize = 256 * 1024;
/// Maximum size in bytes of a JSON list. An address book of 5,000 numbers with 100 bytes each fits.
const LIST_LIMIT: usize = 512 * 1024;
/// Maximum number of characters in the description of a malformed body.
const DETAIL: usize = 200;

/// The fields of a request, from its query string and from its body, which is a form or a JSON object. Fields in the
/// body take precedence. The existing clients of the older APIs mix all three.
#[derive(Debug)]
pub struct Params<A, T>(pub T, pub PhantomData<A>);

/// A JSON body that may be a long list. The content type is ignored.
#[derive(Debug)]
pub struct JsonBody<A, T>(pub T, pub PhantomData<A>);

impl<A: Api, T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Params<A, T> {
    type Rejection = Refusal<A>;

    async fn from_request(request: Request, _: &S) -> std::result::Result<Self, Refusal<A>> {
        let mut fields = request.uri().query().map(form).unwrap_or_default();
        let is_form = is_form(request.headers());
        let body = read(request.into_body(), TEXT_LIMIT).await?;
        let body = without_mark(&body);
        match body.trim_ascii_start() {
            [] => {}
            [b'{', ..] => fields.extend(json::<Map<String, Value>>(body)?),
            text if is_form => fields.extend(form(std::str::from_utf8(text).map_err(|_| not_text())?)),
            _ => return Err(Error::Malformed("the body is neither a JSON object nor a form".into()).into()),
        }
        let value = serde_json::from_value(Value::Object(fields)).map_err(|error| malformed(&error))?;
        Ok(Self(value, PhantomData))
    }
}

impl<A: Api, T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<A, T> {
    type Rejection = Refusal<A>;

    async fn from_request(request: Request, _: &S) -> std::result::Result<Self, Refusal<A>> {
        let body = read(request.into_body(), LIST_LIMIT).await?;
        Ok(Self(json(without_mark(&body))?, PhantomData))
    }
}

/// Whether a body is a form. The parameters of its media type are ignored, and media types are not case-sensitive (RFC
/// 9110 § 8.3.1).
#[must_use]
pub fn is_form(headers: &HeaderMap) -> bool {
    const FORM: &str = "application/x-www-form-urlencoded";
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(FORM))
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

/// A JSON response for success, with status 200.
pub fn ok(body: impl Serialize) -> Response {
    axum::Json(body).into_response()
}

fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| malformed(&error))
}

fn form(text: &str) -> Map<String, Value> {
    form_urlencoded::parse(text.as_bytes())
        .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
        .collect()
}

fn malformed(error: &serde_json::Error) -> Error {
    Error::Malformed(error.to_string().chars().take(DETAIL).collect())
}

fn not_text() -> Error {
    Error::Malformed("the body is not UTF-8".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::api::Messenger;

    #[derive(Debug, serde::Deserialize)]
    struct Fields {
        #[serde(deserialize_with = "crate::http::lenient::text")]
        zone: String,
        #[serde(default, deserialize_with = "crate::http::lenient::optional_text")]
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
