//! The `media` function: accepts pictures and voice notes, and serves voice notes. Only this function and `rooms` (for
//! its icons) may write originals.

mod events;
mod file;
mod messenger;
mod sealtalk;
mod v1;
mod web;

use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::FromRef;
use domain::media::{DirectUploads, Library, ObjectStore, Uploads};
use handset_http::caller::PublicUrl;
use handset_http::routes::Routes;
use handset_http::verifier::TokenVerifier;
use runtime::{ConfigError, Context, Function, Http, Services};
use telemetry::invocation::Observer;
use utoipa::openapi::OpenApi;

/// The state that this function's handlers share.
#[derive(Clone)]
struct AppState {
    verifier: TokenVerifier,
    uploads: Arc<Uploads>,
    direct: Arc<DirectUploads>,
    library: Arc<Library>,
    objects: Arc<dyn ObjectStore>,
    url: PublicUrl,
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
            uploads: services.uploads()?,
            direct: services.direct_uploads()?,
            library: services.library()?,
            objects: services.objects()?,
            url: services.public_url(),
        })
    }
}

fn routes() -> Routes<AppState> {
    Routes::new().merge(messenger::router()).merge(sealtalk::router()).merge(v1::router()).merge(web::router())
}

/// The API description of this function.
#[must_use]
pub fn api() -> OpenApi {
    routes().describe()
}

/// The function, which both the bucket and the gateway invoke.
pub struct Media {
    http: Http,
    direct: Arc<DirectUploads>,
    observer: Observer,
}

#[async_trait]
impl Function for Media {
    async fn invoke(&self, payload: &[u8], context: Context) -> Result<Vec<u8>, runtime::Error> {
        match events::waiting(payload) {
            Some(pictures) => {
                let work = events::taken_in(&self.direct, pictures);
                runtime::observe_event(&self.observer, "s3", &context, work).await?;
                Ok(b"null".to_vec())
            }
            None => self.http.invoke(payload, context).await,
        }
    }
}

/// Builds the function.
pub fn function(services: &Services) -> Result<Media, ConfigError> {
    let router = routes().into_router();
    let state = AppState::new(services)?;
    let direct = state.direct.clone();
    let observer = services.observer("media");
    let http = services.http(router.with_state(state), &observer);
    Ok(Media { http, direct, observer })
}
