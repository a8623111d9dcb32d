//! Counts the DynamoDB round trips of each request: how many there were, and how many had to wait for another.
//!
//! The latency of a request is determined by its longest chain of calls. So the budget in `docs/access-patterns.md`
//! limits that chain, and the log line of every request shows its length.

use std::sync::{Arc, Mutex, PoisonError};

use futures::future::{BoxFuture, try_join, try_join_all};

tokio::task_local! {
    static CURRENT: RoundTrips;
}

/// The calls of one request so far.
#[derive(Clone, Debug, Default)]
pub struct RoundTrips(Arc<Mutex<Count>>);

/// The result of counting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// The number of calls, including each retry.
    pub calls: u32,
    /// The length of the longest chain of calls in which each call began after the previous one had ended.
    pub rounds: u32,
}

impl RoundTrips {
    /// Runs a request and counts the calls made in it.
    pub async fn of<F: Future>(request: F) -> (F::Output, Count) {
        let trips = Self::default();
        let output = CURRENT.scope(trips.clone(), request).await;
        (output, trips.count())
    }

    /// The counter of the request that this task works on, if there is one.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Continues counting from here for one of several futures that run in parallel.
    fn branch(&self) -> Self {
        Self(Arc::new(Mutex::new(Count { calls: 0, rounds: self.count().rounds })))
    }

    /// Adds the count of such a future.
    fn take_in(&self, branch: &Self) {
        let branch = branch.count();
        let mut count = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        count.calls += branch.calls;
        count.rounds = count.rounds.max(branch.rounds);
    }

    fn count(&self) -> Count {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call that begins and returns its position in the chain.
    #[must_use]
    pub fn begin(&self) -> u32 {
        let mut count = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        count.calls += 1;
        count.rounds + 1
    }

    /// Records that the call at this position in the chain ended.
    pub fn end(&self, place: u32) {
        let mut count = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        count.rounds = count.rounds.max(place);
    }
}

/// Runs two futures in parallel until both are done or one fails. Their calls count as parallel even if a busy machine
/// happens to run one after the other.
pub fn both<'f, A, B, E>(
    a: impl Future<Output = Result<A, E>> + Send + 'f,
    b: impl Future<Output = Result<B, E>> + Send + 'f,
) -> BoxFuture<'f, Result<(A, B), E>>
where
    A: Send + 'f,
    B: Send + 'f,
    E: Send + 'f,
{
    Box::pin(async move {
        let Some(trips) = RoundTrips::current() else { return try_join(a, b).await };
        let branches = (trips.branch(), trips.branch());
        let (a, b) = (CURRENT.scope(branches.0.clone(), a), CURRENT.scope(branches.1.clone(), b));
        let outcome = try_join(a, b).await;
        trips.take_in(&branches.0);
        trips.take_in(&branches.1);
        outcome
    })
}

/// The same for any number of futures of one kind.
pub async fn all<F, T, E>(futures: impl IntoIterator<Item = F>) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<T, E>>,
{
    let Some(trips) = RoundTrips::current() else { return try_join_all(futures).await };
    let futures: Vec<_> = futures.into_iter().map(|future| (trips.branch(), future)).collect();
    let branches: Vec<_> = futures.iter().map(|(branch, _)| branch.clone()).collect();
    let futures = futures.into_iter().map(|(branch, future)| CURRENT.scope(branch, future));
    let outcome = try_join_all(futures).await;
    for branch in &branches {
        trips.take_in(branch);
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A call that has ended by the time it is first polled.
    async fn call() -> Result<(), ()> {
        std::future::ready(()).await;
        let trips = RoundTrips::current().expect("a request");
        let place = trips.begin();
        trips.end(place);
        Ok(())
    }

    #[tokio::test]
    async fn futures_side_by_side_count_as_such_however_they_happen_to_run() {
        let ((), count) = RoundTrips::of(async {
            call().await.unwrap();
            both(call(), async { call().await.and(call().await) }).await.unwrap();
            all([call(), call(), call()]).await.unwrap();
        })
        .await;
        assert_eq!(count, Count { calls: 7, rounds: 4 });
    }

    #[test]
    fn calls_side_by_side_are_one_round() {
        let trips = RoundTrips::default();
        let (a, b) = (trips.begin(), trips.begin());
        trips.end(b);
        trips.end(a);
        let c = trips.begin();
        trips.end(c);
        assert_eq!(*trips.0.lock().unwrap(), Count { calls: 3, rounds: 2 });
    }
}
