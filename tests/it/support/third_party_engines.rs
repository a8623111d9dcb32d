//! A backend on third-party engines: the built binaries under Amazon's runtime interface emulator, on moto, behind our
//! gateway. `infra/parity/run` starts the engines and sets [`ENGINE`] to their address.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use emulator::template::{Deployment, Template};
use futures::future::BoxFuture;
use local::{Fakes, Gateway, Invoke, Pages, Server, Text};
use serde_json::{Value, json};

/// The variable with the engines' URL.
const ENGINE: &str = "HANDSET_ENGINE";
/// The variable with the name of a file that lists the tests which need more than these engines have.
const NOT_HERE: &str = "HANDSET_NOT_HERE";
/// moto's account.
const ACCOUNT: &str = "123456789012";

/// The engines' URL, if tests are to use them.
pub fn engine() -> Option<String> {
    std::env::var(ENGINE).ok()
}

/// Ends a test that only our own engines can run: it is written to the file, and counts neither as passed nor as
/// failed.
pub fn not_here(needed: &str) -> ! {
    if let Ok(file) = std::env::var(NOT_HERE) {
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        let file = std::fs::OpenOptions::new().append(true).create(true).open(file);
        writeln!(file.expect("the list"), "{name}\t{needed}").expect("a line");
    }
    std::panic::resume_unwind(Box::new(format!("needs {needed}")))
}

/// A stack on the engines; it is deleted when this is dropped.
pub struct Elsewhere {
    engine: String,
    name: String,
    server: Server,
    _fakes: Fakes,
    /// The URL of the AWS services.
    pub aws: String,
    /// The table's name.
    pub table: String,
    /// The bucket's name.
    pub bucket: String,
    /// The environment of every function, by its binary.
    pub environments: BTreeMap<String, BTreeMap<String, String>>,
}

impl Elsewhere {
    /// Creates a stack with these parameters on top of the local run's, and opens a gateway in front of it.
    pub async fn start(engine: String, parameters: &[(String, String)]) -> Self {
        let fakes = Fakes::start().await.expect("fakes");
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_nanos();
        let application = |name: &str, platform| {
            (name.to_owned(), format!("arn:aws:sns:us-east-1:{ACCOUNT}:app/{platform}/of-{nanos}"))
        };
        let local = local::PARAMETERS.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut all: BTreeMap<_, _> = local.into();
        all.extend([application("ApnsApplicationArn", "APNS"), application("FcmApplicationArn", "GCM")]);
        all.extend(fakes.parameters());
        all.extend(parameters.iter().cloned());

        let made = ask(&engine, "POST", "/stacks", &json!({ "parameters": all }).to_string());
        let made: Value = serde_json::from_str(&made).expect("a stack");
        let text = |name: &str| made[name].as_str().expect("text").to_owned();
        let environments: BTreeMap<String, BTreeMap<String, String>> =
            serde_json::from_value(made["environments"].clone()).expect("environments");
        let name = text("name");

        let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");
        let template = Template::parse(&std::fs::read_to_string(template).expect("the template")).expect("a template");
        let mut deployment = Deployment { parameters: all, account: ACCOUNT.into(), ..Deployment::default() };
        for secret in template.secrets(&deployment).expect("secrets") {
            // The gateway needs no secret, but reading the template does.
            deployment.secrets.insert(secret.arn, json!({ "secret": "" }).to_string());
        }
        let stack = template.resolve(&deployment).expect("a stack");
        let client = reqwest::Client::new();
        let functions = environments.keys().map(|binary| {
            let url = format!("{engine}/stacks/{name}/{binary}");
            (binary.clone(), Arc::new(Emulated { client: client.clone(), url }) as Arc<dyn Invoke>)
        });
        let gateway = Gateway::new(&stack, &functions.collect(), ACCOUNT).expect("a gateway");
        let gateway = gateway.with_witness(Some(super::openapi_check::witness()));
        let server = Server::start(0, gateway, Some(pages(&engine, &name))).expect("a port");
        let (aws, table, bucket) = (text("aws"), text("table"), text("bucket"));
        Self { engine, name, server, _fakes: fakes, aws, table, bucket, environments }
    }

    /// The gateway's URL.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Waits until no event is in progress.
    pub async fn settled(&self) {
        let url = format!("{}/stacks/{}/settled", self.engine, self.name);
        let response = reqwest::get(url).await.expect("an answer");
        assert_eq!(response.status(), 200, "events are still under way");
    }

    /// The messages of the topic so far with their attributes, oldest first.
    pub fn published(&self) -> Vec<(String, BTreeMap<String, String>)> {
        serde_json::from_value(self.told("topic")).expect("messages")
    }

    /// The pushes so far: the token and the payload of each.
    pub fn pushed(&self) -> Vec<(String, String)> {
        serde_json::from_value(self.told("pushes")).expect("pushes")
    }

    fn told(&self, which: &str) -> Value {
        let told = ask(&self.engine, "GET", &format!("/stacks/{}/told", self.name), "");
        let told: Value = serde_json::from_str(&told).expect("JSON");
        told[which].clone()
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        ask(&self.engine, "DELETE", &format!("/stacks/{}", self.name), "");
    }
}

/// The pages of the local run, with the texts stored by moto.
fn pages(engine: &str, name: &str) -> Pages {
    let (engine, path) = (engine.to_owned(), format!("/stacks/{name}/texts"));
    let inbox = move |phone: Option<&str>| {
        let texts: Vec<Value> = serde_json::from_str(&ask(&engine, "GET", &path, "")).expect("texts");
        let texts = texts.iter().map(|text| Text {
            phone: text["phone"].as_str().unwrap_or_default().to_owned(),
            body: text["body"].as_str().unwrap_or_default().to_owned(),
            sent_at: text["sent_at"].as_u64().unwrap_or_default(),
        });
        texts.filter(|text| phone.is_none_or(|phone| text.phone == phone)).collect()
    };
    let openapi = serde_json::to_value(local::api()).expect("the description");
    Pages::new(Box::new(inbox), Box::new(Vec::new), &openapi)
}

/// A function that runs under the emulator.
struct Emulated {
    client: reqwest::Client,
    url: String,
}

impl Invoke for Emulated {
    fn invoke(&self, payload: Vec<u8>, _: &str, _: u64) -> BoxFuture<'_, Result<Vec<u8>, String>> {
        Box::pin(async move {
            let answer = self.client.post(&self.url).body(payload).send().await.map_err(|error| error.to_string())?;
            let (status, body) = (answer.status(), answer.bytes().await.map_err(|error| error.to_string())?);
            if status.is_success() { Ok(body.into()) } else { Err(String::from_utf8_lossy(&body).into_owned()) }
        })
    }
}

/// Sends one request to the engines from code that cannot await; returns the body.
fn ask(engine: &str, method: &str, path: &str, body: &str) -> String {
    let host = engine.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).expect("the engines");
    let length = body.len();
    write!(stream, "{method} {path} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n{body}").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.contains(" 200 "), "{method} {path}: {answer}");
    body.to_owned()
}
