//! The Supabase Auth API's part of `auth`: everything but requesting a code.

mod info;
mod objects;
mod refused;
mod sign_in;
mod sign_up;
mod user;

use axum::extract::{FromRequestParts, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use domain::app_data;
use domain::codes::SolvedCaptcha;
use domain::identity::SignedIn;
use domain::session::{Lifetime, NewSession, PushTokens};
use domain::{Error, Result as DomainResult};
use handset_http::api::supabase::{Done, Failure, SupabaseResult};
use handset_http::api::{Api, Web};
use handset_http::body::ok;
use handset_http::caller::Origin;
use handset_http::routes::Routes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use self::objects::Session;
use super::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new()
        .merge(info::router())
        .merge(sign_in::router())
        .merge(sign_up::router())
        .merge(user::router())
        .merge(refused::router())
}

/// A solved captcha, where one is needed.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = supabase::Security)]
struct Security {
    /// A captcha of `GET /api/v1.0/imagecode/<id>`, as `<id>:<text>`.
    #[serde(default)]
    captcha_token: Option<String>,
}

impl Security {
    fn captcha(&self) -> DomainResult<Option<SolvedCaptcha>> {
        let Some((id, text)) = self.captcha_token.as_deref().and_then(|token| token.split_once(':')) else {
            return Ok(None);
        };
        SolvedCaptcha::from_fields(Web::NAME, Some(id), Some(text))
    }
}

/// The query of a request. A query that cannot be read is refused in this API's format.
struct AppQuery<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for AppQuery<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let unreadable = |_| Failure::coded(StatusCode::BAD_REQUEST, "validation_failed", "Could not read the query");
        Query::try_from_uri(&parts.uri).map(|Query(query)| Self(query)).map_err(unreadable)
    }
}

/// A session of this API that begins now.
fn new_session(origin: &Origin) -> NewSession {
    NewSession { api: app_data::API, lifetime: Lifetime::Refreshed, push: PushTokens::default(), from: origin.address }
}

/// The response to a sign-in.
fn session(state: &AppState, signed_in: &SignedIn) -> SupabaseResult {
    Ok(ok(Session::of(state, signed_in)?))
}

/// The response to a request whose form or whose feature is not served.
fn refused(status: StatusCode, code: &'static str, words: &str) -> Failure {
    Failure::coded(status, code, words)
}

/// Refuses e-mail addresses, which this server does not use.
fn without_email(email: Option<&str>) -> Result<(), Failure> {
    match email.filter(|email| !email.is_empty()) {
        Some(_) => Err(refused(StatusCode::BAD_REQUEST, "email_provider_disabled", "Email logins are disabled")),
        None => Ok(()),
    }
}

/// A field that this request needs.
fn needed<T>(field: Option<T>, name: &str) -> Result<T, Failure> {
    field.ok_or_else(|| refused(StatusCode::BAD_REQUEST, "validation_failed", &format!("{name} is missing")))
}

/// An empty object: a success without a result. JavaScript clients parse the body.
fn done() -> Response {
    ok(Done {})
}

/// A refresh must never fail with 429 or 409: clients would sign their user out.
fn never_limited(error: Error) -> Failure {
    match error {
        Error::Limited { .. } => {
            refused(StatusCode::SERVICE_UNAVAILABLE, "unexpected_failure", "try again in a moment")
        }
        other => Failure::Known(other),
    }
}
