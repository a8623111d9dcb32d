//! Reads the stream's records, publishes notifications about them, and puts the pushes to users' devices on the queue.

use std::sync::Arc;
use std::time::Duration;

use domain::clock::Clock;
use domain::notifications::{
    Change, EventPublisher, Listeners, Notice, NotificationEvent, Platform, PushSender, Recipients, Taken,
};
use domain::queue::Queue;
use domain::social::group::Operation;
use domain::{Error, Result};
use dynamodb::change_of;
use dynamodb::stream::Record;
use telemetry::metrics::{self, Metric};

use crate::payload::{Message, People};
use crate::push::{Text, payload};
use crate::work::{Audience, OfPlatforms, Payloads, Work};

/// After this time no further record is started. A record may take three calls of eight seconds
/// (`shared/aws/src/lib.rs`), which still have to fit into the function's 29 s.
const PUBLISHING: Duration = Duration::from_secs(5);

/// Publishes notifications.
pub(crate) struct Dispatcher {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) listeners: Arc<dyn Listeners>,
    pub(crate) recipients: Arc<dyn Recipients>,
    pub(crate) publisher: Arc<dyn EventPublisher>,
    pub(crate) push_sender: Arc<dyn PushSender>,
    pub(crate) queue: Arc<dyn Queue<Work>>,
    /// The name of the app, the title of every push.
    pub(crate) app: Arc<str>,
}

impl Dispatcher {
    /// Publishes the notification of each record in turn, and puts its pushes on the queue. If it did not do this for all
    /// of them, it returns the sequence number of the first record that is left: Lambda sends this record and the later
    /// ones again.
    pub(crate) async fn dispatch<'r>(&self, records: &'r [Record]) -> Option<&'r str> {
        let end = self.clock.now().plus(PUBLISHING);
        for (index, record) in records.iter().enumerate() {
            // The first record is always started; otherwise a slow system would make no progress at all.
            if index > 0 && self.clock.now() > end {
                tracing::warn!(event = "news_put_off", "a batch of the table's stream takes too long");
                return Some(&record.sequence);
            }
            if let Err(error) = self.publish(record).await {
                log_fault(&error, "a notification could not be published and will be tried again");
                return Some(&record.sequence);
            }
        }
        None
    }

    /// Publishes the notification of a record, if it has one. A record that can never be published is logged and
    /// skipped, so that it does not delay the later ones.
    async fn publish(&self, record: &Record) -> Result<()> {
        let change = match change_of(record) {
            Ok(change) => change,
            Err(error) => {
                tracing::error!(event = "record_unreadable", id = record.id, %error, "a changed item cannot be read");
                return Ok(());
            }
        };
        let Some(news) = change.and_then(Change::news) else { return Ok(()) };
        let people = self.listeners.listeners(&news.named(), self.clock.now()).await?;
        let posted = match &news {
            NotificationEvent::Group { group, event, .. } if event.operation == Operation::Bulletin => {
                self.recipients.posted_in(*group).await?
            }
            NotificationEvent::Request { .. }
            | NotificationEvent::Acceptance { .. }
            | NotificationEvent::Group { .. } => None,
        };
        let message = Message::of(&record.id, &news, &people, posted.clone());
        let (kind, operation) = (message.object_name, message.operation);
        match self.publisher.publish(&Notice { kind, operation, body: message.body() }).await? {
            Taken::Done => {
                tracing::info!(event = "news_published", kind, operation, "published a notification");
                self.queue_pushes(&news, &people, posted.as_deref(), &message).await
            }
            Taken::Refused => {
                tracing::error!(event = "news_refused", kind, operation, "the topic refused a notification");
                Ok(())
            }
        }
    }

    /// Puts the pushes of a notification on the queue.
    async fn queue_pushes(
        &self,
        news: &NotificationEvent,
        people: &People,
        posted: Option<&str>,
        message: &Message,
    ) -> Result<()> {
        let build = |to_target: bool| {
            let text = Text::of(&self.app, news, to_target, people, posted);
            let of = |platform| self.push_sender.reaches(platform).then(|| payload(message, &text, platform));
            OfPlatforms { apple: of(Platform::Apple), google: of(Platform::Google) }
        };
        let payloads = Payloads { to_targets: build(true), to_others: build(false) };
        if payloads == Payloads::default() {
            return Ok(());
        }
        let work = Work::Notify { audience: Audience::of(news), payloads };
        self.queue.send(&[work], Duration::ZERO).await
    }
}

/// Logs and counts a failure.
pub(crate) fn log_fault(error: &Error, words: &'static str) {
    let chain = if let Error::Fault(fault) = error { fault.chain() } else { error.to_string() };
    tracing::error!(event = "fault", chain, "{words}");
    metrics::count(Metric::Faults);
}
