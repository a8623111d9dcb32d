//! What happened in a group, as it lies in the group's item until the table's stream has carried it on.

use std::collections::BTreeSet;

use crate::domain::account::UserId;

/// What was done, under SealTalk's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// The group was made.
    Create,
    /// People came in: the targets, added by the operator, or the operator alone, who joined.
    Add,
    /// The operator left.
    Quit,
    /// The operator dissolved the group.
    Dismiss,
    /// The operator put the targets out.
    Kicked,
    /// The group has another name.
    Rename,
    /// Something was posted on the group's board.
    Bulletin,
    /// The operator handed the group to the target.
    Transfer,
    /// The targets are managers now.
    SetManager,
    /// The targets are no managers any more.
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

    /// SealTalk's name of it.
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

    /// By SealTalk's name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.name() == name)
    }
}

/// A change of a group that its members are to hear of. What the group is called and when it changed is told by the
/// group itself, in whose item the event lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupEvent {
    /// The group's `seq` after the change. An event is told when it comes with another `seq` than the one before.
    pub seq: u64,
    /// What was done.
    pub operation: Operation,
    /// Who did it.
    pub operator: UserId,
    /// To whom, in the order to name them in. Nobody where the whole group is meant, and for [`Operation::Quit`].
    pub targets: Vec<UserId>,
    /// Who owns the group now that its owner quit; none for any other change.
    pub heir: Option<UserId>,
}

impl GroupEvent {
    /// Whom it names: who did it, and to whom.
    #[must_use]
    pub fn named(&self) -> BTreeSet<UserId> {
        self.targets.iter().copied().chain([self.operator]).collect()
    }
}
