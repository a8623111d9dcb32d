//! Codes and every limit on sending them.
//!
//! The item of a phone's code also remembers when the last codes were sent, newest first, in the attributes `s0`,
//! `s1`, …: one update shifts them along and its condition looks at the n-th to hold a cap of n. That makes the caps
//! exact over any span of time, blind (nothing is read first) and one item.

use std::fmt::Write;
use std::net::IpAddr;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::TransactWriteItem;

use super::identity::forgive;
use super::item::{self, Item, blob, moment, number};
use super::keys::{self, Key};
use super::write::{self, Change};
use super::{Table, Transacted, Updated, failed, found};
use crate::domain::account::UserId;
use crate::domain::clock::Timestamp;
use crate::domain::codes::{CodeStore, Guess, NewCode};
use crate::domain::identity::SpentCode;
use crate::domain::phone::Phone;
use crate::domain::policy::Policy;
use crate::domain::{Cap, Error, Result};
use crate::trips;

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// What each used code takes off a block's debt; each sent one adds the percentage that has to be used.
const USED: i64 = 100;

/// What a write of the sending transaction stands for.
#[derive(Clone, Copy)]
enum Limit {
    Unclaimed,
    Phone,
    Conversion,
    Address,
    CountryHour,
    CountryDay,
}

#[async_trait]
impl CodeStore for Table {
    async fn owner(&self, phone: &Phone) -> Result<Option<UserId>> {
        let claim = self.get("reading a claim", &keys::phone_claim(phone)).await?;
        Ok(claim.and_then(|claim| item::get_user(&claim, "user")))
    }

    async fn keep(&self, code: &NewCode, unclaimed: bool) -> Result<()> {
        let mut writes = vec![
            (Limit::Phone, keep_code(&self.policy, code)),
            (Limit::Conversion, count_sent(&self.policy, &code.phone, code.sent)),
        ];
        let counters = counters(&self.policy, code).into_iter();
        writes.extend(counters.map(|counter| (counter.limit, count_below(counter, code.sent))));
        let (mut limits, writes): (Vec<_>, Vec<_>) = writes.into_iter().unzip();
        let mut writes: Vec<_> =
            writes.into_iter().map(|change| change.in_transaction(&self.name)).collect::<Result<_>>()?;
        if unclaimed {
            limits.push(Limit::Unclaimed);
            writes.push(write::check_absent(&self.name, &keys::phone_claim(&code.phone))?);
        }
        match self.transact("keeping a code", writes).await? {
            Transacted::Done => Ok(()),
            Transacted::Refused(reasons) => {
                let first = (0..limits.len()).find(|position| failed(&reasons, *position)).unwrap_or_default();
                Err(refusal(&self.policy, limits[first], found(&reasons, first), code))
            }
        }
    }

    async fn release(&self, code: &NewCode) -> Result<()> {
        let mut changes = vec![count_unsent(&self.policy, &code.phone, code.sent)];
        let counters = counters(&self.policy, code).into_iter();
        let countries = counters.filter(|counter| matches!(counter.limit, Limit::CountryHour | Limit::CountryDay));
        changes.extend(countries.map(|counter| forgive(counter.key)));
        let writes = changes.into_iter().map(|change| change.in_transaction(&self.name)).collect::<Result<_>>()?;
        self.transact("releasing a code", writes).await.map(|_| ())
    }

    async fn take_back(&self, code: &NewCode) -> Result<()> {
        let slots = slots(&self.policy);
        let mut update = String::from("SET ");
        for slot in 1..slots {
            let _ = write!(update, "#s{} = if_not_exists(#s{slot}, :never), ", slot - 1);
        }
        let _ = write!(update, "#s{} = :never REMOVE #digest, #tries, #expires", slots - 1);
        let change = Change::new(keys::code(&code.phone), update)
            .when("#digest = :digest")
            .value(":never", number(0))
            .value(":digest", blob(&code.digest));
        let mut changes = vec![change, count_unsent(&self.policy, &code.phone, code.sent)];
        changes.extend(counters(&self.policy, code).into_iter().map(|counter| forgive(counter.key)));
        let writes = changes.into_iter().map(|change| change.in_transaction(&self.name)).collect::<Result<_>>()?;
        // Where the condition fails a newer code has come in between, and that one stays.
        self.transact("taking back a code", writes).await.map(|_| ())
    }

    async fn forgive(&self, from: Option<IpAddr>, now: Timestamp) -> Result<()> {
        let Some((key, _)) = self.address_counter(from, now) else { return Ok(()) };
        self.update("taking back a counted guess", forgive(key)).await.map(|_| ())
    }

    async fn guess(&self, phone: &Phone, from: Option<IpAddr>, now: Timestamp) -> Result<Guess> {
        let count = Change::new(keys::code(phone), "ADD #tries :one")
            .when("attribute_exists(#digest) AND #expires > :now AND #tries < :most")
            .value(":one", number(1))
            .value(":now", moment(now))
            .value(":most", number(self.policy.code_guesses));
        let claim = keys::phone_claim(phone);
        let address = self.address_counter(from, now).into_iter().collect();
        let guess = trips::both(self.update("counting a guess", count), self.get("reading a claim", &claim));
        let ((counted, claim), ()) = trips::both(guess, self.count_in(address, now)).await?;
        match counted {
            Updated::Done(code) => Ok(Guess {
                digest: item::get_blob(&code, "digest").unwrap_or_default(),
                user: claim.and_then(|claim| item::get_user(&claim, "user")),
            }),
            Updated::Refused(code) => Err(guess_refusal(code.as_ref(), now)),
        }
    }
}

impl Table {
    /// The writes that spend a code: the code itself, which fails if it was spent or replaced, its block's conversion,
    /// and the address whose guess was no failure.
    pub(super) fn spend(&self, spent: &SpentCode, now: Timestamp) -> Result<Vec<TransactWriteItem>> {
        let code = Change::new(keys::code(&spent.phone), "REMOVE #digest, #tries, #expires")
            .when("#digest = :digest")
            .value(":digest", blob(&spent.digest));
        let conversion = Change::new(keys::conversion(&spent.phone, now), "SET #ttl = :ttl ADD #debt :used")
            .value(":ttl", number(now.seconds() + 2 * HOUR))
            .value(":used", number(-USED));
        let address = self.address_counter(spent.from, now).map(|(key, _)| forgive(key));
        let changes = [code, conversion].into_iter().chain(address);
        changes.map(|change| change.in_transaction(&self.name)).collect()
    }
}

/// How many sending times a phone's item remembers: as many as the largest cap.
fn slots(policy: &Policy) -> u32 {
    policy.phone_caps().iter().map(|(_, cap)| *cap).max().unwrap_or(1).max(1)
}

fn keep_code(policy: &Policy, code: &NewCode) -> Change {
    let mut update =
        String::from("SET #digest = :digest, #expires = :expires, #tries = :zero, #ttl = :ttl, #s0 = :now");
    for slot in 1..slots(policy) {
        let _ = write!(update, ", #s{slot} = if_not_exists(#s{}, :zero)", slot - 1);
    }
    let mut condition = String::new();
    for (index, (_, cap)) in policy.phone_caps().iter().enumerate() {
        let and = if index == 0 { "" } else { " AND " };
        let slot = cap.saturating_sub(1);
        let _ = write!(condition, "{and}(attribute_not_exists(#s{slot}) OR #s{slot} <= :since{index})");
    }
    let mut change = Change::new(keys::code(&code.phone), update)
        .when(condition)
        .value(":digest", blob(&code.digest))
        .value(":expires", moment(code.expires))
        .value(":zero", number(0))
        .value(":ttl", number(code.sent.seconds() + 2 * DAY))
        .value(":now", moment(code.sent));
    for (index, (span, _)) in policy.phone_caps().into_iter().enumerate() {
        change = change.value(&format!(":since{index}"), moment(code.sent.minus(span)));
    }
    change
}

/// Counts a code sent into a block of numbers, unless too few of those before it were used.
///
/// The debt of a block is `percent × sent − 100 × used`: above zero, less than that percentage was used.
fn count_sent(policy: &Policy, phone: &Phone, now: Timestamp) -> Change {
    Change::new(keys::conversion(phone, now), "SET #ttl = :ttl ADD #sent :one, #debt :percent")
        .when("attribute_not_exists(#sent) OR #sent < :least OR #debt <= :zero")
        .value(":ttl", number(now.seconds() + 2 * HOUR))
        .value(":one", number(1))
        .value(":percent", number(policy.conversion_minimum_percent))
        .value(":least", number(policy.conversion_minimum_sends))
        .value(":zero", number(0))
}

/// Takes back what [`count_sent`] counted.
fn count_unsent(policy: &Policy, phone: &Phone, now: Timestamp) -> Change {
    Change::new(keys::conversion(phone, now), "ADD #sent :less, #debt :percent")
        .value(":less", number(-1))
        .value(":percent", number(-i64::from(policy.conversion_minimum_percent)))
}

/// A counter that a code counts in, beside those of its number and its block.
struct Counter {
    limit: Limit,
    key: Key,
    cap: u32,
    /// Seconds in its window.
    window: i64,
}

/// The counters whose caps are not lifted.
fn counters(policy: &Policy, code: &NewCode) -> Vec<Counter> {
    let zone = code.phone.zone();
    let address = code.from.zip(policy.codes_per_ip_hour).map(|(from, cap)| {
        let key = keys::codes_of_address(from, code.sent);
        Counter { limit: Limit::Address, key, cap, window: HOUR }
    });
    let hour = policy.codes_per_country_hour.map(|cap| {
        let (shard, cap) = shard(&code.phone, cap);
        let key = keys::codes_of_country_hour(zone, shard, code.sent);
        Counter { limit: Limit::CountryHour, key, cap, window: HOUR }
    });
    let day = policy.codes_per_country_day.map(|cap| {
        let (shard, cap) = shard(&code.phone, cap);
        let key = keys::codes_of_country_day(zone, shard, code.sent);
        Counter { limit: Limit::CountryDay, key, cap, window: DAY }
    });
    address.into_iter().chain(hour).chain(day).collect()
}

/// Counts one, if fewer than the cap were counted.
fn count_below(counter: Counter, now: Timestamp) -> Change {
    Change::new(counter.key, "SET #ttl = :ttl ADD #count :one")
        .when("attribute_not_exists(#count) OR #count < :cap")
        .value(":ttl", number(now.seconds() + 2 * counter.window))
        .value(":one", number(1))
        .value(":cap", number(counter.cap))
}

/// The shard of a country's counter that a phone counts in, and the shard's part of the cap.
///
/// One item takes about 500 transactions a second and a large cap should not stand in the way of as many codes, so
/// large caps are split. The parts add up to no more than the whole: the worst price stays known.
fn shard(phone: &Phone, cap: u32) -> (u32, u32) {
    const CODES_PER_SHARD: u32 = 1_000;
    const MOST: u32 = 16;
    let shards = (cap / CODES_PER_SHARD).clamp(1, MOST);
    let spread = phone.e164().bytes().fold(0_u32, |sum, digit| sum.wrapping_mul(31).wrapping_add(u32::from(digit)));
    (spread % shards, cap / shards)
}

fn refusal(policy: &Policy, limit: Limit, item: Option<&Item>, code: &NewCode) -> Error {
    let now = code.sent;
    let until = |window: i64, length: i64| u64::try_from((window + 1) * length - now.seconds()).unwrap_or(1).max(1);
    match limit {
        Limit::Unclaimed => Error::Taken("number"),
        Limit::Phone => phone_refusal(policy, item, now),
        Limit::Conversion => {
            tracing::error!(
                event = "conversion_guard",
                zone = code.phone.zone(),
                "too few codes of a block of numbers are used"
            );
            Error::Limited { cap: Cap::UnusedCodes, retry_after: until(now.hour(), HOUR) }
        }
        Limit::Address => Error::Limited { cap: Cap::CodesFromAddress, retry_after: until(now.hour(), HOUR) },
        Limit::CountryHour => {
            tracing::error!(event = "country_cap", zone = code.phone.zone(), "the hourly cap of a country is reached");
            Error::Limited { cap: Cap::CodesToCountry, retry_after: until(now.hour(), HOUR) }
        }
        Limit::CountryDay => {
            tracing::error!(event = "country_cap", zone = code.phone.zone(), "the daily cap of a country is reached");
            Error::Limited { cap: Cap::CodesToCountry, retry_after: until(now.day(), DAY) }
        }
    }
}

fn phone_refusal(policy: &Policy, item: Option<&Item>, now: Timestamp) -> Error {
    let wait = |(span, cap): (std::time::Duration, u32)| {
        let slot = item::get_moment(item?, &format!("s{}", cap.saturating_sub(1)))?;
        let free = slot.plus(span);
        (free > now).then(|| free.seconds_from(now))
    };
    let [resend, hour, day] = policy.phone_caps().map(wait);
    match (resend, hour.max(day)) {
        (_, Some(retry_after)) => Error::Limited { cap: Cap::CodesToNumber, retry_after },
        (resend, None) => Error::CodeTooSoon { retry_after: resend.unwrap_or(1) },
    }
}

fn guess_refusal(code: Option<&Item>, now: Timestamp) -> Error {
    match code.filter(|code| code.contains_key("digest")) {
        None => Error::CodeNotAsked,
        Some(code) if item::get_moment(code, "expires").is_none_or(|expires| expires <= now) => Error::CodeExpired,
        Some(_) => Error::CodeGuessesSpent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shards_of_a_cap_never_add_up_to_more_than_it() {
        let phone = Phone::parse("86", "13912345678").unwrap();
        for cap in [1, 999, 1_000, 2_000, 20_000, 1_000_000] {
            let shards = (cap / 1_000).clamp(1, 16);
            let (shard, part) = shard(&phone, cap);
            assert!(shard < shards && part * shards <= cap && part >= 1, "{cap}");
        }
    }
}
