//! What Supabase's server has and this one does not: refused in the words by which its clients know that it is off.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::routing::any;
use handset_http::api::supabase::{Failure, SupabaseResult};
use handset_http::body;
use handset_http::routes::Routes;
use serde_json::Value;

use super::refused;
use crate::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new()
        .undescribed("/auth/v1/user/identities/authorize", any(refuse))
        .undescribed("/auth/v1/{*rest}", any(refuse))
}

async fn refuse(request: Request) -> SupabaseResult {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().trim_start_matches("/auth/v1").trim_matches('/');
    let segments: Vec<_> = path.split('/').collect();
    if let (["factors"], &Method::POST) = (segments.as_slice(), &parts.method) {
        return Err(enrolment(body).await);
    }
    if segments[0] == "admin"
        && let Some(refused) = without_admin_key(&segments, &parts)
    {
        return Err(refused);
    }
    Err(refusal(&segments))
}

/// The refusal of an operator's request. No key is configured, so every key is wrong.
fn without_admin_key(path: &[&str], parts: &Parts) -> Option<Failure> {
    if matches!(path, ["admin", "invite" | "generate_link" | "sso" | "oauth" | "custom-providers", ..]) {
        return None;
    }
    let given = [AUTHORIZATION.as_str(), "apikey"].into_iter().any(|name| parts.headers.contains_key(name));
    Some(if given {
        refused(StatusCode::FORBIDDEN, "not_admin", "User not allowed")
    } else {
        refused(StatusCode::UNAUTHORIZED, "no_authorization", "This endpoint requires a valid Bearer token")
    })
}

/// The refusal of a second factor, by its type.
async fn enrolment(body: Body) -> Failure {
    const MOST: usize = 64 * 1024;
    let body = body::read(body, MOST).await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let code = match body["factor_type"].as_str() {
        Some("phone") => "mfa_phone_enroll_not_enabled",
        Some("webauthn") => "mfa_webauthn_enroll_not_enabled",
        _ => "mfa_totp_enroll_not_enabled",
    };
    refused(StatusCode::UNPROCESSABLE_ENTITY, code, "MFA enroll is disabled")
}

/// The refusal of a request that no handler takes.
fn refusal(path: &[&str]) -> Failure {
    use StatusCode as S;
    match path {
        ["recover" | "magiclink" | "invite"] | ["admin", "invite" | "generate_link"] => {
            refused(S::BAD_REQUEST, "email_provider_disabled", "Email logins are disabled")
        }
        ["authorize" | "callback"] | ["user", "identities", "authorize"] => {
            refused(S::BAD_REQUEST, "oauth_provider_not_supported", "Unsupported provider: provider is not enabled")
        }
        ["sso", ..] | ["admin", "sso", ..] => refused(S::NOT_FOUND, "saml_provider_disabled", "SAML 2.0 is disabled"),
        ["factors", ..] => refused(S::NOT_FOUND, "mfa_factor_not_found", "Factor not found"),
        ["oauth" | "scim", ..] | ["user", "oauth", ..] | ["admin", "oauth" | "custom-providers", ..] => {
            refused(S::NOT_FOUND, "feature_disabled", "This feature is disabled")
        }
        ["passkeys", ..] => refused(S::NOT_FOUND, "passkey_disabled", "Passkeys are disabled"),
        _ => refused(S::NOT_FOUND, "validation_failed", "no such endpoint"),
    }
}
