//! The template, the functions' routers and the API description must agree.

mod bodies;
mod deployment;
mod description;
mod edge;
mod refusals;
mod routes;
mod watch;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use emulator::template::{Deployment, Stack, Template};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::Backend;

/// The header by which the Supabase API gives its errors the form in the description. The others ignore it.
const VERSION: (&str, &str) = ("x-supabase-api-version", "2024-01-01");

/// The published APIs.
const APIS: [&str; 7] = ["messenger", "web", "sealtalk", "rooms", "device", "supabase", "v1"];

/// The content type of an API's errors.
fn refusal_type(api: &str) -> &'static str {
    if api == "v1" { "application/problem+json" } else { "application/json" }
}

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn template() -> Template {
    let text = fs::read_to_string(root().join("template.yaml")).expect("template.yaml");
    Template::parse(&text).expect("a template")
}

/// The template deployed without parameters.
fn stack() -> Stack {
    stack_with(&[])
}

/// The stack with these parameters besides the defaults.
fn stack_with(parameters: &[(&str, &str)]) -> Stack {
    let template = template();
    let mut deployment = Deployment::default();
    deployment.parameters.extend(parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    for secret in template.secrets(&deployment).expect("secrets") {
        let value = json!({ "secret": "0".repeat(64) }).to_string();
        deployment.secrets.insert(secret.arn, value.clone());
        deployment.secrets.insert(secret.name, value);
    }
    template.resolve(&deployment).expect("a stack")
}

/// The routes of the template except `$default`, with their functions.
fn routes(stack: &Stack) -> BTreeMap<String, String> {
    let each = stack.functions.iter().flat_map(|function| function.routes.iter().map(move |route| (route, function)));
    each.filter(|(route, _)| route.key != "$default")
        .map(|(route, function)| (route.key.clone(), function.binary.clone()))
        .collect()
}

/// Compares a committed file with its generated content; `UPDATE_DOCS=1` writes it.
fn committed(file: &str, generated: &str) {
    let path = root().join(file);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, generated).expect("written");
    }
    let hint = "run `UPDATE_DOCS=1 cargo test -p handset-tests --test it contract` and commit what changed";
    assert!(fs::read_to_string(path).unwrap_or_default() == generated, "{file} is out of date: {hint}");
}

/// The description of all APIs.
fn description() -> Value {
    local::api()
}

/// An operation of an API description.
struct Operation {
    method: String,
    path: String,
    said: Value,
}

fn operations(api: &Value) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, item) in api["paths"].as_object().expect("paths") {
        for (method, said) in item.as_object().expect("operations") {
            let mut said = said.clone();
            for response in said["responses"].as_object_mut().into_iter().flat_map(|all| all.values_mut()) {
                if let Some(shared) =
                    response["$ref"].as_str().and_then(|name| api.pointer(name.trim_start_matches('#')))
                {
                    *response = shared.clone();
                }
            }
            found.push(Operation { method: method.to_uppercase(), path: path.clone(), said });
        }
    }
    assert!(!found.is_empty());
    found
}

impl Operation {
    fn key(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    fn id(&self) -> &str {
        self.said["operationId"].as_str().unwrap_or_else(|| panic!("{} has no operationId", self.key()))
    }

    fn method(&self) -> Method {
        self.method.parse().expect("a method")
    }

    /// The API of this operation. The public keys belong to the messenger API, because they verify its access tokens.
    fn api(&self) -> &str {
        match self.said["tags"][0].as_str() {
            Some("keys") => "messenger",
            Some(tag) if APIS.contains(&tag) => tag,
            other => panic!("{} has the tag {other:?}", self.key()),
        }
    }

    /// The names and examples of its parameters in `place`.
    fn parameters(&self, place: &str) -> Vec<(String, String)> {
        let all = self.said["parameters"].as_array().into_iter().flatten();
        let here = all.filter(|parameter| parameter["in"] == place);
        let each = here.flat_map(|parameter| {
            let name = parameter["name"].as_str().expect("a name").to_owned();
            let examples = match &parameter["example"] {
                Value::Array(several) => several.clone(),
                one => vec![one.clone()],
            };
            examples.into_iter().map(move |example| (name.clone(), example))
        });
        each.map(|(name, example)| match example {
            Value::String(text) => (name, text),
            Value::Number(number) => (name, number.to_string()),
            other => panic!("{}: the example of {name} is {other}", self.key()),
        })
        .collect()
    }

    /// A path of this operation, with ids that do not exist.
    fn example_path(&self) -> String {
        let mut path = self.path.clone();
        for (name, example) in self.parameters("path") {
            path = path.replace(&format!("{{{name}}}"), &example);
        }
        assert!(!path.contains('{'), "a variable without an example in {path}");
        path
    }

    /// A request to `path` with the examples from its description, without a credential.
    fn request_at(&self, backend: &Backend, api: &Value, path: &str) -> RequestBuilder {
        let query: Vec<_> = self.parameters("query").into_iter().filter(|(name, _)| name != "token").collect();
        let request = backend.request(self.method(), path).query(&query).header(VERSION.0, VERSION.1);
        let content = &self.said["requestBody"]["content"];
        if content["application/json"].is_object() {
            return request.json(&self.body(api));
        }
        if content["application/octet-stream"].is_object() {
            return request.body("#!AMR\nabc");
        }
        if content["multipart/form-data"].is_object() {
            return request.multipart(Form::new().part("avatar", Part::bytes(b"GIF89a".to_vec()).file_name("a.gif")));
        }
        request
    }

    /// The same request to its own path.
    fn request(&self, backend: &Backend, api: &Value) -> RequestBuilder {
        self.request_at(backend, api, &self.example_path())
    }

    /// The example of its JSON body, without a credential.
    fn body(&self, api: &Value) -> Value {
        let content = &self.said["requestBody"]["content"]["application/json"];
        let mut body = example(api, content).unwrap_or_else(|| panic!("{} has no example to send", self.key()));
        if let Some(fields) = body.as_object_mut().filter(|_| self.api() == "rooms") {
            fields.remove("token");
        }
        body
    }
}

/// The examples of a JSON content: those of both outcomes, where an error has the status of a success.
fn examples(api: &Value, content: &Value) -> Vec<Value> {
    let several = content["examples"].as_object().into_iter().flatten();
    let several: Vec<_> = several.map(|(_, example)| example["value"].clone()).collect();
    if several.is_empty() { example(api, content).into_iter().collect() } else { several }
}

/// The example of a JSON content, from the content or its schema.
fn example(api: &Value, content: &Value) -> Option<Value> {
    let of_schema = |schema: &Value| -> Option<Value> {
        let named = schema["$ref"].as_str().and_then(|name| api.pointer(name.trim_start_matches('#')));
        let schema = named.unwrap_or(schema);
        schema.get("example").or_else(|| schema["examples"].get(0)).cloned()
    };
    let schema = &content["schema"];
    content
        .get("example")
        .cloned()
        .or_else(|| of_schema(schema))
        .or_else(|| of_schema(&schema["items"]).map(|item| json!([item])))
        .or_else(|| of_schema(&schema["oneOf"][0]))
}

/// The API's error for a request without a sign-in.
fn not_signed_in(api: &str) -> (u16, Value) {
    match api {
        "messenger" => (401, json!({ "error": "not signed in" })),
        "web" => (200, json!({ "errno": "4101", "errmsg": "用户未登录" })),
        "sealtalk" => (403, json!({ "code": 10_000, "message": "not signed in" })),
        "rooms" => (401, json!({ "status": "FAIL", "msg": "not signed in", "code": "401" })),
        "device" => (401, json!({ "success": false, "msg": "not signed in" })),
        "supabase" => {
            let (code, words) = ("no_authorization", "not signed in");
            (401, json!({ "code": code, "error_code": code, "message": words, "msg": words }))
        }
        "v1" => (
            401,
            json!({
                "type": "about:blank", "title": "Unauthorized", "status": 401, "code": "not signed in",
                "detail": "not signed in",
            }),
        ),
        other => panic!("the API {other}"),
    }
}

/// The API's 404 error for an unknown endpoint.
fn no_such_endpoint(api: &str) -> Value {
    const WORDS: &str = "no such endpoint";
    match api {
        "messenger" => json!({ "error": WORDS }),
        "web" => json!({ "errno": "4201", "errmsg": "非法请求或请求次数受限" }),
        "sealtalk" => json!({ "code": 404, "message": WORDS }),
        "rooms" => json!({ "status": "FAIL", "msg": WORDS, "code": "404" }),
        "device" => json!({ "success": false, "msg": WORDS }),
        "supabase" => {
            let code = "validation_failed";
            json!({ "code": code, "error_code": code, "message": WORDS, "msg": WORDS })
        }
        "v1" => json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "code": "no_route", "detail": WORDS,
        }),
        other => panic!("the API {other}"),
    }
}
