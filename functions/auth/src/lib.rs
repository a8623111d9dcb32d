//! The `auth` function: sign-in, refreshing sessions, and the public keys that verify tokens.

mod device;
mod keys;
mod messenger;
mod sealtalk;
mod web;

use std::sync::Arc;

use axum::extract::FromRef;
use shared::aws::dynamo::Table;
use shared::config::ConfigError;
use shared::domain::chat::ChatTokens;
use shared::domain::device_id::DeviceIds;
use shared::domain::devices::Devices;
use shared::domain::identity::Identity;
use shared::domain::policy::Policy;
use shared::domain::tokens::Keys;
use shared::http::caller::{Gate, PublicUrl};
use shared::http::observe;
use shared::lambda::{Http, Runtime};
use shared::outgoing;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

/// The state that this function's handlers share.
#[derive(Clone)]
struct State {
    identity: Arc<Identity>,
    chat: Arc<dyn ChatTokens>,
    devices: Arc<Devices>,
    device_ids: Arc<DeviceIds>,
    url: PublicUrl,
}

impl FromRef<State> for Gate {
    fn from_ref(state: &State) -> Self {
        Self { keys: state.identity.keys.clone(), clock: state.identity.clock.clone() }
    }
}

impl State {
    fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        let Runtime { env, sdk, clock, random } = runtime;
        let policy = Arc::new(Policy::from_env(env)?);
        let table = Arc::new(Table::new(sdk, env, policy.clone(), random.clone())?);
        let keys = Arc::new(Keys::from_env(env)?);
        let chat = outgoing::chat_tokens(env, &policy, keys.clone(), clock.clone(), random.clone())?;
        let devices = Arc::new(Devices { clock: clock.clone(), store: table.clone() });
        let device_ids = DeviceIds { clock: clock.clone(), random: random.clone(), store: table.clone() };
        let identity =
            Identity { clock: clock.clone(), random: random.clone(), keys, codes: table.clone(), store: table, policy };
        let (identity, device_ids) = (Arc::new(identity), Arc::new(device_ids));
        Ok(Self { identity, chat, devices, device_ids, url: PublicUrl::from_env(env) })
    }
}

fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .merge(device::router())
        .merge(messenger::router())
        .merge(sealtalk::router())
        .merge(web::router())
        .merge(keys::router())
}

/// The API description of this function.
#[must_use]
pub fn api() -> OpenApi {
    routes().into_openapi()
}

/// Builds the function.
pub fn function(runtime: &Runtime) -> Result<Http, ConfigError> {
    let (router, _) = routes().split_for_parts();
    Ok(Http(observe::finish(router.with_state(State::new(runtime)?), &runtime.observer("auth"), &runtime.env)))
}
