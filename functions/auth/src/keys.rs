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
}, {
    "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "key_ops": ["verify"], "kid": "rBd1-799asbU",
    "x": "6XbhcerwvFY0oANIVgOWSgfxK5UuLmdyHCbh6R-Z7yA", "y": "KHwAKdGEjj8vwCxdzAmkvNocLAEovFrDRhoTzNYcnIM",
}] }))]
#[expect(dead_code, reason = "only described")]
struct KeySet {
    #[schema(min_items = 1)]
    keys: Vec<PublicKey>,
}

/// An Ed25519 key, or a P-256 key of the Supabase Auth API.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described")]
struct PublicKey {
    /// `OKP` or `EC`.
    kty: String,
    /// `Ed25519` or `P-256`.
    crv: String,
    /// `sig`.
    r#use: String,
    /// `EdDSA` or `ES256`.
    alg: String,
    /// The `kid` of the tokens that this key signs.
    kid: String,
    /// The public key, or its first coordinate, in base64url.
    x: String,
    /// The second coordinate. Only of a P-256 key.
    y: Option<String>,
    /// `verify`. Only of a P-256 key.
    key_ops: Option<Vec<String>>,
}

/// Get the public keys.
///
/// Access tokens are signed with these keys: the Ed25519 ones sign those of most APIs, the P-256 ones those of the Supabase
/// Auth API. There is one of each kind, or two during a rotation of the signing secret.
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
