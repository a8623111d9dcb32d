//! The `SealTalk` API: `{"code", "result"}`. Some errors have a code of their own and HTTP status 200. The others have
//! the HTTP status as `code`, except a missing session: 403 with code 10000, at which the clients sign out.

use axum::body::Body;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use super::{Api, Refusal, Reply, refuse, usual_status, words};
use crate::body::ok;
use crate::caching;
use crate::caller::{Origin, PublicUrl};
use crate::verifier::TokenVerifier;
use crate::{constant, cookie};
use domain::account::Caller;
use domain::password::Password;
use domain::profile::{Avatar, Nickname};
use domain::text::Bounds;
use domain::{Cap, Error, GroupRule, NotSignedIn, Result};

/// The `SealTalk` API.
#[derive(Clone, Copy, Debug)]
pub struct SealTalk;

impl SealTalk {
    /// The cookie that holds the session token.
    pub const COOKIE: &'static str = "sealtalk_session";

    /// A success without a result.
    #[must_use]
    pub fn done() -> Response {
        Self::bare(Done { code: 200 })
    }

    /// A success with its result.
    #[must_use]
    pub fn result(result: impl Serialize) -> Response {
        Self::bare(Success { code: 200, result })
    }

    /// A success outside the envelope.
    #[must_use]
    pub fn bare(body: impl Serialize) -> Response {
        let mut response = ok(body);
        Self::dress(&mut response);
        response
    }

    /// The result of a handler. The errors that match `these` are a bad request at this endpoint, as on the original
    /// server, and have another status at other endpoints.
    pub fn bad_request(
        result: Result<Response>,
        these: fn(&Error) -> bool,
    ) -> std::result::Result<Response, Refusal<Self>> {
        match result {
            Err(error) if these(&error) => {
                let mut response = refuse::<Self>(&error);
                let body = json!({ "code": 400, "message": error.to_string() });
                *response.status_mut() = StatusCode::BAD_REQUEST;
                *response.body_mut() = Body::from(body.to_string());
                Ok(response)
            }
            other => Ok(other?),
        }
    }

    /// A success whose result is a credential: no cache stores it.
    #[must_use]
    pub fn secret(result: impl Serialize) -> Response {
        caching::secret(Self::result(result))
    }

    /// A nickname within the limits of this API's documentation: 1 to 32 bytes.
    pub fn nickname(text: &str) -> Result<Nickname> {
        const RULE: &str = "must have 1 to 32 bytes and no control characters";
        const NICKNAME: Bounds = Bounds { bytes: 32, ..Bounds::line("nickname", 1, 32, RULE) };
        Nickname::within(text, &NICKNAME)
    }

    /// An avatar within the limits of this API's documentation: an http(s) URL of 12 to 256 characters. If the picture
    /// is on Handset, only its path is stored, so that it stays valid if the host changes.
    pub fn portrait(text: &str, url: &PublicUrl, origin: &Origin) -> Result<Avatar> {
        const RULE: Error =
            Error::Invalid { field: "portraitUri", rule: "must be an http(s) URL of 12 to 256 characters" };
        if text.starts_with('/') || !(12..=256).contains(&text.len()) {
            return Err(RULE);
        }
        Avatar::parse(url.relative(origin, text)).or_else(|_| Avatar::parse(text)).map_err(|_| RULE)
    }

    /// A verification token has the form of a UUID. Any other text is a bad request. A UUID may still be an unknown
    /// token.
    pub fn verification_token(text: &str) -> Result<&str> {
        const RULE: Error = Error::Invalid { field: "verification_token", rule: "must be a UUID" };
        let text = text.trim();
        let fits = |(index, byte): (usize, u8)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        };
        if text.len() == 36 && text.bytes().enumerate().all(fits) { Ok(text) } else { Err(RULE) }
    }

    /// A password to compare with the stored one. An empty password belongs to no account.
    pub fn typed_password(field: &'static str, text: &str) -> Result<Password> {
        if text.is_empty() { Err(Error::Invalid { field, rule: "must not be empty" }) } else { Password::typed(text) }
    }

    /// A new password within the limits of this API's documentation: 6 to 20 bytes without spaces. The limits do not
    /// apply to sign-in, because the password may have been set through an API that allows longer ones.
    pub fn password(text: &str) -> Result<Password> {
        const RULE: Error = Error::Invalid { field: "password", rule: "must have 6 to 20 bytes and no spaces" };
        if text.len() > 20 { Err(RULE) } else { Password::new(text).map_err(|_| RULE) }
    }
}

/// A success with its result.
#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::Success)]
pub struct Success<T> {
    #[schema(schema_with = success)]
    code: u16,
    result: T,
}

/// A success without a result.
#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::Done, example = json!({ "code": 200 }))]
pub struct Done {
    #[schema(schema_with = success)]
    code: u16,
}

/// An error whose HTTP status is 200.
#[derive(ToSchema)]
#[schema(as = sealtalk::Failed, example = json!({ "code": 1_000, "message": "wrong account or password" }))]
#[expect(dead_code, reason = "only described")]
pub struct Failed {
    #[schema(schema_with = failures)]
    code: u16,
    /// An error message for developers. Do not compare it; the text may change.
    message: String,
}

/// An error whose HTTP status is not 200.
#[derive(ToSchema)]
#[schema(as = sealtalk::Refused, example = json!({ "code": 10_000, "message": "not signed in" }))]
#[expect(dead_code, reason = "only described")]
pub struct Refused {
    #[schema(schema_with = errors)]
    code: u16,
    /// An error message for developers. Do not compare it; the text may change.
    message: String,
}

/// A success with its result, or an error whose HTTP status is 200.
#[derive(ToSchema)]
#[schema(as = sealtalk::Either)]
#[serde(untagged)]
pub enum Either<T> {
    /// A success.
    Success(#[schema(inline)] Success<T>),
    /// An error.
    Failed(Failed),
}

/// A success without a result, or an error whose HTTP status is 200.
#[derive(ToSchema)]
#[schema(as = sealtalk::Outcome)]
#[serde(untagged)]
pub enum DoneOrRefused {
    /// A success.
    Done(Done),
    /// An error.
    Failed(Failed),
}

fn success() -> Object {
    constant::numbers(&[200], "200: success.")
}

fn failures() -> Object {
    let about = "1000: a wrong code or password, or too many groups. 2000: the code has expired. 5000: too soon, too \
        many requests, or the text message could not be sent.";
    constant::numbers(&[1_000, 2_000, 5_000], about)
}

fn errors() -> Object {
    let about = "The HTTP status; or 10000 with HTTP status 403: not signed in.";
    constant::numbers(&[400, 401, 402, 403, 404, 405, 412, 415, 500, 10_000], about)
}

impl Api for SealTalk {
    const NAME: &'static str = "sealtalk";

    fn refuse(error: &Error) -> Reply {
        let (status, code) = match error {
            Error::CodeNotAsked | Error::VerificationUnknown => (StatusCode::NOT_FOUND, 404),
            Error::RefreshInvalid | Error::RefreshReused | Error::Group(GroupRule::OwnerOnly | GroupRule::Full) => {
                (StatusCode::BAD_REQUEST, 400)
            }
            Error::Group(GroupRule::OwnerAppoints) => (StatusCode::UNAUTHORIZED, 401),
            // The Android client takes this status for a group that has no bulletin yet.
            Error::Group(GroupRule::NotInGroup | GroupRule::NoBulletin) => (StatusCode::PAYMENT_REQUIRED, 402),
            Error::Unauthenticated(_) => (StatusCode::FORBIDDEN, 10_000),
            // A locked account gives the same error as a wrong password, so that nobody can see the lock.
            Error::CodeWrong
            | Error::CodeGuessesSpent
            | Error::PasswordWrong
            | Error::Locked { .. }
            | Error::Limited { cap: Cap::SignInFailures, .. }
            | Error::Group(GroupRule::TooManyGroups) => (StatusCode::OK, 1_000),
            Error::CodeExpired => (StatusCode::OK, 2_000),
            Error::CodeTooSoon { .. } | Error::TextNotSent | Error::Full(_) | Error::Limited { .. } => {
                (StatusCode::OK, 5_000)
            }
            error => (usual_status(error), usual_status(error).as_u16()),
        };
        let message = match error {
            Error::Limited { cap: Cap::SignInFailures, .. } => Error::CodeWrong.to_string(),
            other => words::<Self>(other),
        };
        Reply::new(status, json!({ "code": code, "message": message }))
    }

    /// The error for a locked account is the same, to the byte, as for a wrong code or password.
    fn retry_after(error: &Error) -> Option<u64> {
        match error {
            Error::Limited { cap: Cap::SignInFailures, .. } => None,
            other => other.retry_after(),
        }
    }

    /// The original server's type, which its own tests and clients know.
    fn dress(response: &mut Response) {
        if response.status() == StatusCode::OK {
            let kind = HeaderValue::from_static("application/json; charset=utf-8");
            response.headers_mut().insert(CONTENT_TYPE, kind);
        }
    }

    fn caller(parts: &Parts, verifier: &TokenVerifier) -> Result<Caller> {
        cookie::caller(parts, verifier, Self::COOKIE, Self::NAME)
    }

    fn not_signed_in(reason: NotSignedIn) -> &'static str {
        match reason {
            NotSignedIn::Missing => "not signed in: the cookie sealtalk_session is missing",
            NotSignedIn::Invalid => "not signed in: the cookie sealtalk_session is not valid; log in again",
            NotSignedIn::Expired => "the session has expired; log in again",
            NotSignedIn::Ended => "the session has ended; log in again",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nicknames_and_passwords_are_counted_in_bytes() {
        assert!(SealTalk::nickname(&"明".repeat(10)).is_ok());
        assert!(SealTalk::nickname(&"明".repeat(11)).is_err());
        assert!(SealTalk::password("密码").is_ok());
        for bad in ["", "12345", "with space", &"a".repeat(21)] {
            assert!(SealTalk::password(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_verification_token_has_the_form_of_a_uuid() {
        let token = "9a615598-7caa-11e5-a305-525439e49ee9";
        assert_eq!(SealTalk::verification_token(&format!(" {token} ")).unwrap(), token);
        for bad in ["", "...", "123", &token[1..], &token.replace('-', "_"), &token.replace('a', "é"), &token.repeat(2)]
        {
            assert!(SealTalk::verification_token(bad).is_err(), "{bad}");
        }
    }
}
