//! The `SealTalk` API's part of `social`.

mod friendship;
mod groups;
mod lists;
mod sync;
mod wire;

use handset_http::routes::Routes;

use super::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().merge(friendship::router()).merge(groups::router()).merge(lists::router()).merge(sync::router())
}
