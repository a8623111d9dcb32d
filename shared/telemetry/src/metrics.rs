//! Metrics: a closed list. They are counted where an event happens and written once, in the line that ends the
//! invocation.
//!
//! AWS bills every pair of a metric and a set of dimensions that ever gets a value, by the month. So labels only have
//! values from a list in this file, and no text from a client ever becomes a label. Counts outside of an invocation are
//! not written.

pub mod emf;

use std::sync::{Arc, Mutex, PoisonError};

tokio::task_local! {
    static CURRENT: Batch;
}

/// A metric. `docs/observability.md` explains each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Invocations that were the first in their process.
    ColdStarts,
    /// The duration of requests. The number of values is the number of requests.
    RequestMillis,
    /// Failures of our own code or of a service that we use, each logged as one `fault`.
    Faults,
    /// Codes that SNS accepted.
    CodesSent,
    /// Codes that were used successfully.
    CodesUsed,
    /// Codes that were requested and not sent, by reason.
    CodesRefused,
    /// Tries at codes that were not successful, by reason.
    GuessesRefused,
    /// Sessions begun, by API.
    SignIns,
    /// Sessions that ended because one of their old refresh tokens was used again.
    RefreshTokenThefts,
    /// Thumbnails created and stored.
    Thumbnails,
    /// The time for creating all thumbnails of one picture, from the bytes of the original to those of the thumbnails.
    ThumbnailMillis,
}

/// The unit of a metric, with `CloudWatch`'s names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A number of events. Those of one invocation are added up.
    Count,
    /// Durations. Each is kept as a separate value, so that percentiles are meaningful.
    Milliseconds,
}

impl Unit {
    /// The name of the unit.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Milliseconds => "Milliseconds",
        }
    }
}

/// The dimension in which every function writes its own name.
pub const FUNCTION: &str = "function";
const API: &str = "api";
const REASON: &str = "reason";

/// Reasons for which codes are not sent: the kinds of the domain's errors, and `no_account`, which the caller does not see.
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
    "sign_ups_closed",
    "taken",
    "text_not_sent",
    "unused_codes",
];
/// A code that only an account can use was requested for a number without one.
pub const NO_ACCOUNT: &str = "no_account";
const NOT_RIGHT: &[&str] =
    &["code_expired", "code_guesses_spent", "code_not_asked", "code_wrong", "requests_at_once", "sign_in_failures"];
const APIS: &[&str] = &["device", "messenger", "rooms", "sealtalk", "supabase", "web"];

impl Metric {
    /// All metrics.
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

    /// Its unit.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::RequestMillis | Self::ThumbnailMillis => Unit::Milliseconds,
            _ => Unit::Count,
        }
    }

    /// The sets of dimensions under which it is available. The empty set is the total of the deployment, which alarms
    /// need.
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

    /// The dimension whose value the counting code gives, if there is one, and its possible values.
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

/// Adds one to a metric without a label.
pub fn count(metric: Metric) {
    add(metric, 1);
}

/// Adds to a metric without a label: a number of events, or a duration in milliseconds.
pub fn add(metric: Metric, value: u64) {
    let _ = CURRENT.try_with(|batch| batch.add(metric, None, value));
}

/// Adds one to a metric with this label. A label that is not on the metric's list is not counted.
pub fn count_by(metric: Metric, value: &str) {
    let listed = metric.label().and_then(|(_, values)| values.iter().find(|listed| **listed == value));
    debug_assert!(listed.is_some(), "{value} is no label of {}", metric.name());
    if let Some(listed) = listed {
        let _ = CURRENT.try_with(|batch| batch.add(metric, Some(listed), 1));
    }
}

/// The counts of one invocation.
#[derive(Clone, Debug, Default)]
pub struct Batch(Arc<Mutex<Vec<Counted>>>);

/// The values of one metric with one label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The metric.
    pub metric: Metric,
    /// The value of its label, if it has one.
    pub label: Option<&'static str>,
    /// A single number for a count; all values for durations.
    pub values: Vec<u64>,
}

impl Batch {
    /// Runs an invocation and collects its counts here.
    pub async fn of<F: Future>(&self, invocation: F) -> F::Output {
        CURRENT.scope(self.clone(), invocation).await
    }

    /// Adds to a metric, as [`add`] and [`count_by`] do for the current invocation.
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

    /// The counts so far, in the order in which each was first used.
    #[must_use]
    pub fn counted(&self) -> Vec<Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
                count_by(Metric::GuessesRefused, "code_wrong");
                count_by(Metric::GuessesRefused, "sign_in_failures");
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
