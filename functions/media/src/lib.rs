//! The `media` function: takes pictures and voice notes in, and serves voice notes. The only function that may write
//! originals.

mod file;
mod messenger;

use std::sync::Arc;

use axum::extract::FromRef;
use shared::aws::dynamo::Table;
use shared::aws::objects::S3Objects;
use shared::config::ConfigError;
use shared::domain::media::{ObjectStore, Uploads};
use shared::domain::policy::Policy;
use shared::domain::tokens::Keys;
use shared::http::caller::{Gate, PublicUrl};
use shared::http::observe;
use shared::lambda::{Http, Runtime};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

/// What the handlers of this function need.
#[derive(Clone)]
struct State {
    gate: Gate,
    uploads: Arc<Uploads>,
    objects: Arc<dyn ObjectStore>,
    url: PublicUrl,
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
        let objects = Arc::new(S3Objects::new(sdk, env)?);
        let uploads = Uploads {
            accounts: Arc::new(Table::new(sdk, env, policy.clone(), random.clone())?),
            objects: objects.clone(),
            clock: clock.clone(),
            random: random.clone(),
            policy,
        };
        Ok(Self {
            gate: Gate { keys: Arc::new(Keys::from_env(env)?), clock: clock.clone() },
            uploads: Arc::new(uploads),
            objects,
            url: PublicUrl::from_env(env),
        })
    }
}

fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().merge(messenger::router())
}

/// What the function answers, for the API description.
#[must_use]
pub fn api() -> OpenApi {
    routes().into_openapi()
}

/// The function.
pub fn function(runtime: &Runtime) -> Result<Http, ConfigError> {
    let (router, _) = routes().split_for_parts();
    Ok(Http(observe::finish(router.with_state(State::new(runtime)?), "media", runtime.clock.clone())))
}
