//! Routes, handlers and operations.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Operation, description, no_such_endpoint, operations, routes, stack};
use crate::support::backend::whole;
use crate::support::{round_trips, run, shared};

/// The function whose crate declares each operation, by the operation's key.
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

/// The most specific route that takes an operation, and its function. Compared from left to right, a literal segment is
/// more specific than a variable, and a variable than one that takes the rest of the path; then a method than `ANY`.
fn route_of<'a>(routes: &'a BTreeMap<String, String>, operation: &str) -> Option<(&'a str, &'a str)> {
    let (method, path) = operation.split_once(' ').expect("a method and a path");
    let segments: Vec<_> = path.split('/').collect();
    let how_specific = |route: &str| {
        let (own, path) = route.split_once(' ')?;
        if own != method && own != "ANY" {
            return None;
        }
        let parts: Vec<_> = path.split('/').collect();
        let greedy = parts.last().is_some_and(|part| part.ends_with("+}"));
        if if greedy { parts.len() > segments.len() } else { parts.len() != segments.len() } {
            return None;
        }
        let kinds = parts.iter().zip(&segments).map(|(part, segment)| match *part {
            rest if rest.ends_with("+}") => Some(2),
            // The operation's variable may have another name than the route's, but it has to be one.
            variable if variable.starts_with('{') => segment.starts_with('{').then_some(1),
            literal => (literal == *segment).then_some(0),
        });
        Some((kinds.collect::<Option<Vec<_>>>()?, own == "ANY"))
    };
    let found = routes.iter().filter_map(|(route, owner)| Some((how_specific(route)?, route.as_str(), owner.as_str())));
    found.min().map(|(_, route, owner)| (route, owner))
}

#[test]
fn an_operation_goes_by_the_most_specific_route() {
    let routes = ["GET /a/{id}", "ANY /a/b", "ANY /a/{proxy+}", "POST /a/b", "GET /c"];
    let routes = routes.map(|route| (route.to_owned(), route.replace(' ', "-"))).into();
    let goes = |operation: &str| route_of(&routes, operation).map(|(route, _)| route);
    assert_eq!(goes("GET /a/b"), Some("ANY /a/b"));
    assert_eq!(goes("POST /a/b"), Some("POST /a/b"));
    assert_eq!(goes("GET /a/{any}"), Some("GET /a/{id}"));
    assert_eq!(goes("PUT /a/{id}"), Some("ANY /a/{proxy+}"));
    assert_eq!(goes("GET /a/b/c"), Some("ANY /a/{proxy+}"));
    assert_eq!((goes("GET /a"), goes("POST /c")), (None, None));
}

#[test]
fn every_route_of_the_template_is_described_and_the_other_way_round() {
    let (declared, routes) = (declared(), routes(&stack()));
    let mut taken = BTreeSet::new();
    for (key, binary) in declared.iter().filter(|(_, binary)| **binary != "rooms") {
        let (route, owner) = route_of(&routes, key).unwrap_or_else(|| panic!("no route takes {key}"));
        assert_eq!(owner, *binary, "{key} goes to another function by {route}");
        taken.insert(route.to_owned());
    }
    let idle: Vec<_> = routes.keys().filter(|route| !taken.contains(*route)).collect();
    assert!(idle.is_empty(), "routes without an operation: {idle:?}");
    let whole: BTreeSet<String> = operations(&description()).iter().map(Operation::key).collect();
    assert_eq!(whole, declared.into_keys().collect(), "the whole description is the sum of its parts");
}

#[test]
fn the_rooms_api_lives_whole_in_the_function_of_unknown_routes() {
    for operation in operations(&description()) {
        let is_rooms = operation.api() == "rooms";
        assert_eq!(is_rooms, declared()[&operation.key()] == "rooms", "{}", operation.key());
        // A gateway rejects route keys that end in a slash, so these paths cannot have their own routes.
        assert_eq!(is_rooms, operation.path.ends_with('/'), "{}", operation.key());
    }
    let stack = stack();
    let owner = |key: &str| -> Vec<_> {
        let has = |function: &&emulator::template::Function| function.routes.iter().any(|route| route.key == key);
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
        // Below `/v1` are the records of files, not the files.
        let is_download = |path: &&str| path.ends_with("/{name}") && !path.starts_with("/v1/");
        if let Some(path) = key.strip_prefix("GET ").filter(is_download) {
            assert!(routes.contains_key(&format!("HEAD {path}")), "{path} has no HEAD");
        }
    }
}

/// The paths of an operation, with the function and the path of its handler.
fn ways(operation: &Operation, binary: &'static str) -> Vec<(String, &'static str, String)> {
    let (path, known) = (operation.example_path(), operation.path.clone());
    if operation.api() != "rooms" {
        return vec![(path, binary, known)];
    }
    let short = |path: &str| path.trim_end_matches('/').to_owned();
    let long = (path.clone(), binary, known.clone());
    // `/users` belongs to the messenger API; another test checks that no other path is shared.
    match operation.key().as_str() {
        "OPTIONS /users/" => vec![long],
        "POST /users/" => vec![(short(&path), "profiles", short(&known)), long],
        _ => vec![(short(&path), binary, short(&known)), long],
    }
}

#[test]
fn every_operation_is_answered_by_the_function_it_leads_to() {
    run(async {
        let (api, backend, owners) = (description(), shared().await, declared());
        for operation in operations(&api) {
            for (path, function, known) in ways(&operation, owners[&operation.key()]) {
                let place = format!("{} {path}", operation.method);
                let answer = whole(operation.request_at(backend, &api, &path)).await;
                let line = round_trips::line_in(&answer.headers);
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

/// Whether a route or a described path matches this path. A gateway's variable matches any segment; in the rooms API it
/// matches only ids.
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

/// The methods of each documented path, with the API and an example path.
fn methods() -> BTreeMap<String, (String, String, BTreeSet<String>)> {
    let mut paths = BTreeMap::new();
    for operation in operations(&description()) {
        let new = || (operation.api().to_owned(), operation.example_path(), BTreeSet::new());
        paths.entry(operation.path.clone()).or_insert_with(new).2.insert(operation.method.clone());
    }
    paths
}

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

#[test]
fn a_known_path_with_an_unknown_method_is_refused_with_the_methods_it_has() {
    run(async {
        let backend = shared().await;
        let mut refused = 0;
        for (path, (api, example, known)) in methods() {
            if api == "supabase" {
                // Its clients know no 405.
                continue;
            }
            let wrong = METHODS.iter().filter(|method| !known.contains(**method));
            let short = example.trim_end_matches('/').to_owned();
            let forms = if short == example || path == "/users/" { vec![example] } else { vec![example, short] };
            for (method, form) in wrong.flat_map(|method| forms.iter().map(move |form| (method, form))) {
                let place = format!("{method} {form}");
                let answer = whole(backend.request(method.parse().expect("a method"), form)).await;
                let allowed: BTreeSet<_> = answer.headers["allow"].to_str().unwrap().split(", ").collect();
                assert_eq!(allowed, known.iter().map(String::as_str).collect(), "{place}");
                let words = instead(&path, &known);
                let body = if *method == "HEAD" { Value::Null } else { wrong_method(&api, &words) };
                assert_eq!((answer.status, answer.body), (405, body), "{place}");
                refused += 1;
            }
        }
        assert!(refused > 400, "{refused}");
    });
}

/// The allowed methods, as the error for a wrong method names them.
fn instead(path: &str, known: &BTreeSet<String>) -> String {
    let useful = ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter().filter(|method| known.contains(*method));
    let useful: Vec<_> = useful.collect();
    let (last, rest) = useful.split_last().expect("a method");
    let rest = rest.join(", ");
    if rest.is_empty() { format!("{last} {path}") } else { format!("{rest} or {last} {path}") }
}

/// The 405 error for an unknown method.
fn wrong_method(api: &str, instead: &str) -> Value {
    let words = format!("no such endpoint: use {instead}");
    if api == "v1" {
        let title = "Method Not Allowed";
        return json!({ "type": "about:blank", "title": title, "status": 405, "code": "wrong_method", "detail": words });
    }
    let mut body = no_such_endpoint(api);
    for (field, value) in body.as_object_mut().expect("fields") {
        match field.as_str() {
            "error" | "message" | "msg" | "detail" => *value = json!(words),
            "code" if api == "v1" => *value = json!("wrong_method"),
            "status" if api == "v1" => *value = json!(405),
            "title" => *value = json!("Method Not Allowed"),
            "code" if value.is_string() => *value = json!("405"),
            "code" => *value = json!(405),
            _ => {}
        }
    }
    body
}

#[test]
fn an_unknown_path_is_not_found_whatever_the_method() {
    run(async {
        let backend = shared().await;
        for (path, api) in [
            ("/nothing", "messenger"),
            ("/images/", "messenger"),
            ("/api/v1.0/nothing", "web"),
            ("/user/a/b", "sealtalk"),
            ("/friendship/", "sealtalk"),
            ("/rooms/x/y/", "rooms"),
            ("/users/x/", "rooms"),
            ("/verification_codes/x", "device"),
            ("/auth/v1/nothing", "supabase"),
            ("/auth/v1/health/x", "supabase"),
            ("/v1/nothing", "v1"),
            ("/v1/friends/a/b", "v1"),
            ("/v1/groups/a/b", "v1"),
            ("/v1/groups/a/members/b/c", "v1"),
            ("/healthz/x", "v1"),
            ("/docs/x", "v1"),
        ] {
            for method in METHODS {
                let request = backend.request(method.parse().expect("a method"), path);
                let answer = whole(request.header(super::VERSION.0, super::VERSION.1)).await;
                let body = if method == "HEAD" { Value::Null } else { no_such_endpoint(api) };
                assert_eq!((answer.status, answer.body), (404, body), "{method} {path}");
                assert!(!answer.headers.contains_key("allow"), "{method} {path}");
            }
        }
    });
}

#[test]
fn the_functions_know_every_documented_endpoint() {
    let paths = methods().into_iter();
    let lines =
        paths.flat_map(|(path, (_, _, known))| known.into_iter().map(move |method| format!("{method} {path}\n")));
    super::committed("shared/http/src/endpoints.txt", &lines.collect::<String>());
}
