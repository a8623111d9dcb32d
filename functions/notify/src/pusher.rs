//! Sends push notifications to devices: the work on the queue `Pushes`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::Result;
use domain::account::UserId;
use domain::clock::Clock;
use domain::notifications::{CountedPush, Device, Listeners, PushCounts, PushSender, Pushed, Recipients};
use domain::queue::Queue;
use futures::stream::{self, StreamExt};

use crate::payload::People;
use crate::work::{Audience, Payloads, Receiver, Work};

/// The time for the pushes of one message. What is not sent by then is put back on the queue. Before it, a message takes
/// three calls of eight seconds at most (`shared/aws/src/lib.rs`), and after it, putting back one more; all of them fit
/// into the function's 29 s except in the very worst case, in which SQS delivers the message again.
pub(crate) const PUSHING: Duration = Duration::from_secs(6);
/// The number of devices that receive pushes in parallel.
const SIDE_BY_SIDE: usize = 32;
/// The most users whose devices are pushed to for one message.
pub(crate) const USERS: usize = 100;
/// How often sending to a device is tried again that could not be sent to.
pub(crate) const MOST_TRIES: u32 = 5;
/// The time until sending is tried again; it grows by this much with each further try.
const PAUSE: Duration = Duration::from_secs(10);

/// Sends pushes.
pub(crate) struct Pusher {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) listeners: Arc<dyn Listeners>,
    pub(crate) recipients: Arc<dyn Recipients>,
    pub(crate) counts: Arc<dyn PushCounts>,
    pub(crate) push_sender: Arc<dyn PushSender>,
    pub(crate) queue: Arc<dyn Queue<Work>>,
    /// The time for the pushes of one message: [`PUSHING`], except in tests.
    pub(crate) pushing: Duration,
}

/// Users who receive a notification.
struct Users {
    targets: BTreeSet<UserId>,
    others: BTreeSet<UserId>,
}

impl Users {
    fn all(&self) -> BTreeSet<UserId> {
        self.targets.union(&self.others).copied().collect()
    }

    /// Parts with at most [`USERS`] users each.
    fn parts(&self) -> Vec<Self> {
        let all: Vec<_> = self.all().into_iter().collect();
        let part = |some: &[UserId]| {
            let (targets, others) = some.iter().copied().partition(|user| self.targets.contains(user));
            Self { targets, others }
        };
        all.chunks(USERS).map(part).collect()
    }
}

impl Pusher {
    /// Does one message's work. After a fault it may be done again.
    pub(crate) async fn run(&self, work: Work) -> Result<()> {
        match work {
            Work::Notify { audience, payloads } => self.notify(&audience, payloads).await,
            Work::Push { targets, others, payloads, left, tries } => {
                let users = Users { targets, others };
                let people = self.listeners.listeners(&users.all(), self.clock.now()).await?;
                self.push(&users, &people, payloads, &left, tries).await
            }
        }
    }

    /// Sends a notification to a few users; for many, puts the work on the queue in parts.
    async fn notify(&self, audience: &Audience, payloads: Payloads) -> Result<()> {
        let (hearers, targets) = self.hearers(audience).await?;
        let people = self.listeners.listeners(&hearers, self.clock.now()).await?;
        let reached = |device: &Device| self.push_sender.reaches(device.platform);
        let with_devices: BTreeSet<_> = hearers
            .into_iter()
            .filter(|user| people.get(user).is_some_and(|listener| listener.devices.iter().any(reached)))
            .collect();
        let allowed = self.allowed(audience, with_devices).await?;
        let (targets, others) = allowed.into_iter().partition(|user| targets.contains(user));
        let parts = Users { targets, others }.parts();
        if let [users] = &parts[..] {
            return self.push(users, &people, payloads, &BTreeSet::new(), 0).await;
        }
        let work = |users: Users| Work::Push {
            targets: users.targets,
            others: users.others,
            payloads: payloads.clone(),
            left: BTreeSet::new(),
            tries: 0,
        };
        let work: Vec<_> = parts.into_iter().map(work).collect();
        if work.is_empty() { Ok(()) } else { self.queue.send(&work, Duration::ZERO).await }
    }

    /// Sends to the devices of these users, or only to those that are left. Devices that could not be sent to are put on
    /// the queue again.
    async fn push(
        &self,
        users: &Users,
        people: &People,
        payloads: Payloads,
        left: &BTreeSet<Receiver>,
        tries: u32,
    ) -> Result<()> {
        let of_user = |user: &UserId| {
            let devices = people.get(user).map(|listener| &listener.devices).into_iter().flatten();
            let texts = if users.targets.contains(user) { &payloads.to_targets } else { &payloads.to_others };
            let push = |device: &Device| {
                let receiver = Receiver::new(*user, device);
                let is_due = self.push_sender.reaches(device.platform) && (left.is_empty() || left.contains(&receiver));
                let payload = texts.get(device.platform).filter(|_| is_due)?.to_owned();
                Some((receiver, device.clone(), payload))
            };
            devices.filter_map(push).collect::<Vec<_>>()
        };
        let pushes: Vec<_> = users.all().iter().flat_map(of_user).collect();
        let mut unsent: BTreeSet<Receiver> = pushes.iter().map(|(receiver, ..)| receiver.clone()).collect();
        let mut tally = Tally::default();
        let push = |(receiver, device, payload): (Receiver, Device, String)| async move {
            (receiver, self.push_sender.push(&device, &payload).await)
        };
        let mut results = stream::iter(pushes).map(push).buffer_unordered(SIDE_BY_SIDE);
        let sending = async {
            while let Some((receiver, pushed)) = results.next().await {
                if tally.count(pushed) {
                    unsent.remove(&receiver);
                }
            }
        };
        let in_time = tokio::time::timeout(self.pushing, sending).await.is_ok();
        // This stops the pushes that are under way. Some of them may be sent in spite of it, and then again.
        drop(results);
        let (Tally { sent, gone, failed }, later) = (tally, unsent.len());
        tracing::info!(event = "news_pushed", sent, gone, failed, later, in_time, "pushed notifications to devices");
        if unsent.is_empty() {
            return Ok(());
        }
        if tries >= MOST_TRIES {
            tracing::error!(event = "pushes_dropped", dropped = later, "devices could not be sent to in every try");
            return Ok(());
        }
        let again = Work::Push {
            targets: users.targets.clone(),
            others: users.others.clone(),
            payloads,
            left: unsent,
            tries: tries + 1,
        };
        // Without a pause if only the time was over.
        let pause = if in_time { PAUSE * (tries + 1) } else { Duration::ZERO };
        self.queue.send(&[again], pause).await
    }

    /// The users, of `people` with devices, to whom the notification may still be pushed in this hour. The user who
    /// causes a push chooses its text, so a stranger could otherwise make a phone ring all day.
    async fn allowed(&self, audience: &Audience, people: BTreeSet<UserId>) -> Result<BTreeSet<UserId>> {
        let nobody = Ok(BTreeSet::new());
        match audience {
            _ if people.is_empty() => nobody,
            Audience::Acceptance { .. } => Ok(people),
            Audience::Request { first_today: false, .. } => nobody,
            Audience::Request { .. } => self.counted(people, |to| CountedPush::Request { to }).await,
            Audience::Group { by, targets, adds, .. } => {
                if !self.counts.may_push(CountedPush::Group { by: *by }, self.clock.now()).await? {
                    return nobody;
                }
                let added: BTreeSet<_> =
                    targets.iter().copied().filter(|user| *adds && people.contains(user)).collect();
                if added.is_empty() {
                    return Ok(people);
                }
                let friends = self.recipients.to_whom_a_friend(&added, *by).await?;
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
    async fn hearers(&self, audience: &Audience) -> Result<(BTreeSet<UserId>, BTreeSet<UserId>)> {
        match audience {
            Audience::Request { to, .. } | Audience::Acceptance { to } => Ok((BTreeSet::from([*to]), BTreeSet::new())),
            Audience::Group { group, by, targets, .. } => {
                // A removed user is no longer a member, but still receives the notification.
                let mut hearers = self.recipients.members_of(*group).await?;
                hearers.extend(targets);
                hearers.remove(by);
                Ok((hearers, targets.clone()))
            }
        }
    }
}

/// The results of pushes.
#[derive(Default)]
struct Tally {
    sent: u32,
    gone: u32,
    failed: u32,
}

impl Tally {
    /// Counts a result; returns whether it is final.
    fn count(&mut self, pushed: Pushed) -> bool {
        let count = match pushed {
            Pushed::Sent => &mut self.sent,
            Pushed::Gone => &mut self.gone,
            Pushed::Failed => &mut self.failed,
            Pushed::Unsent => return false,
        };
        *count += 1;
        true
    }
}

#[cfg(test)]
mod tests;
