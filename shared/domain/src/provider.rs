//! Sign-in providers: external services that confirm a user's identity.

use async_trait::async_trait;

use super::Result;

/// A sign-in provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provider {
    /// `WeChat`. The subject is the `openid` of the user for our app.
    WeChat,
    /// QQ. The subject is the `openid` of the user for our app.
    Qq,
    /// Weibo. The subject is the `uid`.
    Weibo,
    /// Apple. The subject is the `sub` of identity tokens, which is one for all apps of our developer team.
    Apple,
    /// Google. The subject is the `sub` of identity tokens, which is the same in every app.
    Google,
}

impl Provider {
    /// All providers.
    pub const ALL: [Self; 5] = [Self::WeChat, Self::Qq, Self::Weibo, Self::Apple, Self::Google];

    /// The name in keys and logs. It never changes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WeChat => "wechat",
            Self::Qq => "qq",
            Self::Weibo => "weibo",
            Self::Apple => "apple",
            Self::Google => "google",
        }
    }

    /// The provider with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.name() == name)
    }
}

/// Checks access tokens with sign-in providers. Apple and Google issue identity tokens instead, which
/// [`super::id_token::IdTokenCheck`] checks.
#[async_trait]
pub trait ProviderCheck: Send + Sync {
    /// Whether this deployment is configured for a provider. If not, every token of that provider is refused.
    fn knows(&self, provider: Provider) -> bool;

    /// Asks `provider` whether `access_token` is valid, was issued to our app, and belongs to `subject`.
    ///
    /// Fails with [`super::Error::ProviderRefused`] when one of these is not so or the provider is not configured, and
    /// with [`super::Error::ProviderUnreachable`] when there is no reliable response.
    async fn vouches(&self, provider: Provider, access_token: &str, subject: &str) -> Result<()>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_providers_apart() {
        for provider in Provider::ALL {
            assert_eq!(Provider::from_name(provider.name()), Some(provider));
        }
        assert_eq!(Provider::from_name("WeChat"), None);
    }
}
