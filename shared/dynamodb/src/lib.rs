//! The DynamoDB table. There is only one.

mod accounts;
mod app_users;
mod batch;
mod captchas;
mod codes;
mod count_round_trips;
mod counters;
mod deletion;
mod devices;
mod identity;
mod item;
mod keys;
mod last_event;
mod lookup;
mod media;
mod once;
mod people;
mod real_names;
mod reports;
mod rooms;
mod sessions;
mod social;
pub mod stream;
mod write;

use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    CancellationReason, ReturnValue, ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem,
};

pub use self::social::change_of;

use self::item::Item;
use self::keys::Key;
pub use self::social::job_of;
use self::write::{Change, key_attributes};
use domain::account::Caller;
use domain::clock::Timestamp;
use domain::crypto;
use domain::policy::Policy;
use domain::random::{self, Random};
use domain::{Cap, Error, Fault, NotSignedIn, Result};

/// The table, which implements the domain's stores.
#[derive(Clone)]
pub struct Table {
    client: Client,
    name: Arc<str>,
    policy: Arc<Policy>,
    random: Arc<dyn Random>,
}

/// How often a write is tried again when it conflicts with another transaction on the same item. Such conflicts last
/// milliseconds, and the waits grow with jitter to about half a second in total.
const CONFLICT_ATTEMPTS: u32 = 6;
const CONFLICT_WAIT: Duration = Duration::from_millis(10);

/// The result of a conditional update.
enum Updated {
    /// Contains the item after the update if the change asked for it ([`Change::returning_item`]).
    Done(Item),
    /// The condition failed; contains the current item, if it exists.
    Refused(Option<Item>),
}

/// The result of a transaction.
enum Transacted {
    Done,
    /// Conditions failed; contains the reasons by position.
    Refused(Vec<CancellationReason>),
}

/// Whether the condition of the write at `position` failed.
fn failed(reasons: &[CancellationReason], position: usize) -> bool {
    reasons.get(position).and_then(CancellationReason::code) == Some("ConditionalCheckFailed")
}

/// The current item of the write at `position`, whose condition failed.
fn found(reasons: &[CancellationReason], position: usize) -> Option<&Item> {
    reasons.get(position).and_then(CancellationReason::item)
}

impl Table {
    /// The table called `name`.
    #[must_use]
    pub fn new(sdk: &SdkConfig, name: &str, policy: Arc<Policy>, random: Arc<dyn Random>) -> Self {
        let config = aws_sdk_dynamodb::config::Builder::from(sdk)
            .interceptor(count_round_trips::CountRoundTrips)
            // Every response is read within the time-out of its attempt, so nothing else has to watch it.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        Self { client: Client::from_conf(config.build()), name: name.into(), policy, random }
    }

    /// Runs one conditional update.
    async fn update(&self, doing: &'static str, change: Change) -> Result<Updated> {
        for attempt in 0.. {
            let change = change.clone();
            let sent = self
                .client
                .update_item()
                .table_name(&*self.name)
                .set_key(Some(key_attributes(&change.key)))
                .update_expression(change.update)
                .set_condition_expression(change.condition)
                .set_expression_attribute_names(Some(change.names).filter(|names| !names.is_empty()))
                .set_expression_attribute_values(Some(change.values).filter(|values| !values.is_empty()))
                .return_values(if change.returns_item { ReturnValue::AllNew } else { ReturnValue::None })
                .return_values_on_condition_check_failure(OnFailure::AllOld)
                .send()
                .await;
            match sent.map_err(SdkError::into_service_error) {
                Ok(output) => return Ok(Updated::Done(output.attributes.unwrap_or_default())),
                Err(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                    return Ok(Updated::Refused(refused.item));
                }
                Err(UpdateItemError::TransactionConflictException(_)) => {
                    if attempt >= CONFLICT_ATTEMPTS {
                        return Err(too_many_at_once());
                    }
                    self.wait_out_conflict(attempt).await;
                }
                Err(error) => return Err(Fault::new(doing, error).into()),
            }
        }
        unreachable!("the loop only ends by returning")
    }

    /// Runs one transaction.
    async fn transact(&self, doing: &'static str, writes: Vec<TransactWriteItem>) -> Result<Transacted> {
        let mut token = self.idempotency_token();
        for attempt in 0.. {
            let sent = self.client.transact_write_items().set_transact_items(Some(writes.clone()));
            let sent = sent.client_request_token(&token).send().await;
            match sent.map_err(SdkError::into_service_error) {
                Ok(_) => return Ok(Transacted::Done),
                Err(TransactWriteItemsError::TransactionCanceledException(canceled)) => {
                    let reasons = canceled.cancellation_reasons.clone().unwrap_or_default();
                    let codes: Vec<_> = reasons.iter().filter_map(CancellationReason::code).collect();
                    if codes.contains(&"ConditionalCheckFailed") {
                        return Ok(Transacted::Refused(reasons));
                    }
                    if attempt >= CONFLICT_ATTEMPTS && codes.contains(&CONFLICT) {
                        return Err(too_many_at_once());
                    }
                    if attempt >= CONFLICT_ATTEMPTS || !codes.iter().any(|code| PASSING.contains(code)) {
                        return Err(Fault::new(doing, canceled).into());
                    }
                    // Nothing was written, so the next attempt is a new transaction.
                    token = self.idempotency_token();
                }
                Err(TransactWriteItemsError::TransactionInProgressException(error)) => {
                    if attempt >= CONFLICT_ATTEMPTS {
                        return Err(Fault::new(doing, error).into());
                    }
                }
                Err(error) => return Err(Fault::new(doing, error).into()),
            }
            self.wait_out_conflict(attempt).await;
        }
        unreachable!("the loop only ends by returning")
    }

    /// Identifies a transaction, so that DynamoDB recognises a repeated request (for 10 minutes).
    fn idempotency_token(&self) -> String {
        crypto::hex(&random::bytes::<16>(&*self.random))
    }

    /// The item at `key`, with a strongly consistent read.
    async fn get(&self, doing: &'static str, key: &Key) -> Result<Option<Item>> {
        let sent = self.client.get_item().table_name(&*self.name).set_key(Some(key_attributes(key)));
        let output = sent.consistent_read(true).send().await;
        Ok(output.map_err(|error| Fault::new(doing, error.into_service_error()))?.item)
    }

    /// Waits for a random part of a time that doubles with every attempt, so that conflicting writes do not conflict
    /// again.
    async fn wait_out_conflict(&self, attempt: u32) {
        self.pause(CONFLICT_WAIT * 2_u32.pow(attempt.min(CONFLICT_ATTEMPTS))).await;
    }

    /// Waits for a random part of a time.
    async fn pause(&self, most: Duration) {
        let micros = random::below(&*self.random, u64::try_from(most.as_micros()).unwrap_or(u64::MAX).max(1));
        tokio::time::sleep(Duration::from_micros(micros)).await;
    }
}

/// The reason of a transaction that conflicted with another one on an item.
const CONFLICT: &str = "TransactionConflict";

/// The error for a write that conflicted with others on its items at every attempt. Nothing was written. This only
/// happens when many callers, or one caller with many requests, write at once, so it is not a fault of ours.
fn too_many_at_once() -> Error {
    Error::Limited { cap: Cap::AtOnce, retry_after: 1 }
}

/// Temporary reasons for which a transaction is cancelled.
const PASSING: &[&str] = &[CONFLICT, "ThrottlingError", "ProvisionedThroughputExceeded"];

/// The condition, on the caller's account, that the caller's session is active.
fn session_is_active(caller: Caller, now: Timestamp) -> Change {
    Change::new(keys::account(caller.user), "")
        .when("#sessions.#sid.#expires > :now AND #sessions.#sid.#ends > :now")
        .name("#sid", caller.session.to_string())
        .value(":now", item::moment(now))
}

/// The error for a write by `caller` that the caller's account item did not permit. An expired session remains in the
/// item until the next sign-in removes it; an ended session does not.
fn not_signed_in(account: Option<&Item>, caller: Caller) -> Error {
    let sessions = account.and_then(|account| account.get("sessions")?.as_m().ok());
    let there = sessions.is_some_and(|sessions| sessions.contains_key(&caller.session.to_string()));
    Error::Unauthenticated(if there { NotSignedIn::Expired } else { NotSignedIn::Ended })
}

/// Checks in the account's item that the caller's session is active.
fn living(account: Option<&Item>, caller: Caller, now: Timestamp) -> Result<()> {
    match item::read_living(account)? {
        Some(account) => account.check_session(caller.session, now),
        None => Err(not_signed_in(None, caller)),
    }
}

/// A change to the caller's own account, on the condition that the session is active. It also records the time as the
/// last activity, and its hour as the last use of the session: to the hour, so that nearly all requests leave the session
/// as it is.
fn change_by(caller: Caller, set: &str, now: Timestamp) -> Change {
    let set = if set.is_empty() { String::new() } else { format!(", {set}") };
    Change::new(keys::account(caller.user), format!("SET #seen = :now, #sessions.#sid.#last = :hour{set}"))
        .when("#sessions.#sid.#expires > :now AND #sessions.#sid.#ends > :now")
        .name("#sid", caller.session.to_string())
        .value(":now", item::moment(now))
        .value(":hour", item::moment(now.hour_start()))
}
