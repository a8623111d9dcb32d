//! Finds the route of an HTTP API for a request.
//!
//! Source: the API Gateway developer guide, "Create routes for HTTP APIs", and published measurements on AWS. A path
//! with a trailing slash is a different path. Compared from left to right, a static segment takes precedence over
//! `{variable}`, `{variable}` over `{greedy+}`, and `{greedy+}` over `$default`. On the same path an exact method takes
//! precedence over `ANY`. A variable matches one segment that is not empty; a greedy variable matches the rest of the
//! path, which must not be empty either. A path that exists only with another method is unknown: it goes to `$default`,
//! or matches no route.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use emulator::template::Route;

/// The routes of an API, each with its target.
#[derive(Debug)]
pub struct Matcher<T> {
    routes: Vec<Entry<T>>,
    default: Option<T>,
}

#[derive(Debug)]
struct Entry<T> {
    key: String,
    method: Option<String>,
    segments: Vec<Segment>,
    target: T,
}

/// A segment of a route's path.
#[derive(Debug)]
enum Segment {
    Static(String),
    Variable(String),
    Greedy(String),
}

/// The route of a request.
#[derive(Debug, PartialEq, Eq)]
pub struct Match<'a, T> {
    /// The route key, such as `GET /users/{id}` or `$default`.
    pub key: &'a str,
    /// The target of the route.
    pub target: &'a T,
    /// The values of the path's variables in this request.
    pub parameters: BTreeMap<String, String>,
}

impl<T> Matcher<T> {
    /// Creates the routes of an API with their targets.
    pub fn new(routes: impl IntoIterator<Item = (Route, T)>) -> Self {
        let mut matcher = Self { routes: Vec::new(), default: None };
        for (route, target) in routes {
            if route.key == "$default" {
                matcher.default = Some(target);
            } else {
                matcher.routes.push(Entry {
                    key: route.key,
                    method: (route.method != "ANY").then_some(route.method),
                    segments: segments(&route.path).map(Segment::parse).collect(),
                    target,
                });
            }
        }
        matcher
    }

    /// Finds the route of a request by its method and its decoded path.
    pub fn find(&self, method: &str, path: &str) -> Option<Match<'_, T>> {
        let parts: Vec<&str> = segments(path).collect();
        let found = self
            .routes
            .iter()
            .filter(|route| route.takes(method))
            .filter_map(|route| Some((route, route.parameters(&parts)?)))
            .min_by_key(|(route, _)| (route.kinds(), Reverse(route.method.is_some())));
        if let Some((route, parameters)) = found {
            return Some(Match { key: &route.key, target: &route.target, parameters });
        }
        self.default.as_ref().map(|target| Match { key: "$default", target, parameters: BTreeMap::new() })
    }
}

impl<T> Entry<T> {
    fn takes(&self, method: &str) -> bool {
        self.method.as_ref().is_none_or(|own| own == method)
    }

    /// How specific the route is: a lower list is more specific.
    fn kinds(&self) -> Vec<u8> {
        let kind = |segment: &Segment| match segment {
            Segment::Static(_) => 0,
            Segment::Variable(_) => 1,
            Segment::Greedy(_) => 2,
        };
        self.segments.iter().map(kind).collect()
    }

    /// The values of the variables, if the path matches this route.
    fn parameters(&self, parts: &[&str]) -> Option<BTreeMap<String, String>> {
        let mut parameters = BTreeMap::new();
        for (at, segment) in self.segments.iter().enumerate() {
            let part = *parts.get(at)?;
            match segment {
                Segment::Static(text) if text == part => {}
                Segment::Variable(name) if !part.is_empty() => {
                    parameters.insert(name.clone(), part.to_owned());
                }
                Segment::Greedy(name) => {
                    // The last segment: API Gateway allows a greedy variable only there.
                    let tail = parts[at..].join("/");
                    let some = !tail.is_empty();
                    parameters.insert(name.clone(), tail);
                    return some.then_some(parameters);
                }
                _ => return None,
            }
        }
        (parts.len() == self.segments.len()).then_some(parameters)
    }
}

impl Segment {
    fn parse(text: &str) -> Self {
        let variable = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
        match variable {
            None => Self::Static(text.to_owned()),
            Some(name) => match name.strip_suffix('+') {
                Some(name) => Self::Greedy(name.to_owned()),
                None => Self::Variable(name.to_owned()),
            },
        }
    }
}

/// The segments of a path; a trailing slash leaves an empty last one.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(key: &str) -> Route {
        let (method, path) = key.split_once(' ').unwrap_or(("ANY", key));
        Route { method: method.into(), path: path.into(), key: key.into() }
    }

    fn matcher(keys: &[&str]) -> Matcher<()> {
        Matcher::new(keys.iter().map(|key| (route(key), ())))
    }

    fn key<'a>(matcher: &'a Matcher<()>, method: &str, path: &str) -> &'a str {
        matcher.find(method, path).map_or("none", |found| found.key)
    }

    #[test]
    fn the_developer_guide_s_example_holds() {
        let api =
            matcher(&["GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default"]);
        assert_eq!(key(&api, "GET", "/pets/dog/1"), "GET /pets/dog/1");
        assert_eq!(key(&api, "GET", "/pets/dog/2"), "GET /pets/dog/{id}");
        assert_eq!(key(&api, "GET", "/pets/cat/1"), "GET /pets/{proxy+}");
        assert_eq!(key(&api, "POST", "/test/5"), "ANY /{proxy+}");
        assert_eq!(key(&api, "POST", "/"), "$default");
    }

    #[test]
    fn a_trailing_slash_is_another_path() {
        let api = matcher(&["GET /users", "GET /users/{id}", "GET /files/{path+}"]);
        assert_eq!(key(&api, "GET", "/users"), "GET /users");
        assert_eq!(key(&api, "GET", "/users/"), "none");
        assert_eq!(key(&api, "GET", "/users/1"), "GET /users/{id}");
        assert_eq!(key(&api, "GET", "/users/1/"), "none");
        assert_eq!(key(&api, "GET", "//users"), "none");
        assert_eq!(key(&api, "GET", "/files"), "none");
        assert_eq!(key(&api, "GET", "/files/"), "none");
        assert_eq!(key(&api, "GET", "/files/a"), "GET /files/{path+}");
        assert_eq!(key(&api, "GET", "/files/a/b/"), "GET /files/{path+}");
    }

    #[test]
    fn a_path_known_under_another_method_is_unknown() {
        let with = matcher(&["POST /users", "ANY /users/{id}", "GET /users/{id}", "$default"]);
        assert_eq!(key(&with, "GET", "/users"), "$default");
        assert_eq!(key(&with, "HEAD", "/users/1"), "ANY /users/{id}");
        assert_eq!(key(&with, "GET", "/users/1"), "GET /users/{id}");
        assert_eq!(key(&matcher(&["POST /users"]), "GET", "/users"), "none");
    }

    #[test]
    fn variables_are_read_from_the_path() {
        let api = matcher(&["GET /a/{x}/{rest+}"]);
        let found = api.find("GET", "/a/1 2/b/c").unwrap();
        let expected = [("x", "1 2"), ("rest", "b/c")].map(|(k, v)| (k.into(), v.into()));
        assert_eq!(found.parameters, BTreeMap::from(expected));
    }

    /// A route in the reference implementation: its key and its segments.
    type Known<'a> = (&'a str, Vec<&'a str>);

    /// A second implementation of the rules: it walks down the path, and at each segment tries the static routes first,
    /// then the variables, then the greedy variables.
    fn walk<'a>(routes: &[Known<'a>], at: usize, path: &[&str]) -> Option<&'a str> {
        let exact_first = |routes: &[Known<'a>]| {
            let exact = routes.iter().find(|(key, _)| !key.starts_with("ANY"));
            exact.or(routes.first()).map(|(key, _)| *key)
        };
        let with = |test: &dyn Fn(&Known<'a>) -> bool| -> Vec<Known<'a>> {
            routes.iter().filter(|route| test(route)).cloned().collect()
        };
        let here =
            |test: &dyn Fn(&str) -> bool| with(&|(_, segments)| segments.get(at).is_some_and(|segment| test(segment)));
        let Some(part) = path.get(at) else {
            return exact_first(&with(&|(_, segments)| segments.len() == at));
        };
        let mut steps = vec![here(&|segment| segment == *part)];
        if !part.is_empty() {
            steps.push(here(&|segment| segment == "{x}"));
        }
        let mut deeper = steps.iter().filter(|routes| !routes.is_empty());
        let found = deeper.find_map(|routes| walk(routes, at + 1, path));
        let tail = path[at..].join("/");
        let greedy = here(&|segment| segment == "{tail+}" && !tail.is_empty());
        found.or_else(|| exact_first(&greedy))
    }

    fn reference<'a>(keys: &[&'a str], method: &str, path: &str) -> &'a str {
        let known = |key: &&'a str| {
            let (own, path) = key.split_once(' ')?;
            let fits = own == "ANY" || own == method;
            fits.then(|| (*key, path[1..].split('/').collect()))
        };
        let routes: Vec<Known<'_>> = keys.iter().filter_map(known).collect();
        let path: Vec<&str> = path[1..].split('/').collect();
        let default = keys.iter().find(|key| **key == "$default");
        walk(&routes, 0, &path).or(default.copied()).unwrap_or("none")
    }

    /// Every path with one to `depth` of these segments.
    fn paths(segments: &[&str], depth: usize) -> Vec<String> {
        let mut all = Vec::new();
        let mut longest = vec![String::new()];
        for _ in 0..depth {
            let longer =
                longest.iter().flat_map(|path| segments.iter().map(move |segment| format!("{path}/{segment}")));
            longest = longer.collect();
            all.extend(longest.clone());
        }
        all
    }

    #[test]
    fn every_path_takes_the_route_the_reference_takes() {
        let mut keys = vec!["$default".to_owned()];
        for path in paths(&["a", "b", "{x}"], 3) {
            let tail = path.rsplit_once('/').map_or("", |(before, _)| before);
            for path in [path.clone(), format!("{tail}/{{tail+}}")] {
                keys.extend(["GET", "POST", "ANY"].map(|method| format!("{method} {path}")));
            }
        }
        keys.sort();
        keys.dedup();
        let requests = paths(&["", "a", "b", "c"], 4);
        let mut state = 7_u64;
        for round in 0..96 {
            // A linear congruential generator chooses the routes.
            let chosen: Vec<&str> = keys
                .iter()
                .map(String::as_str)
                .filter(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (state >> 33) % 32 < 1 + round % 12
                })
                .collect();
            let api = matcher(&chosen);
            for path in &requests {
                for method in ["GET", "POST", "PUT"] {
                    let expected = reference(&chosen, method, path);
                    let found = key(&api, method, path);
                    assert_eq!(found, expected, "{method} {path} among {chosen:?}");
                }
            }
        }
    }
}
