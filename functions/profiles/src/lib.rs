//! The `profiles` function: users' profiles, and the address book.

mod device;
mod messenger;
mod sealtalk;
mod web;

use std::sync::Arc;

use axum::extract::FromRef;
use shared::aws::dynamo::Table;
use shared::aws::kms::KmsVault;
use shared::config::ConfigError;
use shared::domain::account::AccountStore;
use shared::domain::devices::Devices;
use shared::domain::identity::Identity;
use shared::domain::lookup::Lookup;
use shared::domain::policy::Policy;
use shared::domain::real_name::RealNames;
use shared::domain::tokens::Keys;
use shared::http::caller::{Gate, PublicUrl};
use shared::http::observe;
use shared::lambda::{Http, Runtime};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use self::sealtalk::ClientVersions;

/// The state that this function's handlers share.
#[derive(Clone)]
struct State {
    gate: Gate,
    accounts: Arc<dyn AccountStore>,
    devices: Arc<Devices>,
    identity: Arc<Identity>,
    lookup: Arc<Lookup>,
    real_names: Arc<RealNames>,
    url: PublicUrl,
    versions: Arc<ClientVersions>,
}

impl FromRef<State> for Gate {
    fn from_ref(state: &State) -> Self {
        state.gate.clone()
    }
}

impl State {
    fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        let Runtime { env, sdk, clock, random } = runtime;
        let policy = Arc::new(Policy::from_env(env)?);
        let table = Arc::new(Table::new(sdk, env, policy.clone(), random.clone())?);
        let keys = Arc::new(Keys::from_env(env)?);
        let identity = Identity {
            policy: policy.clone(),
            clock: clock.clone(),
            random: random.clone(),
            keys: keys.clone(),
            codes: table.clone(),
            store: table.clone(),
        };
        let real_names = RealNames {
            clock: clock.clone(),
            vault: Arc::new(KmsVault::new(sdk, env, random.clone())?),
            store: table.clone(),
        };
        Ok(Self {
            gate: Gate { keys, clock: clock.clone() },
            accounts: table.clone(),
            devices: Arc::new(Devices { clock: clock.clone(), store: table.clone() }),
            identity: Arc::new(identity),
            lookup: Arc::new(Lookup { policy, clock: clock.clone(), store: table }),
            real_names: Arc::new(real_names),
            url: PublicUrl::from_env(env),
            versions: Arc::new(ClientVersions::from_env(env)?),
        })
    }
}

fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .merge(device::router())
        .merge(messenger::router())
        .merge(sealtalk::router())
        .merge(web::router())
}

/// The API description of this function.
#[must_use]
pub fn api() -> OpenApi {
    routes().into_openapi()
}

/// Builds the function.
pub fn function(runtime: &Runtime) -> Result<Http, ConfigError> {
    let (router, _) = routes().split_for_parts();
    Ok(Http(observe::finish(router.with_state(State::new(runtime)?), &runtime.observer("profiles"), &runtime.env)))
}
