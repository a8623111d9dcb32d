//! From the stream's records to the topic, and from there to people's devices.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::stream::{self, StreamExt};
use shared::aws::dynamo::change_of;
use shared::aws::stream::Record;
use shared::domain::account::UserId;
use shared::domain::clock::Clock;
use shared::domain::notifications::{
    Change, Device, Listeners, News, Notice, Operation, Platform, Pushed, Pushes, Recipients, Taken, Topic,
};
use shared::domain::{Error, Result};
use shared::metrics::{self, Metric};

use crate::content::{Message, People};
use crate::push::{Text, payload};

/// No further record is begun after so long. One may take two calls of eight seconds (`shared/src/aws/mod.rs`), and
/// then there still is time for the pushes within the function's 29 s.
const PUBLISHING: Duration = Duration::from_secs(5);
/// All pushes of an invocation together; what is not sent by then is not sent at all.
pub(crate) const PUSHING: Duration = Duration::from_secs(6);
/// So many devices are pushed to side by side.
const SIDE_BY_SIDE: usize = 32;
const PLATFORMS: [Platform; 2] = [Platform::Apple, Platform::Google];

/// Tells news.
pub(crate) struct Teller {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) listeners: Arc<dyn Listeners>,
    pub(crate) recipients: Arc<dyn Recipients>,
    pub(crate) topic: Arc<dyn Topic>,
    pub(crate) pushes: Arc<dyn Pushes>,
    /// How long all pushes of an invocation may take, [`PUSHING`] but in tests.
    pub(crate) pushing: Duration,
}

/// News that was published.
struct Told {
    news: News,
    people: People,
    posted: Option<String>,
    message: Message,
}

impl Told {
    /// What is pushed to those it was done to and to others, by platform.
    fn payloads(&self) -> BTreeMap<(bool, Platform), String> {
        let mut payloads = BTreeMap::new();
        for to_target in [true, false] {
            let text = Text::of(&self.news, to_target, &self.people, self.posted.as_deref());
            payloads.extend(PLATFORMS.map(|platform| ((to_target, platform), payload(&self.message, &text, platform))));
        }
        payloads
    }
}

impl Teller {
    /// Publishes the news of each record in turn and then pushes it. Answers the sequence number of the record from
    /// which on nothing was published, if it did not come to all: Lambda sends it and what follows again. Pushes are
    /// never made up for, because that would publish again what was published.
    pub(crate) async fn tell<'r>(&self, records: &'r [Record]) -> Option<&'r str> {
        let end = self.clock.now().plus(PUBLISHING);
        let (mut told, mut failed) = (Vec::new(), None);
        for (index, record) in records.iter().enumerate() {
            // The first is begun in any case, or a slow day would stand still.
            if index > 0 && self.clock.now() > end {
                tracing::warn!(event = "news_put_off", "a batch of the table's stream takes too long");
                failed = Some(record.sequence.as_str());
                break;
            }
            match self.publish(record).await {
                Ok(published) => told.extend(published),
                Err(error) => {
                    let chain = if let Error::Fault(fault) = error { fault.chain() } else { error.to_string() };
                    tracing::error!(event = "fault", chain, "news could not be published and will be tried again");
                    metrics::count(Metric::Faults);
                    failed = Some(record.sequence.as_str());
                    break;
                }
            }
        }
        self.push_all(&told).await;
        failed
    }

    /// Publishes what a record tells of, if it is news. What can never be told is told in the log and passed over, so
    /// that it does not hold up what comes after it.
    async fn publish(&self, record: &Record) -> Result<Option<Told>> {
        let change = match change_of(record) {
            Ok(change) => change,
            Err(error) => {
                tracing::error!(event = "record_unreadable", id = record.id, %error, "a changed item cannot be read");
                return Ok(None);
            }
        };
        let Some(news) = change.and_then(Change::news) else { return Ok(None) };
        let people = self.listeners.listeners(&news.named(), self.clock.now()).await?;
        let posted = match &news {
            News::Group { group, event, .. } if event.operation == Operation::Bulletin => {
                self.recipients.posted_in(*group).await?
            }
            News::Request { .. } | News::Acceptance { .. } | News::Group { .. } => None,
        };
        let message = Message::of(&record.id, &news, &people, posted.clone());
        let (kind, operation) = (message.object_name, message.operation);
        match self.topic.publish(&Notice { kind, operation, body: message.body() }).await? {
            Taken::Done => {
                tracing::info!(event = "news_published", kind, operation, "published a notification");
                Ok(Some(Told { news, people, posted, message }))
            }
            Taken::Refused => {
                tracing::error!(event = "news_refused", kind, operation, "the topic does not take a notification");
                Ok(None)
            }
        }
    }

    async fn push_all(&self, told: &[Told]) {
        if told.is_empty() || !PLATFORMS.iter().any(|platform| self.pushes.reaches(*platform)) {
            return;
        }
        let tally = Tally::default();
        let pushing = async {
            for told in told {
                if let Err(error) = self.push(told, &tally).await {
                    let chain = if let Error::Fault(fault) = error { fault.chain() } else { error.to_string() };
                    tracing::error!(event = "fault", chain, "news could not be pushed");
                    metrics::count(Metric::Faults);
                }
            }
        };
        let in_time = tokio::time::timeout(self.pushing, pushing).await.is_ok();
        let [sent, gone, failed] = [&tally.sent, &tally.gone, &tally.failed].map(|count| count.load(Ordering::Relaxed));
        tracing::info!(event = "news_pushed", sent, gone, failed, in_time, "pushed notifications to devices");
    }

    /// Pushes to everybody who is to hear but the one whose act it is.
    async fn push(&self, told: &Told, tally: &Tally) -> Result<()> {
        let (hearers, targets) = self.hearers(&told.news).await?;
        let unknown = hearers.iter().copied().filter(|user| !told.people.contains_key(user)).collect();
        let others = self.listeners.listeners(&unknown, self.clock.now()).await?;
        let payloads = told.payloads();
        let mut pushes: Vec<(&Device, &str)> = Vec::new();
        for user in hearers {
            let Some(listener) = told.people.get(&user).or_else(|| others.get(&user)) else { continue };
            for device in listener.devices.iter().filter(|device| self.pushes.reaches(device.platform)) {
                let payload = payloads.get(&(targets.contains(&user), device.platform));
                pushes.extend(payload.map(|payload| (device, payload.as_str())));
            }
        }
        let push = |(device, payload)| async move { tally.count(self.pushes.push(device, payload).await) };
        stream::iter(pushes).for_each_concurrent(SIDE_BY_SIDE, push).await;
        Ok(())
    }

    /// Who is to hear, and to whom of them it was done.
    async fn hearers(&self, news: &News) -> Result<(BTreeSet<UserId>, BTreeSet<UserId>)> {
        match news {
            News::Request { to, .. } | News::Acceptance { to, .. } => Ok((BTreeSet::from([*to]), BTreeSet::new())),
            News::Group { group, event, .. } => {
                let targets: BTreeSet<_> = event.targets.iter().copied().collect();
                // Who was put out is no member any more, and is to hear nevertheless.
                let mut hearers = self.recipients.members_of(*group).await?;
                hearers.extend(&targets);
                hearers.remove(&event.operator);
                Ok((hearers, targets))
            }
        }
    }
}

/// What became of pushes.
#[derive(Default)]
struct Tally {
    sent: AtomicU32,
    gone: AtomicU32,
    failed: AtomicU32,
}

impl Tally {
    fn count(&self, pushed: Pushed) {
        let count = match pushed {
            Pushed::Sent => &self.sent,
            Pushed::Gone => &self.gone,
            Pushed::Failed => &self.failed,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
