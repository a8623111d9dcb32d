//! The `social` function: friends, the blacklist, groups and delta sync. The table's stream triggers its background
//! work: finishing changes to large groups, and marking groups as changed when a member has a new nickname.

mod sealtalk;
mod stream;

use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::FromRef;
use lambda_http::Context;
use shared::aws::dynamo::Table;
use shared::config::ConfigError;
use shared::domain::policy::Policy;
use shared::domain::social::{Friends, Groups, Jobs, Sync, sync};
use shared::domain::tokens::Keys;
use shared::http::caller::{Gate, PublicUrl};
use shared::http::observe;
use shared::lambda::{self, Function, Http, Runtime};
use shared::observe::Observer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

/// The state that this function's handlers share.
#[derive(Clone)]
struct State {
    gate: Gate,
    friends: Arc<Friends>,
    groups: Arc<Groups>,
    jobs: Arc<Jobs>,
    sync: Arc<Sync>,
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
        let table = Arc::new(Table::new(sdk, env, policy, random.clone())?);
        let jobs = Arc::new(Jobs { clock: clock.clone(), store: table.clone() });
        let groups = Groups {
            clock: clock.clone(),
            random: random.clone(),
            store: table.clone(),
            friends: table.clone(),
            jobs: jobs.clone(),
        };
        Ok(Self {
            gate: Gate { keys: Arc::new(Keys::from_env(env)?), clock: clock.clone() },
            friends: Arc::new(Friends { clock: clock.clone(), store: table.clone() }),
            groups: Arc::new(groups),
            jobs,
            sync: Arc::new(Sync { clock: clock.clone(), store: table, page: sync::PAGE }),
            url: PublicUrl::from_env(env),
        })
    }
}

fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().merge(sealtalk::router())
}

/// The API description of this function.
#[must_use]
pub fn api() -> OpenApi {
    routes().into_openapi()
}

/// The function, which both the table's stream and the gateway invoke.
pub struct Social {
    http: Http,
    jobs: Arc<Jobs>,
    observer: Observer,
}

#[async_trait]
impl Function for Social {
    async fn invoke(&self, payload: &[u8], context: Context) -> Result<Vec<u8>, lambda::Error> {
        match shared::aws::stream::records(payload) {
            Some(records) => {
                let work = stream::follow(&self.jobs, &records);
                Ok(self.observer.event("dynamodb", &context, work).await)
            }
            None => self.http.invoke(payload, context).await,
        }
    }
}

/// Builds the function.
pub fn function(runtime: &Runtime) -> Result<Social, ConfigError> {
    let (router, _) = routes().split_for_parts();
    let state = State::new(runtime)?;
    let jobs = state.jobs.clone();
    let observer = runtime.observer("social");
    let http = Http(observe::finish(router.with_state(state), &observer, &runtime.env));
    Ok(Social { http, jobs, observer })
}
