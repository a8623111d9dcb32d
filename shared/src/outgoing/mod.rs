//! Calls to services outside of AWS, behind the domain's traits.
//!
//! All of them use one [`client`], which limits time and size, uses TLS and follows no redirects. URLs and bodies
//! contain tokens, so neither ever appears in an error or a log.

pub mod client;
pub mod providers;
pub mod rongcloud;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use self::providers::Providers;
pub use self::rongcloud::RongCloud;
use crate::config::{ConfigError, Env};
use crate::domain::chat::{ChatTokens, OwnChatTokens};
use crate::domain::clock::Clock;
use crate::domain::policy::Policy;
use crate::domain::random::Random;
use crate::domain::tokens::Keys;

/// The chat service's tokens if one is configured, otherwise our own.
pub fn chat_tokens(
    env: &Env,
    policy: &Policy,
    keys: Arc<Keys>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> Result<Arc<dyn ChatTokens>, ConfigError> {
    Ok(match RongCloud::from_env(env, clock.clone(), random)? {
        Some(service) => Arc::new(service),
        None => Arc::new(OwnChatTokens { keys, clock, ttl: policy.chat_token_ttl }),
    })
}
