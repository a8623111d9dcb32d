//! The messenger API: bare JSON under 200; refusals `{"error": …}` under 400, 401, 403, 404 or 412; faults 500.

use http::StatusCode;
use http::request::Parts;
use serde_json::json;
use utoipa::ToSchema;

use super::{Api, Reply};
use crate::domain::Error;
use crate::domain::account::Caller;
use crate::http::caller::{Gate, bearer};

/// The messenger API.
#[derive(Clone, Copy, Debug)]
pub struct Messenger;

/// How it refuses, for its description.
#[derive(ToSchema)]
#[schema(as = MessengerRefusal, example = json!({ "error": "not signed in" }))]
pub struct Refused {
    /// Why, in words for developers; they may change.
    pub error: String,
}

impl Api for Messenger {
    const NAME: &'static str = "messenger";

    fn refuse(error: &Error) -> Reply {
        let status = match error {
            Error::Malformed(_)
            | Error::Invalid { .. }
            | Error::NotMobile
            | Error::TooLarge { .. }
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
            | Error::ProviderRefused
            | Error::ProviderUnreachable
            | Error::RefreshInvalid
            | Error::RefreshReused => StatusCode::BAD_REQUEST,
            Error::Unauthenticated => StatusCode::UNAUTHORIZED,
            Error::CrossSite | Error::NotYours | Error::NotFriends | Error::Group(_) => StatusCode::FORBIDDEN,
            Error::NoRoute | Error::NotFound(_) => StatusCode::NOT_FOUND,
            Error::WrongMethod { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Error::EncodedBody => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Error::ConditionFailed => StatusCode::PRECONDITION_FAILED,
            Error::Fault(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Reply::new(status, json!({ "error": error.to_string() }))
    }

    fn caller(parts: &Parts, gate: &Gate) -> Option<Caller> {
        gate.keys.check_access_token(bearer(parts).ok()??, gate.clock.now()).ok()
    }
}
