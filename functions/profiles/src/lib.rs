//! The `profiles` function: users' profiles, and the address book.

mod device;
mod messenger;
mod sealtalk;
mod v1;
mod web;

use std::sync::Arc;

use axum::extract::FromRef;
use domain::account::{AccountStore, ProfileStore};
use domain::devices::Devices;
use domain::identity::Identity;
use domain::lookup::Lookup;
use domain::real_name::RealNames;
use handset_http::caller::PublicUrl;
use handset_http::routes::Routes;
use handset_http::verifier::TokenVerifier;
use runtime::{ConfigError, Http, Services};
use utoipa::openapi::OpenApi;

use self::sealtalk::ClientVersions;
use self::v1::Offers;

/// The state that this function's handlers share.
#[derive(Clone)]
struct AppState {
    verifier: TokenVerifier,
    accounts: Arc<dyn AccountStore>,
    profiles: Arc<dyn ProfileStore>,
    devices: Arc<Devices>,
    identity: Arc<Identity>,
    lookup: Arc<Lookup>,
    real_names: Arc<RealNames>,
    url: PublicUrl,
    versions: Arc<ClientVersions>,
    offers: Arc<Offers>,
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
            accounts: services.table()?,
            profiles: services.table()?,
            devices: services.devices()?,
            identity: services.identity()?,
            lookup: services.lookup()?,
            real_names: services.real_names()?,
            url: services.public_url(),
            versions: Arc::new(ClientVersions::from_env(&services.env)?),
            offers: Arc::new(Offers::from_env(&services.env)),
        })
    }
}

fn routes() -> Routes<AppState> {
    Routes::new()
        .merge(device::router())
        .merge(messenger::router())
        .merge(sealtalk::router())
        .merge(v1::router())
        .merge(web::router())
}

/// The API description of this function.
#[must_use]
pub fn api() -> OpenApi {
    routes().describe()
}

/// Builds the function.
pub fn function(services: &Services) -> Result<Http, ConfigError> {
    let router = routes().into_router();
    Ok(services.http(router.with_state(AppState::new(services)?), &services.observer("profiles")))
}
