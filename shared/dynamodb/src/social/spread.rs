//! How often a user's nickname and picture are copied to the user's groups.
//!
//! The account has the time of the last copy (`spread_at`), the change that caused it (`spread_by`), and today's count
//! (`spread_day`, `spreads`). A change that comes too early leaves a mark in the account (`unspread`), so that the
//! account's next change tries again, and a note beside the account. When DynamoDB deletes the note at the end of its
//! time to live, the copy is tried again too: for an account that does not change any more.

use crate::item::{self, Item, moment, number, text};
use crate::write::Change;
use crate::{Table, Updated, keys};
use domain::Result;
use domain::account::UserId;
use domain::clock::Timestamp;

const DOING: &str = "spreading a nickname";
const DAY: i64 = 86_400;
/// The mark of an account whose nickname or picture still has to be copied.
pub(super) const UNSPREAD: &str = "unspread";

/// The daily count that includes this copy.
#[derive(Clone, Copy)]
enum Day {
    /// The account already has a count for today.
    Begun,
    /// The account has a count for another day, or none.
    New,
}

/// The cause of a copy.
#[derive(Clone, Copy)]
struct Because<'a> {
    user: UserId,
    by: &'a str,
    late: bool,
    now: Timestamp,
}

impl Table {
    /// Counts a copy if it is allowed now; otherwise notes that it still has to be made.
    pub(super) async fn try_spread(&self, user: UserId, by: &str, late: bool, now: Timestamp) -> Result<bool> {
        let because = Because { user, by, late, now };
        let Some(account) = self.count_spread(because, Day::Begun).await? else { return Ok(true) };
        let Some(account) = account else { return Ok(false) };
        // The function was stopped before it had reported that this change is finished.
        if item::get_text(&account, "spread_by").as_deref() == Some(by) {
            return Ok(true);
        }
        if late && !account.contains_key(UNSPREAD) {
            return Ok(false);
        }
        let counts_today = item::get_number(&account, "spread_day") == Some(now.day());
        if !counts_today && self.count_spread(because, Day::New).await?.is_none() {
            return Ok(true);
        }
        self.note_unspread(user, &account, now).await?;
        Ok(false)
    }

    /// Counts a copy. `None` if it was counted; otherwise the account, if there is one.
    async fn count_spread(&self, because: Because<'_>, day: Day) -> Result<Option<Option<Item>>> {
        const NOW: &str = "SET #spread_at = :now, #spread_by = :by";
        const LATE_ENOUGH: &str = "(attribute_not_exists(#spread_at) OR #spread_at <= :before)";
        let Because { user, by, late, now } = because;
        let change = match day {
            Day::Begun => Change::new(keys::account(user), format!("{NOW} REMOVE #{UNSPREAD} ADD #spreads :one"))
                .when(format!("#spread_day = :today AND #spreads < :most AND {LATE_ENOUGH}"))
                .value(":most", number(self.policy.spreads_per_day)),
            Day::New => {
                let update = format!("{NOW}, #spread_day = :today, #spreads = :one REMOVE #{UNSPREAD}");
                let is_new = "(attribute_not_exists(#spread_day) OR #spread_day < :today)";
                Change::new(keys::account(user), update).when(format!(
                    "attribute_exists(pk) AND attribute_not_exists(#deleted) AND {is_new} AND {LATE_ENOUGH}"
                ))
            }
        };
        let change = if late { change.and(&format!("attribute_exists(#{UNSPREAD})")) } else { change };
        // Without a wait the clocks of two machines do not matter.
        let wait = self.policy.spread_after;
        let before = if wait.is_zero() { Timestamp::from_millis(i64::MAX) } else { now.minus(wait) };
        let change = change
            .value(":now", moment(now))
            .value(":by", text(by))
            .value(":one", number(1))
            .value(":today", number(now.day()))
            .value(":before", moment(before));
        Ok(match self.update(DOING, change).await? {
            Updated::Done(_) => None,
            Updated::Refused(account) => Some(account),
        })
    }

    /// Marks the account, and writes the note that expires when the nickname may be copied.
    async fn note_unspread(&self, user: UserId, account: &Item, now: Timestamp) -> Result<()> {
        if item::is_deleted(account) {
            return Ok(());
        }
        let is_today = item::get_number(account, "spread_day") == Some(now.day());
        let used_up = is_today && item::get_number(account, "spreads") >= Some(self.policy.spreads_per_day);
        let tomorrow = (now.day() + 1) * DAY;
        let end = if used_up { tomorrow } else { now.plus(self.policy.spread_after).seconds() + 1 };
        let note = Change::new(keys::unspread(user), "SET #ttl = :ttl").value(":ttl", number(end));
        self.update(DOING, note).await?;
        if !account.contains_key(UNSPREAD) {
            let mark = Change::new(keys::account(user), format!("SET #{UNSPREAD} = :true"))
                .when("attribute_exists(pk) AND attribute_not_exists(#deleted)");
            self.update(DOING, mark.value(":true", aws_sdk_dynamodb::types::AttributeValue::Bool(true))).await?;
        }
        Ok(())
    }
}
