//! The messenger API's part of `media`.

use axum::extract::{Request, State};
use axum::response::Response;
use domain::Error;
use domain::media::AudioName;
use handset_http::api::ApiResult;
use handset_http::api::Messenger;
use handset_http::api::messenger::Refused;
use handset_http::body::ok;
use handset_http::caller::{Origin, Signed};
use handset_http::download::{self, AudioResponses, DownloadRequest, Name};
use handset_http::fields::Binary;
use handset_http::routes;
use handset_http::routes::Routes;
use serde::Serialize;
use utoipa::ToSchema;

use super::{AppState, file};

pub(super) fn router() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(post_images))
        .routes(routes!(post_audios))
        .routes(routes!(put_avatar))
        .routes(routes!(get_audio))
        .routes(routes!(get_audio_singular))
}

/// The URL of an upload.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "src": "/images/0123456789abcdef0123456789abcdef.jpg",
    "src_url": "https://api.example.com/images/0123456789abcdef0123456789abcdef.jpg",
}))]
struct Stored {
    /// The path of the file.
    src: String,
    /// The absolute URL, on the host of the upload request.
    src_url: String,
}

impl Stored {
    fn at(state: &AppState, origin: &Origin, src: String) -> Response {
        ok(Self { src_url: state.url.absolute(origin, &src), src })
    }
}

/// Upload a picture.
///
/// Send a JPEG, PNG, WebP, GIF or HEIC as the whole body with any Content-Type, or as the part `file` of a form.
/// Metadata, such as the location, is removed; the pixels and the orientation stay as they are.
#[utoipa::path(
    post, path = "/images", tag = "messenger", security(("bearer" = [])),
    request_body(description = "The picture", content(
        (inline(Binary) = "application/octet-stream"), (inline(Form) = "multipart/form-data"),
    )),
    responses(
        (status = 200, description = "Stored", body = Stored),
        (status = 400, description = "Not a whole picture, or too large",
            body = Refused, example = json!({ "error": "not a JPEG, PNG, WebP, GIF or HEIC picture", "kind": "unsupported_media" })),
    ),
)]
async fn post_images(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<Messenger>,
    request: Request,
) -> ApiResult<Messenger> {
    let file = file::read(request, state.uploads.policy.image_max_bytes).await?;
    let name = state.uploads.image(caller, &file).await?;
    Ok(Stored::at(&state, &origin, name.path()))
}

/// Upload a voice note.
///
/// Send AMR, AAC, M4A, 3GP, MP3, Ogg, WAV, CAF, FLAC or `WebM` as the whole body with any Content-Type, or as the part
/// `file` of a form. Metadata, such as the location, is emptied; the length and the sound stay as they are. Audio in an
/// unknown format is stored as `application/octet-stream`; pictures, text, web pages and programs are refused.
#[utoipa::path(
    post, path = "/audios", tag = "messenger", security(("bearer" = [])),
    request_body(description = "The voice note", content(
        (inline(Binary) = "application/octet-stream"), (inline(Form) = "multipart/form-data"),
    )),
    responses(
        (status = 200, description = "Stored", body = Stored, example = json!({
            "src": "/audios/0123456789abcdef0123456789abcdef.amr",
            "src_url": "https://api.example.com/audios/0123456789abcdef0123456789abcdef.amr",
        })),
        (status = 400, description = "Empty, not audio, or too large", body = Refused, example = json!({ "error": "the upload is empty", "kind": "unsupported_media" })),
    ),
)]
async fn post_audios(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<Messenger>,
    request: Request,
) -> ApiResult<Messenger> {
    let file = file::read(request, state.uploads.policy.audio_max_bytes).await?;
    let name = state.uploads.audio(caller, file).await?;
    Ok(Stored::at(&state, &origin, name.path()))
}

/// Upload a picture and make it the current user's avatar.
#[utoipa::path(
    put, path = "/users/me/avatar", tag = "messenger", security(("bearer" = [])),
    request_body(description = "The picture", content(
        (inline(Binary) = "application/octet-stream"), (inline(Form) = "multipart/form-data"),
    )),
    responses(
        (status = 200, description = "Stored and set", body = Stored),
        (status = 400, description = "Not a whole picture, or too large",
            body = Refused, example = json!({ "error": "the picture is cut short", "kind": "unsupported_media" })),
    ),
)]
async fn put_avatar(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<Messenger>,
    request: Request,
) -> ApiResult<Messenger> {
    let file = file::read(request, state.uploads.policy.image_max_bytes).await?;
    let name = state.uploads.avatar(caller, &file).await?;
    Ok(Stored::at(&state, &origin, name.path()))
}

/// A form with a file.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described; the form is read part by part")]
struct Form {
    /// The file.
    #[schema(value_type = Binary)]
    file: Vec<u8>,
}

/// Download a voice note.
///
/// Byte ranges and conditional requests work as in RFC 9110.
#[utoipa::path(
    method(get, head), path = "/audios/{name}", tag = "messenger", operation_id = "audio",
    params(("name" = String, Path, description = "The name from the upload", example = "0123456789abcdef0123456789abcdef.amr"), DownloadRequest),
    responses(AudioResponses),
)]
async fn get_audio(State(state): State<AppState>, Name(name): Name, request: DownloadRequest) -> ApiResult<Messenger> {
    let name = AudioName::parse(&name)?;
    let answer = download::stored(&*state.objects, &name.key(), &request).await?;
    Ok(answer.ok_or(Error::NotFound("audio"))?)
}

/// Download a voice note (for older clients).
#[utoipa::path(
    method(get, head), path = "/audio/{name}", tag = "messenger", operation_id = "audio_singular",
    params(("name" = String, Path, description = "The name from the upload", example = "0123456789abcdef0123456789abcdef.amr"), DownloadRequest),
    responses(AudioResponses),
)]
async fn get_audio_singular(state: State<AppState>, name: Name, request: DownloadRequest) -> ApiResult<Messenger> {
    get_audio(state, name, request).await
}
