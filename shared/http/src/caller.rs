//! The caller of a request, and the address and host it used.

use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use http::header::USER_AGENT;
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderName};
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequestContext;
use lambda_http::request::RequestContext;

use super::api::{Api, Refusal};
use super::verifier::TokenVerifier;
use domain::account::Caller;
use domain::device_name::DeviceName;

/// A request with a valid credential in the place that its API uses. The store checks whether the session is still
/// active, in the same call that does the work.
#[derive(Debug)]
pub struct Signed<A>(pub Caller, pub PhantomData<A>);

impl<A: Api, S: Send + Sync> FromRequestParts<S> for Signed<A>
where
    TokenVerifier: FromRef<S>,
{
    type Rejection = Refusal<A>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> std::result::Result<Self, Refusal<A>> {
        Ok(Self(A::caller(parts, &TokenVerifier::from_ref(state))?, PhantomData))
    }
}

/// The header in which a client names its device.
const DEVICE_NAME: HeaderName = HeaderName::from_static("x-device-name");

/// The origin of a request. Address and host are as the gateway reports them, and never taken from a header, because
/// clients can send any header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The client's IP address.
    pub address: Option<IpAddr>,
    /// The host to which the request was sent, with its port if there is one.
    pub host: Option<String>,
    /// What the client says about the device that it runs on. Only the user sees it, in the list of sessions.
    pub device: Option<DeviceName>,
}

impl<S: Send + Sync> FromRequestParts<S> for Origin {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> std::result::Result<Self, Self::Rejection> {
        let context = gateway(&parts.extensions);
        Ok(Self {
            address: context.and_then(|context| context.http.source_ip.as_deref()?.parse().ok()),
            host: context.and_then(|context| context.domain_name.clone()),
            device: device(&parts.headers),
        })
    }
}

/// The name of the device, from `X-Device-Name` or else from `User-Agent`.
fn device(headers: &HeaderMap) -> Option<DeviceName> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
    text(DEVICE_NAME).and_then(DeviceName::parse).or_else(|| text(USER_AGENT).and_then(DeviceName::of_user_agent))
}

/// The gateway's data about a request.
pub(super) fn gateway(extensions: &Extensions) -> Option<&ApiGatewayV2httpRequestContext> {
    match extensions.get::<RequestContext>()? {
        RequestContext::ApiGatewayV2(context) => Some(context),
        _ => None,
    }
}

/// Builds absolute URLs, with the configured host or with the host to which the request was sent.
#[derive(Clone, Debug)]
pub struct PublicUrl(Option<Arc<str>>);

impl PublicUrl {
    /// With the configured host, if there is one: an absolute URL.
    #[must_use]
    pub fn new(configured: Option<&str>) -> Self {
        Self(configured.map(|url| url.trim_end_matches('/').into()))
    }

    /// The absolute URL of a path on this service (`/…`); a URL that is absolute already is returned unchanged.
    #[must_use]
    pub fn absolute(&self, origin: &Origin, path: &str) -> String {
        if !path.starts_with('/') {
            return path.to_owned();
        }
        match (&self.0, &origin.host) {
            (Some(base), _) => format!("{base}{path}"),
            (None, Some(host)) => format!("{}://{host}{path}", scheme(host)),
            (None, None) => path.to_owned(),
        }
    }

    /// The host of absolute URLs, with its port if there is one.
    #[must_use]
    pub fn host(&self, origin: &Origin) -> String {
        let root = self.absolute(origin, "/");
        let host = root.split_once("://").map_or("", |(_, host)| host);
        host.trim_end_matches('/').to_owned()
    }

    /// The path (`/…`) of a URL of this service, so that it stays valid when the host changes; any other URL is
    /// returned unchanged.
    #[must_use]
    pub fn relative<'a>(&self, origin: &Origin, url: &'a str) -> &'a str {
        let base = self.absolute(origin, "/");
        url.strip_prefix(base.trim_end_matches('/')).filter(|path| path.starts_with('/')).unwrap_or(url)
    }
}

impl Origin {
    /// Whether the request came over TLS, so that its cookies may require TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.host.as_deref().is_none_or(|host| scheme(host) == "https")
    }
}

/// Only the local run is reached without TLS: by a name of this machine, or with a port, which the gateway never has.
fn scheme(host: &str) -> &'static str {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let local = name == "localhost" || name.parse::<std::net::Ipv4Addr>().is_ok() || name != host;
    if local { "http" } else { "https" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_absolute_on_the_right_host() {
        let from = |host: &str| Origin { host: Some(host.to_owned()), ..Origin::default() };
        let url = PublicUrl(None);
        assert_eq!(url.absolute(&from("api.example.com"), "/images/a"), "https://api.example.com/images/a");
        assert_eq!(url.absolute(&from("localhost:3000"), "/images/a"), "http://localhost:3000/images/a");
        assert_eq!(url.absolute(&from("127.0.0.1"), "/images/a"), "http://127.0.0.1/images/a");
        assert_eq!(url.absolute(&from("x"), "https://elsewhere/a"), "https://elsewhere/a");
        assert_eq!(url.absolute(&Origin::default(), "/images/a"), "/images/a");
        assert_eq!(url.host(&from("localhost:3000")), "localhost:3000");
        assert_eq!(url.host(&Origin::default()), "");
        assert_eq!(url.relative(&from("localhost:3000"), "http://localhost:3000/images/a"), "/images/a");
        assert_eq!(
            url.relative(&from("localhost:3000"), "http://localhost:30001/images/a"),
            "http://localhost:30001/images/a"
        );
        assert_eq!(url.relative(&from("localhost:3000"), "/images/a"), "/images/a");
        let url = PublicUrl(Some("https://cdn.example.com".into()));
        assert_eq!(url.absolute(&from("api.example.com"), "/images/a"), "https://cdn.example.com/images/a");
    }
}
