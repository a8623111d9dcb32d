//! The picture of an account.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use domain::person::PersonChange;
use domain::profile::Avatar;
use handset_http::api::ApiResult;
use handset_http::api::rooms::Refused;
use handset_http::api::{Refusal, Rooms};
use handset_http::body::{self, Params, missing};
use handset_http::caller::Origin;
use handset_http::fields::Binary;
use handset_http::routes;
use handset_http::routes::Routes;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::AppState;
use crate::routing::both;
use crate::users::own;
use crate::wire::{Success, User, UserPk, example, success};

pub(super) fn router() -> Routes<AppState> {
    both(Routes::new(), routes!(put_icon))
}

/// The URL of a picture.
#[derive(Deserialize, ToSchema)]
#[schema(as = rooms::Icon)]
#[schema(example = json!({ "icon": "https://example.com/tests1.png", "token": "…" }))]
struct Icon {
    /// An http(s) URL of 12 to 256 characters. It is never fetched.
    icon: Option<String>,
    token: Option<String>,
}

/// Set the current user's avatar.
///
/// Send the URL of a picture in JSON, or the picture itself as the body, with the token in the query.
#[utoipa::path(
    put, path = "/users/icon/{pk}/", tag = "rooms", operation_id = "rooms_put_icon", security(("rooms_token" = [])),
    params(
        ("pk" = String, Path, description = "The current user's id", example = "4503599627370497"),
        ("token" = Option<String>, Query, description = "The token, if the body is a picture",
            example = "AAEAAAAAAAEDBQcJCwACBAYICgABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fIA"),
    ),
    request_body(description = "The URL of a picture in JSON, or the picture itself", content(
        (Icon = "application/json"), (inline(Binary) = "application/octet-stream"),
    )),
    responses(
        (status = 200, description = "Set", body = Success<User>, example = json!(example("200", "修改成功"))),
        (status = 400, description = "The body is neither a URL nor a picture",
            body = Refused, example = json!({ "status": "FAIL", "msg": "avatar is a path that an upload answered, or an http(s) URL", "code": "400" })),
        (status = 403, description = "The account belongs to another user", body = Refused, example = json!({ "status": "FAIL", "msg": "this belongs to another user", "code": "403" })),
    ),
)]
async fn put_icon(
    State(state): State<AppState>,
    origin: Origin,
    UserPk(pk): UserPk,
    request: Request,
) -> ApiResult<Rooms> {
    let (given, picture) = read(&state, request).await?;
    let caller = state.signed(given.token.as_deref())?;
    own(&state, caller, pk).await?;
    let account = match (picture, given.icon) {
        (Some(picture), _) => {
            state.uploads.avatar(caller, &picture).await?;
            state.identity.account(caller).await?
        }
        (None, Some(icon)) => {
            let avatar = Avatar::parse(state.url.relative(&origin, &icon)).or_else(|_| Avatar::parse(&icon))?;
            let change = PersonChange { avatar: Some(avatar), ..PersonChange::default() };
            state.people.change(caller, origin.address, None, &change).await?
        }
        (None, None) => return Err(missing("icon").into()),
    };
    let user = User::of(&state, &origin, &account, given.token.unwrap_or_default()).await?;
    Ok(success(StatusCode::OK, "修改成功", user))
}

/// The fields, and the picture if the body is one: if it is neither empty nor JSON nor a form.
async fn read(state: &AppState, request: Request) -> Result<(Icon, Option<Bytes>), Refusal<Rooms>> {
    let limit = state.policy.image_max_bytes;
    let (parts, body) = request.into_parts();
    let bytes = body::read(body, usize::try_from(limit).unwrap_or(usize::MAX)).await?;
    let is_form = body::is_form(&parts.headers) && std::str::from_utf8(&bytes).is_ok();
    let says_fields = is_form || matches!(body::without_mark(&bytes).trim_ascii_start(), [] | [b'{', ..]);
    let fields = if says_fields { Body::from(bytes.clone()) } else { Body::empty() };
    let Params(given, _) = Params::<Rooms, Icon>::from_request(Request::from_parts(parts, fields), &()).await?;
    Ok((given, Some(bytes).filter(|_| !says_fields)))
}
