//! Accounts: registering, and changing profiles.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::account::{Account, Caller, UserId};
use domain::identity::Registration;
use domain::login_identifier::Username;
use domain::password::Password;
use domain::person::PersonChange;
use domain::phone::Phone;
use domain::profile::Nickname;
use domain::{Error, Result as DomainResult, text};
use handset_http::api::ApiResult;
use handset_http::api::Rooms;
use handset_http::api::rooms::Refused;
use handset_http::body::{Changes, Params, Partial};
use handset_http::caller::Origin;
use handset_http::fields::{PasswordText, Text};
use handset_http::lenient;
use handset_http::routes;
use handset_http::routes::Routes;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::AppState;
use crate::routing::both;
use crate::wire::{GivenDetails, Success, User, UserPk, example, success};

pub(super) fn router() -> Routes<AppState> {
    let router = both(Routes::new(), routes!(post_users));
    let router = both(router, routes!(put_user));
    let router = both(router, routes!(put_users_password));
    both(router, routes!(put_password))
}

/// A new account.
#[derive(Deserialize, ToSchema)]
#[schema(as = rooms::NewUser)]
#[schema(example = json!({ "username": "12345", "password": "P@ssw0rd", "nickname": "never", "sex": "0" }))]
struct NewUser {
    /// 1 to 64 characters without spaces. Each username is unique.
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = Text)]
    username: String,
    /// 6 to 64 bytes without spaces.
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = PasswordText)]
    password: String,
    /// 1 to 64 characters.
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = Text)]
    nickname: String,
    #[serde(flatten)]
    details: GivenDetails,
}

/// Register with a username and a password.
///
/// `phone` is contact data: it cannot be used to sign in until the user proves it with a code.
#[utoipa::path(
    post, path = "/users/", tag = "rooms", operation_id = "rooms_post_users", request_body = NewUser,
    responses(
        (status = 200, description = "Registered and signed in", body = Success<User>,
            example = json!(example("200", "创建成功"))),
        (status = 400, description = "A field is missing or breaks its rule, or the username is taken",
            body = Refused, example = json!({ "status": "FAIL", "msg": "this username is taken", "code": "400" })),
    ),
)]
async fn post_users(
    State(state): State<AppState>,
    origin: Origin,
    Params(given, _): Params<Rooms, NewUser>,
) -> ApiResult<Rooms> {
    let username = Username::parse(&given.username)?;
    let registration = Registration {
        password: Password::new(&given.password)?,
        name: Some(Nickname::parse(&given.nickname)?),
        details: given.details.parse(&[])?,
    };
    let signed_in =
        state.identity.register_by_username(&username, registration, origin.address, state.session(&origin)).await?;
    let user = User::of(&state, &origin, &signed_in.account, state.token(&signed_in)).await?;
    Ok(success(StatusCode::OK, "创建成功", user))
}

/// A change to an account. Missing fields keep their value; an empty detail is removed.
#[derive(Deserialize, ToSchema)]
#[schema(as = rooms::UserChange)]
#[schema(example = json!({ "token": "…", "nickname": "never", "city": "上海" }))]
struct UserChange {
    token: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_text")]
    #[schema(value_type = Option<Text>)]
    username: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_text")]
    #[schema(value_type = Option<Text>)]
    nickname: Option<String>,
    #[serde(flatten)]
    details: GivenDetails,
}

impl Partial for UserChange {
    const FIELDS: &'static [&'static str] =
        &["username", "nickname", "sex", "age", "email", "phone", "country", "province", "city", "career"];
}

/// Change the current user's profile.
#[utoipa::path(
    put, path = "/users/{pk}/", tag = "rooms", operation_id = "rooms_put_user", security(("rooms_token" = [])),
    request_body(content = Option<UserChange>, content_type = "application/json"),
    params(("pk" = String, Path, description = "The current user's id", example = "4503599627370497")),
    responses(
        (status = 200, description = "Changed", body = Success<User>, example = json!(example("200", "修改成功"))),
        (status = 400, description = "A field breaks its rule, or the username is taken",
            body = Refused, example = json!({ "status": "FAIL", "msg": "sex is 0, 1 or 2", "code": "400" })),
        (status = 403, description = "The account belongs to another user", body = Refused, example = json!({ "status": "FAIL", "msg": "this belongs to another user", "code": "403" })),
    ),
)]
async fn put_user(
    State(state): State<AppState>,
    origin: Origin,
    UserPk(pk): UserPk,
    changes: Changes<Rooms, UserChange>,
) -> ApiResult<Rooms> {
    let caller = state.signed(changes.given.token.as_deref())?;
    own(&state, caller, pk).await?;
    changes.demand_unless_empty()?;
    let given = changes.given;
    // Forms send back all values that they displayed, and unset values are displayed as empty.
    let said = |field: Option<String>| field.filter(|text| !text.trim().is_empty());
    let change = PersonChange {
        name: said(given.nickname).as_deref().map(Nickname::parse).transpose()?,
        avatar: None,
        details: given.details.parse_change()?,
    };
    let username = said(given.username).as_deref().map(Username::parse).transpose()?;
    let account = state.people.change(caller, origin.address, username, &change).await?;
    let user = User::of(&state, &origin, &account, given.token.unwrap_or_default()).await?;
    Ok(success(StatusCode::OK, "修改成功", user))
}

/// Refuses a request for another user's account. For the caller's own account, the write that follows checks the
/// session. Otherwise the session is checked here, so that an ended token always gets the same error.
pub(super) async fn own(state: &AppState, caller: Caller, pk: UserId) -> DomainResult<()> {
    if pk == caller.user {
        return Ok(());
    }
    state.identity.account(caller).await?;
    Err(Error::NotYours)
}

/// A change of password.
#[derive(Deserialize, ToSchema)]
#[schema(as = rooms::PasswordChange)]
#[schema(example = json!({ "username": "12345", "old_password": "P@ssw0rd", "password": "P@ssw1rd", "token": "…" }))]
struct PasswordChange {
    /// The current user's username.
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = Text)]
    username: String,
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = PasswordText)]
    old_password: String,
    /// The new password: 6 to 64 bytes without spaces.
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = PasswordText)]
    password: String,
    token: Option<String>,
}

/// Change the password.
///
/// All sessions of the account end, in all APIs. The response has a new token.
#[utoipa::path(
    put, path = "/users/password/", tag = "rooms", operation_id = "rooms_put_users_password", security(("rooms_token" = [])), request_body = PasswordChange,
    responses(
        (status = 200, description = "Changed", body = Success<User>, example = json!(example("200", "修改成功"))),
        (status = 400, description = "The old password or the username is wrong, or the new one breaks its rule",
            body = Refused, example = json!({ "status": "FAIL", "msg": "wrong account or password", "code": "400" })),
    ),
)]
async fn put_users_password(
    State(state): State<AppState>,
    origin: Origin,
    Params(given, _): Params<Rooms, PasswordChange>,
) -> ApiResult<Rooms> {
    Ok(change_password(&state, &origin, given).await?)
}

/// Change the password (another path of the original documentation).
#[utoipa::path(
    put, path = "/password/", tag = "rooms", operation_id = "rooms_put_password", security(("rooms_token" = [])), request_body = PasswordChange,
    responses(
        (status = 200, description = "Changed", body = Success<User>, example = json!(example("200", "修改成功"))),
        (status = 400, description = "The old password or the username is wrong, or the new one breaks its rule",
            body = Refused, example = json!({ "status": "FAIL", "msg": "wrong account or password", "code": "400" })),
    ),
)]
async fn put_password(
    State(state): State<AppState>,
    origin: Origin,
    Params(given, _): Params<Rooms, PasswordChange>,
) -> ApiResult<Rooms> {
    Ok(change_password(&state, &origin, given).await?)
}

async fn change_password(state: &AppState, origin: &Origin, given: PasswordChange) -> DomainResult<Response> {
    let caller = state.signed(given.token.as_deref())?;
    let new = Password::new(&given.password)?;
    let account = state.identity.account(caller).await?;
    called(&account, &given.username)?;
    let old = Password::typed(&given.old_password)?;
    let (identity, session) = (&state.identity, state.session(origin));
    let signed_in = identity.change_password_and_session(caller, old, new, origin.address, session).await?;
    let user = User::of(state, origin, &signed_in.account, state.token(&signed_in)).await?;
    Ok(success(StatusCode::OK, "修改成功", user))
}

/// Refuses a name that is not the account's username, or its phone number if it has no username.
fn called(account: &Account, name: &str) -> DomainResult<()> {
    let same = if let Some(username) = &account.username {
        username == name || *username == text::composed(name)
    } else {
        let own: Option<Phone> = account.phone.as_ref().and_then(|phone| phone.parse().ok());
        let own = own.ok_or(Error::PasswordWrong)?;
        name.is_empty() || Phone::parse("", name).is_ok_and(|phone| phone == own)
    };
    if same { Ok(()) } else { Err(Error::PasswordWrong) }
}
