//! The messenger API's part of `auth`.

use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;
use domain::account::UserId;
use domain::codes::Typed;
use domain::identity::SignedIn;
use domain::phone::Phone;
use domain::session::{Lifetime, NewSession, PushService, PushTokens};
use handset_http::api::messenger::Refused;
use handset_http::api::{Api, Messenger, Refusal};
use handset_http::body::{Params, ok};
use handset_http::caller::Origin;
use handset_http::fields::{Code, Number, Zone};
use handset_http::lenient;
use handset_http::routes;
use handset_http::routes::Routes;
use handset_http::verifier::bearer;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(post_token)).routes(routes!(post_refresh_token))
}

/// A code, and the number it was sent to.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "zone": "86", "number": "13912345678", "code": "123456" }))]
struct SignInByCode {
    #[serde(default, deserialize_with = "lenient::text_or_empty")]
    #[schema(value_type = Option<Zone>)]
    zone: String,
    #[serde(deserialize_with = "lenient::text")]
    #[schema(value_type = Number)]
    number: String,
    #[serde(deserialize_with = "lenient::code")]
    #[schema(value_type = Code)]
    code: Typed,
    /// The device token of Apple's push service.
    apns_device_token: Option<String>,
    /// The device token of the Android push service.
    ng_device_token: Option<String>,
}

/// A refresh token.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "refresh_token": "AB2s…" }))]
struct Refresh {
    /// The `refresh_token` of the last response that you saved.
    refresh_token: String,
}

/// Tokens, and the user's profile if one is set.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "access_token": "eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSJ9…", "refresh_token": "AB2s…", "token_type": "Bearer",
    "expires_in": 3600, "user_id": 4_503_599_627_370_497_u64, "uid": 4_503_599_627_370_497_u64, "name": "Tom",
}))]
struct Tokens {
    /// Send it as `Authorization: Bearer <access_token>`.
    access_token: String,
    /// Send it to `POST /auth/refresh_token` to get new tokens. Usable once.
    refresh_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// The number of seconds for which the access token is valid.
    expires_in: u64,
    /// The user's id.
    user_id: u64,
    /// Same value as `user_id`, for older clients.
    uid: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    state: String,
    /// An absolute URL.
    #[serde(skip_serializing_if = "String::is_empty")]
    avatar: String,
}

/// Sign in with a code.
///
/// If the number has no account, one is created. Each sign-in creates a session. An account can have ten; an eleventh
/// sign-in ends the oldest. A code allows five wrong tries.
#[utoipa::path(
    post, path = "/auth/token", tag = "messenger", request_body = SignInByCode,
    responses(
        (status = 200, description = "Signed in", body = Tokens),
        (status = 400, description = "No code was requested, the code is wrong or expired, or there were too many wrong tries",
            body = Refused, example = json!({ "error": "wrong code", "kind": "code_wrong" })),
    ),
)]
async fn post_token(
    State(state): State<AppState>,
    origin: Origin,
    Params(given, _): Params<Messenger, SignInByCode>,
) -> Result<Response, Refusal<Messenger>> {
    let phone = Phone::parse(&given.zone, &given.number)?;
    let code = state.identity.code(&given.code)?;
    let push = PushTokens::parse([
        (PushService::Apns, given.apns_device_token.as_deref()),
        (PushService::Ng, given.ng_device_token.as_deref()),
    ])?;
    let session = NewSession {
        api: Messenger::NAME,
        lifetime: Lifetime::Refreshed,
        push,
        from: origin.address,
        device: origin.device.clone(),
    };
    let signed_in = state.identity.sign_in_by_code(&phone, &code, origin.address, session).await?;
    answer(&state, &origin, signed_in)
}

/// Exchange a refresh token.
///
/// Returns a new access token and the next refresh token. In case the response is lost, the old refresh token returns
/// the same next one for 60 s; after that it counts as stolen and ends the session. An `Authorization` header is not
/// needed. It is ignored if it has no valid token, and its token may have expired; the access token of another user is
/// refused.
#[utoipa::path(
    post, path = "/auth/refresh_token", tag = "messenger", request_body = Refresh,
    responses(
        (status = 200, description = "The next tokens", body = Tokens),
        (status = 400, description = "The refresh token is unknown or already used, its session has ended, or the \
            Authorization header has an access token of another user",
            body = Refused, example = json!({ "error": "the refresh token is unknown or its session has ended; sign in again", "kind": "refresh_invalid" })),
    ),
)]
async fn post_refresh_token(
    State(state): State<AppState>,
    parts: Parts,
    origin: Origin,
    Params(given, _): Params<Messenger, Refresh>,
) -> Result<Response, Refusal<Messenger>> {
    let signed_in =
        state.identity.refresh(Messenger::NAME, &given.refresh_token, holder(&state, &parts), origin.address).await?;
    answer(&state, &origin, signed_in)
}

/// The user of the request's access token, if it has one that can be verified. The token may have expired, because that
/// is when clients refresh it. Android always sends the header, even without a valid token.
fn holder(state: &AppState, parts: &Parts) -> Option<UserId> {
    let token = bearer(parts).ok().flatten()?;
    state.identity.keys.check_expired_access_token(token).ok().map(|caller| caller.user)
}

fn answer(state: &AppState, origin: &Origin, signed_in: SignedIn) -> Result<Response, Refusal<Messenger>> {
    let access_token = state.identity.access_token(&signed_in)?;
    let refresh_token = state.identity.refresh_token(&signed_in);
    let account = signed_in.account;
    Ok(ok(Tokens {
        access_token,
        refresh_token,
        token_type: "Bearer",
        expires_in: state.identity.policy.access_token_ttl.as_secs(),
        user_id: account.id.get(),
        uid: account.id.get(),
        avatar: state.url.absolute(origin, &account.avatar),
        name: account.name,
        state: account.state,
    }))
}
