//! The `rooms` function: the gateway's `$default` route, which gets every request that no other route takes and
//! refuses it in the envelope of the API its path belongs to.

use axum::Router;
use shared::config::ConfigError;
use shared::http::observe;
use shared::lambda::{Http, Runtime};

/// The function.
pub fn function(runtime: &Runtime) -> Result<Http, ConfigError> {
    Ok(Http(observe::finish(Router::new(), "rooms", runtime.clock.clone())))
}
