//! What other users' data say about a deleted user.

use std::time::Duration;

use super::items;
use crate::item::number;
use crate::write::{self, Change, key_attributes};
use crate::{Table, Transacted, keys};
use domain::account::UserId;
use domain::clock::Timestamp;
use domain::social::friendship::{Relation, Status};
use domain::social::group::Changed;
use domain::social::store::MAX_CONFLICT_RETRIES;
use domain::social::{Board, Written};
use domain::{Fault, Result};

/// How long the relation of another user to a deleted one stays, so that the other's devices learn of the end.
const REMEMBERED: Duration = Duration::from_hours(24 * 180);

impl Table {
    /// Ends the relation of `other` to a deleted user.
    pub(crate) async fn end_relation(&self, user: UserId, other: UserId, now: Timestamp) -> Result<()> {
        // The note that leads from a user whom the deleted one blocked.
        let note = key_attributes(&keys::blocker(other, user));
        let deleted = self.client.delete_item().table_name(&*self.name).set_key(Some(note)).send().await;
        deleted.map_err(|error| Fault::new("ending a relation", error.into_service_error()))?;
        for _ in 0..MAX_CONFLICT_RETRIES {
            let key = keys::relation(other, user);
            let Some(found) = self.get("reading a relation", &key).await? else { return Ok(()) };
            let before = items::read_relation(&found)?;
            if found.contains_key("ttl") {
                return Ok(());
            }
            let mut writes =
                vec![items::put_last_relation(&self.name, other, &ended(&before, now), now.plus(REMEMBERED))?];
            if before.is_blocked() {
                let count = Change::new(keys::account(other), "ADD #blocked :less").when("#blocked > :none");
                writes.push(count.value(":less", number(-1)).value(":none", number(0)).in_transaction(&self.name)?);
                writes.push(write::delete(&self.name, &keys::blocker(user, other))?);
            }
            match self.transact("ending a relation", writes).await? {
                Transacted::Done => return Ok(()),
                // The other user may be deleted too, and then has no count.
                Transacted::Refused(reasons) if before.is_blocked() && !crate::failed(&reasons, 0) => {
                    let alone =
                        items::put_last_relation(&self.name, other, &ended(&before, now), now.plus(REMEMBERED))?;
                    if let Transacted::Done = self.transact("ending a relation", vec![alone]).await? {
                        return Ok(());
                    }
                }
                Transacted::Refused(_) => {}
            }
        }
        Err(Fault::new("ending a relation", "it changed at every attempt").into())
    }

    /// Writes a change of a group that a deleted user leaves. The user's own list of groups is removed as a whole.
    pub(crate) async fn leave_group_by_nobody(&self, changed: &Changed, now: Timestamp) -> Result<Written> {
        let mut writes = items::put_held(&self.name, &changed.held)?.to_vec();
        writes.extend(self.board_and_job(changed, Board::Keep, now)?);
        match self.transact("leaving a group", writes).await? {
            Transacted::Done => Ok(Written::Done),
            Transacted::Refused(_) => Ok(Written::Moved),
        }
    }
}

/// The relation to a user who is gone.
fn ended(before: &Relation, now: Timestamp) -> Relation {
    Relation {
        status: before.status.map(|_| Status::Deleted),
        blocked: before.blocked.map(|_| false),
        remark: String::new(),
        message: String::new(),
        updated: now,
        turn: before.turn + 1,
        ..before.clone()
    }
}
