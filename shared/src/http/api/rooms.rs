//! The rooms API: every value a string; `status`, `msg` and `code`, which repeats the HTTP status.

use http::StatusCode;
use serde_json::json;

use super::{Api, Reply};
use crate::domain::Error;

/// The rooms API.
#[derive(Clone, Copy, Debug)]
pub struct Rooms;

impl Api for Rooms {
    const NAME: &'static str = "rooms";

    fn refuse(error: &Error) -> Reply {
        let status = match error {
            Error::Malformed(_)
            | Error::Invalid { .. }
            | Error::TooLarge { .. }
            | Error::UnsupportedMedia(_)
            | Error::CodeNotAsked
            | Error::CodeExpired
            | Error::CodeWrong
            | Error::CodeGuessesSpent
            | Error::CodeTooSoon { .. }
            | Error::Limited { .. }
            | Error::CountryNotServed
            | Error::TextNotSent => StatusCode::BAD_REQUEST,
            Error::Unauthenticated | Error::RefreshInvalid | Error::RefreshReused => StatusCode::UNAUTHORIZED,
            Error::NoRoute | Error::NotFound(_) => StatusCode::NOT_FOUND,
            Error::Fault(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let code = status.as_str().to_owned();
        Reply::new(status, json!({ "status": "FAIL", "msg": error.to_string(), "code": code }))
    }
}
