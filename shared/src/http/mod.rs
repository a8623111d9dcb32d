//! The HTTP kit: one envelope and error table per API, extractors that refuse in the envelope of the API called, and
//! the end and the log line of every request.

pub mod api;
pub mod body;
pub mod caching;
pub mod caller;
pub mod cookie;
pub mod cross_site;
pub mod download;
pub mod endpoints;
pub mod lenient;
pub mod observe;
