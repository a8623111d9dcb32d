//! Friends, blacklist, groups, and the delta sync that tells a device what of them changed.

pub mod friends;
pub mod friendship;
pub mod group;
pub mod groups;
pub mod jobs;
pub mod store;
pub mod sync;

pub use self::friends::{Friend, Friends};
pub use self::friendship::{Greeting, Invited, Relation, Remark, Status};
pub use self::group::{Bulletin, Group, GroupId, GroupName, Held, Member, MemberName, Role, Roster};
pub use self::groups::{Groups, Mine, Shown};
pub use self::jobs::Jobs;
pub use self::store::{Board, FriendStore, GroupStore, Memberships, SyncStore, Written};
pub use self::sync::{Answer, Sync};

use super::account::UserId;

/// What people see of somebody: the part of a profile that friends' and members' lists show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Face {
    /// The nickname; empty when none was set.
    pub name: String,
    /// The picture; empty when none was set.
    pub avatar: String,
    /// The phone they sign in with, in E.164. Only friends are shown it.
    pub phone: Option<String>,
}

/// Faces by their ids.
pub type Faces = std::collections::HashMap<UserId, Face>;
