//! The common API for new apps: problem details as in RFC 9457.

use http::StatusCode;
use http::request::Parts;
use serde_json::json;

use super::{Api, Messenger, Reply, words};
use crate::caller::TokenVerifier;
use domain::account::Caller;
use domain::{Error, NotSignedIn, Result};

/// The common API.
#[derive(Clone, Copy, Debug)]
pub struct V1;

impl Api for V1 {
    const NAME: &'static str = "v1";
    const BEARER: bool = true;
    const REFUSAL_TYPE: &'static str = "application/problem+json";

    fn refuse(error: &Error) -> Reply {
        let status = match error {
            Error::Malformed(_) => StatusCode::BAD_REQUEST,
            Error::Invalid { .. } | Error::TooMany { .. } | Error::CountryNotServed | Error::NotMobile => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Error::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Error::UnsupportedMedia(_) | Error::EncodedBody => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Error::Unauthenticated(_) | Error::RefreshInvalid | Error::RefreshReused => StatusCode::UNAUTHORIZED,
            Error::Taken(_) | Error::AlreadyWritten | Error::AlreadyFriends => StatusCode::CONFLICT,
            Error::PasswordWrong
            | Error::Locked { .. }
            | Error::CaptchaWrong
            | Error::CaptchaExpired
            | Error::CaptchaNeeded
            | Error::VerificationUnknown
            | Error::CrossSite
            | Error::NotYours
            | Error::NotFriends
            | Error::Group(_)
            | Error::ProviderRefused
            | Error::Full(_)
            | Error::CodeNotAsked
            | Error::CodeExpired
            | Error::CodeWrong
            | Error::CodeGuessesSpent => StatusCode::FORBIDDEN,
            Error::NoRoute | Error::NotFound(_) => StatusCode::NOT_FOUND,
            Error::WrongMethod { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Error::ConditionFailed => StatusCode::PRECONDITION_FAILED,
            Error::CodeTooSoon { .. } | Error::Limited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Error::TextNotSent | Error::ProviderUnreachable => StatusCode::BAD_GATEWAY,
            Error::Fault(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let title = status.canonical_reason().unwrap_or_default();
        let body =
            json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "detail": words::<Self>(error) });
        Reply::new(status, body)
    }

    fn caller(parts: &Parts, verifier: &TokenVerifier) -> Result<Caller> {
        Messenger::caller(parts, verifier)
    }

    fn not_signed_in(reason: NotSignedIn) -> &'static str {
        match reason {
            NotSignedIn::Expired => "the access token has expired; refresh it",
            reason => Messenger::not_signed_in(reason),
        }
    }
}
