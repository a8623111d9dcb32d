//! What the table's stream sets off: large groups are formed and tidied up, and changed nicknames spread.

use std::collections::HashSet;
use std::time::Duration;

use shared::aws::dynamo::social_change;
use shared::aws::stream::{self, Record};
use shared::domain::social::jobs::{Jobs, Task};
use shared::metrics::{self, Metric};

/// No task is begun after this time, so that the last one has as much again before the function is stopped.
const TIME: Duration = Duration::from_secs(12);

/// Does what the records ask for, in their order. The first that fails is reported, so that it and what comes after it
/// come again.
///
/// A task that many records ask for is done once, since it looks at how things are now, and what cannot be begun in time
/// is left to the next invocation.
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
            Task::Spread(user) => jobs.spread(user).await,
        };
        if let Err(error) = done {
            let chain =
                if let shared::domain::Error::Fault(fault) = &error { fault.chain() } else { error.to_string() };
            tracing::error!(event = "fault", chain, "what the table's stream asked for could not be done");
            metrics::count(Metric::Faults);
            return stream::answer(Some(&record.sequence));
        }
    }
    stream::answer(None)
}
