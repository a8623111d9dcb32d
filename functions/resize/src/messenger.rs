//! The messenger API's part of `resize`.

use axum::extract::State as Held;
use axum::response::Response;
use shared::domain::media::ImageRequest;
use shared::http::api::messenger::Refused;
use shared::http::api::{Messenger, Refusal};
use shared::http::download::{DownloadRequest, Name};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::State;

type Answer = Result<Response, Refusal<Messenger>>;

pub(super) fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(get_image, head_image))
}

/// Download a picture or a thumbnail of it.
///
/// `@{width}w_{height}h_{1|0}c` after the name asks for a thumbnail of 128x128 or 256x256: with `1c` the box is filled
/// and the middle cropped, with `0c` the picture fits inside. Neither enlarges. An extension after it is ignored: a
/// thumbnail is a JPEG, or a PNG where something can be seen through it.
/// Byte ranges and conditional requests work as in RFC 9110. What is longer than 4 MB is a redirect to a link that
/// works for a quarter of an hour.
#[utoipa::path(
    get, path = "/images/{name}", tag = "messenger",
    params(("name" = String, Path, description = "As the upload answered it, and a thumbnail's size if one is wanted",
        example = "0123456789abcdef0123456789abcdef.jpg@128w_128h_1c")),
    responses(
        (status = 200, description = "The picture or the thumbnail", content_type = "image/jpeg"),
        (status = 206, description = "The range asked for", content_type = "image/jpeg"),
        (status = 302, description = "It is longer than 4 MB and lies at `Location`"),
        (status = 304, description = "The client has it already"),
        (status = 400, description = "No thumbnails of this size are made, or none of this picture, which is damaged",
            body = Refused, example = json!({ "error": "thumbnail size must be 128w_128h or 256w_256h", "kind": "invalid" })),
        (status = 404, description = "No such picture", body = Refused, example = json!({ "error": "no such image", "kind": "not_found" })),
        (status = 412, description = "It is not what `If-Match` or `If-Unmodified-Since` is for", body = Refused,
            example = json!({ "error": "the file does not match If-Match or If-Unmodified-Since", "kind": "condition_failed" })),
        (status = 416, description = "The range begins after the end; `Content-Range` tells the length"),
    ),
)]
async fn get_image(Held(state): Held<State>, Name(name): Name, request: DownloadRequest) -> Answer {
    let asked = ImageRequest::parse(&name)?;
    Ok(state.thumbnails.answer(&asked, &request).await?)
}

/// The headers of a picture's download.
#[utoipa::path(
    head, path = "/images/{name}", tag = "messenger",
    params(("name" = String, Path, description = "As the upload answered it, and a thumbnail's size if one is wanted",
        example = "0123456789abcdef0123456789abcdef.jpg@128w_128h_1c")),
    responses(
        (status = 200, description = "The headers that GET would answer with"),
        (status = 302, description = "It is longer than 4 MB and lies at `Location`"),
        (status = 304, description = "The client has it already"),
        (status = 400, description = "No thumbnails of this size are made, or none of this picture, which is damaged"),
        (status = 404, description = "No such picture"),
        (status = 412, description = "It is not what `If-Match` or `If-Unmodified-Since` is for"),
    ),
)]
async fn head_image(state: Held<State>, name: Name, request: DownloadRequest) -> Answer {
    get_image(state, name, request).await
}
