//! Identity tokens of Apple and Google, verified with the key sets that the two publish.
//!
//! <https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation>,
//! Apple <https://developer.apple.com/documentation/signinwithapple/verifying-a-user>,
//! Google <https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken>

mod claims;
mod key_set;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};

use self::claims::Claims;
use self::key_set::KeySet;
use crate::client::{BaseUrl, HttpsClient, Limits};
use crate::sign_in::NotConfirmed;
use domain::Result;
use domain::clock::Timestamp;
use domain::id_token::{IdToken, IdTokenCheck, ProviderUser};
use domain::provider::Provider;
use domain::random::Random;

/// Maximum length of an identity token in bytes. Those of both providers have between 700 and 1,300.
const LONGEST_TOKEN: usize = 8 * 1024;
/// Maximum length of an access token or a nonce in bytes. Google's access tokens have at most 2,048:
/// <https://developers.google.com/identity/protocols/oauth2#size>
const LONGEST_PROOF: usize = 4 * 1024;

/// The settings of each provider: the base URL of its key set, and the ids of our apps there. A provider without
/// settings, or without an id, refuses all users.
#[derive(Clone, Debug, Default)]
pub struct IdTokenSettings {
    /// Apple: bundle ids of apps, and service ids of web pages.
    pub apple: Option<(BaseUrl, Vec<String>)>,
    /// Google: OAuth client ids.
    pub google: Option<(BaseUrl, Vec<String>)>,
}

/// Verifies the identity tokens of the providers configured in this deployment. The key sets are kept in it, so there
/// should be one for the life of a process.
pub struct IdTokenVerifier {
    client: HttpsClient,
    apple: Option<Issuer>,
    google: Option<Issuer>,
}

/// A provider, for our apps.
struct Issuer {
    /// The permitted values of the claim `iss`.
    names: &'static [&'static str],
    client_ids: Vec<String>,
    keys: KeySet,
}

impl IdTokenVerifier {
    /// The providers that have settings. `random` is for the pauses before another attempt.
    #[must_use]
    pub fn new(settings: IdTokenSettings, random: Arc<dyn Random>) -> Self {
        let issuer = |names, path, (base, client_ids): (BaseUrl, Vec<String>)| {
            (!client_ids.is_empty()).then(|| Issuer { names, client_ids, keys: KeySet::new(base, path) })
        };
        let IdTokenSettings { apple, google } = settings;
        Self {
            client: HttpsClient::new(random),
            apple: apple.and_then(|app| issuer(&["https://appleid.apple.com"], "/auth/keys", app)),
            google: google.and_then(|app| {
                issuer(&["https://accounts.google.com", "accounts.google.com"], "/oauth2/v3/certs", app)
            }),
        }
    }

    /// The same providers with other limits.
    #[must_use]
    pub fn within(self, limits: Limits) -> Self {
        Self { client: self.client.within(limits), ..self }
    }

    fn issuer(&self, provider: Provider) -> Option<&Issuer> {
        match provider {
            Provider::Apple => self.apple.as_ref(),
            Provider::Google => self.google.as_ref(),
            Provider::WeChat | Provider::Qq | Provider::Weibo => None,
        }
    }

    async fn verify(&self, given: &IdToken<'_>, now: Timestamp) -> std::result::Result<ProviderUser, NotConfirmed> {
        let issuer = self.issuer(given.provider).ok_or_else(|| NotConfirmed::refused("not configured"))?;
        let fits = |proof: Option<&str>| proof.is_none_or(|proof| proof.len() <= LONGEST_PROOF);
        if given.token.len() > LONGEST_TOKEN || !fits(given.access_token) || !fits(given.nonce) {
            return Err(NotConfirmed::refused("too long"));
        }
        let kid = key_id(given.token)?;
        let key = issuer.keys.key(&self.client, &kid, now).await?;
        let claims = signed_claims(given.token, &key)?;
        claims.check(issuer, given, now).map_err(NotConfirmed::refused)?;
        claims.into_user().map_err(NotConfirmed::refused)
    }
}

/// The id of the key that signed a token, if the token is one that both providers could have issued.
fn key_id(token: &str) -> std::result::Result<String, NotConfirmed> {
    match jsonwebtoken::decode_header(token) {
        // An extension that is marked as critical must be understood (RFC 7515, section 4.1.11), and none is.
        Ok(Header { alg: Algorithm::RS256, kid: Some(kid), crit: None, .. }) => Ok(kid),
        Ok(_) => Err(NotConfirmed::refused("another kind of signature")),
        Err(_) => Err(NotConfirmed::refused("not a JWT")),
    }
}

/// The claims of a token that was signed with this key. The algorithm is fixed, whatever the token's header says.
fn signed_claims(token: &str, key: &DecodingKey) -> std::result::Result<Claims, NotConfirmed> {
    let mut signature_only = Validation::new(Algorithm::RS256);
    // The claims are checked afterwards: the library would compare times with the machine's clock.
    signature_only.required_spec_claims.clear();
    signature_only.validate_exp = false;
    signature_only.validate_aud = false;
    match jsonwebtoken::decode(token, key, &signature_only) {
        Ok(signed) => Ok(signed.claims),
        Err(error) if matches!(error.kind(), jsonwebtoken::errors::ErrorKind::Json(_)) => {
            Err(NotConfirmed::refused("a claim is missing or not of its type"))
        }
        Err(_) => Err(NotConfirmed::refused("the signature is wrong")),
    }
}

#[async_trait]
impl IdTokenCheck for IdTokenVerifier {
    fn knows(&self, provider: Provider) -> bool {
        self.issuer(provider).is_some()
    }

    async fn check(&self, token: &IdToken<'_>, now: Timestamp) -> Result<ProviderUser> {
        self.verify(token, now).await.map_err(|refusal| refusal.logged(token.provider))
    }
}
