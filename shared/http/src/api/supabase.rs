//! The Supabase Auth API: plain JSON with the statuses and the error codes of Supabase's server, as far as its client
//! libraries depend on them.
//!
//! Error responses have two forms. Newer libraries send the date of the API that they know
//! (`X-Supabase-Api-Version`), and expect `code` to be a word. Older ones expect `code` to be the status and read
//! `error_code`. No single form satisfies all of them, so [`settle`] chooses after the request was handled.

pub mod codes;

use std::time::Duration;

use axum::extract::{FromRef, FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LENGTH, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{Api, Refusal, RefusalKind, Reply, refuse};
use crate::verifier::{TokenVerifier, bearer};
use crate::{body, decode};
use domain::account::Caller;
use domain::phone::Phone;
use domain::tokens::app::AppToken;
use domain::{Cap, Error, NotSignedIn, Result, app_data};

/// The Supabase Auth API.
#[derive(Clone, Copy, Debug)]
pub struct Supabase;

/// An access token is accepted for this long after it has expired, because some devices have a slow clock.
const LEEWAY: Duration = Duration::from_mins(5);
/// Signing out accepts older tokens, because some libraries sign out without refreshing first.
const SIGN_OUT_LEEWAY: Duration = Duration::from_hours(24 * 30);
/// Maximum size of a body in bytes.
const BODY_LIMIT: usize = 64 * 1024;

const VERSION: HeaderName = HeaderName::from_static("x-supabase-api-version");
const ERROR_CODE: HeaderName = HeaderName::from_static("x-sb-error-code");
/// The version from which `code` is a word. The form of the date makes dates sort like text.
const WORDS_SINCE: &str = "2024-01-01";

/// An error as the libraries see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coded {
    /// The HTTP status.
    pub status: StatusCode,
    /// The error code, a word of Supabase's list.
    pub code: &'static str,
    /// The message, for developers. Some libraries look for words in it.
    pub message: String,
    /// What a weak password lacks: `length` or `characters`.
    pub reasons: Option<&'static str>,
    /// Seconds until the request may succeed, if that is known.
    pub retry_after: Option<u64>,
}

impl Coded {
    /// An error with a code and a message.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), reasons: None, retry_after: None }
    }

    fn body(&self, words: bool) -> Value {
        let mut body = json!({ "error_code": self.code, "msg": self.message });
        if words {
            body["code"] = json!(self.code);
            body["message"] = json!(self.message);
        } else {
            body["code"] = json!(self.status.as_u16());
        }
        if let Some(reason) = self.reasons {
            body["weak_password"] = json!({ "reasons": [reason] });
        }
        body
    }
}

impl IntoResponse for Coded {
    fn into_response(self) -> Response {
        let mut response = (self.status, axum::Json(self.body(true))).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(RefusalKind(self.code));
        response.extensions_mut().insert(self);
        response
    }
}

/// An error of a handler: one of the domain's, or one with a code that only its handler knows.
#[derive(Debug)]
pub enum Failure {
    /// The domain's error.
    Known(Error),
    /// An error with its code.
    Coded(Box<Coded>),
}

/// The result type of this API's handlers.
pub type SupabaseResult = std::result::Result<Response, Failure>;

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Known(error.into())
    }
}

impl Failure {
    /// An error with a code and a message.
    #[must_use]
    pub fn coded(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self::Coded(Box::new(Coded::new(status, code, message)))
    }
}

impl From<Coded> for Failure {
    fn from(coded: Coded) -> Self {
        Self::Coded(Box::new(coded))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Known(error) => refuse::<Supabase>(&error),
            Self::Coded(coded) => coded.into_response(),
        }
    }
}

/// Whether a request asks for errors whose `code` is a word.
#[must_use]
pub fn asks_for_words(headers: &HeaderMap) -> bool {
    let version = headers.get(VERSION).and_then(|version| version.to_str().ok()).unwrap_or_default();
    let is_date = version.len() == WORDS_SINCE.len()
        && version.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    is_date && version >= WORDS_SINCE
}

/// Gives an error response of this API the form that the request asks for.
pub fn settle(words: bool, response: &mut Response) {
    let Some(coded) = response.extensions().get::<Coded>().cloned() else { return };
    let headers = response.headers_mut();
    headers.insert(ERROR_CODE, HeaderValue::from_static(coded.code));
    if words {
        headers.insert(VERSION, HeaderValue::from_static(WORDS_SINCE));
    } else {
        headers.remove(CONTENT_LENGTH);
        *response.body_mut() = axum::body::Body::from(coded.body(false).to_string());
    }
}

/// A success without a result.
#[derive(Serialize, ToSchema)]
#[schema(as = supabase::Done, example = json!({}))]
pub struct Done {}

/// Error response of newer libraries.
#[derive(ToSchema)]
#[schema(as = supabase::Refused, example = json!({
    "code": "otp_expired", "message": "Token has expired or is invalid", "error_code": "otp_expired",
    "msg": "Token has expired or is invalid",
}))]
pub struct Refused {
    /// The error code, a word. Without `X-Supabase-Api-Version: 2024-01-01`, it is the HTTP status as a number.
    pub code: Value,
    /// The message. Only with that header.
    pub message: Option<String>,
    /// The error code.
    pub error_code: String,
    /// The message.
    pub msg: String,
    /// What a new password lacks. Only with `weak_password`.
    pub weak_password: Option<WeakPassword>,
}

/// What a new password lacks.
#[derive(ToSchema)]
#[schema(as = supabase::WeakPassword)]
pub struct WeakPassword {
    /// `length` or `characters`.
    pub reasons: Vec<String>,
}

impl Api for Supabase {
    const NAME: &'static str = app_data::API;

    fn refuse(error: &Error) -> Reply {
        let coded = coded(error);
        Reply { status: coded.status, body: coded.body(true), coded: Some(Box::new(coded)) }
    }

    fn retry_after(error: &Error) -> Option<u64> {
        match error {
            Error::Locked { .. } => None,
            other => other.retry_after(),
        }
    }

    fn caller(parts: &Parts, verifier: &TokenVerifier) -> Result<Caller> {
        token(parts, verifier, LEEWAY).map(|token| token.caller)
    }

    fn not_signed_in(reason: NotSignedIn) -> &'static str {
        match reason {
            NotSignedIn::Missing => "This endpoint requires a Bearer token",
            NotSignedIn::Invalid => "invalid JWT: it is malformed, expired, or not from this server",
            NotSignedIn::Expired | NotSignedIn::Ended => "Session from session_id claim in JWT does not exist",
        }
    }
}

/// The status, code and message of an error.
fn coded(error: &Error) -> Coded {
    const BAD_REQUEST: StatusCode = StatusCode::BAD_REQUEST;
    const UNPROCESSABLE: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
    const TOO_MANY: StatusCode = StatusCode::TOO_MANY_REQUESTS;
    const FORBIDDEN: StatusCode = StatusCode::FORBIDDEN;
    let said = |status, code| Coded::new(status, code, super::words::<Supabase>(error));
    let words = |status, code, words: &str| Coded::new(status, code, words);
    let waiting = |code, seconds: u64| Coded {
        retry_after: Some(seconds),
        ..words(TOO_MANY, code, &format!("{error}: you can only request this after {seconds} seconds"))
    };
    match error {
        Error::Unauthenticated(NotSignedIn::Missing) => said(StatusCode::UNAUTHORIZED, "no_authorization"),
        Error::Unauthenticated(NotSignedIn::Invalid) => said(FORBIDDEN, "bad_jwt"),
        Error::Unauthenticated(NotSignedIn::Expired | NotSignedIn::Ended) => said(FORBIDDEN, "session_not_found"),
        Error::Malformed(_) => said(BAD_REQUEST, "bad_json"),
        Error::Invalid { field, rule } => {
            // Some libraries recognise an invalid number by the word.
            let phone = if *field == "number" { "Phone " } else { "" };
            let status = if *field == "data" { UNPROCESSABLE } else { BAD_REQUEST };
            words(status, "validation_failed", &format!("{phone}{field} {rule}"))
        }
        Error::NotMobile => words(BAD_REQUEST, "validation_failed", "Phone number is not a mobile number"),
        Error::TooLarge { .. } => said(StatusCode::PAYLOAD_TOO_LARGE, "request_entity_too_large"),
        Error::TooMany { .. } | Error::EncodedBody | Error::CrossSite => said(BAD_REQUEST, "validation_failed"),
        Error::NoRoute | Error::WrongMethod { .. } => said(StatusCode::NOT_FOUND, "validation_failed"),
        Error::NotFound("identity") => said(UNPROCESSABLE, "identity_not_found"),
        Error::NotFound(_) => words(FORBIDDEN, "user_not_found", "User from sub claim in JWT does not exist"),
        Error::CodeNotAsked
        | Error::CodeExpired
        | Error::CodeWrong
        | Error::CodeGuessesSpent
        | Error::VerificationUnknown => words(FORBIDDEN, "otp_expired", "Token has expired or is invalid"),
        Error::CodeTooSoon { retry_after } => waiting("over_sms_send_rate_limit", *retry_after),
        Error::Limited { cap, retry_after } => match cap {
            Cap::CodesToNumber | Cap::UnusedCodes | Cap::CodesFromAddress | Cap::CodesToCountry => {
                waiting("over_sms_send_rate_limit", *retry_after)
            }
            _ => waiting("over_request_rate_limit", *retry_after),
        },
        Error::CountryNotServed | Error::TextNotSent => said(UNPROCESSABLE, "sms_send_failed"),
        Error::RefreshInvalid => {
            words(BAD_REQUEST, "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found")
        }
        Error::RefreshReused => words(BAD_REQUEST, "refresh_token_already_used", "Invalid Refresh Token: Already Used"),
        Error::Taken("identity") => said(UNPROCESSABLE, "identity_already_exists"),
        Error::Taken(_) => {
            words(UNPROCESSABLE, "phone_exists", "User already registered: this number belongs to another account")
        }
        // It does not show whether the password was right.
        Error::PasswordWrong | Error::Locked { .. } => {
            words(BAD_REQUEST, "invalid_credentials", "Invalid login credentials")
        }
        Error::ProviderRefused => said(BAD_REQUEST, "invalid_credentials"),
        Error::CaptchaWrong | Error::CaptchaExpired | Error::CaptchaNeeded => said(BAD_REQUEST, "captcha_failed"),
        Error::SamePassword => {
            words(UNPROCESSABLE, "same_password", "New password should be different from the old password.")
        }
        Error::ReauthenticationNeeded => said(BAD_REQUEST, "reauthentication_needed"),
        Error::LastIdentity => said(UNPROCESSABLE, "single_identity_not_deletable"),
        Error::SignUpsClosed => said(UNPROCESSABLE, "signup_disabled"),
        Error::NotForAnonymous | Error::UnsupportedMedia(_) | Error::Full(_) => {
            said(UNPROCESSABLE, "validation_failed")
        }
        Error::AlreadyWritten | Error::ConditionFailed | Error::IdempotencyKeyReused => {
            said(StatusCode::CONFLICT, "conflict")
        }
        Error::NotYours => said(FORBIDDEN, "no_authorization"),
        Error::AlreadyFriends | Error::NotFriends | Error::Group(_) => said(UNPROCESSABLE, "validation_failed"),
        // Never 500: one library ends its session then.
        Error::ProviderUnreachable | Error::Fault(_) => said(StatusCode::SERVICE_UNAVAILABLE, "unexpected_failure"),
    }
}

/// The access token of a request, which expired at most `leeway` ago.
fn token(parts: &Parts, verifier: &TokenVerifier, leeway: Duration) -> Result<AppToken> {
    let token = bearer(parts)?.ok_or(Error::Unauthenticated(NotSignedIn::Missing))?;
    verifier.keys.check_app_token(token, leeway, verifier.clock.now())
}

/// The access token of a request that may also come without one.
pub fn signed(parts: &Parts, verifier: &TokenVerifier) -> Result<AppToken> {
    token(parts, verifier, LEEWAY)
}

/// A request with a valid access token of this API. The store checks whether the session is still active, in the same
/// call that does the work.
#[derive(Clone, Copy, Debug)]
pub struct AppSigned(pub AppToken);

impl<S: Send + Sync> FromRequestParts<S> for AppSigned
where
    TokenVerifier: FromRef<S>,
{
    type Rejection = Refusal<Supabase>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> std::result::Result<Self, Refusal<Supabase>> {
        Ok(Self(token(parts, &TokenVerifier::from_ref(state), LEEWAY)?))
    }
}

/// The same for signing out, which also accepts a token that expired within the last 30 days.
#[derive(Clone, Copy, Debug)]
pub struct AppSigningOut(pub AppToken);

impl<S: Send + Sync> FromRequestParts<S> for AppSigningOut
where
    TokenVerifier: FromRef<S>,
{
    type Rejection = Refusal<Supabase>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> std::result::Result<Self, Refusal<Supabase>> {
        Ok(Self(token(parts, &TokenVerifier::from_ref(state), SIGN_OUT_LEEWAY)?))
    }
}

/// The fields of a body: a JSON object, whatever its content type. No body is an empty object, and a field that is null
/// is absent.
#[derive(Clone, Copy, Debug)]
pub struct AppBody<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for AppBody<T> {
    type Rejection = Refusal<Supabase>;

    async fn from_request(request: Request, _: &S) -> std::result::Result<Self, Refusal<Supabase>> {
        let bytes = body::read(request.into_body(), BODY_LIMIT).await?;
        let bytes = body::without_mark(&bytes);
        let fields = if bytes.trim_ascii().is_empty() { Value::Object(Map::new()) } else { decode::json(bytes)? };
        let Value::Object(mut fields) = fields else {
            return Err(Error::Malformed("the body must be a JSON object".into()).into());
        };
        fields.retain(|_, value| !value.is_null());
        Ok(Self(decode::read(&Value::Object(fields))?))
    }
}

/// A phone number as the libraries send it: in E.164, with or without `+`, and with spaces.
pub fn phone(text: &str) -> Result<Phone> {
    let text = text.trim();
    if text.starts_with('+') { Phone::parse("", text) } else { Phone::parse("", &format!("+{text}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(version: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(VERSION, HeaderValue::from_static(version))])
    }

    async fn settled(words: bool) -> (HeaderMap, Value) {
        let mut response = refuse::<Supabase>(&Error::CodeWrong);
        settle(words, &mut response);
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 1_000).await.unwrap();
        (parts.headers, serde_json::from_slice(&bytes).unwrap())
    }

    #[test]
    fn a_date_from_2024_on_asks_for_words() {
        assert!(asks_for_words(&headers("2024-01-01")) && asks_for_words(&headers("2026-08-20")));
        for other in ["2023-12-31", "", "x", "2024-01-01x", "9999", "20240101--"] {
            assert!(!asks_for_words(&headers(other)), "{other}");
        }
        assert!(!asks_for_words(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn each_library_gets_the_form_that_it_can_read() {
        let (headers, body) = settled(true).await;
        assert_eq!(
            (&headers[VERSION], &headers[ERROR_CODE]),
            (&"2024-01-01".parse().unwrap(), &"otp_expired".parse().unwrap())
        );
        assert_eq!((&body["code"], &body["error_code"]), (&json!("otp_expired"), &json!("otp_expired")));
        let (headers, body) = settled(false).await;
        assert!(!headers.contains_key(VERSION) && headers.contains_key(ERROR_CODE));
        assert_eq!(body, json!({ "code": 403, "error_code": "otp_expired", "msg": "Token has expired or is invalid" }));
    }

    #[test]
    fn a_number_without_a_plus_begins_with_its_calling_code() {
        assert_eq!(phone("8613912345678").unwrap().e164(), "+8613912345678");
        assert_eq!(phone(" +86 139 1234 5678").unwrap().e164(), "+8613912345678");
        assert_eq!(
            phone("15551234567").map(|phone| phone.zone()).ok(),
            phone("+15551234567").map(|phone| phone.zone()).ok()
        );
        assert!(phone("").is_err() && phone("13912345678901234").is_err());
    }
}
