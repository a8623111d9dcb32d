//! The state of the operations.

use std::sync::Arc;

use super::access::Guard;
use super::store::Store;
use crate::delivery::Deliveries;

/// The objects, their events and their permissions.
pub struct Objects {
    /// The buckets.
    pub store: Arc<Store>,
    /// The subscriptions to written objects.
    pub deliveries: Arc<Deliveries>,
    /// The permission checks.
    pub guard: Guard,
}
