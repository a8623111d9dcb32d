//! Identity tokens that are wrong in one thing each, and key sets that change, are slow or are not there.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom as Unused;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::{IdTokenSettings, IdTokenVerifier, LONGEST_PROOF, LONGEST_TOKEN};
use crate::tests::{base, http, question};
use domain::clock::Timestamp;
use domain::crypto::{self, SystemRandom};
use domain::id_token::{CLAIMS_BYTES, IdToken, IdTokenCheck, ProviderUser};
use domain::provider::Provider::{self, Apple, Google};
use domain::{Error, Result};

/// The second at which most tests happen.
const NOW: i64 = 1_800_000_000;
const APPLE_APP: &str = "app.handset.example";
const GOOGLE_APP: &str = "web.apps.example";

/// Two keys; making one takes a moment.
static KEYS: LazyLock<[RsaKeyPair; 2]> =
    LazyLock::new(|| [(); 2].map(|()| RsaKeyPair::generate(KeySize::Rsa2048).unwrap()));

fn encoded(part: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(part)
}

/// The key with this number as a provider publishes it.
fn published(number: usize, kid: &str) -> Value {
    let public = jsonwebtoken::DecodingKey::from_rsa_der(KEYS[number].public_key().as_ref());
    let mut key = json!(Jwk::from_decoding_key(&public, Some(jsonwebtoken::Algorithm::RS256)).unwrap());
    key["kid"] = kid.into();
    key["use"] = "sig".into();
    key
}

fn key_set(keys: &[Value]) -> Vec<u8> {
    http("200 OK", &json!({ "keys": keys }).to_string())
}

/// A token with this header and these claims, signed with the first key.
fn signed(header: &Value, claims: &Value) -> String {
    signed_with(0, header, claims)
}

#[expect(clippy::disallowed_methods, reason = "RSA_PKCS1 signatures have no random part; this argument is not used")]
fn signed_with(number: usize, header: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
    let mut signature = vec![0; KEYS[number].public_modulus_len()];
    KEYS[number].sign(&RSA_PKCS1_SHA256, &Unused::new(), message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", encoded(signature))
}

fn header(kid: &str) -> Value {
    json!({ "alg": "RS256", "kid": kid })
}

fn claims(provider: Provider) -> Value {
    let (iss, aud) = if provider == Apple {
        ("https://appleid.apple.com", APPLE_APP)
    } else {
        ("https://accounts.google.com", GOOGLE_APP)
    };
    json!({ "iss": iss, "aud": aud, "sub": "42", "exp": NOW + 600, "iat": NOW })
}

/// The usual claims with another value for one of them; null takes it away.
fn with(provider: Provider, name: &str, value: Value) -> Value {
    let mut claims = claims(provider);
    claims[name] = value;
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

/// A provider's server: what it answers can change, and it counts how often it is asked.
struct KeyServer {
    at: SocketAddr,
    answer: Arc<Mutex<Vec<u8>>>,
    asked: Arc<AtomicUsize>,
}

impl KeyServer {
    async fn answering(bytes: Vec<u8>) -> Self {
        Self::slow(bytes, Duration::ZERO).await
    }

    async fn slow(bytes: Vec<u8>, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (at, answer, asked) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(bytes)), Arc::default());
        let server = Self { at, answer: Arc::clone(&answer), asked: Arc::clone(&asked) };
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (answer, asked) = (Arc::clone(&answer), Arc::clone(&asked));
                tokio::spawn(async move {
                    let question = question(&mut stream).await;
                    let line = question.lines().next().unwrap_or_default();
                    let paths = ["GET /auth/keys HTTP/1.1", "GET /oauth2/v3/certs HTTP/1.1"];
                    assert!(paths.contains(&line), "{line}");
                    asked.fetch_add(1, Ordering::SeqCst);
                    tokio::time::sleep(delay).await;
                    let bytes = answer.lock().unwrap().clone();
                    let _ = stream.write_all(&bytes).await;
                });
            }
        });
        server
    }

    fn answers(&self, bytes: Vec<u8>) {
        *self.answer.lock().unwrap() = bytes;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn verifier(&self) -> IdTokenVerifier {
        let app = |ids: &[&str]| Some((base(self.at), ids.iter().map(|id| (*id).to_owned()).collect()));
        let settings = IdTokenSettings { apple: app(&["other.app", APPLE_APP]), google: app(&[GOOGLE_APP]) };
        IdTokenVerifier::new(settings, Arc::new(SystemRandom))
    }
}

/// A server with the first key under the id `a`, and a verifier that asks it.
async fn verifier() -> (KeyServer, IdTokenVerifier) {
    let server = KeyServer::answering(key_set(&[published(0, "a")])).await;
    let verifier = server.verifier();
    (server, verifier)
}

async fn check(verifier: &IdTokenVerifier, provider: Provider, token: &str, second: i64) -> Result<ProviderUser> {
    check_with(verifier, &IdToken { provider, token, access_token: None, nonce: None }, second).await
}

async fn check_with(verifier: &IdTokenVerifier, token: &IdToken<'_>, second: i64) -> Result<ProviderUser> {
    verifier.check(token, Timestamp::from_millis(second * 1_000)).await
}

fn assert_refused(answer: &Result<ProviderUser>, what: impl std::fmt::Display) {
    assert!(matches!(answer, Err(Error::ProviderRefused)), "{what}: {answer:?}");
}

fn assert_unreachable(answer: &Result<ProviderUser>, what: impl std::fmt::Display) {
    assert!(matches!(answer, Err(Error::ProviderUnreachable)), "{what}: {answer:?}");
}

#[tokio::test]
async fn a_token_tells_who_the_user_is() {
    let (_server, verifier) = verifier().await;
    let mut google = claims(Google);
    for (name, value) in [("email", "a@b.example"), ("name", "小明"), ("picture", "https://p.example/1")] {
        google[name] = value.into();
    }
    google["email_verified"] = true.into();
    let user = check(&verifier, Google, &signed(&header("a"), &google), NOW).await.unwrap();
    assert_eq!((user.subject.as_str(), user.email.as_deref(), user.email_verified), ("42", Some("a@b.example"), true));
    assert_eq!((user.name.as_deref(), user.picture.as_deref()), (Some("小明"), Some("https://p.example/1")));
    let expected = json!({
        "sub": "42", "provider_id": "42", "iss": "https://accounts.google.com",
        "email": "a@b.example", "email_verified": true,
        "name": "小明", "full_name": "小明", "picture": "https://p.example/1", "avatar_url": "https://p.example/1",
    });
    assert_eq!(Value::Object(user.claims.clone()), expected);
    assert!(!format!("{user:?}").contains("a@b"));

    for (flag, verified) in [
        (json!("true"), true),
        (json!(true), true),
        (json!("false"), false),
        (json!(false), false),
        (Value::Null, false),
    ] {
        let mut apple = with(Apple, "email_verified", flag.clone());
        apple["email"] = "x@privaterelay.appleid.com".into();
        let user = check(&verifier, Apple, &signed(&header("a"), &apple), NOW).await.unwrap();
        assert_eq!((user.email_verified, &user.claims["email_verified"]), (verified, &json!(verified)), "{flag}");
        assert_eq!((user.name, user.picture), (None, None));
    }
    for email in ["", "a", "@b", "a@", "a b@c.example", &format!("{}@b.example", "a".repeat(250))] {
        let mut apple = with(Apple, "email", email.into());
        apple["email_verified"] = true.into();
        let user = check(&verifier, Apple, &signed(&header("a"), &apple), NOW).await.unwrap();
        assert_eq!((user.email, user.email_verified, user.claims.get("email")), (None, false, None), "{email}");
    }
}

#[tokio::test]
async fn stored_claims_are_bounded_and_the_longest_is_left_out() {
    let (_server, verifier) = verifier().await;
    for length in [0, 100, 900, 1_000, 1_100, 1_900, 2_000, 2_048, 3_000] {
        let mut google = with(Google, "picture", format!("https://p.example/\"{}", "p".repeat(length)).into());
        google["name"] = "Tom".into();
        let user = check(&verifier, Google, &signed(&header("a"), &google), NOW).await.unwrap();
        let size = json!(user.claims).to_string().len();
        assert!(size <= CLAIMS_BYTES, "{length}: {size}");
        assert_eq!(user.claims["full_name"], "Tom");
        assert_eq!(user.claims.contains_key("picture"), length <= 1_900, "{length}");
        assert_eq!(user.claims.contains_key("avatar_url"), length <= 900, "{length}");
    }
}

#[tokio::test]
async fn a_token_of_another_issuer_app_or_person_is_refused() {
    let (_server, verifier) = verifier().await;
    let several = |azp: Value| {
        let mut claims = with(Google, "aud", json!(["another", GOOGLE_APP]));
        claims["azp"] = azp;
        claims
    };
    for (provider, claims) in [
        (Apple, claims(Apple)),
        (Google, claims(Google)),
        (Google, with(Google, "iss", json!("accounts.google.com"))),
        (Apple, with(Apple, "aud", json!("other.app"))),
        (Apple, with(Apple, "aud", json!([APPLE_APP]))),
        (Google, several(json!(GOOGLE_APP))),
        // An Android app that asks for a token for its server.
        (Google, with(Google, "azp", json!("android.apps.example"))),
    ] {
        check(&verifier, provider, &signed(&header("a"), &claims), NOW)
            .await
            .unwrap_or_else(|error| panic!("{error}: {claims}"));
    }
    for (provider, claims) in [
        (Apple, claims(Google)),
        (Google, claims(Apple)),
        (Apple, with(Apple, "iss", json!("appleid.apple.com"))),
        (Apple, with(Apple, "iss", json!("https://appleid.apple.com/"))),
        (Google, with(Google, "iss", json!("https://accounts.google.com.evil.example"))),
        (Google, with(Google, "iss", Value::Null)),
        (Apple, with(Apple, "aud", json!("another"))),
        (Apple, with(Apple, "aud", json!(GOOGLE_APP))),
        (Apple, with(Apple, "aud", json!(format!("other.app,{APPLE_APP}")))),
        (Apple, with(Apple, "aud", json!([]))),
        (Apple, with(Apple, "aud", json!(""))),
        (Apple, with(Apple, "aud", Value::Null)),
        (Google, several(Value::Null)),
        (Google, several(json!("another"))),
        (Google, with(Google, "sub", json!(""))),
        (Google, with(Google, "sub", json!(42))),
        (Google, with(Google, "sub", json!("a b"))),
        (Google, with(Google, "sub", Value::Null)),
    ] {
        assert_refused(&check(&verifier, provider, &signed(&header("a"), &claims), NOW).await, &claims);
    }
}

#[tokio::test]
async fn a_token_is_accepted_only_in_its_time() {
    let (_server, verifier) = verifier().await;
    for (name, offset, accepted) in [
        ("exp", 1, true),
        ("exp", -59, true),
        ("exp", -60, false),
        ("exp", -86_400, false),
        ("iat", 300, true),
        ("iat", 301, false),
        ("iat", -600, true),
        ("nbf", 300, true),
        ("nbf", 301, false),
    ] {
        let token = signed(&header("a"), &with(Apple, name, (NOW + offset).into()));
        let answer = check(&verifier, Apple, &token, NOW).await;
        assert_eq!(answer.is_ok(), accepted, "{name} {offset}: {answer:?}");
        assert!(accepted || matches!(answer, Err(Error::ProviderRefused)));
    }
    for name in ["exp", "iat"] {
        for odd in [Value::Null, json!("1900000000"), json!(i64::MAX.unsigned_abs() + 1), json!(true)] {
            let token = signed(&header("a"), &with(Apple, name, odd.clone()));
            assert_refused(&check(&verifier, Apple, &token, NOW).await, format!("{name} {odd}"));
        }
    }
    for exp in [i64::MIN, 0] {
        assert_refused(
            &check(&verifier, Apple, &signed(&header("a"), &with(Apple, "exp", exp.into())), NOW).await,
            exp,
        );
    }
}

#[tokio::test]
async fn a_nonce_is_in_the_request_and_in_the_token_or_in_neither() {
    let (_server, verifier) = verifier().await;
    let hash = crypto::hex(&crypto::sha256(b"raw"));
    for (claim, raw, accepted) in [
        (Some(hash.as_str()), Some("raw"), true),
        (None, None, true),
        (Some(""), None, true),
        (None, Some(""), true),
        (Some(hash.as_str()), Some("Raw"), false),
        (Some(hash.as_str()), Some(hash.as_str()), false),
        (Some(hash.to_uppercase().as_str()), Some("raw"), false),
        (Some(&hash[..63]), Some("raw"), false),
        (Some("raw"), Some("raw"), false),
        (Some(hash.as_str()), None, false),
        (Some(hash.as_str()), Some(""), false),
        (None, Some("raw"), false),
        (Some(""), Some("raw"), false),
    ] {
        for provider in [Apple, Google] {
            let token = signed(&header("a"), &with(provider, "nonce", json!(claim)));
            let given = IdToken { provider, token: &token, access_token: None, nonce: raw };
            let answer = check_with(&verifier, &given, NOW).await;
            assert_eq!(answer.is_ok(), accepted, "{claim:?} {raw:?}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn an_access_token_of_another_sign_in_is_refused() {
    let (_server, verifier) = verifier().await;
    // The example of OpenID Connect Core 1.0, appendix A.3.
    let (access_token, hash) = ("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", "77QmUPtjPfzWtF2AnpK9RQ");
    for (claim, given, accepted) in [
        (Some(hash), Some(access_token), true),
        (Some(hash), None, true),
        (Some(hash), Some(""), true),
        (None, Some(access_token), true),
        (None, None, true),
        (Some(hash), Some("another"), false),
        (Some(&hash[..21]), Some(access_token), false),
        (Some("77QmUPtjPfzWtF2AnpK9RQ=="), Some(access_token), false),
    ] {
        for provider in [Apple, Google] {
            let token = signed(&header("a"), &with(provider, "at_hash", json!(claim)));
            let given = IdToken { provider, token: &token, access_token: given, nonce: None };
            let answer = check_with(&verifier, &given, NOW).await;
            assert_eq!(answer.is_ok(), accepted, "{claim:?} {:?}: {answer:?}", given.access_token);
        }
    }
}

#[tokio::test]
async fn only_the_provider_s_signature_counts_whatever_the_header_says() {
    let (server, verifier) = verifier().await;
    let good = signed(&header("a"), &claims(Apple));
    check(&verifier, Apple, &good, NOW).await.unwrap();
    assert_refused(&check(&verifier, Apple, &signed_with(1, &header("a"), &claims(Apple)), NOW).await, "another key");
    let (message, signature) = good.rsplit_once('.').unwrap();

    // The public key as the secret of an HMAC, in each form that a library could take it.
    let public = KEYS[0].public_key().as_ref();
    let jwk = published(0, "a");
    let modulus = BASE64_URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    let hmac_message = format!(
        "{}.{}",
        encoded(json!({ "alg": "HS256", "kid": "a" }).to_string()),
        encoded(claims(Apple).to_string())
    );
    for secret in [public, &modulus, jwk["n"].as_str().unwrap().as_bytes(), jwk.to_string().as_bytes(), b""] {
        let forged = format!("{hmac_message}.{}", encoded(crypto::hmac_sha256(secret, hmac_message.as_bytes())));
        assert_refused(&check(&verifier, Apple, &forged, NOW).await, "an HMAC");
    }
    for alg in ["none", "None", "HS256", "RS512", "PS256", "ES256", "EdDSA", ""] {
        let header = json!({ "alg": alg, "kid": "a" });
        let unsigned = format!("{}.{}.", encoded(header.to_string()), encoded(claims(Apple).to_string()));
        assert_refused(&check(&verifier, Apple, &unsigned, NOW).await, alg);
        assert_refused(&check(&verifier, Apple, &signed(&header, &claims(Apple)), NOW).await, alg);
    }
    // The header brings its own key, or the address of one.
    for (name, value) in [
        ("jwk", published(1, "a")),
        ("jku", format!("http://{}/auth/keys", server.at).into()),
        ("x5u", "https://a.example".into()),
    ] {
        let mut header = header("a");
        header[name] = value;
        assert_refused(&check(&verifier, Apple, &signed_with(1, &header, &claims(Apple)), NOW).await, name);
    }
    for header in [
        json!({ "alg": "RS256" }),
        json!({ "alg": "RS256", "kid": 1 }),
        json!({ "alg": "RS256", "kid": "a", "crit": ["b64"], "b64": false }),
    ] {
        assert_refused(&check(&verifier, Apple, &signed(&header, &claims(Apple)), NOW).await, header);
    }
    for broken in [
        "",
        ".",
        "..",
        "a.b.c",
        message,
        &format!("{message}."),
        &format!("{good}."),
        &format!("{good}.{signature}"),
        &format!(" {good}"),
        &format!("{good}="),
        &good.replace('.', " "),
    ] {
        assert_refused(&check(&verifier, Apple, broken, NOW).await, broken);
    }
    assert_eq!(server.asked(), 1, "none of these is a reason to fetch keys");
}

#[tokio::test]
async fn no_byte_of_a_token_can_be_changed() {
    let (_server, verifier) = verifier().await;
    let good = signed(&header("a"), &claims(Google));
    for (place, byte) in good.bytes().enumerate() {
        for other in [b'A', b'z', b'_', b'.'] {
            if other != byte {
                let mut changed = good.clone().into_bytes();
                changed[place] = other;
                let answer = check(&verifier, Google, &String::from_utf8(changed).unwrap(), NOW).await;
                assert_refused(&answer, format!("{place} {other}"));
            }
        }
    }
}

#[tokio::test]
async fn a_new_key_is_found_by_asking_once_more() {
    let (server, verifier) = verifier().await;
    let old = signed(&header("a"), &claims(Apple));
    let new = signed_with(1, &header("b"), &claims(Apple));
    check(&verifier, Apple, &old, NOW).await.unwrap();
    check(&verifier, Apple, &old, NOW + 1).await.unwrap();
    assert_eq!(server.asked(), 1, "the keys are kept");

    server.answers(key_set(&[published(0, "a"), published(1, "b")]));
    check(&verifier, Apple, &new, NOW + 2).await.unwrap();
    check(&verifier, Apple, &old, NOW + 3).await.unwrap();
    assert_eq!(server.asked(), 2);

    // The old key is withdrawn, which is noticed within an hour.
    server.answers(key_set(&[published(1, "b")]));
    let late = |claims: &mut Value, exp: i64| claims["exp"] = exp.into();
    let mut long = claims(Apple);
    late(&mut long, NOW + 10_000);
    let (old, new) = (signed(&header("a"), &long), signed_with(1, &header("b"), &long));
    check(&verifier, Apple, &old, NOW + 3_601).await.unwrap();
    assert_eq!(server.asked(), 2);
    check(&verifier, Apple, &new, NOW + 3_602).await.unwrap();
    assert_refused(&check(&verifier, Apple, &old, NOW + 3_603).await, "a withdrawn key");
    // Apple's and Google's keys are not mixed.
    assert_eq!(server.asked(), 4);
    check(&verifier, Google, &signed_with(1, &header("b"), &claims(Google)), NOW).await.unwrap();
    assert_eq!(server.asked(), 5);
}

#[tokio::test]
async fn made_up_key_ids_cause_one_request_a_minute() {
    let (server, verifier) = verifier().await;
    let (good, mut forged) = (signed(&header("a"), &claims(Apple)), Vec::new());
    for number in 0..30 {
        forged.push(signed_with(1, &header(&format!("made-up-{number}")), &claims(Apple)));
    }
    check(&verifier, Apple, &good, NOW).await.unwrap();
    for second in 0..300 {
        for token in &forged[(second % 10) * 3..][..3] {
            let answer = check(&verifier, Apple, token, NOW + i64::try_from(second).unwrap()).await;
            assert_refused(&answer, second);
        }
    }
    assert_eq!(server.asked(), 1 + 5);
    check(&verifier, Apple, &good, NOW + 300).await.unwrap();
    assert_eq!(server.asked(), 1 + 5);

    // The first tokens of a process are forged ones: then there is one request too.
    let fresh = server.verifier();
    for token in &forged {
        assert_refused(&check(&fresh, Apple, token, NOW).await, "a cold start");
    }
    assert_eq!(server.asked(), 1 + 5 + 1);
}

#[tokio::test]
async fn requests_at_the_same_time_share_one_fetch() {
    let server = KeyServer::slow(key_set(&[published(0, "a")]), Duration::from_millis(100)).await;
    let verifier = server.verifier();
    let (good, forged) = (signed(&header("a"), &claims(Apple)), signed_with(1, &header("b"), &claims(Apple)));
    for answer in futures::future::join_all((0..20).map(|_| check(&verifier, Apple, &good, NOW))).await {
        answer.unwrap();
    }
    assert_eq!(server.asked(), 1);
    // Nobody who needs no new key waits for one that a stranger made up.
    let flood = futures::future::join_all((0..20).map(|_| check(&verifier, Apple, &forged, NOW)));
    let begun = async {
        while server.asked() == 1 {
            tokio::task::yield_now().await;
        }
        check(&verifier, Apple, &good, NOW).await.unwrap();
        *server.answer.lock().unwrap() = http("500 Oops", "");
    };
    let (answers, ()) = futures::future::join(flood, begun).await;
    for answer in answers {
        assert_unreachable(&answer, "the good token was checked before the answer came");
    }
    assert_eq!(server.asked(), 2, "a failure is shared too");
}

#[tokio::test]
async fn without_keys_the_provider_is_unreachable_and_asked_again_after_a_pause() {
    let (server, verifier) = verifier().await;
    let token = signed(&header("a"), &claims(Apple));
    server.answers(http("503 Service Unavailable", ""));
    for second in 0..10 {
        assert_unreachable(&check(&verifier, Apple, &token, NOW + second).await, second);
    }
    assert_eq!(server.asked(), 1);
    server.answers(key_set(&[published(0, "a")]));
    check(&verifier, Apple, &token, NOW + 10).await.unwrap();
    assert_eq!(server.asked(), 2);

    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = nobody.local_addr().unwrap();
    drop(nobody);
    let gone = KeyServer { at, ..server }.verifier();
    assert_unreachable(&check(&gone, Apple, &token, NOW).await, "nobody listens");
}

#[tokio::test]
async fn old_keys_are_used_for_a_day_while_the_provider_is_down() {
    const DAY: i64 = 86_400;
    let (server, verifier) = verifier().await;
    let mut long = claims(Apple);
    long["exp"] = (NOW + 2 * DAY).into();
    let (known, unknown) = (signed(&header("a"), &long), signed_with(1, &header("b"), &long));
    check(&verifier, Apple, &known, NOW).await.unwrap();
    server.answers(http("500 Oops", ""));
    check(&verifier, Apple, &known, NOW + 3_599).await.unwrap();
    assert_eq!(server.asked(), 1);
    for second in [3_600, 3_601, 3_659] {
        check(&verifier, Apple, &known, NOW + second).await.unwrap();
        assert_unreachable(&check(&verifier, Apple, &unknown, NOW + second).await, "it may be a new key");
    }
    assert_eq!(server.asked(), 2, "the next try is after a minute");
    check(&verifier, Apple, &known, NOW + DAY - 1).await.unwrap();
    assert_unreachable(&check(&verifier, Apple, &known, NOW + DAY).await, "a day is over");
    server.answers(key_set(&[published(0, "a")]));
    check(&verifier, Apple, &known, NOW + DAY + 10).await.unwrap();
    // The clock is set back by more than an hour: the age of the keys is not known any more.
    let before = server.asked();
    check(&verifier, Apple, &known, NOW).await.unwrap();
    assert_eq!(server.asked(), before + 1);
}

#[tokio::test]
async fn what_is_no_key_set_is_none() {
    let token = signed(&header("a"), &claims(Apple));
    let other = |name: &str, value: Value| {
        let mut key = published(0, "a");
        key[name] = value;
        key
    };
    let text = |body: &str| http("200 OK", body);
    let many = |count: usize| (0..count).map(|number| published(0, &format!("{number}"))).collect::<Vec<_>>();
    for answer in [
        Vec::new(),
        text(""),
        text("{}"),
        text("[]"),
        text("<html>"),
        text(r#"{"keys":null}"#),
        key_set(&[]),
        key_set(&[json!(1)]),
        key_set(&[other("kty", json!("oct"))]),
        key_set(&[other("alg", json!("RS512"))]),
        key_set(&[other("use", json!("enc"))]),
        key_set(&[other("n", json!("not base64!"))]),
        key_set(&[other("kid", Value::Null)]),
        key_set(&[vec![published(0, "a")], many(16)].concat()),
        text(&json!({ "keys": [published(0, "a")], "padding": "p".repeat(64 * 1024) }).to_string()),
        http("404 Not Found", &json!({ "keys": [published(0, "a")] }).to_string()),
        http("302 Found", &json!({ "keys": [published(0, "a")] }).to_string()),
    ] {
        let server = KeyServer::answering(answer.clone()).await;
        let words = String::from_utf8_lossy(&answer).into_owned();
        assert_unreachable(&check(&server.verifier(), Apple, &token, NOW).await, words);
    }
    // Other keys beside ours do no harm, and neither do members that are not known.
    let elliptic = json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "e", "x": "AA", "y": "AA" });
    let plain = json!({ "kty": "RSA", "kid": "a", "n": published(0, "a")["n"], "e": "AQAB" });
    for keys in [
        vec![elliptic, json!(null), published(0, "a")],
        vec![other("x5c", json!(["MII"]))],
        vec![plain],
        [many(15), vec![published(0, "a")]].concat(),
    ] {
        let server = KeyServer::answering(key_set(&keys)).await;
        check(&server.verifier(), Apple, &token, NOW).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_too_long_or_not_configured_is_refused_without_asking() {
    let (server, verifier) = verifier().await;
    let sized = |length: usize| {
        let empty = signed(&header("a"), &with(Apple, "padding", json!(""))).len();
        let mut padding = (length - empty) / 4 * 3;
        loop {
            let token = signed(&header("a"), &with(Apple, "padding", json!("p".repeat(padding))));
            if token.len() >= length {
                return token;
            }
            padding += 1;
        }
    };
    assert_refused(&check(&verifier, Apple, &sized(LONGEST_TOKEN + 1), NOW).await, "a long token");
    let (token, long) = (signed(&header("a"), &claims(Apple)), "p".repeat(LONGEST_PROOF + 1));
    for (access_token, nonce) in [(Some(long.as_str()), None), (None, Some(long.as_str()))] {
        let given = IdToken { provider: Apple, token: &token, access_token, nonce };
        assert_refused(&check_with(&verifier, &given, NOW).await, "a long proof");
    }
    for provider in [Provider::WeChat, Provider::Qq, Provider::Weibo] {
        assert!(!verifier.knows(provider));
        assert_refused(&check(&verifier, provider, &token, NOW).await, provider.name());
    }
    let no_ids = IdTokenSettings { apple: Some((base(server.at), Vec::new())), google: None };
    let off = IdTokenVerifier::new(no_ids, Arc::new(SystemRandom));
    for provider in Provider::ALL {
        assert!(!off.knows(provider));
        assert_refused(&check(&off, provider, &token, NOW).await, provider.name());
    }
    assert_eq!(server.asked(), 0);
    assert!(verifier.knows(Apple) && verifier.knows(Google));
    check(&verifier, Apple, &sized(LONGEST_TOKEN - 1), NOW).await.unwrap();
}
