//! Conventions of the code, checked in the source files.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Every Rust file below these folders, with its text.
fn sources(folders: &[&str]) -> Vec<(PathBuf, String)> {
    let mut waiting: Vec<_> = folders.iter().map(|folder| root().join(folder)).collect();
    let mut found = Vec::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path.strip_prefix(root()).unwrap().to_owned(), text));
        }
    }
    assert!(!found.is_empty(), "no sources in {folders:?}");
    found
}

/// The lines of code: without comments, and only up to the first test module.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().take_while(|line| !line.trim_start().starts_with("#[cfg(test)]"));
    lines.filter(|line| !line.trim_start().starts_with("//"))
}

fn assert_never_names(folders: &[&str], forbidden: &[&str]) {
    for (path, text) in sources(folders) {
        for line in code(&text) {
            for name in forbidden {
                assert!(!line.contains(name), "{} names {name}: {line}", path.display());
            }
        }
    }
}

#[test]
fn the_domain_knows_neither_aws_nor_http() {
    let forbidden = ["aws_", "axum", "http::", "hyper", "lambda", "crate::aws", "utoipa", "reqwest"];
    assert_never_names(&["shared/src/domain"], &forbidden);
}

#[test]
fn the_http_kit_and_the_aws_adapters_do_not_know_each_other() {
    assert_never_names(&["shared/src/http"], &["crate::aws", "aws_sdk", "aws_config"]);
    assert_never_names(&["shared/src/aws"], &["crate::http", "axum"]);
}

#[test]
fn functions_know_no_other_function_and_no_sdk() {
    let functions = ["auth", "codes", "media", "notify", "profiles", "resize", "rooms", "social"];
    for own in functions {
        let others: Vec<_> =
            functions.iter().filter(|other| **other != own).map(|other| format!("{other}::")).collect();
        let folder = format!("functions/{own}/src");
        for (path, text) in sources(&[folder.as_str()]) {
            for line in code(&text) {
                let uses = line.trim_start().strip_prefix("use ").unwrap_or_default();
                assert!(!others.iter().any(|other| uses.starts_with(other)), "{}: {line}", path.display());
                assert!(!line.contains("aws_sdk"), "{}: {line}", path.display());
            }
        }
        let manifest = fs::read_to_string(root().join(format!("functions/{own}/Cargo.toml"))).unwrap();
        assert!(!manifest.contains("aws-sdk"), "functions/{own}/Cargo.toml");
    }
}

#[test]
fn every_file_says_what_it_is_and_is_one_thing() {
    for (path, text) in sources(&["functions", "shared", "infra/local", "tests"]) {
        let path = path.display();
        assert!(text.starts_with("//!"), "{path} does not begin with its documentation");
        let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count();
        // The style asks for about 300; test files may be longer.
        let most = if path.to_string().contains("tests") { 700 } else { 450 };
        assert!(lines <= most, "{path} has {lines} lines before its tests");
    }
}

#[test]
fn nothing_is_left_for_later() {
    let marks = ["todo!(", "unimplemented!(", concat!("TO", "DO"), concat!("FIX", "ME"), "#[ignore"];
    for (path, text) in sources(&["functions", "shared", "infra/local"]) {
        for mark in marks {
            assert!(!text.contains(mark), "{} contains {mark}", path.display());
        }
    }
}

#[test]
fn nothing_scans_the_table() {
    assert_never_names(&["functions", "shared"], &[".scan("]);
}
