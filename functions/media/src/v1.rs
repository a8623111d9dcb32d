//! The common API's part of `media`: the user's picture, and the media that the user owns.

mod avatar;
mod library;
mod uploads;

use handset_http::routes::Routes;

use super::AppState;

pub(super) fn router() -> Routes<AppState> {
    Routes::new().merge(avatar::router()).merge(library::router()).merge(uploads::router())
}
