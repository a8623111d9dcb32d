//! The `notify` function: reads changes from the table's stream, and publishes notifications about them to a topic. It puts
//! the pushes to users' devices on the queue `Pushes`, and takes them from there. Only this function may publish to topics
//! and platform endpoints.

mod dispatcher;
mod links;
mod payload;
mod push;
mod pusher;
mod work;
#[cfg(test)]
mod world;

use async_trait::async_trait;
use aws::queue_events::{self, QueueMessage};
use domain::Fault;
use dynamodb::stream;
use runtime::{ConfigError, Context, Function, Services};
use telemetry::invocation::Observer;

use self::dispatcher::{Dispatcher, log_fault};
use self::pusher::{PUSHING, Pusher};

/// The function, which the table's stream and the queue `Pushes` invoke.
pub struct Notify {
    dispatcher: Dispatcher,
    pusher: Pusher,
    observer: Observer,
}

#[async_trait]
impl Function for Notify {
    async fn invoke(&self, payload: &[u8], context: Context) -> Result<Vec<u8>, runtime::Error> {
        if let Some(messages) = queue_events::messages(payload) {
            let work = self.work_off(&messages);
            return Ok(runtime::observe_event(&self.observer, "sqs", &context, work).await);
        }
        let records = stream::records(payload);
        let records = records.ok_or("the payload is neither an event of the queue nor of the table's stream")?;
        let failed =
            runtime::observe_event(&self.observer, "dynamodb", &context, self.dispatcher.dispatch(&records)).await;
        Ok(stream::answer(failed))
    }
}

impl Notify {
    /// Does the work of each message, and reports the messages that failed, so that SQS delivers them again.
    async fn work_off(&self, messages: &[QueueMessage]) -> Vec<u8> {
        let mut failed = Vec::new();
        for message in messages {
            let done = match serde_json::from_str(&message.body) {
                Ok(work) => self.pusher.run(work).await,
                Err(error) => Err(Fault::new("reading work on pushes", error).into()),
            };
            if let Err(error) = done {
                log_fault(&error, "pushes could not be sent and will be tried again");
                failed.push(&*message.id);
            }
        }
        queue_events::answer(failed)
    }
}

/// Builds the function.
pub fn function(services: &Services) -> Result<Notify, ConfigError> {
    let table = services.table()?;
    let push_sender = services.push_sender()?;
    let queue = services.push_queue()?;
    let dispatcher = Dispatcher {
        clock: services.clock.clone(),
        listeners: table.clone(),
        recipients: table.clone(),
        publisher: services.event_publisher()?,
        push_sender: push_sender.clone(),
        queue: queue.clone(),
        app: services.env.text("APP_NAME")?.into(),
    };
    let pusher = Pusher {
        clock: services.clock.clone(),
        listeners: table.clone(),
        recipients: table.clone(),
        counts: table,
        push_sender,
        queue,
        pushing: PUSHING,
    };
    Ok(Notify { dispatcher, pusher, observer: services.observer("notify") })
}
