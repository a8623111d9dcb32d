//! Reads resolved values in the required form, with an error that names the place.

use serde_json::{Map, Value};

use super::error::Error;

/// The entries of a mapping; a missing or null value has none.
pub(super) fn object<'a>(value: Option<&'a Value>, place: &str) -> Result<Option<&'a Map<String, Value>>, Error> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(Error::new(place, "expected a mapping")),
    }
}

/// A single value or a list of values, as a list: the template syntax allows both in many places.
pub(super) fn one_or_many(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        other => vec![other],
    }
}

/// A scalar as text, as `CloudFormation` writes it into a string property.
pub(super) fn text(value: &Value, place: &str) -> Result<String, Error> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(boolean) => Ok(boolean.to_string()),
        _ => Err(Error::new(place, "expected text, a number or true/false")),
    }
}

/// A list of scalars as text; a single scalar is a list of one.
pub(super) fn texts(value: &Value, place: &str) -> Result<Vec<String>, Error> {
    one_or_many(value).into_iter().map(|item| text(item, place)).collect()
}

/// A whole number; a parameter has it as text.
pub(super) fn number(value: &Value, place: &str) -> Result<u32, Error> {
    text(value, place)?.parse().map_err(|_| Error::new(place, "expected a whole number"))
}

/// `true` or `false`; a parameter has it as text.
pub(super) fn boolean(value: &Value, place: &str) -> Result<bool, Error> {
    match text(value, place)?.as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Error::new(place, "expected true or false")),
    }
}
