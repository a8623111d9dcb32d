//! Shared HTTP code: a response format and error table for each API, extractors that return errors in the format of the
//! called API, and the time-out and the log line of every request.

pub mod api;
pub mod body;
pub mod caching;
pub mod caller;
pub mod constant;
pub mod cookie;
pub mod cross_site;
mod decode;
pub mod download;
pub mod endpoints;
pub mod fields;
pub mod lenient;
pub mod observe;
pub mod routes;
pub mod v1;
pub mod verifier;
