//! The `jobs` function: background work that takes longer than a request may take. It reads the table's stream and puts
//! a job on the queue `Jobs` for each change that requires one, and it takes the jobs from this queue.

mod stream;
mod work;

use std::sync::Arc;

use async_trait::async_trait;
use aws::queue_events;
use domain::jobs::Job;
use domain::queue::Queue;
use runtime::{ConfigError, Context, Function, Services};
use telemetry::invocation::Observer;

use self::work::Worker;

/// The function, which the table's stream and the queue `Jobs` invoke.
pub struct Jobs {
    queue: Arc<dyn Queue<Job>>,
    worker: Worker,
    observer: Observer,
}

#[async_trait]
impl Function for Jobs {
    async fn invoke(&self, payload: &[u8], context: Context) -> Result<Vec<u8>, runtime::Error> {
        if let Some(messages) = queue_events::messages(payload) {
            let work = work::work_off(&self.worker, &*self.queue, &messages);
            return Ok(runtime::observe_event(&self.observer, "sqs", &context, work).await);
        }
        let records = dynamodb::stream::records(payload);
        let records = records.ok_or("the payload is neither an event of the queue nor of the table's stream")?;
        let work = stream::follow(&*self.queue, &records);
        Ok(runtime::observe_event(&self.observer, "dynamodb", &context, work).await)
    }
}

/// Builds the function.
pub fn function(services: &Services) -> Result<Jobs, ConfigError> {
    let worker = Worker { groups: services.group_jobs()?, purge: services.purge()? };
    Ok(Jobs { queue: services.job_queue()?, worker, observer: services.observer("jobs") })
}
