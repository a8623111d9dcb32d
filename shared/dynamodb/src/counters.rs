//! Counters for windows of time, each with a limit. Counting is one conditional update, alone or as part of a
//! transaction, so it is exact however many requests arrive at once.

use std::net::IpAddr;

use super::item::number;
use super::keys::{self, Key};
use super::write::Change;
use super::{Table, Transacted, Updated, failed};
use domain::account::UserId;
use domain::clock::Timestamp;
use domain::{Cap, Error, Result};

/// Length of an hour in seconds.
pub const HOUR: i64 = 3_600;
/// Length of a day in seconds.
pub const DAY: i64 = 86_400;

/// A counter.
#[derive(Clone, Debug)]
pub struct Counter {
    /// The action that is limited.
    pub cap: Cap,
    /// The key of the count.
    pub key: Key,
    /// The amount to add.
    pub amount: u32,
    /// The maximum of the count.
    pub most: u32,
    /// Length of the window in seconds; windows begin at whole multiples of it since 1970.
    pub window: i64,
}

impl Counter {
    /// Adds to the count, if it stays within the limit.
    pub fn change(&self, now: Timestamp) -> Change {
        count(self.key.clone(), self.amount, self.most, self.window, now)
    }

    /// The error for a request that would exceed the limit.
    pub fn refusal(&self, now: Timestamp) -> Error {
        let end = (now.seconds().div_euclid(self.window) + 1) * self.window;
        Error::Limited { cap: self.cap, retry_after: u64::try_from(end - now.seconds()).unwrap_or(1).max(1) }
    }
}

/// Adds an amount to a count in a window of so many seconds, if the count reaches no more than `most`.
pub fn count(key: Key, amount: u32, most: u32, window: i64, now: Timestamp) -> Change {
    let change = Change::new(key, "SET #ttl = :ttl ADD #count :amount")
        .value(":ttl", number(now.seconds() + 2 * window))
        .value(":amount", number(amount));
    match most.checked_sub(amount) {
        // In brackets, because callers add conditions, and AND binds more strongly than OR.
        Some(before) => {
            change.when("(attribute_not_exists(#count) OR #count <= :before)").value(":before", number(before))
        }
        // Never: a comparison with an attribute that is absent is false, and no count is below nothing.
        None => change.when("#count < :nothing").value(":nothing", number(0)),
    }
}

impl Table {
    /// The accounts created from an address that cost no text message.
    pub(super) fn accounts_of_address(&self, from: Option<IpAddr>, now: Timestamp) -> Option<Counter> {
        let (from, most) = from.zip(self.policy.accounts_per_ip_hour)?;
        let key = keys::accounts_of_address(from, now);
        Some(Counter { cap: Cap::AccountsFromAddress, key, amount: 1, most, window: HOUR })
    }

    /// The anonymous accounts created from an address.
    pub(super) fn anonymous_accounts_of_address(&self, from: Option<IpAddr>, now: Timestamp) -> Option<Counter> {
        let (from, most) = from.zip(self.policy.anonymous_accounts_per_ip_hour)?;
        let key = keys::anonymous_accounts_of_address(from, now);
        Some(Counter { cap: Cap::AnonymousAccounts, key, amount: 1, most, window: HOUR })
    }

    /// The counters for a request whose response shows whether a number or a name has an account: that of the address,
    /// and for a signed-in user the account's look-ups.
    pub(super) fn checks(&self, from: Option<IpAddr>, by: Option<UserId>, now: Timestamp) -> Vec<Counter> {
        let address = from.zip(self.policy.checks_per_ip_day).map(|(from, most)| {
            let key = keys::checks_of_address(from, now);
            Counter { cap: Cap::ChecksFromAddress, key, amount: 1, most, window: DAY }
        });
        let account = by.map(|user| self.lookups(user, 1, now));
        address.into_iter().chain(account).collect()
    }

    /// The numbers and names that an account has looked up.
    pub(super) fn lookups(&self, user: UserId, amount: u32, now: Timestamp) -> Counter {
        let most = self.policy.lookup_numbers_per_day;
        Counter { cap: Cap::Lookups, key: keys::lookups(user, now), amount, most, window: DAY }
    }

    /// The friend requests that an account creates in a day.
    pub(super) fn invitations(&self, user: UserId, now: Timestamp) -> Counter {
        let most = self.policy.invitations_per_day;
        Counter { cap: Cap::Invitations, key: keys::invitations(user, now), amount: 1, most, window: DAY }
    }

    /// The groups that an account creates in a day.
    pub(super) fn groups_made(&self, user: UserId, now: Timestamp) -> Counter {
        let most = self.policy.groups_per_day;
        Counter { cap: Cap::GroupsMade, key: keys::groups_made(user, now), amount: 1, most, window: DAY }
    }

    /// The reports that an account makes in a day.
    pub(super) fn reports_made(&self, user: UserId, now: Timestamp) -> Counter {
        let most = self.policy.reports_per_day;
        Counter { cap: Cap::Reports, key: keys::reports_made(user, now), amount: 1, most, window: DAY }
    }

    /// Counts in all of these counters, all or nothing. Fails with the error of the first counter that is full.
    pub(super) async fn count_in_all(&self, counters: &[Counter], now: Timestamp) -> Result<()> {
        const DOING: &str = "counting what is limited";
        match counters {
            [] => Ok(()),
            [only] => match self.update(DOING, only.change(now)).await? {
                Updated::Done(_) => Ok(()),
                Updated::Refused(_) => Err(only.refusal(now)),
            },
            several => {
                let writes = several.iter().map(|counter| counter.change(now).in_transaction(&self.name));
                match self.transact(DOING, writes.collect::<Result<_>>()?).await? {
                    Transacted::Done => Ok(()),
                    Transacted::Refused(reasons) => {
                        let full = several.iter().enumerate().find(|(position, _)| failed(&reasons, *position));
                        Err(full.map_or(&several[0], |(_, counter)| counter).refusal(now))
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_further_condition_holds_for_a_count_that_does_not_exist_too() {
        let key = Key { pk: "p".into(), sk: "s".into() };
        let change = count(key, 1, 3, DAY, Timestamp::from_millis(0)).and("#open = :true");
        let condition = "(attribute_not_exists(#count) OR #count <= :before) AND #open = :true";
        assert_eq!(change.condition.as_deref(), Some(condition));
    }

    #[test]
    fn a_full_counter_says_when_its_window_ends() {
        let key = Key { pk: "p".into(), sk: "s".into() };
        let counter = Counter { cap: Cap::ChecksFromAddress, key, amount: 1, most: 1, window: DAY };
        let refused = |seconds: i64| match counter.refusal(Timestamp::from_millis(seconds * 1_000)) {
            Error::Limited { retry_after, .. } => retry_after,
            other => panic!("{other}"),
        };
        assert_eq!((refused(0), refused(86_399), refused(86_400)), (86_400, 1, 86_400));
    }
}
