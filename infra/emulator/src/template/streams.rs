//! Subscriptions to the changes of a table.
//!
//! Source: the SAM specification, `DynamoDB` event source, and the Lambda developer guide's parameters of event source
//! mappings for `DynamoDB`.

use serde_json::Value;

use super::error::Error;
use super::model::{Function, Table, TableChanged};
use super::shape;

/// Every property of the event. Three have no effect here: how long Lambda waits for a batch to fill, its metrics, and
/// the key that encrypts filters.
const PROPERTIES: [&str; 14] = [
    "BatchSize",
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "Enabled",
    "FilterCriteria",
    "FunctionResponseTypes",
    "KmsKeyArn",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "MetricsConfig",
    "ParallelizationFactor",
    "StartingPosition",
    "Stream",
];

/// Reads the resolved properties of a `DynamoDB` event; `None` if it is switched off.
pub(super) fn subscription(name: &str, properties: &Value, place: &str) -> Result<Option<TableChanged>, Error> {
    let given = shape::object(Some(properties), place)?.into_iter().flatten();
    if let Some((unknown, _)) = given.into_iter().find(|(name, _)| !PROPERTIES.contains(&name.as_str())) {
        return Err(Error::new(place, format!("the property {unknown} is not understood")));
    }
    let flag = |key: &str, default: bool| match properties.get(key) {
        Some(value) => shape::boolean(value, place),
        None => Ok(default),
    };
    if !flag("Enabled", true)? {
        return Ok(None);
    }
    let from_start = match properties.get("StartingPosition").and_then(Value::as_str) {
        Some("TRIM_HORIZON") => true,
        Some("LATEST") => false,
        _ => return Err(Error::new(place, "StartingPosition must be TRIM_HORIZON or LATEST")),
    };
    within(properties, "MaximumBatchingWindowInSeconds", 0..=300, place)?;
    let batch_size = within(properties, "BatchSize", 1..=10_000, place)?;
    let parallelization_factor = within(properties, "ParallelizationFactor", 1..=10, place)?;
    Ok(Some(TableChanged {
        name: name.to_owned(),
        table: table(properties, place)?,
        from_start,
        batch_size: batch_size.unwrap_or(100),
        parallelization_factor: parallelization_factor.unwrap_or(1),
        filters: filters(properties, place)?,
        retries: within(properties, "MaximumRetryAttempts", 0..=10_000, place)?,
        record_age: within(properties, "MaximumRecordAgeInSeconds", 60..=604_800, place)?,
        bisects: flag("BisectBatchOnFunctionError", false)?,
        reports_failures: reports_failures(properties, place)?,
        dead_letters: dead_letters(properties, place)?,
    }))
}

/// Checks that every subscription's table has a stream.
pub(super) fn check(functions: &[Function], tables: &[Table]) -> Result<(), Error> {
    for function in functions {
        for changed in &function.table_changed {
            let place = format!("Resources.{}.Properties.Events.{}", function.logical_id, changed.name);
            let table = tables.iter().find(|table| table.name == changed.table);
            let table = table.ok_or_else(|| Error::new(&place, format!("there is no table {}", changed.table)))?;
            if table.properties.pointer("/StreamSpecification/StreamViewType").is_none() {
                let reason = format!("{} has no StreamSpecification", table.logical_id);
                return Err(Error::new(place, reason));
            }
        }
    }
    Ok(())
}

/// The table's name in the ARN of its stream.
fn table(properties: &Value, place: &str) -> Result<String, Error> {
    let stream = properties.get("Stream").ok_or_else(|| Error::new(place, "Stream is missing"))?;
    let stream = shape::text(stream, place)?;
    let table = stream.split_once(":table/").and_then(|(_, rest)| rest.split_once("/stream/"));
    let (table, _) = table.ok_or_else(|| Error::new(place, format!("`{stream}` is not the stream of a table")))?;
    Ok(table.to_owned())
}

fn filters(properties: &Value, place: &str) -> Result<Vec<Value>, Error> {
    let written = properties.pointer("/FilterCriteria/Filters");
    let patterns = written.map(shape::one_or_many).unwrap_or_default().into_iter().map(|filter| {
        let pattern = filter.get("Pattern").and_then(Value::as_str);
        let pattern = pattern.ok_or_else(|| Error::new(place, "a filter needs its Pattern as text"))?;
        let parsed = serde_json::from_str(pattern);
        parsed.map_err(|error| Error::new(place, format!("the pattern `{pattern}` is not JSON: {error}")))
    });
    patterns.collect()
}

/// Whether the function names what failed of a batch.
pub(super) fn reports_failures(properties: &Value, place: &str) -> Result<bool, Error> {
    let Some(types) = properties.get("FunctionResponseTypes") else { return Ok(false) };
    match shape::texts(types, place)?.as_slice() {
        [] => Ok(false),
        [only] if only == "ReportBatchItemFailures" => Ok(true),
        _ => Err(Error::new(place, "FunctionResponseTypes holds ReportBatchItemFailures or nothing")),
    }
}

fn dead_letters(properties: &Value, place: &str) -> Result<Option<String>, Error> {
    let Some(failure) = properties.pointer("/DestinationConfig/OnFailure") else { return Ok(None) };
    let destination = failure.get("Destination").ok_or_else(|| Error::new(place, "OnFailure names no Destination"))?;
    // SAM allows the function's role to send there only if the type is given.
    match failure.get("Type").and_then(Value::as_str) {
        Some("SQS" | "SNS") => shape::text(destination, place).map(Some),
        _ => Err(Error::new(place, "the Type of OnFailure must be SQS or SNS")),
    }
}

/// A whole number within its bounds. -1 means no limit, and where Lambda accepts it, it counts as not given.
pub(super) fn within(
    properties: &Value,
    key: &str,
    bounds: std::ops::RangeInclusive<u32>,
    place: &str,
) -> Result<Option<u32>, Error> {
    let Some(value) = properties.get(key) else { return Ok(None) };
    let unlimited = matches!(key, "MaximumRetryAttempts" | "MaximumRecordAgeInSeconds");
    if unlimited && shape::text(value, place)? == "-1" {
        return Ok(None);
    }
    let number = shape::number(value, &format!("{place}.{key}"))?;
    if bounds.contains(&number) {
        return Ok(Some(number));
    }
    Err(Error::new(format!("{place}.{key}"), format!("must lie within {} and {}", bounds.start(), bounds.end())))
}
