//! The one error of the domain. Each API has one exhaustive table from it to its own status and words
//! (`shared/src/http/api/`).

use std::fmt;

/// What a domain function answers.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a request was not done. All but [`Error::Fault`] are refusals: the caller can act on them, and nothing was
/// changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input could not be read at all: not JSON, a field of the wrong type, a missing field.
    #[error("malformed request: {0}")]
    Malformed(String),
    /// A value was read and breaks a rule.
    #[error("{field} {rule}")]
    Invalid {
        /// The field, in the domain's name for it.
        field: &'static str,
        /// The rule, as the end of a sentence that starts with the field.
        rule: &'static str,
    },
    /// The input is larger than `limit` bytes.
    #[error("larger than {limit} bytes")]
    TooLarge {
        /// Bytes.
        limit: u64,
    },
    /// The bytes are not of a kind that is accepted here.
    #[error("{0}")]
    UnsupportedMedia(&'static str),
    /// No route has this method and path.
    #[error("no such endpoint")]
    NoRoute,
    /// The path has routes, and none of them is for this method.
    #[error("no such endpoint: use {instead}")]
    WrongMethod {
        /// The methods of the path, with commas between them.
        allowed: &'static str,
        /// What to send instead, such as `POST /user/login`.
        instead: &'static str,
    },
    /// A browser sends the request for a page of another site, which may not make it.
    #[error("pages of other sites may not make this request; an allowed origin sends JSON or a credential header")]
    CrossSite,
    /// The thing asked for does not exist.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// No credential, or one that is wrong, expired or ended.
    #[error("not signed in")]
    Unauthenticated,
    /// No code is waiting for this number: none was asked for, or it was used.
    #[error("no code is waiting for this number")]
    CodeNotAsked,
    /// The code is older than the policy allows.
    #[error("the code has expired")]
    CodeExpired,
    /// The code is not the one that was sent.
    #[error("wrong code")]
    CodeWrong,
    /// The code was guessed at too often; a new one may be asked for.
    #[error("too many wrong guesses; ask for a new code")]
    CodeGuessesSpent,
    /// A code was sent to this number a moment ago.
    #[error("a code was sent a moment ago; try again in {retry_after} s")]
    CodeTooSoon {
        /// Seconds until another may be asked for.
        retry_after: u64,
    },
    /// A cap on how often something may be done was reached.
    #[error("too many {cap}; try again in {retry_after} s")]
    Limited {
        /// What was done too often.
        cap: Cap,
        /// Seconds until it may be tried again.
        retry_after: u64,
    },
    /// Somebody has as much of something as an account may have. Waiting does not help.
    #[error("{0}")]
    Full(Quota),
    /// Codes are not sent to numbers of this country.
    #[error("no codes are sent to this country")]
    CountryNotServed,
    /// The type of the number is known, and it is not that of a mobile.
    #[error("number is not a mobile number, so it cannot receive text messages")]
    NotMobile,
    /// The text-message service refused to send. The code was taken back, so another may be asked for at once.
    #[error("the text message could not be sent; ask again")]
    TextNotSent,
    /// The refresh token is not one of ours, its session is over, or it belongs to somebody else.
    #[error("the refresh token is not valid")]
    RefreshInvalid,
    /// The refresh token was replaced before: it is in two hands, so its session was ended.
    #[error("the refresh token was used before; the session was ended")]
    RefreshReused,
    /// The number or the name belongs to an account already.
    #[error("this {0} is taken")]
    Taken(&'static str),
    /// The number or name and the password do not belong together. The same whether the account exists or not.
    #[error("wrong account or password")]
    PasswordWrong,
    /// Too many wrong passwords were typed for the account or from the IP address. Most APIs refuse it in the words of
    /// [`Error::PasswordWrong`], so that nobody sees that there is a lock.
    #[error("wrong account or password")]
    Locked {
        /// Seconds until the lock ends.
        retry_after: u64,
    },
    /// The captcha's text is not what was typed. It is spent.
    #[error("the captcha was not read right; ask for a new one")]
    CaptchaWrong,
    /// No captcha of this id is waiting: it was never asked for, is too old or was checked before.
    #[error("the captcha has expired; ask for a new one")]
    CaptchaExpired,
    /// A text is sent only to a caller that solves a captcha.
    #[error("a captcha is needed: get a picture, and send its id and its text with the request")]
    CaptchaNeeded,
    /// The verification token was never given out, is too old or was used.
    #[error("no such verification token")]
    VerificationUnknown,
    /// The thing belongs to somebody else.
    #[error("not yours")]
    NotYours,
    /// What may be written once was written before, and differently.
    #[error("already written, and may not be changed")]
    AlreadyWritten,
    /// The request was for a certain state of the thing, which is in another.
    #[error("the condition of the request does not hold")]
    ConditionFailed,
    /// The sign-in provider says that the token is not this person's, or not meant for this app.
    #[error("the sign-in provider does not vouch for this token")]
    ProviderRefused,
    /// The sign-in provider could not be asked.
    #[error("the sign-in provider cannot be reached; try again")]
    ProviderUnreachable,
    /// They are friends already.
    #[error("friends already")]
    AlreadyFriends,
    /// They are no friends, and what was asked for is for friends.
    #[error("not a friend")]
    NotFriends,
    /// A group's rules are against it.
    #[error("{0}")]
    Group(GroupRule),
    /// Something failed that the caller cannot mend.
    #[error("internal error")]
    Fault(#[from] Fault),
}

impl Error {
    /// Seconds after which the same request may succeed, where the words say so too.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u64> {
        match self {
            Self::CodeTooSoon { retry_after } | Self::Limited { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }

    /// A word for what happened, without a detail of the request: for log lines and counts.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Invalid { .. } => "invalid",
            Self::TooLarge { .. } => "too_large",
            Self::UnsupportedMedia(_) => "unsupported_media",
            Self::NoRoute => "no_route",
            Self::WrongMethod { .. } => "wrong_method",
            Self::CrossSite => "cross_site",
            Self::NotFound(_) => "not_found",
            Self::Unauthenticated => "unauthenticated",
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
            Self::NotYours => "not_yours",
            Self::AlreadyWritten => "already_written",
            Self::ConditionFailed => "condition_failed",
            Self::ProviderRefused => "provider_refused",
            Self::ProviderUnreachable => "provider_unreachable",
            Self::AlreadyFriends => "already_friends",
            Self::NotFriends => "not_friends",
            Self::Group(_) => "group_rule",
            Self::Fault(_) => "fault",
        }
    }
}

/// A rule of groups that a request ran into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupRule {
    /// What only members may see or do was asked for by somebody else.
    MembersOnly,
    /// What the owner and managers may do was tried by a plain member.
    ManagersOnly,
    /// What only the owner may do was tried by another member.
    OwnerOnly,
    /// Only the owner appoints managers and dismisses them.
    OwnerAppoints,
    /// A person who was named is no member.
    NotInGroup,
    /// The owner cannot be kicked or have another role, and cannot hand the group to themselves.
    OwnerStays,
    /// A group has no room for so many.
    Full,
    /// A person is in as many groups as one may be.
    TooManyGroups,
    /// Nothing was posted on the group's board.
    NoBulletin,
}

impl fmt::Display for GroupRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MembersOnly => "not a member of this group",
            Self::ManagersOnly => "only the owner and managers of the group may do this",
            Self::OwnerOnly => "only the owner of the group may do this",
            Self::OwnerAppoints => "only the owner of the group appoints and removes managers",
            Self::NotInGroup => "a person named is not in the group",
            Self::OwnerStays => "the owner's role is not changed this way",
            Self::Full => "the group has no room for so many members",
            Self::TooManyGroups => "in too many groups",
            Self::NoBulletin => "the group has no bulletin",
        })
    }
}

/// What a cap is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cap {
    /// Codes to one number in an hour or a day.
    CodesToNumber,
    /// Codes to a block of numbers in which too few are used.
    UnusedCodes,
    /// Codes asked for from one address.
    CodesFromAddress,
    /// Codes to one country.
    CodesToCountry,
    /// Numbers looked up by one account in a day.
    Lookups,
    /// Failed sign-ins to one account or from one address.
    SignInFailures,
    /// Rooms made without an owner from one address.
    AnonymousRooms,
    /// Requests at the same time that write the same item.
    AtOnce,
    /// Accounts made from one address that cost no text message.
    AccountsFromAddress,
    /// Requests from one address whose answers show whether a number or a name has an account.
    ChecksFromAddress,
}

impl Cap {
    const fn kind(self) -> &'static str {
        match self {
            Self::CodesToNumber => "codes_to_number",
            Self::UnusedCodes => "unused_codes",
            Self::CodesFromAddress => "codes_from_address",
            Self::CodesToCountry => "codes_to_country",
            Self::Lookups => "lookups",
            Self::SignInFailures => "sign_in_failures",
            Self::AnonymousRooms => "anonymous_rooms",
            Self::AtOnce => "requests_at_once",
            Self::AccountsFromAddress => "accounts_from_address",
            Self::ChecksFromAddress => "checks_from_address",
        }
    }
}

impl fmt::Display for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CodesToNumber => "codes to this number",
            Self::UnusedCodes => "unused codes to numbers like this one",
            Self::CodesFromAddress => "codes from this address",
            Self::CodesToCountry => "codes to this country",
            Self::Lookups => "numbers looked up today",
            Self::SignInFailures => "failed sign-ins",
            Self::AnonymousRooms => "rooms from this address",
            Self::AtOnce => "requests at once for the same thing",
            Self::AccountsFromAddress => "new accounts from this address",
            Self::ChecksFromAddress => "numbers and names checked from this address today",
        })
    }
}

/// What an account has at most so much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// Rooms that it owns.
    Rooms,
    /// Bytes of pictures and voice notes that it uploaded.
    Media,
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rooms => "too many rooms; delete one first",
            Self::Media => "the account has no space left for pictures and voice notes",
        })
    }
}

/// A failure of ours or of a service we use: logged once with its chain, never shown.
#[derive(Debug)]
pub struct Fault {
    doing: &'static str,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl Fault {
    /// A fault met while `doing` something, for the reason `source`.
    pub fn new(doing: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { doing, source: source.into() }
    }

    /// The whole chain of reasons on one line, outermost first.
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
    fn a_fault_tells_its_whole_chain() {
        let inner = Fault::new("reading the table", "the line was cut");
        let outer = Fault::new("signing in", inner);
        assert_eq!(outer.chain(), "while signing in: while reading the table: the line was cut");
    }
}
