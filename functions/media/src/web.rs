//! The web API's part of `media`: the avatar.

use axum::extract::{Request, State};
use axum::response::Response;
use domain::Result as DomainResult;
use domain::account::Caller;
use handset_http::api::Web;
use handset_http::api::web::{Either, Words};
use handset_http::caller::{Origin, Signed};
use handset_http::fields::Binary;
use handset_http::routes;
use handset_http::routes::Routes;
use serde::Serialize;
use utoipa::ToSchema;

use super::{AppState, file};

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(post_avatar))
}

/// A form with a picture.
#[derive(ToSchema)]
#[schema(as = web::AvatarForm)]
#[expect(dead_code, reason = "only described; the form is read part by part")]
struct AvatarForm {
    /// A JPEG, PNG, WebP, GIF or HEIC.
    #[schema(value_type = Binary)]
    avatar: Vec<u8>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = web::Stored)]
struct Stored {
    avatar_url: String,
}

/// Upload a picture and make it the current user's avatar.
///
/// Metadata, such as the location, is removed; the pixels and the orientation stay as they are.
#[utoipa::path(
    post, path = "/api/v1.0/user/avatar", tag = "web", operation_id = "web_post_user_avatar",
    security(("web_session" = [])),
    request_body(description = "The picture", content((inline(AvatarForm) = "multipart/form-data"))),
    responses(
        (status = 200, description = "Stored and set; or 4103 not a whole picture or too large, 4101 not signed in, 4301 it could not be stored",
            body = inline(Either<Stored>), example = json!({ "errno": "0", "errmsg": "OK", "data": {
                "avatar_url": "https://api.example.com/images/0123456789abcdef0123456789abcdef.jpg",
            } })),
    ),
)]
async fn post_avatar(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<Web>,
    request: Request,
) -> Response {
    // The document's words name the store that its first server used, and clients show them as they are.
    let words = [Words::of_fault("4301", "七牛云上传图片失败")];
    Web::answer(store(&state, &origin, caller, request).await, &words)
}

async fn store(state: &AppState, origin: &Origin, caller: Caller, request: Request) -> DomainResult<Response> {
    let picture = file::read_part(request, "avatar", state.uploads.policy.image_max_bytes).await?;
    let name = state.uploads.avatar(caller, &picture).await?;
    Ok(Web::data(Stored { avatar_url: state.url.absolute(origin, &name.path()) }))
}
