//! A removal that is stopped after each of its calls to AWS, and goes on from there.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use domain::account::UserId;
use domain::crypto::SystemRandom;
use domain::deletion::PURGED_AFTER;
use runtime::Services;
use serde_json::json;

use super::delete;
use super::everything::{fill, left_of};
use crate::support::backend::whole;
use crate::support::{Backend, run};

/// A client whose process dies after so many calls: the last call is made, and its response is lost.
#[derive(Clone, Debug)]
struct Dying {
    inner: SharedHttpClient,
    calls: Arc<AtomicUsize>,
    most: usize,
}

impl HttpClient for Dying {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(DyingConnector { inner, calls: self.calls.clone(), most: self.most })
    }
}

#[derive(Debug)]
struct DyingConnector {
    inner: SharedHttpConnector,
    calls: Arc<AtomicUsize>,
    most: usize,
}

impl HttpConnector for DyingConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let (inner, most) = (self.inner.clone(), self.most);
        HttpConnectorFuture::new(async move {
            if call > most {
                return Err(ConnectorError::other("the process is dead".into(), None));
            }
            let response = inner.call(request).await;
            if call == most { Err(ConnectorError::other("the process died".into(), None)) } else { response }
        })
    }
}

#[test]
fn a_removal_that_dies_after_any_call_goes_on_and_leaves_nothing() {
    run(async {
        let backend = Backend::start(&[]).await;
        let filled = fill(&backend).await;
        assert_eq!(whole(delete(&backend, &filled.session, &json!({}))).await.status, 204);
        backend.advance(PURGED_AFTER + Duration::from_secs(1));
        backend.settled().await;
        let user = UserId::new(filled.user).expect("an id");
        let (mut deaths, plain) = (0, backend.administrator().clone());
        // Each life makes one call more than the last, so every call is the last one of some life.
        for most in 1..2_000 {
            let inner = aws_smithy_http_client::Builder::new().build_http();
            let dying = Dying { inner: SharedHttpClient::new(inner), calls: Arc::default(), most };
            let sdk = plain.to_builder().http_client(dying.clone()).retry_config(RetryConfig::disabled()).build();
            let environment = backend.environment("jobs").into_iter().collect();
            let services = Services::new(environment, sdk, backend.clock.clone(), Arc::new(SystemRandom));
            let done = services.purge().expect("a service").purge(user).await;
            if dying.calls.load(Ordering::SeqCst) < most {
                done.expect("purged");
                break;
            }
            deaths += 1;
        }
        assert!(deaths >= 10, "{deaths}");
        assert_eq!(left_of(&backend, &filled).await, BTreeSet::new());
    });
}
