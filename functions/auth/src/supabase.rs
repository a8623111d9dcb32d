//! The Supabase Auth API's part of `auth`: everything. Requests for codes usually reach `codes`.

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
use domain::Error;
use domain::app_data;
use domain::identity::SignedIn;
use domain::session::{Lifetime, NewSession, PushTokens};
use handset_http::api::supabase::{Done, Failure, SupabaseResult, codes};
use handset_http::body::ok;
use handset_http::caller::Origin;
use handset_http::routes::Routes;
use serde::de::DeserializeOwned;

use self::objects::Session;
use super::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new()
        .merge(info::router())
        .merge(sign_in::router())
        .merge(sign_up::router())
        .merge(user::router())
        // With a slash at the end of the path, the gateway leads the requests for codes here. `codes` describes them.
        .merge_undescribed(codes::router())
        .merge(refused::router())
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
    NewSession {
        api: app_data::API,
        lifetime: Lifetime::Refreshed,
        push: PushTokens::default(),
        from: origin.address,
        device: origin.device.clone(),
    }
}

/// The response to a sign-in.
fn session(state: &AppState, signed_in: &SignedIn) -> SupabaseResult {
    Ok(ok(Session::of(state, signed_in)?))
}

/// The response to a request whose form or whose feature is not served.
fn refused(status: StatusCode, code: &'static str, words: &str) -> Failure {
    Failure::coded(status, code, words)
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
