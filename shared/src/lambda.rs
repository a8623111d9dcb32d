//! Starting a function, and the resources it starts with.

mod log;

use std::sync::Arc;

use async_trait::async_trait;
use aws_config::SdkConfig;
use axum::Router;
use lambda_http::Adapter;
use lambda_http::request::LambdaRequest;
use lambda_http::{LambdaEvent, Service, service_fn};
use serde_json::value::RawValue;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{ConfigError, Env};
use crate::crypto::SystemRandom;
use crate::domain::clock::{Clock, SystemClock};
use crate::domain::random::Random;
use crate::observe::{Observer, TARGET};

pub use self::log::JsonLines;
pub use lambda_http::Context;

/// An error that ends an invocation or keeps a function from starting.
pub type Error = lambda_http::Error;

/// The resources that a function gets from outside.
#[derive(Clone)]
pub struct Runtime {
    /// Its settings.
    pub env: Env,
    /// The configuration for calls to AWS.
    pub sdk: SdkConfig,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of random bytes.
    pub random: Arc<dyn Random>,
}

impl Runtime {
    /// The resources of this process: its environment, the machine's clock and the system's random numbers.
    pub async fn of_process() -> Self {
        Self {
            env: Env::of_process(),
            sdk: crate::aws::load().await,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
        }
    }

    /// The observer for the invocations of `function`.
    #[must_use]
    pub fn observer(&self, function: &'static str) -> Observer {
        Observer::new(function, &self.env, self.clock.clone())
    }
}

/// A function: it processes the payload of one invocation. The bytes in and out are those of Lambda's Runtime API.
#[async_trait]
pub trait Function: Send + Sync {
    /// Handles one invocation.
    async fn invoke(&self, payload: &[u8], context: Context) -> Result<Vec<u8>, Error>;
}

/// A function that answers HTTP requests from the gateway.
pub struct Http(pub Router);

#[async_trait]
impl Function for Http {
    async fn invoke(&self, payload: &[u8], context: Context) -> Result<Vec<u8>, Error> {
        let request: LambdaRequest = serde_json::from_slice(payload)?;
        // The adapter cannot be sent between threads, but the future that it creates can.
        let response = { Adapter::from(self.0.clone()).call(LambdaEvent::new(request, context)) };
        Ok(serde_json::to_vec(&response.await?)?)
    }
}

/// Starts logging, builds the function and passes invocations to it until Lambda stops the process.
pub async fn serve<F: Function>(build: impl FnOnce(&Runtime) -> Result<F, ConfigError>) -> Result<(), Error> {
    log_json();
    let function = &build(&Runtime::of_process().await)?;
    let handle = |event: LambdaEvent<Box<RawValue>>| async move {
        let answer = function.invoke(event.payload.get().as_bytes(), event.context).await?;
        Ok::<_, Error>(RawValue::from_string(String::from_utf8(answer)?)?)
    };
    lambda_http::lambda_runtime::run(service_fn(handle)).await
}

/// Logs one JSON object a line, at the level in `LOG_LEVEL`. If metrics are on, the line that ends an invocation is
/// written at every level, because it carries them.
pub fn log_json() {
    let env = Env::of_process();
    let level = env.optional("LOG_LEVEL").unwrap_or("error");
    let always = env.optional("METRICS_NAMESPACE").map(|_| format!(",{TARGET}=info")).unwrap_or_default();
    let filter = EnvFilter::new(format!("{level}{always}"));
    tracing_subscriber::registry().with(filter).with(JsonLines::new(std::io::stdout)).init();
}
