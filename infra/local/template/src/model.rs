//! What a template means once resolved, and what it is resolved with.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::Secret;

/// Where a template is deployed, and with which values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// Parameter values that replace the defaults, by parameter name.
    pub parameters: BTreeMap<String, String>,
    /// `AWS::Region`.
    pub region: String,
    /// `AWS::AccountId`, twelve digits.
    pub account: String,
    /// `AWS::Partition`: `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    /// `AWS::StackName`.
    pub stack_name: String,
    /// Values of `Ref` (key `Logical`) and `GetAtt` (key `Logical.Attribute`) that only exist
    /// once deployed, or that should differ from what is derived here.
    pub attributes: BTreeMap<String, String>,
    /// Secret strings, by secret name or ARN, that `{{resolve:secretsmanager:…}}` reads. Versions that are not
    /// the current one stand under the same name or ARN with a colon and their id or label after it.
    pub secrets: BTreeMap<String, String>,
}

impl Default for Deployment {
    /// A deployment named `handset` in `us-east-1` of the account AWS uses in its examples.
    fn default() -> Self {
        Self {
            parameters: BTreeMap::new(),
            region: "us-east-1".into(),
            account: "123456789012".into(),
            partition: "aws".into(),
            stack_name: "handset".into(),
            attributes: BTreeMap::new(),
            secrets: BTreeMap::new(),
        }
    }
}

/// A resolved template. Resources whose condition is false are not in it.
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
    /// The HTTP API's CORS rules, when it has any.
    pub cors: Option<Cors>,
    /// The stack's outputs, by name.
    pub outputs: BTreeMap<String, Value>,
}

/// One Lambda function, with the template's `Globals` merged in.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// The resource's name in the template.
    pub logical_id: String,
    /// The function's physical name.
    pub name: String,
    /// The Rust binary it runs (`Metadata.BuildProperties.Binary`).
    pub binary: String,
    /// Its environment variables.
    pub environment: BTreeMap<String, String>,
    /// Memory in MiB.
    pub memory_mb: u32,
    /// How long one invocation may take, in seconds.
    pub timeout: u32,
    /// The IAM statements of its role.
    pub policies: Vec<Value>,
    /// The routes of the HTTP API that lead to it.
    pub routes: Vec<Route>,
    /// The new objects it is told of.
    pub object_created: Vec<ObjectCreated>,
    /// The tables whose changes it is told of.
    pub table_changed: Vec<TableChanged>,
    /// Events of other kinds, which this crate does not resolve.
    pub other_events: Vec<OtherEvent>,
}

/// One route of the HTTP API.
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
    /// What the key must start with; empty for any.
    pub prefix: String,
    /// What the key must end with; empty for any.
    pub suffix: String,
}

/// A subscription to what changes in a table, by the table's stream. Its terms are those of Lambda's event source
/// mappings.
#[derive(Debug, Clone, PartialEq)]
pub struct TableChanged {
    /// The event's name in the template.
    pub name: String,
    /// The table's physical name.
    pub table: String,
    /// Whether a new subscription begins with what the stream still holds (`TRIM_HORIZON`) instead of with what comes.
    pub from_start: bool,
    /// Records of one invocation at most.
    pub batch_size: u32,
    /// Batches at once.
    pub parallelization_factor: u32,
    /// Patterns, of which a record must match one; empty for every record.
    pub filters: Vec<Value>,
    /// How often a failed batch is tried again; `None` until its records expire.
    pub retries: Option<u32>,
    /// Records older than this many seconds are given up; `None` when they expire.
    pub record_age: Option<u32>,
    /// Whether a batch that failed is tried again in two halves.
    pub bisects: bool,
    /// Whether the function says from which record on a batch failed.
    pub reports_failures: bool,
    /// The ARN of the queue or topic that is told of records given up.
    pub dead_letters: Option<String>,
}

/// An event source of a kind this crate does not resolve, such as a schedule.
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
    /// Its properties in the words of `CreateTable`, `TableName` included.
    pub properties: Value,
}

/// An S3 bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct Bucket {
    /// The resource's name in the template.
    pub logical_id: String,
    /// The bucket's physical name.
    pub name: String,
    /// Its properties, `BucketName` included.
    pub properties: Value,
}

/// A KMS key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The resource's name in the template.
    pub logical_id: String,
    /// The key's ARN.
    pub arn: String,
    /// Its aliases, in the form `alias/name`.
    pub aliases: Vec<String>,
}

/// An SNS topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// The resource's name in the template.
    pub logical_id: String,
    /// The topic's ARN.
    pub arn: String,
}

/// An SQS queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// The resource's name in the template.
    pub logical_id: String,
    /// The queue's ARN.
    pub arn: String,
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
    /// How long a browser may keep a preflight answer, in seconds.
    pub max_age: Option<u32>,
    /// Whether a browser may send cookies.
    pub allow_credentials: bool,
}
