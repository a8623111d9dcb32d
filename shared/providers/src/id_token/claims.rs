//! The claims of an identity token, and what they must be.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Issuer;
use domain::clock::Timestamp;
use domain::crypto;
use domain::id_token::{CLAIMS_BYTES, IdToken, ProviderUser};
use domain::login_identifier::Subject;

/// How long after its end a token is still accepted, for clocks that differ.
const LEEWAY: Duration = Duration::from_mins(1);
/// How far ahead of ours the provider's clock may be.
const AHEAD: Duration = Duration::from_mins(5);
/// Maximum length of an email address in bytes (RFC 5321, section 4.5.3.1.3).
const LONGEST_EMAIL: usize = 254;

/// The claims that are read. Only a token whose signature was verified becomes this.
#[derive(Deserialize)]
pub(super) struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
    nonce: Option<String>,
    at_hash: Option<String>,
    email: Option<String>,
    email_verified: Option<Flag>,
    name: Option<String>,
    picture: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Apple sends a boolean or the same as text, depending on the flow.
#[derive(Deserialize)]
#[serde(untagged)]
enum Flag {
    Boolean(bool),
    Text(String),
}

/// What is wrong with a token, for the log.
type Reason = &'static str;

impl Claims {
    /// Checks that the token was issued by this provider, for our app and for this sign-in, and is valid now.
    pub fn check(&self, issuer: &Issuer, given: &IdToken<'_>, now: Timestamp) -> Result<(), Reason> {
        if !issuer.names.contains(&self.iss.as_str()) {
            return Err("another issuer");
        }
        if !self.is_for(&issuer.client_ids) {
            return Err("another app's token");
        }
        if now.minus(LEEWAY).seconds() >= self.exp {
            return Err("expired");
        }
        if self.iat.max(self.nbf.unwrap_or(self.iat)) > now.plus(AHEAD).seconds() {
            return Err("not valid yet");
        }
        if !self.has_nonce(given.nonce) {
            return Err("another sign-in's nonce");
        }
        if !self.fits_access_token(given.access_token) {
            return Err("another sign-in's access token");
        }
        Ok(())
    }

    /// Whether one of our apps is the audience. A token for several apps must also have been issued to one of ours.
    fn is_for(&self, client_ids: &[String]) -> bool {
        match &self.aud {
            Audience::One(app) => client_ids.contains(app),
            Audience::Several(apps) => {
                let issued_to_us = || self.azp.as_ref().is_some_and(|app| client_ids.contains(app));
                apps.iter().any(|app| client_ids.contains(app)) && (apps.len() == 1 || issued_to_us())
            }
        }
    }

    /// Whether the token has the hash of this nonce. If one of the two has no nonce, the other must have none either:
    /// otherwise a stolen token would be accepted by leaving the nonce out.
    fn has_nonce(&self, raw: Option<&str>) -> bool {
        match (present(self.nonce.as_deref()), present(raw)) {
            (None, None) => true,
            (Some(hash), Some(raw)) => {
                crypto::same(hash.as_bytes(), crypto::hex(&crypto::sha256(raw.as_bytes())).as_bytes())
            }
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// Whether the access token, if there is one, was issued together with this token. `at_hash` is optional, so a
    /// token without it is accepted with any access token, as in Supabase's auth server.
    fn fits_access_token(&self, access_token: Option<&str>) -> bool {
        match (present(self.at_hash.as_deref()), present(access_token)) {
            (Some(hash), Some(token)) => {
                let digest = crypto::sha256(token.as_bytes());
                let left_half = BASE64_URL_SAFE_NO_PAD.encode(&digest[..digest.len() / 2]);
                crypto::same(hash.as_bytes(), left_half.as_bytes())
            }
            _ => true,
        }
    }

    /// The user that the token describes.
    pub fn into_user(self) -> Result<ProviderUser, Reason> {
        let subject = Subject::parse(&self.sub).map_err(|_| "no valid subject")?;
        let email = self.email.filter(|email| is_email(email));
        let verified = match self.email_verified {
            Some(Flag::Boolean(verified)) => verified,
            Some(Flag::Text(text)) => text == "true",
            None => false,
        };
        let email_verified = verified && email.is_some();
        let text = |text: &Option<String>| text.clone().map(Value::String);
        // The names of GoTrue's identity data. The first claims always fit.
        let claims = bounded([
            ("sub", Some(self.sub.clone().into())),
            ("provider_id", Some(self.sub.into())),
            ("iss", Some(self.iss.into())),
            ("email", text(&email)),
            ("email_verified", email.is_some().then_some(email_verified.into())),
            ("name", text(&self.name)),
            ("full_name", text(&self.name)),
            ("picture", text(&self.picture)),
            ("avatar_url", text(&self.picture)),
        ]);
        Ok(ProviderUser { subject, email, email_verified, name: self.name, picture: self.picture, claims })
    }
}

/// An empty text is as good as none.
fn present(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

fn is_email(text: &str) -> bool {
    let plain = !text.contains(|c: char| c.is_whitespace() || c.is_control());
    text.len() <= LONGEST_EMAIL
        && plain
        && text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
}

/// The claims that there are, in this order, except those that no longer fit.
fn bounded<const N: usize>(claims: [(&str, Option<Value>); N]) -> Map<String, Value> {
    let mut left = CLAIMS_BYTES - "{}".len();
    let mut kept = Map::new();
    for (name, value) in claims {
        let Some(value) = value else { continue };
        let size = name.len() + value.to_string().len() + r#""":,"#.len();
        if let Some(rest) = left.checked_sub(size) {
            left = rest;
            kept.insert(name.to_owned(), value);
        }
    }
    kept
}
