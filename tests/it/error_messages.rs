//! The words of refusals: they say what to do, in the names that the client used, and `kind` tells apart what the
//! messenger's status does not.

mod bodies;
mod changes;
mod credentials;

use reqwest::RequestBuilder;
use serde_json::Value;

/// The status, headers and body of an answer as they are.
async fn raw(request: RequestBuilder) -> (u16, reqwest::header::HeaderMap, Value) {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    (status, headers, serde_json::from_str(&response.text().await.expect("a body")).unwrap_or_default())
}
