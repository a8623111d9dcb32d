//! `cargo lambda watch` serves the routes of the template. `UPDATE_DOCS=1` writes them into `Cargo.toml`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use super::{committed, root, stack};

const HEADING: &str = "[workspace.metadata.lambda.watch.router]\n";

/// The routes table in the format of `cargo lambda watch`: its key is `method`, not `methods`, and the fallback is a
/// wildcard, which matches everything except the root.
#[test]
fn cargo_lambda_watch_knows_every_route_and_no_other() {
    let mut routes: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let mut default = None;
    for function in stack().functions {
        for route in function.routes {
            if route.path == "$default" {
                default = Some(function.binary.clone());
            } else {
                routes.entry(route.path).or_default().push((route.method, function.binary.clone()));
            }
        }
    }
    let default = default.expect("a default route");
    let mut table = String::new();
    for path in ["/", "/{*path}"] {
        writeln!(table, "\"{path}\" = \"{default}\"").unwrap();
    }
    for (path, mut methods) in routes {
        methods.sort();
        let methods: Vec<_> = methods
            .iter()
            .map(|(method, function)| format!("{{ method = \"{method}\", function = \"{function}\" }}"))
            .collect();
        writeln!(table, "\"{path}\" = [{}]", methods.join(", ")).unwrap();
    }
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (before, behind) = manifest.split_once(HEADING).expect("a routes table");
    let (_, behind) = behind.split_once("\n\n").expect("the end of the routes table");
    committed("Cargo.toml", &format!("{before}{HEADING}{table}\n{behind}"));
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
