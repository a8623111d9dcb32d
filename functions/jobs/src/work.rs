//! Does the jobs on the queue.

use std::sync::Arc;
use std::time::Duration;

use aws::queue_events::{self, QueueMessage};
use domain::deletion::Purge;
use domain::jobs::Job;
use domain::queue::Queue;
use domain::social::GroupJobs;
use domain::{Error, Fault, Result};
use telemetry::metrics::{self, Metric};

/// The time until a job that failed is done again; it doubles with each further failure. The queue's own time is longer
/// than the function may run.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// The longest time until a job that failed is done again.
const LONGEST_WAIT: Duration = Duration::from_mins(15);

/// Does jobs.
pub(crate) struct Worker {
    /// The background work on groups.
    pub(crate) groups: Arc<GroupJobs>,
    /// The removal of what belonged to deleted users.
    pub(crate) purge: Arc<Purge>,
}

impl Worker {
    /// Does a job. It may be stopped at any point and done again.
    async fn run(&self, job: Job) -> Result<()> {
        match job {
            Job::FinishGroup { group } => self.groups.carry_on(group).await,
            Job::SpreadProfile { user, change, late } => self.groups.spread(user, &change, late).await,
            Job::PurgeUser { user } => self.purge.purge(user).await,
            Job::EndGrace { user } => self.purge.end_grace(user).await,
        }
    }
}

/// Does the jobs in their order, and reports those that failed, so that SQS delivers them again. A message that is no job
/// fails too: after some deliveries it is in the dead-letter queue, where somebody sees it.
pub(crate) async fn work_off(worker: &Worker, queue: &dyn Queue<Job>, messages: &[QueueMessage]) -> Vec<u8> {
    let mut failed = Vec::new();
    for message in messages {
        let done = match serde_json::from_str(&message.body) {
            Ok(job) => worker.run(job).await,
            Err(error) => Err(Fault::new("reading a job", error).into()),
        };
        let Err(error) = done else { continue };
        log_fault(&error, "a job failed and will be tried again");
        failed.push(&*message.id);
        if let Err(error) = queue.retry_in(&message.receipt, wait(message.deliveries)).await {
            // It is delivered again later than it could be.
            log_fault(&error, "a job could not be put back on the queue");
        }
    }
    queue_events::answer(failed)
}

/// The time until a job is done again that failed at this delivery, the first of which is 1.
fn wait(deliveries: u32) -> Duration {
    FIRST_WAIT.saturating_mul(2u32.saturating_pow(deliveries.saturating_sub(1))).min(LONGEST_WAIT)
}

/// Logs and counts a failure.
pub(crate) fn log_fault(error: &Error, words: &'static str) {
    let chain = if let Error::Fault(fault) = error { fault.chain() } else { error.to_string() };
    tracing::error!(event = "fault", chain, "{words}");
    metrics::count(Metric::Faults);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_fails_again_waits_longer_but_never_above_a_quarter_of_an_hour() {
        let seconds = [1, 2, 3, 8, 9, 100].map(|deliveries| wait(deliveries).as_secs());
        assert_eq!(seconds, [5, 10, 20, 640, 900, 900]);
    }
}
