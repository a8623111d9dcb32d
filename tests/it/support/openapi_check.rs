//! Compares everything that passes the gateway with the API descriptions. The test run fails at everything that they do
//! not declare: a status, a content type, a header, a field, or a request that succeeds although it breaks its schema.

pub mod closed_schemas;
mod operations;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderMap, StatusCode};
use jsonschema::Validator;
use local::{Exchange, Witness};
use serde_json::{Value, json};

use self::closed_schemas::Schemas;
use self::operations::{Operation, Operations};

/// Headers that every response may have without a declaration: those of HTTP, the gateway and CORS.
const EVERYWHERE: [&str; 4] = ["content-length", "content-type", "date", "apigw-requestid"];

/// Query parameters that tests send to see that they are ignored.
const IGNORED: [&str; 4] = ["friendId", "ids", "token", "x"];

/// The findings that are not reported yet.
static FOUND: Mutex<Vec<String>> = Mutex::new(Vec::new());

static DESCRIPTIONS: LazyLock<Arc<Descriptions>> = LazyLock::new(|| Arc::new(Descriptions::new(&local::api())));

/// The witness of all backends.
pub fn witness() -> Arc<dyn Witness> {
    DESCRIPTIONS.clone()
}

/// Fails if a response differs from its description. The response may belong to another test, because tests share this
/// process.
///
/// # Panics
/// Then.
pub fn report() {
    let found = std::mem::take(&mut *FOUND.lock().expect("what was found"));
    assert!(found.is_empty(), "not as described (in this test or in one beside it):\n{}", found.join("\n\n"));
}

/// The descriptions, with validators of the schemas that were needed so far.
struct Descriptions {
    operations: Operations,
    schemas: Schemas,
    responses: BTreeMap<String, Value>,
    headers: Value,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Witness for Descriptions {
    fn see(&self, exchange: &Exchange<'_>) {
        let mut complaints = Vec::new();
        self.check(exchange, &mut complaints);
        if !complaints.is_empty() {
            let Exchange { method, uri, status, .. } = exchange;
            let sent = String::from_utf8_lossy(exchange.request_body);
            let got = String::from_utf8_lossy(exchange.body);
            let short = |text: &str| text.chars().take(600).collect::<String>();
            let complaints = complaints.join("\n  ");
            let text =
                format!("{method} {uri} {status}\n  {complaints}\n  sent {}\n  got {}", short(&sent), short(&got));
            FOUND.lock().expect("what was found").push(text);
        }
    }
}

impl Descriptions {
    fn new(api: &Value) -> Self {
        let responses = api["components"]["responses"].as_object().expect("responses");
        Self {
            operations: Operations::new(api),
            schemas: Schemas::new(&api["components"]["schemas"]),
            responses: responses.iter().map(|(name, response)| (name.clone(), response.clone())).collect(),
            headers: api["components"]["headers"].clone(),
            validators: Mutex::default(),
        }
    }

    fn check(&self, exchange: &Exchange<'_>, complaints: &mut Vec<String>) {
        let path = exchange.uri.path();
        let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
        if !exchange.by_function {
            return self.check_gateway(exchange, complaints);
        }
        // A page for people, which is not part of an API.
        if exchange.status == StatusCode::OK && (path == "/docs" || path.starts_with("/docs/")) {
            return;
        }
        // The gateway decodes a path, and the function reads it as a URL: an encoded dot is a step in the path then, and
        // an encoded number sign ends it.
        let special = exchange.status == StatusCode::NOT_FOUND
            && path.split('/').any(|segment| matches!(segment, "%2e" | "%2e%2e") || segment.contains('#'));
        let operation = self.operations.find(exchange.method.as_str(), &path).filter(|_| !special);
        let Some(operation) = operation else { return self.check_unknown(exchange, complaints) };
        let status = exchange.status.as_u16().to_string();
        let Some(response) = operation.said["responses"].get(&status) else {
            complaints.push(format!("{} does not declare the status", operation.key));
            return;
        };
        let response = self.resolve(response);
        self.check_response(&format!("{} {status}", operation.key), response, exchange, complaints);
        if exchange.status.is_success() && !self.is_refusal(operation, exchange.body) {
            self.check_request(operation, exchange, complaints);
        }
    }

    /// The gateway's own responses, and preflight requests, which it answers too.
    fn check_gateway(&self, exchange: &Exchange<'_>, complaints: &mut Vec<String>) {
        let status = exchange.status.as_u16();
        if exchange.method == http::Method::OPTIONS && status == 204 {
            return;
        }
        let own = self.responses.iter().filter(|(name, _)| name.starts_with("gateway."));
        let example = |response: &Value| response["content"]["application/json"]["example"].clone();
        let body: Value = serde_json::from_slice(exchange.body).unwrap_or_default();
        let found = own.map(|(_, response)| example(response)).any(|example| example == body);
        let found = found || exchange.method == http::Method::HEAD;
        if !found {
            complaints.push(format!("no response of the gateway is described as {status} {body}"));
        }
    }

    /// A path that is not documented, or a method that the path does not have.
    fn check_unknown(&self, exchange: &Exchange<'_>, complaints: &mut Vec<String>) {
        let name = match exchange.status.as_u16() {
            404 => "NoSuchEndpoint",
            405 => "WrongMethod",
            403 => "OtherSite",
            415 => "EncodedBody",
            // The function that a path leads to failed before it could look at the path.
            500 => "Fault",
            status => return complaints.push(format!("{status} for an unknown endpoint")),
        };
        let known = self.responses.iter().filter(|(full, _)| full.rsplit('.').next() == Some(name));
        let fits = known.into_iter().any(|(place, response)| {
            let mut complaints = Vec::new();
            self.check_response(place, response, exchange, &mut complaints);
            complaints.is_empty()
        });
        if !fits {
            complaints.push(format!("no API describes this as its {name}"));
        }
    }

    fn resolve<'a>(&'a self, response: &'a Value) -> &'a Value {
        let name = response["$ref"].as_str().and_then(|name| name.strip_prefix("#/components/responses/"));
        name.and_then(|name| self.responses.get(name)).unwrap_or(response)
    }

    fn check_response(&self, place: &str, response: &Value, exchange: &Exchange<'_>, complaints: &mut Vec<String>) {
        self.check_headers(response, exchange.headers, complaints);
        if exchange.body.is_empty() {
            let bodiless =
                exchange.method == http::Method::HEAD || [204, 302, 304, 416].contains(&exchange.status.as_u16());
            if response["content"].is_object() && !bodiless {
                complaints.push("no body".into());
            }
            return;
        }
        let kind = kind(exchange.headers);
        let Some(content) = response["content"].get(&kind) else {
            let declared = response["content"].as_object().map(|kinds| kinds.keys().cloned().collect::<Vec<_>>());
            return complaints.push(format!("the content type {kind} is not declared: {declared:?}"));
        };
        if ["application/json", "application/problem+json"].contains(&kind.as_str()) {
            let id = format!("{place} {kind}");
            self.check_json(&id, &Schemas::closed(&content["schema"]), exchange.body, complaints);
        }
    }

    fn check_headers(&self, response: &Value, headers: &HeaderMap, complaints: &mut Vec<String>) {
        let declared: HashMap<String, &Value> = response["headers"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, header)| (name.to_ascii_lowercase(), self.header(header)))
            .collect();
        let free =
            |name: &HeaderName| EVERYWHERE.contains(&name.as_str()) || name.as_str().starts_with("access-control-");
        for (name, value) in headers.iter().filter(|(name, _)| !free(name)) {
            match declared.get(name.as_str()) {
                None => complaints.push(format!("the header {name} is not declared")),
                Some(header) if header["schema"]["type"] == "integer" => {
                    if value.to_str().ok().is_none_or(|value| value.parse::<u64>().is_err()) {
                        complaints.push(format!("the header {name} is no number: {value:?}"));
                    }
                }
                Some(_) => {}
            }
        }
        for (name, _) in declared.iter().filter(|(_, header)| header["required"] == true) {
            if !headers.contains_key(name.as_str()) {
                complaints.push(format!("the header {name} is missing"));
            }
        }
    }

    fn header<'a>(&'a self, header: &'a Value) -> &'a Value {
        let name = header["$ref"].as_str().and_then(|name| name.strip_prefix("#/components/headers/"));
        name.map_or(header, |name| &self.headers[name])
    }

    fn check_json(&self, id: &str, schema: &Value, body: &Bytes, complaints: &mut Vec<String>) {
        let body: Value = match serde_json::from_slice(body) {
            Ok(body) => body,
            Err(error) => return complaints.push(format!("{id}: {error}")),
        };
        match self.validator(id, schema) {
            Ok(validator) => {
                let errors = validator.iter_errors(&body);
                complaints
                    .extend(errors.map(|error| format!("{id}: {} at `{}`", explain(&error), error.instance_path())));
            }
            Err(error) => complaints.push(format!("{id} has no valid schema: {error}")),
        }
    }

    fn validator(&self, id: &str, schema: &Value) -> Result<Arc<Validator>, String> {
        if let Some(known) = self.validators.lock().expect("the validators").get(id) {
            return Ok(known.clone());
        }
        let made = Arc::new(self.schemas.validator(schema).map_err(|error| error.to_string())?);
        self.validators.lock().expect("the validators").insert(id.to_owned(), made.clone());
        Ok(made)
    }

    /// Whether a body is an error of this operation's API.
    fn is_refusal(&self, operation: &Operation, body: &Bytes) -> bool {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        ["Refused", "Failed"].iter().any(|name| {
            let name = format!("{}.{name}", operation.api);
            let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
            let validator = self.validator(&name, &Schemas::closed(&schema));
            self.schemas.has(&name) && validator.is_ok_and(|validator| validator.is_valid(&body))
        })
    }

    /// A request that succeeded has to be one that is described.
    fn check_request(&self, operation: &Operation, exchange: &Exchange<'_>, complaints: &mut Vec<String>) {
        let body = exchange.request_body.trim_ascii();
        let content = &operation.said["requestBody"]["content"];
        let schema = content["application/json"].get("schema");
        // A form may begin like a list.
        let is_form = kind(exchange.request_headers) == "application/x-www-form-urlencoded";
        let is_json = body.starts_with(b"{") || (body.starts_with(b"[") && !is_form);
        if let (Some(schema), true) = (schema, is_json) {
            let id = format!("{} request", operation.key);
            self.check_json(&id, schema, &Bytes::copy_from_slice(body), complaints);
        }
        let fields = schema.map(|schema| self.schemas.fields(schema)).unwrap_or_default();
        let query = exchange.uri.query().unwrap_or_default();
        for (name, _) in form_urlencoded::parse(query.as_bytes()) {
            if !operation.query.contains(&*name) && !fields.contains(&*name) && !IGNORED.contains(&&*name) {
                complaints.push(format!("the query parameter {name} is not declared"));
            }
        }
    }
}

/// The content type without its parameters.
fn kind(headers: &HeaderMap) -> String {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The errors, and for a choice between schemas the errors of each schema.
fn explain(error: &jsonschema::ValidationError<'_>) -> String {
    error.to_string().chars().take(400).collect()
}
