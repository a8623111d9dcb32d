//! The API description: complete, with examples, and equal to the committed files.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use super::{APIS, Operation, committed, description, example, operations, root};
use crate::support::backend::answer;
use crate::support::{run, shared};

#[test]
fn every_operation_is_described_with_examples() {
    let api = description();
    let mut ids = BTreeSet::new();
    for operation in operations(&api) {
        let (key, said, id) = (operation.key(), &operation.said, operation.id());
        assert!(ids.insert(id.to_owned()), "{id} is the id of two operations");
        let prefix = format!("{}_", operation.api());
        assert!(operation.api() == "messenger" || id.starts_with(&prefix), "{key}: {id}");
        let summary = said["summary"].as_str().unwrap_or_default();
        assert!(summary.ends_with('.') && summary.len() >= 8, "{key}: {summary}");
        assert_eq!(said["tags"].as_array().map(Vec::len), Some(1), "{key}");
        let responses = said["responses"].as_object().unwrap_or_else(|| panic!("{key} has no responses"));
        assert!(responses.keys().any(|status| status.starts_with('2')), "{key} never succeeds");
        for (status, response) in responses {
            let place = format!("{key} {status}");
            assert!(response["description"].as_str().is_some_and(|text| !text.is_empty()), "{place}");
            let content = response["content"].as_object();
            // Binary content needs no example; a HEAD, a redirect, a 204, a 304 and a 416 have no body.
            let bodiless = operation.method == "HEAD" || ["204", "302", "304", "416"].contains(&status.as_str());
            assert_eq!(content.is_none(), bodiless, "{place}");
            for (kind, content) in content.into_iter().flatten() {
                assert!(kind != "application/json" || example(&api, content).is_some(), "{place} has no example");
            }
        }
        for parameter in said["parameters"].as_array().into_iter().flatten() {
            assert!(parameter.get("example").is_some() && parameter.get("description").is_some(), "{key}: {parameter}");
        }
        for (kind, content) in said["requestBody"]["content"].as_object().into_iter().flatten() {
            assert!(kind != "application/json" || example(&api, content).is_some(), "{key} has no example to send");
        }
    }
}

/// The names of all references below a value, as pointers.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            if let Some(name) = object.get("$ref").and_then(Value::as_str) {
                found.insert(name.trim_start_matches('#').to_owned());
            }
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

/// The schemas that a value needs, directly or through other schemas.
fn schemas(whole: &Value, value: &Value) -> Value {
    let (mut known, mut found) = (BTreeSet::new(), BTreeSet::new());
    references(value, &mut found);
    while let Some(pointer) = found.pop_first() {
        if known.insert(pointer.clone()) {
            let schema = whole.pointer(&pointer).unwrap_or_else(|| panic!("nothing lies at {pointer}"));
            let mut further = BTreeSet::new();
            references(schema, &mut further);
            found.extend(further);
        }
    }
    let mut schemas = json!({});
    for pointer in known {
        let name = pointer.strip_prefix("/components/schemas/").expect("a schema");
        schemas[name] = whole.pointer(&pointer).expect("a schema").clone();
    }
    schemas
}

/// The description of one API: its operations, and the schemas they need.
fn document(api: &str) -> Value {
    let whole = description();
    let mut paths = json!({});
    let mut schemes = json!({});
    for Operation { method, path, said } in operations(&whole).into_iter().filter(|operation| operation.api() == api) {
        for requirement in said["security"].as_array().into_iter().flatten() {
            for name in requirement.as_object().expect("schemes").keys() {
                schemes[name] = whole["components"]["securitySchemes"][name].clone();
            }
        }
        paths[path][method.to_lowercase()] = said;
    }
    let schemas = schemas(&whole, &paths);
    json!({
        "openapi": whole["openapi"],
        "info": { "title": format!("Handset: the {} API", name(api)), "version": whole["info"]["version"] },
        "paths": paths,
        "components": { "schemas": schemas, "securitySchemes": schemes },
    })
}

/// The name of an API.
fn name(api: &str) -> &str {
    if api == "sealtalk" { "SealTalk" } else { api }
}

/// A description in its committed form: keys in alphabetical order, whatever a dependency does with them.
fn written(value: &Value) -> String {
    fn sorted(value: &Value) -> Value {
        match value {
            Value::Object(object) => {
                let keys: BTreeSet<&String> = object.keys().collect();
                Value::Object(keys.into_iter().map(|key| (key.clone(), sorted(&object[key]))).collect())
            }
            Value::Array(values) => values.iter().map(sorted).collect(),
            other => other.clone(),
        }
    }
    let text = serde_json::to_string_pretty(&sorted(value)).expect("JSON");
    format!("{text}\n")
}

#[test]
fn the_committed_descriptions_are_the_functions_own() {
    let folder = root().join("docs/openapi");
    let files: BTreeSet<String> = APIS.iter().map(|api| format!("{api}.json")).collect();
    for api in APIS {
        committed(&format!("docs/openapi/{api}.json"), &written(&document(api)));
    }
    let there = fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").file_name());
    assert_eq!(there.map(|name| name.into_string().expect("a name")).collect::<BTreeSet<_>>(), files);
}

#[test]
fn the_local_run_serves_the_same_description() {
    run(async {
        let (status, served) = answer(shared().await.get("/_local/openapi.json")).await;
        assert_eq!((status, served), (200, description()));
    });
}
