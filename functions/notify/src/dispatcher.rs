//! Reads the stream's records, publishes notifications about them, and then sends push notifications to users' devices.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use domain::account::UserId;
use domain::clock::Clock;
use domain::notifications::{
    Change, CountedPush, Device, EventPublisher, Listeners, Notice, NotificationEvent, Platform, PushCounts,
    PushSender, Pushed, Recipients, Taken,
};
use domain::social::group::Operation;
use domain::{Error, Result};
use dynamodb::change_of;
use dynamodb::stream::Record;
use futures::stream::{self, StreamExt};
use telemetry::metrics::{self, Metric};

use crate::payload::{Message, People};
use crate::push::{Text, payload};

/// After this time no further record is started. A record may take two calls of eight seconds
/// (`shared/aws/src/lib.rs`), and the pushes still have to fit into the function's 29 s.
const PUBLISHING: Duration = Duration::from_secs(5);
/// The time for all pushes of an invocation; pushes that are not sent by then are dropped.
pub(crate) const PUSHING: Duration = Duration::from_secs(6);
/// The number of devices that receive pushes in parallel.
const SIDE_BY_SIDE: usize = 32;
const PLATFORMS: [Platform; 2] = [Platform::Apple, Platform::Google];

/// Publishes notifications and sends pushes.
pub(crate) struct Dispatcher {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) listeners: Arc<dyn Listeners>,
    pub(crate) recipients: Arc<dyn Recipients>,
    pub(crate) counts: Arc<dyn PushCounts>,
    pub(crate) publisher: Arc<dyn EventPublisher>,
    pub(crate) push_sender: Arc<dyn PushSender>,
    /// The name of the app, the title of every push.
    pub(crate) app: Arc<str>,
    /// The time for all pushes of an invocation: [`PUSHING`], except in tests.
    pub(crate) pushing: Duration,
}

/// A notification that was published.
struct Told {
    news: NotificationEvent,
    people: People,
    posted: Option<String>,
    message: Message,
}

impl Told {
    /// The push payloads for targets (`true`) and for others, by platform.
    fn payloads(&self, app: &str) -> BTreeMap<(bool, Platform), String> {
        let mut payloads = BTreeMap::new();
        for to_target in [true, false] {
            let text = Text::of(app, &self.news, to_target, &self.people, self.posted.as_deref());
            payloads.extend(PLATFORMS.map(|platform| ((to_target, platform), payload(&self.message, &text, platform))));
        }
        payloads
    }
}

impl Dispatcher {
    /// Publishes the notification of each record in turn and then sends the pushes. If it did not publish all of them,
    /// it returns the sequence number of the first record that was not published: Lambda sends this record and the
    /// later ones again. Pushes are never retried, because Lambda would have to send the published records again too.
    pub(crate) async fn dispatch<'r>(&self, records: &'r [Record]) -> Option<&'r str> {
        let end = self.clock.now().plus(PUBLISHING);
        let (mut told, mut failed) = (Vec::new(), None);
        for (index, record) in records.iter().enumerate() {
            // The first record is always started; otherwise a slow system would make no progress at all.
            if index > 0 && self.clock.now() > end {
                tracing::warn!(event = "news_put_off", "a batch of the table's stream takes too long");
                failed = Some(record.sequence.as_str());
                break;
            }
            match self.publish(record).await {
                Ok(published) => told.extend(published),
                Err(error) => {
                    let chain = if let Error::Fault(fault) = error { fault.chain() } else { error.to_string() };
                    tracing::error!(
                        event = "fault",
                        chain,
                        "a notification could not be published and will be tried again"
                    );
                    metrics::count(Metric::Faults);
                    failed = Some(record.sequence.as_str());
                    break;
                }
            }
        }
        self.push_all(&told).await;
        failed
    }

    /// Publishes the notification of a record, if it has one. A record that can never be published is logged and
    /// skipped, so that it does not delay the later ones.
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
                Ok(Some(Told { news, people, posted, message }))
            }
            Taken::Refused => {
                tracing::error!(event = "news_refused", kind, operation, "the topic refused a notification");
                Ok(None)
            }
        }
    }

    async fn push_all(&self, told: &[Told]) {
        if told.is_empty() || !PLATFORMS.iter().any(|platform| self.push_sender.reaches(*platform)) {
            return;
        }
        let tally = Tally::default();
        let pushing = async {
            for told in told {
                if let Err(error) = self.push(told, &tally).await {
                    let chain = if let Error::Fault(fault) = error { fault.chain() } else { error.to_string() };
                    tracing::error!(event = "fault", chain, "a push notification could not be sent");
                    metrics::count(Metric::Faults);
                }
            }
        };
        let in_time = tokio::time::timeout(self.pushing, pushing).await.is_ok();
        let [sent, gone, failed] = [&tally.sent, &tally.gone, &tally.failed].map(|count| count.load(Ordering::Relaxed));
        tracing::info!(event = "news_pushed", sent, gone, failed, in_time, "pushed notifications to devices");
    }

    /// Sends pushes to all receivers.
    async fn push(&self, told: &Told, tally: &Tally) -> Result<()> {
        let (hearers, targets) = self.hearers(&told.news).await?;
        let unknown = hearers.iter().copied().filter(|user| !told.people.contains_key(user)).collect();
        let others = self.listeners.listeners(&unknown, self.clock.now()).await?;
        let devices: BTreeMap<UserId, Vec<&Device>> = hearers
            .into_iter()
            .filter_map(|user| {
                let listener = told.people.get(&user).or_else(|| others.get(&user))?;
                let devices = listener.devices.iter().filter(|device| self.push_sender.reaches(device.platform));
                let devices: Vec<_> = devices.collect();
                (!devices.is_empty()).then_some((user, devices))
            })
            .collect();
        let allowed = self.allowed(&told.news, devices.keys().copied().collect()).await?;
        let payloads = told.payloads(&self.app);
        let payload = |user: UserId, device: &Device| payloads.get(&(targets.contains(&user), device.platform));
        let pushes: Vec<(&Device, &str)> = devices
            .into_iter()
            .filter(|(user, _)| allowed.contains(user))
            .flat_map(|(user, devices)| devices.into_iter().map(move |device| (user, device)))
            .filter_map(|(user, device)| Some((device, payload(user, device)?.as_str())))
            .collect();
        let push = |(device, payload)| async move { tally.count(self.push_sender.push(device, payload).await) };
        stream::iter(pushes).for_each_concurrent(SIDE_BY_SIDE, push).await;
        Ok(())
    }

    /// The users, of `people` with devices, to whom the notification may still be pushed in this hour. The user who
    /// causes a push chooses its text, so a stranger could otherwise make a phone ring all day.
    async fn allowed(&self, news: &NotificationEvent, people: BTreeSet<UserId>) -> Result<BTreeSet<UserId>> {
        let nobody = Ok(BTreeSet::new());
        match news {
            _ if people.is_empty() => nobody,
            NotificationEvent::Acceptance { .. } => Ok(people),
            NotificationEvent::Request { first_today: false, .. } => nobody,
            NotificationEvent::Request { .. } => self.counted(people, |to| CountedPush::Request { to }).await,
            NotificationEvent::Group { event, .. } => {
                if !self.counts.may_push(CountedPush::Group { by: event.operator }, self.clock.now()).await? {
                    return nobody;
                }
                if !matches!(event.operation, Operation::Create | Operation::Add) {
                    return Ok(people);
                }
                let added: BTreeSet<_> = event.targets.iter().copied().filter(|user| people.contains(user)).collect();
                if added.is_empty() {
                    return Ok(people);
                }
                let friends = self.recipients.to_whom_a_friend(&added, event.operator).await?;
                let by_strangers: BTreeSet<_> = added.difference(&friends).copied().collect();
                let others: BTreeSet<_> = people.difference(&by_strangers).copied().collect();
                let counted = self.counted(by_strangers, |to| CountedPush::Addition { to }).await?;
                Ok(others.into_iter().chain(counted).collect())
            }
        }
    }

    /// The users whose push is within the limit of this hour.
    async fn counted(
        &self,
        people: BTreeSet<UserId>,
        push: impl Fn(UserId) -> CountedPush + Send + Sync,
    ) -> Result<BTreeSet<UserId>> {
        let (now, push) = (self.clock.now(), &push);
        let count = |user| async move { Ok(self.counts.may_push(push(user), now).await?.then_some(user)) };
        let counted: Vec<Result<_>> = stream::iter(people).map(count).buffer_unordered(SIDE_BY_SIDE).collect().await;
        counted.into_iter().filter_map(Result::transpose).collect()
    }

    /// The receivers, who never include the user who acted, and the targets among them.
    async fn hearers(&self, news: &NotificationEvent) -> Result<(BTreeSet<UserId>, BTreeSet<UserId>)> {
        match news {
            NotificationEvent::Request { to, .. } | NotificationEvent::Acceptance { to, .. } => {
                Ok((BTreeSet::from([*to]), BTreeSet::new()))
            }
            NotificationEvent::Group { group, event, .. } => {
                let targets: BTreeSet<_> = event.targets.iter().copied().collect();
                // A removed user is no longer a member, but still receives the notification.
                let mut hearers = self.recipients.members_of(*group).await?;
                hearers.extend(&targets);
                hearers.remove(&event.operator);
                Ok((hearers, targets))
            }
        }
    }
}

/// The results of pushes.
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
