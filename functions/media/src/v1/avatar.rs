//! The picture of the signed-in user.

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use domain::Result as DomainResult;
use domain::account::Caller;
use domain::media::library::NOT_OWN_PICTURE;
use domain::media::{ImageName, MediaName};
use handset_http::api::v1::Refused;
use handset_http::api::{ApiResult, V1};
use handset_http::body::{self, ok};
use handset_http::caller::{Origin, Signed};
use handset_http::fields::Binary;
use handset_http::routes;
use handset_http::routes::Routes;
use handset_http::v1::{self, UPLOAD_LIMIT};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(put_avatar, delete_avatar))
}

/// A picture that the user has uploaded.
#[derive(Deserialize, ToSchema)]
#[schema(as = v1::NewAvatar, example = json!({ "media": "0123456789abcdef0123456789abcdef.jpg" }))]
struct NewAvatar {
    /// The picture's `name` or `url`.
    media: String,
}

/// The user's picture.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::Avatar, example = json!({
    "avatar": "https://api.example.com/images/0123456789abcdef0123456789abcdef.jpg",
}))]
struct Avatar {
    /// The picture, an absolute URL.
    avatar: String,
}

/// Set the current user's picture.
///
/// Send a JPEG, PNG, WebP, GIF or HEIC of at most 4 MiB as the body, with any content type except JSON. It is stored like
/// an upload, without its metadata. Or send JSON with the name or the URL of a picture that the user has uploaded. The
/// picture before it is not deleted.
#[utoipa::path(
    put, path = "/v1/me/avatar", tag = "v1", operation_id = "v1_put_avatar", security(("v1_bearer" = [])),
    request_body(description = "The picture, or its name", content(
        (inline(Binary) = "application/octet-stream"), (NewAvatar = "application/json"),
    )),
    responses(
        (status = 200, description = "Set", body = Avatar),
        (status = 403, description = "The account has no space left", body = Refused, example = json!({
            "type": "about:blank", "title": "Forbidden", "status": 403, "code": "full",
            "detail": "the account has no space left for pictures and voice notes",
        })),
        (status = 415, description = "Not a whole picture, or the body is compressed", body = Refused,
            headers(("Accept-Encoding" = Option<String>, description = "`identity`, if the body is compressed.")),
            example = json!({
                "type": "about:blank", "title": "Unsupported Media Type", "status": 415, "code": "unsupported_media",
                "detail": "not a JPEG, PNG, WebP, GIF or HEIC picture",
            })),
    ),
)]
async fn put_avatar(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<V1>,
    request: Request,
) -> ApiResult<V1> {
    let (parts, body) = request.into_parts();
    let bytes = body::read(body, UPLOAD_LIMIT).await?;
    let picture = if is_json(&parts.headers, &bytes) {
        choose(&state, &origin, caller, &v1::read::<NewAvatar>(&bytes)?.media).await?
    } else {
        state.library.uploads.avatar(caller, &bytes).await?
    };
    Ok(ok(Avatar { avatar: state.url.absolute(&origin, &picture.path()) }))
}

/// Whether a body is JSON: by its content type, or because it begins as no picture does.
fn is_json(headers: &HeaderMap, body: &Bytes) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json") || body.trim_ascii_start().starts_with(b"{")
}

async fn choose(state: &AppState, origin: &Origin, caller: Caller, media: &str) -> DomainResult<ImageName> {
    match MediaName::in_path(state.url.relative(origin, media)) {
        Ok(MediaName::Image(picture)) => state.library.show(caller, &picture).await.map(|()| picture),
        _ => Err(NOT_OWN_PICTURE),
    }
}

/// Remove the current user's picture.
///
/// The picture itself is not deleted: `DELETE /v1/media/{name}` does that. It is not an error if there is no picture.
#[utoipa::path(
    delete, path = "/v1/me/avatar", tag = "v1", operation_id = "v1_delete_avatar", security(("v1_bearer" = [])),
    responses((status = 204, description = "Removed")),
)]
async fn delete_avatar(State(state): State<AppState>, Signed(caller, _): Signed<V1>) -> ApiResult<V1> {
    state.library.hide(caller).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
