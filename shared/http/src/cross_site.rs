//! Requests that a browser sends on behalf of another site.
//!
//! A page of any site can make a browser send simple requests: `<img>`, a form, `fetch` without CORS. Such a request
//! must neither send a text message nor sign a visitor in. Browsers mark it with `Sec-Fetch-Site: cross-site` (W3C
//! Fetch Metadata). It is accepted only if the browser must have sent a CORS preflight before, which the gateway
//! answers according to `CorsOrigin`. Apps are not browsers and send no such header.

use std::sync::Arc;

use http::header::{AUTHORIZATION, CONTENT_TYPE, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method};

/// The paths that pages of other sites may read: pictures and voice notes, captchas, public keys, and the public list
/// of rooms.
const PUBLIC: &[&str] =
    &["/images/", "/audios/", "/audio/", "/api/v1.0/imagecode/", "/user/sms_img_code/", "/.well-known/", "/rooms"];

/// Headers with the APIs' credentials. A page can set them only after a preflight.
const CREDENTIALS: [HeaderName; 3] =
    [AUTHORIZATION, HeaderName::from_static("access-token"), HeaderName::from_static("apikey")];

/// Decides which sites' pages may call the API.
#[derive(Clone, Debug, Default)]
pub struct CrossSiteGuard {
    /// One origin, or `*`. Without it, pages of other sites may not call the API.
    origin: Option<Arc<str>>,
}

impl CrossSiteGuard {
    /// With the origin that the gateway allows in preflights: one origin, `*`, or none.
    #[must_use]
    pub fn new(origin: Option<&str>) -> Self {
        Self { origin: origin.map(Into::into) }
    }

    /// Whether a request is accepted.
    #[must_use]
    pub fn allows(&self, parts: &Parts) -> bool {
        if !has(&parts.headers, "sec-fetch-site", "cross-site") || parts.method == Method::OPTIONS {
            return true;
        }
        let reads = matches!(parts.method, Method::GET | Method::HEAD);
        if reads && PUBLIC.iter().any(|start| parts.uri.path().starts_with(start)) {
            return true;
        }
        has(&parts.headers, "sec-fetch-mode", "cors") && self.allows_origin(parts) && was_preflighted(parts)
    }

    fn allows_origin(&self, parts: &Parts) -> bool {
        let Some(allowed) = &self.origin else { return false };
        let mut origins = parts.headers.get_all(ORIGIN).iter();
        let Some(origin) = origins.next().filter(|_| origins.next().is_none()) else { return false };
        **allowed == *"*" || allowed.as_bytes() == origin.as_bytes()
    }
}

/// Whether a page in a browser sent this request, as far as the browser says so. A page must not do what its visitor
/// may do without a credential, because the page can belong to anyone.
#[must_use]
pub fn is_from_a_page(headers: &HeaderMap) -> bool {
    headers.contains_key(ORIGIN) || headers.contains_key("sec-fetch-site")
}

/// Whether a browser must have sent a preflight before this request (Fetch Standard, "CORS-preflight fetch").
fn was_preflighted(parts: &Parts) -> bool {
    let is_simple = matches!(parts.method, Method::GET | Method::HEAD | Method::POST);
    !is_simple
        || CREDENTIALS.iter().any(|name| parts.headers.contains_key(name))
        || parts.headers.get(CONTENT_TYPE).is_some_and(|kind| {
            let kind = kind.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
            kind.trim_ascii().eq_ignore_ascii_case(b"application/json")
        })
}

fn has(headers: &HeaderMap, name: &str, value: &str) -> bool {
    headers.get_all(name).iter().any(|found| found.as_bytes().trim_ascii().eq_ignore_ascii_case(value.as_bytes()))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    const CROSS: (&str, &str) = ("sec-fetch-site", "cross-site");
    const CORS: (&str, &str) = ("sec-fetch-mode", "cors");
    const FROM: (&str, &str) = ("origin", "https://app.example.com");
    const JSON: (&str, &str) = ("content-type", "Application/JSON; charset=utf-8");

    fn allows(origin: &str, method: &str, path: &str, headers: &[(&str, &str)]) -> bool {
        let request = headers
            .iter()
            .fold(Request::builder().method(method).uri(path), |request, (name, value)| request.header(*name, *value));
        let guard = CrossSiteGuard::new(Some(origin).filter(|origin| !origin.is_empty()));
        guard.allows(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn what_no_preflight_preceded_is_refused() {
        for (method, path, headers) in [
            ("GET", "/verify_code?zone=86&number=1", &[CROSS][..]),
            ("GET", "/verify_code", &[CROSS, ("sec-fetch-mode", "no-cors")]),
            ("GET", "/phonelogin/", &[CROSS, ("sec-fetch-mode", "navigate")]),
            ("GET", "/verify_code", &[CROSS, CORS, FROM]),
            ("POST", "/auth/token", &[CROSS, CORS, FROM, ("content-type", "text/plain")]),
            ("POST", "/auth/token", &[CROSS, CORS, FROM, ("content-type", "application/x-www-form-urlencoded")]),
            ("POST", "/auth/token", &[CROSS, ("sec-fetch-mode", "no-cors"), FROM, JSON]),
            ("POST", "/auth/token", &[CROSS, CORS, JSON]),
            ("POST", "/auth/token", &[CROSS, CORS, FROM, ("origin", "null"), JSON]),
            ("POST", "/images/", &[CROSS]),
            ("POST", "/rooms/", &[CROSS]),
            ("GET", "/user/auth", &[CROSS]),
        ] {
            assert!(!allows("*", method, path, headers), "{method} {path} {headers:?}");
        }
        assert!(!allows("https://other.example.com", "POST", "/auth/token", &[CROSS, CORS, FROM, JSON]));
        assert!(!allows("", "POST", "/auth/token", &[CROSS, CORS, FROM, JSON]));
    }

    #[test]
    fn apps_own_pages_preflighted_requests_and_public_things_go_on() {
        for (method, path, headers) in [
            ("POST", "/auth/token", &[][..]),
            ("POST", "/auth/token", &[("sec-fetch-site", "same-origin")]),
            ("GET", "/verify_code", &[("sec-fetch-site", "none")]),
            ("POST", "/auth/token", &[CROSS, CORS, FROM, JSON]),
            ("GET", "/users", &[CROSS, CORS, FROM, ("authorization", "Bearer a")]),
            ("POST", "/users/logout", &[CROSS, CORS, FROM, ("access-token", "a")]),
            ("PUT", "/users/1/", &[CROSS, CORS, FROM]),
            ("OPTIONS", "/users/", &[CROSS, CORS, FROM]),
            ("GET", "/images/a", &[CROSS, ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")]),
            ("HEAD", "/audios/a", &[CROSS]),
            ("GET", "/api/v1.0/imagecode/a", &[CROSS]),
            ("GET", "/rooms/?page=1", &[CROSS, CORS, FROM]),
        ] {
            assert!(allows("*", method, path, headers), "{method} {path} {headers:?}");
        }
        assert!(allows("https://app.example.com", "POST", "/auth/token", &[CROSS, CORS, FROM, JSON]));
    }
}
