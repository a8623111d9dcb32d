//! The common API for new apps: problem details as in RFC 9457.

use http::StatusCode;
use http::request::Parts;
use serde_json::json;

use super::{Api, Messenger, Reply, usual_status, words};
use crate::verifier::TokenVerifier;
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
            Error::Invalid { .. } | Error::TooMany { .. } | Error::CountryNotServed | Error::NotMobile => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Error::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Error::UnsupportedMedia(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Error::Taken(_) | Error::AlreadyWritten | Error::AlreadyFriends => StatusCode::CONFLICT,
            Error::CodeTooSoon { .. } | Error::Limited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Error::TextNotSent | Error::ProviderUnreachable => StatusCode::BAD_GATEWAY,
            Error::Malformed(_) => StatusCode::BAD_REQUEST,
            // The request is well formed, and its proof or its permission is not good enough.
            error => match usual_status(error) {
                StatusCode::BAD_REQUEST => StatusCode::FORBIDDEN,
                status => status,
            },
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
