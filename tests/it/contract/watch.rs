//! `cargo lambda watch` serves the routes of the template.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Value, json};

use super::{root, stack};

/// The workspace's metadata from cargo.
fn metadata() -> Value {
    let mut cargo = Command::new(env!("CARGO"));
    let cargo = cargo.current_dir(root()).args(["metadata", "--no-deps", "--offline", "--format-version", "1"]);
    let told = cargo.output().expect("cargo");
    let mut told: Value = serde_json::from_slice(&told.stdout).expect("JSON");
    told["metadata"].take()
}

/// The routes table in the format of `cargo lambda watch`: its key is `method`, not `methods`, and the fallback is a
/// wildcard, which matches everything except the root.
#[test]
fn cargo_lambda_watch_knows_every_route_and_no_other() {
    let mut expected: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let mut default = None;
    for function in stack().functions {
        for route in function.routes {
            if route.path == "$default" {
                default = Some(function.binary.clone());
            } else {
                expected.entry(route.path).or_default().push((route.method, function.binary.clone()));
            }
        }
    }
    let mut routes: BTreeMap<String, Value> = expected
        .into_iter()
        .map(|(path, mut methods)| {
            methods.sort();
            let methods = methods.iter().map(|(method, function)| json!({ "method": method, "function": function }));
            (path, methods.collect())
        })
        .collect();
    let default = default.expect("a default route");
    for path in ["/", "/{*path}"] {
        routes.insert(path.to_owned(), json!(default));
    }
    assert_eq!(metadata()["lambda"]["watch"]["router"], json!(routes), "Cargo.toml");
}

/// `cargo lambda watch` gives all functions the same environment.
#[test]
fn no_two_functions_give_a_variable_different_values() {
    let mut values = BTreeMap::new();
    for function in stack().functions {
        for (name, value) in function.environment {
            let known = values.entry(name.clone()).or_insert_with(|| value.clone());
            assert_eq!(*known, value, "{name} of {}", function.binary);
        }
    }
}
