//! A running backend.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_config::SdkConfig;
use domain::clock::{Clock, SystemClock, Timestamp};
use domain::{Error, NotSignedIn};
use emulator::QueueMessage;
use handset_http::api::{Api, Device, Messenger, Rooms, SealTalk, Supabase, V1};
use local::{Functions, Handset, Options, Running};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;

use super::third_party_engines::{Elsewhere, engine, not_here};
use super::{openapi_check, round_trips};

/// The machine's clock plus this backend's offset, or a clock that only the test moves.
#[derive(Default)]
pub struct TestClock {
    stopped: AtomicBool,
    /// Milliseconds: the offset from the machine's clock, or the time since the Unix epoch if the clock is stopped.
    millis: AtomicI64,
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let millis = self.millis.load(Ordering::SeqCst);
        let machine = if self.stopped.load(Ordering::SeqCst) { 0 } else { SystemClock.now().millis() };
        Timestamp::from_millis(machine + millis)
    }
}

/// The running program.
pub enum Runs {
    /// The local run in this process.
    Here(Box<Running>),
    /// The built binaries on third-party engines.
    Elsewhere(Box<Elsewhere>),
}

impl Runs {
    /// The gateway's URL.
    pub fn url(&self) -> String {
        match self {
            Self::Here(running) => running.url(),
            Self::Elsewhere(elsewhere) => elsewhere.url(),
        }
    }

    /// Shuts down cleanly.
    pub async fn stop(self) {
        if let Self::Here(running) = self {
            running.stop().await;
        }
    }
}

/// Features that only our own engines have: faults, denied calls, the resolved template.
impl Deref for Runs {
    type Target = Running;

    fn deref(&self) -> &Running {
        match self {
            Self::Here(running) => running,
            Self::Elsewhere(_) => not_here("our own engines"),
        }
    }
}

/// A separate backend, in memory, on a free port.
pub struct Backend {
    /// The running program.
    pub running: Runs,
    /// Its clock.
    pub clock: Arc<TestClock>,
    pub(super) administrator: OnceLock<SdkConfig>,
    pub(super) table: OnceLock<aws_sdk_dynamodb::Client>,
    client: Client,
}

/// Clients at other loopback addresses, so that the gateway sees these addresses. Linux has all of 127.0.0.0/8; on
/// other systems the addresses have to be added to the interface first.
pub struct At<'a> {
    backend: &'a Backend,
    client: Client,
}

impl At<'_> {
    /// A request to a path.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.backend.url(path))
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    /// The request for a code.
    pub fn ask(&self, phone: &super::Phone) -> RequestBuilder {
        self.post("/verify_code").query(&[("zone", "86"), ("number", &phone.0)])
    }

    /// Signs in with a code.
    pub async fn sign_in(&self, phone: &super::Phone, code: &str) -> (u16, Value) {
        let body = serde_json::json!({ "zone": "86", "number": phone.0, "code": code });
        answer(self.post("/auth/token").json(&body)).await
    }
}

impl Backend {
    /// A client with the address `127.9.<network>.<host>`; each network is a separate /24.
    pub fn at(&self, network: u8, host: u8) -> At<'_> {
        let address = std::net::Ipv4Addr::new(127, 9, network, host);
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).local_address(Some(address.into()));
        At { backend: self, client: client.build().expect("a client") }
    }

    /// Starts a backend with these parameters of the template set on top of the local run's.
    pub async fn start(parameters: &[(&str, &str)]) -> Self {
        let parameters: Vec<_> =
            parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        if let Some(engine) = engine() {
            return Self::of(Runs::Elsewhere(Box::new(Elsewhere::start(engine, &parameters).await)), Arc::default());
        }
        let options = Options { port: 0, data: None, parameters, ..Options::default() };
        Self::with(options, |handset| handset).await.expect("the backend starts")
    }

    /// Starts a backend with these options, with functions that `functions` creates from the repository's own.
    pub async fn with<F: Functions>(
        options: Options,
        functions: impl FnOnce(Handset) -> F,
    ) -> Result<Self, local::Error> {
        if engine().is_some() {
            not_here("functions or options of its own");
        }
        let clock = Arc::new(TestClock::default());
        let functions = functions(Handset { clock: clock.clone(), ..Handset::default() });
        let running = local::start_before(Some(openapi_check::witness()), options, &functions).await?;
        Ok(Self::of(Runs::Here(Box::new(running)), clock))
    }

    fn of(running: Runs, clock: Arc<TestClock>) -> Self {
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        Self { running, clock, administrator: OnceLock::new(), table: OnceLock::new(), client }
    }

    /// Waits until no event of the bucket or the table's stream is in progress, including events caused by other
    /// events.
    pub async fn settled(&self) {
        match &self.running {
            Runs::Here(running) => running.endpoints().settled().await,
            Runs::Elsewhere(elsewhere) => elsewhere.settled().await,
        }
    }

    /// The same with a clock that only [`Backend::advance`] moves, so that waiting times are exact. It starts at ten
    /// o'clock in the morning (UTC) of the next day: 60 minutes before the end of the hour, and 14 hours before the end
    /// of the day.
    pub async fn frozen(parameters: &[(&str, &str)]) -> Self {
        if engine().is_some() {
            not_here("a clock that stands still");
        }
        let backend = Self::start(parameters).await;
        let ten = ((SystemClock.now().day() + 1) * 24 + 10) * 3_600_000;
        backend.clock.millis.store(ten, Ordering::SeqCst);
        backend.clock.stopped.store(true, Ordering::SeqCst);
        backend
    }

    /// The same with the limits that the local run turns off, so each request costs the same as when deployed.
    pub async fn capped() -> Self {
        let caps = [
            ("CodesPerIpHour", "60"),
            ("CodesPerCountryHour", "2000"),
            ("CodesPerCountryDay", "20000"),
            ("AllowedCountries", "86"),
            ("FailuresPerIp", "50"),
            ("AnonymousRoomsPerIpHour", "60"),
            ("AccountsPerIpHour", "30"),
            ("ChecksPerIpDay", "1000"),
        ];
        Self::frozen(&caps).await
    }

    /// The messages that are now in a queue of the template, oldest first.
    pub fn in_queue(&self, logical_id: &str) -> Vec<QueueMessage> {
        let queues = &self.running.stack().queues;
        let queue = queues.iter().find(|queue| queue.logical_id == logical_id).expect("a queue");
        self.running.endpoints().queue_messages(&queue.arn)
    }

    /// The messages of the topic so far with their attributes, oldest first.
    pub fn published(&self) -> Vec<(String, BTreeMap<String, String>)> {
        match &self.running {
            Runs::Here(running) => {
                let [topic] = running.stack().topics.as_slice() else { panic!("one topic") };
                let told = running.endpoints().notifications().into_iter().rev();
                told.map(|told| {
                    assert_eq!(told.topic, topic.arn);
                    (told.message, told.attributes)
                })
                .collect()
            }
            Runs::Elsewhere(elsewhere) => elsewhere.published(),
        }
    }

    /// The pushes so far: the token and the payload of each.
    pub fn pushed(&self) -> Vec<(String, String)> {
        match &self.running {
            Runs::Here(running) => {
                running.endpoints().pushes().into_iter().map(|push| (push.token, push.payload)).collect()
            }
            Runs::Elsewhere(elsewhere) => elsewhere.pushed(),
        }
    }

    /// Moves the backend's clock forward.
    pub fn advance(&self, by: Duration) {
        if engine().is_some() {
            not_here("a clock to set");
        }
        let millis = i64::try_from(by.as_millis()).expect("a time that tests use");
        self.clock.millis.fetch_add(millis, Ordering::SeqCst);
    }

    /// Sets the backend's clock back, behind the clocks of the services it uses.
    pub fn set_back(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).expect("a time that tests use");
        self.clock.millis.fetch_sub(millis, Ordering::SeqCst);
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

/// The status and JSON body of a response, [without its details](without_details).
pub async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.expect("a body");
    let body = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in the {status} body {text:?}"));
    (status, without_details(body))
}

/// An answer without what most tests do not look at: the messenger's `kind`, which has to be one that is described,
/// and why a request counts as not signed in.
pub fn without_details(mut body: Value) -> Value {
    let Value::Object(fields) = &mut body else { return body };
    if fields.len() == 2 && fields.contains_key("error") {
        let kind = fields.remove("kind").unwrap_or_default();
        assert!(Error::KINDS.contains(&kind.as_str().unwrap_or_default()), "{kind} in {fields:?}");
    }
    for name in ["error", "message", "msg", "detail"] {
        if fields.get(name).and_then(Value::as_str).is_some_and(is_why_not_signed_in) {
            fields.insert(name.to_owned(), "not signed in".into());
            if name == "detail" {
                let code = fields.insert("code".to_owned(), "not signed in".into()).unwrap_or_default();
                assert!(Error::KINDS.contains(&code.as_str().unwrap_or_default()), "{code} in {fields:?}");
            }
        }
    }
    body
}

/// Whether these words tell why a request counts as not signed in.
fn is_why_not_signed_in(words: &str) -> bool {
    use NotSignedIn::{Ended, Expired, Invalid, Missing};
    let apis = [
        Messenger::not_signed_in,
        SealTalk::not_signed_in,
        Rooms::not_signed_in,
        Device::not_signed_in,
        Supabase::not_signed_in,
        V1::not_signed_in,
    ];
    let mut reasons = [Missing, Invalid, Expired, Ended].into_iter();
    reasons.any(|reason| apis.iter().any(|words_for| words_for(reason) == words))
}

/// A whole response, for tests that check its headers.
pub struct Whole {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Whole {
    /// The seconds after which to try again.
    pub fn retry_after(&self) -> Option<u64> {
        self.headers.get(RETRY_AFTER).map(|value| value.to_str().unwrap().parse().expect("seconds"))
    }

    /// Asserts that the request was refused with this message and this waiting time, which the message contains too.
    pub fn assert_limited(&self, words: &str, seconds: u64) {
        let wait = match seconds {
            0..=120 => format!("{seconds} s"),
            121..=7_200 => format!("{} minutes", seconds.div_ceil(60)),
            _ => format!("{} hours", seconds.div_ceil(3_600)),
        };
        let words = format!("{words}; try again in {wait}");
        assert_eq!((self.status, &self.body), (400, &serde_json::json!({ "error": words })));
        assert_eq!(self.retry_after(), Some(seconds));
    }

    /// The number of sequential DynamoDB round trips that the request waited for.
    pub fn rounds(&self) -> u32 {
        round_trips::rounds_in(&self.headers)
    }
}

/// Sends a request and reads the whole response. A body that is not JSON counts as null.
pub async fn whole(request: RequestBuilder) -> Whole {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = serde_json::from_slice(&response.bytes().await.expect("a body")).unwrap_or_default();
    Whole { status, headers, body: without_details(body) }
}
