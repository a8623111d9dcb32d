//! Signing in and out: by password, by a provider, by code.

use axum::extract::State;
use axum::http::StatusCode;
use domain::codes::{AppHash, CodeRequest, Purpose, SolvedCaptcha, Typed};
use domain::identity::{SignedIn, Stranger, Vouching};
use domain::login_identifier::{LoginIdentifier, Provider, Subject, Username};
use domain::password::Password;
use domain::person::Detail;
use domain::phone::Phone;
use domain::profile::{Avatar, Nickname};
use domain::{Error, Result as DomainResult};
use handset_http::api::ApiResult;
use handset_http::api::rooms::{Done, Refused, success as success_status};
use handset_http::api::{Api, Rooms, Web};
use handset_http::body::{Params, missing};
use handset_http::caller::Origin;
use handset_http::fields::{AppHashText, Code, Mobile, PasswordText, Text};
use handset_http::routes;
use handset_http::routes::Routes;
use handset_http::{constant, lenient};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use crate::AppState;
use crate::routing::both;
use crate::wire::{GivenDetails, Nothing, Success, User, example, success};

pub(super) fn router() -> Routes<AppState> {
    let router = both(Routes::new(), routes!(post_snslogin));
    let router = both(router, routes!(post_login));
    let router = both(router, routes!(post_logout));
    both(router, routes!(post_phonelogin, get_phonelogin))
}

/// A user's data from a sign-in provider. Existing clients send it in the query string with an empty body.
#[derive(Deserialize, ToSchema)]
#[schema(as = rooms::SnsLogin)]
#[schema(example = json!({
    "username": "12345", "nickname": "never", "login_type": "1", "snsid": "oGZUI0egBJY1zhBYw2KhdUfwVJJE",
    "access_token": "…", "icon": "https://example.com/tests1.jpg",
}))]
struct SnsLogin {
    /// The user's name at the provider. It cannot be used to sign in.
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = Text)]
    username: String,
    /// 1 to 64 characters, or empty.
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = Text)]
    nickname: String,
    /// 1 = `WeChat`, 2 = QQ, 3 = Weibo.
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = Text)]
    login_type: String,
    /// The user's id at the provider.
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = Text)]
    snsid: String,
    /// The access token from the provider. Handset checks it with the provider.
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = Text)]
    access_token: String,
    /// The URL of the user's picture: http(s), 12 to 256 characters. Any other value is ignored.
    icon: String,
    #[serde(flatten)]
    details: GivenDetails,
}

/// Sign in through `WeChat`, QQ or Weibo.
///
/// Handset asks the provider whether the token belongs to `snsid` and to this app. The first sign-in creates the
/// account with the sent data; later sign-ins do not change it.
#[utoipa::path(
    post, path = "/snslogin/", tag = "rooms", operation_id = "rooms_post_snslogin", request_body = SnsLogin,
    responses(
        (status = 201, description = "The first sign-in: an account was created", body = Success<User>,
            example = json!(example("201", "登录成功"))),
        (status = 200, description = "Signed in", body = Success<User>, example = json!(example("200", "登录成功"))),
        (status = 400, description = "A field is missing or breaks its rule, or the provider does not accept the token",
            body = Refused, example = json!({ "status": "FAIL", "msg": "the sign-in provider did not accept this token for this user and app", "code": "400" })),
    ),
)]
async fn post_snslogin(
    State(state): State<AppState>,
    origin: Origin,
    Params(given, _): Params<Rooms, SnsLogin>,
) -> ApiResult<Rooms> {
    let provider = provider(&given.login_type)?;
    let subject = Subject::parse(&given.snsid)?;
    // The provider sends these values, and the user cannot change them here. A value that breaks its rule is left out,
    // and the user still signs in.
    let name = Nickname::parse(&given.nickname).ok();
    let avatar = Avatar::parse(given.icon.trim()).ok();
    let called = Detail::DisplayName.parse(&given.username).unwrap_or_default();
    let more = [(Detail::LoginType, given.login_type.as_str()), (Detail::DisplayName, called.as_str())];
    let details = given.details.parse_kept(&more);
    let vouching = Vouching { provider, subject, access_token: given.access_token, from: origin.address };
    let (stranger, session) = (Stranger { name, avatar, details, ..Stranger::default() }, state.session(&origin));
    let signed_in = state.identity.sign_in_by_provider(&*state.providers, vouching, stranger, session).await?;
    let status = if signed_in.new_account { StatusCode::CREATED } else { StatusCode::OK };
    answer(&state, &origin, status, &signed_in).await
}

fn provider(login_type: &str) -> DomainResult<Provider> {
    match login_type.trim() {
        "1" => Ok(Provider::WeChat),
        "2" => Ok(Provider::Qq),
        "3" => Ok(Provider::Weibo),
        _ => Err(Error::Invalid { field: "login_type", rule: "must be 1 (WeChat), 2 (QQ) or 3 (Weibo)" }),
    }
}

/// A username and its password.
#[derive(Deserialize, ToSchema)]
#[schema(as = rooms::Login)]
#[schema(example = json!({ "username": "12345", "password": "P@ssw0rd" }))]
struct Login {
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = Text)]
    username: String,
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = PasswordText)]
    password: String,
}

/// Sign in with a username and a password.
#[utoipa::path(
    post, path = "/login/", tag = "rooms", operation_id = "rooms_post_login", request_body = Login,
    responses(
        (status = 200, description = "Signed in", body = Success<User>, example = json!(example("200", "登录成功"))),
        (status = 400, description = "The username or the password is wrong, or there were too many failures",
            body = Refused, example = json!({ "status": "FAIL", "msg": "wrong account or password", "code": "400" })),
    ),
)]
async fn post_login(
    State(state): State<AppState>,
    origin: Origin,
    Params(given, _): Params<Rooms, Login>,
) -> ApiResult<Rooms> {
    // A name that breaks the rule gives the same error as a name that no account has.
    let username = Username::stored(&given.username).map_err(|_| Error::PasswordWrong)?;
    let typed = Password::typed(&given.password)?;
    let claim = LoginIdentifier::Username(state.identity.known_as(username).await?);
    let signed_in = state.identity.sign_in_by_password(&claim, typed, origin.address, state.session(&origin)).await?;
    answer(&state, &origin, StatusCode::OK, &signed_in).await
}

/// A token to end.
#[derive(Deserialize, ToSchema)]
#[schema(as = rooms::Logout)]
#[schema(example = json!({ "token": "…" }))]
struct Logout {
    token: Option<String>,
}

/// Sign out. The token stops working.
#[utoipa::path(
    post, path = "/logout/", tag = "rooms", operation_id = "rooms_post_logout", security(("rooms_token" = [])),
    request_body(content = Option<Logout>, content_type = "application/json"),
    responses(
        (status = 200, description = "Signed out", body = Done, example = json!({ "status": "SUCCESS", "msg": "注销成功", "code": "200" })),
    ),
)]
async fn post_logout(State(state): State<AppState>, Params(given, _): Params<Rooms, Logout>) -> ApiResult<Rooms> {
    let caller = state.signed(given.token.as_deref())?;
    state.people.sign_out(caller).await?;
    Ok(success(StatusCode::OK, "注销成功", Nothing {}))
}

/// A phone number and, to sign in, the code that was sent to it.
#[derive(Deserialize, ToSchema)]
#[schema(as = rooms::PhoneLogin)]
#[schema(example = json!({ "phone": "18752000500" }))]
struct PhoneLogin {
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = Mobile)]
    phone: String,
    /// The code from the text message; or, with `captcha_id`, the characters that a picture shows.
    #[serde(default, deserialize_with = "lenient::optional_code")]
    #[schema(value_type = Option<Code>)]
    captcha: Option<Typed>,
    /// The id of a picture, chosen by the client: it is at `GET /api/v1.0/imagecode/<id>`. Send it with the request for
    /// a code if the response says that a captcha is needed.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    #[schema(value_type = Option<Text>)]
    captcha_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_text")]
    #[schema(value_type = Option<AppHashText>)]
    app_hash: Option<String>,
}

/// A code was sent.
#[derive(Serialize)]
struct CodeSent {
    /// The code itself, if responses show codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    captcha: Option<String>,
}

/// The code was sent.
#[derive(ToSchema)]
#[schema(as = rooms::CodeSentResponse)]
#[expect(dead_code, reason = "only described")]
struct CodeSentResponse {
    #[schema(schema_with = success_status)]
    status: String,
    #[schema(schema_with = code_sent)]
    msg: String,
    /// The HTTP status, as a string.
    #[schema(pattern = "^2[0-9]{2}$")]
    code: String,
    /// The code, only with `ExposeCodes=true` (the local run).
    captcha: Option<String>,
}

fn code_sent() -> Object {
    constant::text("发送成功", "The code was sent.")
}

/// The response of `POST /phonelogin/`: the user if the request has a code; otherwise that a code was sent.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, clippy::large_enum_variant, reason = "only described")]
enum CodeOrUser {
    User(Success<User>),
    Code(CodeSentResponse),
}

/// Request a code; with `captcha`, sign in with it.
#[utoipa::path(
    post, path = "/phonelogin/", tag = "rooms", operation_id = "rooms_post_phonelogin", request_body = PhoneLogin,
    responses(
        (status = 200, description = "The code was sent; or, with `captcha`, the user is signed in", body = inline(CodeOrUser), examples(
            ("code sent" = (value = json!({ "status": "SUCCESS", "msg": "发送成功", "code": "200" }))),
            ("signed in" = (value = json!(example("200", "登录成功")))),
        )),
        (status = 400, description = "Not a phone number, too soon, too many codes, a wrong code, or the text message could not be sent",
            body = Refused, example = json!({ "status": "FAIL", "msg": "a code was sent a moment ago; try again in 42 s", "code": "400" })),
    ),
)]
async fn post_phonelogin(
    State(state): State<AppState>,
    origin: Origin,
    Params(given, _): Params<Rooms, PhoneLogin>,
) -> ApiResult<Rooms> {
    let phone = Phone::parse("", &given.phone)?;
    let typed = given.captcha.as_ref().map(Typed::to_string);
    let captcha = SolvedCaptcha::from_fields(Web::NAME, given.captcha_id.as_deref(), typed.as_deref())?;
    // A client that shows no picture may send both fields empty.
    let shows_none = given.captcha_id.is_some() && typed.is_none_or(|typed| typed.trim().is_empty());
    if let Some(code) = given.captcha.filter(|_| captcha.is_none() && !shows_none) {
        return sign_in_by_code(&state, &origin, &phone, &code).await;
    }
    let app_hash = AppHash::from_field(given.app_hash.as_deref())?;
    let request = CodeRequest { phone: &phone, purpose: Purpose::SignIn, from: origin.address, captcha, app_hash };
    let code = state.sender.send(request).await?;
    Ok(success(StatusCode::OK, "发送成功", CodeSent { captcha: Some(code).filter(|_| state.expose) }))
}

/// Sign in with a code. If the number has no account, one is created.
#[utoipa::path(
    get, path = "/phonelogin/", tag = "rooms", operation_id = "rooms_get_phonelogin",
    params(
        ("phone" = Mobile, Query, description = "Phone number: of mainland China, or with `+` and the country calling code", example = "18752000500"),
        ("captcha" = Code, Query, description = "The code from the text message", example = "123456"),
    ),
    responses(
        (status = 200, description = "Signed in", body = Success<User>, example = json!(example("200", "登录成功"))),
        (status = 400, description = "Not a phone number, or the code is wrong",
            body = Refused, example = json!({ "status": "FAIL", "msg": "wrong code", "code": "400" })),
    ),
)]
async fn get_phonelogin(
    State(state): State<AppState>,
    origin: Origin,
    Params(given, _): Params<Rooms, PhoneLogin>,
) -> ApiResult<Rooms> {
    let phone = Phone::parse("", &given.phone)?;
    let code = given.captcha.ok_or_else(|| missing("captcha"))?;
    sign_in_by_code(&state, &origin, &phone, &code).await
}

async fn sign_in_by_code(state: &AppState, origin: &Origin, phone: &Phone, code: &Typed) -> ApiResult<Rooms> {
    let code = state.identity.code(code)?;
    let signed_in = state.identity.sign_in_by_code(phone, &code, origin.address, state.session(origin)).await?;
    answer(state, origin, StatusCode::OK, &signed_in).await
}

async fn answer(state: &AppState, origin: &Origin, status: StatusCode, signed_in: &SignedIn) -> ApiResult<Rooms> {
    let user = User::of(state, origin, &signed_in.account, state.token(signed_in)).await?;
    Ok(success(status, "登录成功", user))
}
