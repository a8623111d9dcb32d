//! The permissions that each DynamoDB call needs.
//!
//! Sources: the service authorization reference for DynamoDB and, for transactions, the developer guide's "Using IAM
//! with DynamoDB transactions". A transaction needs the permission for each operation on its items, and no other.

use serde_json::Value;

use super::leading::Schema;
use super::region::PUBLIC_REGION;
use crate::iam::Access;
use crate::place::ACCOUNT;

/// The accesses that a call consists of. `None` for an operation that the local endpoint does not support: the functions
/// only read and write items.
pub fn of(operation: &str, request: &Value, schema: &Schema<'_>) -> Option<Vec<Access>> {
    Some(match operation {
        "GetItem" | "PutItem" | "UpdateItem" | "DeleteItem" => vec![item(operation, request, schema)],
        "Query" | "Scan" => vec![query(operation, request, schema)],
        "TransactWriteItems" => transaction(request, schema),
        "BatchGetItem" => batch(request, schema),
        _ => return None,
    })
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
            "Put" => item("PutItem", request, schema),
            "Update" => item("UpdateItem", request, schema),
            "Delete" => item("DeleteItem", request, schema),
            "ConditionCheck" => item("ConditionCheckItem", request, schema),
            other => Access::new(format!("dynamodb:{other}"), "*"),
        })
        .collect()
}

fn batch(request: &Value, schema: &Schema<'_>) -> Vec<Access> {
    let tables = request["RequestItems"].as_object().into_iter().flatten();
    tables
        .map(|(table, requests)| {
            with_keys(Access::new("dynamodb:BatchGetItem", table_arn(table)), schema, || {
                let keys = requests["Keys"].as_array().into_iter().flatten();
                keys.map(|key| schema.key_of_item(table, key)).collect()
            })
        })
        .collect()
}

fn with_keys(access: Access, schema: &Schema<'_>, keys: impl FnOnce() -> Vec<String>) -> Access {
    Access { leading_keys: schema.is_asked_for().then(keys), ..access }
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
