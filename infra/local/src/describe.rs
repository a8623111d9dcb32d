//! The `OpenAPI` descriptions: the handlers' declarations, and the parts that all operations of an API share.
//!
//! A handler declares only its own requests and responses. The error for a missing credential, the gateway's own
//! responses and the headers of error responses are added here from the API's error table, so that no handler repeats
//! them.

mod dialects;
mod operations;
mod references;
mod repeated;
mod responses;
mod twins;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

use crate::registry;
use dialects::Dialect;

/// The description of all APIs.
#[must_use]
pub fn api() -> Value {
    let about = "SMS sign-in codes, accounts, sessions, profiles, contact lookup, pictures, voice notes, friends, groups, \
        incremental sync and meeting rooms, as seven APIs over one set of accounts.";
    document("Handset", about, &Dialect::all())
}

/// The description of each API, by its name.
#[must_use]
pub fn documents() -> BTreeMap<&'static str, Value> {
    let each = Dialect::all().into_iter();
    each.map(|dialect| (dialect.tag, document(dialect.title, dialect.about, &[dialect]))).collect()
}

fn document(title: &str, about: &str, dialects: &[Dialect]) -> Value {
    let mut declared = declared();
    let mut paths = paths(declared["paths"].take(), dialects);
    let mut schemas = object(declared["components"]["schemas"].take());
    let mut responses = responses::of_gateway();
    responses::add_schemas(&mut schemas);
    for dialect in dialects {
        schemas.extend((dialect.schemas)());
        responses.extend(responses::of(dialect));
    }
    references::tidy(&mut paths, &mut schemas, &responses);
    repeated::share(&mut paths, &mut responses);
    let tags: Vec<_> = dialects.iter().flat_map(Dialect::tags).collect();
    let schemes: Map<_, _> = dialects.iter().map(Dialect::security_scheme).collect();
    json!({
        "openapi": declared["openapi"],
        "info": {
            "title": title,
            "description": about,
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT or Apache-2.0", "identifier": env!("CARGO_PKG_LICENSE") },
        },
        "servers": [
            {
                "url": "https://{host}",
                "description": "A deployment: the `ApiUrl` of its stack.",
                "variables": { "host": { "default": "api.example.com", "description": "The host of the deployment." } },
            },
            { "url": "http://localhost:3000", "description": "The local run: `cargo run`." },
        ],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": responses,
            "headers": responses::headers(dialects),
            "securitySchemes": schemes,
        },
    })
}

/// The handlers' declarations.
fn declared() -> Value {
    let merged = registry::apis().reduce(OpenApi::merge_from);
    let mut declared = serde_json::to_value(merged).unwrap_or_default();
    references::simplify(&mut declared);
    declared
}

/// The operations of these APIs.
fn paths(declared: Value, dialects: &[Dialect]) -> Map<String, Value> {
    let mut paths = Map::new();
    for (path, item) in object(declared) {
        let (mut item, mut own) = (object(item), Map::new());
        twins::tell_apart(&mut item);
        for (method, mut operation) in item {
            if let Some(dialect) = dialects.iter().find(|dialect| dialect.owns(&operation)) {
                operations::complete(&mut operation, &method, dialect);
                own.insert(method, operation);
            }
        }
        if !own.is_empty() {
            paths.insert(path, Value::Object(own));
        }
    }
    paths
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
