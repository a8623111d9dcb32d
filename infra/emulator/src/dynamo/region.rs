//! The region in ARNs. The engine writes its own one, which callers never see.

/// The region in the engine's own ARNs.
pub const ENGINE_REGION: &str = ":dynamodb:dynoxide:";
/// The same region as callers see it.
pub const PUBLIC_REGION: &str = ":dynamodb:us-east-1:";
