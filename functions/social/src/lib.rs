//! The `social` function: friends, the blacklist, groups and incremental sync. The table's stream triggers its
//! background work: finishing changes to large groups, and marking groups as changed when a member has a new nickname.

mod sealtalk;
mod stream;

use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::FromRef;
use domain::social::{DeltaSync, Friends, Groups, Jobs};
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
    friends: Arc<Friends>,
    groups: Arc<Groups>,
    jobs: Arc<Jobs>,
    sync: Arc<DeltaSync>,
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
            friends: services.friends()?,
            groups: services.groups()?,
            jobs: services.jobs()?,
            sync: services.sync()?,
            url: services.public_url(),
        })
    }
}

fn routes() -> Routes<AppState> {
    Routes::new().merge(sealtalk::router())
}

/// The API description of this function.
#[must_use]
pub fn api() -> OpenApi {
    routes().describe()
}

/// The function, which both the table's stream and the gateway invoke.
pub struct Social {
    http: Http,
    jobs: Arc<Jobs>,
    observer: Observer,
}

#[async_trait]
impl Function for Social {
    async fn invoke(&self, payload: &[u8], context: Context) -> Result<Vec<u8>, runtime::Error> {
        match dynamodb::stream::records(payload) {
            Some(records) => {
                let work = stream::follow(&self.jobs, &records);
                Ok(runtime::observe_event(&self.observer, "dynamodb", &context, work).await)
            }
            None => self.http.invoke(payload, context).await,
        }
    }
}

/// Builds the function.
pub fn function(services: &Services) -> Result<Social, ConfigError> {
    let router = routes().into_router();
    let state = AppState::new(services)?;
    let jobs = state.jobs.clone();
    let observer = services.observer("social");
    let http = services.http(router.with_state(state), &observer);
    Ok(Social { http, jobs, observer })
}
