//! Turns a function into a program: reads its environment, creates the services that it uses, and serves invocations in
//! a loop.

mod environment;
mod policy;
mod services;

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, LambdaEvent, Service, service_fn};
use serde_json::value::RawValue;
use telemetry::invocation::{Ids, Observer};

pub use self::environment::{ConfigError, Env};
pub use self::services::{Services, Wired};
pub use lambda_http::Context;

/// An error that ends an invocation or keeps a function from starting.
pub type Error = lambda_http::Error;

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
        // Named, because a `LambdaRequest` would first be copied to try one format after the other.
        let request = LambdaRequest::ApiGatewayV2(serde_json::from_slice(payload)?);
        // The adapter cannot be sent between threads, but the future that it creates can.
        let response = { Adapter::from(self.0.clone()).call(LambdaEvent::new(request, context)) };
        Ok(serde_json::to_vec(&response.await?)?)
    }
}

/// Runs the work for an event of `source`, an AWS service, and writes its log line.
pub async fn observe_event<T>(
    observer: &Observer,
    source: &str,
    context: &Context,
    work: impl Future<Output = T>,
) -> T {
    let ids = Ids {
        request_id: Some(context.request_id.clone()),
        xray_trace: context.xray_trace_id.clone(),
        route: Some(source.to_owned()),
        ..Ids::default()
    };
    observer.event(&ids, work).await
}

/// Starts logging, builds the function and passes invocations to it until Lambda stops the process.
pub async fn serve<F: Function + 'static>(
    build: impl FnOnce(&Services) -> Result<F, ConfigError>,
) -> Result<(), Error> {
    let env = Env::of_process();
    telemetry::log_json(env.optional("LOG_LEVEL").unwrap_or("error"), env.optional("METRICS_NAMESPACE").is_some());
    let function = Arc::new(build(&Services::of_process(env).await?)?);
    let handle = move |event: LambdaEvent<Box<RawValue>>| {
        let function = function.clone();
        async move {
            let answer = function.invoke(event.payload.get().as_bytes(), event.context).await?;
            Ok::<_, Error>(RawValue::from_string(String::from_utf8(answer)?)?)
        }
    };
    // As a task: waking a task costs a push to a queue, and waking the future that the runtime blocks on costs a system
    // call, of which a request with one call to DynamoDB would make five.
    tokio::spawn(lambda_http::lambda_runtime::run(service_fn(handle))).await?
}
