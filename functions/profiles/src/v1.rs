//! The common API's part of `profiles`: the user's own profile and devices, other users, and what everybody may know about
//! the deployment.

mod config;
mod devices;
mod info;
mod me;
mod people;

use handset_http::routes::Routes;

use super::AppState;

pub(crate) use self::config::Offers;

pub(super) fn router() -> Routes<AppState> {
    Routes::new()
        .merge(me::router())
        .merge(devices::router())
        .merge(people::router())
        .merge(config::router())
        .merge(info::router())
}
