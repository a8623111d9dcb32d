//! Which responses a cache may store.
//!
//! A response without its own rule gets `no-store` (RFC 9111 §5.2.2.5), because nearly all of them contain a token, a
//! code or personal data. Pictures, voice notes and public keys set their own `Cache-Control`. `SealTalk`'s clients and
//! tests expect `private` on each of its responses with status 200. For these, `no-store` is added only when the
//! response signs a user in or proves a number.

use axum::response::Response;
use http::header::{CACHE_CONTROL, SET_COOKIE};
use http::{HeaderValue, StatusCode};

use super::api::{Api, SealTalk, name_by_path};

/// Marks a response that contains a credential: a token, or the proof of a number.
#[derive(Clone, Copy, Debug)]
struct Credential;

/// Marks this response as one that contains a credential. A response that sets a cookie needs no mark.
#[must_use]
pub fn secret(mut response: Response) -> Response {
    response.extensions_mut().insert(Credential);
    response
}

/// Sets the `Cache-Control` of the response to a request for `path`, unless it has one.
pub(super) fn settle(path: &str, response: &mut Response) {
    if response.headers().contains_key(CACHE_CONTROL) {
        return;
    }
    let of_sealtalk = name_by_path(path) == SealTalk::NAME && response.status() == StatusCode::OK;
    let secret = response.extensions().get::<Credential>().is_some() || response.headers().contains_key(SET_COOKIE);
    let rule = match (of_sealtalk, secret) {
        (false, _) => "no-store",
        (true, true) => "private, no-store",
        (true, false) => "private",
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(rule));
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::*;

    fn settled(path: &str, mut response: Response) -> String {
        settle(path, &mut response);
        response.headers()[CACHE_CONTROL].to_str().unwrap().to_owned()
    }

    #[test]
    fn nothing_is_stored_unless_the_answer_says_so() {
        let with_cookie = || [(SET_COOKIE, "a=b")].into_response();
        for path in ["/", "/users", "/users/me", "/api/v1.0/user/auth", "/rooms/", "/users/login", "/v1/x"] {
            assert_eq!(settled(path, ().into_response()), "no-store", "{path}");
            assert_eq!(settled(path, with_cookie()), "no-store", "{path}");
        }
        let own = [(CACHE_CONTROL, "public, max-age=3600")].into_response();
        assert_eq!(settled("/.well-known/jwks.json", own), "public, max-age=3600");
        for path in ["/user/sync/0", "/friendship/all", "/group/create"] {
            assert_eq!(settled(path, ().into_response()), "private", "{path}");
            assert_eq!(settled(path, secret(().into_response())), "private, no-store", "{path}");
            assert_eq!(settled(path, with_cookie()), "private, no-store", "{path}");
            assert_eq!(settled(path, StatusCode::NOT_FOUND.into_response()), "no-store", "{path}");
        }
    }
}
