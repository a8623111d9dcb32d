//! The common API for new apps: plain JSON, and problem details (RFC 9457) for errors.

use std::time::Duration;

use http::StatusCode;
use http::request::Parts;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use super::{Api, Messenger, Reply, usual_status, words};
use crate::verifier::{TokenVerifier, bearer};
use domain::account::Caller;
use domain::tokens::app::AppToken;
use domain::{Error, GroupRule, NotSignedIn, Result};

/// The common API.
#[derive(Clone, Copy, Debug)]
pub struct V1;

/// An access token of the Supabase API is accepted for this long after it has expired, as in that API.
const LEEWAY: Duration = Duration::from_mins(5);
/// The rule about the owner of a group, with the request of this API that gives a group another owner.
const OWNER_STAYS: &str = "the owner cannot be removed or given another role; use POST /v1/groups/{id}/transfer";
/// Longer ago than any token was issued that a client may still have.
const ANY_TIME: Duration = Duration::from_hours(24 * 365 * 100);

/// An error, as problem details (RFC 9457).
#[derive(ToSchema)]
#[schema(as = v1::Refused, example = json!({
    "type": "about:blank", "title": "Unprocessable Entity", "status": 422, "code": "invalid",
    "detail": "name must have 1 to 64 characters and no control characters",
    "errors": [{ "field": "name", "rule": "must have 1 to 64 characters and no control characters" }],
}))]
pub struct Refused {
    /// Always `about:blank`: `code` names the kind of error.
    pub r#type: String,
    /// The words for the status.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong, for developers. Do not show it to users or compare it; the text may change.
    pub detail: String,
    /// The kind of error, as a word that code can compare.
    #[schema(schema_with = kinds)]
    pub code: String,
    /// The fields that are wrong. Only with `invalid`.
    pub errors: Option<Vec<FieldError>>,
}

/// A field that is wrong.
#[derive(ToSchema)]
#[schema(as = v1::FieldError)]
pub struct FieldError {
    /// The field's name.
    pub field: String,
    /// The rule that its value breaks.
    pub rule: String,
}

fn kinds() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("The kind of error, as a word to compare. The words do not change; new ones may be added."))
        .enum_values(Some(Error::KINDS.iter().copied()))
        .build()
}

/// The name in this API of a field whose rule the domain states.
fn wire_name(field: &'static str) -> &'static str {
    match field {
        "nickname" => "name",
        "number" => "phone",
        "displayName" => "remark",
        "memberIds" => "members",
        "friendId" => "id",
        "bulletin" => "content",
        other => other,
    }
}

impl Api for V1 {
    const NAME: &'static str = "v1";
    const BEARER: bool = true;
    const REFUSAL_TYPE: &'static str = "application/problem+json";

    fn refuse(error: &Error) -> Reply {
        let status = match error {
            Error::Invalid { .. }
            | Error::TooMany { .. }
            | Error::CountryNotServed
            | Error::NotMobile
            | Error::SamePassword
            | Error::LastIdentity
            | Error::IdempotencyKeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Error::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Error::UnsupportedMedia(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Error::Taken(_) | Error::AlreadyWritten | Error::AlreadyFriends => StatusCode::CONFLICT,
            Error::CodeTooSoon { .. } | Error::Limited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Error::TextNotSent | Error::ProviderUnreachable => StatusCode::BAD_GATEWAY,
            Error::Malformed(_) => StatusCode::BAD_REQUEST,
            Error::Group(GroupRule::NoBulletin | GroupRule::NotInGroup) => StatusCode::NOT_FOUND,
            // The request is well formed, and its proof or its permission is not good enough.
            error => match usual_status(error) {
                StatusCode::BAD_REQUEST => StatusCode::FORBIDDEN,
                status => status,
            },
        };
        let title = status.canonical_reason().unwrap_or_default();
        let (detail, errors) = match error {
            Error::Invalid { field, rule } => {
                let field = wire_name(field);
                (format!("{field} {rule}"), json!([{ "field": field, "rule": rule }]))
            }
            Error::ConditionFailed => ("it was changed since: If-Match does not match".to_owned(), Value::Null),
            Error::Group(GroupRule::OwnerStays) => (OWNER_STAYS.to_owned(), Value::Null),
            error => (words::<Self>(error), Value::Null),
        };
        let (status_number, code) = (status.as_u16(), error.kind());
        let mut body =
            json!({ "type": "about:blank", "title": title, "status": status_number, "detail": detail, "code": code });
        if errors.is_array() {
            body["errors"] = errors;
        }
        Reply::new(status, body)
    }

    fn caller(parts: &Parts, verifier: &TokenVerifier) -> Result<Caller> {
        match app_token(parts, verifier)? {
            Some(token) => Ok(token.caller),
            None => Messenger::caller(parts, verifier),
        }
    }

    fn not_signed_in(reason: NotSignedIn) -> &'static str {
        match reason {
            NotSignedIn::Expired => "the access token has expired; refresh it",
            reason => Messenger::not_signed_in(reason),
        }
    }
}

/// The access token of a request, if it is one of the Supabase API. This API also takes those of the messenger API.
pub fn app_token(parts: &Parts, verifier: &TokenVerifier) -> Result<Option<AppToken>> {
    let token = bearer(parts)?.ok_or(Error::Unauthenticated(NotSignedIn::Missing))?;
    if !verifier.keys.is_app_token(token) {
        return Ok(None);
    }
    let now = verifier.clock.now();
    verifier.keys.check_app_token(token, LEEWAY, now).map(Some).map_err(|invalid| {
        let expired = verifier.keys.check_app_token(token, ANY_TIME, now).is_ok();
        if expired { Error::Unauthenticated(NotSignedIn::Expired) } else { invalid }
    })
}
