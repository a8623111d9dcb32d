//! What clients of the Supabase API ask about the server.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;
use domain::provider::Provider;
use handset_http::caller::Origin;
use handset_http::routes;
use handset_http::routes::Routes;
use serde::Serialize;
use utoipa::ToSchema;

use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(get_health))
        .routes(routes!(get_settings))
        .routes(routes!(get_app_jwks))
        .routes(routes!(get_openid_configuration))
}

/// The sign-in methods that Supabase's server lists. All that are not served are `false`.
const OTHERS: [&str; 22] = [
    "azure",
    "bitbucket",
    "discord",
    "facebook",
    "figma",
    "fly",
    "github",
    "gitlab",
    "keycloak",
    "kakao",
    "linkedin",
    "linkedin_oidc",
    "notion",
    "spotify",
    "slack",
    "slack_oidc",
    "workos",
    "twitch",
    "twitter",
    "x",
    "email",
    "zoom",
];

/// The server.
#[derive(Serialize, ToSchema)]
#[schema(as = supabase::Health, example = json!({
    "version": "0.1.0", "name": "GoTrue", "description": "Handset, compatible with Supabase Auth clients",
}))]
struct Health {
    version: &'static str,
    /// Always `GoTrue`, the name of the server that clients expect.
    name: &'static str,
    description: &'static str,
}

/// The sign-in methods.
#[derive(Serialize, ToSchema)]
#[schema(as = supabase::Settings, example = json!({
    "external": { "phone": true, "anonymous_users": true, "apple": false, "google": false, "email": false },
    "disable_signup": false, "mailer_autoconfirm": false, "phone_autoconfirm": false, "sms_provider": "sns",
    "saml_enabled": false, "passkeys_enabled": false,
}))]
#[expect(clippy::struct_excessive_bools, reason = "the client libraries' form")]
struct Settings {
    /// Which sign-in methods are on, by name.
    external: BTreeMap<&'static str, bool>,
    /// Whether no new accounts are created.
    disable_signup: bool,
    mailer_autoconfirm: bool,
    phone_autoconfirm: bool,
    sms_provider: &'static str,
    saml_enabled: bool,
    passkeys_enabled: bool,
}

/// A JSON Web Key Set (RFC 7517).
#[derive(ToSchema)]
#[schema(as = supabase::KeySet, example = json!({ "keys": [{
    "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "key_ops": ["verify"], "kid": "9a1F0oLxKq2b",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
}] }))]
#[expect(dead_code, reason = "only described")]
struct KeySet {
    keys: Vec<PublicKey>,
}

/// A P-256 key.
#[derive(ToSchema)]
#[schema(as = supabase::PublicKey)]
#[expect(dead_code, reason = "only described")]
struct PublicKey {
    kty: String,
    crv: String,
    alg: String,
    r#use: String,
    key_ops: Vec<String>,
    /// The `kid` of the tokens that this key signs.
    kid: String,
    x: String,
    y: String,
}

/// Where the public keys are.
#[derive(Serialize, ToSchema)]
#[schema(as = supabase::OpenIdConfiguration, example = json!({
    "issuer": "handset", "jwks_uri": "https://api.example.com/auth/v1/.well-known/jwks.json",
    "id_token_signing_alg_values_supported": ["ES256"],
}))]
struct OpenIdConfiguration {
    /// The claim `iss` of access tokens.
    issuer: String,
    jwks_uri: String,
    id_token_signing_alg_values_supported: [&'static str; 1],
}

/// Check that the server answers.
#[utoipa::path(
    get, path = "/auth/v1/health", tag = "supabase", operation_id = "supabase_get_health",
    responses((status = 200, description = "The server answers.", body = Health)),
)]
async fn get_health() -> impl IntoResponse {
    let description = "Handset, compatible with Supabase Auth clients";
    axum::Json(Health { version: env!("CARGO_PKG_VERSION"), name: "GoTrue", description })
}

/// List the sign-in methods.
#[utoipa::path(
    get, path = "/auth/v1/settings", tag = "supabase", operation_id = "supabase_get_settings",
    responses((status = 200, description = "Which sign-in methods are on.", body = Settings,
        headers(("Cache-Control" = String, description = "One minute.")))),
)]
async fn get_settings(State(state): State<AppState>) -> impl IntoResponse {
    let policy = &state.identity.policy;
    let mut external: BTreeMap<_, _> = OTHERS.into_iter().map(|name| (name, false)).collect();
    external.extend([("phone", true), ("anonymous_users", policy.anonymous_accounts && policy.sign_ups)]);
    let providers = [Provider::Apple, Provider::Google];
    external.extend(providers.map(|provider| (provider.name(), state.id_tokens.knows(provider))));
    let settings = Settings {
        external,
        disable_signup: !policy.sign_ups,
        mailer_autoconfirm: false,
        phone_autoconfirm: false,
        sms_provider: "sns",
        saml_enabled: false,
        passkeys_enabled: false,
    };
    ([(CACHE_CONTROL, "public, max-age=60")], axum::Json(settings))
}

/// Get the public keys of access tokens.
///
/// Access tokens of this API are signed with these P-256 keys: one, or two during a rotation of the signing secret.
#[utoipa::path(
    get, path = "/auth/v1/.well-known/jwks.json", tag = "supabase", operation_id = "supabase_get_jwks",
    responses((status = 200, description = "The keys.", body = KeySet,
        headers(("Cache-Control" = String, description = "Five minutes.")))),
)]
async fn get_app_jwks(State(state): State<AppState>) -> impl IntoResponse {
    ([(CACHE_CONTROL, "public, max-age=300")], axum::Json(state.identity.keys.app_jwks()))
}

/// Get the location of the public keys.
#[utoipa::path(
    get, path = "/auth/v1/.well-known/openid-configuration", tag = "supabase",
    operation_id = "supabase_get_openid_configuration",
    responses((status = 200, description = "The issuer of access tokens, and where its keys are.", body = OpenIdConfiguration)),
)]
async fn get_openid_configuration(State(state): State<AppState>, origin: Origin) -> impl IntoResponse {
    let configuration = OpenIdConfiguration {
        issuer: state.identity.keys.issuer().to_owned(),
        jwks_uri: state.url.absolute(&origin, "/auth/v1/.well-known/jwks.json"),
        id_token_signing_alg_values_supported: ["ES256"],
    };
    axum::Json(configuration)
}
