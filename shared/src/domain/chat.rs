//! Tokens for the chat service that an app uses beside this backend.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::account::UserId;
use super::clock::Clock;
use super::tokens::Keys;
use super::{Result, short_id};

/// Gives out tokens with which a person connects to the chat service.
#[async_trait]
pub trait ChatTokens: Send + Sync {
    /// A token for `user`, whom the service knows by the short id. `name` and `portrait` (an absolute URL, or empty)
    /// are what the service shows of them in notifications.
    async fn token_for(&self, user: UserId, name: &str, portrait: &str) -> Result<String>;
}

/// Tokens of our own, for a chat service that checks them with our public keys: JWTs whose audience is `chat` and
/// whose subject is the short id.
pub struct OwnChatTokens {
    /// What they are signed with.
    pub keys: Arc<Keys>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How long they are good for.
    pub ttl: Duration,
}

#[async_trait]
impl ChatTokens for OwnChatTokens {
    async fn token_for(&self, user: UserId, _: &str, _: &str) -> Result<String> {
        self.keys.chat_token(&short_id::encode(user), self.ttl, self.clock.now())
    }
}
