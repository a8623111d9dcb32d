//! Tokens that are expired, forged, truncated, swapped or another user's.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use domain::account::{Caller, UserId};
use domain::clock::Clock;
use domain::session::SessionId;
use domain::tokens::{Keys, RefreshToken};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Value, json};

use crate::support::backend::answer;
use crate::support::table::{number, text};
use crate::support::users::{not_signed_in, refused};
use crate::support::{Backend, Person, fresh_phone, run, shared};

const HOUR: Duration = Duration::from_hours(1);
const INVALID: &str = "the refresh token is unknown or its session has ended; sign in again";

/// The parts of a JWT, as JSON.
pub fn part(token: &str, index: usize) -> Value {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn encoded(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

/// The user of an access token.
fn caller(token: &str) -> Caller {
    let claims = part(token, 1);
    let user = claims["sub"].as_str().unwrap().parse().unwrap();
    Caller { user, session: claims["sid"].as_str().unwrap().parse().unwrap() }
}

/// Asserts that a token gives no access: no profile, no address book, no upload.
async fn assert_opens_nothing(backend: &Backend, token: &str) {
    assert_eq!(answer(backend.nickname(token, "forged")).await, not_signed_in(), "{token}");
    let list = json!([{ "zone": "86", "number": "13912345678" }]);
    assert_eq!(answer(backend.post("/users").bearer_auth(token).json(&list)).await, not_signed_in(), "{token}");
    let upload = backend.post("/audios").bearer_auth(token).body(&b"#!AMR\nabc"[..]);
    assert_eq!(answer(upload).await, not_signed_in(), "{token}");
}

#[test]
fn the_published_keys_verify_access_tokens() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let response = backend.get("/.well-known/jwks.json").send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["cache-control"], "public, max-age=3600");
        let set: JwkSet = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(set.keys.len(), 2, "one for the Supabase API too");
        let header = jsonwebtoken::decode_header(&person.access_token).unwrap();
        assert_eq!(header.alg, Algorithm::EdDSA);
        let key = DecodingKey::from_jwk(set.find(&header.kid.unwrap()).expect("the key")).unwrap();
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&["handset"]);
        validation.set_audience(&["handset"]);
        let claims = jsonwebtoken::decode::<Value>(&person.access_token, &key, &validation).unwrap().claims;
        let names: Vec<_> = claims.as_object().unwrap().keys().collect();
        assert_eq!(names, ["aud", "exp", "iat", "iss", "sid", "sub"]);
        assert_eq!(claims["sub"], person.uid.to_string());
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
        assert!(backend.sessions(person.uid).await.contains_key(claims["sid"].as_str().unwrap()));
    });
}

#[test]
fn an_access_token_is_good_for_an_hour() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let person = backend.person().await;
        backend.advance(Duration::from_secs(3_599));
        assert_eq!(answer(backend.nickname(&person.access_token, "Tom")).await.0, 200);
        backend.advance(Duration::from_secs(1));
        assert_opens_nothing(&backend, &person.access_token).await;
        assert_eq!(answer(backend.refresh(&person.refresh_token)).await.0, 200);
    });
}

#[test]
fn a_forged_access_token_opens_nothing() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let token = &person.access_token;
        let (header, claims) = (part(token, 0), part(token, 1));
        let [head, body, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("{token}") };
        let jwks = answer(backend.get("/.well-known/jwks.json")).await.1;
        let public = BASE64_URL_SAFE_NO_PAD.decode(jwks["keys"][0]["x"].as_str().unwrap()).unwrap();
        let with = |name: &str, value: Value| {
            let mut header = header.clone();
            header[name] = value;
            encoded(&header)
        };
        let elsewhere = |name: &str, value: Value| {
            let mut claims = claims.clone();
            claims[name] = value;
            format!("{head}.{}.{signature}", encoded(&claims))
        };
        // Signed by HMAC with the public key as its secret, in the usual formats of keys.
        let confused = [public.clone(), jwks["keys"][0]["x"].as_str().unwrap().into()].map(|secret| {
            let mut header = Header::new(Algorithm::HS256);
            header.kid = jwks["keys"][0]["kid"].as_str().map(str::to_owned);
            jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&secret)).unwrap()
        });
        let mut forged = vec![
            String::new(),
            "x".into(),
            "a.b.c".into(),
            format!("{head}.{body}"),
            format!("{head}.{body}."),
            format!("{}.{body}.", with("alg", json!("none"))),
            format!("{}.{body}.{signature}", with("alg", json!("none"))),
            format!("{}.{body}.{signature}", with("alg", json!("HS256"))),
            format!("{}.{body}.{signature}", with("kid", json!("another"))),
            format!("{}.{body}.{signature}", with("jwk", jwks["keys"][0].clone())),
            elsewhere("sub", json!("1")),
            elsewhere("exp", json!(i64::MAX)),
            token[..token.len() - 1].to_owned(),
            format!("{token}A"),
            format!("{token}.{signature}"),
            person.refresh_token.clone(),
        ];
        forged.extend(confused);
        for token in &forged {
            assert_opens_nothing(backend, token).await;
        }
        assert!(text(&backend.account(person.uid).await, "name").is_none());
    });
}

#[test]
fn a_token_signed_rightly_for_another_place_person_or_session_opens_nothing() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let (right, now) = (caller(&person.access_token), backend.clock.now());
        let sign = |keys: Arc<Keys>, caller| keys.access_token(caller, HOUR, now).unwrap();
        let control = sign(backend.keys(&[]), right);
        assert_eq!(answer(backend.nickname(&control, "control")).await.0, 200, "the test itself signs as the backend");
        let nobody = Caller { user: UserId::new(1).unwrap(), ..right };
        let stranger = Caller { user: caller(&backend.person().await.access_token).user, ..right };
        for token in [
            sign(backend.keys(&[("TOKEN_ISSUER", "elsewhere")]), right),
            sign(backend.keys(&[("TOKEN_AUDIENCE", "elsewhere")]), right),
            sign(backend.keys(&[("SIGNING_SECRET", "a secret of somebody else's making")]), right),
            sign(backend.keys(&[]), Caller { session: SessionId::from_bytes([7; 12]), ..right }),
            sign(backend.keys(&[]), nobody),
            sign(backend.keys(&[]), stranger),
            backend.keys(&[]).access_token(right, Duration::ZERO, now).unwrap(),
        ] {
            assert_opens_nothing(backend, &token).await;
        }
        assert_eq!(text(&backend.account(person.uid).await, "name"), Some("control"));
        assert!(backend.items("user#1").await.is_empty(), "a change to nobody makes no account");
    });
}

#[test]
fn only_a_bearer_header_signs_in() {
    run(async {
        let backend = shared().await;
        let token = backend.person().await.access_token;
        let put = || backend.put("/users/me/nickname").json(&json!({ "value": "Tom" }));
        assert_eq!(answer(put()).await, not_signed_in());
        for header in
            [token.clone(), format!("Basic {token}"), "Bearer".into(), "Bearer ".into(), format!("Token {token}")]
        {
            assert_eq!(answer(put().header("authorization", &header)).await, not_signed_in(), "{header}");
        }
        for header in [format!("Bearer {token}"), format!("bearer  {token} ")] {
            assert_eq!(answer(put().header("authorization", &header)).await, (200, json!({})), "{header}");
        }
        let elsewhere = backend.put(&format!("/users/me/nickname?access_token={token}"));
        assert_eq!(answer(elsewhere.json(&json!({ "value": "Tom" }))).await, not_signed_in());
    });
}

#[test]
fn a_forged_refresh_token_moves_nothing() {
    run(async {
        let backend = shared().await;
        let (one, other) = (backend.person().await, backend.person().await);
        let bytes = |person: &Person| BASE64_URL_SAFE_NO_PAD.decode(&person.refresh_token).unwrap();
        let (mine, theirs) = (bytes(&one), bytes(&other));
        let (body, tag) = mine.split_at(24);
        let encode = |parts: &[&[u8]]| BASE64_URL_SAFE_NO_PAD.encode(parts.concat());
        let mut turned = body.to_vec();
        turned[23] ^= 1;
        for forged in [
            String::new(),
            "x".into(),
            "!".into(),
            one.refresh_token[..20].to_owned(),
            one.refresh_token[..one.refresh_token.len() - 1].to_owned(),
            format!("{}A", one.refresh_token),
            encode(&[body]),
            encode(&[body, &theirs[24..]]),
            encode(&[&theirs[..8], &body[8..], tag]),
            encode(&[&turned, tag]),
            one.access_token.clone(),
            "A".repeat(100_000),
        ] {
            assert_eq!(answer(backend.refresh(&forged)).await, refused(INVALID), "{forged:.80}");
        }
        // Correctly signed, but for a turn that was never issued, or a session that never existed.
        let right = caller(&one.access_token);
        let stray = Caller { session: SessionId::from_bytes([7; 12]), ..right };
        for token in [RefreshToken { caller: right, generation: 1 }, RefreshToken { caller: stray, generation: 0 }] {
            let token = backend.keys(&[]).refresh_token(token);
            assert_eq!(answer(backend.refresh(&token)).await, refused(INVALID));
        }
        let sessions = backend.sessions(one.uid).await;
        assert!(sessions.values().all(|session| number(session, "turn") == Some(0)), "{sessions:?}");
        assert_eq!(answer(backend.refresh(&one.refresh_token)).await.0, 200);
    });
}

#[test]
fn a_refresh_without_a_token_is_malformed() {
    run(async {
        let backend = shared().await;
        let missing = refused("refresh_token is missing");
        assert_eq!(answer(backend.post("/auth/refresh_token")).await, missing);
        assert_eq!(answer(backend.post("/auth/refresh_token").json(&json!({ "token": "x" }))).await, missing);
        let odd = answer(backend.post("/auth/refresh_token").json(&json!({ "refresh_token": 7 }))).await;
        assert_eq!(odd, refused("refresh_token must be a string"));
    });
}

#[test]
fn a_refresh_refuses_the_access_token_of_another_user_and_ignores_any_other_header() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let (one, other) = (backend.person_on(&fresh_phone()).await, backend.person_on(&fresh_phone()).await);
        backend.advance(HOUR * 2);
        let refresh = |token: &str, access: &str| backend.refresh(token).bearer_auth(access);
        assert_eq!(answer(refresh(&one.refresh_token, &other.access_token)).await, refused(INVALID));
        let session = backend.sessions(one.uid).await.into_values().next().unwrap();
        assert_eq!(number(&session, "turn"), Some(0), "what was refused moved nothing");
        // The access token expired an hour ago, which is allowed.
        let (status, tokens) = answer(refresh(&one.refresh_token, &one.access_token)).await;
        assert_eq!(status, 200, "{tokens}");
        // Android always sends its header, even if it contains nothing that can be verified.
        let mut last = Person::of(&tokens);
        for garbage in ["Bearer garbage", "Bearer a.b.c", "Bearer undefined", "Bearer ", "Bearer", "Basic eDp5", ""] {
            let request = backend.refresh(&last.refresh_token).header("authorization", garbage);
            let (status, tokens) = answer(request).await;
            assert_eq!(status, 200, "{garbage}: {tokens}");
            last = Person::of(&tokens);
        }
        assert_eq!(answer(refresh(&last.refresh_token, &last.access_token)).await.0, 200);
    });
}

#[test]
fn a_rotation_of_the_secret_publishes_both_keys() {
    run(async {
        let backend = shared().await;
        let previous = ("SIGNING_SECRET_PREVIOUS", "the secret that was in force before this one");
        let jwks = backend.keys(&[previous]).jwks();
        let kids: Vec<_> = jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect();
        assert_eq!(kids.len(), 4, "two of each kind");
        assert_eq!(answer(backend.get("/.well-known/jwks.json")).await.1["keys"][0]["kid"], kids[0]);
    });
}
