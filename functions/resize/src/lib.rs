//! The `resize` function: makes the thumbnails of a picture when it is stored, and serves pictures. Only this function
//! may write thumbnails.

mod claim;
mod events;
mod flights;
mod messenger;
mod refusals;
mod room;
mod thumbnails;

use std::sync::Arc;

use async_trait::async_trait;
use lambda_http::Context;
use shared::aws::objects::S3Objects;
use shared::config::ConfigError;
use shared::domain::policy::Policy;
use shared::http::observe;
use shared::lambda::{self, Function, Http, Runtime};
use shared::observe::Observer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use self::thumbnails::Thumbnails;

/// The state that this function's handlers share.
#[derive(Clone)]
struct State {
    thumbnails: Arc<Thumbnails>,
}

impl State {
    fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        let Runtime { env, sdk, clock, .. } = runtime;
        let policy = Policy::from_env(env)?;
        let objects = Arc::new(S3Objects::new(sdk, env)?);
        Ok(Self { thumbnails: Arc::new(Thumbnails::new(objects, clock.clone(), &policy, env)?) })
    }
}

fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().merge(messenger::router())
}

/// The API description of this function.
#[must_use]
pub fn api() -> OpenApi {
    routes().into_openapi()
}

/// The function, which both the bucket and the gateway invoke.
pub struct Resize {
    http: Http,
    thumbnails: Arc<Thumbnails>,
    observer: Observer,
}

#[async_trait]
impl Function for Resize {
    async fn invoke(&self, payload: &[u8], context: Context) -> Result<Vec<u8>, lambda::Error> {
        match events::pictures(payload) {
            Some(pictures) => {
                let work = events::made(&self.thumbnails, pictures);
                self.observer.event("s3", &context, work).await?;
                Ok(b"null".to_vec())
            }
            None => self.http.invoke(payload, context).await,
        }
    }
}

/// Builds the function.
pub fn function(runtime: &Runtime) -> Result<Resize, ConfigError> {
    let (router, _) = routes().split_for_parts();
    let state = State::new(runtime)?;
    let thumbnails = state.thumbnails.clone();
    let observer = runtime.observer("resize");
    let http = Http(observe::finish(router.with_state(state), &observer, &runtime.env));
    Ok(Resize { http, thumbnails, observer })
}
