//! Lambda functions: settings merged with `Globals`, permissions, environment.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::Error;
use super::intrinsics::{Scope, intrinsic};
use super::model::Function;
use super::{dynamic, events, shape};

/// Lambda's defaults. Source: the SAM specification, `AWS::Serverless::Function`.
const DEFAULT_MEMORY_MB: u32 = 128;
const DEFAULT_TIMEOUT: u32 = 3;

/// Reads one `AWS::Serverless::Function`.
pub(super) fn read(scope: &Scope<'_>, id: &str) -> Result<Function, Error> {
    let resource = scope.template.resource(id).unwrap_or(&Value::Null);
    let place = format!("Resources.{id}.Properties");
    let properties = merged(scope, resource);
    if properties.get("Role").is_some() {
        return Err(Error::new(&place, "a function's permissions stand in its Policies, not in a Role of its own"));
    }
    let binary = resource.pointer("/Metadata/BuildProperties/Binary").and_then(Value::as_str).ok_or_else(|| {
        let place = format!("Resources.{id}.Metadata");
        Error::new(place, "BuildProperties.Binary does not name the binary to run")
    })?;
    let number = |key: &str, default: u32| match properties.get(key) {
        Some(value) => {
            let place = format!("{place}.{key}");
            shape::number(&scope.required(value, &place)?, &place)
        }
        None => Ok(default),
    };
    let mut function = Function {
        logical_id: id.to_owned(),
        name: scope.name(id)?,
        binary: binary.to_owned(),
        environment: environment(scope, &properties, &place)?,
        memory_mb: number("MemorySize", DEFAULT_MEMORY_MB)?,
        timeout: number("Timeout", DEFAULT_TIMEOUT)?,
        policies: policies(scope, &properties, &format!("{place}.Policies"))?,
        routes: Vec::new(),
        object_created: Vec::new(),
        table_changed: Vec::new(),
        queue_events: Vec::new(),
        other_events: Vec::new(),
    };
    if let Some(written) = properties.get("Events") {
        events::read(scope, written, &mut function, &format!("{place}.Events"))?;
    }
    Ok(function)
}

/// The function's properties on top of `Globals.Function`.
fn merged(scope: &Scope<'_>, resource: &Value) -> Value {
    let empty = Value::Object(Map::new());
    let globals = scope.template.section("Globals");
    let globals = globals.and_then(|globals| globals.get("Function"));
    let own = resource.get("Properties").unwrap_or(&empty);
    merge(globals.unwrap_or(&empty), own)
}

/// SAM's merge: mappings key by key, lists joined, all other values replaced.
fn merge(base: &Value, own: &Value) -> Value {
    match (base, own) {
        (Value::Object(base), Value::Object(own)) if intrinsic(base).is_none() && intrinsic(own).is_none() => {
            let mut result = base.clone();
            for (key, value) in own {
                let value = match base.get(key) {
                    Some(inherited) => merge(inherited, value),
                    None => value.clone(),
                };
                result.insert(key.clone(), value);
            }
            Value::Object(result)
        }
        (Value::Array(base), Value::Array(own)) => base.iter().chain(own).cloned().collect(),
        _ => own.clone(),
    }
}

fn environment(scope: &Scope<'_>, properties: &Value, place: &str) -> Result<BTreeMap<String, String>, Error> {
    let place = format!("{place}.Environment.Variables");
    let Some(written) = properties.pointer("/Environment/Variables") else {
        return Ok(BTreeMap::new());
    };
    let resolved = scope.required(written, &place)?;
    let mut environment = BTreeMap::new();
    for (name, value) in shape::object(Some(&resolved), &place)?.into_iter().flatten() {
        let place = format!("{place}.{name}");
        let text = shape::text(value, &place)?;
        let text = dynamic::expand(&text, &scope.deployment.secrets, &place)?;
        environment.insert(name.clone(), text);
    }
    Ok(environment)
}

/// The statements of all policies. They must be written out: the permissions of a managed policy or a SAM policy
/// template cannot be read here, and are more than a function needs.
fn policies(scope: &Scope<'_>, properties: &Value, place: &str) -> Result<Vec<Value>, Error> {
    let Some(written) = properties.get("Policies") else {
        return Ok(Vec::new());
    };
    let Some(resolved) = scope.resolve(written, place)? else {
        return Ok(Vec::new());
    };
    let mut statements = Vec::new();
    for policy in shape::one_or_many(&resolved) {
        let Some(statement) = policy.get("Statement") else {
            let name = match policy {
                Value::String(name) => name.clone(),
                Value::Object(object) => object.keys().next().cloned().unwrap_or_default(),
                _ => String::new(),
            };
            let reason = format!("`{name}` is not written out as statements");
            return Err(Error::new(place, reason));
        };
        statements.extend(shape::one_or_many(statement).into_iter().cloned());
    }
    Ok(statements)
}
