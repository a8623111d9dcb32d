//! The `SealTalk` API's part of `social`.

mod friendship;
mod groups;
mod lists;
mod sync;
mod wire;

use utoipa_axum::router::OpenApiRouter;

use super::AppState;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(friendship::router())
        .merge(groups::router())
        .merge(lists::router())
        .merge(sync::router())
}
