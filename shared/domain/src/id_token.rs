//! Identity tokens: signed statements of a sign-in provider that a user has signed in to our app.
//!
//! They are JWTs as `OpenID` Connect defines them: <https://openid.net/specs/openid-connect-core-1_0.html#IDToken>

use std::fmt;

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::Result;
use super::clock::Timestamp;
use super::login_identifier::Subject;
use super::provider::Provider;

/// The maximum size of [`ProviderUser::claims`] as JSON, in bytes.
pub const CLAIMS_BYTES: usize = 2_048;

/// An identity token as a client presents it. It is not yet checked.
pub struct IdToken<'a> {
    /// The provider that is said to have issued the token.
    pub provider: Provider,
    /// The token.
    pub token: &'a str,
    /// The access token that the provider issued together with it, if the client sends it.
    pub access_token: Option<&'a str>,
    /// The nonce that the client chose for this sign-in. The provider was given its SHA-256, in lower-case hexadecimal.
    pub nonce: Option<&'a str>,
}

/// A user as a provider's identity token describes them.
#[derive(Clone, PartialEq)]
pub struct ProviderUser {
    /// The provider's id of the user.
    pub subject: Subject,
    /// The email address. Apple's may be one that forwards to the user's own.
    pub email: Option<String>,
    /// Whether the provider has verified that the user receives mail at this address.
    pub email_verified: bool,
    /// The name. Apple's tokens do not contain one.
    pub name: Option<String>,
    /// The URL of a picture. Apple's tokens do not contain one.
    pub picture: Option<String>,
    /// The claims to store with the identity: `sub`, `provider_id`, `iss`, `email`, `email_verified`, `name`,
    /// `full_name`, `picture` and `avatar_url`. They have at most [`CLAIMS_BYTES`]; a claim beyond that is left out.
    pub claims: Map<String, Value>,
}

/// Personal data is never logged.
impl fmt::Debug for ProviderUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProviderUser")
    }
}

/// Checks identity tokens.
#[async_trait]
pub trait IdTokenCheck: Send + Sync {
    /// Whether this deployment is configured for a provider. If not, every token of that provider is refused.
    fn knows(&self, provider: Provider) -> bool;

    /// Checks that the provider signed `token` for our app, that it is valid at the time `now`, and that the nonce and
    /// the access token belong to it. Returns the user that it describes.
    ///
    /// Fails with [`super::Error::ProviderRefused`] when one of these is not so or the provider is not configured, and
    /// with [`super::Error::ProviderUnreachable`] when the provider's public keys cannot be fetched.
    async fn check(&self, token: &IdToken<'_>, now: Timestamp) -> Result<ProviderUser>;
}
