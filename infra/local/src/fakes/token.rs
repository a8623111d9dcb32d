//! The access tokens of the fakes.

use std::time::Duration;

use super::message::Told;

/// Longer than the functions wait for a service.
const SLOW: Duration = Duration::from_secs(6);

/// The meaning of an access token.
#[derive(Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// The token is missing.
    Missing,
    /// It belongs to a user and to our app.
    Ours(&'a str),
    /// It belongs to a user and to another app.
    OtherApp(&'a str),
    /// It has expired.
    Expired,
    /// No service issued it.
    Invalid,
}

impl<'a> Token<'a> {
    /// Parses a token, and waits if the token says so. The error is the response of a service that is down.
    pub async fn read(text: &'a str) -> Result<Self, Told> {
        match text {
            "test-broken" => return Err(Told::error_page()),
            "test-slow" => tokio::time::sleep(SLOW).await,
            _ => {}
        }
        Ok(Self::parse(text))
    }

    fn parse(text: &'a str) -> Self {
        if text.is_empty() {
            Self::Missing
        } else if text == "test-expired" {
            Self::Expired
        } else if let Some(subject) = text.strip_prefix("test-other-app-") {
            Self::OtherApp(subject)
        } else {
            text.strip_prefix("test-").filter(|subject| !subject.is_empty()).map_or(Self::Invalid, Self::Ours)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_what_it_is() {
        for (text, token) in [
            ("", Token::Missing),
            ("test-", Token::Invalid),
            ("test", Token::Invalid),
            ("TEST-42", Token::Invalid),
            ("test-42", Token::Ours("42")),
            ("test-other-app-42", Token::OtherApp("42")),
            ("test-expired", Token::Expired),
        ] {
            assert_eq!(Token::parse(text), token, "{text}");
        }
    }
}
