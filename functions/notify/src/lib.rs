//! The `notify` function: reads changes from the table's stream, publishes notifications about them to a topic, and
//! sends push notifications to users' devices. Only this function may publish to topics and platform endpoints.

mod dispatcher;
mod links;
mod payload;
mod push;

use async_trait::async_trait;
use dynamodb::stream;
use telemetry::invocation::Observer;

use runtime::{ConfigError, Context, Function, Services};

use self::dispatcher::{Dispatcher, PUSHING};

/// The function's state.
pub struct Notify {
    dispatcher: Dispatcher,
    observer: Observer,
}

#[async_trait]
impl Function for Notify {
    async fn invoke(&self, payload: &[u8], context: Context) -> Result<Vec<u8>, runtime::Error> {
        let records = stream::records(payload).ok_or("the payload is no event of the table's stream")?;
        let told =
            runtime::observe_event(&self.observer, "dynamodb", &context, self.dispatcher.dispatch(&records)).await;
        Ok(stream::answer(told))
    }
}

/// Builds the function.
pub fn function(services: &Services) -> Result<Notify, ConfigError> {
    let table = services.table()?;
    let dispatcher = Dispatcher {
        clock: services.clock.clone(),
        listeners: table.clone(),
        recipients: table.clone(),
        counts: table,
        publisher: services.event_publisher()?,
        push_sender: services.push_sender()?,
        app: services.env.text("APP_NAME")?.into(),
        pushing: PUSHING,
    };
    Ok(Notify { dispatcher, observer: services.observer("notify") })
}
