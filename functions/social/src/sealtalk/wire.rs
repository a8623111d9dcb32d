//! Request and response types that several endpoints share.

use domain::account::UserId;
use domain::short_id;
use domain::social::PublicProfile;
use handset_http::caller::Origin;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::AppState;

/// A user's public profile.
#[derive(Serialize, ToSchema)]
#[schema(as = sealtalk::PublicProfile)]
#[serde(rename_all = "camelCase")]
pub(super) struct User {
    /// The user's id.
    id: String,
    nickname: String,
    portrait_uri: String,
}

impl User {
    pub(super) fn new(state: &AppState, origin: &Origin, id: UserId, profile: &PublicProfile) -> Self {
        let portrait_uri = state.url.absolute(origin, &profile.avatar);
        Self { id: short_id::encode(id), nickname: profile.name.clone(), portrait_uri }
    }
}

/// The id of a user.
#[derive(Deserialize, ToSchema)]
#[schema(as = sealtalk::FriendId, example = json!({ "friendId": "d9ewr89j238" }))]
#[serde(rename_all = "camelCase")]
pub(super) struct FriendId {
    /// The user's id.
    pub(super) friend_id: String,
}
