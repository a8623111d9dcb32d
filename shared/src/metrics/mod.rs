//! What is counted: a closed list of metrics, counted where a thing happens and written once, in the line that ends the
//! invocation.
//!
//! Every pair of a metric and a set of dimensions that ever gets a value is billed by the month, so labels are words of
//! a list here and nothing that a caller sends becomes one. What is counted outside of an invocation is not written.

pub mod emf;

use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::Error;

tokio::task_local! {
    static CURRENT: Batch;
}

/// A metric: `docs/observability.md` says what each tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Invocations that were the first of their process.
    ColdStarts,
    /// How long requests took; their number is how many values there are.
    RequestMillis,
    /// Failures of ours or of a service we use, each logged as one `fault`.
    Faults,
    /// Codes that SNS took.
    CodesSent,
    /// Codes that were spent on what they were for.
    CodesUsed,
    /// Codes that were asked for and not sent, by why.
    CodesRefused,
    /// Guesses at codes that did not count as right, by why.
    GuessesRefused,
    /// Sessions begun, by API.
    SignIns,
    /// Sessions ended because an old refresh token of theirs came back.
    RefreshTokenThefts,
    /// Thumbnails made and stored.
    Thumbnails,
    /// How long making the thumbnails of one picture took, from its bytes to theirs.
    ThumbnailMillis,
}

/// What a metric is measured in, in `CloudWatch`'s word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things that happened. Those of an invocation are added up.
    Count,
    /// Times, each of them a value of its own, so that percentiles mean something.
    Milliseconds,
}

impl Unit {
    /// The word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Milliseconds => "Milliseconds",
        }
    }
}

/// The dimension that every function fills in with its name.
pub const FUNCTION: &str = "function";
const API: &str = "api";
const REASON: &str = "reason";

/// Why codes are not sent: names of [`Error::kind`], and `no_account`, which the caller is not told.
const NOT_SENT: &[&str] = &[
    "captcha_expired",
    "captcha_needed",
    "captcha_wrong",
    "checks_from_address",
    "code_too_soon",
    "codes_from_address",
    "codes_to_country",
    "codes_to_number",
    "country_not_served",
    NO_ACCOUNT,
    "not_mobile",
    "requests_at_once",
    "taken",
    "text_not_sent",
    "unused_codes",
];
/// A code for a new password, to a number without an account.
pub const NO_ACCOUNT: &str = "no_account";
const NOT_RIGHT: &[&str] =
    &["code_expired", "code_guesses_spent", "code_not_asked", "code_wrong", "requests_at_once", "sign_in_failures"];
const APIS: &[&str] = &["device", "messenger", "rooms", "sealtalk", "web"];

impl Metric {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::ColdStarts,
        Self::RequestMillis,
        Self::Faults,
        Self::CodesSent,
        Self::CodesUsed,
        Self::CodesRefused,
        Self::GuessesRefused,
        Self::SignIns,
        Self::RefreshTokenThefts,
        Self::Thumbnails,
        Self::ThumbnailMillis,
    ];

    /// Its name in `CloudWatch`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ColdStarts => "ColdStarts",
            Self::RequestMillis => "RequestMillis",
            Self::Faults => "Faults",
            Self::CodesSent => "CodesSent",
            Self::CodesUsed => "CodesUsed",
            Self::CodesRefused => "CodesRefused",
            Self::GuessesRefused => "GuessesRefused",
            Self::SignIns => "SignIns",
            Self::RefreshTokenThefts => "RefreshTokenThefts",
            Self::Thumbnails => "Thumbnails",
            Self::ThumbnailMillis => "ThumbnailMillis",
        }
    }

    /// What it is measured in.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::RequestMillis | Self::ThumbnailMillis => Unit::Milliseconds,
            _ => Unit::Count,
        }
    }

    /// The sets of dimensions under which it can be looked at. The empty one sums up the stage, which alarms need.
    #[must_use]
    pub const fn dimensions(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::ColdStarts => &[&[FUNCTION]],
            Self::RequestMillis | Self::Faults => &[&[], &[FUNCTION]],
            Self::CodesRefused | Self::GuessesRefused => &[&[REASON]],
            Self::SignIns => &[&[API]],
            _ => &[&[]],
        }
    }

    /// The dimension that whoever counts gives a value, if there is one, and the values it may have.
    #[must_use]
    pub const fn label(self) -> Option<(&'static str, &'static [&'static str])> {
        match self {
            Self::CodesRefused => Some((REASON, NOT_SENT)),
            Self::GuessesRefused => Some((REASON, NOT_RIGHT)),
            Self::SignIns => Some((API, APIS)),
            _ => None,
        }
    }
}

/// Counts one of a metric without a label.
pub fn count(metric: Metric) {
    add(metric, 1);
}

/// Adds to a metric without a label: a number of things, or a time in milliseconds.
pub fn add(metric: Metric, value: u64) {
    let _ = CURRENT.try_with(|batch| batch.add(metric, None, value));
}

/// Counts one of a metric whose label has this value. A value that is not on the label's list is not counted.
pub fn count_by(metric: Metric, value: &str) {
    let listed = metric.label().and_then(|(_, values)| values.iter().find(|listed| **listed == value));
    debug_assert!(listed.is_some(), "{value} is no label of {}", metric.name());
    if let Some(listed) = listed {
        let _ = CURRENT.try_with(|batch| batch.add(metric, Some(listed), 1));
    }
}

/// Counts a refusal by its kind. A fault is none: it is counted where it is logged.
pub fn refused<T>(metric: Metric, outcome: &Result<T, Error>) {
    if let Err(error) = outcome
        && !matches!(error, Error::Fault(_))
    {
        count_by(metric, error.kind());
    }
}

/// What was counted in one invocation.
#[derive(Clone, Debug, Default)]
pub struct Batch(Arc<Mutex<Vec<Counted>>>);

/// The values of one metric under one label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The metric.
    pub metric: Metric,
    /// The value of its label, if it has one.
    pub label: Option<&'static str>,
    /// One number for a count; every time for a time.
    pub values: Vec<u64>,
}

impl Batch {
    /// Runs an invocation whose counts are taken in here.
    pub async fn of<F: Future>(&self, invocation: F) -> F::Output {
        CURRENT.scope(self.clone(), invocation).await
    }

    /// Adds to a metric, as [`add`] and [`count_by`] do for the invocation that runs.
    pub fn add(&self, metric: Metric, label: Option<&'static str>, value: u64) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counted.iter_mut().find(|counted| counted.metric == metric && counted.label == label) {
            Some(Counted { values, .. }) => match (metric.unit(), values.last_mut()) {
                (Unit::Count, Some(sum)) => *sum += value,
                _ => values.push(value),
            },
            None => counted.push(Counted { metric, label, values: vec![value] }),
        }
    }

    /// What was counted so far, in the order in which it first happened.
    #[must_use]
    pub fn counted(&self) -> Vec<Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error::Cap;

    #[test]
    fn a_label_is_a_dimension_and_every_dimension_has_a_source() {
        for metric in Metric::ALL {
            let label = metric.label().map(|(name, _)| name);
            for dimension in metric.dimensions().iter().flat_map(|set| set.iter()) {
                assert!(*dimension == FUNCTION || Some(*dimension) == label, "{metric:?}: {dimension}");
            }
            assert!(label.is_none_or(|label| metric.dimensions().concat().contains(&label)), "{metric:?}");
        }
    }

    #[tokio::test]
    async fn counts_are_added_up_and_times_are_kept() {
        let batch = Batch::default();
        batch
            .of(async {
                count(Metric::CodesSent);
                add(Metric::CodesSent, 2);
                add(Metric::ThumbnailMillis, 7);
                add(Metric::ThumbnailMillis, 7);
                refused::<()>(Metric::GuessesRefused, &Err(Error::CodeWrong));
                refused::<()>(
                    Metric::GuessesRefused,
                    &Err(Error::Limited { cap: Cap::SignInFailures, retry_after: 1 }),
                );
                refused::<()>(Metric::GuessesRefused, &Err(crate::domain::Fault::new("x", "y").into()));
                refused(Metric::GuessesRefused, &Ok(()));
            })
            .await;
        count(Metric::CodesSent);
        let of = |metric, label, values: &[u64]| Counted { metric, label, values: values.to_vec() };
        assert_eq!(
            batch.counted(),
            [
                of(Metric::CodesSent, None, &[3]),
                of(Metric::ThumbnailMillis, None, &[7, 7]),
                of(Metric::GuessesRefused, Some("code_wrong"), &[1]),
                of(Metric::GuessesRefused, Some("sign_in_failures"), &[1]),
            ]
        );
    }
}
