//! The `codes` function: sends SMS codes. Besides it, only `auth` and `rooms` may send SMS.

mod device;
mod messenger;
mod sealtalk;
mod web;

use std::sync::Arc;

use axum::extract::FromRef;
use domain::captcha::Captchas;
use domain::codes::CodeSender;
use handset_http::api::supabase;
use handset_http::caller::PublicUrl;
use handset_http::routes::Routes;
use runtime::{ConfigError, Http, Services};
use utoipa::openapi::OpenApi;

/// The state that this function's handlers share.
#[derive(Clone)]
struct AppState {
    sender: Arc<CodeSender>,
    captchas: Arc<Captchas>,
    /// Whether responses contain the code: only for deployments without real users.
    expose: bool,
    url: PublicUrl,
}

impl FromRef<AppState> for Arc<CodeSender> {
    fn from_ref(state: &AppState) -> Self {
        state.sender.clone()
    }
}

impl AppState {
    fn new(services: &Services) -> Result<Self, ConfigError> {
        Ok(Self {
            sender: services.codes()?,
            captchas: services.captchas()?,
            expose: services.exposes_codes()?,
            url: services.public_url(),
        })
    }
}

fn routes() -> Routes<AppState> {
    Routes::new()
        .merge(device::router())
        .merge(supabase::codes::router())
        .merge(messenger::router())
        .merge(sealtalk::router())
        .merge(web::router())
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
    Ok(services.http(router.with_state(AppState::new(services)?), &services.observer("codes")))
}
