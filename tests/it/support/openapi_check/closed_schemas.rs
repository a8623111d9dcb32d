//! The schemas of the descriptions, as they are and closed: a closed one permits no field that it does not name.
//!
//! Clients have to accept fields that they do not know, so the descriptions do not forbid them. These tests do.

use std::collections::HashSet;

use jsonschema::{Draft, ValidationError, Validator};
use serde_json::{Map, Value, json};

const NAMED: &str = "#/components/schemas/";

/// The named schemas, in three forms.
pub struct Schemas {
    named: Map<String, Value>,
    /// `components` of a document in which the forms lie: as they are, closed, and as parts of an `allOf`.
    forms: Value,
}

impl Schemas {
    pub fn new(named: &Value) -> Self {
        let named = named.as_object().expect("schemas").clone();
        let each = |close_here| -> Map<_, _> {
            named.iter().map(|(name, schema)| (name.clone(), close(schema, close_here))).collect()
        };
        let forms = json!({ "schemas": named, "closed": each(true), "parts": each(false) });
        Self { named, forms }
    }

    /// Whether there is a schema of this name.
    pub fn has(&self, name: &str) -> bool {
        self.named.contains_key(name)
    }

    /// A schema, closed.
    pub fn closed(schema: &Value) -> Value {
        close(schema, true)
    }

    /// Makes a validator of a schema that may refer to the named ones.
    pub fn validator(&self, schema: &Value) -> Result<Validator, ValidationError<'static>> {
        let whole = json!({ "allOf": [schema], "components": self.forms });
        jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true).build(&whole)
    }

    /// The fields that a schema names, itself or by others.
    pub fn fields(&self, schema: &Value) -> HashSet<String> {
        let mut fields = HashSet::new();
        self.collect(schema, &mut fields);
        fields
    }

    fn collect(&self, schema: &Value, fields: &mut HashSet<String>) {
        let name = schema["$ref"].as_str().and_then(|name| name.strip_prefix(NAMED));
        if let Some(schema) = name.and_then(|name| self.named.get(name)) {
            self.collect(schema, fields);
        }
        fields.extend(schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()));
        for parts in ["allOf", "oneOf", "anyOf"] {
            schema[parts].as_array().into_iter().flatten().for_each(|part| self.collect(part, fields));
        }
    }
}

/// Closes a schema and all below it. The parts of an `allOf` stay open, since each names only some of the fields: what
/// they make together is closed.
fn close(schema: &Value, close_here: bool) -> Value {
    let Some(schema) = schema.as_object() else { return schema.clone() };
    let mut closed = Map::new();
    for (key, value) in schema {
        let value = match (key.as_str(), value) {
            ("$ref", Value::String(name)) => {
                json!(name.replace(NAMED, if close_here { "#/components/closed/" } else { "#/components/parts/" }))
            }
            ("properties", Value::Object(fields)) => {
                fields.iter().map(|(name, field)| (name.clone(), close(field, true))).collect()
            }
            ("items", item) => close(item, true),
            ("oneOf" | "anyOf", Value::Array(parts)) => parts.iter().map(|part| close(part, close_here)).collect(),
            ("allOf", Value::Array(parts)) => parts.iter().map(|part| close(part, false)).collect(),
            (_, other) => other.clone(),
        };
        closed.insert(key.clone(), value);
    }
    let is_object = schema.get("type").is_some_and(|kind| kind == "object") || schema.contains_key("allOf");
    if close_here && is_object && !schema.contains_key("additionalProperties") {
        closed.insert("unevaluatedProperties".to_owned(), json!(false));
    }
    Value::Object(closed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_schema_permits_no_further_field() {
        let user = json!({
            "type": "object", "properties": { "name": { "type": "string" }, "more": { "$ref": "#/components/schemas/More" } },
        });
        let more = json!({ "type": "object", "properties": { "x": {} } });
        let schemas = Schemas::new(&json!({ "User": user, "More": more }));
        let flat = json!({ "allOf": [{ "$ref": "#/components/schemas/User" }, { "type": "object", "properties": { "code": {} } }] });
        let listed = json!({ "type": "array", "items": { "$ref": "#/components/schemas/User" } });
        for (schema, fine, wrong) in [
            (&flat, json!({ "name": "a", "code": 1 }), json!({ "name": "a", "code": 1, "id": 1 })),
            (&flat, json!({ "more": { "x": 1 } }), json!({ "more": { "y": 1 } })),
            (&listed, json!([{ "name": "a" }]), json!([{ "name": "a", "id": 1 }])),
        ] {
            let closed = schemas.validator(&Schemas::closed(schema)).unwrap();
            assert!(closed.is_valid(&fine) && !closed.is_valid(&wrong), "{schema}");
            let open = schemas.validator(schema).unwrap();
            assert!(open.is_valid(&fine) && open.is_valid(&wrong), "{schema}");
        }
    }
}
