//! Deleting the account, in the app and on a page.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use handset_http::api::v1::Refused;
use handset_http::api::{ApiResult, V1};
use handset_http::caller::{Origin, Signed};
use handset_http::fields::Binary;
use handset_http::routes;
use handset_http::routes::Routes;
use handset_http::v1::Fields;

use super::Proof;
use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(delete_me)).routes(routes!(get_deletion_page)).routes(routes!(get_deletion_script))
}

/// Delete the current user's account.
///
/// All sessions end at once, in all APIs, and the number, the username and the sign-in providers are free for other
/// accounts. A minute later, everything that belongs to the user is removed: profile, real name, friends, groups that
/// only the user is in, rooms, pictures and voice notes. A group that the user owns goes to its oldest manager or member.
/// If the deployment has a grace period (`DeletionGraceDays`), signing in before it is over undoes the deletion. Needs a
/// further proof.
#[utoipa::path(
    delete, path = "/v1/me", tag = "v1", operation_id = "v1_delete_me", security(("v1_bearer" = [])),
    request_body = Option<Proof>,
    responses(
        (status = 204, description = "Deleted"),
        (status = 403, description = "A further proof is missing or wrong", body = Refused, example = json!({
            "type": "about:blank", "title": "Forbidden", "status": 403, "code": "reauthentication_needed",
            "detail": "this change needs a code or the current password; the session is not new",
        })),
    ),
)]
async fn delete_me(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<V1>,
    Fields(proof): Fields<Proof>,
) -> ApiResult<V1> {
    let confirmation = proof.confirmation(&state)?;
    state.deletions.delete(caller, &confirmation, origin.address).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// What the page may do: run its own script, and send requests to this service.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Get the page on which users delete their account without the app.
///
/// App stores ask for the address of such a page. It sends a code to the user's number.
#[utoipa::path(
    get, path = "/account/delete", tag = "v1", operation_id = "v1_get_deletion_page",
    responses((status = 200, description = "The page", content((inline(Binary) = "text/html")), headers(
        ("Cache-Control" = String, description = "`public, max-age=300`."),
        ("Content-Security-Policy" = String, description = "What the page may do."),
        ("Referrer-Policy" = String, description = "`no-referrer`."),
        ("X-Content-Type-Options" = String, description = "`nosniff`."),
    ))),
)]
async fn get_deletion_page() -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, PAGE_POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "public, max-age=300"),
    ];
    (headers, include_str!("deletion.html")).into_response()
}

/// Get the script of that page.
#[utoipa::path(
    get, path = "/account/delete.js", tag = "v1", operation_id = "v1_get_deletion_script",
    responses((status = 200, description = "The script", content((inline(Binary) = "text/javascript")), headers(
        ("Cache-Control" = String, description = "`public, max-age=300`."),
        ("X-Content-Type-Options" = String, description = "`nosniff`."),
    ))),
)]
async fn get_deletion_script() -> Response {
    let headers = [
        (CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "public, max-age=300"),
    ];
    (headers, include_str!("deletion.js")).into_response()
}
