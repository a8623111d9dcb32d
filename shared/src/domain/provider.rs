//! Sign-in providers: services that vouch for a person.

use async_trait::async_trait;

use super::Result;

/// A sign-in provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provider {
    /// `WeChat`, where the subject is the `openid` that our app sees.
    WeChat,
    /// QQ, where the subject is the `openid` that our app sees.
    Qq,
    /// Weibo, where the subject is the `uid`.
    Weibo,
}

impl Provider {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::WeChat, Self::Qq, Self::Weibo];

    /// The name in keys and logs. It never changes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WeChat => "wechat",
            Self::Qq => "qq",
            Self::Weibo => "weibo",
        }
    }

    /// The provider of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.name() == name)
    }
}

/// Asks sign-in providers.
#[async_trait]
pub trait ProviderCheck: Send + Sync {
    /// Whether this stage is set up for a provider. One that it is not set up for vouches for nobody.
    fn knows(&self, provider: Provider) -> bool;

    /// Whether `provider` says that `access_token` is valid, was given to our app, and belongs to `subject`.
    ///
    /// [`super::Error::ProviderRefused`] when it says otherwise or is not configured,
    /// [`super::Error::ProviderUnreachable`] when it says nothing that can be relied on.
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
