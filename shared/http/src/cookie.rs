//! Session cookies.

use std::time::Duration;

use http::HeaderValue;
use http::header::COOKIE;
use http::request::Parts;

use super::caller::Origin;
use super::verifier::TokenVerifier;
use domain::account::Caller;
use domain::{Error, NotSignedIn, Result};

/// All values that a request has for a cookie. Some clients send back whole `Set-Cookie` lines including the
/// attributes, or keep old values next to new ones, so there may be several. The caller uses the last one that we
/// issued.
pub fn values<'a>(parts: &'a Parts, name: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = parts.headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split([';', ','])).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(found, _)| *found == name).map(|(_, value)| value.trim_matches('"'))
}

/// The user of the session cookie of `api`. If there are several, the last one that we issued counts.
pub fn caller(parts: &Parts, verifier: &TokenVerifier, name: &str, api: &str) -> Result<Caller> {
    let tokens: Vec<_> = values(parts, name).filter(|token| !token.is_empty()).collect();
    let reason = if tokens.is_empty() { NotSignedIn::Missing } else { NotSignedIn::Invalid };
    let mut newest_first = tokens.into_iter().rev();
    let ours = newest_first.find_map(|token| verifier.keys.check_session_token(token, api).ok());
    ours.ok_or(Error::Unauthenticated(reason))
}

/// The `Set-Cookie` line that sets a session token. It has `Max-Age` and no `Expires`, because the date in `Expires`
/// contains a comma, and one of the clients splits at commas.
#[must_use]
pub fn give(name: &str, token: &str, lifetime: Duration, origin: &Origin) -> Option<HeaderValue> {
    line(&format!("{name}={token}; Max-Age={}", lifetime.as_secs()), origin)
}

/// The `Set-Cookie` line that deletes a session token.
#[must_use]
pub fn take(name: &str, origin: &Origin) -> Option<HeaderValue> {
    line(&format!("{name}=; Max-Age=0"), origin)
}

fn line(start: &str, origin: &Origin) -> Option<HeaderValue> {
    let secure = if origin.is_secure() { "; Secure" } else { "" };
    HeaderValue::from_str(&format!("{start}; Path=/; HttpOnly; SameSite=Lax{secure}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(lines: &[&str]) -> Parts {
        let request = lines.iter().fold(http::Request::get("/"), |request, line| request.header(COOKIE, *line));
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_cookie_is_found_however_clients_send_it_back() {
        for lines in [
            &["s=abc"][..],
            &["a=1; s=abc; b=2"],
            &["s=abc; Path=/; HttpOnly; Max-Age=2592000"],
            &["a=1; Path=/", "s=abc; Path=/; HttpOnly"],
            &["a=1; Path=/,s=abc; Path=/"],
        ] {
            assert_eq!(values(&parts(lines), "s").collect::<Vec<_>>(), ["abc"], "{lines:?}");
        }
        assert_eq!(values(&parts(&["s=old; s=new"]), "s").collect::<Vec<_>>(), ["old", "new"]);
        assert_eq!(values(&parts(&["ss=abc"]), "s").count(), 0);
    }

    #[test]
    fn a_cookie_is_secure_where_the_request_was() {
        let lifetime = Duration::from_mins(1);
        let over = |host: &str| Origin { host: Some(host.to_owned()), ..Origin::default() };
        let line = give("s", "abc", lifetime, &over("api.example.com")).unwrap();
        assert_eq!(line, "s=abc; Max-Age=60; Path=/; HttpOnly; SameSite=Lax; Secure");
        let line = take("s", &over("localhost:3000")).unwrap();
        assert_eq!(line, "s=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax");
    }
}
