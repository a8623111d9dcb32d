//! The published APIs and the common one: how each writes successes and errors.
//!
//! [`usual_status`] gives every [`Error`] of the domain an HTTP status. A new variant of the error does not compile until
//! it has one. Each API then says what it answers instead, in its own words; `api/errors.txt` has every answer to the
//! byte.

pub mod device;
pub mod messenger;
pub mod rooms;
pub mod sealtalk;
pub mod supabase;
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
pub use self::supabase::Supabase;
pub use self::v1::V1;
pub use self::web::Web;
use super::verifier::TokenVerifier;
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
    /// The parts of an error whose form depends on a header of the request.
    pub coded: Option<Box<supabase::Coded>>,
}

impl Reply {
    /// Creates a reply from a status and a body.
    #[must_use]
    pub const fn new(status: StatusCode, body: Value) -> Self {
        Self { status, body, coded: None }
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
pub struct RefusalKind(pub &'static str);

/// The response of an API for an error. A fault is logged and counted here, once.
#[must_use]
pub fn refuse<A: Api>(error: &Error) -> Response {
    if let Error::Fault(fault) = error {
        tracing::error!(event = "fault", api = A::NAME, chain = fault.chain(), "a request failed");
        metrics::count(Metric::Faults);
    }
    let reply = A::refuse(error);
    let mut response = (reply.status, axum::Json(reply.body)).into_response();
    response.extensions_mut().insert(RefusalKind(error.kind()));
    if let Some(coded) = reply.coded {
        response.extensions_mut().insert(*coded);
    }
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
        NotSignedIn::Invalid | NotSignedIn::Expired | NotSignedIn::Ended => {
            let words = A::not_signed_in(reason);
            let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{words}\"");
            HeaderValue::from_str(&challenge).ok()
        }
    }
}

/// The HTTP status of an error in an API that has no rule of its own for it.
#[must_use]
pub const fn usual_status(error: &Error) -> StatusCode {
    match error {
        Error::Malformed(_)
        | Error::Invalid { .. }
        | Error::NotMobile
        | Error::TooLarge { .. }
        | Error::TooMany { .. }
        | Error::UnsupportedMedia(_)
        | Error::CodeNotAsked
        | Error::CodeExpired
        | Error::CodeWrong
        | Error::CodeGuessesSpent
        | Error::CodeTooSoon { .. }
        | Error::Limited { .. }
        | Error::Full(_)
        | Error::CountryNotServed
        | Error::TextNotSent
        | Error::Taken(_)
        | Error::PasswordWrong
        | Error::Locked { .. }
        | Error::CaptchaWrong
        | Error::CaptchaExpired
        | Error::CaptchaNeeded
        | Error::VerificationUnknown
        | Error::AlreadyWritten
        | Error::AlreadyFriends
        | Error::SamePassword
        | Error::ReauthenticationNeeded
        | Error::LastIdentity
        | Error::IdempotencyKeyReused
        | Error::ProviderRefused
        | Error::ProviderUnreachable => StatusCode::BAD_REQUEST,
        Error::Unauthenticated(_) | Error::RefreshInvalid | Error::RefreshReused => StatusCode::UNAUTHORIZED,
        Error::CrossSite
        | Error::NotYours
        | Error::NotFriends
        | Error::SignUpsClosed
        | Error::NotForAnonymous
        | Error::Group(_) => StatusCode::FORBIDDEN,
        Error::NoRoute | Error::NotFound(_) => StatusCode::NOT_FOUND,
        Error::WrongMethod { .. } => StatusCode::METHOD_NOT_ALLOWED,
        Error::EncodedBody => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Error::ConditionFailed => StatusCode::PRECONDITION_FAILED,
        Error::Fault(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The name of an API, and how it refuses.
type ByPath = (&'static str, fn(&Error) -> Response);

/// The name and the refusals of an API.
const fn dialect<A: Api>() -> ByPath {
    (A::NAME, refuse::<A>)
}

/// The API that a path belongs to. This is the only place that decides it.
fn by_path(path: &str) -> ByPath {
    let first = path.split('/').nth(1).unwrap_or_default();
    match first {
        "auth" if is_of_supabase(path) => dialect::<Supabase>(),
        "api" => dialect::<Web>(),
        "user" | "friendship" | "group" | "misc" => dialect::<SealTalk>(),
        "v1" | "account" | "healthz" | "openapi.json" | "docs" => dialect::<V1>(),
        "verification_codes" => dialect::<Device>(),
        "rooms" | "snslogin" | "login" | "logout" | "password" | "phonelogin" => dialect::<Rooms>(),
        "users" => by_users_path(path),
        _ => dialect::<Messenger>(),
    }
}

/// Whether a path is `/auth/v1` or below it. All others below `/auth` belong to the messenger API.
pub(crate) fn is_of_supabase(path: &str) -> bool {
    path.strip_prefix("/auth/v1").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Refuses in the envelope of the API that the path belongs to: for a request that no route answers.
#[must_use]
pub fn refuse_by_path(path: &str, error: &Error) -> Response {
    by_path(path).1(error)
}

/// The name of the API that the path belongs to.
#[must_use]
pub fn name_by_path(path: &str) -> &'static str {
    by_path(path).0
}

/// Three APIs share `/users`: the messenger has `/users` and `/users/me…`, device a few words, and rooms the rest.
fn by_users_path(path: &str) -> ByPath {
    let rest = path.trim_start_matches("/users");
    let word = rest.split('/').nth(1).unwrap_or_default();
    match word {
        "register" | "login" | "logout" | "update-password" => dialect::<Device>(),
        _ if rest.trim_end_matches('/').ends_with("/update-device-token") => dialect::<Device>(),
        _ if rest.is_empty() || word == "me" => dialect::<Messenger>(),
        _ => dialect::<Rooms>(),
    }
}

#[cfg(test)]
mod tests;
