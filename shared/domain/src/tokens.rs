//! Access, refresh and session tokens, and the keys that create them.
//!
//! All keys are derived from one generated secret. During a rotation, the keys of the previous secret still verify the
//! tokens that they signed, so nobody is signed out.

pub mod app;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use self::app::AppKey;
use super::account::{Caller, UserId};
use super::clock::Timestamp;
use super::network::{NetworkHash, network};
use super::session::SessionId;
use super::{Error, Fault, NotSignedIn, Result};
use crate::crypto;

/// The shortest secret in bytes.
const SECRET_BYTES: usize = 32;

/// A secret is too short to derive keys from.
#[derive(Debug, thiserror::Error)]
#[error("a secret has at least {SECRET_BYTES} characters")]
pub struct WeakSecret;

/// The keys that are derived from one secret.
struct KeySet {
    kid: String,
    public: [u8; 32],
    signing: EncodingKey,
    checking: DecodingKey,
    refresh: [u8; 32],
    session: [u8; 32],
    code: [u8; 32],
    network: [u8; 32],
    /// Derived at its first use, because most functions never use it and a start would wait for it.
    app: OnceLock<AppKey>,
    secret: String,
}

impl KeySet {
    fn derive(secret: &str) -> std::result::Result<Self, WeakSecret> {
        if secret.len() < SECRET_BYTES {
            return Err(WeakSecret);
        }
        let derive = |purpose: &str| crypto::derive(secret.as_bytes(), purpose);
        let (pkcs8, public) = crypto::ed25519(&derive("access token")).ok_or(WeakSecret)?;
        Ok(Self {
            kid: kid(secret, &public),
            app: OnceLock::new(),
            secret: secret.to_owned(),
            public,
            signing: EncodingKey::from_ed_der(&pkcs8),
            checking: DecodingKey::from_ed_der(&public),
            refresh: derive("refresh token"),
            session: derive("session token"),
            code: derive("code"),
            network: derive("network"),
        })
    }

    /// The key of access tokens of the Supabase API.
    fn app(&self) -> &AppKey {
        self.app.get_or_init(|| {
            let number = |attempt: u32| crypto::derive(self.secret.as_bytes(), &format!("app token {attempt}"));
            AppKey::derive(number, |public| kid(&self.secret, public))
                .expect("one of eight random numbers is below the group's order")
        })
    }
}

/// The id of a public key.
fn kid(secret: &str, public: &[u8]) -> String {
    let key = crypto::derive(secret.as_bytes(), "kid");
    BASE64_URL_SAFE_NO_PAD.encode(&crypto::mac(&key, public)[..9])
}

/// The current keys.
pub struct Keys {
    current: KeySet,
    previous: Option<KeySet>,
    issuer: String,
    audience: String,
    /// The rules for the claims of access tokens.
    validation: Validation,
    /// The same for those of the Supabase API.
    app_validation: Validation,
    checked: Checked,
}

/// The content of access tokens whose signatures were checked, by the SHA-256 of the token. A user's requests often come
/// shortly after each other, with the same token, and checking its signature takes a fifth of a request's processor time.
/// Whether the token has expired is checked every time.
#[derive(Default)]
struct Checked(Mutex<HashMap<[u8; 32], (Caller, i64)>>);

impl Checked {
    /// How many tokens are remembered. When there are so many, all are forgotten.
    const MOST: usize = 256;

    /// The content of `token`, which `check` returns unless it is remembered.
    fn read(&self, token: &str, check: impl FnOnce() -> Result<(Caller, i64)>) -> Result<(Caller, i64)> {
        let digest = crypto::sha256(token.as_bytes());
        if let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&digest) {
            return Ok(*known);
        }
        let content = check()?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= Self::MOST {
            known.clear();
        }
        known.insert(digest, content);
        Ok(content)
    }
}

/// The claims of an access token (RFC 7519).
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    sid: String,
    iat: i64,
    exp: i64,
}

/// The content of a refresh token after its MAC was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The session it belongs to.
    pub caller: Caller,
    /// The position of this token in the session's sequence of refresh tokens.
    pub generation: u32,
}

impl Keys {
    /// The keys of `secret` and, during a rotation, of the `previous` one. `issuer` and `audience` are the claims `iss`
    /// and `aud` of access tokens.
    pub fn new(
        secret: &str,
        previous: Option<&str>,
        issuer: &str,
        audience: &str,
    ) -> std::result::Result<Self, WeakSecret> {
        let validation = |algorithm, audience| {
            let mut validation = Validation::new(algorithm);
            validation.set_issuer(&[issuer]);
            validation.set_audience(&[audience]);
            validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
            // The library would compare with the machine's clock; our caller compares with its own clock.
            validation.validate_exp = false;
            validation
        };
        Ok(Self {
            current: KeySet::derive(secret)?,
            previous: previous.map(KeySet::derive).transpose()?,
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            validation: validation(Algorithm::EdDSA, audience),
            app_validation: validation(Algorithm::ES256, app::AUDIENCE),
            checked: Checked::default(),
        })
    }

    fn sets(&self) -> impl Iterator<Item = &KeySet> {
        std::iter::once(&self.current).chain(&self.previous)
    }

    /// An access token for `caller`, valid for `ttl` from `now`.
    pub fn access_token(&self, caller: Caller, ttl: Duration, now: Timestamp) -> Result<String> {
        let header = Header { kid: Some(self.current.kid.clone()), ..Header::new(Algorithm::EdDSA) };
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: caller.user.to_string(),
            sid: caller.session.to_string(),
            iat: now.seconds(),
            exp: now.plus(ttl).seconds(),
        };
        jsonwebtoken::encode(&header, &claims, &self.current.signing)
            .map_err(|error| Fault::new("signing an access token", error).into())
    }

    /// A token that identifies `subject` to a chat service, which verifies it with our public keys. It gives no access
    /// to this backend: its audience is `chat`, and it names no session.
    pub fn chat_token(&self, subject: &str, ttl: Duration, now: Timestamp) -> Result<String> {
        let header = Header { kid: Some(self.current.kid.clone()), ..Header::new(Algorithm::EdDSA) };
        let claims = serde_json::json!({
            "iss": self.issuer, "aud": "chat", "sub": subject, "iat": now.seconds(), "exp": now.plus(ttl).seconds(),
        });
        jsonwebtoken::encode(&header, &claims, &self.current.signing)
            .map_err(|error| Fault::new("signing a chat token", error).into())
    }

    /// The caller whose access token this is, if it is one of ours, has not expired at the time `now` and was not
    /// modified.
    pub fn check_access_token(&self, token: &str, now: Timestamp) -> Result<Caller> {
        let (caller, expires) = self.read_access_token(token)?;
        if now.seconds() < expires { Ok(caller) } else { Err(Error::Unauthenticated(NotSignedIn::Expired)) }
    }

    /// The caller to whom this access token was issued, even if it has expired since.
    pub fn check_expired_access_token(&self, token: &str) -> Result<Caller> {
        self.read_access_token(token).map(|(caller, _)| caller)
    }

    /// The caller and the second at which the token expires.
    fn read_access_token(&self, token: &str) -> Result<(Caller, i64)> {
        self.checked.read(token, || self.verify_access_token(token))
    }

    fn verify_access_token(&self, token: &str) -> Result<(Caller, i64)> {
        let malformed = |_| INVALID;
        let kid = jsonwebtoken::decode_header(token).map_err(malformed)?.kid;
        let set = self.sets().find(|set| kid.as_deref() == Some(&set.kid)).ok_or(INVALID)?;
        let claims = jsonwebtoken::decode::<Claims>(token, &set.checking, &self.validation).map_err(malformed)?.claims;
        let user = claims.sub.parse().map_err(|_| INVALID)?;
        let session = claims.sid.parse().map_err(|_| INVALID)?;
        Ok((Caller { user, session }, claims.exp))
    }

    /// The refresh token of a generation. The token is computed from the generation, so no token is ever stored.
    #[must_use]
    pub fn refresh_token(&self, token: RefreshToken) -> String {
        let body = refresh_body(token);
        let tag = crypto::mac(&self.current.refresh, &body);
        BASE64_URL_SAFE_NO_PAD.encode([&body[..], &tag[..]].concat())
    }

    /// The content of a refresh token, if it is one of ours.
    pub fn check_refresh_token(&self, token: &str) -> Result<RefreshToken> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).map_err(|_| Error::RefreshInvalid)?;
        let (body, tag) = bytes.split_at_checked(REFRESH_BODY).ok_or(Error::RefreshInvalid)?;
        let ours = self.sets().fold(false, |ours, set| ours | crypto::same(&crypto::mac(&set.refresh, body), tag));
        let (user, rest) = body.split_first_chunk().ok_or(Error::RefreshInvalid)?;
        let (session, rest) = rest.split_first_chunk().ok_or(Error::RefreshInvalid)?;
        let (generation, _) = rest.split_first_chunk().ok_or(Error::RefreshInvalid)?;
        match UserId::new(u64::from_be_bytes(*user)) {
            Some(user) if ours => Ok(RefreshToken {
                caller: Caller { user, session: SessionId::from_bytes(*session) },
                generation: u32::from_be_bytes(*generation),
            }),
            _ => Err(Error::RefreshInvalid),
        }
    }

    /// The opaque token of a session that `api` (its name in the code) began, for the APIs without refresh tokens. It
    /// names the caller. It is valid as long as the session in the table is, and it is not valid in any other API.
    #[must_use]
    pub fn session_token(&self, caller: Caller, api: &str) -> String {
        let body = session_body(caller);
        let tag = session_tag(&self.current, api, &body);
        BASE64_URL_SAFE_NO_PAD.encode([&body[..], &tag[..]].concat())
    }

    /// The caller of this session token, if it was issued for `api`. The store decides whether the session is active.
    pub fn check_session_token(&self, token: &str, api: &str) -> Result<Caller> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).map_err(|_| INVALID)?;
        let (body, tag) = bytes.split_at_checked(SESSION_BODY).ok_or(INVALID)?;
        let ours = self.sets().fold(false, |ours, set| ours | crypto::same(&session_tag(set, api, body), tag));
        let (user, rest) = body.split_first_chunk().ok_or(INVALID)?;
        let (session, _) = rest.split_first_chunk().ok_or(INVALID)?;
        let user = UserId::new(u64::from_be_bytes(*user)).filter(|_| ours).ok_or(INVALID)?;
        Ok(Caller { user, session: SessionId::from_bytes(*session) })
    }

    /// The keyed hash under which a code is stored: bound to the number and the purpose that the code was sent for.
    #[must_use]
    pub fn code_digest(&self, subject: &str, code: &str) -> [u8; 32] {
        digest(&self.current, subject, code)
    }

    /// Whether `code` is the one whose hash is `kept`. The comparison takes the same time wherever the two differ.
    #[must_use]
    pub fn code_matches(&self, subject: &str, code: &str, kept: &[u8]) -> bool {
        self.sets().fold(false, |same, set| same | crypto::same(&digest(set, subject, code), kept))
    }

    /// The hash under which an account stores the network of an address.
    #[must_use]
    pub fn network_hash(&self, user: UserId, address: IpAddr) -> NetworkHash {
        network_hash(&self.current, user, address)
    }

    /// The same hash under each current key: during a rotation, networks that were hashed with the previous key still
    /// count.
    #[must_use]
    pub fn network_hashes(&self, user: UserId, address: IpAddr) -> Vec<NetworkHash> {
        self.sets().map(|set| network_hash(set, user, address)).collect()
    }

    /// The keyed hash of the network of an address, for comparing two requests of one sign-up.
    #[must_use]
    pub fn network_text(&self, address: IpAddr) -> String {
        network_text(&self.current, address)
    }

    /// Whether the address is in the network with this keyed hash.
    #[must_use]
    pub fn is_network(&self, address: IpAddr, text: &str) -> bool {
        self.sets().any(|set| network_text(set, address) == text)
    }

    /// The address's group, out of `groups` groups of networks. The same address is always in the same group, and
    /// nobody can choose the group.
    #[must_use]
    pub fn network_group(&self, address: IpAddr, groups: u8) -> u8 {
        let hash = crypto::mac(&self.current.network, &network(address));
        // The division is almost fair, because there are far more hashes than groups.
        let number = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
        u8::try_from(number % u32::from(groups.max(1))).unwrap_or_default()
    }

    /// The public halves of all keys of access tokens as a JSON Web Key Set (RFC 7517, RFC 8037): first those of most
    /// APIs, then those of the Supabase API.
    #[must_use]
    pub fn jwks(&self) -> serde_json::Value {
        let keys = self.sets().map(|set| {
            serde_json::json!({
                "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
                "kid": set.kid, "x": BASE64_URL_SAFE_NO_PAD.encode(set.public),
            })
        });
        let keys: Vec<_> = keys.chain(self.sets().map(|set| set.app().jwk())).collect();
        serde_json::json!({ "keys": keys })
    }
}

fn network_hash(set: &KeySet, user: UserId, address: IpAddr) -> NetworkHash {
    // The id has a fixed length, so the boundary between id and network is clear.
    let hash = crypto::mac(&set.network, &[&user.get().to_be_bytes()[..], &network(address)].concat());
    NetworkHash::from_text(BASE64_URL_SAFE_NO_PAD.encode(&hash[..9]))
}

fn network_text(set: &KeySet, address: IpAddr) -> String {
    let hash = crypto::mac(&set.network, &[b"sign-up", &network(address)[..]].concat());
    BASE64_URL_SAFE_NO_PAD.encode(&hash[..9])
}

fn session_tag(set: &KeySet, api: &str, body: &[u8]) -> [u8; 32] {
    // The body has a fixed length, so the boundary between the API's name and the body is clear.
    crypto::mac(&set.session, &[api.as_bytes(), body].concat())
}

fn digest(set: &KeySet, subject: &str, code: &str) -> [u8; 32] {
    // A subject contains no NUL, so two different pairs of subject and code never give the same bytes.
    crypto::mac(&set.code, [subject.as_bytes(), &[0], code.as_bytes()].concat().as_slice())
}

/// A token that we did not make for what it is used for.
const INVALID: Error = Error::Unauthenticated(NotSignedIn::Invalid);

const SESSION_BODY: usize = 8 + SessionId::BYTES;
const REFRESH_BODY: usize = SESSION_BODY + 4;

fn session_body(caller: Caller) -> [u8; SESSION_BODY] {
    let mut body = [0; SESSION_BODY];
    body[..8].copy_from_slice(&caller.user.get().to_be_bytes());
    body[8..].copy_from_slice(caller.session.as_bytes());
    body
}

fn refresh_body(token: RefreshToken) -> [u8; REFRESH_BODY] {
    let mut body = [0; REFRESH_BODY];
    body[..SESSION_BODY].copy_from_slice(&session_body(token.caller));
    body[SESSION_BODY..].copy_from_slice(&token.generation.to_be_bytes());
    body
}

#[cfg(test)]
impl Keys {
    /// Keys for tests that only need some.
    pub(crate) fn for_tests() -> Self {
        Self::new("a secret of sufficient length for keys", None, "handset", "handset").expect("long enough")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    const HOUR: Duration = Duration::from_hours(1);

    fn keys(secret: &str, previous: &str) -> Keys {
        Keys::new(secret, Some(previous).filter(|previous| !previous.is_empty()), "handset", "handset").unwrap()
    }

    fn caller() -> Caller {
        Caller { user: UserId::new(42).unwrap(), session: SessionId::from_bytes([9; 12]) }
    }

    const A: &str = "an old secret of sufficient length";
    const B: &str = "a newer secret of sufficient length";

    #[test]
    fn an_access_token_is_good_until_it_expires() {
        let keys = keys(A, "");
        let token = keys.access_token(caller(), HOUR, NOW).unwrap();
        assert_eq!(keys.check_access_token(&token, NOW).unwrap(), caller());
        assert!(keys.check_access_token(&token, NOW.plus(HOUR)).is_err());
        assert_eq!(keys.check_expired_access_token(&token).unwrap(), caller());
    }

    #[test]
    fn a_token_that_was_checked_before_expires_too_and_is_only_itself() {
        let keys = keys(A, "");
        let other = Caller { user: UserId::new(43).unwrap(), ..caller() };
        let token = |caller| keys.access_token(caller, HOUR, NOW).unwrap();
        let (first, second) = (token(caller()), token(other));
        for _ in 0..2 {
            assert_eq!(keys.check_access_token(&first, NOW).unwrap(), caller());
            assert_eq!(keys.check_access_token(&second, NOW).unwrap(), other);
            assert!(keys.check_access_token(&first, NOW.plus(HOUR)).is_err());
            assert!(keys.check_access_token(&first[..first.len() - 1], NOW).is_err());
        }
    }

    #[test]
    fn at_most_so_many_tokens_are_remembered() {
        let keys = keys(A, "");
        for user in 1..=600 {
            let caller = Caller { user: UserId::new(user).unwrap(), ..caller() };
            let token = keys.access_token(caller, HOUR, NOW).unwrap();
            assert_eq!(keys.check_access_token(&token, NOW).unwrap(), caller);
            assert!(keys.checked.0.lock().unwrap().len() <= Checked::MOST);
        }
    }

    #[test]
    fn a_forged_access_token_is_refused() {
        let ours = keys(A, "");
        let token = ours.access_token(caller(), HOUR, NOW).unwrap();
        let theirs = keys(B, "").access_token(caller(), HOUR, NOW).unwrap();
        let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
        // An attacker who signs with HMAC, uses our public key as the secret, and names our kid.
        let jwks = ours.jwks();
        let public = BASE64_URL_SAFE_NO_PAD.decode(jwks["keys"][0]["x"].as_str().unwrap()).unwrap();
        let header =
            Header { kid: Some(jwks["keys"][0]["kid"].as_str().unwrap().into()), ..Header::new(Algorithm::HS256) };
        let claims = serde_json::json!({"iss": "handset", "aud": "handset", "sub": "42", "sid": caller().session.to_string(), "iat": 0, "exp": i64::MAX});
        let confused = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&public)).unwrap();
        for bad in ["", "a.b.c", &theirs, &unsigned, &confused] {
            assert!(matches!(ours.check_access_token(bad, NOW), Err(Error::Unauthenticated(_))), "{bad}");
        }
    }

    #[test]
    fn a_chat_token_is_checked_by_the_public_keys_and_opens_nothing_here() {
        let keys = Keys::new(A, None, "handset", "chat").unwrap();
        let token = keys.chat_token("g8", HOUR, NOW).unwrap();
        assert!(keys.check_access_token(&token, NOW).is_err());
        let jwks: jsonwebtoken::jwk::JwkSet = serde_json::from_value(keys.jwks()).unwrap();
        let kid = jsonwebtoken::decode_header(&token).unwrap().kid.unwrap();
        let key = DecodingKey::from_jwk(jwks.find(&kid).unwrap()).unwrap();
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&["chat"]);
        validation.validate_exp = false;
        let claims = jsonwebtoken::decode::<serde_json::Value>(&token, &key, &validation).unwrap().claims;
        let end = NOW.plus(HOUR).seconds();
        let expected = serde_json::json!({
            "iss": "handset", "aud": "chat", "sub": "g8", "iat": NOW.seconds(), "exp": end,
        });
        assert_eq!(claims, expected);
    }

    #[test]
    fn a_refresh_token_survives_no_change() {
        let keys = keys(A, "");
        let token = RefreshToken { caller: caller(), generation: 3 };
        let text = keys.refresh_token(token);
        assert_eq!(text, keys.refresh_token(token));
        assert_eq!(keys.check_refresh_token(&text).unwrap(), token);
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&text).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(keys.check_refresh_token(&BASE64_URL_SAFE_NO_PAD.encode(changed)).is_err(), "byte {at}");
        }
        for bad in ["", "!", &text[..20]] {
            assert!(keys.check_refresh_token(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_session_token_survives_no_change_and_is_no_other_token() {
        let keys = keys(A, "");
        let text = keys.session_token(caller(), "web");
        assert_eq!(keys.check_session_token(&text, "web").unwrap(), caller());
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&text).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(keys.check_session_token(&BASE64_URL_SAFE_NO_PAD.encode(changed), "web").is_err(), "byte {at}");
        }
        let refresh = keys.refresh_token(RefreshToken { caller: caller(), generation: 0 });
        assert!(keys.check_session_token(&refresh, "web").is_err());
        assert!(keys.check_refresh_token(&text).is_err());
        assert!(keys.check_session_token(&text, "rooms").is_err(), "another API's");
    }

    #[test]
    fn a_rotation_signs_nobody_out() {
        let (before, during, after) = (keys(A, ""), keys(B, A), keys(B, ""));
        let access = before.access_token(caller(), HOUR, NOW).unwrap();
        let refresh = before.refresh_token(RefreshToken { caller: caller(), generation: 0 });
        let code = before.code_digest("+8613912345678 sign-in", "123456");
        assert!(during.check_access_token(&access, NOW).is_ok());
        assert!(during.check_refresh_token(&refresh).is_ok());
        assert!(during.code_matches("+8613912345678 sign-in", "123456", &code));
        assert!(after.check_access_token(&access, NOW).is_err());
        assert!(after.check_refresh_token(&refresh).is_err());
        let kinds = |keys: serde_json::Value| -> Vec<_> {
            keys["keys"].as_array().unwrap().iter().map(|key| key["kty"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(kinds(during.jwks()), ["OKP", "OKP", "EC", "EC"]);
        assert_eq!(kinds(during.app_jwks()), ["EC", "EC"]);
    }

    #[test]
    fn a_code_is_bound_to_what_it_was_sent_for() {
        let keys = keys(A, "");
        let kept = keys.code_digest("+8613912345678 sign-in", "123456");
        assert!(!keys.code_matches("+8613912345678 recovery", "123456", &kept));
        assert!(!keys.code_matches("+8613912345679 sign-in", "123456", &kept));
        assert!(!keys.code_matches("+8613912345678 sign-in", "123457", &kept));
    }

    #[test]
    fn a_network_is_another_hash_in_another_account_and_survives_a_rotation() {
        let (before, during) = (keys(A, ""), keys(B, A));
        let (one, other) = (UserId::new(1).unwrap(), UserId::new(2).unwrap());
        let address: IpAddr = "192.0.2.7".parse().unwrap();
        let hash = before.network_hash(one, address);
        assert_eq!(hash, before.network_hash(one, "192.0.2.200".parse().unwrap()));
        assert_ne!(hash, before.network_hash(one, "192.0.3.7".parse().unwrap()));
        assert_ne!(hash, before.network_hash(other, address));
        assert!(during.network_hashes(one, address).contains(&hash));
        assert_eq!(during.network_hashes(one, address)[0], during.network_hash(one, address));
        assert_eq!(hash.as_str().len(), 12);
    }

    #[test]
    fn a_weak_secret_is_refused() {
        assert!(Keys::new("short", None, "a", "a").is_err());
        assert!(Keys::new(A, Some("short"), "a", "a").is_err());
    }
}
