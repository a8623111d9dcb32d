//! Sessions. Each sign-in creates one. They are stored in the account's own item, so that one call can check the
//! session and do the work.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::clock::Timestamp;
use super::device_name::DeviceName;
use super::network::NetworkHash;
use super::policy::Policy;
use super::random::{self, Random};

/// Identifies a session of an account. It is not secret, because tokens carry a MAC over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId([u8; Self::BYTES]);

impl SessionId {
    /// Length of an id in bytes.
    pub const BYTES: usize = 12;

    /// A new id.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        Self(random::bytes(random))
    }

    /// The id with the bytes of [`Self::as_bytes`].
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The id's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_URL_SAFE_NO_PAD.encode(self.0))
    }
}

/// The error for a session id that cannot be parsed.
#[derive(Debug, thiserror::Error)]
#[error("not a session id")]
pub struct NotASessionId;

impl FromStr for SessionId {
    type Err = NotASessionId;

    fn from_str(text: &str) -> Result<Self, NotASessionId> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| NotASessionId)?;
        bytes.try_into().map(Self).map_err(|_| NotASessionId)
    }
}

/// A push service whose tokens the clients of the messenger API send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PushService {
    /// Apple's.
    Apns,
    /// The messenger's own service for Android.
    Ng,
    /// Google's.
    Gcm,
    /// Tencent's (XG).
    Xg,
    /// Xiaomi's.
    Xm,
    /// Huawei's.
    Hw,
    /// Aurora's (`JPush`).
    Jp,
}

impl PushService {
    /// Every service.
    pub const ALL: [Self; 7] = [Self::Apns, Self::Ng, Self::Gcm, Self::Xg, Self::Xm, Self::Hw, Self::Jp];

    /// Its name in the messenger API's fields (`<name>_device_token`) and in the table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Apns => "apns",
            Self::Ng => "ng",
            Self::Gcm => "gcm",
            Self::Xg => "xg",
            Self::Xm => "xm",
            Self::Hw => "hw",
            Self::Jp => "jp",
        }
    }
}

/// The push tokens of a session's device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PushTokens {
    /// The token of a device API client and its platform: 0 Android, 1 iOS.
    pub device: Option<(String, u8)>,
    /// The tokens of a messenger client.
    pub services: BTreeMap<PushService, String>,
}

impl PushTokens {
    /// Maximum length of a push token in bytes. The tokens of all services are far shorter.
    pub const MAX_BYTES: usize = 512;

    /// Parses the tokens of a messenger client. Missing and empty ones are left out.
    pub fn parse<'a>(given: impl IntoIterator<Item = (PushService, Option<&'a str>)>) -> super::Result<Self> {
        const RULE: super::Error =
            super::Error::Invalid { field: "device token", rule: "must have at most 512 printable bytes" };
        let given = given.into_iter().filter_map(|(service, token)| Some((service, token?.trim())));
        let given = given.filter(|(_, token)| !token.is_empty());
        let parse = |(service, token): (PushService, &str)| {
            let fits = token.len() <= Self::MAX_BYTES && !token.chars().any(char::is_control);
            if fits { Ok((service, token.to_owned())) } else { Err(RULE) }
        };
        Ok(Self { device: None, services: given.map(parse).collect::<super::Result<_>>()? })
    }
}

/// How a user proved who they are when a session began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInMethod {
    /// With a code from a text message.
    Code,
    /// With a password.
    Password,
    /// Through a sign-in provider.
    Provider,
    /// Not at all: the account is anonymous.
    Anonymous,
}

impl SignInMethod {
    const ALL: [Self; 4] = [Self::Code, Self::Password, Self::Provider, Self::Anonymous];

    /// Its name in the table, and in the Supabase API's claim `amr`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Code => "otp",
            Self::Password => "password",
            Self::Provider => "oauth",
            Self::Anonymous => "anonymous",
        }
    }

    /// The method with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}

/// How long a session lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// As long as it is refreshed, within the limits of the policy.
    Refreshed,
    /// A fixed time.
    Fixed(Duration),
}

/// A session before it begins.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The API that signs in, by its name in the code.
    pub api: &'static str,
    /// How long it lasts.
    pub lifetime: Lifetime,
    /// The push tokens for its notifications.
    pub push: PushTokens,
    /// The client's IP address, as the gateway saw it.
    pub from: Option<IpAddr>,
    /// What the client says about its device.
    pub device: Option<DeviceName>,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The turn of the refresh token: only the token with this turn is valid.
    pub generation: u32,
    /// When the refresh token moved to this generation.
    pub moved: Timestamp,
    /// When the session began.
    pub began: Timestamp,
    /// When it ends unless it is refreshed.
    pub expires: Timestamp,
    /// When it ends in any case.
    pub ends: Timestamp,
    /// The API that signed in, by its name in the code (`messenger`, …).
    pub api: String,
    /// The push tokens for its notifications.
    pub push: PushTokens,
    /// The network from which it was last begun or refreshed.
    pub network: Option<NetworkHash>,
    /// How the user signed in. `None` in sessions from before this was stored.
    pub method: Option<SignInMethod>,
    /// What the client said about its device when the session began.
    pub device: Option<DeviceName>,
    /// The hour of its last request that wrote something.
    pub used: Option<Timestamp>,
    /// The latest generation whose access token the client has used, in the Supabase API. Until the client has used
    /// that of the current generation, it may not have received its tokens.
    pub seen_generation: Option<u32>,
}

impl Session {
    /// A session that begins at the time `now`.
    #[must_use]
    pub fn begin(policy: &Policy, new: NewSession, now: Timestamp) -> Self {
        let (expires, ends) = match new.lifetime {
            Lifetime::Refreshed => (policy.refresh_sliding, policy.refresh_absolute),
            Lifetime::Fixed(lifetime) => (lifetime, lifetime),
        };
        Self {
            generation: 0,
            moved: now,
            began: now,
            expires: now.plus(expires),
            ends: now.plus(ends),
            api: new.api.to_owned(),
            push: new.push,
            network: None,
            method: None,
            device: new.device,
            used: None,
            seen_generation: None,
        }
    }

    /// The hour in which it was last used, as far as that is known: reading leaves no trace.
    #[must_use]
    pub fn last_used(&self) -> Timestamp {
        self.used.unwrap_or(self.began).max(self.began).max(self.moved).hour_start()
    }

    /// Whether it is active at the time `now`.
    #[must_use]
    pub fn is_active(&self, now: Timestamp) -> bool {
        now < self.expires && now < self.ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_form() {
        let id = SessionId::from_bytes([7; 12]);
        assert_eq!(id.to_string().parse::<SessionId>().unwrap(), id);
        for bad in ["", "a", "AAAAAAAAAAAAAAAAA", "!AAAAAAAAAAAAAAA"] {
            assert!(bad.parse::<SessionId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn push_tokens_are_bounded() {
        let parse =
            |token: Option<&str>| PushTokens::parse([(PushService::Apns, Some(" a ")), (PushService::Hw, token)]);
        let one = PushTokens { device: None, services: BTreeMap::from([(PushService::Apns, "a".to_owned())]) };
        for none in [None, Some(""), Some(" ")] {
            assert_eq!(parse(none).unwrap(), one);
        }
        assert_eq!(parse(Some("b")).unwrap().services.len(), 2);
        for bad in [&"a".repeat(513), "a\nb"] {
            assert!(parse(Some(bad)).is_err(), "{bad:?}");
        }
    }
}
