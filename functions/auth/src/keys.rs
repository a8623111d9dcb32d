//! The public keys that verify access tokens.

use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;
use handset_http::routes;
use handset_http::routes::Routes;
use utoipa::ToSchema;

use super::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().routes(routes!(get_jwks))
}

/// A JSON Web Key Set (RFC 7517).
#[derive(ToSchema)]
#[schema(example = json!({ "keys": [{
    "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "9a1F0oLxKq2b",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}] }))]
#[expect(dead_code, reason = "only described")]
struct KeySet {
    #[schema(min_items = 1)]
    keys: Vec<PublicKey>,
}

/// An Ed25519 key.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described")]
struct PublicKey {
    /// `OKP`.
    kty: String,
    /// `Ed25519`.
    crv: String,
    /// `sig`.
    r#use: String,
    /// `EdDSA`.
    alg: String,
    /// The `kid` of the tokens that this key signs.
    kid: String,
    /// The public key, in base64url.
    x: String,
}

/// Get the public keys.
///
/// Access tokens are signed with these Ed25519 keys: one, or two during a rotation of the signing secret.
#[utoipa::path(
    get, path = "/.well-known/jwks.json", tag = "keys",
    responses((status = 200, description = "The keys", body = KeySet,
        headers(("Cache-Control" = String, description = "One hour.")))),
)]
async fn get_jwks(State(state): State<AppState>) -> impl IntoResponse {
    // One hour, so that every verifier soon has a new key; verifiers that see an unknown kid fetch the keys again
    // anyway.
    ([(CACHE_CONTROL, "public, max-age=3600")], axum::Json(state.identity.keys.jwks()))
}
