//! The `social` function: friends, the blacklist, groups, incremental sync and reports. Its background work is done by
//! `jobs`: finishing changes to large groups, and marking groups as changed when a member has a new nickname.

mod sealtalk;
mod v1;

use std::sync::Arc;

use axum::extract::FromRef;
use domain::reports::Reports;
use domain::social::{DeltaSync, Friends, Groups};
use handset_http::caller::PublicUrl;
use handset_http::routes::Routes;
use handset_http::verifier::TokenVerifier;
use runtime::{ConfigError, Http, Services};
use utoipa::openapi::OpenApi;

/// The state that this function's handlers share.
#[derive(Clone)]
struct AppState {
    verifier: TokenVerifier,
    friends: Arc<Friends>,
    groups: Arc<Groups>,
    sync: Arc<DeltaSync>,
    reports: Arc<Reports>,
    url: PublicUrl,
}

impl FromRef<AppState> for TokenVerifier {
    fn from_ref(state: &AppState) -> Self {
        state.verifier.clone()
    }
}

impl AppState {
    fn new(services: &Services) -> Result<Self, ConfigError> {
        Ok(Self {
            verifier: services.token_verifier()?,
            friends: services.friends()?,
            groups: services.groups()?,
            sync: services.sync()?,
            reports: services.reports()?,
            url: services.public_url(),
        })
    }
}

fn routes() -> Routes<AppState> {
    Routes::new().merge(sealtalk::router()).merge(v1::router())
}

/// The API description of this function.
#[must_use]
pub fn api() -> OpenApi {
    routes().describe()
}

/// Builds the function.
pub fn function(services: &Services) -> Result<Http, ConfigError> {
    let router = routes().into_router();
    Ok(services.http(router.with_state(AppState::new(services)?), &services.observer("social")))
}
