//! Memory for decoding: the process decodes only as many pictures in parallel as fit into its memory.
//!
//! On Lambda a process handles one request or event at a time, but the local run and other runtimes handle many. A
//! picture's header shows how much memory it may take, so the amount is known before it is reserved. A caller waits if
//! there is too little; the first to ask is the first to get it.

use std::sync::Arc;

use domain::{Fault, Result};
use runtime::{ConfigError, Env};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Lambda's variable for the memory of a function, in MiB. Lambda sets it; elsewhere it is a setting.
const MEMORY: &str = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";
/// The default in MiB: the memory of the function in the template.
const UNSAID: u64 = 1769;
/// MiB for everything except pictures: the program, the SDK's connections, responses in progress.
const ELSEWHERE: u64 = 96;
/// The number of originals in memory at the same time; most of them wait for the network or for decoding.
const ORIGINALS: u32 = 4;
/// Memory is reserved in units of 1 MiB.
const UNIT: u64 = 1 << 20;

/// The part of a process's memory that decoding may use.
pub(super) struct MemoryBudget {
    /// Permits for originals, one each.
    originals: Arc<Semaphore>,
    /// Permits for decoding, one per unit.
    units: Arc<Semaphore>,
    all: u32,
}

impl MemoryBudget {
    /// The memory in `AWS_LAMBDA_FUNCTION_MEMORY_SIZE` without the program and originals of at most `longest` bytes.
    pub(super) fn of(env: &Env, longest: u64) -> std::result::Result<Self, ConfigError> {
        let memory = if env.optional(MEMORY).is_some() { env.number(MEMORY)? } else { UNSAID };
        Ok(Self::with(memory, longest))
    }

    /// The same for `memory` MiB.
    pub(super) fn with(memory: u64, longest: u64) -> Self {
        let originals = u64::from(ORIGINALS) * longest.div_ceil(UNIT);
        let left = memory.saturating_sub(ELSEWHERE + originals).max(1);
        let all = u32::try_from(left).unwrap_or(u32::MAX).min(u32::MAX >> 4);
        let units = Arc::new(Semaphore::new(usize::try_from(all).unwrap_or_default()));
        Self { originals: Arc::new(Semaphore::new(ORIGINALS as usize)), units, all }
    }

    /// The most bytes that one decode can reserve.
    pub(super) fn most(&self) -> u64 {
        u64::from(self.all) * UNIT
    }

    /// Waits for memory for an original. It is reserved before the memory to decode it, and held as long.
    pub(super) async fn for_original(&self) -> Result<OwnedSemaphorePermit> {
        Ok(self.originals.clone().acquire_owned().await.map_err(closed)?)
    }

    /// Waits for memory for a decode of this many bytes. A decode that needs more than all of it waits until it is
    /// alone; [`most`](Self::most) limits what it can really use.
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
        let of = |memory: &[(&str, &str)]| MemoryBudget::of(&memory.iter().copied().collect::<Env>(), 20 * MB);
        assert_eq!(of(&[]).unwrap().most(), (1769 - 96 - 80) * MB);
        assert_eq!(of(&[(MEMORY, "1024")]).unwrap().most(), (1024 - 96 - 80) * MB);
        assert_eq!(of(&[(MEMORY, "128")]).unwrap().most(), MB);
        assert!(of(&[(MEMORY, "much")]).is_err());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_burst_never_takes_more_than_there_is_and_everybody_gets_a_turn() {
        let budget = Arc::new(MemoryBudget::with(96 + 4 + 100, MB));
        let (taken, most) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let burst = (0..200_u64).map(|turn| {
            let (budget, taken, most) = (budget.clone(), taken.clone(), most.clone());
            tokio::spawn(async move {
                // Some need more than there is.
                let claim = [10, 33, 60, 400][usize::try_from(turn % 4).unwrap()] * MB;
                let permit = budget.for_decode(claim).await.unwrap();
                let now = taken.fetch_add(claim.min(budget.most()), Ordering::SeqCst) + claim.min(budget.most());
                most.fetch_max(now, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(1)).await;
                taken.fetch_sub(claim.min(budget.most()), Ordering::SeqCst);
                drop(permit);
            })
        });
        for task in burst.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        let most = most.load(Ordering::SeqCst);
        assert!(most <= 100 * MB, "{most}");
        // The memory was used: several were decoding in parallel.
        assert!(most >= 90 * MB, "{most}");
    }
}
