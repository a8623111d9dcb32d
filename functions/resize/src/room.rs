//! Memory for decoding: no more pictures are decoded at once than this process has memory for.
//!
//! On Lambda a process handles one request or event at a time, but a local run and other runtimes handle many. What a
//! picture may take is told by its header, so it is known before it is taken. Who finds too little waits, in the
//! order of asking.

use std::sync::Arc;

use shared::config::{ConfigError, Env};
use shared::domain::{Fault, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What Lambda calls the memory of a function, in MiB. It sets it itself; elsewhere it is a setting.
const MEMORY: &str = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";
/// MiB of memory where nobody says: as much as the template gives the function.
const UNSAID: u64 = 1769;
/// MiB for everything but pictures: the program itself, the SDK's connections, answers on their way.
const ELSEWHERE: u64 = 96;
/// Originals that are held at once, most of them waiting for the network or for their turn.
const ORIGINALS: u32 = 4;
/// Bytes of the unit that memory is handed out in: 1 MiB.
const UNIT: u64 = 1 << 20;

/// The memory of a process, as far as decoding may use it.
pub(super) struct Room {
    /// For originals, each counting as one.
    originals: Arc<Semaphore>,
    /// For decoding, in units.
    units: Arc<Semaphore>,
    all: u32,
}

impl Room {
    /// What `AWS_LAMBDA_FUNCTION_MEMORY_SIZE` leaves beside the program and originals of at most `longest` bytes.
    pub(super) fn of(env: &Env, longest: u64) -> std::result::Result<Self, ConfigError> {
        let memory = if env.optional(MEMORY).is_some() { env.number(MEMORY)? } else { UNSAID };
        Ok(Self::with(memory, longest))
    }

    /// The same of `memory` MiB.
    pub(super) fn with(memory: u64, longest: u64) -> Self {
        let originals = u64::from(ORIGINALS) * longest.div_ceil(UNIT);
        let left = memory.saturating_sub(ELSEWHERE + originals).max(1);
        let all = u32::try_from(left).unwrap_or(u32::MAX).min(u32::MAX >> 4);
        let units = Arc::new(Semaphore::new(usize::try_from(all).unwrap_or_default()));
        Self { originals: Arc::new(Semaphore::new(ORIGINALS as usize)), units, all }
    }

    /// The most bytes that one decode can be given.
    pub(super) fn most(&self) -> u64 {
        u64::from(self.all) * UNIT
    }

    /// Waits for room for an original. Taken before the room to decode it, and held for as long.
    pub(super) async fn for_original(&self) -> Result<OwnedSemaphorePermit> {
        Ok(self.originals.clone().acquire_owned().await.map_err(closed)?)
    }

    /// Waits for room for a decode that takes this many bytes. One that takes more than there is waits until it is
    /// alone; what it may really take is bounded by [`most`](Self::most).
    pub(super) async fn for_decode(&self, bytes: u64) -> Result<OwnedSemaphorePermit> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).min(self.all);
        Ok(self.units.clone().acquire_many_owned(units).await.map_err(closed)?)
    }
}

fn closed(error: tokio::sync::AcquireError) -> Fault {
    Fault::new("waiting for memory", error)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use super::*;

    const MB: u64 = 1 << 20;

    #[test]
    fn the_function_s_memory_is_what_there_is_less_what_is_used_elsewhere() {
        let of = |memory: &[(&str, &str)]| Room::of(&memory.iter().copied().collect::<Env>(), 20 * MB);
        assert_eq!(of(&[]).unwrap().most(), (1769 - 96 - 80) * MB);
        assert_eq!(of(&[(MEMORY, "1024")]).unwrap().most(), (1024 - 96 - 80) * MB);
        assert_eq!(of(&[(MEMORY, "128")]).unwrap().most(), MB);
        assert!(of(&[(MEMORY, "much")]).is_err());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_burst_never_takes_more_than_there_is_and_everybody_gets_a_turn() {
        let room = Arc::new(Room::with(96 + 4 + 100, MB));
        let (taken, most) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let burst = (0..200_u64).map(|turn| {
            let (room, taken, most) = (room.clone(), taken.clone(), most.clone());
            tokio::spawn(async move {
                // Some claim more than there is.
                let claim = [10, 33, 60, 400][usize::try_from(turn % 4).unwrap()] * MB;
                let permit = room.for_decode(claim).await.unwrap();
                let now = taken.fetch_add(claim.min(room.most()), Ordering::SeqCst) + claim.min(room.most());
                most.fetch_max(now, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(1)).await;
                taken.fetch_sub(claim.min(room.most()), Ordering::SeqCst);
                drop(permit);
            })
        });
        for task in burst.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        let most = most.load(Ordering::SeqCst);
        assert!(most <= 100 * MB, "{most}");
        // It was used: several were at work at once.
        assert!(most >= 90 * MB, "{most}");
    }
}
