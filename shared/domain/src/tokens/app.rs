//! The access tokens of the Supabase API: ES256, because its clients cannot verify `EdDSA`.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{INVALID, Keys};
use crate::account::Caller;
use crate::clock::Timestamp;
use crate::uuid::Uuid;
use crate::{Error, Fault, Result, crypto};

/// The audience of these tokens.
pub const AUDIENCE: &str = "authenticated";

/// A key for these tokens.
pub(super) struct AppKey {
    pub(super) kid: String,
    x: [u8; 32],
    y: [u8; 32],
    signing: EncodingKey,
    checking: DecodingKey,
}

impl AppKey {
    /// The key whose secret number is the first that `number` gives which is below the group's order. Nearly all numbers
    /// of 32 bytes are.
    pub(super) fn derive(number: impl Fn(u32) -> [u8; 32], kid: impl Fn(&[u8]) -> String) -> Option<Self> {
        let (pkcs8, x, y) = (0..8).find_map(|attempt| crypto::p256(&number(attempt)))?;
        let text = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        Some(Self {
            kid: kid(&[x, y].concat()),
            signing: EncodingKey::from_ec_der(&pkcs8),
            checking: DecodingKey::from_ec_components(&text(&x), &text(&y)).ok()?,
            x,
            y,
        })
    }

    pub(super) fn jwk(&self) -> Value {
        json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "key_ops": ["verify"], "kid": self.kid,
            "x": BASE64_URL_SAFE_NO_PAD.encode(self.x), "y": BASE64_URL_SAFE_NO_PAD.encode(self.y),
        })
    }
}

/// The content of an access token after its signature was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppToken {
    /// The session it belongs to.
    pub caller: Caller,
    /// The generation of the session's refresh token with which it was issued.
    pub generation: u32,
    /// When it expires, in seconds since 1970.
    pub expires: i64,
}

/// The claims of a token. `shown` are those that only clients read.
#[derive(Serialize)]
struct Claims<'a, T> {
    iss: &'a str,
    aud: &'a str,
    sub: String,
    session_id: String,
    uid: String,
    turn: u32,
    iat: i64,
    exp: i64,
    #[serde(flatten)]
    shown: &'a T,
}

/// The claims that we read.
#[derive(Deserialize)]
struct Read {
    uid: String,
    session_id: String,
    turn: u32,
    exp: i64,
}

impl Keys {
    /// An access token of the Supabase API for the session of `token`, with further claims for clients.
    pub fn app_token(&self, token: AppToken, subject: &str, shown: &impl Serialize, now: Timestamp) -> Result<String> {
        let key = self.current.app();
        let header = Header { kid: Some(key.kid.clone()), ..Header::new(Algorithm::ES256) };
        let claims = Claims {
            iss: &self.issuer,
            aud: AUDIENCE,
            sub: subject.to_owned(),
            session_id: Uuid::of_session(token.caller.session).to_string(),
            uid: token.caller.user.to_string(),
            turn: token.generation,
            iat: now.seconds(),
            exp: token.expires,
            shown,
        };
        jsonwebtoken::encode(&header, &claims, &key.signing)
            .map_err(|error| Fault::new("signing an access token", error).into())
    }

    /// Whether a token names a key of the Supabase API's access tokens. Its signature is not checked.
    #[must_use]
    pub fn is_app_token(&self, token: &str) -> bool {
        let kid = jsonwebtoken::decode_header(token).ok().and_then(|header| header.kid);
        // The messenger API's keys first: those of this API are derived at their first use, which costs time.
        kid.is_some_and(|kid| !self.sets().any(|set| set.kid == kid) && self.sets().any(|set| set.app().kid == kid))
    }

    /// The content of an access token of the Supabase API, if it expired at most `leeway` before the time `now`.
    pub fn check_app_token(&self, token: &str, leeway: Duration, now: Timestamp) -> Result<AppToken> {
        let malformed = |_| INVALID;
        let kid = jsonwebtoken::decode_header(token).map_err(malformed)?.kid;
        let set = self.sets().find(|set| kid.as_deref() == Some(&set.app().kid)).ok_or(INVALID)?;
        let read = jsonwebtoken::decode::<Read>(token, &set.app().checking, &self.app_validation);
        let Read { uid, session_id, turn: generation, exp: expires } = read.map_err(malformed)?.claims;
        let user = uid.parse().map_err(|_: Error| INVALID)?;
        let session = session_id.parse().ok().and_then(Uuid::session).ok_or(INVALID)?;
        if now.minus(leeway).seconds() >= expires {
            return Err(INVALID);
        }
        Ok(AppToken { caller: Caller { user, session }, generation, expires })
    }

    /// The public halves of the keys of these tokens as a JSON Web Key Set. It has no keys of other kinds, since the
    /// Python client refuses the whole set because of one.
    #[must_use]
    pub fn app_jwks(&self) -> Value {
        json!({ "keys": self.sets().map(|set| set.app().jwk()).collect::<Vec<_>>() })
    }

    /// The issuer of all tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::UserId;
    use crate::session::SessionId;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    const HOUR: Duration = Duration::from_hours(1);

    fn token() -> AppToken {
        let caller = Caller { user: UserId::new(42).unwrap(), session: SessionId::from_bytes([9; 12]) };
        AppToken { caller, generation: 3, expires: NOW.plus(HOUR).seconds() }
    }

    #[test]
    fn a_token_is_good_until_it_expires_and_a_little_longer_where_that_is_allowed() {
        let keys = Keys::for_tests();
        let text = keys.app_token(token(), "sub", &json!({ "role": "authenticated" }), NOW).unwrap();
        let check = |leeway, now| keys.check_app_token(&text, leeway, now);
        assert_eq!(check(Duration::ZERO, NOW).unwrap(), token());
        assert!(check(Duration::ZERO, NOW.plus(HOUR)).is_err());
        assert!(check(Duration::from_mins(5), NOW.plus(HOUR)).is_ok());
        assert!(check(Duration::from_mins(5), NOW.plus(HOUR + Duration::from_mins(5))).is_err());
    }

    #[test]
    fn the_two_kinds_of_access_tokens_are_not_taken_for_each_other() {
        let keys = Keys::for_tests();
        let app = keys.app_token(token(), "42", &json!({ "sid": "CQkJCQkJCQkJCQkJ" }), NOW).unwrap();
        let other = keys.access_token(token().caller, HOUR, NOW).unwrap();
        assert!(keys.check_access_token(&app, NOW).is_err());
        assert!(keys.check_app_token(&other, HOUR, NOW).is_err());
        let kinds: Vec<_> = keys.app_jwks()["keys"].as_array().unwrap().iter().map(|key| key["kty"].clone()).collect();
        assert_eq!(kinds, ["EC"]);
    }

    #[test]
    fn a_changed_token_is_refused() {
        let keys = Keys::for_tests();
        let text = keys.app_token(token(), "sub", &json!({}), NOW).unwrap();
        let (head, rest) = text.split_once('.').unwrap();
        let (claims, signature) = rest.split_once('.').unwrap();
        let none = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
        let mut other = signature.to_owned().into_bytes();
        other[10] ^= 1;
        let other = String::from_utf8(other).unwrap();
        for bad in [
            format!("{none}.{claims}."),
            format!("{head}.{claims}."),
            format!("{head}.{claims}.{other}"),
            "a.b.c".into(),
        ] {
            assert!(keys.check_app_token(&bad, HOUR, NOW).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_is_drawn_again_until_its_number_is_below_the_order() {
        let key = AppKey::derive(|attempt| if attempt < 2 { [0xff; 32] } else { [1; 32] }, |_| String::new()).unwrap();
        let (_, x, _) = crypto::p256(&[1; 32]).unwrap();
        assert_eq!(key.x, x);
    }
}
