//! The `SealTalk` API's part of `media`.

use axum::extract::State;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use domain::media::direct::PresignedUpload;
use domain::{Error, Fault, Result as DomainResult};
use handset_http::api::ApiResult;
use handset_http::api::SealTalk;
use handset_http::api::sealtalk::{Either, Refused};
use handset_http::body::Params;
use handset_http::caller::{Origin, Signed};
use handset_http::routes;
use handset_http::routes::Routes;
use media_formats::sniff::Format;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(get_image_token))
}

/// The type of the picture to upload.
#[derive(Deserialize, ToSchema)]
#[schema(as = sealtalk::GetImageToken, example = json!({ "type": "image/jpeg" }))]
struct Wanted {
    /// The picture's media type; `image/jpeg` if it is missing.
    #[serde(rename = "type")]
    content_type: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::ImageToken)]
struct ImageToken {
    target: &'static str,
    domain: String,
    token: String,
}

/// The content of a token: a presigned upload.
#[derive(Serialize)]
struct Token {
    #[serde(flatten)]
    upload: PresignedUpload,
    /// The URL of the picture after it was accepted.
    image: String,
}

/// Get a token to upload one picture.
///
/// The token is a JSON object in base64. Within ten minutes, POST a form (`multipart/form-data`) to its `url` with its
/// `fields` and, as the last part, `file`. A moment later the picture is at its `image`, without its metadata. A file
/// is deleted if it is not a picture of this type, or is larger than 20 MB.
#[utoipa::path(
    method(get, post), path = "/user/get_image_token", tag = "sealtalk", operation_id = "sealtalk_get_image_token",
    security(("sealtalk_session" = [])), request_body(content = Option<Wanted>, content_type = "application/json"),
    params(("type" = Option<String>, Query, description = "Media type of the picture; `image/jpeg` if it is missing", example = "image/jpeg")),
    responses(
        (status = 200, description = "The token, and the host that pictures are served from. Code 5000: the account has no space left",
            body = inline(Either<ImageToken>), example = json!({ "code": 200, "result": {
                "target": "s3", "domain": "api.example.com", "token": "eyJ1cmwiOiJodHRwczov…",
            } })),
        (status = 400, description = "This media type is not supported", body = Refused, example = json!({
            "code": 400, "message": "type must be image/jpeg, image/png, image/webp, image/gif or image/heic",
        })),
    ),
)]
async fn get_image_token(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<SealTalk>,
    Params(wanted, _): Params<SealTalk, Wanted>,
) -> ApiResult<SealTalk> {
    let (name, upload) = state.direct.invite(caller, format(wanted.content_type.as_deref())?).await?;
    let token = encode(&Token { upload, image: state.url.absolute(&origin, &name.path()) })?;
    Ok(SealTalk::secret(ImageToken { target: "s3", domain: state.url.host(&origin), token }))
}

/// Existing clients send no type. They upload avatars, which they convert to JPEG.
fn format(content_type: Option<&str>) -> DomainResult<Format> {
    const RULE: Error = Error::Invalid { field: "type", rule: media_formats::sniff::PICTURE_TYPE };
    let Some(wanted) = content_type else { return Ok(Format::Jpeg) };
    // Media types are compared without case and without parameters (RFC 9110, section 8.3.1).
    let wanted = wanted.split(';').next().unwrap_or_default().trim();
    Format::ALL.into_iter().find(|format| format.content_type().eq_ignore_ascii_case(wanted)).ok_or(RULE)
}

fn encode(token: &Token) -> DomainResult<String> {
    let json = serde_json::to_vec(token).map_err(|error| Fault::new("writing a token", error))?;
    Ok(BASE64_STANDARD.encode(json))
}
