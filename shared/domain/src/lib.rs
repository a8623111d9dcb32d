//! The rules, and the traits that hide how their data is stored. This module uses neither AWS nor HTTP.

pub mod account;
pub mod app_data;
pub mod captcha;
pub mod chat;
pub mod clock;
pub mod codes;
pub mod crypto;
pub mod device_id;
pub mod devices;
pub mod error;
pub mod id;
pub mod id_token;
pub mod identity;
pub mod jobs;
pub mod login_identifier;
pub mod lookup;
pub mod media;
pub mod network;
pub mod notifications;
pub mod password;
pub mod person;
pub mod phone;
pub mod policy;
pub mod profile;
pub mod provider;
pub mod queue;
pub mod random;
pub mod real_name;
pub mod rooms;
pub mod session;
pub mod short_id;
pub mod social;
pub mod text;
pub mod tokens;
pub mod uuid;

pub use error::{Cap, Error, Fault, GroupRule, NotSignedIn, Quota, Result};
