//! The fakes for services outside AWS, called by the same clients as the real services.

use std::sync::Arc;

use aws_config::{BehaviorVersion, SdkConfig};
use domain::account::UserId;
use domain::clock::{Clock, SystemClock};
use domain::crypto::SystemRandom;
use domain::id_token::{IdToken, IdTokenCheck};
use domain::provider::{Provider, ProviderCheck};
use domain::{Error, short_id};
use local::Fakes;
use runtime::{Env, Services};
use serde_json::{Value, json};

use crate::client;
use crate::start::port;

/// The providers whose access tokens are checked by asking them.
const OF_ACCESS_TOKENS: [Provider; 3] = [Provider::WeChat, Provider::Qq, Provider::Weibo];

/// The fakes, and services whose environment points to them.
async fn fakes(more: &[(&str, &str)]) -> (Fakes, Services) {
    let fakes = Fakes::start().await.unwrap();
    let variable = |parameter: &str| match parameter {
        "WeChatBaseUrl" => "WECHAT_BASE_URL",
        "QqBaseUrl" => "QQ_BASE_URL",
        "QqAppId" => "QQ_APP_ID",
        "WeiboBaseUrl" => "WEIBO_BASE_URL",
        "WeiboAppKey" => "WEIBO_APP_KEY",
        "AppleBaseUrl" => "APPLE_BASE_URL",
        "AppleClientIds" => "APPLE_CLIENT_IDS",
        "GoogleBaseUrl" => "GOOGLE_BASE_URL",
        "GoogleClientIds" => "GOOGLE_CLIENT_IDS",
        "RongCloudBaseUrl" => "RONGCLOUD_BASE_URL",
        other => panic!("{other} has no variable"),
    };
    let given = fakes.parameters();
    let given = given.iter().map(|(name, value)| (variable(name), value.as_str()));
    let env: Env = given.chain(more.iter().copied()).collect();
    let sdk = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build();
    (fakes, Services::new(env, sdk, Arc::new(SystemClock), Arc::new(SystemRandom)))
}

#[tokio::test]
async fn only_the_documented_tokens_vouch() {
    let (_fakes, services) = fakes(&[]).await;
    let providers = &services.providers().unwrap();
    for provider in OF_ACCESS_TOKENS {
        let ask = |token: &'static str, subject: &'static str| providers.vouches(provider, token, subject);
        ask("test-42", "42").await.unwrap();
        ask("test-oGZUI0eg", "oGZUI0eg").await.unwrap();
        for (token, subject) in [
            ("test-42", "43"),
            ("test-other-app-42", "42"),
            ("test-expired", "expired"),
            ("test-", ""),
            ("42", "42"),
            ("", "42"),
        ] {
            let answer = ask(token, subject).await;
            assert!(matches!(answer, Err(Error::ProviderRefused)), "{provider:?} {token} {answer:?}");
        }
        let answer = ask("test-broken", "broken").await;
        assert!(matches!(answer, Err(Error::ProviderUnreachable)), "{provider:?} {answer:?}");
    }
}

#[tokio::test]
async fn nobody_waits_for_a_slow_provider() {
    let (_fakes, services) = fakes(&[]).await;
    let providers = &services.providers().unwrap();
    let all = OF_ACCESS_TOKENS.map(|provider| providers.vouches(provider, "test-slow", "slow"));
    for answer in futures::future::join_all(all).await {
        assert!(matches!(answer, Err(Error::ProviderUnreachable)), "{answer:?}");
    }
}

#[tokio::test]
async fn the_chat_service_gives_tokens_to_who_signs() {
    let app = |secret| [("RONGCLOUD_APP_KEY", "local-app-key"), ("RONGCLOUD_APP_SECRET", secret)];
    let user = UserId::new(4_503_599_627_370_497).unwrap();
    for (secret, right) in [("local-app-secret", true), ("another", false)] {
        let (_fakes, services) = fakes(&app(secret)).await;
        let service = services.chat_tokens().unwrap();
        let answer = service.token_for(user, "", "").await;
        match answer {
            Ok(token) => assert_eq!((token, right), (format!("standin-{}", short_id::encode(user)), true)),
            Err(Error::Fault(fault)) => assert!(!right && fault.chain().contains("401, code Some(1004)"), "{fault}"),
            Err(other) => panic!("{other}"),
        }
    }
}

/// Sends JSON to a fake.
async fn post(fakes: &Fakes, path: &str, body: &Value) -> Value {
    let answer = client::send(port(&fakes.url()), &format!("POST {path}"), &[], body.to_string().as_bytes()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[tokio::test]
async fn apple_and_google_sign_tokens_that_are_accepted_unless_something_is_wrong() {
    let (fakes, services) = fakes(&[]).await;
    let verifier = services.id_tokens().unwrap();
    for (provider, claims, nonce, accepted) in [
        (Provider::Apple, json!({ "sub": "a.1", "email": "a@b.example", "email_verified": "true" }), None, true),
        (
            Provider::Google,
            json!({ "sub": "1", "iss": "accounts.google.com", "access_token": "of-google" }),
            None,
            true,
        ),
        (Provider::Google, json!({ "raw_nonce": "n" }), Some("n"), true),
        (Provider::Google, json!({ "raw_nonce": "n" }), None, false),
        (Provider::Google, json!({ "nonce": "n" }), Some("n"), false),
        (Provider::Google, json!({ "at_hash": "n", "access_token": "t" }), None, false),
        (Provider::Apple, json!({ "aud": "another" }), None, false),
        (Provider::Apple, json!({ "exp": 1 }), None, false),
        (Provider::Apple, json!({ "iat": null }), None, false),
        (Provider::Apple, json!({ "kid": "another" }), None, false),
    ] {
        let path = format!("/{}/sign", provider.name());
        let signed = post(&fakes, &path, &claims).await;
        assert_eq!(signed["access_token"], claims["access_token"]);
        let (token, access_token) = (signed["id_token"].as_str().unwrap(), signed["access_token"].as_str());
        let given = IdToken { provider, token, access_token, nonce };
        match verifier.check(&given, SystemClock.now()).await {
            Ok(user) => assert!(accepted && user.subject.as_str() == claims["sub"].as_str().unwrap_or("test-user")),
            Err(Error::ProviderRefused) => assert!(!accepted, "{claims}"),
            Err(other) => panic!("{other}: {claims}"),
        }
    }
}

#[tokio::test]
async fn a_provider_s_next_key_is_found_and_its_last_one_still_counts() {
    let (fakes, services) = fakes(&[]).await;
    let verifier = services.id_tokens().unwrap();
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let signed = post(&fakes, "/apple/sign", &json!({})).await;
        tokens.push(signed["id_token"].as_str().unwrap().to_owned());
        for token in &tokens {
            let given = IdToken { provider: Provider::Apple, token, access_token: None, nonce: None };
            verifier.check(&given, SystemClock.now()).await.unwrap();
        }
        post(&fakes, "/apple/rotate", &json!({})).await;
    }
}
