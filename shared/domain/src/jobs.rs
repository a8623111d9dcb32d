//! Jobs: background work that may take longer than a request or an event of the table's stream. Jobs wait on a queue,
//! from which the function `jobs` takes them.
//!
//! A new kind of job is a variant of [`Job`] here, and its case in `functions/jobs/src/work.rs`. A job may be done twice,
//! and may be stopped at any point and begun again, so each of its steps has to be repeatable.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::account::UserId;
use crate::deletion::PURGED_AFTER;
use crate::social::GroupId;

/// A job, as it is written on the queue. Messages of an older version may be on the queue when a new one is deployed, so
/// a variant that was released keeps its name and fields; a new field needs a default.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub enum Job {
    /// Do the work that is left for a large group that was created or dissolved.
    FinishGroup {
        /// The group.
        group: GroupId,
    },
    /// Copy a user's new nickname or picture to the user's groups.
    SpreadProfile {
        /// The user.
        user: UserId,
        /// The id of the change that caused the job, so that a repeated job is recognised.
        change: String,
        /// Whether the change came too early to be copied at once, some time ago.
        late: bool,
    },
    /// Remove everything that belonged to a deleted user.
    PurgeUser {
        /// The user.
        user: UserId,
    },
    /// Make a tombstone of a deleted account whose grace period is over.
    EndGrace {
        /// The user.
        user: UserId,
    },
}

impl Job {
    /// Whether one of the two jobs makes the other unnecessary. A job reads the current state, so changes of the same
    /// thing need only one.
    #[must_use]
    pub fn does_the_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::FinishGroup { group }, Self::FinishGroup { group: other }) => group == other,
            (Self::SpreadProfile { user, late, .. }, Self::SpreadProfile { user: other, late: other_late, .. }) => {
                (user, late) == (other, other_late)
            }
            (Self::PurgeUser { user }, Self::PurgeUser { user: other })
            | (Self::EndGrace { user }, Self::EndGrace { user: other }) => user == other,
            (
                Self::FinishGroup { .. } | Self::SpreadProfile { .. } | Self::PurgeUser { .. } | Self::EndGrace { .. },
                _,
            ) => false,
        }
    }

    /// How long after the change that caused it the job may be done.
    #[must_use]
    pub const fn delay(&self) -> Duration {
        match self {
            Self::PurgeUser { .. } => PURGED_AFTER,
            Self::FinishGroup { .. } | Self::SpreadProfile { .. } | Self::EndGrace { .. } => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn user(id: u64) -> UserId {
        UserId::new(id).unwrap()
    }

    #[test]
    fn a_job_is_written_as_json_that_stays_the_same() {
        let finish = Job::FinishGroup { group: GroupId::new(7).unwrap() };
        let spread = Job::SpreadProfile { user: user(9), change: "c4ca".to_owned(), late: false };
        let (purge, end) = (Job::PurgeUser { user: user(9) }, Job::EndGrace { user: user(9) });
        for (job, text) in [
            (purge, json!({ "job": "purge_user", "user": 9 })),
            (end, json!({ "job": "end_grace", "user": 9 })),
            (finish, json!({ "job": "finish_group", "group": 7 })),
            (spread, json!({ "job": "spread_profile", "user": 9, "change": "c4ca", "late": false })),
        ] {
            assert_eq!(json!(job), text);
            assert_eq!(serde_json::from_value::<Job>(text).unwrap(), job);
        }
    }

    #[test]
    fn what_is_no_job_is_an_error() {
        for text in [json!({}), json!({ "job": "dance" }), json!({ "job": "finish_group", "group": 0 }), Value::Null] {
            assert!(serde_json::from_value::<Job>(text.clone()).is_err(), "{text}");
        }
    }

    #[test]
    fn two_changes_of_one_user_are_one_job() {
        let spread = |id, change: &str, late| Job::SpreadProfile { user: user(id), change: change.to_owned(), late };
        let finish = |id| Job::FinishGroup { group: GroupId::new(id).unwrap() };
        assert!(spread(1, "a", false).does_the_same_as(&spread(1, "b", false)));
        assert!(!spread(1, "a", false).does_the_same_as(&spread(1, "a", true)));
        assert!(!spread(1, "a", false).does_the_same_as(&spread(2, "a", false)));
        assert!(finish(1).does_the_same_as(&finish(1)) && !finish(1).does_the_same_as(&finish(2)));
        assert!(!finish(1).does_the_same_as(&spread(1, "a", false)));
    }
}
