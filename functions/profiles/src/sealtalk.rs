//! The `SealTalk` API's part of `profiles`.

mod misc;

use handset_http::api::ApiResult;
use std::collections::BTreeSet;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use domain::account::UserId;
use domain::phone::Phone;
use domain::profile::ProfileChange;
use domain::{Error, short_id};
use handset_http::api::SealTalk;
use handset_http::api::sealtalk::{Done, Either, Refused, Success};
use handset_http::body::{Params, missing};
use handset_http::caller::{Origin, Signed};
use handset_http::routes;
use handset_http::routes::Routes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(set_nickname))
        .routes(routes!(set_portrait_uri))
        .routes(routes!(find_user))
        .routes(routes!(get_user))
        .routes(routes!(get_users))
        .merge(misc::router())
}

pub(crate) use self::misc::ClientVersions;

/// A new nickname.
#[derive(Deserialize, ToSchema)]
#[schema(as = sealtalk::SetNickname, example = json!({ "nickname": "Tom" }))]
struct SetNickname {
    /// 1 to 32 bytes.
    nickname: String,
}

/// A new avatar.
#[derive(Deserialize, ToSchema)]
#[schema(as = sealtalk::SetPortraitUri, example = json!({ "portraitUri": "http://test.com/user/abc123.jpg" }))]
#[serde(rename_all = "camelCase")]
struct SetPortraitUri {
    /// An http(s) URL of 12 to 256 characters.
    portrait_uri: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::User)]
#[serde(rename_all = "camelCase")]
struct User {
    id: String,
    nickname: String,
    portrait_uri: String,
}

impl User {
    fn new(state: &AppState, origin: &Origin, id: UserId, nickname: String, avatar: &str) -> Self {
        Self { id: short_id::encode(id), nickname, portrait_uri: state.url.absolute(origin, avatar) }
    }

    fn answer(state: &AppState, origin: &Origin, id: UserId, nickname: String, avatar: &str) -> Response {
        SealTalk::result(Self::new(state, origin, id, nickname, avatar))
    }
}

/// Set the current user's nickname.
#[utoipa::path(
    post, path = "/user/set_nickname", tag = "sealtalk", operation_id = "sealtalk_set_nickname",
    security(("sealtalk_session" = [])), request_body = SetNickname,
    responses(
        (status = 200, description = "Set", body = Done, example = json!({ "code": 200 })),
        (status = 400, description = "The nickname does not have 1 to 32 bytes",
            body = Refused, example = json!({ "code": 400, "message": "nickname must have 1 to 32 bytes and no control characters" })),
    ),
)]
async fn set_nickname(
    State(state): State<AppState>,
    Signed(caller, _): Signed<SealTalk>,
    Params(given, _): Params<SealTalk, SetNickname>,
) -> ApiResult<SealTalk> {
    let change = ProfileChange { name: Some(SealTalk::nickname(&given.nickname)?), ..ProfileChange::default() };
    state.accounts.change_profile(caller, &change, state.verifier.clock.now()).await?;
    Ok(SealTalk::done())
}

/// Set the current user's avatar.
#[utoipa::path(
    post, path = "/user/set_portrait_uri", tag = "sealtalk", operation_id = "sealtalk_set_portrait_uri",
    security(("sealtalk_session" = [])), request_body = SetPortraitUri,
    responses(
        (status = 200, description = "Set", body = Done, example = json!({ "code": 200 })),
        (status = 400, description = "`portraitUri` is not an http(s) URL of 12 to 256 characters",
            body = Refused, example = json!({ "code": 400, "message": "portraitUri must be an http(s) URL of 12 to 256 characters" })),
    ),
)]
async fn set_portrait_uri(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<SealTalk>,
    Params(given, _): Params<SealTalk, SetPortraitUri>,
) -> ApiResult<SealTalk> {
    let avatar = SealTalk::portrait(&given.portrait_uri, &state.url, &origin)?;
    let change = ProfileChange { avatar: Some(avatar), ..ProfileChange::default() };
    state.accounts.change_profile(caller, &change, state.verifier.clock.now()).await?;
    Ok(SealTalk::done())
}

/// Find a user by phone number.
///
/// An account can look up 20,000 numbers a day over all APIs; each request counts as one.
#[utoipa::path(
    method(get, post), path = "/user/find/{region}/{phone}", tag = "sealtalk", operation_id = "sealtalk_find",
    security(("sealtalk_session" = [])),
    params(
        ("region" = String, Path, description = "Country calling code", example = "86"),
        ("phone" = String, Path, description = "Phone number", example = "13912345678"),
    ),
    responses(
        (status = 200, description = "The user with this number. Code 5000: too many numbers were looked up today",
            body = inline(Either<User>), examples(
                ("success" = (value = json!({ "code": 200, "result": {
                    "id": "5Vg2Xh9f", "nickname": "Tom", "portraitUri": "http://test.com/user/abc123.jpg",
                } }))),
                ("too many" = (value = json!({ "code": 5_000, "message": "too many numbers looked up today; try again in 3600 s" }))),
            )),
        (status = 400, description = "Not a phone number",
            body = Refused, example = json!({ "code": 400, "message": "number is not a valid phone number; write it without the country code, which has a field of its own" })),
        (status = 404, description = "No user has this number", body = Refused, example = json!({ "code": 404, "message": "no such user" })),
    ),
)]
async fn find_user(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<SealTalk>,
    path: Result<Path<(String, String)>, PathRejection>,
) -> ApiResult<SealTalk> {
    let Path((region, phone)) = path.map_err(|_| Error::NotFound("user"))?;
    let phone = Phone::parse(&region, &phone)?;
    let mut cards = state.lookup.find(caller, &BTreeSet::from([phone.clone()])).await?;
    let card = cards.remove(&phone).ok_or(Error::NotFound("user"))?;
    Ok(User::answer(&state, &origin, card.id, card.name, &card.avatar))
}

/// Get a user's profile.
#[utoipa::path(
    method(get, post), path = "/user/{id}", tag = "sealtalk", operation_id = "sealtalk_user",
    security(("sealtalk_session" = [])),
    params(("id" = String, Path, description = "The user's id", example = "5Vg2Xh9f")),
    responses(
        (status = 200, description = "The profile", body = inline(Success<User>), example = json!({ "code": 200, "result": {
            "id": "5Vg2Xh9f", "nickname": "Tom", "portraitUri": "http://test.com/user/abc123.jpg",
        } })),
        (status = 404, description = "No such user", body = Refused, example = json!({ "code": 404, "message": "no such user" })),
    ),
)]
async fn get_user(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<SealTalk>,
    path: Result<Path<String>, PathRejection>,
) -> ApiResult<SealTalk> {
    let Path(id) = path.map_err(|_| Error::NotFound("user"))?;
    let account = state.identity.account_of(caller, short_id::decode(&id)?).await?;
    let account = account.ok_or(Error::NotFound("user"))?;
    Ok(User::answer(&state, &origin, account.id, account.name, &account.avatar))
}

/// Get the profiles of several users.
///
/// Repeat `id` for each user, up to 500. Users who do not exist are left out; the others are in the order of the
/// request.
#[utoipa::path(
    get, path = "/user/batch", tag = "sealtalk", operation_id = "sealtalk_get_users",
    security(("sealtalk_session" = [])),
    params(("id" = Vec<String>, Query, description = "A user's id, once for each user", example = json!(["5Vg2Xh9f"]))),
    responses(
        (status = 200, description = "The profiles", body = inline(Success<Vec<User>>), example = json!({
            "code": 200, "result": [{ "id": "5Vg2Xh9f", "nickname": "Tom", "portraitUri": "http://test.com/user/abc123.jpg" }],
        })),
        (status = 400, description = "There is no id, or more than 500",
            body = Refused, example = json!({ "code": 400, "message": "id must name at most 500 users" })),
    ),
)]
async fn get_users(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<SealTalk>,
    RawQuery(query): RawQuery,
) -> ApiResult<SealTalk> {
    let query = query.unwrap_or_default();
    let named: Vec<_> =
        form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "id").map(|(_, id)| id).collect();
    if named.is_empty() {
        return Err(missing("id").into());
    }
    // A text that is not an id belongs to no user. A user who is named several times is returned once, at the first
    // place.
    let mut seen = BTreeSet::new();
    let ids = named.iter().filter_map(|id| short_id::decode(id).ok()).filter(|id: &UserId| seen.insert(*id));
    let ids: Vec<_> = ids.collect();
    let mut cards = state.lookup.people(caller, &seen).await?;
    let users = ids.into_iter().filter_map(|id| cards.remove(&id));
    let users: Vec<_> = users.map(|card| User::new(&state, &origin, card.id, card.name, &card.avatar)).collect();
    Ok(SealTalk::result(users))
}
