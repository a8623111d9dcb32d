//! The five published APIs and the common one: how each writes successes and errors.
//!
//! Every API has one exhaustive table from the domain's [`Error`] to its own status and message. A new variant of the
//! error does not compile until each table has an entry for it.

pub mod device;
pub mod messenger;
pub mod rooms;
pub mod sealtalk;
pub mod v1;
pub mod web;

use std::marker::PhantomData;

use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT_ENCODING, ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use serde_json::Value;

pub use self::device::Device;
pub use self::messenger::Messenger;
pub use self::rooms::Rooms;
pub use self::sealtalk::SealTalk;
pub use self::v1::V1;
pub use self::web::Web;
use super::caller::TokenVerifier;
use domain::account::Caller;
use domain::{Error, NotSignedIn, Result};
use telemetry::metrics::{self, Metric};

/// An API.
pub trait Api: Send + Sync + 'static {
    /// The API's name in the code, in logs and in sessions.
    const NAME: &'static str;
    /// The content type of its errors.
    const REFUSAL_TYPE: &'static str = "application/json";

    /// The response for an error.
    fn refuse(error: &Error) -> Reply;

    /// Adds this API's headers to a response, except the content type.
    fn dress(response: &mut Response) {
        let _ = response;
    }

    /// The seconds in the `Retry-After` header of an error.
    #[must_use]
    fn retry_after(error: &Error) -> Option<u64> {
        error.retry_after()
    }

    /// Whether its credential is a bearer token. If so, an error about the token has a challenge (RFC 6750 § 3).
    const BEARER: bool = false;

    /// The caller of a request, from the credential in this API's place.
    fn caller(parts: &Parts, verifier: &TokenVerifier) -> Result<Caller>;

    /// The message for a request that is not signed in, with this API's name for the credential.
    fn not_signed_in(reason: NotSignedIn) -> &'static str;
}

/// The message of an error, for developers.
fn words<A: Api>(error: &Error) -> String {
    match error {
        Error::Unauthenticated(reason) => A::not_signed_in(*reason).to_owned(),
        error => error.to_string(),
    }
}

/// A status and a JSON body.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The HTTP status.
    pub status: StatusCode,
    /// The body.
    pub body: Value,
}

impl Reply {
    /// Creates a reply from a status and a body.
    #[must_use]
    pub const fn new(status: StatusCode, body: Value) -> Self {
        Self { status, body }
    }
}

/// An error that a handler returns to the caller of an API. Handlers return [`ApiResult`], so they only need `?`.
#[derive(Debug)]
pub struct Refusal<A>(pub Error, PhantomData<A>);

/// The result type of an API's handlers.
pub type ApiResult<A> = std::result::Result<Response, Refusal<A>>;

impl<A, E: Into<Error>> From<E> for Refusal<A> {
    fn from(error: E) -> Self {
        Self(error.into(), PhantomData)
    }
}

impl<A: Api> IntoResponse for Refusal<A> {
    fn into_response(self) -> Response {
        refuse::<A>(&self.0)
    }
}

/// The kind of error in a response, for the request's log line. It is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome(pub &'static str);

/// The response of an API for an error. A fault is logged and counted here, once.
#[must_use]
pub fn refuse<A: Api>(error: &Error) -> Response {
    if let Error::Fault(fault) = error {
        tracing::error!(event = "fault", api = A::NAME, chain = fault.chain(), "a request failed");
        metrics::count(Metric::Faults);
    }
    let reply = A::refuse(error);
    let mut response = (reply.status, axum::Json(reply.body)).into_response();
    response.extensions_mut().insert(Outcome(error.kind()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(A::REFUSAL_TYPE));
    A::dress(&mut response);
    let headers = response.headers_mut();
    if let Some(retry_after) = A::retry_after(error) {
        headers.insert(RETRY_AFTER, HeaderValue::from(retry_after));
    }
    if let Error::WrongMethod { allowed, .. } = error {
        headers.insert(ALLOW, HeaderValue::from_static(allowed));
    }
    if let Error::EncodedBody = error {
        // The accepted encoding (RFC 9110 § 12.5.3).
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    if let (Error::Unauthenticated(reason), true) = (error, A::BEARER) {
        headers.extend(challenge::<A>(*reason).map(|challenge| (WWW_AUTHENTICATE, challenge)));
    }
    response
}

/// The challenge that asks for a bearer token. For a request without a token it contains nothing else (RFC 6750 § 3.1).
fn challenge<A: Api>(reason: NotSignedIn) -> Option<HeaderValue> {
    match reason {
        NotSignedIn::Missing => Some(HeaderValue::from_static("Bearer")),
        NotSignedIn::Malformed | NotSignedIn::Expired | NotSignedIn::Ended => {
            let words = A::not_signed_in(reason);
            let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{words}\"");
            HeaderValue::from_str(&challenge).ok()
        }
    }
}

/// The error in the format of the API whose paths start like this one, for requests without a route.
#[must_use]
pub fn refuse_by_path(path: &str, error: &Error) -> Response {
    match name_by_path(path) {
        Web::NAME => refuse::<Web>(error),
        SealTalk::NAME => refuse::<SealTalk>(error),
        V1::NAME => refuse::<V1>(error),
        Device::NAME => refuse::<Device>(error),
        Rooms::NAME => refuse::<Rooms>(error),
        _ => refuse::<Messenger>(error),
    }
}

/// The name of the API whose paths start like this one.
#[must_use]
pub fn name_by_path(path: &str) -> &'static str {
    let first = path.split('/').nth(1).unwrap_or_default();
    match first {
        "api" => Web::NAME,
        "user" | "friendship" | "group" | "misc" => SealTalk::NAME,
        "v1" => V1::NAME,
        "verification_codes" => Device::NAME,
        "rooms" | "snslogin" | "login" | "logout" | "password" | "phonelogin" => Rooms::NAME,
        "users" => name_by_users_path(path),
        _ => Messenger::NAME,
    }
}

/// Three APIs share `/users`: the messenger has `/users` and `/users/me…`, device a few words, and rooms the rest.
fn name_by_users_path(path: &str) -> &'static str {
    let rest = path.trim_start_matches("/users");
    let word = rest.split('/').nth(1).unwrap_or_default();
    match word {
        "register" | "login" | "logout" | "update-password" => Device::NAME,
        _ if rest.trim_end_matches('/').ends_with("/update-device-token") => Device::NAME,
        _ if rest.is_empty() || word == "me" => Messenger::NAME,
        _ => Rooms::NAME,
    }
}

#[cfg(test)]
mod tests;
