//! The messenger API: plain JSON with status 200; errors are `{"error": …, "kind": …}` with 400, 401, 403, 404 or 412;
//! errors on our side are 500.

use http::StatusCode;
use http::request::Parts;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use super::{Api, Reply, usual_status, words};
use crate::verifier::{TokenVerifier, bearer};
use domain::account::Caller;
use domain::{Error, NotSignedIn, Result};

/// The messenger API.
#[derive(Clone, Copy, Debug)]
pub struct Messenger;

/// A success without a result.
#[derive(Serialize, ToSchema)]
#[schema(as = messenger::Done, example = json!({}))]
pub struct Done {}

/// Error response.
#[derive(ToSchema)]
#[schema(as = messenger::Refused, example = json!({ "error": "wrong code", "kind": "code_wrong" }))]
pub struct Refused {
    /// Error message for developers. Do not show it to users or compare it; the text may change.
    pub error: String,
    /// The kind of error, as a word that code can compare. The words do not change; new ones may be added.
    #[schema(schema_with = kinds)]
    pub kind: String,
}

fn kinds() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("What went wrong, as a word to branch on. The words do not change; new ones may come."))
        .enum_values(Some(Error::KINDS.iter().copied()))
        .build()
}

impl Api for Messenger {
    const NAME: &'static str = "messenger";
    const BEARER: bool = true;

    fn refuse(error: &Error) -> Reply {
        let status = match error {
            Error::RefreshInvalid | Error::RefreshReused => StatusCode::BAD_REQUEST,
            error => usual_status(error),
        };
        Reply::new(status, json!({ "error": words::<Self>(error), "kind": error.kind() }))
    }

    fn caller(parts: &Parts, verifier: &TokenVerifier) -> Result<Caller> {
        let token = bearer(parts)?.ok_or(Error::Unauthenticated(NotSignedIn::Missing))?;
        verifier.keys.check_access_token(token, verifier.clock.now())
    }

    fn not_signed_in(reason: NotSignedIn) -> &'static str {
        match reason {
            NotSignedIn::Missing => "the Authorization header is missing; send Authorization: Bearer <access_token>",
            NotSignedIn::Invalid => "the Authorization header must be Bearer <access_token>, with a token of this API",
            NotSignedIn::Expired => "the access token has expired; refresh it with POST /auth/refresh_token",
            NotSignedIn::Ended => "the session has ended; sign in again",
        }
    }
}
