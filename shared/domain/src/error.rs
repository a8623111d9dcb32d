//! The domain's single error type. Each API has one exhaustive table that maps it to the API's own status and message
//! (`shared/http/src/api/`).

mod reasons;

use std::fmt;

use telemetry::metrics::{self, Metric};

pub use self::reasons::{Cap, GroupRule, NotSignedIn, Quota};

/// The result of a domain function.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a request failed. Except for [`Error::Fault`] these are refusals: the caller can do something about them, and
/// nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input could not be read at all: it is not JSON, a field has the wrong type, or a field is missing.
    #[error("{0}")]
    Malformed(String),
    /// A value was read, but it breaks a rule.
    #[error("{field} {rule}")]
    Invalid {
        /// The field's name in the domain.
        field: &'static str,
        /// The rule, as the end of a sentence that starts with the field's name.
        rule: &'static str,
    },
    /// The input is larger than `limit` bytes.
    #[error("too large: at most {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// A list has more entries than one call permits.
    #[error("at most {most} {what}")]
    TooMany {
        /// The maximum number of entries.
        most: usize,
        /// The kind of entries, and the scope of the maximum.
        what: &'static str,
    },
    /// The file is of a type that is not accepted here.
    #[error("{0}")]
    UnsupportedMedia(&'static str),
    /// The body is compressed.
    #[error("send the body without Content-Encoding")]
    EncodedBody,
    /// No route has this method and path.
    #[error("no such endpoint")]
    NoRoute,
    /// There are routes with this path, but none with this method.
    #[error("no such endpoint: use {instead}")]
    WrongMethod {
        /// The methods that the path allows, separated by commas.
        allowed: &'static str,
        /// The request to send instead, such as `POST /user/login`.
        instead: &'static str,
    },
    /// A browser sent the request on behalf of a page of another site, which is not allowed.
    #[error("pages of other sites may not make this request; an allowed origin sends JSON or a credential header")]
    CrossSite,
    /// The requested thing does not exist.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// There is no credential, or it is wrong, has expired or has ended.
    #[error("not signed in: {0}")]
    Unauthenticated(NotSignedIn),
    /// There is no code for this number: none was requested, or it was used.
    #[error("no code to check: it was used already or never requested; request a new one")]
    CodeNotAsked,
    /// The code is older than the policy permits.
    #[error("the code has expired; request a new one")]
    CodeExpired,
    /// The code is not the one that was sent.
    #[error("wrong code")]
    CodeWrong,
    /// There were too many wrong tries for this code. A new code can be requested.
    #[error("too many wrong tries; request a new code")]
    CodeGuessesSpent,
    /// A code was sent to this number a moment ago.
    #[error("a code was sent a moment ago; try again in {}", waiting(*retry_after))]
    CodeTooSoon {
        /// Seconds until another code can be requested.
        retry_after: u64,
    },
    /// A limit on how often an action is allowed was reached.
    #[error("too many {cap}; try again in {}", waiting(*retry_after))]
    Limited {
        /// The limit that was reached.
        cap: Cap,
        /// Seconds until the next try is allowed.
        retry_after: u64,
    },
    /// The account has reached the maximum number of something. Waiting does not help.
    #[error("{0}")]
    Full(Quota),
    /// Codes are not sent to numbers of this country.
    #[error("no codes are sent to this country")]
    CountryNotServed,
    /// The type of the number is known, and it is not a mobile number.
    #[error("number is not a mobile number, so it cannot receive text messages")]
    NotMobile,
    /// The SMS service refused to send. The code was withdrawn, so another can be requested immediately.
    #[error("the text message could not be sent; request the code again")]
    TextNotSent,
    /// The refresh token is not one of ours, its session has ended, or it belongs to another user.
    #[error("the refresh token is unknown or its session has ended; sign in again")]
    RefreshInvalid,
    /// The refresh token was replaced before. That means that two parties have it, so its session was ended.
    #[error("the refresh token was already used, so its session was ended; sign in again")]
    RefreshReused,
    /// The number or the name already belongs to an account.
    #[error("this {0} is taken")]
    Taken(&'static str),
    /// The number or name and the password do not match. The error is the same whether or not the account exists.
    #[error("wrong account or password")]
    PasswordWrong,
    /// There were too many wrong passwords for the account or from the IP address. Most APIs use the same message as
    /// for [`Error::PasswordWrong`], so that nobody can see that the account is locked.
    #[error("wrong account or password")]
    Locked {
        /// Seconds until the lock ends.
        retry_after: u64,
    },
    /// The text typed is not the captcha's text. The captcha is used up.
    #[error("wrong captcha text; request a new captcha")]
    CaptchaWrong,
    /// There is no captcha with this id: it was never requested, has expired or was checked before.
    #[error("the captcha has expired or was already used; request a new one")]
    CaptchaExpired,
    /// A text message is only sent after a captcha is solved.
    #[error("a captcha is needed: get a picture, and send its id and its text with the request")]
    CaptchaNeeded,
    /// The verification token was never issued, has expired or was used.
    #[error("the verification token is unknown, expired or already used; request a new code")]
    VerificationUnknown,
    /// The new password is the old one.
    #[error("the new password must differ from the old one")]
    SamePassword,
    /// The session is too old for the change without a further proof.
    #[error("this change needs a code or the current password; the session is not new")]
    ReauthenticationNeeded,
    /// It is the only way to sign in to the account.
    #[error("this is the only way to sign in; add another one first")]
    LastIdentity,
    /// No new accounts are created.
    #[error("no new accounts are created")]
    SignUpsClosed,
    /// The account is anonymous.
    #[error("not for an anonymous account; add a number first")]
    NotForAnonymous,
    /// The thing belongs to another user.
    #[error("this belongs to another user")]
    NotYours,
    /// Data that can be written only once was written before, with other content.
    #[error("already set, and cannot be changed")]
    AlreadyWritten,
    /// The request was meant for a certain state of the thing, and the thing is in another state.
    #[error("the file does not match If-Match or If-Unmodified-Since")]
    ConditionFailed,
    /// The key was used for another request before.
    #[error("this Idempotency-Key was used for another request; use a new key for each request")]
    IdempotencyKeyReused,
    /// The sign-in provider reports that the token belongs to another user or was not issued for this app.
    #[error("the sign-in provider did not accept this token for this user and app")]
    ProviderRefused,
    /// The sign-in provider could not be reached.
    #[error("the sign-in provider cannot be reached; try again")]
    ProviderUnreachable,
    /// The two users are friends already.
    #[error("you are already friends")]
    AlreadyFriends,
    /// The two users are not friends, and the request is only for friends.
    #[error("you are not friends")]
    NotFriends,
    /// The rules of groups do not allow it.
    #[error("{0}")]
    Group(GroupRule),
    /// A failure that the caller cannot fix.
    #[error("internal error")]
    Fault(#[from] Fault),
}

impl From<media_formats::picture::Broken> for Error {
    fn from(broken: media_formats::picture::Broken) -> Self {
        Self::UnsupportedMedia(broken.0)
    }
}

/// Counts a refusal by its kind. Faults are not counted here, but where they are logged.
pub fn count_refusal<T>(metric: Metric, result: &Result<T>) {
    if let Err(error) = result
        && !matches!(error, Error::Fault(_))
    {
        metrics::count_by(metric, error.kind());
    }
}

impl Error {
    /// Every [`Self::kind`], sorted. Clients branch on these words, so none may change or be removed.
    pub const KINDS: &'static [&'static str] = &[
        "accounts_from_address",
        "already_friends",
        "already_written",
        "anonymous_accounts",
        "anonymous_rooms",
        "captcha_expired",
        "captcha_needed",
        "captcha_wrong",
        "checks_from_address",
        "code_expired",
        "code_guesses_spent",
        "code_not_asked",
        "code_too_soon",
        "code_wrong",
        "codes_from_address",
        "codes_to_country",
        "codes_to_number",
        "condition_failed",
        "country_not_served",
        "credential_expired",
        "credential_malformed",
        "credential_missing",
        "cross_site",
        "encoded_body",
        "fault",
        "full",
        "group_rule",
        "groups_made",
        "idempotency_key_reused",
        "invalid",
        "invitations",
        "last_identity",
        "locked",
        "lookups",
        "malformed",
        "no_route",
        "not_for_anonymous",
        "not_found",
        "not_friends",
        "not_mobile",
        "not_yours",
        "password_wrong",
        "provider_refused",
        "provider_unreachable",
        "reauthentication_needed",
        "refresh_invalid",
        "refresh_reused",
        "reports",
        "requests_at_once",
        "same_password",
        "session_ended",
        "sign_in_failures",
        "sign_ups_closed",
        "taken",
        "text_not_sent",
        "too_large",
        "too_many",
        "unsupported_media",
        "unused_codes",
        "verification_unknown",
        "wrong_method",
    ];

    /// Seconds after which the same request may succeed, for errors whose message contains this time too.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u64> {
        match self {
            Self::CodeTooSoon { retry_after } | Self::Limited { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }

    /// A word for the error without details of the request, for log lines, counts and clients.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Invalid { .. } => "invalid",
            Self::TooLarge { .. } => "too_large",
            Self::TooMany { .. } => "too_many",
            Self::UnsupportedMedia(_) => "unsupported_media",
            Self::EncodedBody => "encoded_body",
            Self::NoRoute => "no_route",
            Self::WrongMethod { .. } => "wrong_method",
            Self::CrossSite => "cross_site",
            Self::NotFound(_) => "not_found",
            Self::Unauthenticated(reason) => reason.kind(),
            Self::CodeNotAsked => "code_not_asked",
            Self::CodeExpired => "code_expired",
            Self::CodeWrong => "code_wrong",
            Self::CodeGuessesSpent => "code_guesses_spent",
            Self::CodeTooSoon { .. } => "code_too_soon",
            Self::Limited { cap, .. } => cap.kind(),
            Self::Full(_) => "full",
            Self::CountryNotServed => "country_not_served",
            Self::NotMobile => "not_mobile",
            Self::TextNotSent => "text_not_sent",
            Self::RefreshInvalid => "refresh_invalid",
            Self::RefreshReused => "refresh_reused",
            Self::Taken(_) => "taken",
            Self::Locked { .. } => "locked",
            Self::PasswordWrong => "password_wrong",
            Self::CaptchaWrong => "captcha_wrong",
            Self::CaptchaExpired => "captcha_expired",
            Self::CaptchaNeeded => "captcha_needed",
            Self::VerificationUnknown => "verification_unknown",
            Self::SamePassword => "same_password",
            Self::ReauthenticationNeeded => "reauthentication_needed",
            Self::LastIdentity => "last_identity",
            Self::SignUpsClosed => "sign_ups_closed",
            Self::NotForAnonymous => "not_for_anonymous",
            Self::NotYours => "not_yours",
            Self::AlreadyWritten => "already_written",
            Self::ConditionFailed => "condition_failed",
            Self::IdempotencyKeyReused => "idempotency_key_reused",
            Self::ProviderRefused => "provider_refused",
            Self::ProviderUnreachable => "provider_unreachable",
            Self::AlreadyFriends => "already_friends",
            Self::NotFriends => "not_friends",
            Self::Group(_) => "group_rule",
            Self::Fault(_) => "fault",
        }
    }
}

/// A time to wait in words, rounded up to the unit in which people count it.
fn waiting(seconds: u64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    match seconds {
        0..=120 => format!("{seconds} s"),
        121..=7_200 => format!("{} minutes", seconds.div_ceil(MINUTE)),
        _ => format!("{} hours", seconds.div_ceil(HOUR)),
    }
}

/// A failure of our own code or of a service that we use. It is logged once with its chain of causes and never shown to
/// clients.
#[derive(Debug)]
pub struct Fault {
    doing: &'static str,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl Fault {
    /// A fault that occurred while `doing` something, caused by `source`.
    pub fn new(doing: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { doing, source: source.into() }
    }

    /// The whole chain of causes on one line, outermost first.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut line = self.to_string();
        let mut next: Option<&dyn std::error::Error> = Some(self.source.as_ref());
        while let Some(reason) = next {
            line.push_str(": ");
            line.push_str(&reason.to_string());
            next = reason.source();
        }
        line
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "while {}", self.doing)
    }
}

impl std::error::Error for Fault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.source.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_wait_is_in_minutes_or_hours() {
        let words = |retry_after| Error::Limited { cap: Cap::CodesToNumber, retry_after }.to_string();
        assert_eq!(words(120), "too many codes to this number; try again in 120 s");
        assert_eq!(words(3_594), "too many codes to this number; try again in 60 minutes");
        assert_eq!(words(7_201), "too many codes to this number; try again in 3 hours");
        assert_eq!(
            Error::CodeTooSoon { retry_after: 42 }.to_string(),
            "a code was sent a moment ago; try again in 42 s"
        );
    }

    #[test]
    fn a_fault_tells_its_whole_chain() {
        let inner = Fault::new("reading the table", "the line was cut");
        let outer = Fault::new("signing in", inner);
        assert_eq!(outer.chain(), "while signing in: while reading the table: the line was cut");
    }
}
