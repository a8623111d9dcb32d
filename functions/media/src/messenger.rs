//! The messenger API's part of `media`.

use axum::extract::{Request, State as Held};
use axum::response::Response;
use serde::Serialize;
use shared::domain::Error;
use shared::domain::media::AudioName;
use shared::http::api::messenger::Refused;
use shared::http::api::{Messenger, Refusal};
use shared::http::body::ok;
use shared::http::caller::{Origin, Signed};
use shared::http::download::{self, DownloadRequest, Name};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{State, file};

type Answer = Result<Response, Refusal<Messenger>>;

pub(super) fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(post_images))
        .routes(routes!(post_audios))
        .routes(routes!(put_avatar))
        .routes(routes!(get_audio, head_audio))
        .routes(routes!(get_audio_singular, head_audio_singular))
}

/// Where an upload can be read.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "src": "/images/0123456789abcdef0123456789abcdef.jpg",
    "src_url": "https://api.example.com/images/0123456789abcdef0123456789abcdef.jpg",
}))]
struct Stored {
    /// The path.
    src: String,
    /// The absolute URL, on the host that the upload went to.
    src_url: String,
}

impl Stored {
    fn at(state: &State, origin: &Origin, src: String) -> Response {
        ok(Self { src_url: state.url.absolute(origin, &src), src })
    }
}

/// Upload a picture.
///
/// A JPEG, PNG, WebP, GIF or HEIC as the whole body or as the part `file` of a form, whatever the Content-Type says.
/// Its metadata (such as the place) is left out, its orientation and its pixels stay as they are.
#[utoipa::path(
    post, path = "/images", tag = "messenger", security(("bearer" = [])),
    request_body(description = "The picture", content(
        ("application/octet-stream"), (inline(Form) = "multipart/form-data"),
    )),
    responses(
        (status = 200, description = "Stored", body = Stored),
        (status = 400, description = "Not a whole picture, or too large",
            body = Refused, example = json!({ "error": "not a JPEG, PNG, WebP, GIF or HEIC picture", "kind": "unsupported_media" })),
        (status = 401, description = "Not signed in", body = Refused, example = json!({ "error": "the access token has expired; refresh it with POST /auth/refresh_token", "kind": "credential_expired" })),
    ),
)]
async fn post_images(
    Held(state): Held<State>,
    origin: Origin,
    Signed(caller, _): Signed<Messenger>,
    request: Request,
) -> Answer {
    let file = file::read(request, state.uploads.policy.image_max_bytes).await?;
    let name = state.uploads.image(caller, &file).await?;
    Ok(Stored::at(&state, &origin, name.path()))
}

/// Upload a voice note.
///
/// AMR, AAC, M4A, 3GP, MP3, Ogg, WAV, CAF, FLAC or `WebM` as the whole body or as the part `file` of a form,
/// whatever the Content-Type says. Its metadata (such as the place) is emptied, its length and its sound stay as they are.
/// Audio of an unknown kind is kept as `application/octet-stream`; pictures, text, pages and programs are refused.
#[utoipa::path(
    post, path = "/audios", tag = "messenger", security(("bearer" = [])),
    request_body(description = "The voice note", content(
        ("application/octet-stream"), (inline(Form) = "multipart/form-data"),
    )),
    responses(
        (status = 200, description = "Stored", body = Stored, example = json!({
            "src": "/audios/0123456789abcdef0123456789abcdef.amr",
            "src_url": "https://api.example.com/audios/0123456789abcdef0123456789abcdef.amr",
        })),
        (status = 400, description = "Empty, not audio, or too large", body = Refused, example = json!({ "error": "the upload is empty", "kind": "unsupported_media" })),
        (status = 401, description = "Not signed in", body = Refused, example = json!({ "error": "the access token has expired; refresh it with POST /auth/refresh_token", "kind": "credential_expired" })),
    ),
)]
async fn post_audios(
    Held(state): Held<State>,
    origin: Origin,
    Signed(caller, _): Signed<Messenger>,
    request: Request,
) -> Answer {
    let file = file::read(request, state.uploads.policy.audio_max_bytes).await?;
    let name = state.uploads.audio(caller, file).await?;
    Ok(Stored::at(&state, &origin, name.path()))
}

/// Upload a picture and make it the avatar.
#[utoipa::path(
    put, path = "/users/me/avatar", tag = "messenger", security(("bearer" = [])),
    request_body(description = "The picture", content(
        ("application/octet-stream"), (inline(Form) = "multipart/form-data"),
    )),
    responses(
        (status = 200, description = "Stored and set", body = Stored),
        (status = 400, description = "Not a whole picture, or too large",
            body = Refused, example = json!({ "error": "the picture is cut short", "kind": "unsupported_media" })),
        (status = 401, description = "Not signed in", body = Refused, example = json!({ "error": "the access token has expired; refresh it with POST /auth/refresh_token", "kind": "credential_expired" })),
    ),
)]
async fn put_avatar(
    Held(state): Held<State>,
    origin: Origin,
    Signed(caller, _): Signed<Messenger>,
    request: Request,
) -> Answer {
    let file = file::read(request, state.uploads.policy.image_max_bytes).await?;
    let name = state.uploads.avatar(caller, &file).await?;
    Ok(Stored::at(&state, &origin, name.path()))
}

/// A form with a file.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described; the form is read part by part")]
struct Form {
    /// The file.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Download a voice note.
///
/// Byte ranges and conditional requests work as in RFC 9110. What is longer than 4 MB is a redirect to a link that
/// works for a quarter of an hour.
#[utoipa::path(
    get, path = "/audios/{name}", tag = "messenger",
    params(("name" = String, Path, description = "As the upload answered it", example = "0123456789abcdef0123456789abcdef.amr")),
    responses(
        (status = 200, description = "The voice note", content_type = "audio/amr"),
        (status = 206, description = "The range asked for", content_type = "audio/amr"),
        (status = 302, description = "It is longer than 4 MB and lies at `Location`"),
        (status = 304, description = "The client has it already"),
        (status = 404, description = "No such voice note", body = Refused, example = json!({ "error": "no such audio", "kind": "not_found" })),
        (status = 412, description = "It is not what `If-Match` or `If-Unmodified-Since` is for", body = Refused,
            example = json!({ "error": "the file does not match If-Match or If-Unmodified-Since", "kind": "condition_failed" })),
        (status = 416, description = "The range begins after the end; `Content-Range` tells the length"),
    ),
)]
async fn get_audio(Held(state): Held<State>, Name(name): Name, request: DownloadRequest) -> Answer {
    let name = AudioName::parse(&name)?;
    let answer = download::stored(&*state.objects, &name.key(), &request).await?;
    Ok(answer.ok_or(Error::NotFound("audio"))?)
}

/// The headers of a voice note's download.
#[utoipa::path(
    head, path = "/audios/{name}", tag = "messenger",
    params(("name" = String, Path, description = "As the upload answered it", example = "0123456789abcdef0123456789abcdef.amr")),
    responses(
        (status = 200, description = "The headers that GET would answer with"),
        (status = 302, description = "It is longer than 4 MB and lies at `Location`"),
        (status = 304, description = "The client has it already"),
        (status = 404, description = "No such voice note"),
        (status = 412, description = "It is not what `If-Match` or `If-Unmodified-Since` is for"),
    ),
)]
async fn head_audio(state: Held<State>, name: Name, request: DownloadRequest) -> Answer {
    get_audio(state, name, request).await
}

/// Download a voice note by the path that older clients use.
#[utoipa::path(
    get, path = "/audio/{name}", tag = "messenger",
    params(("name" = String, Path, description = "As the upload answered it", example = "0123456789abcdef0123456789abcdef.amr")),
    responses(
        (status = 200, description = "The voice note", content_type = "audio/amr"),
        (status = 206, description = "The range asked for", content_type = "audio/amr"),
        (status = 302, description = "It is longer than 4 MB and lies at `Location`"),
        (status = 304, description = "The client has it already"),
        (status = 404, description = "No such voice note", body = Refused, example = json!({ "error": "no such audio", "kind": "not_found" })),
        (status = 412, description = "It is not what `If-Match` or `If-Unmodified-Since` is for", body = Refused,
            example = json!({ "error": "the file does not match If-Match or If-Unmodified-Since", "kind": "condition_failed" })),
        (status = 416, description = "The range begins after the end; `Content-Range` tells the length"),
    ),
)]
async fn get_audio_singular(state: Held<State>, name: Name, request: DownloadRequest) -> Answer {
    get_audio(state, name, request).await
}

/// The headers of a voice note's download, by the path that older clients use.
#[utoipa::path(
    head, path = "/audio/{name}", tag = "messenger",
    params(("name" = String, Path, description = "As the upload answered it", example = "0123456789abcdef0123456789abcdef.amr")),
    responses(
        (status = 200, description = "The headers that GET would answer with"),
        (status = 302, description = "It is longer than 4 MB and lies at `Location`"),
        (status = 304, description = "The client has it already"),
        (status = 404, description = "No such voice note"),
        (status = 412, description = "It is not what `If-Match` or `If-Unmodified-Since` is for"),
    ),
)]
async fn head_audio_singular(state: Held<State>, name: Name, request: DownloadRequest) -> Answer {
    get_audio(state, name, request).await
}
