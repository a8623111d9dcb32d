//! The `auth` function: sign-in, refreshing sessions, and the public keys that verify tokens.

mod device;
mod keys;
mod messenger;
mod sealtalk;
mod supabase;
mod v1;
mod web;

use std::sync::Arc;

use axum::extract::FromRef;
use domain::chat::ChatTokens;
use domain::codes::CodeSender;
use domain::deletion::Deletions;
use domain::device_id::DeviceIds;
use domain::devices::Devices;
use domain::id_token::IdTokenCheck;
use domain::identity::Identity;
use handset_http::caller::PublicUrl;
use handset_http::routes::Routes;
use handset_http::verifier::TokenVerifier;
use runtime::{ConfigError, Http, Services};
use utoipa::openapi::OpenApi;

/// The state that this function's handlers share.
#[derive(Clone)]
struct AppState {
    identity: Arc<Identity>,
    chat: Arc<dyn ChatTokens>,
    devices: Arc<Devices>,
    device_ids: Arc<DeviceIds>,
    url: PublicUrl,
    sender: Arc<CodeSender>,
    id_tokens: Arc<dyn IdTokenCheck>,
    deletions: Arc<Deletions>,
}

impl FromRef<AppState> for TokenVerifier {
    fn from_ref(state: &AppState) -> Self {
        Self { keys: state.identity.keys.clone(), clock: state.identity.clock.clone() }
    }
}

impl FromRef<AppState> for Arc<CodeSender> {
    fn from_ref(state: &AppState) -> Self {
        state.sender.clone()
    }
}

impl AppState {
    fn new(services: &Services) -> Result<Self, ConfigError> {
        Ok(Self {
            identity: services.identity()?,
            chat: services.chat_tokens()?,
            devices: services.devices()?,
            device_ids: services.device_ids()?,
            url: services.public_url(),
            sender: services.codes()?,
            id_tokens: services.id_tokens()?,
            deletions: services.deletions()?,
        })
    }
}

fn routes() -> Routes<AppState> {
    Routes::new()
        .merge(device::router())
        .merge(messenger::router())
        .merge(sealtalk::router())
        .merge(supabase::router())
        .merge(v1::router())
        .merge(web::router())
        .merge(keys::router())
}

/// The API description of this function.
#[must_use]
pub fn api() -> OpenApi {
    routes().describe()
}

/// Builds the function.
pub fn function(services: &Services) -> Result<Http, ConfigError> {
    domain::phone::load();
    let router = routes().into_router();
    Ok(services.http(router.with_state(AppState::new(services)?), &services.observer("auth")))
}
