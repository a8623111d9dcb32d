//! The parts that are added to the declaration of each operation.

use domain::{Error, NotSignedIn};
use handset_http::api::{Api as _, SealTalk};
use serde_json::{Map, Value, json};

use super::dialects::Dialect;
use super::responses::{self, JSON, retry_after};

/// Headers that a response may have.
const SOMETIMES: [&str; 4] = ["Accept-Encoding", "Content-Disposition", "Retry-After", "X-Captcha-Text"];

/// Completes the description of an operation.
pub fn complete(operation: &mut Value, method: &str, dialect: &Dialect) {
    let Some(operation) = operation.as_object_mut() else { return };
    let is_public = !operation.contains_key("security");
    let takes_body = operation.contains_key("requestBody");
    let takes_input = takes_body || operation.contains_key("parameters");
    if let Some(body) = operation.get_mut("requestBody") {
        relax_body(body);
    }
    operation.entry("security").or_insert_with(|| json!([]));
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    for (status, response) in responses.iter_mut() {
        set_refusal_type(response, dialect);
        if takes_body && dialect.tag == SealTalk::NAME && status == "200" {
            may_fail(response, dialect);
        }
        add_headers(status, response, dialect);
        add_refused_example(response, dialect, is_public);
    }
    let common = responses::common(dialect).into_iter().filter(|common| match common.error {
        Some(Error::Unauthenticated(_)) => !is_public,
        Some(Error::Malformed(_) | Error::Invalid { .. }) => takes_input,
        Some(Error::EncodedBody) => takes_body,
        _ => common.status != 413 || takes_body,
    });
    for common in common {
        let reference = json!({ "$ref": format!("#/components/responses/{}", common.name) });
        responses.entry(common.status.to_string()).or_insert(reference);
    }
    if method == "head" {
        without_bodies(responses, dialect);
    }
}

/// Errors of some APIs have a content type of their own, which handlers do not declare.
fn set_refusal_type(response: &mut Value, dialect: &Dialect) {
    if dialect.refusal_type != JSON && refers_as(response, JSON, "Refused", dialect) {
        let content = response["content"][JSON].take();
        response["content"] = json!({ dialect.refusal_type: content });
    }
}

/// If a body has several content types, the description does not mark it as required, although it is:
/// openapi-python-client 0.29 would generate code that cannot be imported (it uses `Unset` without importing it).
///
/// A body that may be left out is not described as one that may be null, which is another thing.
fn relax_body(body: &mut Value) {
    let null = json!({ "type": "null" });
    let contents = body["content"].as_object_mut().into_iter().flatten();
    let mut optional = false;
    for (_, content) in contents {
        let choices = content["schema"]["oneOf"].as_array().cloned().unwrap_or_default();
        if let [first, second] = choices.as_slice()
            && (*first == null || *second == null)
        {
            content["schema"] = if *first == null { second.clone() } else { first.clone() };
            optional = true;
        }
    }
    if optional {
        body["required"] = json!(false);
    }
    let several = body["content"].as_object().is_some_and(|content| content.len() > 1);
    if let Some(body) = body.as_object_mut().filter(|_| several && !optional) {
        body.remove("required");
    }
}

/// Removes the bodies: a response to HEAD has only the headers.
fn without_bodies(responses: &mut Map<String, Value>, dialect: &Dialect) {
    for (status, response) in responses.iter_mut() {
        if response.get("$ref").is_some() {
            let common = responses::common(dialect).into_iter().find(|common| common.status.to_string() == *status);
            *response = json!({ "description": common.map(|common| common.description).unwrap_or_default() });
        }
        if let Some(response) = response.as_object_mut() {
            response.remove("content");
        }
    }
}

/// Every change in this API may fail with HTTP status 200, at least because of too many simultaneous requests.
fn may_fail(response: &mut Value, dialect: &Dialect) {
    let schema = &mut response["content"][JSON]["schema"];
    if schema.get("oneOf").is_none() {
        let failed = json!({ "$ref": format!("#/components/schemas/{}.Failed", dialect.tag) });
        *schema = json!({ "oneOf": [schema.take(), failed] });
    }
}

/// If waiting helps, an error says how long to wait. Other declared headers are always present, unless the response may
/// also be an error.
fn add_headers(status: &str, response: &mut Value, dialect: &Dialect) {
    let (refused, mixed) = (refers(response, "Refused", dialect), is_mixed(response));
    let headers = response.get_mut("headers").and_then(Value::as_object_mut);
    for (name, header) in headers.into_iter().flatten() {
        if !mixed && !SOMETIMES.contains(&name.as_str()) {
            header["required"] = json!(true);
        }
    }
    if response["headers"].get("Cache-Control").is_none() {
        response["headers"]["Cache-Control"] = responses::caching(status, dialect);
    }
    if refused {
        responses::add_error_headers(&mut response["headers"], dialect);
    }
    if *status == responses::limited(dialect).to_string() && (refused || refers(response, "Failed", dialect)) {
        response["headers"]["Retry-After"] = retry_after();
    }
}

/// Whether the response may be an error of this name.
fn refers(response: &Value, name: &str, dialect: &Dialect) -> bool {
    refers_as(response, dialect.refusal_type, name, dialect)
}

fn refers_as(response: &Value, kind: &str, name: &str, dialect: &Dialect) -> bool {
    let schema = &response["content"][kind]["schema"];
    let reference = json!({ "$ref": format!("#/components/schemas/{}.{name}", dialect.tag) });
    let either = schema["oneOf"].as_array().is_some_and(|either| either.contains(&reference));
    either || *schema == reference
}

/// Whether a success and an error have the same status.
fn is_mixed(response: &Value) -> bool {
    let content = response["content"].as_object();
    response["content"][JSON]["schema"]["oneOf"].is_array()
        || content.is_some_and(|content| content.len() > 1 && content.contains_key(JSON))
}

/// If errors and successes have the same status, the examples show both.
fn add_refused_example(response: &mut Value, dialect: &Dialect, is_public: bool) {
    if !is_mixed(response) || !refers(response, "Refused", dialect) {
        return;
    }
    let content = &mut response["content"][JSON];
    let example = content["example"].take();
    if let Some(content) = content.as_object_mut() {
        content.remove("example");
    }
    if !example.is_null() {
        let unsigned = (dialect.refuse)(&Error::Unauthenticated(NotSignedIn::Missing));
        let (name, refused) = if is_public || unsigned.status != 200 {
            ("refused", (dialect.refuse)(&responses::malformed()).body)
        } else {
            ("not signed in", unsigned.body)
        };
        content["examples"] = json!({ "success": { "value": example }, name: { "value": refused } });
    }
}
