//! The web API: `{"errno", "errmsg", "data"}` under 200, where `errno` is a string.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use super::{Api, Reply, refuse};
use crate::body::ok;
use crate::caller::{Origin, PublicUrl};
use crate::verifier::TokenVerifier;
use crate::{constant, cookie};
use domain::account::{Account, Caller};
use domain::phone::Phone;
use domain::{Cap, Error, NotSignedIn, Result};

/// The web API.
#[derive(Clone, Copy, Debug)]
pub struct Web;

impl Web {
    /// The cookie that holds the session token.
    pub const COOKIE: &'static str = "web_session";

    /// A success without data.
    #[must_use]
    pub fn done() -> Response {
        Self::said("OK")
    }

    /// A success with a message and no data.
    #[must_use]
    pub fn said(errmsg: &'static str) -> Response {
        ok(Done { errno: "0", errmsg })
    }

    /// A success with its data.
    #[must_use]
    pub fn data(data: impl Serialize) -> Response {
        ok(Success { errno: "0", errmsg: "OK", data })
    }

    /// The result of a handler. An error has the message that the documentation has for the endpoint, if that differs
    /// from the table.
    #[must_use]
    pub fn answer(result: Result<Response>, words: &[Words]) -> Response {
        result.unwrap_or_else(|error| {
            let usual = refuse::<Self>(&error);
            match words.iter().find(|words| (words.instead_of)(&error)) {
                Some(Words { errno, errmsg, .. }) => (usual.status(), ok(Refused { errno, errmsg })).into_response(),
                None => usual,
            }
        })
    }
}

/// The message of an endpoint for an error.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    instead_of: fn(&Error) -> bool,
    errno: &'static str,
    errmsg: &'static str,
}

impl Words {
    /// The message for an error on our side.
    #[must_use]
    pub const fn of_fault(errno: &'static str, errmsg: &'static str) -> Self {
        Self { instead_of: |error| matches!(error, Error::Fault(_)), errno, errmsg }
    }

    /// The message for data that does not exist.
    #[must_use]
    pub const fn of_nothing(errno: &'static str, errmsg: &'static str) -> Self {
        Self { instead_of: |error| matches!(error, Error::NotFound(_)), errno, errmsg }
    }
}

/// A success with its data.
#[derive(Serialize, ToSchema)]
#[schema(as = web::Success)]
pub struct Success<T> {
    #[schema(schema_with = zero)]
    errno: &'static str,
    /// `OK`.
    errmsg: &'static str,
    data: T,
}

/// A success without data.
#[derive(Serialize, ToSchema)]
#[schema(as = web::Done)]
pub struct Done {
    #[schema(schema_with = zero)]
    errno: &'static str,
    /// A success message that can be shown to users.
    errmsg: &'static str,
}

/// An error. Its HTTP status is 200.
#[derive(Serialize, ToSchema)]
#[schema(as = web::Refused, example = json!({ "errno": "4103", "errmsg": "参数错误" }))]
pub struct Refused {
    #[schema(schema_with = errors)]
    errno: &'static str,
    /// An error message that can be shown to users.
    errmsg: &'static str,
}

/// A success with its data, or an error.
#[derive(ToSchema)]
#[schema(as = web::Either)]
#[serde(untagged)]
pub enum Either<T> {
    /// A success.
    Success(#[schema(inline)] Success<T>),
    /// An error.
    Refused(Refused),
}

/// A success without data, or an error.
#[derive(ToSchema)]
#[schema(as = web::Outcome)]
#[serde(untagged)]
pub enum DoneOrRefused {
    /// A success.
    Done(Done),
    /// An error.
    Refused(Refused),
}

fn zero() -> Object {
    constant::text("0", "`\"0\"`: success.")
}

fn errors() -> Object {
    const ALL: [&str; 11] = ["4001", "4002", "4003", "4004", "4101", "4103", "4105", "4201", "4202", "4301", "4500"];
    constant::texts(&ALL, "The kind of error.")
}

/// A user's profile.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = web::User)]
pub struct User {
    #[serde(rename = "user_id")]
    id: u64,
    /// The user's name; their phone number if they have no name.
    name: String,
    /// The user's phone number; empty if the account has none.
    mobile: String,
    /// An absolute URL, or empty.
    avatar: String,
    /// The same as `avatar`, for older clients.
    avatar_url: String,
    /// When the account was created, as `YYYY-MM-DD HH:MM:SS` in China's time zone.
    create_time: String,
}

impl User {
    /// The profile that the user sees themselves. If the user has no name, `name` is their number. Other users never
    /// see the number.
    #[must_use]
    pub fn of(account: &Account, url: &PublicUrl, origin: &Origin) -> Self {
        let mobile = mobile_of(account);
        let (avatar, made) = (url.absolute(origin, &account.avatar), account.created.in_china());
        Self {
            id: account.id.get(),
            name: if account.name.is_empty() { mobile.clone() } else { account.name.clone() },
            mobile,
            avatar_url: avatar.clone(),
            avatar,
            create_time: format!(
                "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
                made.year, made.month, made.day, made.hour, made.minute, made.second
            ),
        }
    }

    /// Only the user's name.
    #[must_use]
    pub fn into_name(self) -> String {
        self.name
    }
}

/// The number as this API's users write it: without the calling code in mainland China.
fn mobile_of(account: &Account) -> String {
    let phone = account.phone.as_deref().and_then(|phone| phone.parse::<Phone>().ok());
    phone.map(|phone| if phone.zone() == 86 { phone.national() } else { phone.e164() }.to_owned()).unwrap_or_default()
}

impl Api for Web {
    const NAME: &'static str = "web";

    fn refuse(error: &Error) -> Reply {
        let (errno, errmsg) = match error {
            Error::Malformed(_)
            | Error::Invalid { .. }
            | Error::NotMobile
            | Error::TooLarge { .. }
            | Error::TooMany { .. }
            | Error::UnsupportedMedia(_)
            | Error::SamePassword
            | Error::IdempotencyKeyReused
            | Error::EncodedBody => ("4103", "参数错误"),
            Error::NotFound(_)
            | Error::CodeNotAsked
            | Error::CodeExpired
            | Error::CaptchaExpired
            | Error::VerificationUnknown => ("4002", "无数据"),
            Error::Taken(_) | Error::AlreadyWritten | Error::AlreadyFriends => ("4003", "数据已存在"),
            Error::CodeWrong | Error::CaptchaWrong | Error::ConditionFailed => ("4004", "数据错误"),
            Error::PasswordWrong => ("4004", "用户名或密码错误"),
            Error::NotYours | Error::NotFriends | Error::Group(_) => ("4105", "用户身份错误"),
            Error::Unauthenticated(_) | Error::RefreshInvalid | Error::RefreshReused => ("4101", "用户未登录"),
            Error::Limited {
                cap: Cap::CodesFromAddress | Cap::AccountsFromAddress | Cap::ChecksFromAddress, ..
            } => ("4202", "IP受限"),
            Error::NoRoute
            | Error::WrongMethod { .. }
            | Error::CrossSite
            | Error::CodeGuessesSpent
            | Error::CodeTooSoon { .. }
            | Error::CountryNotServed
            | Error::Full(_)
            | Error::CaptchaNeeded
            | Error::SignUpsClosed
            | Error::ReauthenticationNeeded
            | Error::LastIdentity
            | Error::NotForAnonymous
            // The documentation has a number for this. It does not show whether the password was right.
            | Error::Locked { .. }
            | Error::Limited { .. } => ("4201", "非法请求或请求次数受限"),
            Error::TextNotSent => ("4301", "发送失败"),
            Error::ProviderRefused | Error::ProviderUnreachable => ("4301", "第三方系统错误"),
            Error::Fault(_) => ("4500", "内部错误"),
        };
        // The documentation has only status 200 with a number, even for errors on our side.
        let status = match error {
            Error::NoRoute => StatusCode::NOT_FOUND,
            Error::WrongMethod { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Error::EncodedBody => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            _ => StatusCode::OK,
        };
        Reply::new(status, json!({ "errno": errno, "errmsg": errmsg }))
    }

    fn retry_after(error: &Error) -> Option<u64> {
        match error {
            Error::Locked { retry_after } => Some(*retry_after),
            other => other.retry_after(),
        }
    }

    fn caller(parts: &Parts, verifier: &TokenVerifier) -> Result<Caller> {
        cookie::caller(parts, verifier, Self::COOKIE, Self::NAME)
    }

    /// The documentation has one message for all of them.
    fn not_signed_in(_: NotSignedIn) -> &'static str {
        "用户未登录"
    }
}
