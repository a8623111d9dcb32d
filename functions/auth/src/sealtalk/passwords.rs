//! Passwords in the `SealTalk` API.

use axum::extract::State;
use handset_http::api::ApiResult;
use handset_http::api::SealTalk;
use handset_http::api::sealtalk::{Done, DoneOrRefused, Refused};
use handset_http::body::Params;
use handset_http::caller::{Origin, Signed};
use handset_http::routes;
use handset_http::routes::Routes;
use serde::Deserialize;
use utoipa::ToSchema;

use super::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(reset_password)).routes(routes!(change_password))
}

/// A new password and a verification token.
#[derive(Deserialize, ToSchema)]
#[schema(as = sealtalk::ResetPassword, example = json!({
    "password": "P@ssw0rd", "verification_token": "75dd0f90-9b0d-41e5-803f-59b82644bc50",
}))]
struct ResetPassword {
    /// 6 to 20 bytes without spaces.
    password: String,
    /// The `verification_token` of `verify_code`.
    verification_token: String,
}

/// The old password and the new one.
#[derive(Deserialize, ToSchema)]
#[schema(as = sealtalk::ChangePassword, example = json!({
    "oldPassword": "P@ssw0rdOld", "newPassword": "P@ssw0rdNew",
}))]
#[serde(rename_all = "camelCase")]
struct ChangePassword {
    /// The current password.
    old_password: String,
    /// 6 to 20 bytes without spaces.
    new_password: String,
}

/// Set a new password with a verification token.
///
/// All sessions of the account end, in all APIs.
#[utoipa::path(
    post, path = "/user/reset_password", tag = "sealtalk", operation_id = "sealtalk_reset_password",
    request_body = ResetPassword,
    responses(
        (status = 200, description = "Set", body = Done, example = json!({ "code": 200 })),
        (status = 400, description = "The password breaks its rule, or the verification token is not a UUID",
            body = Refused, example = json!({ "code": 400, "message": "password has 6 to 20 bytes and no spaces" })),
        (status = 404, description = "The verification token is unknown, has expired or was used, or its number has no account",
            body = Refused, example = json!({ "code": 404, "message": "the verification token is unknown, expired or already used; request a new code" })),
    ),
)]
async fn reset_password(
    State(state): State<AppState>,
    origin: Origin,
    Params(given, _): Params<SealTalk, ResetPassword>,
) -> ApiResult<SealTalk> {
    let password = SealTalk::password(&given.password)?;
    let token = SealTalk::verification_token(&given.verification_token)?;
    state.identity.recover_by_verification(token, password, origin.address).await?;
    Ok(SealTalk::done())
}

/// Change the password.
///
/// The account's other sessions end, in all APIs; this session stays.
#[utoipa::path(
    post, path = "/user/change_password", tag = "sealtalk", operation_id = "sealtalk_change_password",
    security(("sealtalk_session" = [])), request_body = ChangePassword,
    responses(
        (status = 200, description = "Changed. Code 1000: the old password is wrong",
            body = inline(DoneOrRefused), examples(
                ("success" = (value = json!({ "code": 200 }))),
                ("wrong password" = (value = json!({ "code": 1_000, "message": "wrong account or password" }))),
            )),
        (status = 400, description = "The new password breaks its rule, or the old one is empty",
            body = Refused, example = json!({ "code": 400, "message": "password must have 6 to 20 bytes and no spaces" })),
    ),
)]
async fn change_password(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<SealTalk>,
    Params(given, _): Params<SealTalk, ChangePassword>,
) -> ApiResult<SealTalk> {
    let old = SealTalk::typed_password("oldPassword", &given.old_password)?;
    let new = SealTalk::password(&given.new_password)?;
    state.identity.change_password(caller, old, new, origin.address).await?;
    Ok(SealTalk::done())
}
