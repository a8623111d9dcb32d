//! Builds the responses and errors that this crate writes itself, in each service's format.

use http::{HeaderName, HeaderValue, StatusCode};
use s3s::{Body, HttpResponse};
use serde_json::{Value, json};

use crate::clock;

/// The header in which DynamoDB and the other JSON services send the request id.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// A DynamoDB response.
pub fn dynamo(status: u16, body: &Value) -> HttpResponse {
    json_with_id(status, "application/x-amz-json-1.0", body)
}

/// A DynamoDB error that does not belong to an operation, for example a credential error.
pub fn dynamo_refusal(code: &str, message: &str) -> HttpResponse {
    let code = format!("com.amazon.coral.service#{code}");
    // AWS uses both spellings of this member; the SDK reads both.
    dynamo(400, &json!({"__type": code, "message": message, "Message": message}))
}

/// A KMS response.
pub fn kms(status: u16, body: &Value) -> HttpResponse {
    json_with_id(status, "application/x-amz-json-1.1", body)
}

/// A KMS error.
pub fn kms_refusal(code: &str, message: &str) -> HttpResponse {
    kms(400, &json!({"__type": code, "message": message}))
}

/// An error in the query protocol, which SNS uses.
pub fn query_error(status: u16, code: &str, message: &str) -> HttpResponse {
    let blame = if status < 500 { "Sender" } else { "Receiver" };
    let body = format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error>\
         <Type>{blame}</Type><Code>{}</Code><Message>{}</Message></Error>\
         <RequestId>{}</RequestId></ErrorResponse>",
        escape(code),
        escape(message),
        clock::random_id(),
    );
    xml(status, body)
}

/// An XML response.
pub fn xml(status: u16, body: String) -> HttpResponse {
    with_type(status, "text/xml", body)
}

fn json_with_id(status: u16, content_type: &'static str, body: &Value) -> HttpResponse {
    let mut response = with_type(status, content_type, body.to_string());
    if let Ok(id) = HeaderValue::from_str(&clock::random_id()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

fn with_type(status: u16, content_type: &'static str, body: String) -> HttpResponse {
    let mut response = HttpResponse::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content_type = HeaderValue::from_static(content_type);
    response.headers_mut().insert(http::header::CONTENT_TYPE, content_type);
    response
}

/// Escapes text for an XML element.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
