//! Presigned uploads: pictures that go to the bucket directly.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use domain::Error;
use domain::media::Format;
use handset_http::api::v1::Refused;
use handset_http::api::{ApiResult, V1};
use handset_http::body::ok;
use handset_http::caller::Signed;
use handset_http::routes;
use handset_http::routes::Routes;
use handset_http::v1::Making;
use media_formats::sniff::PICTURE_TYPE;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(post_uploads))
}

/// The picture to upload.
#[derive(Deserialize, ToSchema)]
#[schema(as = v1::NewUpload, example = json!({ "content_type": "image/jpeg" }))]
struct NewUpload {
    /// Its media type: `image/jpeg`, `image/png`, `image/webp`, `image/gif` or `image/heic`.
    content_type: String,
}

/// A presigned upload.
#[derive(Serialize, ToSchema)]
#[schema(as = v1::Upload, example = json!({
    "name": "0123456789abcdef0123456789abcdef.jpg", "url": "https://bucket.s3.eu-central-1.amazonaws.com/",
    "fields": { "key": "uploads/images/7/0123456789abcdef0123456789abcdef.jpg", "Content-Type": "image/jpeg", "policy": "eyJl…" },
    "expires_at": "2026-08-21T10:10:00.000Z",
}))]
struct Upload {
    /// The name that the picture will have.
    name: String,
    /// Where to send the form.
    url: String,
    /// The fields of the form.
    fields: BTreeMap<String, String>,
    /// Until when the form can be sent.
    expires_at: String,
}

/// Start an upload of a large picture.
///
/// `POST /v1/media` takes files of at most 4 MiB. For a larger picture, POST a form (`multipart/form-data`) to `url` with
/// these `fields` and, as the last part, `file`. A moment later the picture is accepted, without its metadata, and
/// `GET /v1/media/{name}` has its `bytes`. A file that is not a whole picture of this type, is larger than the limit in
/// `GET /v1/config`, or for which the account has no space, is deleted. Uploads in several parts, which can be resumed,
/// are not offered yet.
#[utoipa::path(
    post, path = "/v1/uploads", tag = "v1", operation_id = "v1_post_uploads", security(("v1_bearer" = [])),
    request_body = NewUpload,
    params(("Idempotency-Key" = Option<String>, Header, description = "A new random text for each picture. The same key with the same body returns an upload for the same name.", example = "5f0c3f0e-6d3a-4f0b-9b57-0f2f6c1f2a10")),
    responses(
        (status = 201, description = "The form to send", body = Upload),
        (status = 403, description = "The account has no space left", body = Refused, example = json!({
            "type": "about:blank", "title": "Forbidden", "status": 403, "code": "full",
            "detail": "the account has no space left for pictures and voice notes",
        })),
    ),
)]
async fn post_uploads(
    State(state): State<AppState>,
    Signed(caller, _): Signed<V1>,
    Making { given, once }: Making<NewUpload>,
) -> ApiResult<V1> {
    const RULE: Error = Error::Invalid { field: "content_type", rule: PICTURE_TYPE };
    let wanted = given.content_type.split(';').next().unwrap_or_default().trim();
    let mut formats = Format::ALL.into_iter();
    let format = formats.find(|format| format.content_type().eq_ignore_ascii_case(wanted)).ok_or(RULE)?;
    let invitation = state.library.invite(caller, format, once.as_ref()).await?;
    let upload = Upload {
        name: invitation.name.to_string(),
        url: invitation.upload.url,
        fields: invitation.upload.fields,
        expires_at: invitation.until.rfc3339(),
    };
    Ok((StatusCode::CREATED, ok(upload)).into_response())
}
