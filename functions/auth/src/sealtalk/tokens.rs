//! Chat tokens in the `SealTalk` API.

use axum::extract::State;
use domain::account::Account;
use domain::{Result, short_id};
use handset_http::api::ApiResult;
use handset_http::api::SealTalk;
use handset_http::api::sealtalk::Success;
use handset_http::caller::{Origin, Signed};
use handset_http::routes;
use handset_http::routes::Routes;
use serde::Serialize;
use utoipa::ToSchema;

use super::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(get_token))
}

#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::ChatToken)]
#[serde(rename_all = "camelCase")]
struct ChatToken {
    user_id: String,
    token: String,
}

/// Get a token for the chat service.
///
/// If the deployment uses `RongCloud`, the token is from `RongCloud`. Otherwise it is a JWT that Handset signs; a chat
/// service verifies it with the keys at `/.well-known/jwks.json`.
#[utoipa::path(
    method(get, post), path = "/user/get_token", tag = "sealtalk", operation_id = "sealtalk_get_token",
    security(("sealtalk_session" = [])),
    responses(
        (status = 200, description = "The token, and the id by which the chat service knows the user",
            body = inline(Success<ChatToken>), example = json!({ "code": 200, "result": { "userId": "5Vg2Xh9f", "token": "eyJ0eXAiOiJKV1QiLCJhbGci…" } })),
    ),
)]
async fn get_token(
    State(state): State<AppState>,
    origin: Origin,
    Signed(caller, _): Signed<SealTalk>,
) -> ApiResult<SealTalk> {
    let account = state.identity.account(caller).await?;
    let token = chat_token(&state, &origin, &account).await?;
    Ok(SealTalk::secret(ChatToken { user_id: short_id::encode(account.id), token }))
}

/// The chat service's token of an account.
pub(super) async fn chat_token(state: &AppState, origin: &Origin, account: &Account) -> Result<String> {
    let portrait = state.url.absolute(origin, &account.avatar);
    state.chat.token_for(account.id, &account.name, &portrait).await
}
