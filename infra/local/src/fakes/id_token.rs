//! Apple's and Google's key sets, and identity tokens that are signed with these keys.
//!
//! `/auth/keys` of <https://developer.apple.com/documentation/signinwithapplerestapi/fetch_apple_s_public_key_for_verifying_token_signature>
//! and `/oauth2/v3/certs`, the `jwks_uri` of <https://accounts.google.com/.well-known/openid-configuration>. `/sign` and
//! `/rotate` exist only here: the real providers sign tokens for their users only.

use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use domain::crypto;
use http::Method;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Value, json};

use super::message::{Asked, Told};
use crate::clock;

/// How long a token is valid, in seconds.
const VALID: i64 = 3_600;

/// A provider that issues identity tokens.
#[derive(Debug)]
pub struct Issuer {
    name: &'static str,
    iss: &'static str,
    /// The id of our app.
    pub client_id: &'static str,
    keys: Mutex<Keys>,
}

/// The key that signs and the one before it, which is still published. The newest is the first. Keys are made when they
/// are first needed, because that takes a moment and most runs need none.
#[derive(Debug, Default)]
struct Keys {
    pairs: Vec<(String, RsaKeyPair)>,
    /// How many were made.
    made: u32,
}

impl Issuer {
    /// Apple, with the id of our app.
    pub fn apple() -> Self {
        Self::new("apple", "https://appleid.apple.com", "app.handset.example")
    }

    /// Google, with the id of our app.
    pub fn google() -> Self {
        Self::new("google", "https://accounts.google.com", "handset-web.apps.example")
    }

    fn new(name: &'static str, iss: &'static str, client_id: &'static str) -> Self {
        Self { name, iss, client_id, keys: Mutex::default() }
    }

    /// The key set.
    pub fn certs(&self, asked: &Asked) -> Told {
        if asked.method != Method::GET {
            return refuse(405, "use GET");
        }
        self.publish().unwrap_or_else(|_| no_key())
    }

    /// A new key signs from now on.
    pub fn rotate(&self, asked: &Asked) -> Told {
        if asked.method != Method::POST {
            return refuse(405, "use POST");
        }
        match self.keys().rotate(self.name) {
            Ok(()) => Told::json(200, &json!({})),
            Err(Unspecified) => no_key(),
        }
    }

    /// Signs a token. The fields of the request replace the claims of the same name, and null removes a claim; three are
    /// no claims: `kid` is for the header, `raw_nonce` gives the claim `nonce` and `access_token` the claim `at_hash`.
    pub fn sign(&self, asked: &Asked) -> Told {
        if asked.method != Method::POST {
            return refuse(405, "use POST");
        }
        let Some(Value::Object(mut fields)) = asked.json() else {
            return refuse(400, "the body is a JSON object with claims");
        };
        let now = clock::now().unix_timestamp();
        let mut claims = json!({
            "iss": self.iss, "aud": self.client_id, "sub": "test-user", "iat": now, "exp": now + VALID,
        });
        let mut special = |name| fields.remove(name).and_then(|value| value.as_str().map(str::to_owned));
        let (kid, raw_nonce, access_token) = (special("kid"), special("raw_nonce"), special("access_token"));
        if let Some(nonce) = raw_nonce {
            claims["nonce"] = crypto::hex(&crypto::sha256(nonce.as_bytes())).into();
        }
        if let Some(token) = &access_token {
            claims["at_hash"] = BASE64_URL_SAFE_NO_PAD.encode(&crypto::sha256(token.as_bytes())[..16]).into();
        }
        for (name, value) in fields {
            claims[name] = value;
        }
        if let Some(claims) = claims.as_object_mut() {
            claims.retain(|_, value| !value.is_null());
        }
        let Ok(id_token) = self.signed(kid.as_deref(), &claims) else { return no_key() };
        let mut body = json!({ "id_token": id_token });
        if let Some(token) = access_token {
            body["access_token"] = token.into();
        }
        Told::json(200, &body)
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self) -> Result<Told, Unspecified> {
        let mut keys = self.keys();
        keys.current(self.name)?;
        let published: Result<Vec<Value>, Unspecified> = keys.pairs.iter().map(published).collect();
        Ok(Told::json(200, &json!({ "keys": published? })))
    }

    fn signed(&self, kid: Option<&str>, claims: &Value) -> Result<String, Unspecified> {
        let mut keys = self.keys();
        let (own, pair) = keys.current(self.name)?;
        let header = json!({ "alg": "RS256", "kid": kid.unwrap_or(own), "typ": "JWT" });
        let encoded = |part: &Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
        let message = format!("{}.{}", encoded(&header), encoded(claims));
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)?;
        Ok(format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
    }
}

impl Keys {
    fn rotate(&mut self, provider: &str) -> Result<(), Unspecified> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048)?;
        self.made += 1;
        self.pairs.insert(0, (format!("{provider}-{}", self.made), pair));
        self.pairs.truncate(2);
        Ok(())
    }

    fn current(&mut self, provider: &str) -> Result<&(String, RsaKeyPair), Unspecified> {
        if self.pairs.is_empty() {
            self.rotate(provider)?;
        }
        self.pairs.first().ok_or(Unspecified)
    }
}

/// The public half as a JSON Web Key.
fn published((kid, pair): &(String, RsaKeyPair)) -> Result<Value, Unspecified> {
    let public = DecodingKey::from_rsa_der(pair.public_key().as_ref());
    let mut jwk = Jwk::from_decoding_key(&public, Some(Algorithm::RS256)).map_err(|_| Unspecified)?;
    jwk.common.key_id = Some(kid.clone());
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    Ok(json!(jwk))
}

fn refuse(status: u16, words: &str) -> Told {
    Told::json(status, &json!({ "error": words }))
}

fn no_key() -> Told {
    refuse(500, "no key could be made")
}
