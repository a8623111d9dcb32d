//! Signing in by the Supabase API: with a code, with a password, and with a refresh token.

use axum::extract::FromRef;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use domain::app_data;
use domain::codes::Typed;
use domain::id_token::IdToken;
use domain::identity::SignedIn;
use domain::login_identifier::LoginIdentifier;
use domain::password::Password;
use domain::provider::Provider;
use handset_http::api::supabase::codes::without_email;
use handset_http::api::supabase::{AppBody, Failure, Refused, SupabaseResult, phone, signed};
use handset_http::caller::Origin;
use handset_http::fields::Code;
use handset_http::lenient;
use handset_http::routes;
use handset_http::routes::Routes;
use handset_http::verifier::TokenVerifier;
use serde::Deserialize;
use utoipa::ToSchema;

use super::objects::Session;
use super::{AppQuery, needed, never_limited, new_session, refused, session};
use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(post_verify)).routes(routes!(post_app_token))
}

/// A code, and the number it was sent to.
#[derive(Deserialize, ToSchema)]
#[schema(as = supabase::Verify, example = json!({ "type": "sms", "phone": "8613912345678", "token": "123456" }))]
struct Verify {
    /// `sms` to sign in, `phone_change` to confirm another number.
    #[serde(default, rename = "type")]
    kind: Option<String>,
    /// The number, with or without `+`.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    phone: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_code")]
    #[schema(value_type = Option<Code>)]
    token: Option<Typed>,
    #[serde(default)]
    #[schema(ignore)]
    token_hash: Option<String>,
    #[serde(default)]
    #[schema(ignore)]
    email: Option<String>,
}

/// Sign in with a code, or confirm another number.
///
/// With the type `sms`, a number without an account gets one. With `phone_change`, the account that asked for it gets
/// the number, and the session that asked goes on with its next tokens.
#[utoipa::path(
    post, path = "/auth/v1/verify", tag = "supabase", operation_id = "supabase_post_verify", request_body = Verify,
    responses(
        (status = 200, description = "Signed in.", body = Session),
        (status = 403, description = "The code is wrong or expired, or none was requested.", body = Refused),
    ),
)]
async fn post_verify(State(state): State<AppState>, origin: Origin, AppBody(given): AppBody<Verify>) -> SupabaseResult {
    without_email(given.email.as_deref())?;
    if given.token_hash.is_some() {
        return Err(refused(
            StatusCode::BAD_REQUEST,
            "validation_failed",
            "token_hash is not served; send phone and token",
        ));
    }
    let kind = needed(given.kind, "type")?;
    if !["sms", "phone_change"].contains(&kind.as_str()) {
        return Err(refused(StatusCode::BAD_REQUEST, "validation_failed", "type must be sms or phone_change"));
    }
    let phone = phone(&needed(given.phone, "Phone number")?)?;
    let code = state.identity.code(&needed(given.token, "token")?)?;
    let (identity, from) = (&state.identity, origin.address);
    let signed_in = if kind == "sms" {
        identity.sign_in_by_code(&phone, &code, from, new_session(&origin)).await?
    } else {
        identity.change_number(&phone, &code, from, new_session(&origin)).await?
    };
    session(&state, &signed_in)
}

#[derive(Deserialize)]
struct Grant {
    #[serde(default)]
    grant_type: String,
}

/// What the grant needs.
#[derive(Deserialize, ToSchema)]
#[schema(as = supabase::Credentials, example = json!({ "phone": "8613912345678", "password": "P@ssw0rd" }))]
struct Credentials {
    /// With `password`: the number, with or without `+`.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    phone: Option<String>,
    /// With `password`: the password.
    #[serde(default, deserialize_with = "lenient::optional_text")]
    password: Option<String>,
    /// With `refresh_token`: the refresh token of the last response.
    #[serde(default)]
    refresh_token: Option<String>,
    /// With `id_token`: `apple` or `google`.
    #[serde(default)]
    provider: Option<String>,
    /// With `id_token`: the issuer of the token, if `provider` is absent.
    #[serde(default)]
    issuer: Option<String>,
    /// With `id_token`: the identity token.
    #[serde(default)]
    id_token: Option<String>,
    /// With `id_token`: the access token that came with it, if there is one.
    #[serde(default)]
    access_token: Option<String>,
    /// With `id_token`: the nonce whose SHA-256 the provider was given, if it was given one.
    #[serde(default)]
    nonce: Option<String>,
    /// With `id_token`: whether to link the provider's user to the account of the access token in `Authorization`.
    #[serde(default)]
    link_identity: Option<bool>,
    #[serde(default)]
    #[schema(ignore)]
    email: Option<String>,
}

/// Sign in with a password, or refresh a session.
///
/// `grant_type=password` signs in with a number and its password. `grant_type=refresh_token` exchanges a refresh token
/// for the next tokens. `grant_type=id_token` signs in with an identity token of Apple or Google, or links it to the
/// account of the access token. In case a response is lost, the previous refresh token returns the same next one until the client
/// has used its new access token; an older one counts as stolen and ends the session.
#[utoipa::path(
    post, path = "/auth/v1/token", tag = "supabase", operation_id = "supabase_post_token", request_body = Credentials,
    params(("grant_type" = String, Query, description = "`password`, `refresh_token` or `id_token`.", example = "password")),
    responses(
        (status = 200, description = "Signed in.", body = Session),
        (status = 400, description = "The password, the refresh token or the identity token is wrong.", body = Refused),
        (status = 422, description = "The identity belongs to another account, or no new accounts are created.",
            body = Refused),
    ),
)]
async fn post_app_token(
    State(state): State<AppState>,
    parts: Parts,
    origin: Origin,
    AppQuery(Grant { grant_type }): AppQuery<Grant>,
    AppBody(given): AppBody<Credentials>,
) -> SupabaseResult {
    const BAD_REQUEST: StatusCode = StatusCode::BAD_REQUEST;
    let from = origin.address;
    let signed_in = match grant_type.as_str() {
        "password" => {
            without_email(given.email.as_deref())?;
            let claim = LoginIdentifier::Phone(phone(&needed(given.phone, "Phone number")?)?);
            let typed = Password::typed(&needed(given.password, "Password")?)?;
            state.identity.sign_in_by_password(&claim, typed, from, new_session(&origin)).await?
        }
        "refresh_token" => {
            // A request without a token is answered like one with an unknown token: another error would be tried again
            // for ever.
            let token = given.refresh_token.unwrap_or_default();
            state.identity.refresh(app_data::API, &token, None, from).await.map_err(never_limited)?
        }
        "id_token" => by_id_token(&state, &origin, &parts, &given).await?,
        "pkce" => {
            return Err(refused(
                StatusCode::NOT_FOUND,
                "flow_state_not_found",
                "invalid flow state, no valid flow state found",
            ));
        }
        "web3" => {
            return Err(refused(
                StatusCode::UNPROCESSABLE_ENTITY,
                "web3_provider_disabled",
                "Web3 provider is disabled",
            ));
        }
        _ => return Err(refused(BAD_REQUEST, "invalid_credentials", "unsupported_grant_type")),
    };
    session(&state, &signed_in)
}

/// Signs in with an identity token, or links it to the caller's account.
async fn by_id_token(
    state: &AppState,
    origin: &Origin,
    parts: &Parts,
    given: &Credentials,
) -> Result<SignedIn, Failure> {
    let named = given.provider.as_deref().or(given.issuer.as_deref()).unwrap_or_default();
    let provider = match named {
        "apple" | "https://appleid.apple.com" => Provider::Apple,
        "google" | "https://accounts.google.com" | "accounts.google.com" => Provider::Google,
        _ => return Err(provider_disabled()),
    };
    if !state.id_tokens.knows(provider) {
        return Err(provider_disabled());
    }
    let token = IdToken {
        provider,
        token: needed(given.id_token.as_deref(), "id_token")?,
        access_token: given.access_token.as_deref().filter(|token| !token.is_empty()),
        nonce: given.nonce.as_deref().filter(|nonce| !nonce.is_empty()),
    };
    if given.link_identity == Some(true) {
        let caller = signed(parts, &TokenVerifier::from_ref(state))?;
        return Ok(state.identity.link_by_id_token(caller, &*state.id_tokens, &token).await?);
    }
    let session = new_session(origin);
    Ok(state.identity.sign_in_by_id_token(&*state.id_tokens, &token, origin.address, session).await?)
}

fn provider_disabled() -> Failure {
    refused(StatusCode::BAD_REQUEST, "provider_disabled", "Provider is not enabled")
}
