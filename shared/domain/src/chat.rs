//! Tokens for the chat service that an app uses in addition to this backend.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::account::UserId;
use super::clock::Clock;
use super::tokens::Keys;
use super::{Result, short_id};

/// Issues tokens with which a user connects to the chat service.
#[async_trait]
pub trait ChatTokens: Send + Sync {
    /// A token for `user`, whose id at the service is the short id. The service shows `name` and `portrait` (an
    /// absolute URL, or empty) in notifications.
    async fn token_for(&self, user: UserId, name: &str, portrait: &str) -> Result<String>;
}

/// Our own tokens, for a chat service that verifies them with our public keys: JWTs whose audience is `chat` and whose
/// subject is the short id.
pub struct OwnChatTokens {
    /// The keys that sign them.
    pub keys: Arc<Keys>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// How long they are valid.
    pub ttl: Duration,
}

#[async_trait]
impl ChatTokens for OwnChatTokens {
    async fn token_for(&self, user: UserId, _: &str, _: &str) -> Result<String> {
        self.keys.chat_token(&short_id::encode(user), self.ttl, self.clock.now())
    }
}
