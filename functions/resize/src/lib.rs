//! The `resize` function: makes the thumbnails of a picture when it is stored, and serves pictures. Only this function
//! may write thumbnails.

mod events;
mod memory_limit;
mod messenger;
mod refusals;
mod thumbnails;

use std::sync::Arc;

use async_trait::async_trait;
use handset_http::routes::Routes;
use runtime::{ConfigError, Context, Function, Http, Services};
use telemetry::invocation::Observer;
use utoipa::openapi::OpenApi;

use self::thumbnails::Thumbnails;

/// The state that this function's handlers share.
#[derive(Clone)]
struct AppState {
    thumbnails: Arc<Thumbnails>,
}

impl AppState {
    fn new(services: &Services) -> Result<Self, ConfigError> {
        let (objects, clock) = (services.objects()?, services.clock.clone());
        let thumbnails = Thumbnails::new(objects, clock, &*services.policy()?, &services.env)?;
        Ok(Self { thumbnails: Arc::new(thumbnails) })
    }
}

fn routes() -> Routes<AppState> {
    Routes::new().merge(messenger::router())
}

/// The API description of this function.
#[must_use]
pub fn api() -> OpenApi {
    routes().describe()
}

/// The function, which both the bucket and the gateway invoke.
pub struct Resize {
    http: Http,
    thumbnails: Arc<Thumbnails>,
    observer: Observer,
}

#[async_trait]
impl Function for Resize {
    async fn invoke(&self, payload: &[u8], context: Context) -> Result<Vec<u8>, runtime::Error> {
        match events::pictures(payload) {
            Some(pictures) => {
                let work = events::made(&self.thumbnails, pictures);
                runtime::observe_event(&self.observer, "s3", &context, work).await?;
                Ok(b"null".to_vec())
            }
            None => self.http.invoke(payload, context).await,
        }
    }
}

/// Builds the function.
pub fn function(services: &Services) -> Result<Resize, ConfigError> {
    let router = routes().into_router();
    let state = AppState::new(services)?;
    let thumbnails = state.thumbnails.clone();
    let observer = services.observer("resize");
    let http = services.http(router.with_state(state), &observer);
    Ok(Resize { http, thumbnails, observer })
}
