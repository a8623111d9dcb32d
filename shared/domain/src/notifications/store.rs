//! The recipients of notifications, and the ways to reach them.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use async_trait::async_trait;

use crate::Result;
use crate::account::{Account, UserId};
use crate::clock::Timestamp;
use crate::session::{PushService, PushTokens};
use crate::social::GroupId;

/// The push service for a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Platform {
    /// Apple's push service.
    Apple,
    /// Firebase Cloud Messaging.
    Google,
}

/// A device that receives notifications.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Device {
    /// Its push service.
    pub platform: Platform,
    /// Its token at that service. The token alone does not allow pushing to the device, but it identifies the device,
    /// so it is never logged.
    pub token: String,
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Device({:?})", self.platform)
    }
}

impl Device {
    /// The devices that belong to a session's push tokens. Tokens of Android apps are treated as Firebase tokens.
    pub fn of(push: &PushTokens) -> impl Iterator<Item = Self> {
        let device = push.device.as_ref().map(|(token, platform)| {
            // 1 is iOS (documentation of the device API).
            (if *platform == 1 { Platform::Apple } else { Platform::Google }, token)
        });
        let services = push.services.iter().filter_map(|(service, token)| {
            let platform = match service {
                PushService::Apns => Platform::Apple,
                PushService::Ng | PushService::Gcm => Platform::Google,
                // SNS does not support these services.
                PushService::Xg | PushService::Xm | PushService::Hw | PushService::Jp => return None,
            };
            Some((platform, token))
        });
        device.into_iter().chain(services).map(|(platform, token)| Self { platform, token: token.clone() })
    }
}

/// A user who receives notifications or is named in one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listener {
    /// The nickname; empty when the user has not set one.
    pub name: String,
    /// The devices of the active sessions.
    pub devices: BTreeSet<Device>,
}

impl Listener {
    /// The account's listener at the time `now`.
    #[must_use]
    pub fn of(account: &Account, now: Timestamp) -> Self {
        let living = account.sessions.values().filter(|session| session.is_active(now));
        Self { name: account.name.clone(), devices: living.flat_map(|session| Device::of(&session.push)).collect() }
    }
}

/// The store of users' nicknames and devices.
#[async_trait]
pub trait Listeners: Send + Sync {
    /// These users, in a state that may be slightly out of date; users who do not exist are left out. Takes one round
    /// trip.
    async fn listeners(&self, people: &BTreeSet<UserId>, now: Timestamp) -> Result<HashMap<UserId, Listener>>;
}

/// The store of groups, for reads without a caller.
#[async_trait]
pub trait Recipients: Send + Sync {
    /// The members of a group, or its last members if it was dissolved. Takes one round trip.
    async fn members_of(&self, group: GroupId) -> Result<BTreeSet<UserId>>;

    /// The bulletin on a group's board. Takes one round trip.
    async fn posted_in(&self, group: GroupId) -> Result<Option<String>>;

    /// The users among `people` who have `other` as a friend. Takes one round trip.
    async fn to_whom_a_friend(&self, people: &BTreeSet<UserId>, other: UserId) -> Result<BTreeSet<UserId>>;
}

/// Push notifications that are counted, because the user who causes them chooses their text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CountedPush {
    /// To the receiver of a friend request.
    Request {
        /// The receiver of the request.
        to: UserId,
    },
    /// To a user whom a user other than a friend adds to a group.
    Addition {
        /// The added user.
        to: UserId,
    },
    /// To all members of a group together.
    Group {
        /// The user whose change the members are notified of.
        by: UserId,
    },
}

/// Counts pushes.
#[async_trait]
pub trait PushCounts: Send + Sync {
    /// Counts a push if fewer than the maximum were sent in this hour. Takes one round trip.
    async fn may_push(&self, push: CountedPush, now: Timestamp) -> Result<bool>;
}

/// A notification as it is published to the subscribers of the topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The kind of message. Subscribers can filter by it.
    pub kind: &'static str,
    /// The operation. Subscribers can filter by it too.
    pub operation: &'static str,
    /// The message.
    pub body: String,
}

/// The result of publishing a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It was published.
    Done,
    /// The service rejected the notice as invalid, so it will never be published.
    Refused,
}

/// The topic to which notices are published.
#[async_trait]
pub trait EventPublisher: Send + Sync {
    /// Publishes a notice. A fault may be temporary, so it is worth trying again; the notice may have been published in
    /// spite of it.
    async fn publish(&self, notice: &Notice) -> Result<Taken>;
}

/// The result of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// The push service accepted it.
    Sent,
    /// The push service no longer accepts pushes for the device, or does not know its token.
    Gone,
    /// It failed for another reason. It may have been sent in spite of it, so it is not tried again.
    Failed,
    /// It was certainly not sent, for a reason that may pass, so it may be tried again.
    Unsent,
}

/// The push services.
#[async_trait]
pub trait PushSender: Send + Sync {
    /// Whether devices of a platform can be reached.
    fn reaches(&self, platform: Platform) -> bool;

    /// Sends a payload in the platform's own form to a device.
    async fn push(&self, device: &Device, payload: &str) -> Pushed;
}

/// The devices that the push services know from us.
#[async_trait]
pub trait PushEndpoints: Send + Sync {
    /// Makes the push service forget a device. It is not an error if it does not know the device.
    async fn forget(&self, device: &Device) -> Result<()>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Session, SessionId};

    fn session(push: PushTokens, ends: i64) -> Session {
        let (began, ends) = (Timestamp::from_millis(0), Timestamp::from_millis(ends));
        Session {
            generation: 0,
            moved: began,
            began,
            expires: ends,
            ends,
            api: String::new(),
            push,
            network: None,
            method: None,
            device: None,
            used: None,
            seen_generation: None,
        }
    }

    #[test]
    fn news_goes_to_the_devices_of_sessions_that_live() {
        let push = |device: Option<(&str, u8)>, services: &[(PushService, &str)]| PushTokens {
            device: device.map(|(token, platform)| (token.to_owned(), platform)),
            services: services.iter().map(|(service, token)| (*service, (*token).to_owned())).collect(),
        };
        let sessions = [
            session(push(Some(("android", 0)), &[]), 100),
            session(push(Some(("iphone", 1)), &[]), 100),
            session(push(None, &[(PushService::Apns, "iphone"), (PushService::Ng, "other")]), 100),
            session(push(None, &[(PushService::Gcm, "play"), (PushService::Hw, "no platform")]), 100),
            session(push(None, &[(PushService::Apns, "over")]), 50),
            session(PushTokens::default(), 100),
        ];
        let mut sessions = (0..).zip(sessions).map(|(n, session)| (SessionId::from_bytes([n; 12]), session));
        let now = Timestamp::from_millis(50);
        let mut account = Account::new(UserId::new(1).unwrap(), sessions.next().unwrap(), now);
        account.name = "小明".to_owned();
        account.sessions.extend(sessions);
        let listener = Listener::of(&account, now);
        let devices: Vec<_> = listener.devices.iter().map(|device| (device.platform, device.token.as_str())).collect();
        assert_eq!(listener.name, "小明");
        let google = ["android", "other", "play"].map(|token| (Platform::Google, token));
        assert_eq!(devices, [&[(Platform::Apple, "iphone")][..], &google].concat());
    }

    #[test]
    fn a_devices_token_is_not_printed() {
        let device = Device { platform: Platform::Apple, token: "secret".to_owned() };
        assert_eq!(format!("{device:?}"), "Device(Apple)");
    }
}
