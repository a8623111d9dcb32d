//! The device API's part of `auth`.

use axum::extract::State;
use domain::Result as DomainResult;
use domain::codes::{Purpose, Typed};
use domain::devices::PushAddress;
use domain::identity::{Registration, SignedIn};
use domain::login_identifier::LoginIdentifier;
use domain::password::Password;
use domain::phone::Phone;
use domain::session::{Lifetime, NewSession, PushTokens};
use handset_http::api::ApiResult;
use handset_http::api::device::{DoneOrRefused, Either};
use handset_http::api::{Api, Device};
use handset_http::body::Params;
use handset_http::caller::{Origin, Signed};
use handset_http::fields::{Code, Mobile, Text};
use handset_http::lenient;
use handset_http::routes;
use handset_http::routes::Routes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(post_verify))
        .routes(routes!(post_register))
        .routes(routes!(post_login))
        .routes(routes!(put_update_password))
        .routes(routes!(post_logout))
}

/// A code, and the number it was sent to.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = device::Verify, example = json!({ "phoneNumber": "18514760073", "code": "485401" }))]
struct Verify {
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = Mobile)]
    phone_number: String,
    #[serde(deserialize_with = "lenient::code")]
    #[schema(value_type = Code)]
    code: Typed,
}

/// A phone number and a password.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = device::Credentials)]
struct Credentials {
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = Mobile)]
    phone_number: String,
    /// 6 to 64 bytes without spaces.
    password: String,
}

/// A push token.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = device::Address)]
struct Address {
    /// The push service's token for this device.
    push_token: Option<String>,
    /// 0 = Android (default), 1 = iOS.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    #[schema(value_type = Option<Text>)]
    platform: Option<String>,
}

/// A new account.
#[derive(Deserialize, ToSchema)]
#[schema(as = device::Register, example = json!({
    "code": "123456", "user": { "phoneNumber": "18514760074", "password": "test-password-11" },
    "device": { "pushToken": "baidu_push_channel_id", "platform": 0 },
}))]
struct Register {
    /// The code from the text message, requested with flag 0.
    #[serde(deserialize_with = "lenient::code")]
    #[schema(value_type = Code)]
    code: Typed,
    user: Credentials,
    device: Option<Address>,
}

/// A phone number, a password and the device's push token.
#[derive(Deserialize, ToSchema)]
#[schema(as = device::Login, example = json!({
    "user": { "phoneNumber": "18514760073", "password": "testpassword" },
    "device": { "pushToken": "baidu_push_channel_id", "platform": 1 },
}))]
struct Login {
    user: Credentials,
    device: Option<Address>,
}

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = device::UpdatePassword, example = json!({
    "phoneNumber": "18514760073", "code": "194940", "password": "qweqwe",
}))]
struct UpdatePassword {
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = Mobile)]
    phone_number: String,
    /// The code from the text message, requested with flag 1.
    #[serde(deserialize_with = "lenient::code")]
    #[schema(value_type = Code)]
    code: Typed,
    /// 6 to 64 bytes without spaces.
    password: String,
}

/// The number that the code was sent to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = device::Checked)]
struct Checked {
    phone_number: String,
}

/// A user.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = device::User)]
struct User {
    /// The user's id in this API: 1 to 2,147,483,647. Other APIs show other ids.
    #[schema(value_type = i32, minimum = 1)]
    id: u32,
    phone_number: String,
}

/// A new session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = device::Session)]
struct Session {
    user: User,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_fresh: Option<bool>,
    access_token: String,
}

/// Check a code.
///
/// Checking does not use up the code: it can still sign up or reset the password. A wrong code counts as one of its
/// five tries.
#[utoipa::path(
    post, path = "/verification_codes/verify", tag = "device", operation_id = "device_check_code",
    request_body = Verify,
    responses((
        status = 200, description = "The code is right; or `success` is false: it is wrong or expired, or none was requested",
        body = inline(Either<Checked>),
        example = json!({ "success": true, "msg": "ok", "data": { "phoneNumber": "18514760073" } }),
    )),
)]
async fn post_verify(
    State(state): State<AppState>,
    origin: Origin,
    Params(given, _): Params<Device, Verify>,
) -> ApiResult<Device> {
    let phone = Phone::parse("", &given.phone_number)?;
    let code = state.identity.code(&given.code)?;
    state.identity.check_code(&phone, &code, origin.address, &[Purpose::SignUp, Purpose::Recovery]).await?;
    Ok(Device::data(Checked { phone_number: given.phone_number }))
}

/// Sign up.
///
/// Needs a code that was requested with flag 0. The response also signs the user in.
#[utoipa::path(
    post, path = "/users/register", tag = "device", operation_id = "device_register",
    request_body = Register,
    responses((
        status = 200, description = "Signed up; or `success` is false: a wrong code, a taken number, a weak password",
        body = inline(Either<Session>),
        example = json!({ "success": true, "msg": "ok", "data": {
            "user": { "id": 13, "phoneNumber": "18514760074" }, "accessToken": "XAllpqfc5Mt7WZu8YBoWsw1482486131",
        } }),
    )),
)]
async fn post_register(
    State(state): State<AppState>,
    origin: Origin,
    Params(given, _): Params<Device, Register>,
) -> ApiResult<Device> {
    let phone = Phone::parse("", &given.user.phone_number)?;
    let code = state.identity.code(&given.code)?;
    let password = Password::new(&given.user.password)?;
    let registration = Registration { password, name: None, details: std::collections::BTreeMap::new() };
    let session = session(&state, &origin, given.device.as_ref())?;
    let signed_in = state.identity.register_by_code(&phone, &code, origin.address, registration, session).await?;
    answer(&state, &signed_in, given.user.phone_number, None).await
}

/// Sign in.
///
/// The push token is stored with the session and removed from the device's earlier sessions. `isFresh` is true if the
/// device, which is recognised by its push token, has no other session.
#[utoipa::path(
    post, path = "/users/login", tag = "device", operation_id = "device_login",
    request_body = Login,
    responses((
        status = 200, description = "Signed in; or `success` is false: wrong account or password, too many failures",
        body = inline(Either<Session>),
        example = json!({ "success": true, "msg": "ok", "data": {
            "user": { "id": 12, "phoneNumber": "18514760073" }, "isFresh": true,
            "accessToken": "XAllpqfc5Mt7WZu8YBoWsw1482486131",
        } }),
    )),
)]
async fn post_login(
    State(state): State<AppState>,
    origin: Origin,
    Params(given, _): Params<Device, Login>,
) -> ApiResult<Device> {
    let claim = LoginIdentifier::Phone(Phone::parse("", &given.user.phone_number)?);
    let password = Password::typed(&given.user.password)?;
    let session = session(&state, &origin, given.device.as_ref())?;
    let signed_in = state.identity.sign_in_by_password(&claim, password, origin.address, session).await?;
    let fresh = state.devices.settle(&signed_in).await?;
    answer(&state, &signed_in, given.user.phone_number, Some(fresh)).await
}

/// Set a new password.
///
/// Needs a code that was requested with flag 1. All sessions of the account end, in all APIs.
#[utoipa::path(
    put, path = "/users/update-password", tag = "device", operation_id = "device_update_password",
    request_body = UpdatePassword,
    responses((
        status = 200, description = "The password is set; or `success` is false: a wrong code, a weak password",
        body = inline(DoneOrRefused), example = json!({ "success": true, "msg": "修改密码成功" }),
    )),
)]
async fn put_update_password(
    State(state): State<AppState>,
    origin: Origin,
    Params(given, _): Params<Device, UpdatePassword>,
) -> ApiResult<Device> {
    let phone = Phone::parse("", &given.phone_number)?;
    let code = state.identity.code(&given.code)?;
    let password = Password::new(&given.password)?;
    state.identity.recover_by_code(&phone, &code, origin.address, password).await?;
    Ok(Device::done("修改密码成功"))
}

/// Sign out.
///
/// Ends the session and removes its push token.
#[utoipa::path(
    post, path = "/users/logout", tag = "device", operation_id = "device_logout",
    security(("access_token" = [])),
    responses(
        (status = 200, description = "Signed out", body = inline(DoneOrRefused), example = json!({ "success": true, "msg": "ok" })),
    ),
)]
async fn post_logout(State(state): State<AppState>, Signed(caller, _): Signed<Device>) -> ApiResult<Device> {
    state.devices.sign_out(caller).await?;
    Ok(Device::done("ok"))
}

/// A session as this API starts it.
fn session(state: &AppState, origin: &Origin, device: Option<&Address>) -> DomainResult<NewSession> {
    let token = |device: &Address| device.push_token.clone().filter(|token| !token.trim().is_empty());
    let push = match device.and_then(|device| Some((token(device)?, device.platform.as_deref().unwrap_or_default()))) {
        Some((token, platform)) => PushAddress::parse(&token, platform)?.into_tokens(),
        None => PushTokens::default(),
    };
    let lifetime = Lifetime::Fixed(state.identity.policy.device_session);
    Ok(NewSession { api: Device::NAME, lifetime, push, from: origin.address, device: origin.device.clone() })
}

async fn answer(
    state: &AppState,
    signed_in: &SignedIn,
    phone_number: String,
    is_fresh: Option<bool>,
) -> ApiResult<Device> {
    let id = state.device_ids.of(&signed_in.account).await?;
    Ok(Device::data(Session {
        user: User { id: id.get(), phone_number },
        is_fresh,
        access_token: state.identity.session_token(signed_in, Device::NAME),
    }))
}
