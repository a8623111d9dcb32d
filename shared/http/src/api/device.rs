//! The device API: `{"success", "msg", "data"}` under 200; a missing or ended token is 401, and an error on our side is
//! 500.

use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use super::{Api, Reply, usual_status, words};
use crate::body::ok;
use crate::constant;
use crate::verifier::{TokenVerifier, bearer};
use domain::account::Caller;
use domain::{Error, NotSignedIn, Result};

/// The device API.
#[derive(Clone, Copy, Debug)]
pub struct Device;

impl Device {
    /// A success with data.
    #[must_use]
    pub fn data(data: impl Serialize) -> Response {
        ok(Envelope { success: true, msg: "ok", data })
    }

    /// A success with a message and no data.
    #[must_use]
    pub fn done(msg: &'static str) -> Response {
        ok(Done { success: true, msg })
    }
}

/// A success with its data.
#[derive(Serialize, ToSchema)]
#[schema(as = device::Success)]
pub struct Envelope<T> {
    #[schema(schema_with = yes)]
    success: bool,
    /// A success message for developers.
    msg: &'static str,
    data: T,
}

/// A success without data.
#[derive(Serialize, ToSchema)]
#[schema(as = device::Done, example = json!({ "success": true, "msg": "ok" }))]
pub struct Done {
    #[schema(schema_with = yes)]
    success: bool,
    /// A success message for developers.
    msg: &'static str,
}

/// An error. Its HTTP status is mostly 200.
#[derive(ToSchema)]
#[schema(as = device::Refused, example = json!({ "success": false, "msg": "not signed in" }))]
#[expect(dead_code, reason = "only described")]
pub struct Refused {
    #[schema(schema_with = no)]
    success: bool,
    /// An error message for developers. Do not compare it; the text may change.
    msg: String,
}

/// A success with its data, or an error.
#[derive(ToSchema)]
#[schema(as = device::Either)]
#[serde(untagged)]
pub enum Either<T> {
    /// A success.
    Success(#[schema(inline)] Envelope<T>),
    /// An error.
    Refused(Refused),
}

/// A success without data, or an error.
#[derive(ToSchema)]
#[schema(as = device::Outcome)]
#[serde(untagged)]
pub enum DoneOrRefused {
    /// A success.
    Done(Done),
    /// An error.
    Refused(Refused),
}

fn yes() -> Object {
    constant::flag(true, "True: success.")
}

fn no() -> Object {
    constant::flag(false, "False: an error.")
}

impl Api for Device {
    const NAME: &'static str = "device";
    const BEARER: bool = true;

    fn refuse(error: &Error) -> Reply {
        let status = match usual_status(error) {
            StatusCode::NOT_FOUND if !matches!(error, Error::NoRoute) => StatusCode::OK,
            StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN | StatusCode::PRECONDITION_FAILED => StatusCode::OK,
            status => status,
        };
        Reply::new(status, json!({ "success": false, "msg": words::<Self>(error) }))
    }

    fn caller(parts: &Parts, verifier: &TokenVerifier) -> Result<Caller> {
        let own = parts.headers.get("access-token").and_then(|token| token.to_str().ok()).map(str::trim);
        let own = own.filter(|token| !token.is_empty());
        let token = match own {
            Some(token) => Some(token),
            None => bearer(parts)?,
        };
        verifier.keys.check_session_token(token.ok_or(Error::Unauthenticated(NotSignedIn::Missing))?, Self::NAME)
    }

    fn not_signed_in(reason: NotSignedIn) -> &'static str {
        match reason {
            NotSignedIn::Missing => "the Access-Token header is missing; send the accessToken of the sign-in",
            NotSignedIn::Invalid => "the access token is not valid; send the accessToken of the sign-in",
            NotSignedIn::Expired => "the access token has expired; sign in again",
            NotSignedIn::Ended => "the session has ended; sign in again",
        }
    }
}
