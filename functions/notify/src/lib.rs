//! The `notify` function: reads changes from the table's stream, publishes notifications about them to a topic, and
//! sends push notifications to users' devices. Only this function may publish to topics and platform endpoints.

mod content;
mod links;
mod push;
mod teller;

use std::sync::Arc;

use async_trait::async_trait;
use lambda_http::Context;
use shared::aws::dynamo::Table;
use shared::aws::pushes::SnsPushes;
use shared::aws::stream;
use shared::aws::topic::SnsTopic;
use shared::config::ConfigError;
use shared::domain::policy::Policy;
use shared::lambda::{self, Function, Runtime};
use shared::observe::Observer;

use self::teller::{PUSHING, Teller};

/// The function's state.
pub struct Notify {
    teller: Teller,
    observer: Observer,
}

#[async_trait]
impl Function for Notify {
    async fn invoke(&self, payload: &[u8], context: Context) -> Result<Vec<u8>, lambda::Error> {
        let records = stream::records(payload).ok_or("the payload is no event of the table's stream")?;
        let told = self.observer.event("dynamodb", &context, self.teller.tell(&records)).await;
        Ok(stream::answer(told))
    }
}

/// Builds the function.
pub fn function(runtime: &Runtime) -> Result<Notify, ConfigError> {
    let Runtime { env, sdk, clock, random } = runtime;
    let policy = Arc::new(Policy::from_env(env)?);
    let table = Arc::new(Table::new(sdk, env, policy, random.clone())?);
    let teller = Teller {
        clock: clock.clone(),
        listeners: table.clone(),
        recipients: table.clone(),
        counts: table,
        topic: Arc::new(SnsTopic::new(sdk, env)?),
        pushes: Arc::new(SnsPushes::new(sdk, env)),
        app: env.text("APP_NAME")?.into(),
        pushing: PUSHING,
    };
    Ok(Notify { teller, observer: runtime.observer("notify") })
}
