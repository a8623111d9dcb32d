//! The web API's part of `profiles`: the user's profile and real name.

use axum::extract::State;
use axum::response::Response;
use domain::Result as DomainResult;
use domain::account::Caller;
use domain::profile::{Nickname, ProfileChange};
use domain::real_name::IdentityDocument;
use handset_http::api::web::{DoneOrRefused, Either, User, Words};
use handset_http::api::{Refusal, Web};
use handset_http::body::Params;
use handset_http::caller::{Origin, Signed};
use handset_http::fields::Text;
use handset_http::lenient;
use handset_http::routes;
use handset_http::routes::Routes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(get_user))
        .routes(routes!(put_name, post_name))
        .routes(routes!(post_real_name, get_real_name))
}

/// A new name.
#[derive(Deserialize, Serialize, ToSchema)]
#[schema(as = web::Name, example = json!({ "name": "Tom" }))]
struct Name {
    /// 1 to 64 characters.
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = Text)]
    name: String,
}

/// A real name and an ID number.
#[derive(Deserialize, ToSchema)]
#[schema(as = web::RealName, example = json!({ "real_name": "张三", "id_card": "11010519491231002X" }))]
struct RealName {
    /// The name on the identity card.
    real_name: String,
    /// The 18-digit number of a mainland identity card.
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = Text)]
    id_card: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = web::Known)]
struct Known {
    user_id: u64,
    /// Null until it is submitted.
    real_name: Option<String>,
    /// Null until it is submitted.
    id_card: Option<String>,
}

/// Get the current user's profile.
///
/// `create_time` is the time in China. If the user has no name, `name` is their phone number.
#[utoipa::path(
    get, path = "/api/v1.0/user", tag = "web", operation_id = "web_get_user", security(("web_session" = [])),
    responses((
        status = 200,
        description = "The profile; or 4101 not signed in",
        body = inline(Either<User>), example = json!({ "errno": "0", "errmsg": "OK", "data": {
            "user_id": 4_503_599_627_370_497_u64, "name": "Tom", "mobile": "13912345678",
            "avatar": "https://api.example.com/images/0123456789abcdef0123456789abcdef.jpg",
            "avatar_url": "https://api.example.com/images/0123456789abcdef0123456789abcdef.jpg",
            "create_time": "2026-03-01 12:00:00",
        } }),
    )),
)]
async fn get_user(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<Web>,
) -> Result<Response, Refusal<Web>> {
    let account = state.identity.account(caller).await?;
    Ok(Web::data(User::of(&account, &state.url, &origin)))
}

/// Set the current user's name.
#[utoipa::path(
    put, path = "/api/v1.0/user/name", tag = "web", operation_id = "web_put_user_name",
    security(("web_session" = [])),
    request_body(content((Name = "application/json"), (Name = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "Set; or 4103 the name does not have 1 to 64 characters, 4101 not signed in, 4001 it could not be stored",
            body = inline(Either<Name>), example = json!({ "errno": "0", "errmsg": "OK", "data": { "name": "Tom" } })),
    ),
)]
async fn put_name(
    State(state): State<AppState>,
    Signed(caller, _): Signed<Web>,
    Params(given, _): Params<Web, Name>,
) -> Response {
    Web::answer(rename(&state, caller, &given.name).await, &[Words::of_fault("4001", "保存用户信息失败")])
}

/// Set the current user's name (POST, for older clients).
#[utoipa::path(
    post, path = "/api/v1.0/user/name", tag = "web", operation_id = "web_post_user_name",
    security(("web_session" = [])),
    request_body(content((Name = "application/json"), (Name = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "Set; or 4103 the name does not have 1 to 64 characters, 4101 not signed in, 4001 it could not be stored",
            body = inline(Either<Name>), example = json!({ "errno": "0", "errmsg": "OK", "data": { "name": "Tom" } })),
    ),
)]
async fn post_name(state: State<AppState>, signed: Signed<Web>, given: Params<Web, Name>) -> Response {
    put_name(state, signed, given).await
}

async fn rename(state: &AppState, caller: Caller, name: &str) -> DomainResult<Response> {
    let name = Nickname::parse(name)?;
    let answer = Web::data(Name { name: name.as_str().to_owned() });
    let change = ProfileChange { name: Some(name), ..ProfileChange::default() };
    state.accounts.change_profile(caller, &change, state.verifier.clock.now()).await?;
    Ok(answer)
}

/// Submit the current user's real name and ID number. They can be submitted once.
///
/// The check digit and the birthday in the number must be valid. Sending the same values again is not an error.
#[utoipa::path(
    post, path = "/api/v1.0/user/auth", tag = "web", operation_id = "web_post_user_auth",
    security(("web_session" = [])),
    request_body(content((RealName = "application/json"), (RealName = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "Stored; or 4103 not a name or an ID number, 4003 another one is stored already, \
            4101 not signed in, 4001 it could not be stored", body = inline(DoneOrRefused), example = json!({ "errno": "0", "errmsg": "OK" })),
    ),
)]
async fn post_real_name(
    State(state): State<AppState>,
    Signed(caller, _): Signed<Web>,
    Params(given, _): Params<Web, RealName>,
) -> Response {
    Web::answer(keep(&state, caller, &given).await, &[Words::of_fault("4001", "保存用户实名信息失败")])
}

async fn keep(state: &AppState, caller: Caller, given: &RealName) -> DomainResult<Response> {
    let document = IdentityDocument::parse(&given.real_name, &given.id_card, state.verifier.clock.now())?;
    state.real_names.write(caller, &document).await?;
    Ok(Web::done())
}

/// Get the current user's real name and ID number.
///
/// Both are null until they are submitted.
#[utoipa::path(
    get, path = "/api/v1.0/user/auth", tag = "web", operation_id = "web_get_user_auth", security(("web_session" = [])),
    responses((
        status = 200,
        description = "The real name and ID number; or 4101 not signed in, 4002 the account is deleted",
        body = inline(Either<Known>), example = json!({ "errno": "0", "errmsg": "OK", "data": {
            "user_id": 4_503_599_627_370_497_u64, "real_name": "张三", "id_card": "11010519491231002X",
        } }),
    )),
)]
async fn get_real_name(State(state): State<AppState>, Signed(caller, _): Signed<Web>) -> Response {
    Web::answer(known(&state, caller).await, &[Words::of_nothing("4002", "无效操作")])
}

async fn known(state: &AppState, caller: Caller) -> DomainResult<Response> {
    let document = state.real_names.read(caller).await?;
    let part = |part: fn(&IdentityDocument) -> &str| document.as_ref().map(|document| part(document).to_owned());
    let (real_name, id_card) = (part(IdentityDocument::name), part(IdentityDocument::number));
    Ok(Web::data(Known { user_id: caller.user.get(), real_name, id_card }))
}
