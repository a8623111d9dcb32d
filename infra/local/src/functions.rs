//! The functions, built as on Lambda except for the endpoint of their SDK clients.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use domain::clock::{Clock, SystemClock};
use domain::crypto::SystemRandom;
use domain::random::Random;
use futures::future::BoxFuture;
use runtime::{Context, Function, Services};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::describe;
use crate::invoke::Invoke;
use crate::registry::build;
use crate::start::Functions;

/// The functions of this repository.
#[derive(Clone)]
pub struct Handset {
    /// The functions' clock.
    pub clock: Arc<dyn Clock>,
    /// The functions' source of random numbers.
    pub random: Arc<dyn Random>,
}

impl Default for Handset {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom) }
    }
}

impl Functions for Handset {
    fn build<'a>(
        &'a self,
        binary: &'a str,
        environment: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<Arc<dyn Invoke>, String>> {
        Box::pin(async move {
            let env = environment.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
            let services = Services::new(env, sdk(environment), Arc::clone(&self.clock), Arc::clone(&self.random));
            Ok(Arc::new(Local::new(build(binary, &services)?, max_concurrency(binary))) as Arc<dyn Invoke>)
        })
    }

    fn openapi(&self) -> Value {
        describe::api()
    }
}

/// The configuration of the functions' SDK clients as on Lambda, except for the endpoint and the credentials.
fn sdk(environment: &BTreeMap<String, String>) -> SdkConfig {
    let value = |name: &str| environment.get(name).cloned().unwrap_or_default();
    let credentials =
        Credentials::new(value("AWS_ACCESS_KEY_ID"), value("AWS_SECRET_ACCESS_KEY"), None, None, "local run");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(value("AWS_REGION")))
        .endpoint_url(value("AWS_ENDPOINT_URL"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(aws::https::client(aws::https::Trusted::amazon()))
        .timeout_config(aws::timeouts())
        .retry_config(aws::retries())
        .stalled_stream_protection(aws::stalled_streams())
        .build()
}

/// The most pictures that are decoded at the same time.
const MAX_DECODES: usize = 4;

/// How many invocations of a function run at the same time. On Lambda each has an environment with memory of its own;
/// here they share a machine, and decoding one picture may take 512 MiB and all of a processor.
fn max_concurrency(binary: &str) -> usize {
    if binary == "resize" {
        thread::available_parallelism().map_or(1, usize::from).min(MAX_DECODES)
    } else {
        Semaphore::MAX_PERMITS
    }
}

/// A function in this process.
struct Local {
    function: Box<dyn Function>,
    /// A permit for each invocation that may run now; others wait, and their time counts meanwhile.
    permits: Semaphore,
}

impl Local {
    fn new(function: Box<dyn Function>, max_concurrency: usize) -> Self {
        Self { function, permits: Semaphore::new(max_concurrency) }
    }
}

impl Invoke for Local {
    fn invoke(&self, payload: Vec<u8>, request_id: &str, deadline_ms: u64) -> BoxFuture<'_, Result<Vec<u8>, String>> {
        let mut context = Context::default();
        request_id.clone_into(&mut context.request_id);
        context.deadline = deadline_ms;
        Box::pin(async move {
            let _permit = self.permits.acquire().await.map_err(|error| error.to_string())?;
            self.function.invoke(&payload, context).await.map_err(|error| error.to_string())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    struct Slow(Arc<[AtomicUsize; 2]>);

    #[async_trait::async_trait]
    impl Function for Slow {
        async fn invoke(&self, _: &[u8], _: Context) -> Result<Vec<u8>, runtime::Error> {
            let [running, most] = &*self.0;
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            running.fetch_sub(1, Ordering::SeqCst);
            Ok(Vec::new())
        }
    }

    #[tokio::test]
    async fn no_more_invocations_run_at_once_than_may_and_all_get_a_turn() {
        let counts = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        let local = Local::new(Box::new(Slow(counts.clone())), 3);
        let all = futures::future::join_all((0..50).map(|_| local.invoke(Vec::new(), "", 0))).await;
        assert!(all.iter().all(Result::is_ok));
        assert_eq!(counts[1].load(Ordering::SeqCst), 3);
    }
}
