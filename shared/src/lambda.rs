//! Starting a function, and what it is started with.

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

/// What the outside world gives a function.
#[derive(Clone)]
pub struct Runtime {
    /// Its settings.
    pub env: Env,
    /// How it reaches AWS.
    pub sdk: SdkConfig,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
}

impl Runtime {
    /// The runtime of this process: its environment, the machine's clock and randomness.
    pub async fn of_process() -> Self {
        Self {
            env: Env::of_process(),
            sdk: crate::aws::load().await,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
        }
    }

    /// What watches the invocations of `function`.
    #[must_use]
    pub fn observer(&self, function: &'static str) -> Observer {
        Observer::new(function, &self.env, self.clock.clone())
    }
}

/// A function: what is done with one invocation's payload. The bytes in and out are what Lambda's Runtime API carries.
#[async_trait]
pub trait Function: Send + Sync {
    /// Handles one invocation.
    async fn invoke(&self, payload: &[u8], context: Context) -> Result<Vec<u8>, Error>;
}

/// A function that answers the gateway.
pub struct Http(pub Router);

#[async_trait]
impl Function for Http {
    async fn invoke(&self, payload: &[u8], context: Context) -> Result<Vec<u8>, Error> {
        let request: LambdaRequest = serde_json::from_slice(payload)?;
        // The adapter cannot cross threads; the future that it makes can.
        let response = { Adapter::from(self.0.clone()).call(LambdaEvent::new(request, context)) };
        Ok(serde_json::to_vec(&response.await?)?)
    }
}

/// Starts logging, builds the function and hands it invocations until Lambda stops the process.
pub async fn serve<F: Function>(build: impl FnOnce(&Runtime) -> Result<F, ConfigError>) -> Result<(), Error> {
    log_json();
    let function = &build(&Runtime::of_process().await)?;
    let handle = |event: LambdaEvent<Box<RawValue>>| async move {
        let answer = function.invoke(event.payload.get().as_bytes(), event.context).await?;
        Ok::<_, Error>(RawValue::from_string(String::from_utf8(answer)?)?)
    };
    lambda_http::lambda_runtime::run(service_fn(handle)).await
}

/// Logs as one JSON object a line, at the level of `LOG_LEVEL`. The line that ends an invocation is written at any
/// level where it carries metrics.
pub fn log_json() {
    let env = Env::of_process();
    let level = env.optional("LOG_LEVEL").unwrap_or("error");
    let always = env.optional("METRICS_NAMESPACE").map(|_| format!(",{TARGET}=info")).unwrap_or_default();
    let filter = EnvFilter::new(format!("{level}{always}"));
    tracing_subscriber::registry().with(filter).with(JsonLines::new(std::io::stdout)).init();
}
