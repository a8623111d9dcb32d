//! The `SealTalk` API's part of `auth`: proving a number, registering, signing in and out.

mod passwords;
mod tokens;

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use domain::codes::Typed;
use domain::identity::{Registration, SignedIn};
use domain::login_identifier::LoginIdentifier;
use domain::phone::Phone;
use domain::session::{Lifetime, NewSession, PushTokens};
use domain::{Fault, Result as DomainResult, short_id};
use handset_http::api::ApiResult;
use handset_http::api::sealtalk::{Done, Either, Refused, Success};
use handset_http::api::{Api, SealTalk};
use handset_http::body::Params;
use handset_http::caller::{Origin, Signed};
use handset_http::fields::{Code, Number, Zone};
use handset_http::routes;
use handset_http::routes::Routes;
use handset_http::{cookie, lenient};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AppState;

pub(super) fn router() -> Routes<AppState> {
    let router = Routes::new()
        .routes(routes!(check_phone_available))
        .routes(routes!(verify_code))
        .routes(routes!(register))
        .routes(routes!(login))
        .routes(routes!(logout));
    router.merge(passwords::router()).merge(tokens::router())
}

/// A phone number.
#[derive(Deserialize, ToSchema)]
#[schema(as = sealtalk::Phone, example = json!({ "region": 86, "phone": 13_912_345_678_u64 }))]
struct RegionAndPhone {
    #[serde(default, deserialize_with = "lenient::text_or_empty")]
    #[schema(value_type = Option<Zone>)]
    region: String,
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = Number)]
    phone: String,
}

/// A code, and the number it was sent to.
#[derive(Deserialize, ToSchema)]
#[schema(as = sealtalk::VerifyCode, example = json!({ "region": 86, "phone": 13_912_345_678_u64, "code": "123456" }))]
struct VerifyCode {
    #[serde(default, deserialize_with = "lenient::text_or_empty")]
    #[schema(value_type = Option<Zone>)]
    region: String,
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = Number)]
    phone: String,
    #[serde(deserialize_with = "lenient::code")]
    #[schema(value_type = Code)]
    code: Typed,
}

/// A new account.
#[derive(Deserialize, ToSchema)]
#[schema(as = sealtalk::Register, example = json!({
    "nickname": "Tom", "password": "P@ssw0rd", "verification_token": "75dd0f90-9b0d-41e5-803f-59b82644bc50",
}))]
struct Register {
    /// 1 to 32 bytes.
    nickname: String,
    /// 6 to 20 bytes without spaces.
    password: String,
    /// The `verification_token` of `verify_code`.
    verification_token: String,
}

/// A phone number and its password.
#[derive(Deserialize, ToSchema)]
#[schema(as = sealtalk::Login, example = json!({
    "region": 86, "phone": 13_912_345_678_u64, "password": "P@ssw0rd",
}))]
struct Login {
    #[serde(default, deserialize_with = "lenient::text_or_empty")]
    #[schema(value_type = Option<Zone>)]
    region: String,
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = Number)]
    phone: String,
    /// The password.
    password: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::Verified)]
struct Verified {
    verification_token: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::Registered)]
struct Registered {
    id: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::LoggedIn)]
struct LoggedIn {
    id: String,
    token: String,
}

/// Check whether a phone number can register.
#[utoipa::path(
    post, path = "/user/check_phone_available", tag = "sealtalk", operation_id = "sealtalk_check_phone_available",
    request_body = RegionAndPhone,
    responses(
        (status = 200, description = "Whether the number can still register. Code 5000: too many checks from this IP address",
            body = inline(Either<bool>), example = json!({ "code": 200, "result": true })),
        (status = 400, description = "Not a phone number, or not a mobile one",
            body = Refused, example = json!({ "code": 400, "message": "number is not a valid phone number; write it without the country code, which has a field of its own" })),
    ),
)]
async fn check_phone_available(
    State(state): State<AppState>,
    origin: Origin,
    Params(given, _): Params<SealTalk, RegionAndPhone>,
) -> ApiResult<SealTalk> {
    let phone = Phone::parse(&given.region, &given.phone)?;
    // A number that cannot receive a code cannot register.
    phone.takes_texts()?;
    let claim = LoginIdentifier::Phone(phone);
    Ok(SealTalk::result(!state.identity.is_taken(&claim, origin.address).await?))
}

/// Exchange a code for a verification token.
///
/// The token proves the number to `register` or `reset_password`. It can be used once, within ten minutes. A code
/// allows five wrong tries.
#[utoipa::path(
    post, path = "/user/verify_code", tag = "sealtalk", operation_id = "sealtalk_verify_code",
    request_body = VerifyCode,
    responses(
        (status = 200, description = "The token. Code 1000: the code is wrong. Code 2000: it has expired",
            body = inline(Either<Verified>), examples(
                ("success" = (value = json!({
                    "code": 200, "result": { "verification_token": "75dd0f90-9b0d-41e5-803f-59b82644bc50" },
                }))),
                ("wrong code" = (value = json!({ "code": 1_000, "message": "wrong code" }))),
            )),
        (status = 400, description = "Not a phone number, or a field is missing or empty",
            body = Refused, example = json!({ "code": 400, "message": "number is not a valid phone number; write it without the country code, which has a field of its own" })),
        (status = 404, description = "No code was requested, or it was used already",
            body = Refused, example = json!({ "code": 404, "message": "no code to check: it was used already or never requested; request a new one" })),
    ),
)]
async fn verify_code(
    State(state): State<AppState>,
    origin: Origin,
    Params(given, _): Params<SealTalk, VerifyCode>,
) -> ApiResult<SealTalk> {
    let phone = Phone::parse(&given.region, &given.phone)?;
    let code = state.identity.code(&given.code)?;
    let verification_token = state.identity.verify_code(&phone, &code, origin.address).await?;
    Ok(SealTalk::secret(Verified { verification_token }))
}

/// Register.
///
/// The response also signs the user in: the session is in the cookie `sealtalk_session`, for 30 days.
#[utoipa::path(
    post, path = "/user/register", tag = "sealtalk", operation_id = "sealtalk_register", request_body = Register,
    responses(
        (status = 200, description = "The new account's id",
            headers(("Set-Cookie" = String, description = "`sealtalk_session`.")),
            body = inline(Success<Registered>), example = json!({ "code": 200, "result": { "id": "5Vg2Xh9f" } })),
        (status = 400, description = "The number is registered, or a field breaks its rule: a verification token is a UUID",
            body = Refused, example = json!({ "code": 400, "message": "this number is taken" })),
        (status = 404, description = "The verification token is unknown, has expired or was used",
            body = Refused, example = json!({ "code": 404, "message": "the verification token is unknown, expired or already used; request a new code" })),
    ),
)]
async fn register(
    State(state): State<AppState>,
    origin: Origin,
    Params(given, _): Params<SealTalk, Register>,
) -> ApiResult<SealTalk> {
    let registration = Registration {
        password: SealTalk::password(&given.password)?,
        name: Some(SealTalk::nickname(&given.nickname)?),
        details: std::collections::BTreeMap::new(),
    };
    let token = SealTalk::verification_token(&given.verification_token)?;
    let signed_in = state.identity.register_by_verification(token, registration, session(&state, &origin)).await?;
    let registered = SealTalk::result(Registered { id: short_id::encode(signed_in.account.id) });
    Ok(with_cookie(registered, &state, &origin, &signed_in)?)
}

/// Sign in with a password.
///
/// The session is in the cookie `sealtalk_session`, for 30 days. `token` is for the chat service, as in `get_token`.
#[utoipa::path(
    post, path = "/user/login", tag = "sealtalk", operation_id = "sealtalk_login", request_body = Login,
    responses(
        (status = 200, description = "Signed in. Code 1000: the number or the password is wrong",
            body = inline(Either<LoggedIn>), headers(("Set-Cookie" = String, description = "`sealtalk_session`, after a success.")),
            examples(
                ("success" = (value = json!({ "code": 200, "result": { "id": "5Vg2Xh9f", "token": "eyJ0eXAiOiJKV1QiLCJhbGci…" } }))),
                ("wrong password" = (value = json!({ "code": 1_000, "message": "wrong account or password" }))),
            )),
        (status = 400, description = "Not a phone number, or a field is missing or empty",
            body = Refused, example = json!({ "code": 400, "message": "number is not a valid phone number; write it without the country code, which has a field of its own" })),
    ),
)]
async fn login(
    State(state): State<AppState>,
    origin: Origin,
    Params(given, _): Params<SealTalk, Login>,
) -> ApiResult<SealTalk> {
    let claim = LoginIdentifier::Phone(Phone::parse(&given.region, &given.phone)?);
    let typed = SealTalk::typed_password("password", &given.password)?;
    let signed_in = state.identity.sign_in_by_password(&claim, typed, origin.address, session(&state, &origin)).await?;
    let token = match tokens::chat_token(&state, &origin, &signed_in.account).await {
        Ok(token) => token,
        Err(fault) => {
            // The client does not learn of the sign-in, so the session is removed.
            state.identity.sign_out(signed_in.caller).await?;
            return Err(fault.into());
        }
    };
    let logged_in = SealTalk::result(LoggedIn { id: short_id::encode(signed_in.account.id), token });
    Ok(with_cookie(logged_in, &state, &origin, &signed_in)?)
}

/// Sign out.
#[utoipa::path(
    post, path = "/user/logout", tag = "sealtalk", operation_id = "sealtalk_logout",
    security(("sealtalk_session" = [])),
    responses(
        (status = 200, description = "Signed out; the cookie is removed", body = Done,
            headers(("Set-Cookie" = String, description = "Removes `sealtalk_session`."))),
    ),
)]
async fn logout(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<SealTalk>,
) -> ApiResult<SealTalk> {
    state.identity.sign_out(caller).await?;
    let mut done = SealTalk::done();
    done.headers_mut().extend(cookie::take(SealTalk::COOKIE, &origin).map(|line| (SET_COOKIE, line)));
    Ok(done)
}

fn session(state: &AppState, origin: &Origin) -> NewSession {
    let lifetime = Lifetime::Fixed(state.identity.policy.cookie_session);
    NewSession {
        api: SealTalk::NAME,
        lifetime,
        push: PushTokens::default(),
        from: origin.address,
        device: origin.device.clone(),
    }
}

/// The response with the session cookie and no other cookie, because one of the clients keeps only the first cookie.
fn with_cookie(
    mut answer: Response,
    state: &AppState,
    origin: &Origin,
    signed_in: &SignedIn,
) -> DomainResult<Response> {
    let token = state.identity.session_token(signed_in, SealTalk::NAME);
    let line = cookie::give(SealTalk::COOKIE, &token, state.identity.policy.cookie_session, origin);
    let line = line.ok_or_else(|| Fault::new("giving a cookie", "the token does not fit a header"))?;
    answer.headers_mut().insert(SET_COOKIE, line);
    Ok(answer)
}
