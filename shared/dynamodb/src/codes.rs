//! Codes, and all limits on sending them.
//!
//! The item of a phone's code also stores when the last codes were sent, newest first, in the attributes `s0`, `s1`, ….
//! A single update shifts them along, and its condition checks the n-th of them to enforce a limit of n. So the limits
//! are exact for any span of time, nothing is read first, and one item is enough.
//!
//! The item of a block of numbers counts the codes sent there. For each group of networks it also counts how many of
//! those codes are unused (`a0` to `a63`, and the set `groups` of the groups that requested codes).

use std::fmt::Write;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};

use super::identity::forgive;
use super::item::{self, Item, blob, moment, number, text};
use super::keys::{self, Key};
use super::write::{self, Change};
use super::{Table, Transacted, failed, found};
use domain::account::UserId;
use domain::clock::Timestamp;
use domain::codes::{
    BlockShare, CodeAttempt, CodeStore, GuessOrigin, NewCode, RequestedCode, SendLimit, Standing, Terms,
};
use domain::identity::SpentCode;
use domain::phone::Phone;
use domain::policy::Policy;
use domain::{Error, Result};
use telemetry::round_trips;

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// How much each used code takes off a block's debt; each code sent adds the percentage that must be used.
const USED: i64 = 100;

/// The limit that a write of the sending transaction enforces.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Limit {
    Unclaimed,
    Checks,
    Phone,
    Block,
    Address,
    CountryHour,
    CountryDay,
}

#[async_trait]
impl CodeStore for Table {
    async fn requested(&self, phone: &Phone) -> Result<Option<RequestedCode>> {
        let code = self.get("reading a code", &keys::code(phone)).await?;
        let code = code.filter(|code| code.contains_key("digest"));
        Ok(code.and_then(|code| {
            let (purpose, sent) = (item::get_text(&code, "purpose")?, item::get_moment(&code, "s0")?);
            Some(RequestedCode { purpose, sent, waiting: item::read_waiting(&code) })
        }))
    }

    async fn owner(&self, phone: &Phone) -> Result<Option<UserId>> {
        let claim = self.get("reading a claim", &keys::phone_claim(phone)).await?;
        Ok(claim.and_then(|claim| item::get_user(&claim, "user")))
    }

    async fn keep(&self, code: &NewCode, terms: Terms) -> Result<Vec<SendLimit>> {
        let mut limits = vec![Limit::Phone];
        let mut writes = vec![keep_code(&self.policy, code, terms).in_transaction(&self.name)?];
        if let Some(write) = self.count_in_block(code, terms)? {
            limits.push(Limit::Block);
            writes.push(write);
        }
        for counter in counters(&self.policy, code, terms) {
            limits.push(counter.limit);
            writes.push(count_below(counter, code.sent).in_transaction(&self.name)?);
        }
        if terms.unclaimed {
            for counter in self.checks(code.from, None, code.sent) {
                limits.push(Limit::Checks);
                writes.push(counter.change(code.sent).in_transaction(&self.name)?);
            }
            limits.push(Limit::Unclaimed);
            writes.push(write::check_absent(&self.name, &keys::phone_claim(&code.phone))?);
        }
        match self.transact("keeping a code", writes).await? {
            Transacted::Done => Ok(Vec::new()),
            Transacted::Refused(reasons) => {
                let refused = limits.iter().enumerate().filter(|(position, _)| failed(&reasons, *position));
                let refused = refused.map(|(position, limit)| (*limit, found(&reasons, position)));
                Ok(refused.map(|(limit, item)| send_limit(&self.policy, limit, item, code, terms)).collect())
            }
        }
    }

    async fn count_check(&self, code: &NewCode) -> Result<()> {
        self.count_in_all(&self.checks(code.from, None, code.sent), code.sent).await
    }

    async fn release(&self, code: &NewCode, terms: Terms) -> Result<()> {
        let mut changes: Vec<_> = uncount_in_block(&self.policy, code, terms).into_iter().collect();
        let counters = counters(&self.policy, code, terms).into_iter();
        let countries = counters.filter(|counter| matches!(counter.limit, Limit::CountryHour | Limit::CountryDay));
        changes.extend(countries.map(|counter| forgive(counter.key)));
        if changes.is_empty() {
            return Ok(());
        }
        let writes = changes.into_iter().map(|change| change.in_transaction(&self.name)).collect::<Result<_>>()?;
        self.transact("releasing a code", writes).await.map(|_| ())
    }

    async fn take_back(&self, code: &NewCode, terms: Terms) -> Result<()> {
        let slots = slots(&self.policy);
        let mut update = String::from("SET ");
        for slot in 1..slots {
            let _ = write!(update, "#s{} = if_not_exists(#s{slot}, :never), ", slot - 1);
        }
        let _ = write!(update, "#s{} = :never {FORGET_CODE}", slots - 1);
        let change = Change::new(keys::code(&code.phone), update)
            .when("#digest = :digest")
            .value(":never", number(0))
            .value(":digest", blob(&code.digest));
        let mut changes = vec![change];
        changes.extend(uncount_in_block(&self.policy, code, terms));
        let counters = counters(&self.policy, code, terms).into_iter();
        // A number that the service refuses must not give an address any number of tries.
        let others = counters.filter(|counter| !matches!(counter.limit, Limit::Address));
        changes.extend(others.map(|counter| forgive(counter.key)));
        let writes = changes.into_iter().map(|change| change.in_transaction(&self.name)).collect::<Result<_>>()?;
        // The condition fails when a newer code has been stored meanwhile, and that one stays.
        self.transact("taking back a code", writes).await.map(|_| ())
    }

    async fn verify_code(&self, phone: &Phone, origin: GuessOrigin, now: Timestamp) -> Result<CodeAttempt> {
        const CODE: usize = 0;
        let tries = tries(origin);
        let count = Change::new(keys::code(phone), format!("ADD {tries} :one"))
            .when(format!(
                "attribute_exists(#digest) AND #expires > :now AND (attribute_not_exists({tries}) OR {tries} < :most)"
            ))
            .value(":one", number(1))
            .value(":now", moment(now))
            .value(":most", number(self.policy.code_guesses));
        let mut writes = vec![count.in_transaction(&self.name)?];
        writes.extend(self.count_failures(self.address_counter(origin.address, now), now)?);
        let (code, claim) = (keys::code(phone), keys::phone_claim(phone));
        // The code is read in parallel with the write, since a successful transaction returns nothing. If another code
        // replaces it at this very moment, that one is compared without a counted try: at most once for each text that
        // is sent.
        let reads = round_trips::both(self.get("reading a code", &code), self.get("reading a claim", &claim));
        let (counted, (code, claim)) = round_trips::both(self.transact("counting a guess", writes), reads).await?;
        if let Transacted::Refused(reasons) = counted {
            return Err(if failed(&reasons, CODE) {
                guess_refusal(found(&reasons, CODE), now)
            } else {
                self.too_many_failures(now)
            });
        }
        let code = code.unwrap_or_default();
        Ok(CodeAttempt {
            // A simultaneous try with the right code may have used it up.
            digest: item::get_blob(&code, "digest").ok_or(Error::CodeNotAsked)?,
            user: claim.and_then(|claim| item::get_user(&claim, "user")),
            share: item::get_number(&code, "block_hour")
                .zip(item::get_number(&code, "network_group"))
                .map(|(hour, network_group)| BlockShare { hour, network_group }),
            origin,
            waiting: item::read_waiting(&code),
        })
    }

    async fn forgive(&self, phone: &Phone, guess: &CodeAttempt, now: Timestamp) -> Result<()> {
        let tries = tries(guess.origin);
        let code = Change::new(keys::code(phone), format!("ADD {tries} :less"))
            .when("#digest = :digest")
            .value(":digest", blob(&guess.digest))
            .value(":less", number(-1));
        let address = self.address_counter(guess.origin.address, now).map(|(key, _)| forgive(key));
        let changes = std::iter::once(code).chain(address);
        let writes = changes.map(|change| change.in_transaction(&self.name)).collect::<Result<_>>()?;
        // The condition fails when the code was used up or replaced, and its count of tries with it.
        self.transact("taking back a counted guess", writes).await.map(|_| ())
    }
}

/// The attribute that counts the tries at a code. Tries from known addresses have a separate one, so that a stranger
/// cannot use them up.
fn tries(origin: GuessOrigin) -> &'static str {
    if origin.known { "#known_tries" } else { "#tries" }
}

/// Removes a code, but keeps the times at which codes were sent.
const FORGET_CODE: &str = "REMOVE #digest, #tries, #known_tries, #expires, #block_hour, #network_group, #purpose, \
                           #waiting_session, #waiting_hash, #waiting_network, #waiting_metadata, #waiting_user, \
                           #waiting_account";

impl Table {
    /// The writes that use up a code: that of the code itself, which fails if the code was used up or replaced, that of
    /// its block's count of unused codes, and that of the address, whose try was not a failure.
    pub(super) fn spend(&self, spent: &SpentCode, now: Timestamp) -> Result<Vec<TransactWriteItem>> {
        let code = Change::new(keys::code(&spent.phone), FORGET_CODE)
            .when("#digest = :digest")
            .value(":digest", blob(&spent.guess.digest));
        let block = spent.guess.share.map(|share| {
            let update = format!("SET #ttl = :ttl ADD #debt :used, #a{} :less", share.network_group);
            Change::new(keys::conversion(&spent.phone, share.hour), update)
                .value(":ttl", number((share.hour + 3) * HOUR))
                .value(":used", number(-USED))
                .value(":less", number(-1))
        });
        let address = self.address_counter(spent.guess.origin.address, now).map(|(key, _)| forgive(key));
        let changes = std::iter::once(code).chain(block).chain(address);
        changes.map(|change| change.in_transaction(&self.name)).collect()
    }

    /// Counts a code that is sent into a block of numbers, unless too few of the codes before it were used; this rule
    /// does not apply to known callers. For a code that is not counted, only the block's limit is checked. `None` when
    /// there is nothing to check or count.
    ///
    /// The debt of a block is `percent × sent − 100 × used`: if it is above zero, less than that percentage was used.
    fn count_in_block(&self, code: &NewCode, terms: Terms) -> Result<Option<TransactWriteItem>> {
        const OPEN: &str = "(attribute_not_exists(#sent) OR #sent < :least OR #debt <= :zero OR \
                            attribute_not_exists(#groups) OR size(#groups) < :groups)";
        let policy = &self.policy;
        let key = keys::conversion(&code.phone, code.sent.hour());
        let held = terms.standing != Standing::Known;
        let hold = |change: Change| {
            change
                .and(OPEN)
                .value(":least", number(policy.conversion_minimum_sends))
                .value(":zero", number(0))
                .value(":groups", number(policy.conversion_addresses))
        };
        if terms.only_counted {
            return Ok(None);
        }
        if !terms.counts_in_block {
            let check = Change::new(key, "");
            return held.then(|| hold(check).into_check(&self.name)).transpose();
        }
        let group = code.network_group;
        let update = format!("SET #ttl = :ttl ADD #sent :one, #debt :percent, #a{group} :one, #groups :group");
        let change = Change::new(key, update)
            .when(format!("(attribute_not_exists(#a{group}) OR #a{group} < :share)"))
            .value(":ttl", number(code.sent.seconds() + 2 * HOUR))
            .value(":one", number(1))
            .value(":percent", number(policy.conversion_minimum_percent))
            .value(":group", AttributeValue::Ns(vec![group.to_string()]))
            .value(":share", number(policy.conversion_per_address));
        let change = if held { hold(change) } else { change };
        change.in_transaction(&self.name).map(Some)
    }
}

/// How many sending times a phone's item stores: as many as the largest limit.
fn slots(policy: &Policy) -> u32 {
    policy.phone_caps(true).iter().map(|(_, cap)| *cap).max().unwrap_or(1).max(1)
}

fn phone_caps(policy: &Policy, terms: Terms) -> [(std::time::Duration, u32); 3] {
    policy.phone_caps(terms.standing == Standing::Known)
}

fn keep_code(policy: &Policy, code: &NewCode, terms: Terms) -> Change {
    let mut update = String::from("SET #ttl = :ttl, #s0 = :now");
    for slot in 1..slots(policy) {
        let _ = write!(update, ", #s{slot} = if_not_exists(#s{}, :zero)", slot - 1);
    }
    let waiting = item::waiting(&code.waiting);
    if !terms.only_counted {
        update.push_str(", #digest = :digest, #expires = :expires, #tries = :zero, #purpose = :purpose");
        for name in waiting.keys() {
            let _ = write!(update, ", #{name} = :{name}");
        }
        if terms.counts_in_block {
            update.push_str(", #block_hour = :hour, #network_group = :group");
        }
        update.push_str(" REMOVE #known_tries");
        if !terms.counts_in_block {
            update.push_str(", #block_hour, #network_group");
        }
        for name in item::WAITING.into_iter().filter(|name| !waiting.contains_key(*name)) {
            let _ = write!(update, ", #{name}");
        }
    }
    let caps = phone_caps(policy, terms);
    let mut condition = String::new();
    for (index, (_, cap)) in caps.iter().enumerate() {
        let and = if index == 0 { "" } else { " AND " };
        let slot = cap.saturating_sub(1);
        let _ = write!(condition, "{and}(attribute_not_exists(#s{slot}) OR #s{slot} <= :since{index})");
    }
    let mut change = Change::new(keys::code(&code.phone), update)
        .when(condition)
        .value(":ttl", number(code.sent.seconds() + 2 * DAY))
        .value(":now", moment(code.sent));
    if !terms.only_counted || slots(policy) > 1 {
        change = change.value(":zero", number(0));
    }
    if !terms.only_counted {
        change = change
            .value(":digest", blob(&code.digest))
            .value(":expires", moment(code.expires))
            .value(":purpose", text(code.purpose.name()));
        for (name, value) in waiting {
            change = change.value(&format!(":{name}"), value);
        }
        if terms.counts_in_block {
            change = change.value(":hour", number(code.sent.hour())).value(":group", number(code.network_group));
        }
    }
    for (index, (span, _)) in caps.into_iter().enumerate() {
        change = change.value(&format!(":since{index}"), moment(code.sent.minus(span)));
    }
    change
}

/// Takes back what [`Table::count_in_block`] counted.
fn uncount_in_block(policy: &Policy, code: &NewCode, terms: Terms) -> Option<Change> {
    let update = format!("ADD #sent :less, #debt :percent, #a{} :less", code.network_group);
    terms.counts_in_block.then(|| {
        Change::new(keys::conversion(&code.phone, code.sent.hour()), update)
            .value(":less", number(-1))
            .value(":percent", number(-i64::from(policy.conversion_minimum_percent)))
    })
}

/// A counter of a code, besides those of its number and its block.
struct Counter {
    limit: Limit,
    key: Key,
    /// The code is stored if the count is below this.
    cap: u32,
    /// Length of its window in seconds.
    window: i64,
}

/// The counters whose limits are not off.
fn counters(policy: &Policy, code: &NewCode, terms: Terms) -> Vec<Counter> {
    let zone = code.phone.zone();
    let address = code.from.zip(policy.codes_per_ip_hour).map(|(from, cap)| {
        let key = keys::codes_of_address(from, code.sent);
        let share = if terms.without_captcha { policy.captcha_threshold_percent } else { 100 };
        Counter { limit: Limit::Address, key, cap: percent(cap, share).max(1), window: HOUR }
    });
    let open = if terms.standing == Standing::Stranger { 100 - policy.codes_per_country_reserved_percent } else { 100 };
    let hour = policy.codes_per_country_hour.map(|cap| {
        let (shard, cap) = shard(&code.phone, cap);
        let key = keys::codes_of_country_hour(zone, shard, code.sent);
        Counter { limit: Limit::CountryHour, key, cap: percent(cap, open).max(1), window: HOUR }
    });
    let day = policy.codes_per_country_day.map(|cap| {
        let (shard, cap) = shard(&code.phone, cap);
        let key = keys::codes_of_country_day(zone, shard, code.sent);
        Counter { limit: Limit::CountryDay, key, cap: percent(cap, open).max(1), window: DAY }
    });
    let countries = hour.into_iter().chain(day).filter(|_| !terms.only_counted);
    address.into_iter().chain(countries).collect()
}

/// A percentage of a limit, rounded up. The parameters limit the percentage to 100.
fn percent(cap: u32, share: u32) -> u32 {
    u32::try_from((u64::from(cap) * u64::from(share)).div_ceil(100)).unwrap_or(u32::MAX).min(cap)
}

/// Adds one to the count, if the count is below the limit.
fn count_below(counter: Counter, now: Timestamp) -> Change {
    Change::new(counter.key, "SET #ttl = :ttl ADD #count :one")
        .when("attribute_not_exists(#count) OR #count < :cap")
        .value(":ttl", number(now.seconds() + 2 * counter.window))
        .value(":one", number(1))
        .value(":cap", number(counter.cap))
}

/// The shard of a country's counter in which a phone is counted, and the shard's part of the limit.
///
/// A single item allows about 500 transactions a second, and a transaction that is refused keeps its items busy too. So
/// the limit is divided among several items. The parts never add up to more than the whole, so the maximum cost stays
/// known.
fn shard(phone: &Phone, cap: u32) -> (u32, u32) {
    const CODES_PER_SHARD: u32 = 250;
    const MOST: u32 = 16;
    let shards = (cap / CODES_PER_SHARD).clamp(1, MOST);
    let spread = phone.e164().bytes().fold(0_u32, |sum, digit| sum.wrapping_mul(31).wrapping_add(u32::from(digit)));
    (spread % shards, cap / shards)
}

/// The limit that a refused write of the sending transaction means, according to the item it found.
fn send_limit(policy: &Policy, limit: Limit, item: Option<&Item>, code: &NewCode, terms: Terms) -> SendLimit {
    let now = code.sent;
    let until = |window: i64, length: i64| u64::try_from((window + 1) * length - now.seconds()).unwrap_or(1).max(1);
    let counted = |name: &str| item.and_then(|item| item::get_number::<i64>(item, name)).unwrap_or_default();
    match limit {
        Limit::Unclaimed => SendLimit::Claimed,
        Limit::Checks => SendLimit::Checks { retry_after: until(now.day(), DAY) },
        Limit::Phone => number_limit(policy, item, now, terms),
        Limit::Block if is_closed(policy, item) && terms.standing != Standing::Known => {
            SendLimit::Block { retry_after: until(now.hour(), HOUR) }
        }
        Limit::Block => SendLimit::BlockShare,
        Limit::Address if counted("count") < i64::from(policy.codes_per_ip_hour.unwrap_or(u32::MAX)) => {
            SendLimit::AddressWithoutCaptcha
        }
        Limit::Address => SendLimit::Address { retry_after: until(now.hour(), HOUR) },
        Limit::CountryHour => SendLimit::Country { retry_after: until(now.hour(), HOUR) },
        Limit::CountryDay => SendLimit::Country { retry_after: until(now.day(), DAY) },
    }
}

/// Whether too few codes of a block are used: the condition of [`Table::count_in_block`], evaluated for the item that
/// it found.
fn is_closed(policy: &Policy, block: Option<&Item>) -> bool {
    let counted = |name: &str| block.and_then(|block| item::get_number::<i64>(block, name)).unwrap_or_default();
    let groups = block.and_then(|block| block.get("groups")?.as_ns().ok()).map_or(0, Vec::len);
    counted("sent") >= i64::from(policy.conversion_minimum_sends)
        && counted("debt") > 0
        && groups >= usize::try_from(policy.conversion_addresses).unwrap_or(usize::MAX)
}

fn number_limit(policy: &Policy, item: Option<&Item>, now: Timestamp, terms: Terms) -> SendLimit {
    let wait = |(span, cap): (std::time::Duration, u32)| {
        let slot = item::get_moment(item?, &format!("s{}", cap.saturating_sub(1)))?;
        let free = slot.plus(span);
        (free > now).then(|| free.seconds_from(now))
    };
    let [resend, hour, day] = phone_caps(policy, terms).map(wait);
    match (resend, hour.max(day)) {
        (_, Some(retry_after)) => SendLimit::Number { retry_after },
        (resend, None) => SendLimit::Resend { retry_after: resend.unwrap_or(1) },
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
            let shards = (cap / 250).clamp(1, 16);
            let (shard, part) = shard(&phone, cap);
            assert!(shard < shards && part * shards <= cap && part >= 1, "{cap}");
        }
    }
}
