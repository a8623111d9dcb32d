//! A resolved template, and the values that resolve it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::secret::Secret;

/// The place and the values of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// Parameter values that replace the defaults, by parameter name.
    pub parameters: BTreeMap<String, String>,
    /// `AWS::Region`.
    pub region: String,
    /// `AWS::AccountId`, twelve digits.
    pub account: String,
    /// `AWS::StackName`.
    pub stack_name: String,
    /// Secret strings, by secret name or ARN, for `{{resolve:secretsmanager:…}}`. Other versions than the current one
    /// are stored under the same name or ARN, followed by a colon and their id.
    pub secrets: BTreeMap<String, String>,
}

impl Default for Deployment {
    /// A deployment named `handset` in `us-east-1`, in the account that AWS uses in its examples.
    fn default() -> Self {
        Self {
            parameters: BTreeMap::new(),
            region: "us-east-1".into(),
            account: "123456789012".into(),
            stack_name: "handset".into(),
            secrets: BTreeMap::new(),
        }
    }
}

/// A resolved template, without resources whose condition is false.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// The Lambda functions, by logical id in ascending order.
    pub functions: Vec<Function>,
    /// The `DynamoDB` tables.
    pub tables: Vec<Table>,
    /// The S3 buckets.
    pub buckets: Vec<Bucket>,
    /// The Secrets Manager secrets.
    pub secrets: Vec<Secret>,
    /// The KMS keys.
    pub keys: Vec<Key>,
    /// The SNS topics.
    pub topics: Vec<Topic>,
    /// The SQS queues.
    pub queues: Vec<Queue>,
    /// The HTTP API's CORS rules, if it has any.
    pub cors: Option<Cors>,
}

/// A Lambda function, with the template's `Globals` merged in.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// The resource's name in the template.
    pub logical_id: String,
    /// The function's physical name.
    pub name: String,
    /// The Rust binary (`Metadata.BuildProperties.Binary`).
    pub binary: String,
    /// Its environment variables.
    pub environment: BTreeMap<String, String>,
    /// Memory in MiB.
    pub memory_mb: u32,
    /// The time limit of one invocation, in seconds.
    pub timeout: u32,
    /// The IAM statements of its role.
    pub policies: Vec<Value>,
    /// Its routes of the HTTP API.
    pub routes: Vec<Route>,
    /// The new objects that invoke it.
    pub object_created: Vec<ObjectCreated>,
    /// The tables whose changes invoke it.
    pub table_changed: Vec<TableChanged>,
    /// The queues whose messages invoke it.
    pub queue_events: Vec<QueueEvents>,
    /// Events of other kinds, which this crate does not resolve.
    pub other_events: Vec<OtherEvent>,
}

/// A route of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// The method in capitals, or `ANY`.
    pub method: String,
    /// The path with its `{variables}`, or `$default`.
    pub path: String,
    /// The route key as API Gateway writes it: `GET /users/{id}`, or `$default`.
    pub key: String,
}

/// A subscription to S3's `ObjectCreated` events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectCreated {
    /// The bucket's physical name.
    pub bucket: String,
    /// The prefix of the key; empty for any.
    pub prefix: String,
    /// The suffix of the key; empty for any.
    pub suffix: String,
}

/// A subscription to the changes of a table, through the table's stream. The terms are those of Lambda's event source
/// mappings.
#[derive(Debug, Clone, PartialEq)]
pub struct TableChanged {
    /// The event's name in the template.
    pub name: String,
    /// The table's physical name.
    pub table: String,
    /// Whether a new subscription starts with the oldest record in the stream (`TRIM_HORIZON`) instead of the next new
    /// one.
    pub from_start: bool,
    /// The most records in one invocation.
    pub batch_size: u32,
    /// The number of parallel batches.
    pub parallelization_factor: u32,
    /// Patterns, at least one of which must match a record; empty to match every record.
    pub filters: Vec<Value>,
    /// The number of retries of a failed batch; `None` means until its records expire.
    pub retries: Option<u32>,
    /// Age in seconds at which records are dropped; `None` means when they expire.
    pub record_age: Option<u32>,
    /// Whether a failed batch is split in two halves before it is tried again.
    pub bisects: bool,
    /// Whether the function names the first failed record of a batch.
    pub reports_failures: bool,
    /// The ARN of the queue or topic for dropped records.
    pub dead_letters: Option<String>,
}

/// A subscription to the messages of a queue. The terms are those of Lambda's event source mappings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueEvents {
    /// The event's name in the template.
    pub name: String,
    /// The ARN of the queue.
    pub queue: String,
    /// The most messages in one invocation.
    pub batch_size: u32,
    /// The most invocations at the same time; `None` leaves it to Lambda.
    pub max_concurrency: Option<u32>,
    /// Whether the function names the messages of a batch that failed.
    pub reports_failures: bool,
}

/// An event source of an unsupported kind, such as a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherEvent {
    /// The event's name in the template.
    pub name: String,
    /// Its type, such as `Schedule`.
    pub kind: String,
}

/// A `DynamoDB` table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The resource's name in the template.
    pub logical_id: String,
    /// The table's physical name.
    pub name: String,
    /// Its properties as in `CreateTable`, including `TableName`.
    pub properties: Value,
}

/// An S3 bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct Bucket {
    /// The resource's name in the template.
    pub logical_id: String,
    /// The bucket's physical name.
    pub name: String,
    /// Its properties, including `BucketName`.
    pub properties: Value,
}

impl Bucket {
    /// Whether the bucket keeps the older versions of its objects.
    #[must_use]
    pub fn is_versioned(&self) -> bool {
        self.properties.pointer("/VersioningConfiguration/Status").and_then(Value::as_str) == Some("Enabled")
    }
}

/// A KMS key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The resource's name in the template.
    pub logical_id: String,
    /// The key's ARN.
    pub arn: String,
}

/// An SNS topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// The resource's name in the template.
    pub logical_id: String,
    /// The topic's ARN.
    pub arn: String,
}

/// An SQS queue. Times are in seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// The resource's name in the template.
    pub logical_id: String,
    /// The queue's ARN.
    pub arn: String,
    /// The queue's URL, by which calls name it.
    pub url: String,
    /// How long a received message is hidden.
    pub visibility_timeout: u32,
    /// How long a message is kept.
    pub retention: u32,
    /// The delay before a sent message can be received.
    pub delay: u32,
    /// How long a call waits for a message, unless it says otherwise.
    pub wait: u32,
    /// What happens to messages that are received too often; `None` if nothing does.
    pub redrive: Option<Redrive>,
}

impl Queue {
    /// The queue's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.arn.rsplit(':').next().unwrap_or_default()
    }
}

/// The rule that moves messages to a dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    /// The ARN of the dead-letter queue.
    pub dead_letters: String,
    /// How often a message can be received before it is moved.
    pub max_receives: u32,
}

/// The CORS rules of an HTTP API, as in `CorsConfiguration`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cors {
    /// Origins that may call; `*` for any, `https://*` for any of that scheme.
    pub allow_origins: Vec<String>,
    /// Request headers a caller may send.
    pub allow_headers: Vec<String>,
    /// Methods a caller may use.
    pub allow_methods: Vec<String>,
    /// Response headers a script may read.
    pub expose_headers: Vec<String>,
    /// How long a browser may cache a preflight response, in seconds.
    pub max_age: Option<u32>,
    /// Whether a browser may send cookies.
    pub allow_credentials: bool,
}
