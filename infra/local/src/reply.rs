//! Converts a function's result to a response: payload format 2.0.
//!
//! Source: the API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs", "Lambda function
//! response for format 2.0". A result without `statusCode` is a 200 of `application/json` with the result itself as its
//! body. `multiValueHeaders` belongs to format 1.0; it is accepted because some runtime libraries still send it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::Full;
use serde_json::{Map, Value};

/// Headers about one connection, and headers that the gateway sets itself.
const NOT_PASSED_ON: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Converts a result to the response to a request with this method. The error describes the malformed part; it is for
/// the log.
pub fn read(result: &[u8], method: &Method) -> Result<Response<Full<Bytes>>, String> {
    let value: Value = serde_json::from_slice(result).map_err(|error| format!("the result is not JSON: {error}"))?;
    let response = match &value {
        Value::Object(object) if object.contains_key("statusCode") => explicit(object)?,
        _ => inferred(&value),
    };
    Ok(fit(response, method))
}

fn inferred(value: &Value) -> Response<Vec<u8>> {
    let body = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut response = Response::new(body.into_bytes());
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn explicit(object: &Map<String, Value>) -> Result<Response<Vec<u8>>, String> {
    let body = body(object)?;
    let mut response = Response::new(body);
    *response.status_mut() = status(&object["statusCode"])?;
    let headers = response.headers_mut();
    for field in ["headers", "multiValueHeaders"] {
        match object.get(field) {
            None | Some(Value::Null) => {}
            Some(Value::Object(entries)) => add(headers, entries)?,
            Some(_) => return Err(format!("{field} is not a mapping")),
        }
    }
    match object.get("cookies") {
        None | Some(Value::Null) => {}
        Some(Value::Array(cookies)) => {
            for cookie in cookies {
                headers.append(header::SET_COOKIE, header_value(cookie)?);
            }
        }
        Some(_) => return Err("cookies is not a list".into()),
    }
    if !headers.contains_key(header::CONTENT_TYPE) && !response.body().is_empty() {
        // An HTTP API's content type for a body without one.
        let text = HeaderValue::from_static("text/plain;charset=UTF-8");
        response.headers_mut().insert(header::CONTENT_TYPE, text);
    }
    Ok(response)
}

fn status(value: &Value) -> Result<StatusCode, String> {
    let code = match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    code.filter(|code| (200..600).contains(code))
        .and_then(|code| u16::try_from(code).ok())
        .and_then(|code| StatusCode::from_u16(code).ok())
        .ok_or_else(|| format!("the statusCode {value} is none"))
}

fn body(object: &Map<String, Value>) -> Result<Vec<u8>, String> {
    let text = match object.get("body") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::String(text)) => text,
        Some(_) => return Err("the body is not a string".into()),
    };
    match object.get("isBase64Encoded") {
        Some(Value::Bool(true)) => STANDARD.decode(text).map_err(|error| format!("the body is not base64: {error}")),
        _ => Ok(text.clone().into_bytes()),
    }
}

/// Adds header entries; a value that is in both sources is added only once.
fn add(headers: &mut HeaderMap, entries: &Map<String, Value>) -> Result<(), String> {
    let mut added = HeaderMap::new();
    for (name, value) in entries {
        let name: HeaderName = name.parse().map_err(|_| format!("`{name}` is not a header name"))?;
        if NOT_PASSED_ON.contains(&name.as_str()) {
            continue;
        }
        match value {
            Value::Null => {}
            Value::Array(values) => {
                for value in values {
                    added.append(name.clone(), header_value(value)?);
                }
            }
            value => {
                added.append(name, header_value(value)?);
            }
        }
    }
    for name in added.keys() {
        headers.remove(name);
    }
    for (name, value) in &added {
        headers.append(name, value.clone());
    }
    Ok(())
}

fn header_value(value: &Value) -> Result<HeaderValue, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(boolean) => boolean.to_string(),
        _ => return Err("a header's value is not text".into()),
    };
    HeaderValue::from_bytes(text.as_bytes()).map_err(|_| "a header's value is not text".into())
}

/// Removes the body where HTTP allows none. The gateway sets the length, except that the response to `HEAD` has the
/// length that `GET` would have.
fn fit(response: Response<Vec<u8>>, method: &Method) -> Response<Full<Bytes>> {
    let (mut parts, body) = response.into_parts();
    let stated = parts.headers.remove(header::CONTENT_LENGTH);
    let bodiless = matches!(parts.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if bodiless {
        return Response::from_parts(parts, Full::default());
    }
    if method == Method::HEAD {
        let stated = stated.filter(|_| body.is_empty());
        let length = stated.unwrap_or_else(|| HeaderValue::from(body.len()));
        parts.headers.insert(header::CONTENT_LENGTH, length);
        return Response::from_parts(parts, Full::default());
    }
    Response::from_parts(parts, Full::from(body))
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use serde_json::json;

    use super::*;

    async fn answer(result: Value, method: Method) -> (StatusCode, HeaderMap, String) {
        let response = read(result.to_string().as_bytes(), &method).unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        (parts.status, parts.headers, body)
    }

    #[tokio::test]
    async fn a_result_without_a_status_is_the_body() {
        let (status, headers, body) = answer(json!({"a": 1}), Method::GET).await;
        assert_eq!((status, body.as_str()), (StatusCode::OK, "{\"a\":1}"));
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(answer(json!("hello"), Method::GET).await.2, "hello");
    }

    #[tokio::test]
    async fn headers_cookies_and_base64_are_taken() {
        let (status, headers, body) = answer(
            json!({
                "statusCode": 201,
                "headers": {"ETag": "\"x\"", "X-Number": 7, "Connection": "close", "Vary": "a"},
                "multiValueHeaders": {"Vary": ["a", "b"]},
                "cookies": ["a=1; Path=/", "b=2"],
                "body": "aGk=",
                "isBase64Encoded": true,
            }),
            Method::GET,
        )
        .await;
        assert_eq!((status, body.as_str()), (StatusCode::CREATED, "hi"));
        assert_eq!(headers["etag"], "\"x\"");
        assert_eq!(headers["x-number"], "7");
        assert_eq!(headers["content-type"], "text/plain;charset=UTF-8");
        let values = |name: &str| -> Vec<_> { headers.get_all(name).iter().cloned().collect() };
        assert_eq!(values("set-cookie"), ["a=1; Path=/", "b=2"]);
        assert_eq!(values("vary"), ["a", "b"]);
        assert!(!headers.contains_key("connection"));
    }

    #[tokio::test]
    async fn head_and_bodiless_statuses_have_no_body() {
        let result = json!({"statusCode": 200, "body": "hello"});
        let (_, headers, body) = answer(result, Method::HEAD).await;
        assert_eq!((headers["content-length"].to_str().unwrap(), body.as_str()), ("5", ""));
        let result = json!({"statusCode": 200, "headers": {"content-length": "77"}});
        assert_eq!(answer(result, Method::HEAD).await.1["content-length"], "77");
        let result = json!({"statusCode": 304, "headers": {"content-length": "77"}, "body": "x"});
        let (_, headers, body) = answer(result, Method::GET).await;
        assert!(!headers.contains_key("content-length") && body.is_empty());
    }

    #[test]
    fn what_cannot_be_understood_is_an_error() {
        for result in [
            "not json".to_owned(),
            json!({"statusCode": 99}).to_string(),
            json!({"statusCode": 101}).to_string(),
            json!({"statusCode": "ok"}).to_string(),
            json!({"statusCode": 200, "body": {"a": 1}}).to_string(),
            json!({"statusCode": 200, "body": "%", "isBase64Encoded": true}).to_string(),
            json!({"statusCode": 200, "headers": {"a b": "c"}}).to_string(),
            json!({"statusCode": 200, "headers": {"a": "b\nc"}}).to_string(),
            json!({"statusCode": 200, "headers": ["a"]}).to_string(),
            json!({"statusCode": 200, "cookies": "a=1"}).to_string(),
        ] {
            assert!(read(result.as_bytes(), &Method::GET).is_err(), "{result}");
        }
    }
}
