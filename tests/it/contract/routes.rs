//! Routes, handlers and operations.

use std::collections::{BTreeMap, BTreeSet};

use super::{Operation, description, no_such_endpoint, operations, routes, stack};
use crate::support::backend::{answer, whole};
use crate::support::{run, shared, trips};

/// Which function's crate declares an operation, by its key.
fn declared() -> BTreeMap<String, &'static str> {
    let parts = [
        ("auth", auth::api()),
        ("codes", codes::api()),
        ("media", media::api()),
        ("profiles", profiles::api()),
        ("resize", resize::api()),
        ("rooms", rooms::api()),
        ("social", social::api()),
    ];
    let mut owners = BTreeMap::new();
    for (binary, api) in parts {
        for operation in operations(&serde_json::to_value(api).expect("a description")) {
            let before = owners.insert(operation.key(), binary);
            assert_eq!(before, None, "{} is declared twice", operation.key());
        }
    }
    owners
}

#[test]
fn every_route_of_the_template_is_described_and_the_other_way_round() {
    let declared = declared();
    let routed = declared.iter().filter(|(_, binary)| **binary != "rooms");
    let routed: BTreeMap<_, _> = routed.map(|(key, binary)| (key.clone(), (*binary).to_owned())).collect();
    assert_eq!(routes(&stack()), routed);
    let whole: BTreeSet<String> = operations(&description()).iter().map(Operation::key).collect();
    assert_eq!(whole, declared.into_keys().collect(), "the whole description is the sum of its parts");
}

#[test]
fn the_rooms_api_lives_whole_in_the_function_of_unknown_routes() {
    for operation in operations(&description()) {
        let is_rooms = operation.api() == "rooms";
        assert_eq!(is_rooms, declared()[&operation.key()] == "rooms", "{}", operation.key());
        // A gateway refuses route keys that end in a slash, so these can have no route of their own.
        assert_eq!(is_rooms, operation.path.ends_with('/'), "{}", operation.key());
    }
    let stack = stack();
    let owner = |key: &str| -> Vec<_> {
        let has = |function: &&local_template::Function| function.routes.iter().any(|route| route.key == key);
        stack.functions.iter().filter(has).map(|function| function.binary.as_str()).collect()
    };
    assert_eq!(owner("$default"), ["rooms"]);
    let rooms = stack.functions.iter().find(|function| function.binary == "rooms").expect("the function rooms");
    assert_eq!(rooms.routes.len(), 1, "its paths come by the default route alone");
}

#[test]
fn what_is_stored_is_told_to_who_works_on_it() {
    let stack = stack();
    let told: Vec<_> = stack
        .functions
        .iter()
        .flat_map(|function| {
            function.object_created.iter().map(|told| (function.binary.as_str(), told.prefix.as_str()))
        })
        .collect();
    assert_eq!(told, [("media", "uploads/images/"), ("resize", "originals/images/")]);
    assert!(stack.functions.iter().all(|function| function.other_events.is_empty()));
}

#[test]
fn whatever_can_be_got_has_its_head_where_it_is_a_download() {
    let routes = routes(&stack());
    for key in routes.keys() {
        if let Some(path) = key.strip_prefix("GET ").filter(|path| path.ends_with("/{name}")) {
            assert!(routes.contains_key(&format!("HEAD {path}")), "{path} has no HEAD");
        }
    }
}

/// The paths that lead to an operation, with the function and the path that its handler is known by.
fn ways(operation: &Operation, binary: &'static str) -> Vec<(String, &'static str, String)> {
    let (path, known) = (operation.example_path(), operation.path.clone());
    if operation.api() != "rooms" {
        return vec![(path, binary, known)];
    }
    let short = |path: &str| path.trim_end_matches('/').to_owned();
    // The messenger's address book; a test beside this one holds that it is the only exception.
    let shadow = if operation.key() == "POST /users/" { "profiles" } else { binary };
    vec![(short(&path), shadow, short(&known)), (path, binary, known)]
}

#[test]
fn every_operation_is_answered_by_the_function_it_leads_to() {
    run(async {
        let (api, backend, owners) = (description(), shared().await, declared());
        for operation in operations(&api) {
            for (path, function, known) in ways(&operation, owners[&operation.key()]) {
                let place = format!("{} {path}", operation.method);
                let answer = whole(operation.request_at(backend, &api, &path)).await;
                let line = trips::line_in(&answer.headers);
                assert_eq!(line["function"], function, "{place}");
                assert_eq!(line["route"], known, "{place} has no handler");
                assert_ne!(answer.body, no_such_endpoint(operation.api()), "{place}");
                let described = &operation.said["responses"][answer.status.to_string()];
                let is_other = function == "profiles" && operation.api() == "rooms";
                assert!(is_other || described.is_object(), "{place} does not say {}: {}", answer.status, answer.body);
            }
        }
    });
}

/// Whether a route or a described path takes this path. A gateway's variable takes any segment, and the rooms API's
/// none but ids.
fn takes(template: &str, path: &str) -> bool {
    let (parts, segments): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    let one = |part: &str, segment: &str| match part {
        "{pk}" => !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit()),
        variable if variable.starts_with('{') => !segment.is_empty(),
        literal => literal == segment,
    };
    parts.len() == segments.len() && parts.iter().zip(segments).all(|(part, segment)| one(part, segment))
}

#[test]
fn no_route_but_the_address_book_takes_a_path_of_the_rooms_api() {
    let routes = routes(&stack());
    let mut taken = Vec::new();
    for operation in operations(&description()).iter().filter(|operation| operation.api() == "rooms") {
        let path = operation.example_path();
        for form in [path.as_str(), path.trim_end_matches('/')] {
            let key = format!("{} {form}", operation.method);
            taken.extend(routes.keys().filter(|route| takes(route, &key)).map(|route| format!("{key} by {route}")));
        }
    }
    assert_eq!(taken, ["POST /users by POST /users"]);
}

#[test]
fn what_no_operation_takes_is_not_found() {
    run(async {
        let backend = shared().await;
        let all = operations(&description());
        let mut taken: BTreeSet<String> = all.iter().map(Operation::key).collect();
        taken.extend(all.iter().map(|operation| operation.key().trim_end_matches('/').to_owned()));
        let mut paths = BTreeMap::new();
        // The longer form last: `/users` is the messenger's and `/users/` is not.
        for operation in &all {
            let path = operation.example_path();
            if path != "/users/" {
                paths.insert(path.trim_end_matches('/').to_owned(), operation.api().to_owned());
            }
            paths.insert(path, operation.api().to_owned());
        }
        for (path, api) in [("/nothing", "messenger"), ("/images", "messenger"), ("/images/", "messenger")] {
            paths.insert(path.to_owned(), api.to_owned());
        }
        for (path, api) in paths {
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
                let key = format!("{method} {path}");
                if taken.iter().any(|template| takes(template, &key)) {
                    continue;
                }
                let answer = answer(backend.request(method.parse().expect("a method"), &path)).await;
                assert_eq!(answer, (404, no_such_endpoint(&api)), "{key}");
            }
        }
    });
}
