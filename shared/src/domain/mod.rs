//! The rules, and the traits behind which their data lies. Knows neither AWS nor HTTP.

pub mod account;
pub mod clock;
pub mod codes;
pub mod error;
pub mod lookup;
pub mod media;
pub mod phone;
pub mod policy;
pub mod profile;
pub mod random;
pub mod session;
pub mod sign_in;
pub mod tokens;

pub use error::{Cap, Error, Fault, Result};
