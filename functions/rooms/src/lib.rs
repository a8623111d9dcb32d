//! The `rooms` function: the rooms API, whose paths all end in a slash, and the gateway's `$default` route, which gets
//! every request without a route of its own and answers it with an error in the format of the API that its path belongs
//! to. By that route it also serves `/docs`, the reference of the common API.

mod docs;
mod icon;
mod rooms;
mod routing;
mod sign_in;
mod users;
mod wire;

use std::sync::Arc;

use axum::extract::FromRef;
use domain::account::Caller;
use domain::codes::CodeSender;
use domain::identity::{Identity, SignedIn};
use domain::media::Uploads;
use domain::person::People;
use domain::policy::Policy;
use domain::provider::ProviderCheck;
use domain::rooms::Rooms;
use domain::session::{Lifetime, NewSession, PushTokens};
use domain::{Error, NotSignedIn, Result as DomainResult};
use handset_http::api::{self, Api};
use handset_http::caller::{Origin, PublicUrl};
use handset_http::routes::Routes;
use handset_http::verifier::TokenVerifier;
use runtime::{ConfigError, Http, Services};
use utoipa::openapi::OpenApi;

/// The state that this function's handlers share.
#[derive(Clone)]
struct AppState {
    verifier: TokenVerifier,
    policy: Arc<Policy>,
    identity: Arc<Identity>,
    people: Arc<People>,
    rooms: Arc<Rooms>,
    sender: Arc<CodeSender>,
    providers: Arc<dyn ProviderCheck>,
    uploads: Arc<Uploads>,
    url: PublicUrl,
    /// Whether responses contain the code: only for deployments without real users.
    expose: bool,
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
            policy: services.policy()?,
            people: services.people()?,
            identity: services.identity()?,
            rooms: services.rooms()?,
            sender: services.codes()?,
            providers: services.providers()?,
            uploads: services.uploads()?,
            url: services.public_url(),
            expose: services.exposes_codes()?,
        })
    }

    /// A new session of this API.
    fn session(&self, origin: &Origin) -> NewSession {
        NewSession {
            api: api::Rooms::NAME,
            lifetime: Lifetime::Fixed(self.policy.rooms_session),
            push: PushTokens::default(),
            from: origin.address,
            device: origin.device.clone(),
        }
    }

    /// The session token of a sign-in.
    fn token(&self, signed_in: &SignedIn) -> String {
        self.identity.session_token(signed_in, api::Rooms::NAME)
    }

    /// The user of an optional `token` field; `None` if it is missing or empty.
    fn caller(&self, token: Option<&str>) -> DomainResult<Option<Caller>> {
        let token = token.map(str::trim).filter(|token| !token.is_empty());
        token.map(|token| self.verifier.keys.check_session_token(token, api::Rooms::NAME)).transpose()
    }

    /// The user of a required `token` field.
    fn signed(&self, token: Option<&str>) -> DomainResult<Caller> {
        self.caller(token)?.ok_or(Error::Unauthenticated(NotSignedIn::Missing))
    }
}

fn routes() -> Routes<AppState> {
    Routes::new()
        .merge(users::router())
        .merge(icon::router())
        .merge(sign_in::router())
        .merge(rooms::router())
        .merge(docs::router())
}

/// The API description of this function.
#[must_use]
pub fn api() -> OpenApi {
    routes().describe()
}

/// Builds the function.
pub fn function(services: &Services) -> Result<Http, ConfigError> {
    let router = routes().into_router();
    Ok(services.http(router.with_state(AppState::new(services)?), &services.observer("rooms")))
}
