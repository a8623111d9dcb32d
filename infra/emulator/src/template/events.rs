//! A function's event sources: routes of the HTTP API, new objects, changes of tables, messages of queues, and
//! other kinds.

use serde_json::{Map, Value};

use super::error::Error;
use super::intrinsics::Scope;
use super::model::{Function, ObjectCreated, OtherEvent, Route};
use super::{queues, shape, streams};

/// Reads the `Events` of a function into `function`.
pub(super) fn read(scope: &Scope<'_>, events: &Value, function: &mut Function, place: &str) -> Result<(), Error> {
    for (name, event) in shape::object(Some(events), place)?.into_iter().flatten() {
        let place = format!("{place}.{name}");
        let kind = event.get("Type").and_then(Value::as_str);
        let kind = kind.ok_or_else(|| Error::new(&place, "Type is missing"))?;
        let empty = Value::Object(Map::new());
        let properties = event.get("Properties").unwrap_or(&empty);
        let place = format!("{place}.Properties");
        match kind {
            "HttpApi" => {
                let properties = scope.required(properties, &place)?;
                function.routes.push(route(&properties, &place)?);
            }
            "S3" => {
                let properties = scope.required(properties, &place)?;
                function.object_created.push(object_created(&properties, &place)?);
            }
            "DynamoDB" => {
                let properties = scope.required(properties, &place)?;
                function.table_changed.extend(streams::subscription(name, &properties, &place)?);
            }
            "SQS" => {
                let properties = scope.required(properties, &place)?;
                function.queue_events.extend(queues::subscription(name, &properties, &place)?);
            }
            other => function.other_events.push(OtherEvent { name: name.clone(), kind: other.to_owned() }),
        }
    }
    Ok(())
}

fn route(properties: &Value, place: &str) -> Result<Route, Error> {
    let text = |key: &str| {
        let value = properties.get(key);
        value.map(|value| shape::text(value, place)).transpose()
    };
    if text("PayloadFormatVersion")?.is_some_and(|version| version != "2.0") {
        return Err(Error::new(place, "only payload format 2.0 is understood"));
    }
    // SAM: an event without path and method is the route for all requests without a route of their own.
    let path = text("Path")?.unwrap_or_else(|| "$default".into());
    if path == "$default" {
        return Ok(Route { method: "ANY".into(), path: path.clone(), key: path });
    }
    if !path.starts_with('/') {
        return Err(Error::new(place, format!("the path `{path}` does not start with /")));
    }
    // API Gateway rejects such a route key: only a greedy variable or `$default` matches a path with a trailing slash.
    if path.len() > 1 && path.ends_with('/') {
        return Err(Error::new(place, format!("the path `{path}` ends in a slash")));
    }
    let method = text("Method")?.ok_or_else(|| Error::new(place, "Method is missing"))?;
    let method = match method.to_uppercase().as_str() {
        "*" | "ANY" | "X-AMAZON-APIGATEWAY-ANY-METHOD" => "ANY".to_owned(),
        other => other.to_owned(),
    };
    let key = format!("{method} {path}");
    Ok(Route { method, path, key })
}

fn object_created(properties: &Value, place: &str) -> Result<ObjectCreated, Error> {
    let bucket = properties.get("Bucket").ok_or_else(|| Error::new(place, "Bucket is missing"))?;
    let kinds = properties.get("Events").ok_or_else(|| Error::new(place, "Events is missing"))?;
    for kind in shape::texts(kinds, place)? {
        if kind != "s3:ObjectCreated:*" {
            let reason = format!("only s3:ObjectCreated:* is understood, not {kind}");
            return Err(Error::new(place, reason));
        }
    }
    let (mut prefix, mut suffix) = (String::new(), String::new());
    let rules = properties.pointer("/Filter/S3Key/Rules");
    for rule in rules.map(shape::one_or_many).unwrap_or_default() {
        let (Some(name), Some(value)) = (rule.get("Name"), rule.get("Value")) else {
            return Err(Error::new(place, "a filter rule needs Name and Value"));
        };
        let value = shape::text(value, place)?;
        match shape::text(name, place)?.to_lowercase().as_str() {
            "prefix" => prefix = value,
            "suffix" => suffix = value,
            other => return Err(Error::new(place, format!("a filter has no `{other}`"))),
        }
    }
    Ok(ObjectCreated { bucket: shape::text(bucket, place)?, prefix, suffix })
}
