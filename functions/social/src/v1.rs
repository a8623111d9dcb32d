//! The common API's part of `social`: friends, friend requests, blocked users, groups, sync and reports.

mod blocks;
mod friend_requests;
mod friends;
mod groups;
mod reports;
mod sync;
mod wire;

use handset_http::routes::Routes;

use super::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new()
        .merge(friends::router())
        .merge(friend_requests::router())
        .merge(blocks::router())
        .merge(groups::router())
        .merge(sync::router())
        .merge(reports::router())
}
