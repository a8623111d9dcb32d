//! Pages that only the local run serves: `/`, the inbox, the notifications, and the API's description.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use serde_json::Value;

use crate::inbox::{self, Text};
use crate::notifications;

/// The page, which is self-contained: it works without a network.
const PAGE: &str = include_str!("page.html");

/// The script of a first session.
const FIRST_SESSION: &str = include_str!("../../../docs/first-session.sh");

/// The URL in the script. The run replaces it by the URL that the client called.
const DEFAULT_URL: &str = "http://localhost:3000";

/// Returns the texts sent to a phone, or all texts, newest first.
pub type Inbox = Box<dyn Fn(Option<&str>) -> Vec<Text> + Send + Sync>;

/// Returns the notifications that users would have received, newest first.
pub type Notifications = Box<dyn Fn() -> Vec<Value> + Send + Sync>;

/// The pages of the local run.
pub struct Pages {
    inbox: Inbox,
    notifications: Notifications,
    openapi: Bytes,
}

impl Pages {
    /// Creates the pages from the sources of texts and notifications and the API's description.
    #[must_use]
    pub fn new(inbox: Inbox, notifications: Notifications, openapi: &Value) -> Self {
        Self { inbox, notifications, openapi: Bytes::from(openapi.to_string()) }
    }

    /// The response to a request for one of the pages; `None` for other requests.
    pub fn answer<B>(&self, request: &Request<B>) -> Option<Response<Full<Bytes>>> {
        let path = request.uri().path();
        if path != "/" && !path.starts_with("/_local/") {
            return None;
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            // Only `GET /` is the page: other methods of `/` belong to the API.
            return (path != "/").then(|| refuse(StatusCode::METHOD_NOT_ALLOWED));
        }
        let query = request.uri().query().unwrap_or_default();
        Some(match path {
            "/" => page(),
            "/_local/sms" => {
                let texts = (self.inbox)(inbox::phone(query).as_deref());
                respond("application/json", inbox::json(&texts).to_string().into())
            }
            "/_local/notifications" => {
                let told = (self.notifications)().into_iter().take(notifications::limit(query));
                respond("application/json", told.collect::<Value>().to_string().into())
            }
            "/_local/first-session.sh" => respond("text/x-shellscript; charset=utf-8", first_session(request).into()),
            "/_local/openapi.json" => respond("application/json", self.openapi.clone()),
            _ => refuse(StatusCode::NOT_FOUND),
        })
    }
}

/// The first session with the host that the client called. A host that is not a plain name or address is not used,
/// because the user runs the script.
fn first_session<B>(request: &Request<B>) -> String {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte));
    if host.is_empty() || !plain {
        return FIRST_SESSION.to_owned();
    }
    FIRST_SESSION.replace(DEFAULT_URL, &format!("http://{host}"))
}

/// The policy isolates the page: it loads resources only from this run.
fn page() -> Response<Full<Bytes>> {
    const POLICY: HeaderValue = HeaderValue::from_static(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
         connect-src 'self'; img-src data:",
    );
    let mut response = respond("text/html; charset=utf-8", Bytes::from_static(PAGE.as_bytes()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    response
}

fn respond(kind: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn refuse(status: StatusCode) -> Response<Full<Bytes>> {
    let reason = status.canonical_reason().unwrap_or_default();
    let body = format!(r#"{{"message":"{reason}"}}"#);
    let mut response = respond("application/json", body.into());
    *response.status_mut() = status;
    response
}
