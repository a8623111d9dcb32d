//! Events in a group. An event is stored in the group's item until the table's stream has processed it.

use std::collections::BTreeSet;

use crate::account::UserId;

/// The kind of event, with SealTalk's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// The group was created.
    Create,
    /// Members joined: the targets, whom the operator added, or only the operator, who joined on their own.
    Add,
    /// The operator left.
    Quit,
    /// The operator dissolved the group.
    Dismiss,
    /// The operator removed the targets.
    Kicked,
    /// The group was renamed.
    Rename,
    /// A bulletin was posted on the group's board.
    Bulletin,
    /// The operator transferred the group to the target.
    Transfer,
    /// The targets are managers now.
    SetManager,
    /// The targets are no longer managers.
    RemoveManager,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 10] = [
        Self::Create,
        Self::Add,
        Self::Quit,
        Self::Dismiss,
        Self::Kicked,
        Self::Rename,
        Self::Bulletin,
        Self::Transfer,
        Self::SetManager,
        Self::RemoveManager,
    ];

    /// SealTalk's name for the operation.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Add => "Add",
            Self::Quit => "Quit",
            Self::Dismiss => "Dismiss",
            Self::Kicked => "Kicked",
            Self::Rename => "Rename",
            Self::Bulletin => "Bulletin",
            Self::Transfer => "Transfer",
            Self::SetManager => "SetManager",
            Self::RemoveManager => "RemoveManager",
        }
    }

    /// The operation with this name in SealTalk.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.name() == name)
    }
}

/// A change of a group that its members are notified of. The event is stored in the group's item, so the group's name
/// and the time of the change are read from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupEvent {
    /// The group's `seq` after the change. An event is sent when its `seq` differs from that of the event before.
    pub seq: u64,
    /// The kind of event.
    pub operation: Operation,
    /// The user who made the change.
    pub operator: UserId,
    /// The users whom the change affects, in the order in which to name them. Empty when the change affects the whole
    /// group, and for [`Operation::Quit`].
    pub targets: Vec<UserId>,
    /// The new owner after the owner quit; `None` for any other change.
    pub heir: Option<UserId>,
}

impl GroupEvent {
    /// The users whom the event names: the operator and the targets.
    #[must_use]
    pub fn named(&self) -> BTreeSet<UserId> {
        self.targets.iter().copied().chain([self.operator]).collect()
    }
}
