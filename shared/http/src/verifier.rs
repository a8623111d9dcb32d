//! Verifying the access tokens of requests.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::request::Parts;

use domain::clock::Clock;
use domain::tokens::Keys;
use domain::{Error, NotSignedIn, Result};

/// Verifies access tokens.
#[derive(Clone)]
pub struct TokenVerifier {
    /// The keys.
    pub keys: Arc<Keys>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// The token of an `Authorization: Bearer` header; `None` if there is no such header. Another scheme is an error.
pub fn bearer(parts: &Parts) -> Result<Option<&str>> {
    const INVALID: Error = Error::Unauthenticated(NotSignedIn::Invalid);
    let Some(header) = parts.headers.get(AUTHORIZATION) else { return Ok(None) };
    let header = header.to_str().map_err(|_| INVALID)?;
    let (scheme, token) = header.trim().split_once(' ').ok_or(INVALID)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(Some(token.trim())) } else { Err(INVALID) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bearer_token_counts() {
        let parts = |value: &str| http::Request::get("/").header(AUTHORIZATION, value).body(()).unwrap().into_parts().0;
        assert_eq!(bearer(&parts("bearer  abc")).unwrap(), Some("abc"));
        assert!(bearer(&parts("Basic abc")).is_err());
        assert!(bearer(&parts("abc")).is_err());
        assert_eq!(bearer(&http::Request::get("/").body(()).unwrap().into_parts().0).unwrap(), None);
    }
}
