//! The text message with a code, and its last line, from which phones fill the code in.
//!
//! `docs/decisions/0017-one-text-for-every-phone.md` has what each system demands, and why the line looks as it does.

use std::str::FromStr;
use std::time::Duration;

use crate::{Error, Result};

/// Longest text that Google's SMS Retriever reads, in bytes.
/// Source: <https://developers.google.com/identity/sms-retriever/verify>.
const RETRIEVER_BYTES: usize = 140;

/// Longest text without the hash of an app, in characters: one SMS in the GSM alphabet.
const SMS_CHARACTERS: usize = 160;

/// The hash by which Google Play services know for which Android app a text is meant: the first 11 characters of a hash,
/// in Base64, of the package's name and its signing certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppHash(String);

impl AppHash {
    const LENGTH: usize = 11;

    /// Parses a hash.
    pub fn parse(text: &str) -> Result<Self> {
        let base64 = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
        if text.len() == Self::LENGTH && text.bytes().all(base64) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::Invalid { field: "app_hash", rule: "must have 11 characters: letters, digits, + and /" })
        }
    }

    /// Parses the field of a request. A client without a hash omits the field or sends it empty.
    pub fn from_field(field: Option<&str>) -> Result<Option<Self>> {
        // A `+` that is not encoded arrives from a form or a query as a space, which no hash contains.
        let sent = field.filter(|field| !field.trim().is_empty()).map(|field| field.replace(' ', "+"));
        sent.as_deref().map(Self::parse).transpose()
    }
}

impl FromStr for AppHash {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

/// The limit that a text exceeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextTooLong {
    /// It is too long for an Android app to read it.
    ForApps,
    /// It is longer than one SMS.
    ForSms,
}

impl TextTooLong {
    /// What the text should be instead.
    #[must_use]
    pub const fn expected(self) -> &'static str {
        match self {
            Self::ForApps => {
                "so short that a text with code, host and app hash has at most 140 bytes, as Android apps need"
            }
            Self::ForSms => "so short that a text with code and host has at most 160 characters",
        }
    }
}

/// How the text message with a code is written.
#[derive(Clone, Debug)]
pub struct CodeText {
    template: String,
    host: Option<String>,
    apps: Vec<AppHash>,
}

impl CodeText {
    /// A text from a template, in which `{code}` and `{minutes}` are replaced.
    ///
    /// `host` is the web site that may fill the code in, and whose apps may on iOS; `apps` are the Android apps that may
    /// read the text.
    #[must_use]
    pub fn new(template: &str, host: Option<&str>, apps: Vec<AppHash>) -> Self {
        Self { template: template.to_owned(), host: host.map(str::to_owned), apps }
    }

    /// Fails if a text can become too long, with a code of so many digits that is valid for `ttl`.
    pub fn check_length(&self, digits: u32, ttl: Duration) -> std::result::Result<(), TextTooLong> {
        let longest = self.write(&"0".repeat(digits as usize), ttl, self.apps.first());
        if !self.apps.is_empty() && longest.len() > RETRIEVER_BYTES {
            return Err(TextTooLong::ForApps);
        }
        if longest.chars().count() > SMS_CHARACTERS { Err(TextTooLong::ForSms) } else { Ok(()) }
    }

    /// The text with this code, for the app that requested it. An app that is not allowed gets the text without its
    /// hash: it may be an old version, whose user types the code, or someone else's app, which must not read it.
    #[must_use]
    pub fn write(&self, code: &str, ttl: Duration, app: Option<&AppHash>) -> String {
        let minutes = ttl.as_secs().div_ceil(60);
        let text = self.template.replace("{code}", code).replace("{minutes}", &minutes.to_string());
        let site = self.host.as_ref().map(|host| format!("@{host} #{code}"));
        let app = app.filter(|app| self.apps.contains(app)).map(|AppHash(hash)| hash.clone());
        match (site, app) {
            (None, None) => text,
            (Some(last), None) | (None, Some(last)) => format!("{text}\n{last}"),
            (Some(site), Some(hash)) => format!("{text}\n{site} {hash}"),
        }
    }
}

#[cfg(test)]
mod tests;
