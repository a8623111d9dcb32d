//! Queues for work that is done later, by another invocation.

use std::time::Duration;

use async_trait::async_trait;

use crate::Result;

/// A queue of messages of the type `M`. Every message is delivered at least once, in any order; a message that was not
/// processed is delivered again. So processing a message twice must do no harm.
#[async_trait]
pub trait Queue<M: Sync + 'static>: Send + Sync {
    /// Adds messages, which are delivered when `delay` is over (at most 15 minutes). After a fault, some of the messages
    /// may be on the queue, and none of them is if the caller does not try again.
    async fn send(&self, messages: &[M], delay: Duration) -> Result<()>;

    /// Sets when a message that is being processed is delivered again, unless it is processed: this long from now
    /// instead of at the queue's own time. `receipt` is the receipt handle of its delivery.
    async fn retry_in(&self, receipt: &str, wait: Duration) -> Result<()>;
}
