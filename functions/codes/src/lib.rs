//! The `codes` function: sends SMS codes. Only this function and `rooms` may send SMS.

mod device;
mod messenger;
mod sealtalk;
mod web;

use std::sync::Arc;

use shared::aws::dynamo::Table;
use shared::aws::texts::SnsTexts;
use shared::config::ConfigError;
use shared::domain::captcha::Captchas;
use shared::domain::codes::CodeSender;
use shared::domain::policy::Policy;
use shared::domain::tokens::Keys;
use shared::http::caller::PublicUrl;
use shared::http::observe;
use shared::lambda::{Http, Runtime};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

/// The state that this function's handlers share.
#[derive(Clone)]
struct State {
    sender: Arc<CodeSender>,
    captchas: Arc<Captchas>,
    /// Whether responses contain the code: only for deployments without real users.
    expose: bool,
    url: PublicUrl,
}

impl State {
    fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        let Runtime { env, sdk, clock, random } = runtime;
        let policy = Arc::new(Policy::from_env(env)?);
        let table = Arc::new(Table::new(sdk, env, policy.clone(), random.clone())?);
        let keys = Arc::new(Keys::from_env(env)?);
        let captchas = Arc::new(Captchas {
            lifetime: policy.captcha_ttl,
            clock: clock.clone(),
            random: random.clone(),
            keys: keys.clone(),
            store: table.clone(),
        });
        let sender = CodeSender {
            store: table.clone(),
            accounts: table,
            captcha_rule: env.parsed("CAPTCHA_REQUIRED", "true, adaptive or false")?,
            captchas: captchas.clone(),
            texts: Arc::new(SnsTexts::new(sdk, env)),
            keys,
            text: env.text("SMS_TEXT")?.to_owned(),
            clock: clock.clone(),
            random: random.clone(),
            policy,
        };
        Ok(Self {
            sender: Arc::new(sender),
            captchas,
            expose: env.flag("EXPOSE_CODES")?,
            url: PublicUrl::from_env(env),
        })
    }
}

fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .merge(device::router())
        .merge(messenger::router())
        .merge(sealtalk::router())
        .merge(web::router())
}

/// The API description of this function.
#[must_use]
pub fn api() -> OpenApi {
    routes().into_openapi()
}

/// Builds the function.
pub fn function(runtime: &Runtime) -> Result<Http, ConfigError> {
    let (router, _) = routes().split_for_parts();
    Ok(Http(observe::finish(router.with_state(State::new(runtime)?), &runtime.observer("codes"), &runtime.env)))
}
