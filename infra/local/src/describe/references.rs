//! Schemas by name: copies become references, and unused schemas are left out.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value, json};

/// Where schemas lie in a document.
const SCHEMAS: &str = "#/components/schemas/";

/// Tidies the schemas of a document.
pub fn tidy(paths: &mut Map<String, Value>, schemas: &mut Map<String, Value>, responses: &Map<String, Value>) {
    for value in paths.values_mut().chain(schemas.values_mut()) {
        name_constants(value);
    }
    let names: HashMap<String, String> = schemas
        .iter()
        .filter(|(_, schema)| schema.get("properties").is_some())
        .map(|(name, schema)| (schema.to_string(), format!("{SCHEMAS}{name}")))
        .collect();
    for value in paths.values_mut() {
        refer(value, &names);
    }
    for schema in schemas.values_mut().filter_map(Value::as_object_mut) {
        schema.values_mut().for_each(|value| refer(value, &names));
    }
    let used = used(paths, schemas, responses);
    schemas.retain(|name, _| used.contains(name));
}

/// Undoes an effect of the derive macros: they turn a comment on a variant of an untagged enum into a separate
/// description, beside or around the variant's schema.
pub fn simplify(value: &mut Value) {
    let is_comment = |part: &Value| part.as_object().is_some_and(|part| part.keys().all(|key| is_about(key)));
    match value {
        Value::Object(map) => {
            if let Some([schema, comment]) = map.get("allOf").and_then(Value::as_array).map(Vec::as_slice)
                && is_comment(comment)
            {
                *value = schema.clone();
                return simplify(value);
            }
            for choice in map.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(choice) = choice.as_object_mut().filter(|choice| choice.contains_key("$ref")) {
                    choice.remove("description");
                }
            }
            map.values_mut().for_each(simplify);
        }
        Value::Array(list) => list.iter_mut().for_each(simplify),
        _ => {}
    }
}

fn is_about(key: &str) -> bool {
    ["description", "type"].contains(&key)
}

/// Replaces copies of named schemas with references, because the derive macros inline the arguments of generic types.
fn refer(value: &mut Value, names: &HashMap<String, String>) {
    if value.get("properties").is_some()
        && let Some(name) = names.get(&value.to_string())
    {
        *value = json!({ "$ref": name });
        return;
    }
    match value {
        Value::Object(map) => map.values_mut().for_each(|value| refer(value, names)),
        Value::Array(list) => list.iter_mut().for_each(|value| refer(value, names)),
        _ => {}
    }
}

/// An enumeration of one value becomes a constant, by which generated clients can distinguish responses.
fn name_constants(value: &mut Value) {
    if let Value::Object(map) = value {
        if let Some([only]) = map.get("enum").and_then(Value::as_array).map(Vec::as_slice) {
            let only = only.clone();
            map.remove("enum");
            map.insert("const".to_owned(), only);
        }
        map.values_mut().for_each(name_constants);
    } else if let Value::Array(list) = value {
        list.iter_mut().for_each(name_constants);
    }
}

/// The names of the schemas that are referred to, by operations, by shared responses, or by each other.
fn used(paths: &Map<String, Value>, schemas: &Map<String, Value>, responses: &Map<String, Value>) -> BTreeSet<String> {
    let (mut found, mut used) = (Vec::new(), BTreeSet::new());
    paths.values().chain(responses.values()).for_each(|value| find(value, &mut found));
    while let Some(name) = found.pop() {
        if let Some(schema) = schemas.get(&name)
            && used.insert(name)
        {
            find(schema, &mut found);
        }
    }
    used
}

fn find(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            let name = map.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix(SCHEMAS));
            found.extend(name.map(str::to_owned));
            map.values().for_each(|value| find(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| find(value, found)),
        _ => {}
    }
}
