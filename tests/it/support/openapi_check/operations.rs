//! The operations of the descriptions, by the requests that they take.

use std::collections::HashSet;

use serde_json::Value;

/// An operation.
pub struct Operation {
    /// `METHOD /path`.
    pub key: String,
    /// The API it belongs to.
    pub api: String,
    /// Its description.
    pub said: Value,
    /// The parameters it takes in the query.
    pub query: HashSet<String>,
    method: String,
    path: String,
}

/// All of them, the most specific paths first.
pub struct Operations(Vec<Operation>);

impl Operations {
    pub fn new(api: &Value) -> Self {
        let mut all = Vec::new();
        for (path, item) in api["paths"].as_object().expect("paths") {
            for (method, said) in item.as_object().expect("operations") {
                all.push(Operation::new(&method.to_uppercase(), path, said));
            }
        }
        all.sort_by_key(|operation| {
            let variables: Vec<_> = operation.path.split('/').map(|segment| segment.starts_with('{')).collect();
            (variables, operation.path.len())
        });
        Self(all)
    }

    /// The operation that takes a request. The most specific path counts, even if it does not have the method.
    pub fn find(&self, method: &str, path: &str) -> Option<&Operation> {
        let best = self.0.iter().find(|operation| operation.takes(path))?;
        self.0.iter().find(|operation| operation.path == best.path && operation.method == method)
    }
}

impl Operation {
    fn new(method: &str, path: &str, said: &Value) -> Self {
        let tag = said["tags"][0].as_str().expect("a tag");
        let parameters = said["parameters"].as_array().into_iter().flatten();
        let query = parameters.filter(|parameter| parameter["in"] == "query");
        let mut query: HashSet<_> =
            query.filter_map(|parameter| parameter["name"].as_str().map(str::to_owned)).collect();
        for requirement in said["security"].as_array().into_iter().flatten() {
            if requirement.get("rooms_token").is_some() {
                query.insert("token".to_owned());
            }
        }
        Self {
            key: format!("{method} {path}"),
            api: if tag == "keys" { "messenger".to_owned() } else { tag.to_owned() },
            said: said.clone(),
            query,
            method: method.to_owned(),
            path: path.to_owned(),
        }
    }

    /// Whether the path of a request is this one's. The last slash may be missing, or in the Supabase API too many; a
    /// `{pk}` of a user is a number.
    fn takes(&self, path: &str) -> bool {
        let own = self.path.strip_suffix('/').unwrap_or(&self.path);
        let either = own.len() < self.path.len() || self.path.starts_with("/auth/v1/");
        let path = if either { path.strip_suffix('/').unwrap_or(path) } else { path };
        let (own, path): (Vec<_>, Vec<_>) = (own.split('/').collect(), path.split('/').collect());
        let fits = |own: &str, part: &str| match own {
            "{pk}" if self.path.starts_with("/users/") => {
                !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
            }
            variable if variable.starts_with('{') => !part.is_empty(),
            literal => literal == part,
        };
        own.len() == path.len() && own.iter().zip(path).all(|(own, part)| fits(own, part))
    }
}
