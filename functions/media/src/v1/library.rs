//! The pictures and voice notes that the signed-in user owns.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use domain::media::MediaName;
use domain::media::library::{Added, MediaRecord};
use handset_http::api::v1::Refused;
use handset_http::api::{ApiResult, V1};
use handset_http::body::{self, ok};
use handset_http::caller::{Origin, Signed};
use handset_http::fields::Binary;
use handset_http::routes;
use handset_http::routes::Routes;
use handset_http::v1::{self, Paging, UPLOAD_LIMIT, Variable, Wanted};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(post_media, get_media)).routes(routes!(get_medium, delete_medium))
}

/// A picture or a voice note.
const IMAGE: &str = "image";
const AUDIO: &str = "audio";

/// The kind of a file, as clients know it.
const fn kind(name: &MediaName) -> &'static str {
    match name {
        MediaName::Image(_) => IMAGE,
        MediaName::Audio(_) => AUDIO,
    }
}

/// A picture or a voice note that was stored.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::NewMedia, example = json!({
    "name": "0123456789abcdef0123456789abcdef.jpg",
    "url": "https://api.example.com/images/0123456789abcdef0123456789abcdef.jpg",
    "kind": "image", "content_type": "image/jpeg", "bytes": 140_312, "width": 1080, "height": 1440,
}))]
struct NewMedia {
    /// Its name, by which it can be deleted or made the user's picture.
    name: String,
    /// Where anyone who has the URL can download it.
    url: String,
    /// `image` or `audio`.
    kind: &'static str,
    /// The media type, as its bytes say.
    content_type: &'static str,
    /// The size of the stored file, without the metadata that was removed. It counts against the account's space.
    bytes: usize,
    /// The width of a picture as it is shown, in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    /// The height of a picture as it is shown, in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
}

impl NewMedia {
    fn new(state: &AppState, origin: &Origin, Added { name, bytes, size }: Added) -> Self {
        Self {
            name: name.to_string(),
            url: state.url.absolute(origin, &name.path()),
            kind: kind(&name),
            content_type: name.content_type(),
            bytes,
            width: size.map(|(width, _)| width),
            height: size.map(|(_, height)| height),
        }
    }
}

fn example() -> Value {
    json!({
        "name": "0123456789abcdef0123456789abcdef.jpg",
        "url": "https://api.example.com/images/0123456789abcdef0123456789abcdef.jpg",
        "kind": "image", "content_type": "image/jpeg", "bytes": 140_312, "created_at": "2026-08-21T10:00:00.000Z",
    })
}

/// A picture or a voice note of the user.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::Media, example = example)]
struct Media {
    /// Its name, by which it can be deleted or made the user's picture.
    name: String,
    /// Where anyone who has the URL can download it.
    url: String,
    /// `image` or `audio`.
    kind: &'static str,
    /// The media type.
    content_type: &'static str,
    /// The size of the stored file. Absent until a presigned upload is accepted; until then there is no file at `url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    /// When it was uploaded, or the presigned upload was issued.
    created_at: String,
}

impl Media {
    fn new(state: &AppState, origin: &Origin, MediaRecord { name, made, bytes }: &MediaRecord) -> Self {
        Self {
            name: name.to_string(),
            url: state.url.absolute(origin, &name.path()),
            kind: kind(name),
            content_type: name.content_type(),
            bytes: *bytes,
            created_at: made.rfc3339(),
        }
    }
}

/// A page of the user's pictures and voice notes.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::MediaPage, example = json!({ "items": [example()] }))]
struct MediaPage {
    /// The pictures and voice notes.
    items: Vec<Media>,
    /// The cursor of the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Upload a picture or a voice note.
///
/// Send the file as the body, at most 4 MiB, with any content type: its bytes say what it is. Pictures are JPEG, PNG,
/// WebP, GIF or HEIC; voice notes are AMR, AAC, M4A, 3GP, MP3, Ogg, WAV, CAF, FLAC, `WebM` or Matroska. Metadata, such as
/// the location, is removed. For a larger picture, use `POST /v1/uploads`. For a thumbnail, add `@128w_128h_1c` or
/// `@256w_256h_1c` to the URL of a picture (`1c` crops to the square, `0c` fits inside it).
#[utoipa::path(
    post, path = "/v1/media", tag = "v1", operation_id = "v1_post_media", security(("v1_bearer" = [])),
    request_body(description = "The file", content((inline(Binary) = "application/octet-stream"))),
    params(("Idempotency-Key" = Option<String>, Header, description = "A new random text for each file. The same key with the same file returns what the first request stored.", example = "5f0c3f0e-6d3a-4f0b-9b57-0f2f6c1f2a10")),
    responses(
        (status = 201, description = "Stored", body = NewMedia),
        (status = 403, description = "The account has no space left", body = Refused, example = json!({
            "type": "about:blank", "title": "Forbidden", "status": 403, "code": "full",
            "detail": "the account has no space left for pictures and voice notes",
        })),
        (status = 404, description = "What the first request with this key stored was deleted", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found", "detail": "no such media",
        })),
        (status = 415, description = "Not a picture or a voice note, or the body is compressed", body = Refused,
            headers(("Accept-Encoding" = Option<String>, description = "`identity`, if the body is compressed.")),
            example = json!({
                "type": "about:blank", "title": "Unsupported Media Type", "status": 415, "code": "unsupported_media",
                "detail": "neither a picture nor a voice note of a known format",
            })),
    ),
)]
async fn post_media(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<V1>,
    request: Request,
) -> ApiResult<V1> {
    let (parts, body) = request.into_parts();
    let bytes = body::read(body, UPLOAD_LIMIT).await?;
    let once = v1::once(&parts, &bytes)?;
    let added = state.library.add(caller, bytes, once.as_ref()).await?;
    Ok((StatusCode::CREATED, ok(NewMedia::new(&state, &origin, added))).into_response())
}

/// List the current user's pictures and voice notes.
///
/// They are in the order of their names, which are random. Presigned uploads are listed once they are accepted.
#[utoipa::path(
    get, path = "/v1/media", tag = "v1", operation_id = "v1_get_media", security(("v1_bearer" = [])),
    params(Paging),
    responses((status = 200, description = "A page of pictures and voice notes", body = MediaPage)),
)]
async fn get_media(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<V1>,
    wanted: Wanted,
) -> ApiResult<V1> {
    let after: Option<MediaName> = wanted.after_number()?;
    let page = state.library.list(caller, after.as_ref(), wanted.limit).await?;
    let items = page.records.iter().map(|record| Media::new(&state, &origin, record)).collect();
    Ok(ok(MediaPage { items, next_cursor: page.next.map(|next| v1::cursor(&next.to_string())) }))
}

/// Get one of the current user's pictures or voice notes.
#[utoipa::path(
    get, path = "/v1/media/{name}", tag = "v1", operation_id = "v1_get_medium", security(("v1_bearer" = [])),
    params(("name" = String, Path, description = "The name from the upload.", example = "0123456789abcdef0123456789abcdef.jpg")),
    responses(
        (status = 200, description = "The picture or voice note", body = Media),
        (status = 404, description = "The user has no such picture or voice note", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found", "detail": "no such media",
        })),
    ),
)]
async fn get_medium(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<V1>,
    name: Variable,
) -> ApiResult<V1> {
    let record = state.library.get(caller, &name.0.parse()?).await?;
    Ok(ok(Media::new(&state, &origin, &record)))
}

/// Delete one of the current user's pictures or voice notes.
///
/// The file and its thumbnails are deleted, and the account gets its space back. If it is the user's picture, the user
/// has no picture after that. Caches may serve it for up to a day.
#[utoipa::path(
    delete, path = "/v1/media/{name}", tag = "v1", operation_id = "v1_delete_medium", security(("v1_bearer" = [])),
    params(("name" = String, Path, description = "The name from the upload.", example = "0123456789abcdef0123456789abcdef.jpg")),
    responses(
        (status = 204, description = "Deleted"),
        (status = 404, description = "The user has no such picture or voice note", body = Refused, example = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found", "detail": "no such media",
        })),
    ),
)]
async fn delete_medium(State(state): State<AppState>, Signed(caller, _): Signed<V1>, name: Variable) -> ApiResult<V1> {
    state.library.delete(caller, &name.0.parse()?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
