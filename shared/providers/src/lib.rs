//! Calls to services outside of AWS, behind the domain's traits.
//!
//! All of them use one [`client`], which limits time and size, uses TLS and follows no redirects. URLs and bodies
//! contain tokens, so neither ever appears in an error or a log.

pub mod client;
pub mod id_token;
pub mod rongcloud;
pub mod sign_in;

#[cfg(test)]
mod tests;

pub use self::client::BaseUrl;
pub use self::id_token::{IdTokenSettings, IdTokenVerifier};
pub use self::rongcloud::RongCloud;
pub use self::sign_in::{ProviderSettings, Providers};
