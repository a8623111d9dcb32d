//! Sign-in providers, each called through its documented HTTP API.
//!
//! A response counts as a refusal of the token only if the provider's documentation says so. Any other response, such
//! as an error page or a rate limit, means that the provider could not be reached, and the user may try again.

mod qq;
mod wechat;
mod weibo;

use std::fmt::Display;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;

use self::qq::Qq;
use self::wechat::WeChat;
use self::weibo::Weibo;
use crate::client::{BaseUrl, CallError, HttpsClient, Limits};
use domain::provider::{Provider, ProviderCheck};
use domain::random::Random;
use domain::{Error, Result};

/// No valid token is longer: the longest that a provider issues has about 200 bytes, all of them printable ASCII.
const LONGEST_TOKEN: usize = 1024;

/// The settings of each provider. A provider without settings refuses all users.
#[derive(Clone, Debug, Default)]
pub struct ProviderSettings {
    /// The URL of `WeChat`.
    pub wechat: Option<BaseUrl>,
    /// The URL of QQ, and the id of our app there.
    pub qq: Option<(BaseUrl, String)>,
    /// The URL of Weibo, and the key of our app there.
    pub weibo: Option<(BaseUrl, String)>,
}

/// The providers configured in this deployment.
pub struct Providers {
    client: HttpsClient,
    wechat: Option<WeChat>,
    qq: Option<Qq>,
    weibo: Option<Weibo>,
}

/// Why a provider does not confirm a user.
pub(crate) enum NotConfirmed {
    /// The provider refuses. Contains the provider's code, or what is wrong with its response.
    Refused(String),
    /// There is no clear response.
    Unclear(String),
}

type Verdict = std::result::Result<(), NotConfirmed>;

impl NotConfirmed {
    pub(crate) fn refused(reason: impl Display) -> Self {
        Self::Refused(reason.to_string())
    }

    /// A response that is not one of the documented ones.
    pub(crate) fn unclear(status: http::StatusCode, code: Option<i64>) -> Self {
        Self::Unclear(code.map_or_else(|| status.to_string(), |code| format!("{status}, code {code}")))
    }

    /// The domain's error. The reason goes to the log.
    pub(crate) fn logged(self, provider: Provider) -> Error {
        let provider = provider.name();
        match self {
            Self::Refused(reason) => {
                tracing::info!(
                    event = "provider_refused",
                    provider,
                    reason,
                    "a sign-in provider did not accept a token"
                );
                Error::ProviderRefused
            }
            Self::Unclear(reason) => {
                tracing::warn!(event = "provider_unreachable", provider, reason, "a sign-in provider did not answer");
                Error::ProviderUnreachable
            }
        }
    }
}

impl From<CallError> for NotConfirmed {
    fn from(error: CallError) -> Self {
        Self::Unclear(error.to_string())
    }
}

impl Providers {
    /// The providers that have settings. `random` is for the pauses before another attempt.
    #[must_use]
    pub fn new(settings: ProviderSettings, random: Arc<dyn Random>) -> Self {
        let ProviderSettings { wechat, qq, weibo } = settings;
        Self {
            client: HttpsClient::new(random),
            wechat: wechat.map(|base| WeChat { base }),
            qq: qq.map(|(base, app_id)| Qq { base, app_id }),
            weibo: weibo.map(|(base, app_key)| Weibo { base, app_key }),
        }
    }

    /// The same providers with other limits.
    #[must_use]
    pub fn within(self, limits: Limits) -> Self {
        Self { client: self.client.within(limits), ..self }
    }

    async fn ask(&self, provider: Provider, token: &str, subject: &str) -> Verdict {
        if !(1..=LONGEST_TOKEN).contains(&token.len()) || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(NotConfirmed::refused("not a token"));
        }
        let off = || NotConfirmed::refused("not configured");
        match provider {
            Provider::WeChat => self.wechat.as_ref().ok_or_else(off)?.ask(&self.client, token, subject).await,
            Provider::Qq => self.qq.as_ref().ok_or_else(off)?.ask(&self.client, token, subject).await,
            Provider::Weibo => self.weibo.as_ref().ok_or_else(off)?.ask(&self.client, token, subject).await,
            Provider::Apple | Provider::Google => Err(NotConfirmed::refused("no provider of access tokens")),
        }
    }
}

#[async_trait]
impl ProviderCheck for Providers {
    fn knows(&self, provider: Provider) -> bool {
        match provider {
            Provider::WeChat => self.wechat.is_some(),
            Provider::Qq => self.qq.is_some(),
            Provider::Weibo => self.weibo.is_some(),
            Provider::Apple | Provider::Google => false,
        }
    }

    async fn vouches(&self, provider: Provider, access_token: &str, subject: &str) -> Result<()> {
        self.ask(provider, access_token, subject).await.map_err(|refusal| refusal.logged(provider))
    }
}

/// An id or a number. Some documents show it as one of the two while their services send the other.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Number(i64),
}

impl Scalar {
    fn is(&self, text: &str) -> bool {
        match self {
            Self::Text(own) => own == text,
            Self::Number(own) => own.to_string() == text,
        }
    }

    fn number(&self) -> Option<i64> {
        match self {
            Self::Text(text) => text.parse().ok(),
            Self::Number(number) => Some(*number),
        }
    }
}
