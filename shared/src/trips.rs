//! Counts the DynamoDB round trips of each request: how many there were, and how many had to wait for another.
//!
//! The latency of a request is its longest chain of calls, so that is what the budget in `docs/access-patterns.md`
//! bounds and what the log line of every request tells.

use std::sync::{Arc, Mutex, PoisonError};

tokio::task_local! {
    static CURRENT: Trips;
}

/// The calls of one request so far.
#[derive(Clone, Debug, Default)]
pub struct Trips(Arc<Mutex<Count>>);

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Calls, each retry counted.
    pub calls: u32,
    /// The length of the longest chain of calls in which each began after the one before had ended.
    pub rounds: u32,
}

impl Trips {
    /// Runs a request and counts the calls made in it.
    pub async fn of<F: Future>(request: F) -> (F::Output, Count) {
        let trips = Self::default();
        let output = CURRENT.scope(trips.clone(), request).await;
        let count = *trips.0.lock().unwrap_or_else(PoisonError::into_inner);
        (output, count)
    }

    /// The count of the request that this task works on, if it works on one.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Counts a call that begins and answers its place in the chain.
    #[must_use]
    pub fn begin(&self) -> u32 {
        let mut count = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        count.calls += 1;
        count.rounds + 1
    }

    /// Notes that the call at this place in the chain ended.
    pub fn end(&self, place: u32) {
        let mut count = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        count.rounds = count.rounds.max(place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_side_by_side_are_one_round() {
        let trips = Trips::default();
        let (a, b) = (trips.begin(), trips.begin());
        trips.end(b);
        trips.end(a);
        let c = trips.begin();
        trips.end(c);
        assert_eq!(*trips.0.lock().unwrap(), Count { calls: 3, rounds: 2 });
    }
}
