//! `docs/cost.md` matches the program's output.

use std::fs;
use std::path::PathBuf;

use handset_cost::load::Load;
use handset_cost::{memory, report};

fn read(name: &str) -> String {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn the_document_has_the_tables_that_the_program_makes() {
    let memory = memory(&read("template.yaml")).expect("a template");
    let document = read("docs/cost.md");
    let tables = report::tables(&Load::default(), &memory, &report::PEOPLE);
    assert!(
        report::renew(&document, &tables).expect("markers") == document,
        "docs/cost.md is out of date: run `cargo run -p handset-cost -- --document` and commit what changed"
    );
}

#[test]
fn every_action_calls_a_function_that_there_is() {
    let memory = memory(&read("template.yaml")).expect("a template");
    for action in handset_cost::actions::ACTIONS {
        assert!(memory.contains_key(action.function), "{}", action.name);
    }
    assert!(memory.contains_key("resize") && memory.contains_key("notify"));
}
