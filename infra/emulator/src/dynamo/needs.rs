//! The permissions that each DynamoDB call needs.
//!
//! Sources: the service authorization reference for DynamoDB and, for transactions, the developer guide's "Using IAM
//! with DynamoDB transactions". A transaction needs the permission for each operation on its items, and no other.

use serde_json::Value;

use super::PUBLIC_REGION;
use super::leading::Schema;
use crate::ACCOUNT;
use crate::iam::{Access, LEADING_KEYS};

/// The accesses that a call consists of. An operation unknown to this module needs a permission with its name on `*`,
/// so a narrow role denies it.
pub fn of(operation: &str, request: &Value, schema: &Schema<'_>) -> Vec<Access> {
    match operation {
        "GetItem" | "PutItem" | "UpdateItem" | "DeleteItem" => {
            vec![item(operation, request, schema)]
        }
        "Query" | "Scan" => vec![query(operation, request, schema)],
        "TransactWriteItems" | "TransactGetItems" => transaction(request, schema),
        "BatchGetItem" | "BatchWriteItem" => batch(operation, request, schema),
        "DescribeStream" | "GetShardIterator" => {
            vec![Access::new(format!("dynamodb:{operation}"), request["StreamArn"].as_str().unwrap_or("*"))]
        }
        "GetRecords" => vec![records(request)],
        "ListStreams" => vec![Access::new(
            "dynamodb:ListStreams",
            match request["TableName"].as_str() {
                Some(name) => format!("{}/stream/*", table_arn(name)),
                None => "*".to_owned(),
            },
        )],
        "CreateTable" | "DescribeTable" | "UpdateTable" | "DeleteTable" | "UpdateTimeToLive" | "DescribeTimeToLive" => {
            vec![Access::new(format!("dynamodb:{operation}"), arn_of(request))]
        }
        "TagResource" | "UntagResource" | "ListTagsOfResource" => {
            vec![Access::new(format!("dynamodb:{operation}"), request["ResourceArn"].as_str().unwrap_or("*"))]
        }
        _ => vec![Access::new(format!("dynamodb:{operation}"), "*")],
    }
}

fn item(operation: &str, request: &Value, schema: &Schema<'_>) -> Access {
    let access = Access::new(format!("dynamodb:{operation}"), arn_of(request));
    with_keys(access, schema, || {
        let table = request["TableName"].as_str().unwrap_or_default();
        vec![schema.key_of_item(table, item_or_key(request))]
    })
}

fn query(operation: &str, request: &Value, schema: &Schema<'_>) -> Access {
    let index = request["IndexName"].as_str();
    let resource = match index {
        Some(index) => format!("{}/index/{index}", arn_of(request)),
        None => arn_of(request),
    };
    let access = Access::new(format!("dynamodb:{operation}"), resource);
    // A scan names no keys, so this condition key is absent.
    if operation == "Scan" {
        return access;
    }
    with_keys(access, schema, || {
        let table = request["TableName"].as_str().unwrap_or_default();
        vec![schema.key_of_query(table, index, request)]
    })
}

fn transaction(request: &Value, schema: &Schema<'_>) -> Vec<Access> {
    let items = request["TransactItems"].as_array().into_iter().flatten();
    let operations = items.filter_map(|item| item.as_object()?.iter().next());
    operations
        .map(|(kind, request)| match kind.as_str() {
            "Get" => item("GetItem", request, schema),
            "Put" => item("PutItem", request, schema),
            "Update" => item("UpdateItem", request, schema),
            "Delete" => item("DeleteItem", request, schema),
            "ConditionCheck" => item("ConditionCheckItem", request, schema),
            other => Access::new(format!("dynamodb:{other}"), "*"),
        })
        .collect()
}

fn batch(operation: &str, request: &Value, schema: &Schema<'_>) -> Vec<Access> {
    let tables = request["RequestItems"].as_object().into_iter().flatten();
    tables
        .map(|(table, requests)| {
            let access = Access::new(format!("dynamodb:{operation}"), table_arn(table));
            with_keys(access, schema, || {
                let keys = requests["Keys"].as_array().into_iter().flatten();
                let writes = requests.as_array().into_iter().flatten();
                let written = writes.filter_map(|write| {
                    let (_, request) = write.as_object()?.iter().next()?;
                    Some(item_or_key(request))
                });
                keys.chain(written).map(|item| schema.key_of_item(table, item)).collect()
            })
        })
        .collect()
}

/// A shard iterator is opaque to callers; the engine's starts with the table.
fn records(request: &Value) -> Access {
    use base64::Engine as _;
    let table = request["ShardIterator"]
        .as_str()
        .and_then(|iterator| base64::prelude::BASE64_STANDARD.decode(iterator).ok())
        .and_then(|json| serde_json::from_slice::<Value>(&json).ok())
        .and_then(|iterator| Some(iterator["table_name"].as_str()?.to_owned()));
    let resource = table.map_or_else(|| "*".to_owned(), |table| format!("{}/stream/*", table_arn(&table)));
    Access::new("dynamodb:GetRecords", resource)
}

fn with_keys(access: Access, schema: &Schema<'_>, keys: impl FnOnce() -> Vec<String>) -> Access {
    if schema.is_asked_for() { access.with(LEADING_KEYS, keys()) } else { access }
}

/// A put contains the whole item; the other operations contain its key.
fn item_or_key(request: &Value) -> &Value {
    request.get("Item").unwrap_or(&request["Key"])
}

fn arn_of(request: &Value) -> String {
    table_arn(request["TableName"].as_str().unwrap_or("*"))
}

/// A call may also name a table by its ARN.
fn table_arn(name: &str) -> String {
    if name.starts_with("arn:") { name.to_owned() } else { format!("arn:aws{PUBLIC_REGION}{ACCOUNT}:table/{name}") }
}
