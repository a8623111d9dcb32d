//! Push tokens in the messenger API.

use axum::extract::State;
use domain::session::{PushService, PushTokens};
use domain::{Error, Result as DomainResult};
use handset_http::api::ApiResult;
use handset_http::api::Messenger;
use handset_http::api::messenger::{Done, Refused};
use handset_http::body::{Params, ok};
use handset_http::caller::Signed;
use handset_http::routes;
use handset_http::routes::Routes;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(post_bind)).routes(routes!(post_unbind))
}

/// Push tokens of a device. Send at least one.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "apns_device_token": "7c1f0e4e5f4b4a7d8f9c2b1a0e6d5c4b3a29181716151413121110090807f6e5" }))]
#[expect(clippy::struct_field_names, reason = "the fields of the request are called so")]
struct DeviceTokens {
    /// Apple's device token, in hexadecimal.
    apns_device_token: Option<String>,
    /// The token of the messenger's own push service for Android.
    ng_device_token: Option<String>,
    /// The token of Firebase Cloud Messaging.
    gcm_device_token: Option<String>,
    /// The token of Tencent XG.
    xg_device_token: Option<String>,
    /// The token of Xiaomi's push service.
    xm_device_token: Option<String>,
    /// The token of Huawei's push service.
    hw_device_token: Option<String>,
    /// The token of Aurora (`JPush`).
    jp_device_token: Option<String>,
}

impl DeviceTokens {
    fn parse(&self) -> DomainResult<PushTokens> {
        let tokens = PushTokens::parse([
            (PushService::Apns, self.apns_device_token.as_deref()),
            (PushService::Ng, self.ng_device_token.as_deref()),
            (PushService::Gcm, self.gcm_device_token.as_deref()),
            (PushService::Xg, self.xg_device_token.as_deref()),
            (PushService::Xm, self.xm_device_token.as_deref()),
            (PushService::Hw, self.hw_device_token.as_deref()),
            (PushService::Jp, self.jp_device_token.as_deref()),
        ])?;
        let rule = "is missing; send one of apns, ng, gcm, xg, xm, hw and jp_device_token";
        if tokens.services.is_empty() { Err(Error::Invalid { field: "device token", rule }) } else { Ok(tokens) }
    }
}

/// Store push tokens in the current session.
///
/// If another session of the user has one of these tokens, the token moves to this session. This session keeps its
/// tokens of other push services. Push notifications are sent through Apple (`apns`) and Firebase (`ng`, `gcm`); tokens
/// of the other services are only stored.
#[utoipa::path(
    post, path = "/device/bind", tag = "messenger", request_body = DeviceTokens, security(("bearer" = [])),
    responses(
        (status = 200, description = "Stored", body = Done),
        (status = 400, description = "There is no push token, or one has more than 512 bytes", body = Refused,
            example = json!({ "error": "device token must have at most 512 printable bytes", "kind": "invalid" })),
    ),
)]
async fn post_bind(
    State(state): State<AppState>,
    Signed(caller, _): Signed<Messenger>,
    Params(given, _): Params<Messenger, DeviceTokens>,
) -> ApiResult<Messenger> {
    state.devices.bind(caller, &given.parse()?).await?;
    Ok(ok(Done {}))
}

/// Remove push tokens from the current user's sessions.
///
/// It is not an error if no session has the token.
#[utoipa::path(
    post, path = "/device/unbind", tag = "messenger", request_body = DeviceTokens, security(("bearer" = [])),
    responses(
        (status = 200, description = "Removed", body = Done),
        (status = 400, description = "There is no push token, or one has more than 512 bytes", body = Refused,
            example = json!({ "error": "device token must have at most 512 printable bytes", "kind": "invalid" })),
    ),
)]
async fn post_unbind(
    State(state): State<AppState>,
    Signed(caller, _): Signed<Messenger>,
    Params(given, _): Params<Messenger, DeviceTokens>,
) -> ApiResult<Messenger> {
    state.devices.unbind(caller, &given.parse()?).await?;
    Ok(ok(Done {}))
}
