//! A provider's public keys (RFC 7517), fetched when they are first needed and kept for a while.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::StatusCode;
use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use serde_json::Value;

use crate::client::{BaseUrl, HttpsClient};
use crate::sign_in::NotConfirmed;
use domain::clock::Timestamp;

/// How long fetched keys are used without asking again. Both providers publish a key long before they sign with it.
const FRESH: Duration = Duration::from_hours(1);
/// How long they are used if the provider cannot be reached.
const USABLE: Duration = Duration::from_hours(24);
/// The pause before the provider is asked again for a key that it does not have, or after a failure. So made-up key ids
/// cause one request a minute, however many tokens contain them.
const PAUSE: Duration = Duration::from_mins(1);
/// The pause after a failure if there are no usable keys. It is longer than a call takes: everyone who waited for the
/// call gets its result.
const PAUSE_WITHOUT_KEYS: Duration = Duration::from_secs(10);
/// Maximum number of keys in a set. Providers publish two or three.
const MOST_KEYS: usize = 16;

/// The keys of one provider.
pub(super) struct KeySet {
    base: BaseUrl,
    path: &'static str,
    cache: Mutex<Cache>,
    /// Held during a call to the provider, so that there is one at a time.
    fetching: tokio::sync::Mutex<()>,
}

type Keys = BTreeMap<String, DecodingKey>;
type Answer<T> = Result<T, NotConfirmed>;

#[derive(Default)]
struct Cache {
    /// The newest keys, and when they were fetched.
    fetched: Option<(Timestamp, Keys)>,
    /// When a key was last missing in a set that was fetched for it.
    missed: Option<Timestamp>,
    /// When a call failed, if that was the last one.
    failed: Option<Timestamp>,
}

impl KeySet {
    /// The keys at this URL.
    pub fn new(base: BaseUrl, path: &'static str) -> Self {
        Self { base, path, cache: Mutex::default(), fetching: tokio::sync::Mutex::default() }
    }

    /// The key with this id. Only `now` decides how old the fetched keys are.
    pub async fn key(&self, client: &HttpsClient, kid: &str, now: Timestamp) -> Answer<DecodingKey> {
        if let Some(answer) = self.cache().find(kid, now) {
            return answer;
        }
        let _only_one = self.fetching.lock().await;
        // Another request may have fetched the keys while this one waited.
        if let Some(answer) = self.cache().find(kid, now) {
            return answer;
        }
        let fetched = self.fetch(client).await;
        if let Err(NotConfirmed::Unclear(reason)) = &fetched {
            // Old keys may hide this for a day.
            tracing::warn!(event = "key_set_unreachable", path = self.path, reason, "a key set could not be fetched");
        }
        self.cache().keep(fetched, kid, now)
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch(&self, client: &HttpsClient) -> Answer<Keys> {
        let answer = client.get(&self.base, self.path, &[]).await?;
        let document = (answer.status == StatusCode::OK).then(|| answer.json()).flatten();
        document.and_then(read).ok_or_else(|| NotConfirmed::unclear(answer.status, None))
    }
}

impl Cache {
    /// The key, or why there is none. `None` if the provider has to be asked first.
    fn find(&self, kid: &str, now: Timestamp) -> Option<Answer<DecodingKey>> {
        let fetched_within = |age| self.fetched.as_ref().filter(|(at, _)| is_within(age, *at, now));
        let lately = |at: Option<Timestamp>, pause| at.is_some_and(|at| is_within(pause, at, now));
        let key = fetched_within(USABLE).and_then(|(_, keys)| keys.get(kid));
        let is_fresh = fetched_within(FRESH).is_some();
        let pause = if fetched_within(USABLE).is_some() { PAUSE } else { PAUSE_WITHOUT_KEYS };
        match key {
            Some(key) if is_fresh || lately(self.failed, pause) => Some(Ok(key.clone())),
            None if lately(self.failed, pause) => {
                Some(Err(NotConfirmed::Unclear("a moment ago the key set could not be fetched".to_owned())))
            }
            None if is_fresh && lately(self.missed, PAUSE) => Some(Err(NotConfirmed::refused("an unknown key"))),
            _ => None,
        }
    }

    /// Keeps the provider's answer, and returns the key it was asked for.
    fn keep(&mut self, fetched: Answer<Keys>, kid: &str, now: Timestamp) -> Answer<DecodingKey> {
        match fetched {
            Ok(keys) => {
                let key = keys.get(kid).cloned();
                if key.is_none() {
                    self.missed = Some(now);
                }
                (self.fetched, self.failed) = (Some((now, keys)), None);
                key.ok_or_else(|| NotConfirmed::refused("an unknown key"))
            }
            Err(failure) => {
                self.failed = Some(now);
                match self.find(kid, now) {
                    Some(Ok(key)) => Ok(key),
                    _ => Err(failure),
                }
            }
        }
    }
}

/// Whether the two times are less than `span` apart. A clock that was set back makes nothing younger.
fn is_within(span: Duration, at: Timestamp, now: Timestamp) -> bool {
    u128::from(at.millis().abs_diff(now.millis())) < span.as_millis()
}

/// A key as it is published. `n` and `e` are those of RSA keys.
#[derive(Deserialize)]
struct Published {
    kty: String,
    kid: String,
    alg: Option<String>,
    r#use: Option<String>,
    n: String,
    e: String,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

/// The keys of a set that verify signatures with RS256. A key of another kind is passed over, because a provider may
/// publish one beside them. `None` if there is none, or if there are too many.
fn read(document: Document) -> Option<Keys> {
    if document.keys.len() > MOST_KEYS {
        return None;
    }
    let published = document.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
    let keys: Keys = published.filter_map(usable).collect();
    (!keys.is_empty()).then_some(keys)
}

fn usable(key: Published) -> Option<(String, DecodingKey)> {
    let is = |value: &Option<String>, expected| value.as_deref().is_none_or(|value| value == expected);
    if key.kty != "RSA" || !is(&key.alg, "RS256") || !is(&key.r#use, "sig") {
        return None;
    }
    Some((key.kid, DecodingKey::from_rsa_components(&key.n, &key.e).ok()?))
}
