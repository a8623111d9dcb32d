//! Which changes of the table require a job.

use std::time::Duration;

use domain::jobs::Job;
use domain::queue::Queue;
use dynamodb::job_of;
use dynamodb::stream::{self, Record};

use crate::work::log_fault;

/// Puts a job on the queue for each change that requires one. If this fails, Lambda sends the records again from the
/// first such change on; a job that is on the queue twice does no harm.
pub(crate) async fn follow(queue: &dyn Queue<Job>, records: &[Record]) -> Vec<u8> {
    let mut jobs: Vec<Job> = Vec::new();
    let mut first = None;
    for record in records {
        let Some(job) = job_of(record) else { continue };
        first.get_or_insert(&*record.sequence);
        if !jobs.iter().any(|other| other.does_the_same_as(&job)) {
            jobs.push(job);
        }
    }
    if jobs.is_empty() {
        return stream::answer(None);
    }
    let (at_once, later): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.delay().is_zero());
    // All that wait do so for the same time.
    for (jobs, delay) in [(&at_once, Duration::ZERO), (&later, later.first().map(Job::delay).unwrap_or_default())] {
        if jobs.is_empty() {
            continue;
        }
        if let Err(error) = queue.send(jobs, delay).await {
            log_fault(&error, "jobs could not be put on the queue");
            return stream::answer(first);
        }
    }
    stream::answer(None)
}
