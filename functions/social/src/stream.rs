//! Background work that the table's stream triggers: completing and cleaning up large groups, and marking groups after
//! a nickname change.

use std::collections::HashSet;
use std::time::Duration;

use domain::social::jobs::{Jobs, Task};
use dynamodb::social_change;
use dynamodb::stream::{self, Record};
use telemetry::metrics::{self, Metric};

/// No task is started after this time, so that the last one has the same time again before the function is stopped.
const TIME: Duration = Duration::from_secs(12);

/// Handles the records in their order. It reports the first one that fails, so that Lambda sends this record and the
/// later ones again.
///
/// A task in several records is done only once, because it reads the current state. Tasks that cannot be started in
/// time are left to the next invocation.
pub(super) async fn follow(jobs: &Jobs, records: &[Record]) -> Vec<u8> {
    let (began, mut begun) = (jobs.clock.now(), HashSet::new());
    for record in records {
        let Some(task) = social_change(record) else { continue };
        if !begun.insert(task) {
            continue;
        }
        if begun.len() > 1 && jobs.clock.now() > began.plus(TIME) {
            return stream::answer(Some(&record.sequence));
        }
        let done = match task {
            Task::Finish(group) => jobs.carry_on(group).await,
            Task::Spread(user) => jobs.spread(user, &record.id, false).await,
            Task::SpreadLate(user) => jobs.spread(user, &record.id, true).await,
        };
        if let Err(error) = done {
            let chain = if let domain::Error::Fault(fault) = &error { fault.chain() } else { error.to_string() };
            tracing::error!(event = "fault", chain, "a job from the table's stream failed");
            metrics::count(Metric::Faults);
            return stream::answer(Some(&record.sequence));
        }
    }
    stream::answer(None)
}
