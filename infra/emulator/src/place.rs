//! The place of everything local, as ARNs name it.

/// The region in every local ARN, and the one to set in clients.
pub const REGION: &str = "us-east-1";

/// The account in every local ARN.
pub const ACCOUNT: &str = "000000000000";
