//! Methods that one handler serves: GET beside POST for clients that send GET, and HEAD beside GET.

use serde_json::{Map, Value};

/// Gives each operation of a path its own id and summary if one handler describes several.
pub fn tell_apart(item: &mut Map<String, Value>) {
    let twins: Vec<String> = item.keys().filter(|method| has_twin(item, method)).cloned().collect();
    for method in &twins {
        let operation = &mut item[method];
        operation["operationId"] = id(method, operation).into();
        if method == "get" && twins.iter().any(|other| other == "post") {
            describe_get(operation);
        }
    }
    if let Some(head) = item.get_mut("head") {
        describe_head(head);
    }
}

fn has_twin(item: &Map<String, Value>, method: &str) -> bool {
    let id = &item[method]["operationId"];
    item.iter().any(|(other, operation)| other != method && operation["operationId"] == *id)
}

/// `sealtalk_find` by GET is `sealtalk_get_find`. Ids of the messenger API have no prefix.
fn id(method: &str, operation: &Value) -> String {
    let (id, tag) = (operation["operationId"].as_str(), operation["tags"][0].as_str());
    let (id, prefix) = (id.unwrap_or_default(), format!("{}_", tag.unwrap_or_default()));
    match id.strip_prefix(&prefix) {
        Some(rest) => format!("{prefix}{method}_{rest}"),
        None => format!("{method}_{id}"),
    }
}

/// GET is for older clients. An optional body is described only for POST.
fn describe_get(operation: &mut Value) {
    let Some(operation) = operation.as_object_mut() else { return };
    if operation.get("requestBody").is_some_and(|body| body["required"] != true) {
        operation.remove("requestBody");
    }
    let note = if operation.contains_key("requestBody") {
        "(GET with a body, for older clients; use POST)."
    } else {
        "(GET, for older clients)."
    };
    if let Some(Value::String(summary)) = operation.get_mut("summary") {
        *summary = format!("{} {note}", summary.trim_end_matches('.'));
    }
}

/// HEAD has no body, and ignores `Range`.
fn describe_head(operation: &mut Value) {
    operation["summary"] = "Get the headers of the response to GET.".into();
    let Some(operation) = operation.as_object_mut() else { return };
    operation.remove("description");
    if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
        responses.retain(|status, _| status != "206" && status != "416");
    }
}
