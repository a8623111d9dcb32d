//! The `SealTalk` API: `{"code", "result"}`. Outcomes have a code of their own under 200; errors are HTTP statuses
//! with the same number as `code`, except that nobody signed in is 403 with code 10000, on which its clients sign out.

use http::StatusCode;
use serde_json::json;

use super::{Api, Reply};
use crate::domain::Error;

/// The `SealTalk` API.
#[derive(Clone, Copy, Debug)]
pub struct SealTalk;

impl Api for SealTalk {
    const NAME: &'static str = "sealtalk";

    fn refuse(error: &Error) -> Reply {
        let (status, code) = match error {
            Error::Malformed(_)
            | Error::Invalid { .. }
            | Error::TooLarge { .. }
            | Error::UnsupportedMedia(_)
            | Error::CountryNotServed
            | Error::RefreshInvalid
            | Error::RefreshReused => (StatusCode::BAD_REQUEST, 400),
            Error::NoRoute | Error::NotFound(_) | Error::CodeNotAsked => (StatusCode::NOT_FOUND, 404),
            Error::Unauthenticated => (StatusCode::FORBIDDEN, 10_000),
            Error::CodeWrong | Error::CodeGuessesSpent => (StatusCode::OK, 1_000),
            Error::CodeExpired => (StatusCode::OK, 2_000),
            Error::CodeTooSoon { .. } | Error::Limited { .. } | Error::TextNotSent => (StatusCode::OK, 5_000),
            Error::Fault(_) => (StatusCode::INTERNAL_SERVER_ERROR, 500),
        };
        Reply::new(status, json!({ "code": code, "message": error.to_string() }))
    }
}
