//! All documented paths with their methods.
//!
//! No function's router knows all of them. If a path has no route for a method, the gateway sends the request to
//! `$default`; and it sends `GET /user/login` to the route of `GET /user/{id}`. So every function compares each request
//! with the same table.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use http::Method;

use crate::api::is_of_supabase;
use domain::{Error, Result};

/// One `METHOD /path` in each line, as in the committed API descriptions; a test compares the two.
const TABLE: &str = include_str!("endpoints.txt");

/// The methods in the order in which `Allow` lists them.
const ORDER: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// The table. Static segments come before variables, so the first path that matches is the most specific one.
static ENDPOINTS: LazyLock<Vec<Endpoint>> = LazyLock::new(|| read(TABLE));

/// A path and its methods.
struct Endpoint {
    segments: Vec<&'static str>,
    /// Whether it is a path of the rooms API that ends in a slash, which its clients may omit.
    slash: bool,
    methods: Vec<&'static str>,
    allowed: String,
    instead: String,
}

/// Refuses a request to a documented path that does not have this method. A path that is not documented passes here;
/// its function refuses it.
pub fn check(method: &Method, path: &str) -> Result<()> {
    if is_of_supabase(path) {
        // This API has one answer for every unknown path and method, and one function knows all of them.
        return Ok(());
    }
    let endpoints: &'static [Endpoint] = &ENDPOINTS;
    match endpoints.iter().find(|endpoint| endpoint.takes(path)) {
        Some(endpoint) if !endpoint.identifies(path) => Err(Error::NoRoute),
        Some(endpoint) if !endpoint.methods.contains(&method.as_str()) => {
            Err(Error::WrongMethod { allowed: &endpoint.allowed, instead: &endpoint.instead })
        }
        // A router's variable may be empty, and no variable of a documented path is.
        None if path.get(1..).is_some_and(|path| path.contains("//")) => Err(Error::NoRoute),
        _ => Ok(()),
    }
}

fn read(table: &'static str) -> Vec<Endpoint> {
    let mut paths: BTreeMap<&'static str, Vec<&'static str>> = BTreeMap::new();
    for (method, path) in table.lines().filter_map(|line| line.split_once(' ')) {
        paths.entry(path).or_default().push(method);
    }
    let mut endpoints: Vec<_> = paths.into_iter().map(|(path, methods)| Endpoint::new(path, &methods)).collect();
    endpoints.sort_by_key(|endpoint| {
        let variables: Vec<bool> = endpoint.segments.iter().map(|segment| is_variable(segment)).collect();
        (variables, endpoint.slash)
    });
    endpoints
}

impl Endpoint {
    fn new(path: &'static str, methods: &[&'static str]) -> Self {
        let methods: Vec<_> = ORDER.into_iter().filter(|method| methods.contains(method)).collect();
        let useful: Vec<_> = methods.iter().copied().filter(|method| !["HEAD", "OPTIONS"].contains(method)).collect();
        let words = match useful.as_slice() {
            [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
            words => words.concat(),
        };
        let (bare, slash) = path.strip_suffix('/').map_or((path, false), |bare| (bare, true));
        Self {
            segments: segments(bare).collect(),
            slash,
            allowed: methods.join(", "),
            instead: format!("{words} {path}"),
            methods,
        }
    }

    fn takes(&self, path: &str) -> bool {
        let path = if self.slash { path.strip_suffix('/').unwrap_or(path) } else { path };
        let mut parts = segments(path);
        let fits = |segment: &str, part: &str| if is_variable(segment) { !part.is_empty() } else { segment == part };
        let all = self.segments.iter().all(|segment| parts.next().is_some_and(|part| fits(segment, part)));
        all && parts.next().is_none()
    }

    /// Whether a path that matches this endpoint can identify something. Three APIs share `/users/…`, and in the rooms
    /// API `{pk}` is a number, so `/users/me/` is not a user of the rooms API.
    fn identifies(&self, path: &str) -> bool {
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let mut pairs = self.segments.iter().zip(segments(path));
        self.segments[0] != "users" || pairs.all(|(segment, part)| *segment != "{pk}" || is_number(part))
    }
}

fn is_variable(segment: &str) -> bool {
    segment.starts_with('{')
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The request to send instead, and the methods of the path; both are empty if the request may pass.
    fn instead(method: &str, path: &str) -> (&'static str, &'static str) {
        match check(&method.parse().unwrap(), path) {
            Err(Error::WrongMethod { allowed, instead }) => (instead, allowed),
            Err(other) => panic!("{other}"),
            Ok(()) => ("", ""),
        }
    }

    #[test]
    fn a_wrong_method_is_told_the_right_ones() {
        assert_eq!(instead("GET", "/auth/token"), ("POST /auth/token", "POST"));
        assert_eq!(instead("PUT", "/verify_code"), ("GET or POST /verify_code", "GET, POST"));
        assert_eq!(instead("DELETE", "/images/x.jpg"), ("GET /images/{name}", "GET, HEAD"));
        let room = ("GET, PUT or DELETE /rooms/{pk}/", "GET, HEAD, PUT, DELETE, OPTIONS");
        assert_eq!((instead("POST", "/rooms/7/"), instead("PATCH", "/rooms/7")), (room, room));
    }

    #[test]
    fn a_literal_segment_wins_over_a_variable() {
        assert_eq!(instead("GET", "/user/login"), ("POST /user/login", "POST"));
        assert_eq!(instead("GET", "/user/5Vg2Xh9f"), ("", ""));
        assert_eq!(instead("GET", "/group/create"), ("POST /group/create", "POST"));
        assert_eq!(instead("DELETE", "/users"), ("GET or POST /users", "GET, POST"), "the messenger's");
        assert_eq!(instead("GET", "/users/"), ("POST /users/", "POST, OPTIONS"), "the rooms API's");
    }

    #[test]
    fn an_unknown_path_passes() {
        for path in ["", "/", "//", "/nothing", "/auth/token/", "/images/", "/users/7/8/"] {
            assert_eq!(instead("TRACE", path), ("", ""), "{path}");
        }
    }

    #[test]
    fn an_empty_segment_names_nothing() {
        for path in ["/friendship//profile", "/v1/groups//members", "/v1//me"] {
            assert!(matches!(check(&Method::GET, path), Err(Error::NoRoute)), "{path}");
        }
    }

    #[test]
    fn only_a_number_is_a_user_of_the_rooms_api() {
        for path in ["/users/me/", "/users/icon/x", "/users/7x/"] {
            assert!(matches!(check(&Method::PUT, path), Err(Error::NoRoute)), "{path}");
        }
        assert_eq!(instead("POST", "/rooms/x/").1, "GET, HEAD, PUT, DELETE, OPTIONS");
    }
}
