//! What the table's stream sets off: large groups are formed and tidied up, and changed nicknames spread.

use shared::aws::dynamo::social_change;
use shared::aws::stream::{self, Record};
use shared::domain::social::jobs::{Jobs, Task};

/// Does what the records ask for, in their order. The first that fails is reported, so that it and what comes after it
/// come again.
pub(super) async fn follow(jobs: &Jobs, records: &[Record]) -> Vec<u8> {
    for record in records {
        let Some(task) = social_change(record) else { continue };
        let done = match task {
            Task::Finish(group) => jobs.carry_on(group).await,
            Task::Spread(user) => jobs.spread(user).await,
        };
        if let Err(error) = done {
            let chain =
                if let shared::domain::Error::Fault(fault) = &error { fault.chain() } else { error.to_string() };
            tracing::error!(event = "fault", chain, "what the table's stream asked for could not be done");
            return stream::answer(Some(&record.sequence));
        }
    }
    stream::answer(None)
}
