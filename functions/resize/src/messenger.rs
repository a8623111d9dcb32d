//! The messenger API's part of `resize`.

use axum::extract::State;
use domain::media::ImageRequest;
use handset_http::api::ApiResult;
use handset_http::api::Messenger;
use handset_http::api::messenger::Refused;
use handset_http::download::{DownloadRequest, Name, PictureResponses};
use handset_http::routes;
use handset_http::routes::Routes;

use super::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(get_image))
}

/// Download a picture or a thumbnail of it.
///
/// For a thumbnail, add `@{width}w_{height}h_{1|0}c` to the name. Sizes are 128 and 256 pixels. `1c` crops to fill the
/// square; `0c` scales to fit inside it. Pictures are never enlarged. A thumbnail is a JPEG, or a PNG if it is partly
/// transparent; an extension after the size is ignored.
/// Byte ranges and conditional requests work as in RFC 9110.
#[utoipa::path(
    method(get, head), path = "/images/{name}", tag = "messenger", operation_id = "image",
    params(
        ("name" = String, Path, description = "The name from the upload, with a size for a thumbnail",
            example = "0123456789abcdef0123456789abcdef.jpg@128w_128h_1c"),
        DownloadRequest,
    ),
    responses(
        PictureResponses,
        (status = 400, description = "This thumbnail size is not available, or the picture is damaged",
            body = Refused, example = json!({ "error": "thumbnail size must be 128w_128h or 256w_256h", "kind": "invalid" })),
    ),
)]
async fn get_image(State(state): State<AppState>, Name(name): Name, request: DownloadRequest) -> ApiResult<Messenger> {
    let asked = ImageRequest::parse(&name)?;
    Ok(state.thumbnails.answer(&asked, &request).await?)
}
