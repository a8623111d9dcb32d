//! The rooms API: every value a string; `status`, `msg` and `code`, which repeats the HTTP status.

use http::request::Parts;
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use super::{Api, Reply, usual_status, words};
use crate::constant;
use crate::verifier::TokenVerifier;
use domain::account::Caller;
use domain::{Error, NotSignedIn, Result};

/// The rooms API.
#[derive(Clone, Copy, Debug)]
pub struct Rooms;

/// A success without a result.
#[derive(ToSchema)]
#[schema(as = rooms::Done, example = json!({ "status": "SUCCESS", "msg": "查询成功", "code": "200" }))]
#[expect(dead_code, reason = "only described")]
pub struct Done {
    #[schema(schema_with = success)]
    status: String,
    /// A success message for developers.
    msg: String,
    /// The HTTP status, as a string.
    code: String,
}

/// An error.
#[derive(ToSchema)]
#[schema(as = rooms::Refused, example = json!({ "status": "FAIL", "msg": "not signed in", "code": "401" }))]
#[expect(dead_code, reason = "only described")]
pub struct Refused {
    #[schema(schema_with = failure)]
    status: String,
    /// An error message for developers. Do not compare it; the text may change.
    msg: String,
    /// The HTTP status, as a string.
    #[schema(pattern = "^[45][0-9]{2}$")]
    code: String,
}

/// The `status` of a success.
#[must_use]
pub fn success() -> Object {
    constant::text("SUCCESS", "`SUCCESS`.")
}

fn failure() -> Object {
    constant::text("FAIL", "`FAIL`: an error.")
}

impl Api for Rooms {
    const NAME: &'static str = "rooms";

    fn refuse(error: &Error) -> Reply {
        let status = usual_status(error);
        let code = status.as_str().to_owned();
        Reply::new(status, json!({ "status": "FAIL", "msg": words::<Self>(error), "code": code }))
    }

    /// The documentation puts the token into the body or the query. Only the query is read here; handlers check a token
    /// in the body themselves.
    fn caller(parts: &Parts, verifier: &TokenVerifier) -> Result<Caller> {
        let query = parts.uri.query().unwrap_or_default();
        let token = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "token");
        let (_, token) = token.ok_or(Error::Unauthenticated(NotSignedIn::Missing))?;
        verifier.keys.check_session_token(&token, Self::NAME)
    }

    fn not_signed_in(reason: NotSignedIn) -> &'static str {
        match reason {
            NotSignedIn::Missing => "token is missing; send the token of the sign-in",
            NotSignedIn::Invalid => "token is not valid; send the token of the sign-in",
            NotSignedIn::Expired => "the token has expired; sign in again",
            NotSignedIn::Ended => "the session has ended; sign in again",
        }
    }
}
