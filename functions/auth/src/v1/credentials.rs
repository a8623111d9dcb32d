//! Removing ways to sign in.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::Error;
use domain::account::Caller;
use domain::login_identifier::LoginIdentifier;
use domain::uuid::Uuid;
use handset_http::api::v1::Refused;
use handset_http::api::{ApiResult, Refusal, V1};
use handset_http::caller::{Origin, Signed};
use handset_http::routes;
use handset_http::routes::Routes;
use handset_http::v1::{Fields, Variable};

use super::Proof;
use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(delete_phone)).routes(routes!(delete_identity)).routes(routes!(delete_password))
}

async fn unlink(
    state: &AppState,
    (caller, origin): (Caller, &Origin),
    proof: &Proof,
    which: impl Fn(&LoginIdentifier) -> bool,
) -> Result<Response, Refusal<V1>> {
    let confirmation = proof.confirmation(state)?;
    state.identity.unlink(caller, which, &confirmation, origin.address).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Remove the phone number from the current user's account.
///
/// Nobody can sign in with the number after that, and it can be used for another account. Needs a further proof.
#[utoipa::path(
    delete, path = "/v1/me/phone", tag = "v1", operation_id = "v1_delete_phone", security(("v1_bearer" = [])),
    request_body = Option<Proof>,
    responses(
        (status = 204, description = "Removed"),
        (status = 403, description = "A further proof is missing or wrong", body = Refused, example = json!({
            "type": "about:blank", "title": "Forbidden", "status": 403, "code": "reauthentication_needed",
            "detail": "this change needs a code or the current password; the session is not new",
        })),
        (status = 404, description = "The account has no number", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found", "detail": "no such identity",
        })),
        (status = 422, description = "It is the only way to sign in", body = Refused, example = json!({
            "type": "about:blank", "title": "Unprocessable Entity", "status": 422, "code": "last_identity",
            "detail": "this is the only way to sign in; add another one first",
        })),
    ),
)]
async fn delete_phone(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<V1>,
    Fields(proof): Fields<Proof>,
) -> ApiResult<V1> {
    unlink(&state, (caller, &origin), &proof, |identifier| matches!(identifier, LoginIdentifier::Phone(_))).await
}

/// Remove a way to sign in from the current user's account.
///
/// The phone number and the username need a further proof; a sign-in provider does not.
#[utoipa::path(
    delete, path = "/v1/me/identities/{id}", tag = "v1", operation_id = "v1_delete_identity",
    security(("v1_bearer" = [])), request_body = Option<Proof>,
    params(("id" = String, Path, description = "The identity's id, as `GET /v1/me` has it.", example = "d52ee8c6-8353-8003-8000-26eb85cd4c63")),
    responses(
        (status = 204, description = "Removed"),
        (status = 403, description = "A further proof is missing or wrong", body = Refused, example = json!({
            "type": "about:blank", "title": "Forbidden", "status": 403, "code": "reauthentication_needed",
            "detail": "this change needs a code or the current password; the session is not new",
        })),
        (status = 404, description = "The user has no such identity", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found", "detail": "no such identity",
        })),
        (status = 422, description = "It is the only way to sign in", body = Refused, example = json!({
            "type": "about:blank", "title": "Unprocessable Entity", "status": 422, "code": "last_identity",
            "detail": "this is the only way to sign in; add another one first",
        })),
    ),
)]
async fn delete_identity(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<V1>,
    id: Variable,
    Fields(proof): Fields<Proof>,
) -> ApiResult<V1> {
    let id = id.uuid().ok_or(Error::NotFound("identity"))?;
    let own = |identifier: &LoginIdentifier| Uuid::of_login_identifier(caller.user, identifier) == id;
    unlink(&state, (caller, &origin), &proof, own).await
}

/// Remove the current user's password.
///
/// The user then signs in by code or through a sign-in provider. All other sessions end, in all APIs. Needs a further
/// proof.
#[utoipa::path(
    delete, path = "/v1/me/password", tag = "v1", operation_id = "v1_delete_password", security(("v1_bearer" = [])),
    request_body = Option<Proof>,
    responses(
        (status = 204, description = "Removed"),
        (status = 403, description = "A further proof is missing or wrong", body = Refused, example = json!({
            "type": "about:blank", "title": "Forbidden", "status": 403, "code": "reauthentication_needed",
            "detail": "this change needs a code or the current password; the session is not new",
        })),
        (status = 404, description = "The account has no password", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found", "detail": "no such password",
        })),
        (status = 422, description = "It is the only way to sign in", body = Refused, example = json!({
            "type": "about:blank", "title": "Unprocessable Entity", "status": 422, "code": "last_identity",
            "detail": "this is the only way to sign in; add another one first",
        })),
    ),
)]
async fn delete_password(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<V1>,
    Fields(proof): Fields<Proof>,
) -> ApiResult<V1> {
    let confirmation = proof.confirmation(&state)?;
    state.identity.remove_password(caller, &confirmation, origin.address).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
