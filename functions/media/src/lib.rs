//! The `media` function: accepts pictures and voice notes, and serves voice notes. Only this function and `rooms` (for
//! its icons) may write originals.

mod events;
mod file;
mod messenger;
mod sealtalk;
mod web;

use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::FromRef;
use shared::aws::dynamo::Table;
use shared::aws::objects::S3Objects;
use shared::config::ConfigError;
use shared::domain::media::{DirectUploads, ObjectStore, Uploads};
use shared::domain::policy::Policy;
use shared::domain::tokens::Keys;
use shared::http::caller::{Gate, PublicUrl};
use shared::http::observe;
use shared::lambda::{self, Context, Function, Http, Runtime};
use shared::observe::Observer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

/// The state that this function's handlers share.
#[derive(Clone)]
struct State {
    gate: Gate,
    uploads: Arc<Uploads>,
    direct: Arc<DirectUploads>,
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
        let accounts = Arc::new(Table::new(sdk, env, policy.clone(), random.clone())?);
        let direct = DirectUploads {
            accounts: accounts.clone(),
            objects: objects.clone(),
            tickets: objects.clone(),
            clock: clock.clone(),
            random: random.clone(),
            policy: policy.clone(),
        };
        let uploads =
            Uploads { accounts, objects: objects.clone(), clock: clock.clone(), random: random.clone(), policy };
        Ok(Self {
            gate: Gate { keys: Arc::new(Keys::from_env(env)?), clock: clock.clone() },
            uploads: Arc::new(uploads),
            direct: Arc::new(direct),
            objects,
            url: PublicUrl::from_env(env),
        })
    }
}

fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().merge(messenger::router()).merge(sealtalk::router()).merge(web::router())
}

/// The API description of this function.
#[must_use]
pub fn api() -> OpenApi {
    routes().into_openapi()
}

/// The function, which both the bucket and the gateway invoke.
pub struct Media {
    http: Http,
    direct: Arc<DirectUploads>,
    observer: Observer,
}

#[async_trait]
impl Function for Media {
    async fn invoke(&self, payload: &[u8], context: Context) -> Result<Vec<u8>, lambda::Error> {
        match events::waiting(payload) {
            Some(pictures) => {
                let work = events::taken_in(&self.direct, pictures);
                self.observer.event("s3", &context, work).await?;
                Ok(b"null".to_vec())
            }
            None => self.http.invoke(payload, context).await,
        }
    }
}

/// Builds the function.
pub fn function(runtime: &Runtime) -> Result<Media, ConfigError> {
    let (router, _) = routes().split_for_parts();
    let state = State::new(runtime)?;
    let direct = state.direct.clone();
    let observer = runtime.observer("media");
    let http = Http(observe::finish(router.with_state(state), &observer, &runtime.env));
    Ok(Media { http, direct, observer })
}
