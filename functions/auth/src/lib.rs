//! The `auth` function: signing in, staying signed in, and the public keys that tokens are checked with.

mod keys;
mod messenger;

use std::sync::Arc;

use shared::aws::dynamo::Table;
use shared::config::ConfigError;
use shared::domain::policy::Policy;
use shared::domain::sign_in::SignIn;
use shared::domain::tokens::Keys;
use shared::http::caller::PublicUrl;
use shared::http::observe;
use shared::lambda::{Http, Runtime};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

/// What the handlers of this function need.
#[derive(Clone)]
struct State {
    sign_in: Arc<SignIn>,
    url: PublicUrl,
}

impl State {
    fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        let Runtime { env, sdk, clock, random } = runtime;
        let policy = Arc::new(Policy::from_env(env)?);
        let table = Arc::new(Table::new(sdk, env, policy.clone(), random.clone())?);
        let sign_in = SignIn {
            clock: clock.clone(),
            random: random.clone(),
            keys: Arc::new(Keys::from_env(env)?),
            codes: table.clone(),
            sessions: table,
            policy,
        };
        Ok(Self { sign_in: Arc::new(sign_in), url: PublicUrl::from_env(env) })
    }
}

fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().merge(messenger::router()).merge(keys::router())
}

/// What the function answers, for the API description.
#[must_use]
pub fn api() -> OpenApi {
    routes().into_openapi()
}

/// The function.
pub fn function(runtime: &Runtime) -> Result<Http, ConfigError> {
    let (router, _) = routes().split_for_parts();
    Ok(Http(observe::finish(router.with_state(State::new(runtime)?), "auth", runtime.clock.clone())))
}
