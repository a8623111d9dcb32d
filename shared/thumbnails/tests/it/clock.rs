//! Measures the time of a call.

use std::fs;
use std::time::{Duration, Instant};

/// The longest time that a file of less than 20 MB may take.
const MOST: Duration = Duration::from_secs(2);

/// The result of `ask`, which must come within the time that is guaranteed for any file.
#[expect(clippy::disallowed_methods, reason = "how long it takes is the question")]
pub fn in_time<T>(what: &str, ask: impl FnOnce() -> T) -> T {
    let (start, before) = (Instant::now(), computed());
    let answer = ask();
    let took = before.zip(computed()).map_or_else(|| start.elapsed(), |(before, after)| after.saturating_sub(before));
    assert!(took < MOST, "{what} took {took:?}");
    answer
}

/// The processor time of this thread, if the system has it (`proc_pid_schedstat(5)`): on a busy machine the elapsed
/// time would be longer.
fn computed() -> Option<Duration> {
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    told.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}
