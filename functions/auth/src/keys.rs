//! The public keys that verify access tokens.

use axum::extract::State as Held;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::State;

pub(super) fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(get_jwks))
}

/// The public keys.
///
/// A JSON Web Key Set (RFC 7517) with the Ed25519 keys that access tokens are signed with: one, and during a rotation
/// of the signing secret two.
#[utoipa::path(
    get, path = "/.well-known/jwks.json", tag = "keys",
    responses((status = 200, description = "The keys", content_type = "application/json", example = json!({
        "keys": [{
            "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "9a1F0oLxKq2b",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        }],
    }))),
)]
async fn get_jwks(Held(state): Held<State>) -> impl IntoResponse {
    // One hour, so that every verifier soon has a new key; verifiers that see an unknown kid fetch the keys again
    // anyway.
    ([(CACHE_CONTROL, "public, max-age=3600")], axum::Json(state.identity.keys.jwks()))
}
