//! Makes the thumbnails of a picture only once at a time in a process, and never again if it is impossible.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use domain::media::ImageName;
use domain::media::store::Meta;
use domain::{Error, Fault};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};

/// The number of errors that are remembered; a name and its reason take about 60 bytes.
const REMEMBERED: usize = 1024;

/// Thumbnails that were made and stored.
#[derive(Debug)]
pub(super) struct Made {
    /// The thumbnails, in the order of the available sizes.
    pub(super) thumbnails: Vec<(Meta, Bytes)>,
    /// Milliseconds from the original to the last thumbnail.
    pub(super) millis: u64,
}

/// Why there are no thumbnails; it can be cloned for several callers.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// The picture does not exist.
    Missing,
    /// The original is longer than this many bytes.
    TooLong(u64),
    /// The picture can never be decoded. This is permanent, because nothing else is ever stored under its name.
    Refused(&'static str),
    /// A failure that may be temporary.
    Fault(Arc<Fault>),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Fault(fault) => Self::Fault(Arc::new(fault)),
            Error::TooLarge { limit } => Self::TooLong(limit),
            Error::UnsupportedMedia(reason) => Self::Refused(reason),
            _ => Self::Missing,
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Missing => Self::NotFound("image"),
            Failure::TooLong(limit) => Self::TooLarge { limit },
            Failure::Refused(reason) => Self::UnsupportedMedia(reason),
            Failure::Fault(fault) => Fault::new("making thumbnails", Same(fault)).into(),
        }
    }
}

/// A fault that several callers received.
#[derive(Debug)]
struct Same(Arc<Fault>);

impl fmt::Display for Same {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Same {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

/// The result of making thumbnails.
pub(super) type Outcome = Result<Arc<Made>, Failure>;

type Flight = BoxFuture<'static, Outcome>;

/// The pictures in progress, and those without thumbnails.
#[derive(Default)]
pub(super) struct Flights(Mutex<Known>);

#[derive(Default)]
struct Known {
    under_way: HashMap<ImageName, WeakShared<Flight>>,
    /// Oldest first.
    refused: VecDeque<(ImageName, &'static str)>,
}

impl Flights {
    /// The known reason why this picture has no thumbnails. It needs neither a call nor a decode.
    pub(super) fn refusal(&self, image: &ImageName) -> Option<Failure> {
        let known = self.known();
        let found = known.refused.iter().find(|(name, _)| name == image);
        found.map(|(_, reason)| Failure::Refused(reason))
    }

    /// Waits for the thumbnails in progress for this picture, or makes them. All waiting callers drive the work
    /// together, so any of them can stop waiting; if all of them do, it stops. Also returns whether this call started
    /// the work.
    pub(super) async fn make<F>(&self, image: ImageName, begin: impl FnOnce() -> F) -> (Outcome, bool)
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        if let Some(failure) = self.refusal(&image) {
            return (Err(failure), false);
        }
        let (flight, begun) = self.join(image, begin);
        let outcome = flight.await;
        self.ended(image, &outcome);
        (outcome, begun)
    }

    fn join<F>(&self, image: ImageName, begin: impl FnOnce() -> F) -> (Shared<Flight>, bool)
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let mut known = self.known();
        // Finished work is not joined: its failure may have been temporary.
        let found = known.under_way.get(&image).and_then(WeakShared::upgrade);
        if let Some(flight) = found.filter(|flight| flight.peek().is_none()) {
            return (flight, false);
        }
        let flight = begin().boxed().shared();
        // Removes work that no caller waits for.
        known.under_way.retain(|_, flight| flight.upgrade().is_some());
        known.under_way.extend(flight.downgrade().map(|flight| (image, flight)));
        (flight, true)
    }

    fn ended(&self, image: ImageName, outcome: &Outcome) {
        let mut known = self.known();
        let over = |flight: &WeakShared<Flight>| flight.upgrade().is_none_or(|flight| flight.peek().is_some());
        if known.under_way.get(&image).is_some_and(over) {
            known.under_way.remove(&image);
        }
        if let Err(Failure::Refused(reason)) = outcome
            && known.refused.iter().all(|(name, _)| *name != image)
        {
            if known.refused.len() == REMEMBERED {
                known.refused.pop_front();
            }
            known.refused.push_back((image, reason));
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use futures::future::{join_all, pending};
    use tokio::sync::Notify;

    use super::*;

    fn name(number: u32) -> ImageName {
        ImageName::parse(&format!("{number:032x}.jpg")).unwrap()
    }

    fn nothing() -> Arc<Made> {
        Arc::new(Made { thumbnails: Vec::new(), millis: 0 })
    }

    #[tokio::test]
    async fn who_comes_while_it_is_made_waits_for_it_and_who_comes_later_does_not() {
        let (flights, begun) = (Flights::default(), AtomicUsize::new(0));
        let gate = Arc::new(Notify::new());
        let make = || {
            flights.make(name(1), || {
                begun.fetch_add(1, Ordering::SeqCst);
                let gate = gate.clone();
                async move {
                    gate.notified().await;
                    Ok(nothing())
                }
            })
        };
        let all = join_all((0..50).map(|_| make()));
        let open = async {
            tokio::task::yield_now().await;
            gate.notify_one();
        };
        let both = async { futures::join!(all, open) };
        let (outcomes, ()) = tokio::time::timeout(Duration::from_secs(10), both).await.expect("one that nobody makes");
        assert!(outcomes.iter().all(|(outcome, _)| outcome.is_ok()));
        assert_eq!(outcomes.iter().filter(|(_, begun)| *begun).count(), 1);
        assert_eq!(begun.load(Ordering::SeqCst), 1);
        gate.notify_one();
        make().await.0.unwrap();
        assert_eq!(begun.load(Ordering::SeqCst), 2);
        assert!(flights.known().under_way.is_empty());
    }

    #[tokio::test]
    async fn who_began_it_may_give_up() {
        let flights = Flights::default();
        let gate = Arc::new(Notify::new());
        let waits = || {
            let gate = gate.clone();
            async move {
                gate.notified().await;
                Ok(nothing())
            }
        };
        let mut first = Box::pin(flights.make(name(1), waits));
        assert!(futures::poll!(&mut first).is_pending());
        let mut second = Box::pin(flights.make(name(1), pending::<Outcome>));
        assert!(futures::poll!(&mut second).is_pending());
        drop(first);
        gate.notify_one();
        let second = tokio::time::timeout(Duration::from_secs(10), second).await.expect("one that nobody makes");
        assert!(second.0.is_ok());
        // All of them may stop: then the next call starts again, and nothing is left over.
        let mut given_up = Box::pin(flights.make(name(2), pending::<Outcome>));
        assert!(futures::poll!(&mut given_up).is_pending());
        drop(given_up);
        assert!(flights.make(name(2), || async { Ok(nothing()) }).await.1);
        assert!(flights.known().under_way.is_empty());
    }

    #[tokio::test]
    async fn a_refusal_is_remembered_and_a_fault_is_not() {
        let flights = Flights::default();
        let refused = || async { Err(Failure::Refused("the picture is damaged")) };
        assert!(flights.make(name(1), refused).await.1);
        let (outcome, begun) = flights.make(name(1), refused).await;
        assert!(!begun && matches!(outcome, Err(Failure::Refused("the picture is damaged"))));
        for failure in [Failure::Missing, Failure::TooLong(1), Failure::Fault(Arc::new(Fault::new("asking", "no")))] {
            for _ in 0..2 {
                let failure = failure.clone();
                assert!(flights.make(name(2), || async { Err(failure) }).await.1);
            }
        }
        // The oldest is removed first, so memory is limited.
        for number in 10..10 + u32::try_from(REMEMBERED).unwrap() {
            flights.make(name(number), refused).await.0.unwrap_err();
        }
        assert!(flights.refusal(&name(1)).is_none() && flights.refusal(&name(10)).is_some());
        assert_eq!(flights.known().refused.len(), REMEMBERED);
    }

    #[test]
    fn a_fault_that_several_met_keeps_its_chain() {
        let failure = Failure::from(Error::from(Fault::new("storing", "the line was cut")));
        let Error::Fault(fault) = Error::from(failure) else { panic!("no fault") };
        assert_eq!(fault.chain(), "while making thumbnails: while storing: the line was cut");
    }
}
