//! The device API's part of `profiles`.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::Error;
use domain::devices::PushAddress;
use handset_http::api::device::DoneOrRefused;
use handset_http::api::{Device, Refusal};
use handset_http::body::Params;
use handset_http::caller::Signed;
use handset_http::fields::Text;
use handset_http::lenient;
use handset_http::routes;
use handset_http::routes::Routes;
use serde::Deserialize;
use utoipa::ToSchema;

use super::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(post_update_device_token))
}

/// A new push token.
#[derive(Deserialize, ToSchema)]
#[schema(as = device::UpdateDeviceToken, example = json!({
    "device": { "pushToken": "apns push token", "platform": 1 },
}))]
struct UpdateDeviceToken {
    device: NewAddress,
}

/// A push token.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = device::NewAddress)]
struct NewAddress {
    /// The push service's token for this device.
    push_token: String,
    /// 0 = Android (default), 1 = iOS.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    #[schema(value_type = Option<Text>)]
    platform: Option<String>,
}

/// Update the push token.
///
/// The push token is stored in this session and removed from all other sessions.
#[utoipa::path(
    post, path = "/users/{id}/update-device-token", tag = "device", operation_id = "device_update_push_token",
    request_body = UpdateDeviceToken,
    security(("access_token" = [])), params(("id" = i32, Path, description = "The current user's id, as sign-up and sign-in return it", example = 12)),
    responses(
        (status = 200, description = "Updated; or `success` is false: not a push token, or another user's id",
            body = inline(DoneOrRefused), example = json!({ "success": true, "msg": "ok" })),
    ),
)]
async fn post_update_device_token(
    State(state): State<AppState>,
    path: Result<Path<String>, PathRejection>,
    Signed(caller, _): Signed<Device>,
    Params(given, _): Params<Device, UpdateDeviceToken>,
) -> Result<Response, Refusal<Device>> {
    let id = path.map_or_else(|_| String::new(), |Path(id)| id);
    // Each id is written in one way: 012 is not 12.
    let id = id.parse().ok().filter(|number: &u64| number.to_string() == id).ok_or(Error::NotYours)?;
    let platform = given.device.platform.unwrap_or_default();
    state.devices.set_address(caller, id, &PushAddress::parse(&given.device.push_token, &platform)?).await?;
    Ok(Device::done("ok"))
}
