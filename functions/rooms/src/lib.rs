//! The `rooms` function: the rooms API, whose paths all end in a slash, and the gateway's `$default` route, which gets
//! every request without a route of its own and answers it with an error in the format of the API that its path belongs
//! to.

mod icon;
mod rooms;
mod routing;
mod sign_in;
mod users;
mod wire;

use std::sync::Arc;

use axum::extract::FromRef;
use shared::aws::dynamo::Table;
use shared::aws::objects::S3Objects;
use shared::aws::texts::SnsTexts;
use shared::config::ConfigError;
use shared::domain::account::Caller;
use shared::domain::captcha::Captchas;
use shared::domain::codes::CodeSender;
use shared::domain::identity::{Identity, SignedIn};
use shared::domain::media::Uploads;
use shared::domain::person::People;
use shared::domain::policy::Policy;
use shared::domain::provider::ProviderCheck;
use shared::domain::rooms::{Numbers, Rooms};
use shared::domain::session::{Lifetime, NewSession, PushTokens};
use shared::domain::tokens::Keys;
use shared::domain::{Error, NotSignedIn, Result as DomainResult};
use shared::http::api::{self, Api};
use shared::http::caller::{Gate, Origin, PublicUrl};
use shared::http::observe;
use shared::lambda::{Http, Runtime};
use shared::outgoing::Providers;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

/// The state that this function's handlers share.
#[derive(Clone)]
struct State {
    gate: Gate,
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

impl FromRef<State> for Gate {
    fn from_ref(state: &State) -> Self {
        state.gate.clone()
    }
}

impl State {
    fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        let Runtime { env, sdk, clock, random } = runtime;
        let (clock, random) = (clock.clone(), random.clone());
        let policy = Arc::new(Policy::from_env(env)?);
        let table = Arc::new(Table::new(sdk, env, policy.clone(), random.clone())?);
        let keys = Arc::new(Keys::from_env(env)?);
        let identity = Arc::new(Identity {
            policy: policy.clone(),
            clock: clock.clone(),
            random: random.clone(),
            keys: keys.clone(),
            codes: table.clone(),
            store: table.clone(),
        });
        let (texts, text) = (Arc::new(SnsTexts::new(sdk, env)), env.text("SMS_TEXT")?.to_owned());
        let captchas = Captchas {
            lifetime: policy.captcha_ttl,
            clock: clock.clone(),
            random: random.clone(),
            keys: keys.clone(),
            store: table.clone(),
        };
        let sender = CodeSender {
            policy: policy.clone(),
            clock: clock.clone(),
            random: random.clone(),
            keys: keys.clone(),
            store: table.clone(),
            accounts: table.clone(),
            captcha_rule: env.parsed("CAPTCHA_REQUIRED", "true, adaptive or false")?,
            captchas: Arc::new(captchas),
            texts,
            text,
        };
        let uploads = Uploads {
            accounts: table.clone(),
            objects: Arc::new(S3Objects::new(sdk, env)?),
            clock: clock.clone(),
            random: random.clone(),
            policy: policy.clone(),
        };
        let rooms = Rooms {
            policy: policy.clone(),
            keys: keys.clone(),
            clock: clock.clone(),
            random,
            store: table.clone(),
            numbers: Numbers::default(),
        };
        Ok(Self {
            gate: Gate { keys, clock: clock.clone() },
            policy,
            people: Arc::new(People { clock, identity: identity.clone(), store: table }),
            identity,
            rooms: Arc::new(rooms),
            sender: Arc::new(sender),
            providers: Arc::new(Providers::from_env(env, runtime.random.clone())?),
            uploads: Arc::new(uploads),
            url: PublicUrl::from_env(env),
            expose: env.flag("EXPOSE_CODES")?,
        })
    }

    /// A new session of this API.
    fn session(&self, origin: &Origin) -> NewSession {
        NewSession {
            api: api::Rooms::NAME,
            lifetime: Lifetime::Fixed(self.policy.rooms_session),
            push: PushTokens::default(),
            from: origin.address,
        }
    }

    /// The session token of a sign-in.
    fn token(&self, signed_in: &SignedIn) -> String {
        self.identity.session_token(signed_in, api::Rooms::NAME)
    }

    /// The user of an optional `token` field; `None` if it is missing or empty.
    fn caller(&self, token: Option<&str>) -> DomainResult<Option<Caller>> {
        let token = token.map(str::trim).filter(|token| !token.is_empty());
        token.map(|token| self.gate.keys.check_session_token(token, api::Rooms::NAME)).transpose()
    }

    /// The user of a required `token` field.
    fn signed(&self, token: Option<&str>) -> DomainResult<Caller> {
        self.caller(token)?.ok_or(Error::Unauthenticated(NotSignedIn::Missing))
    }
}

fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().merge(users::router()).merge(icon::router()).merge(sign_in::router()).merge(rooms::router())
}

/// The API description of this function.
#[must_use]
pub fn api() -> OpenApi {
    routes().into_openapi()
}

/// Builds the function.
pub fn function(runtime: &Runtime) -> Result<Http, ConfigError> {
    let (router, _) = routes().split_for_parts();
    Ok(Http(observe::finish(router.with_state(State::new(runtime)?), &runtime.observer("rooms"), &runtime.env)))
}
