//! The API description: complete, with examples, and equal to the committed files.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::{APIS, committed, description, example, examples, operations, root};
use crate::support::backend::answer;
use crate::support::openapi_check::closed_schemas::Schemas;
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
                assert!(!kind.ends_with("json") || !examples(&api, content).is_empty(), "{place} has no example");
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

#[test]
fn every_document_names_its_version_servers_tags_and_bytes() {
    for (name, document) in local::documents() {
        assert_eq!(document["openapi"], "3.1.0", "{name}");
        assert!(document["servers"].as_array().is_some_and(|servers| servers.len() == 2), "{name}");
        let tags: BTreeSet<_> =
            document["tags"].as_array().into_iter().flatten().map(|tag| tag["name"].clone().to_string()).collect();
        for operation in operations(&document) {
            let tag = operation.said["tags"][0].to_string();
            assert!(tags.contains(&tag), "{name}: {tag}");
            assert!(operation.said["security"].is_array(), "{}", operation.key());
            for (place, body) in operation.said["responses"].as_object().into_iter().flatten() {
                for (kind, content) in body["content"].as_object().into_iter().flatten() {
                    let is_binary = content["schema"]["format"] == "binary";
                    let is_json = ["application/json", "application/problem+json"].contains(&kind.as_str());
                    assert_eq!(!is_json, is_binary, "{} {place} {kind}", operation.key());
                }
            }
        }
    }
}

#[test]
fn every_example_keeps_its_schema() {
    for (name, document) in local::documents() {
        let schemas = Schemas::new(&document["components"]["schemas"]);
        let mut found = Vec::new();
        collect_examples(&document, "", &mut found);
        assert!(found.len() > 20, "{name}: {}", found.len());
        for (place, schema, example) in found {
            let validator = schemas.validator(&Schemas::closed(&schema));
            let validator = validator.unwrap_or_else(|error| panic!("{name} {place}: {error}"));
            let errors: Vec<_> = validator.iter_errors(&example).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{name} {place}: {example}: {errors:?}");
        }
    }
}

/// Every schema with an example of it, and where it is: those of contents, of parameters and of the schemas themselves.
fn collect_examples(value: &Value, place: &str, found: &mut Vec<(String, Value, Value)>) {
    match value {
        Value::Object(map) => {
            let schema = map.get("schema").unwrap_or(value);
            let several = map.get("examples").and_then(Value::as_object).into_iter().flatten();
            let several = several.map(|(_, example)| example["value"].clone());
            for example in map.get("example").cloned().into_iter().chain(several) {
                found.push((place.to_owned(), schema.clone(), example));
            }
            let inner = map.iter().filter(|(key, _)| !["example", "examples"].contains(&key.as_str()));
            inner.for_each(|(key, inner)| collect_examples(inner, &format!("{place}/{key}"), found));
        }
        Value::Array(list) => list.iter().for_each(|inner| collect_examples(inner, place, found)),
        _ => {}
    }
}

/// A description as it is committed: keys in alphabetical order, whatever a dependency makes of them.
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
    for (api, document) in local::documents() {
        committed(&format!("docs/openapi/{api}.json"), &written(&document));
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
