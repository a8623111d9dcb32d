//! The web API's part of `auth`: registering, signing in and out.

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use domain::account::Account;
use domain::codes::Typed;
use domain::identity::{Registration, SignedIn};
use domain::login_identifier::LoginIdentifier;
use domain::password::Password;
use domain::phone::Phone;
use domain::session::{Lifetime, NewSession, PushTokens};
use domain::{Fault, Result as DomainResult};
use handset_http::api::ApiResult;
use handset_http::api::web::{DoneOrRefused, Either, User};
use handset_http::api::{Api, Web};
use handset_http::body::Params;
use handset_http::caller::{Origin, Signed};
use handset_http::fields::{Code, Mobile, PasswordText};
use handset_http::routes;
use handset_http::routes::Routes;
use handset_http::{cookie, lenient};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(post_users))
        .routes(routes!(post_sessions))
        .routes(routes!(get_session, delete_session))
}

/// A new account.
#[derive(Deserialize, ToSchema)]
#[schema(as = web::Register, example = json!({ "mobile": "13912345678", "sms_code": "123456", "password": "P@ssw0rd" }))]
struct Register {
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = Mobile)]
    mobile: String,
    #[serde(deserialize_with = "lenient::code")]
    #[schema(value_type = Code)]
    sms_code: Typed,
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = PasswordText)]
    password: String,
}

/// A phone number and its password.
#[derive(Deserialize, ToSchema)]
#[schema(as = web::SignIn, example = json!({ "mobile": "13912345678", "password": "P@ssw0rd" }))]
struct SignIn {
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = Mobile)]
    mobile: String,
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = PasswordText)]
    password: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = web::SignedInAs)]
struct SignedInAs {
    user_id: u64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = web::SessionOf)]
struct SessionOf {
    user_id: u64,
    name: String,
}

/// Register, and sign in.
#[utoipa::path(
    post, path = "/api/v1.0/users", tag = "web", operation_id = "web_post_users",
    request_body(content((Register = "application/json"), (Register = "application/x-www-form-urlencoded"))),
    responses((
        status = 200,
        description = "The new account, with the session in a cookie; or 4103 a field breaks its rule, 4002 no code was \
            requested or it has expired, 4004 the code is wrong, 4201 too many wrong tries, 4003 the number is registered",
        headers(("Set-Cookie" = String, description = "`web_session`, after a success.")),
        body = inline(Either<User>), example = json!({ "errno": "0", "errmsg": "OK", "data": {
            "user_id": 4_503_599_627_370_497_u64, "name": "13912345678", "mobile": "13912345678", "avatar": "",
            "avatar_url": "", "create_time": "2026-03-01 12:00:00",
        } }),
    )),
)]
async fn post_users(
    State(state): State<AppState>,
    origin: Origin,
    Params(given, _): Params<Web, Register>,
) -> ApiResult<Web> {
    let phone = Phone::parse("", &given.mobile)?;
    let code = state.identity.code(&given.sms_code)?;
    let password = Password::new(&given.password)?;
    let registration = Registration { password, name: None, details: std::collections::BTreeMap::default() };
    let signed_in =
        state.identity.register_by_code(&phone, &code, origin.address, registration, session(&state, &origin)).await?;
    let user = User::of(&signed_in.account, &state.url, &origin);
    Ok(with_cookie(Web::data(user), &state, &origin, &signed_in)?)
}

/// Sign in with a password.
///
/// An unknown number gives the same error as a wrong password. After ten failed attempts within ten minutes the number
/// is locked until the ten minutes are over.
#[utoipa::path(
    post, path = "/api/v1.0/sessions", tag = "web", operation_id = "web_post_sessions",
    request_body(content((SignIn = "application/json"), (SignIn = "application/x-www-form-urlencoded"))),
    responses((
        status = 200,
        description = "Signed in, with the session in a cookie; or 4004 the number or the password is wrong, 4201 too many \
            failed attempts, 4103 not a phone number",
        headers(("Set-Cookie" = String, description = "`web_session`, after a success.")),
        body = inline(Either<SignedInAs>), example = json!({ "errno": "0", "errmsg": "OK", "data": { "user_id": 4_503_599_627_370_497_u64 } }),
    )),
)]
async fn post_sessions(
    State(state): State<AppState>,
    origin: Origin,
    Params(given, _): Params<Web, SignIn>,
) -> ApiResult<Web> {
    let claim = LoginIdentifier::Phone(Phone::parse("", &given.mobile)?);
    let typed = Password::typed(&given.password)?;
    let signed_in = state.identity.sign_in_by_password(&claim, typed, origin.address, session(&state, &origin)).await?;
    let data = Web::data(SignedInAs { user_id: signed_in.account.id.get() });
    Ok(with_cookie(data, &state, &origin, &signed_in)?)
}

/// Check the session and return the current user.
#[utoipa::path(
    get, path = "/api/v1.0/session", tag = "web", operation_id = "web_get_session", security(("web_session" = [])),
    responses((
        status = 200,
        description = "The user's id and name; or 4101 not signed in",
        body = inline(Either<SessionOf>), example = json!({ "errno": "0", "errmsg": "OK", "data": { "user_id": 4_503_599_627_370_497_u64, "name": "Tom" } }),
    )),
)]
async fn get_session(State(state): State<AppState>, origin: Origin, Signed(caller, _): Signed<Web>) -> ApiResult<Web> {
    let account: Account = state.identity.account(caller).await?;
    let name = User::of(&account, &state.url, &origin).into_name();
    Ok(Web::data(SessionOf { user_id: account.id.get(), name }))
}

/// Sign out.
#[utoipa::path(
    delete, path = "/api/v1.0/session", tag = "web", operation_id = "web_delete_session",
    security(("web_session" = [])),
    responses((
        status = 200,
        description = "Signed out, and the cookie is removed; or 4101 not signed in",
        headers(("Set-Cookie" = String, description = "Removes `web_session`.")),
        body = inline(DoneOrRefused), example = json!({ "errno": "0", "errmsg": "OK" }),
    )),
)]
async fn delete_session(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<Web>,
) -> ApiResult<Web> {
    state.identity.sign_out(caller).await?;
    let mut done = Web::done();
    done.headers_mut().extend(cookie::take(Web::COOKIE, &origin).map(|line| (SET_COOKIE, line)));
    Ok(done)
}

fn session(state: &AppState, origin: &Origin) -> NewSession {
    let lifetime = Lifetime::Fixed(state.identity.policy.cookie_session);
    NewSession {
        api: Web::NAME,
        lifetime,
        push: PushTokens::default(),
        from: origin.address,
        device: origin.device.clone(),
    }
}

/// The response with the session cookie.
fn with_cookie(
    mut answer: Response,
    state: &AppState,
    origin: &Origin,
    signed_in: &SignedIn,
) -> DomainResult<Response> {
    let token = state.identity.session_token(signed_in, Web::NAME);
    let line = cookie::give(Web::COOKIE, &token, state.identity.policy.cookie_session, origin);
    let line = line.ok_or_else(|| Fault::new("giving a cookie", "the token does not fit a header"))?;
    answer.headers_mut().insert(SET_COOKIE, line);
    Ok(answer)
}
