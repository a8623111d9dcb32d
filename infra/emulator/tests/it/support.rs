//! Endpoints with a table, a bucket and clients, for one test.

use std::path::PathBuf;

use aws_credential_types::Credentials;
use bytes::Bytes;
use emulator::{ACCOUNT, EndpointOptions, Endpoints, Principal, REGION};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use sha2::Sha256;

/// The table of every stack.
pub const TABLE: &str = "Main";

/// The bucket of every stack.
pub const BUCKET: &str = "media";

/// Endpoints with [`TABLE`] and [`BUCKET`].
pub struct TestStack {
    pub endpoints: Endpoints,
}

/// The ARN of [`TABLE`].
pub fn table_arn() -> String {
    format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{TABLE}")
}

/// The properties of [`TABLE`], as in a template.
pub fn table() -> Value {
    json!({
        "TableName": TABLE,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
            {"AttributeName": "version", "AttributeType": "N"},
        ],
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "LocalSecondaryIndexes": [{
            "IndexName": "ByVersion",
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "version", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        }],
        "TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": true},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true},
        "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
    })
}

impl TestStack {
    /// A stack in memory; its principal `admin` may do everything.
    pub async fn start() -> Self {
        Self::start_in(None).await
    }

    /// A stack with its data in a folder.
    pub async fn start_in(data: Option<PathBuf>) -> Self {
        let endpoints =
            Endpoints::start(EndpointOptions { data, ..EndpointOptions::default() }).await.expect("endpoints start");
        endpoints.create_table(&table()).expect("a table");
        endpoints.create_bucket(BUCKET, false).expect("a bucket");
        let stack = Self { endpoints };
        stack.register("admin", None);
        stack
    }

    /// Registers a principal whose access key is its name.
    pub fn register(&self, name: &str, statements: Option<Value>) {
        let statements = statements.map(|list| list.as_array().expect("a list").clone());
        let principal = Principal {
            name: name.to_owned(),
            access_key_id: name.to_owned(),
            secret_access_key: format!("secret-of-{name}"),
            statements,
        };
        self.endpoints.register(principal).expect("a role that is understood");
    }

    /// Registers a principal whose secret is unknown to the clients of this stack.
    pub fn register_with_secret(&self, name: &str, secret: &str) {
        let principal = Principal {
            name: name.to_owned(),
            access_key_id: name.to_owned(),
            secret_access_key: secret.to_owned(),
            statements: None,
        };
        self.endpoints.register(principal).expect("a new access key");
    }
}

/// Methods that make an SDK's client of a principal.
macro_rules! clients {
    ($($method:ident: $sdk:ident;)*) => {
        impl TestStack {
            $(pub fn $method(&self, name: &str) -> $sdk::Client {
                use $sdk::config::{BehaviorVersion, Builder, Region};
                let config = Builder::new()
                    .behavior_version(BehaviorVersion::latest())
                    .region(Region::new(REGION))
                    .endpoint_url(self.endpoints.url())
                    .credentials_provider(credentials(name));
                $sdk::Client::from_conf(config.build())
            })*
        }
    };
}

clients! {
    dynamo: aws_sdk_dynamodb;
    kms: aws_sdk_kms;
    s3: aws_sdk_s3;
    sns: aws_sdk_sns;
    sqs: aws_sdk_sqs;
}

fn credentials(name: &str) -> Credentials {
    Credentials::new(name, format!("secret-of-{name}"), None, None, "test")
}

/// Sends a request without an SDK, as browsers do with presigned URLs.
pub async fn send(method: &str, url: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> http::Response<Bytes> {
    let mut request = http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(body.into())).expect("a request");
    let client = Client::builder(TokioExecutor::new()).build_http();
    let (head, body) = client.request(request).await.expect("an answer").into_parts();
    let body = body.collect().await.expect("a whole answer").to_bytes();
    http::Response::from_parts(head, body)
}

/// Signs a text with a principal's secret, for one day and one service.
pub fn sign(name: &str, date: &str, service: &str, text: &str) -> String {
    let key = format!("AWS4secret-of-{name}").into_bytes();
    let chain = [date, REGION, service, "aws4_request", text];
    let signature = chain.iter().fold(key, |key, part| {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("any key");
        mac.update(part.as_bytes());
        mac.finalize().into_bytes().to_vec()
    });
    hex(&signature)
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}
