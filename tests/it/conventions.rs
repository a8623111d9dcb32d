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

/// The crates of this workspace that a package may depend on. Cargo holds the sources to the manifests.
const LAYERS: &[(&str, &[&str])] = &[
    ("shared/telemetry", &[]),
    ("shared/media", &[]),
    ("shared/thumbnails", &["media-formats"]),
    ("shared/domain", &["media-formats", "telemetry"]),
    ("shared/dynamodb", &["domain", "telemetry"]),
    ("shared/aws", &["domain", "telemetry"]),
    ("shared/providers", &["domain", "telemetry"]),
    ("shared/http", &["domain", "media-formats", "telemetry"]),
    ("shared/runtime", &["aws", "domain", "dynamodb", "handset-http", "providers", "telemetry"]),
    ("infra/emulator", &[]),
];

/// The names of the packages that a manifest depends on, without those for its tests.
fn dependencies(folder: &str) -> Vec<String> {
    let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
    let (_, below) = manifest.split_once("\n[dependencies]\n").unwrap_or_default();
    let lines = below.lines().take_while(|line| !line.starts_with('['));
    lines.filter_map(|line| Some(line.split(['.', ' ']).next()?.to_owned())).collect()
}

#[test]
fn a_crate_depends_only_on_the_layers_below_it() {
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let ours: Vec<_> =
        workspace.lines().filter_map(|line| line.split_once(" = { path = ")).map(|(name, _)| name).collect();
    for (folder, allowed) in LAYERS {
        let used = dependencies(folder);
        let above: Vec<_> =
            used.iter().filter(|name| ours.contains(&name.as_str()) && !allowed.contains(&name.as_str())).collect();
        assert!(above.is_empty(), "{folder} depends on {above:?}");
        assert!(*folder != "shared/domain" || !used.iter().any(|name| name.starts_with("aws-sdk") || name == "http"));
    }
}

#[test]
fn functions_know_no_other_function_and_no_sdk() {
    let functions: Vec<_> = fs::read_dir(root().join("functions"))
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .collect();
    for own in &functions {
        let used = dependencies(&format!("functions/{own}"));
        let wrong = |name: &&String| functions.contains(name) || name.starts_with("aws-sdk");
        assert_eq!(used.iter().find(wrong), None, "functions/{own}/Cargo.toml");
    }
}

#[test]
fn every_file_says_what_it_is_and_is_one_thing() {
    for (path, text) in sources(&["functions", "shared", "infra", "tests"]) {
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
    for (path, text) in sources(&["functions", "shared", "infra"]) {
        for mark in marks {
            assert!(!text.contains(mark), "{} contains {mark}", path.display());
        }
    }
}

#[test]
fn nothing_scans_the_table() {
    assert_never_names(&["functions", "shared"], &[".scan("]);
}
