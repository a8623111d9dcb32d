//! The complete start, with functions that echo their environment and events.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use futures::future::BoxFuture;
use local::{Error, Functions, Invoke, Options, start};
use serde_json::{Value, json};

use crate::client::get;
use crate::fixture::{Closure, respond};

/// Builds functions that return their name, and records their environments and the events that are not requests.
#[derive(Default)]
pub struct EchoFunctions {
    environments: Mutex<BTreeMap<String, BTreeMap<String, String>>>,
    pub events: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Functions for EchoFunctions {
    fn build<'a>(
        &'a self,
        binary: &'a str,
        environment: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<Arc<dyn Invoke>, String>> {
        let mut environments = self.environments.lock().unwrap();
        environments.insert(binary.to_owned(), environment.clone());
        let name = binary.to_owned();
        let events = Arc::clone(&self.events);
        let invoke: Arc<dyn Invoke> = Arc::new(Closure(move |event: Value| {
            if event.get("Records").is_some() {
                events.lock().unwrap().push((name.clone(), event));
            }
            let result = respond(json!({"statusCode": 200, "body": name}));
            async move { result }
        }));
        Box::pin(async move { Ok(invoke) })
    }

    fn openapi(&self) -> Value {
        json!({"openapi": "3.1.0"})
    }
}

pub fn memory() -> Options {
    Options { port: 0, data: None, ..Options::default() }
}

pub fn port(url: &str) -> u16 {
    url.rsplit_once(':').unwrap().1.parse().unwrap()
}

/// A new folder in the system's folder for temporary files.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("handset-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

/// The configuration of SDK clients with a function's credentials.
pub fn sdk(environment: &BTreeMap<String, String>) -> SdkConfig {
    let value = |name: &str| environment[name].clone();
    let credentials = Credentials::new(value("AWS_ACCESS_KEY_ID"), value("AWS_SECRET_ACCESS_KEY"), None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(value("AWS_ENDPOINT_URL"))
        .region(Region::new(value("AWS_REGION")))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_project_s_template_starts_and_routes() {
    let fakes = EchoFunctions::default();
    let running = start(memory(), &fakes).await.unwrap();
    let port = port(&running.url());
    assert_eq!(get(port, "POST /verify_code").await.text(), "codes");
    assert_eq!(get(port, "GET /verify_code/").await.text(), "rooms");
    assert_eq!(get(port, "GET /_local/openapi.json").await.json()["openapi"], "3.1.0");
    assert_eq!(get(port, "GET /_local/sms").await.json(), json!([]));
    let environments = fakes.environments.lock().unwrap().clone();
    let codes = &environments["codes"];
    assert_eq!(codes["AWS_ENDPOINT_URL"], running.endpoints().url());
    assert_eq!(codes["AWS_REGION"], "us-east-1");
    assert_eq!((codes["EXPOSE_CODES"].as_str(), codes["ALLOWED_COUNTRIES"].as_str()), ("true", "*"));
    assert_eq!(codes["SIGNING_SECRET"].len(), 64);
    let keys: Vec<_> = environments.values().map(|own| &own["AWS_ACCESS_KEY_ID"]).collect();
    let mut distinct = keys.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), keys.len(), "each function has its own credentials");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_overrides_a_parameter_and_a_wrong_one_is_named() {
    let with = |name: &str, value: &str| Options { parameters: vec![(name.to_owned(), value.to_owned())], ..memory() };
    let fakes = EchoFunctions::default();
    let running = start(with("ResendSeconds", "1"), &fakes).await.unwrap();
    assert_eq!(running.environments()["codes"]["RESEND_SECONDS"], "1");
    running.stop().await;
    for (name, value) in [("Resend", "1"), ("ResendSeconds", "soon")] {
        match start(with(name, value), &fakes).await {
            Err(Error::Template(error)) => assert!(error.to_string().contains(name), "{error}"),
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("{name}={value} was taken"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_outlive_a_run_in_the_data_folder_and_only_there() {
    let folder = folder("secrets");
    let secret = |data: Option<PathBuf>| async move {
        let options = Options { data, ..memory() };
        let running = start(options, &EchoFunctions::default()).await.unwrap();
        let secret = running.environments()["auth"]["SIGNING_SECRET"].clone();
        running.stop().await;
        secret
    };
    let first = secret(Some(folder.clone())).await;
    assert_eq!(secret(Some(folder.clone())).await, first);
    assert_ne!(secret(None).await, secret(None).await);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_said_to_be_taken() {
    let fakes = EchoFunctions::default();
    let first = start(memory(), &fakes).await.unwrap();
    let taken = port(&first.url());
    for aws_only in [false, true] {
        let options = Options { port: taken, aws_only, ..memory() };
        let error = start(options, &fakes).await.err().map(|error| error.to_string());
        let error = error.unwrap_or_default();
        assert!(error.contains("--port") && error.contains(&taken.to_string()), "{error}");
    }
    first.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_endpoints_can_run_alone() {
    let fakes = EchoFunctions::default();
    let options = Options { aws_only: true, ..memory() };
    let running = start(options, &fakes).await.unwrap();
    assert_eq!(running.url(), running.endpoints().url());
    assert!(fakes.environments.lock().unwrap().is_empty(), "no function was built");
    let environments = running.environments();
    let keys: Vec<_> = environments.values().map(|own| &own["AWS_ACCESS_KEY_ID"]).collect();
    assert!(keys.iter().all(|key| *key == keys[0]), "all share the administrator's");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_objects_reach_the_function_the_template_names() {
    let fakes = EchoFunctions::default();
    let running = start(memory(), &fakes).await.unwrap();
    let media = &running.environments()["media"];
    let s3 = aws_sdk_s3::Client::new(&sdk(media));
    let put = |key: &'static str| {
        let request = s3.put_object().bucket(&media["BUCKET"]).key(key);
        request.body(b"picture".to_vec().into()).send()
    };
    put("originals/images/a.jpg").await.unwrap();
    put("originals/audios/b.amr").await.unwrap();
    let denied = put("thumbnails/c.jpg").await.unwrap_err();
    assert_eq!(denied.raw_response().map(|raw| raw.status().as_u16()), Some(403));
    running.endpoints().settled().await;
    let events = fakes.events.lock().unwrap().clone();
    let [(function, event)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(function, "resize");
    assert_eq!(event["Records"][0]["s3"]["object"]["key"], "originals/images/a.jpg");
    running.stop().await;
}
