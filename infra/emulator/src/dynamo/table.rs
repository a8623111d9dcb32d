//! Creates tables from CloudFormation's properties.

use std::path::Path;

use dynoxide::actions::describe_table::DescribeTableRequest;
use dynoxide::actions::describe_time_to_live::DescribeTimeToLiveRequest;
use dynoxide::{Database, DynoxideError};
use serde_json::{Map, Value, json};

use crate::Error;

/// Properties with the same format in `CreateTable`.
const SAME: [&str; 7] = [
    "TableName",
    "AttributeDefinitions",
    "KeySchema",
    "LocalSecondaryIndexes",
    "GlobalSecondaryIndexes",
    "BillingMode",
    "ProvisionedThroughput",
];

/// Properties without a meaning on one machine.
const IGNORED: [&str; 11] = [
    "ContributorInsightsSpecification",
    "DeletionProtectionEnabled",
    "KinesisStreamSpecification",
    "OnDemandThroughput",
    "PointInTimeRecoverySpecification",
    "ResourcePolicy",
    "SSESpecification",
    "TableClass",
    "Tags",
    "WarmThroughput",
    "ImportSourceSpecification",
];

/// Creates the table, or keeps an existing one with the same schema.
pub fn create(database: &Database, properties: &Value, folder: &Path) -> Result<(), Error> {
    let request = request(properties)?;
    let name =
        request["TableName"].as_str().ok_or_else(|| Error::TableProperties("TableName is missing".to_owned()))?;
    let describe = DescribeTableRequest { table_name: name.to_owned() };
    match database.describe_table(describe) {
        Ok(existing) => {
            let existing = serde_json::to_value(existing.table).map_err(malformed)?;
            let existing = switch_stream(database, name, existing, &request)?;
            if let Some(property) = difference(&existing, &request) {
                return Err(Error::SchemaChanged { table: name.to_owned(), property, folder: folder.to_owned() });
            }
        }
        Err(DynoxideError::ResourceNotFoundException(_)) => {
            let request = serde_json::from_value(request.clone()).map_err(malformed)?;
            database.create_table(request)?;
        }
        Err(error) => return Err(error.into()),
    }
    set_time_to_live(database, name, &properties["TimeToLiveSpecification"])
}

/// Converts CloudFormation's properties to a `CreateTable` request.
fn request(properties: &Value) -> Result<Value, Error> {
    let properties = properties.as_object().ok_or_else(|| Error::TableProperties("not an object".to_owned()))?;
    let mut request = Map::new();
    for (name, value) in properties {
        match name.as_str() {
            same if SAME.contains(&same) => {
                request.insert(name.clone(), value.clone());
            }
            // In CloudFormation, naming a view type turns the stream on.
            "StreamSpecification" => {
                let view = &value["StreamViewType"];
                let stream = json!({"StreamEnabled": true, "StreamViewType": view});
                request.insert(name.clone(), stream);
            }
            "TimeToLiveSpecification" => {}
            ignored if IGNORED.contains(&ignored) => {}
            unknown => return Err(Error::TableProperties(format!("{unknown} is unknown"))),
        }
    }
    Ok(Value::Object(request))
}

/// Switches the stream of an existing table on or off, which DynamoDB does in place; it rejects a change to another
/// kind of stream. Returns the table's new description.
fn switch_stream(database: &Database, name: &str, mut existing: Value, wanted: &Value) -> Result<Value, Error> {
    let has = !view(&existing).is_null();
    if has != view(wanted).is_null() {
        return Ok(existing);
    }
    let stream = if has { json!({"StreamEnabled": false}) } else { wanted["StreamSpecification"].clone() };
    let request = json!({"TableName": name, "StreamSpecification": stream});
    database.update_table(serde_json::from_value(request).map_err(malformed)?)?;
    tracing::info!(table = name, enabled = !has, "the stream of an existing table was switched");
    existing["StreamSpecification"] = wanted["StreamSpecification"].clone();
    Ok(existing)
}

/// The view type of the stream; null without a stream.
fn view(table: &Value) -> Value {
    table["StreamSpecification"]["StreamViewType"].clone()
}

/// The first property in which an existing table differs from the wanted one.
fn difference(existing: &Value, wanted: &Value) -> Option<&'static str> {
    let indexes = |table: &Value, kind: &str| {
        let mut indexes: Vec<Value> = table[kind]
            .as_array()
            .into_iter()
            .flatten()
            .map(|index| json!([index["IndexName"], index["KeySchema"], projection(index)]))
            .collect();
        indexes.sort_by_key(Value::to_string);
        indexes
    };
    let attributes = |table: &Value| {
        let mut attributes = table["AttributeDefinitions"].as_array().cloned().unwrap_or_default();
        attributes.sort_by_key(Value::to_string);
        attributes
    };
    if existing["KeySchema"] != wanted["KeySchema"] {
        Some("KeySchema")
    } else if attributes(existing) != attributes(wanted) {
        Some("AttributeDefinitions")
    } else if view(existing) != view(wanted) {
        Some("StreamSpecification")
    } else {
        ["LocalSecondaryIndexes", "GlobalSecondaryIndexes"]
            .into_iter()
            .find(|kind| indexes(existing, kind) != indexes(wanted, kind))
    }
}

fn projection(index: &Value) -> Value {
    let projection = &index["Projection"];
    let mut names = projection["NonKeyAttributes"].as_array().cloned().unwrap_or_default();
    names.sort_by_key(Value::to_string);
    json!([projection["ProjectionType"], names])
}

/// Sets the attribute by which items expire. DynamoDB does not allow changing it directly, so the old one is switched
/// off first.
fn set_time_to_live(database: &Database, table: &str, wanted: &Value) -> Result<(), Error> {
    let describe = DescribeTimeToLiveRequest { table_name: table.to_owned() };
    let current = database.describe_time_to_live(describe)?.time_to_live_description;
    let current = current.attribute_name.filter(|_| current.time_to_live_status == "ENABLED");
    let wanted = wanted["AttributeName"].as_str().filter(|_| wanted["Enabled"] != json!(false));
    if current.as_deref() == wanted {
        return Ok(());
    }
    let steps = [current.as_deref().map(|name| (name, false)), wanted.map(|name| (name, true))];
    for (name, enabled) in steps.into_iter().flatten() {
        let request = json!({
            "TableName": table,
            "TimeToLiveSpecification": {"AttributeName": name, "Enabled": enabled},
        });
        database.update_time_to_live(serde_json::from_value(request).map_err(malformed)?)?;
    }
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "the form `map_err` calls")]
fn malformed(error: serde_json::Error) -> Error {
    Error::TableProperties(error.to_string())
}
