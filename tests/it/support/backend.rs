//! A running backend.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use local::{Handset, Options, Running};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;
use shared::domain::clock::{Clock, SystemClock, Timestamp};

/// The machine's clock, and how far this backend's is ahead of it.
pub struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(SystemClock.now().millis() + self.0.load(Ordering::SeqCst))
    }
}

/// A backend of one's own, in memory, on a free port.
pub struct Backend {
    /// What runs.
    pub running: Running,
    /// Its clock.
    pub clock: Arc<TestClock>,
    client: Client,
}

impl Backend {
    /// Starts a backend with these parameters of the template set on top of the local run's.
    pub async fn start(parameters: &[(&str, &str)]) -> Self {
        let clock = Arc::new(TestClock(AtomicI64::new(0)));
        let handset = Handset { clock: clock.clone(), ..Handset::default() };
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let options = Options { port: 0, data: None, parameters, ..Options::default() };
        let running = local::start(options, &handset).await.expect("the backend starts");
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        Self { running, clock, client }
    }

    /// Lets time pass for the backend.
    pub fn advance(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).expect("a time that tests use");
        self.clock.0.fetch_add(millis, Ordering::SeqCst);
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.running.url())
    }

    /// A request to a path.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    pub fn put(&self, path: &str) -> RequestBuilder {
        self.request(Method::PUT, path)
    }

    pub fn patch(&self, path: &str) -> RequestBuilder {
        self.request(Method::PATCH, path)
    }
}

/// Sends a request and reads its status and JSON body.
pub async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.expect("an answer");
    read(response).await
}

/// The status and JSON body of a response.
pub async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.expect("a body");
    let body = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in the {status} body {text:?}"));
    (status, body)
}
