//! Friends, the blacklist, groups, and incremental sync, which sends a device the changes in all of them.

pub mod friends;
pub mod friendship;
pub mod group;
pub mod groups;
pub mod jobs;
pub mod store;
pub mod sync;

pub use self::friends::{Friend, Friends, Standing};
pub use self::friendship::{Greeting, Invited, Relation, Remark, Status};
pub use self::group::{Bulletin, Group, GroupId, GroupName, GroupSnapshot, Member, MemberName, Role, Roster};
pub use self::groups::{Groups, Mine, Shown};
pub use self::jobs::GroupJobs;
pub use self::store::{Board, Created, FriendStore, GroupStore, Memberships, Written};
pub use self::sync::store::SyncStore;
pub use self::sync::{DeltaSync, SyncResponse};

use super::account::UserId;

/// A user's public profile: the part of the profile that lists of friends and members show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublicProfile {
    /// The nickname; empty when the user has not set one.
    pub name: String,
    /// The picture; empty when the user has not set one.
    pub avatar: String,
    /// The phone number that the user signs in with, in E.164. It is shown to friends only.
    pub phone: Option<String>,
}

/// Public profiles by user id.
pub type PublicProfiles = std::collections::HashMap<UserId, PublicProfile>;
