//! The device API: `{"success", "msg", "data"}` under 200; a missing or dead token is 401 and a fault 500.

use http::StatusCode;
use serde_json::json;

use super::{Api, Reply};
use crate::domain::Error;

/// The device API.
#[derive(Clone, Copy, Debug)]
pub struct Device;

impl Api for Device {
    const NAME: &'static str = "device";

    fn refuse(error: &Error) -> Reply {
        let status = match error {
            Error::Malformed(_)
            | Error::Invalid { .. }
            | Error::TooLarge { .. }
            | Error::UnsupportedMedia(_)
            | Error::NotFound(_)
            | Error::CodeNotAsked
            | Error::CodeExpired
            | Error::CodeWrong
            | Error::CodeGuessesSpent
            | Error::CodeTooSoon { .. }
            | Error::Limited { .. }
            | Error::CountryNotServed
            | Error::TextNotSent => StatusCode::OK,
            Error::Unauthenticated | Error::RefreshInvalid | Error::RefreshReused => StatusCode::UNAUTHORIZED,
            Error::NoRoute => StatusCode::NOT_FOUND,
            Error::Fault(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Reply::new(status, json!({ "success": false, "msg": error.to_string() }))
    }
}
