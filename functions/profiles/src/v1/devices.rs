//! Devices that get push notifications.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use domain::session::{PushService, PushTokens, SessionId};
use domain::uuid::Uuid;
use domain::{Error, Result as DomainResult};
use handset_http::api::v1::Refused;
use handset_http::api::{ApiResult, V1};
use handset_http::caller::Signed;
use handset_http::routes;
use handset_http::routes::Routes;
use handset_http::v1::{Fields, Variable};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(put_device, delete_device))
}

/// The push token of a device.
#[derive(Deserialize, ToSchema)]
#[schema(as = v1::NewDevice, example = json!({
    "platform": "ios", "token": "7c1f0e4e5f4b4a7d8f9c2b1a0e6d5c4b3a29181716151413121110090807f6e5",
}))]
struct NewDevice {
    /// `ios` for a token of Apple's push service, `android` for a token of Firebase Cloud Messaging.
    platform: String,
    /// The token: at most 512 bytes.
    token: String,
}

impl NewDevice {
    fn tokens(&self) -> DomainResult<PushTokens> {
        let service = match self.platform.as_str() {
            "ios" => PushService::Apns,
            "android" => PushService::Gcm,
            _ => return Err(Error::Invalid { field: "platform", rule: "must be ios or android" }),
        };
        let tokens = PushTokens::parse([(service, Some(self.token.as_str()))])?;
        if tokens.services.is_empty() {
            return Err(Error::Invalid { field: "token", rule: "must not be empty" });
        }
        Ok(tokens)
    }
}

/// The session whose id is in the path: `current` for the caller's own.
fn session(device: &Variable, own: SessionId) -> DomainResult<SessionId> {
    match device.0.as_str() {
        "current" => Ok(own),
        _ => device.uuid().and_then(Uuid::session).ok_or(Error::NotFound("device")),
    }
}

/// Set the push token of this device.
///
/// A device is known by the session on it, and its push token ends with the session. If another session of the user has
/// the token, the token moves to this one.
#[utoipa::path(
    put, path = "/v1/me/devices/{id}", tag = "v1", operation_id = "v1_put_device", security(("v1_bearer" = [])),
    request_body = NewDevice,
    params(("id" = String, Path, description = "`current`, or the id of this session.", example = "current")),
    responses(
        (status = 204, description = "Set"),
        (status = 403, description = "It is the device of another session", body = Refused, example = json!({
            "type": "about:blank", "title": "Forbidden", "status": 403, "code": "not_yours",
            "detail": "this belongs to another user",
        })),
        (status = 404, description = "It is no id of a session", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found", "detail": "no such device",
        })),
    ),
)]
async fn put_device(
    State(state): State<AppState>,
    Signed(caller, _): Signed<V1>,
    device: Variable,
    Fields(given): Fields<NewDevice>,
) -> ApiResult<V1> {
    if session(&device, caller.session)? != caller.session {
        return Err(Error::NotYours.into());
    }
    state.devices.bind(caller, &given.tokens()?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Remove the push token of a device.
///
/// Its session goes on. It is not an error if the device has no push token.
#[utoipa::path(
    delete, path = "/v1/me/devices/{id}", tag = "v1", operation_id = "v1_delete_device", security(("v1_bearer" = [])),
    params(("id" = String, Path, description = "`current`, or the id of the session on the device.", example = "current")),
    responses(
        (status = 204, description = "Removed"),
        (status = 404, description = "It is no id of a session", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found", "detail": "no such device",
        })),
    ),
)]
async fn delete_device(
    State(state): State<AppState>,
    Signed(caller, _): Signed<V1>,
    device: Variable,
) -> ApiResult<V1> {
    let session = session(&device, caller.session)?;
    let account = state.identity.account(caller).await?;
    state.devices.forget(&account, session).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
