//! The fakes for services outside AWS, called by the same clients as the real services.

use std::sync::Arc;

use aws_config::{BehaviorVersion, SdkConfig};
use domain::account::UserId;
use domain::clock::SystemClock;
use domain::crypto::SystemRandom;
use domain::provider::{Provider, ProviderCheck};
use domain::{Error, short_id};
use local::Fakes;
use runtime::{Env, Services};

/// The fakes, and services whose environment points to them.
async fn fakes(more: &[(&str, &str)]) -> (Fakes, Services) {
    let fakes = Fakes::start().await.unwrap();
    let variable = |parameter: &str| match parameter {
        "WeChatBaseUrl" => "WECHAT_BASE_URL",
        "QqBaseUrl" => "QQ_BASE_URL",
        "QqAppId" => "QQ_APP_ID",
        "WeiboBaseUrl" => "WEIBO_BASE_URL",
        "WeiboAppKey" => "WEIBO_APP_KEY",
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
    for provider in Provider::ALL {
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
    let all = Provider::ALL.map(|provider| providers.vouches(provider, "test-slow", "slow"));
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
