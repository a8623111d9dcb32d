//! Sessions: one per sign-in, kept in the account's own item so that one call can check and do.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::clock::Timestamp;
use super::known::NetworkHash;
use super::policy::Policy;
use super::random::{self, Random};

/// Names a session of an account. Not secret: tokens carry a MAC over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId([u8; Self::BYTES]);

impl SessionId {
    /// Bytes of an id.
    pub const BYTES: usize = 12;

    /// A new id.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        Self(random::bytes(random))
    }

    /// From the bytes of [`Self::as_bytes`].
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes.
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

/// A session id that cannot be read.
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

/// Where notifications of a session's device go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PushTokens {
    /// A device API client's token and its platform: 0 Android, 1 iOS.
    pub device: Option<(String, u8)>,
    /// Apple's device token.
    pub apns: Option<String>,
    /// The token of the messenger's own Android push service (`ng_device_token`).
    pub ng: Option<String>,
}

impl PushTokens {
    /// The longest push token any service hands out is far below this many bytes.
    pub const MAX_BYTES: usize = 512;

    /// Both tokens within bounds; empty ones count as none.
    pub fn parse(apns: Option<&str>, ng: Option<&str>) -> super::Result<Self> {
        let parse = |token: Option<&str>| match token.map(str::trim).filter(|token| !token.is_empty()) {
            Some(token) if token.len() > Self::MAX_BYTES || token.chars().any(char::is_control) => {
                Err(super::Error::Invalid { field: "device token", rule: "has at most 512 printable bytes" })
            }
            token => Ok(token.map(str::to_owned)),
        };
        Ok(Self { apns: parse(apns)?, ng: parse(ng)?, device: None })
    }
}

/// How long a session lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// As long as it is refreshed, within the policy's bounds.
    Refreshed,
    /// A fixed time.
    Fixed(Duration),
}

/// A session about to begin.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The API that signs in, by its name in the code.
    pub api: &'static str,
    /// How long it lasts.
    pub lifetime: Lifetime,
    /// Where its notifications go.
    pub push: PushTokens,
    /// The client's IP address, as the gateway saw it.
    pub from: Option<IpAddr>,
}

/// A sign-in that lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The turn of the refresh token: token `turn` is the living one.
    pub turn: u32,
    /// When the refresh token moved to this turn.
    pub moved: Timestamp,
    /// When the session began.
    pub began: Timestamp,
    /// When it ends unless it is refreshed.
    pub expires: Timestamp,
    /// When it ends in any case.
    pub ends: Timestamp,
    /// The API that signed in, by its name in the code (`messenger`, …).
    pub api: String,
    /// Where its notifications go.
    pub push: PushTokens,
    /// The network it was last begun or refreshed from.
    pub network: Option<NetworkHash>,
}

impl Session {
    /// A session that begins `now`.
    #[must_use]
    pub fn begin(policy: &Policy, new: NewSession, now: Timestamp) -> Self {
        let (expires, ends) = match new.lifetime {
            Lifetime::Refreshed => (policy.refresh_sliding, policy.refresh_absolute),
            Lifetime::Fixed(lifetime) => (lifetime, lifetime),
        };
        Self {
            turn: 0,
            moved: now,
            began: now,
            expires: now.plus(expires),
            ends: now.plus(ends),
            api: new.api.to_owned(),
            push: new.push,
            network: None,
        }
    }

    /// Whether it still lives at `now`.
    #[must_use]
    pub fn lives(&self, now: Timestamp) -> bool {
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
        assert_eq!(PushTokens::parse(Some(" "), None).unwrap(), PushTokens::default());
        assert!(PushTokens::parse(Some(&"a".repeat(513)), None).is_err());
    }
}
