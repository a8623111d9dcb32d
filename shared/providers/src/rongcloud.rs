//! `RongCloud`, a chat service. `POST /user/getToken.json` returns the tokens with which its client libraries connect.
//!
//! <https://docs.rongcloud.io/server-rtc-api/user/register>, signatures
//! <https://docs.rongcloud.cn/platform-chat-api/auth>

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;

use crate::client::{BaseUrl, CallError, HttpsClient, Limits, ServiceResponse};
use domain::account::UserId;
use domain::chat::ChatTokens;
use domain::clock::Clock;
use domain::crypto;
use domain::random::{self, Random};
use domain::{Fault, Result, short_id};

/// The bound of random nonces. A nonce has at most 18 characters.
const NONCES: u64 = 1_000_000_000_000_000_000;
/// Maximum number of characters of a name, which is shown in push notifications.
const NAME: usize = 64;
/// Maximum length in bytes of a portrait's URL; a longer one is left out.
const PORTRAIT: usize = 1024;

/// The service, for our app.
pub struct RongCloud {
    client: HttpsClient,
    base: BaseUrl,
    app_key: HeaderValue,
    app_secret: String,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// Why the service issued no token.
#[derive(Debug, thiserror::Error)]
enum NoToken {
    #[error("the service could not be asked")]
    Call(#[source] CallError),
    /// Usually a wrong key or secret (401), or more users than the contract includes.
    #[error("the service answered {status}, code {code:?}")]
    Refused { status: u16, code: Option<i64> },
    #[error("the service answered for somebody else")]
    SomebodyElse,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    code: i64,
    user_id: Option<String>,
    token: Option<String>,
}

impl RongCloud {
    /// The service at `base`, for the app with this key and secret. `None` if the key contains characters that no key of
    /// `RongCloud` has.
    #[must_use]
    pub fn new(
        base: BaseUrl,
        app_key: &str,
        app_secret: &str,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Option<Self> {
        let client = HttpsClient::new(random.clone());
        Some(Self { client, base, app_key: app_key.parse().ok()?, app_secret: app_secret.to_owned(), clock, random })
    }

    /// The same service with other limits.
    #[must_use]
    pub fn within(self, limits: Limits) -> Self {
        Self { client: self.client.within(limits), ..self }
    }

    /// The headers that prove that we know the secret.
    fn signature(&self) -> HeaderMap {
        let nonce = random::below(&*self.random, NONCES).to_string();
        let timestamp = self.clock.now().millis().to_string();
        let signature = crypto::sha1_hex([self.app_secret.as_str(), &nonce, &timestamp].concat().as_bytes());
        let mut headers = HeaderMap::from_iter([(HeaderName::from_static("app-key"), self.app_key.clone())]);
        for (name, value) in [("nonce", nonce), ("timestamp", timestamp), ("signature", signature)] {
            // Decimal and hexadecimal digits are always valid in a header.
            headers.extend(value.parse().map(|value: HeaderValue| (HeaderName::from_static(name), value)));
        }
        headers
    }
}

#[async_trait]
impl ChatTokens for RongCloud {
    async fn token_for(&self, user: UserId, name: &str, portrait: &str) -> Result<String> {
        let id = short_id::encode(user);
        let name: String = name.chars().take(NAME).collect();
        let mut fields = vec![("userId", id.as_str()), ("name", if name.is_empty() { &id } else { &name })];
        if (1..=PORTRAIT).contains(&portrait.len()) {
            fields.push(("portraitUri", portrait));
        }
        let answer = self.client.post_form(&self.base, "/user/getToken.json", self.signature(), &fields).await;
        let token = answer.map_err(NoToken::Call).and_then(|answer| read(&answer, &id));
        token.map_err(|reason| Fault::new("asking RongCloud for a token", reason).into())
    }
}

fn read(answer: &ServiceResponse, id: &str) -> std::result::Result<String, NoToken> {
    let given: Option<Given> = answer.json();
    let status = answer.status.as_u16();
    match given {
        Some(Given { code: 200, user_id: Some(user), token: Some(token) }) if status == 200 => {
            if user == id {
                Ok(token)
            } else {
                Err(NoToken::SomebodyElse)
            }
        }
        other => Err(NoToken::Refused { status, code: other.map(|given| given.code) }),
    }
}
