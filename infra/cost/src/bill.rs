//! Computes the bill of a load.

use std::collections::BTreeMap;

use crate::actions::{ACTIONS, Action};
use crate::load::{Knob, Load};
use crate::prices::What;

/// Days in a month.
const DAYS: f64 = 30.4;
/// Seconds in a day.
const SECONDS: f64 = 86_400.0;
/// Requests to SQS for one message: sending, receiving and deleting it.
const CALLS_A_MESSAGE: f64 = 3.0;
const KB_IN_GB: f64 = 1024.0 * 1024.0;
/// With this many MB a function has one whole processor; with less it has a share of it. Source: the Lambda developer
/// guide, "Configure Lambda function memory".
const WHOLE_PROCESSOR_MB: f64 = 1769.0;

/// The stack that handles the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// This repository.
    Handset,
    /// Cognito's Essentials plan, which sends codes itself, and functions on Node.
    Essentials,
    /// Cognito's Lite plan, which needs three triggers for a sign-in by code, and functions on Node.
    Lite,
}

impl Carrier {
    /// All stacks, in the order of the tables.
    pub const ALL: [Self; 3] = [Self::Handset, Self::Essentials, Self::Lite];

    /// The name in the tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Handset => "Handset",
            Self::Essentials => "Cognito Essentials and Node",
            Self::Lite => "Cognito Lite and Node",
        }
    }
}

/// Usage of a month, by billed item.
#[derive(Clone, Debug, Default)]
pub struct Usage(BTreeMap<What, f64>);

impl Usage {
    fn add(&mut self, what: What, quantity: f64) {
        *self.0.entry(what).or_default() += quantity;
    }

    /// The usage of this item.
    #[must_use]
    pub fn of(&self, what: What) -> f64 {
        self.0.get(&what).copied().unwrap_or_default()
    }

    /// The cost of each service, in US dollars.
    #[must_use]
    pub fn by_service(&self) -> BTreeMap<&'static str, f64> {
        let mut paid = BTreeMap::new();
        for (what, quantity) in &self.0 {
            let price = what.price();
            *paid.entry(price.service).or_default() += price.of(*quantity);
        }
        paid
    }

    /// The total cost in US dollars, without text messages.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.by_service().values().sum()
    }
}

/// A month of a deployment.
#[derive(Debug)]
pub struct Month<'a> {
    load: &'a Load,
    memory: &'a BTreeMap<String, f64>,
    people: f64,
    carrier: Carrier,
    usage: Usage,
}

/// The usage of a month with this many users a day. `memory` is each function's memory in MB.
#[must_use]
pub fn month(load: &Load, memory: &BTreeMap<String, f64>, people: f64, carrier: Carrier) -> Usage {
    let mut month = Month { load, memory, people, carrier, usage: Usage::default() };
    for action in &ACTIONS {
        month.requests(action);
    }
    month.uploads();
    month.downloads();
    month.news();
    month.changes();
    month.kept();
    month.standing();
    month.usage
}

/// Text messages in a month.
#[must_use]
pub fn texts(load: &Load, people: f64) -> f64 {
    load.per_day("code") * people * DAYS
}

impl Month<'_> {
    fn assumed(&self, knob: Knob) -> f64 {
        self.load.of(knob)
    }

    fn ours(&self) -> bool {
        self.carrier == Carrier::Handset
    }

    fn times(&self, action: &str) -> f64 {
        self.load.per_day(action) * self.people * DAYS
    }

    /// `times` invocations, each of which computes for `cpu_ms` on a whole processor and waits for `wait_ms`.
    fn invoke(&mut self, function: &str, times: f64, cpu_ms: f64, wait_ms: f64) {
        let ours = self.memory.get(function).copied().unwrap_or_default();
        // The function that makes thumbnails has the same memory on every stack.
        let mb = if self.ours() || function == "resize" { ours } else { self.assumed(Knob::NodeMb) };
        let start = self.assumed(if self.ours() { Knob::StartMs } else { Knob::NodeStartMs });
        let slower = (WHOLE_PROCESSOR_MB / mb).max(1.0);
        let ms = cpu_ms * slower + wait_ms + self.assumed(Knob::ColdShare) * start;
        self.usage.add(What::LambdaCalls, times);
        self.usage.add(What::LambdaGbSeconds, times * ms / 1000.0 * mb / 1024.0);
        self.usage.add(What::LogGb, times * self.assumed(Knob::LogKb) / KB_IN_GB);
        self.usage.add(What::Traces, times * self.assumed(Knob::TracedShare));
    }

    /// The request itself, its table calls and its function.
    fn requests(&mut self, action: &Action) {
        let times = self.times(action.name);
        let (account, friends, groups) =
            (self.assumed(Knob::AccountKb), self.assumed(Knob::Friends), self.assumed(Knob::Groups));
        let (writes, reads, rounds) = if self.ours() {
            (action.writes, action.reads, action.rounds)
        } else {
            (action.stepwise.writes, action.stepwise.reads, action.stepwise.steps)
        };
        self.usage.add(What::Writes, times * writes.of(account, friends, groups));
        self.usage.add(What::Reads, times * reads.of(account, friends, groups));
        if rounds > 0.0 {
            self.usage.add(What::HttpApi, times);
            self.usage.add(What::EgressGb, times * self.assumed(Knob::AnswerKb) / KB_IN_GB);
            let mut wait = rounds * self.assumed(Knob::RoundMs);
            wait += match action.name {
                "code" => self.assumed(Knob::TextMs),
                "upload" => self.assumed(Knob::ObjectMs),
                _ => 0.0,
            };
            let cpu = action.cpu_ms * if self.ours() { 1.0 } else { self.assumed(Knob::NodeCpu) };
            self.invoke(action.function, times, cpu, wait);
        } else if self.carrier == Carrier::Lite && action.name == "sign-in" {
            // Define, create and verify: Cognito calls a function for each step of a custom challenge.
            let cpu = action.cpu_ms * self.assumed(Knob::NodeCpu);
            self.invoke(action.function, 3.0 * times, cpu, 0.0);
        }
    }

    /// The cost of uploads: the object, and the four thumbnails of a picture.
    fn uploads(&mut self) {
        let uploads = self.times("upload");
        let pictures = uploads * self.assumed(Knob::PicturesOfUploads);
        self.usage.add(What::S3Puts, uploads + 4.0 * pictures);
        self.usage.add(What::S3Gets, pictures);
        let cpu = self.assumed(if self.ours() { Knob::FourThumbnailsMs } else { Knob::SharpFourMs });
        self.invoke("resize", pictures, cpu, 2.0 * self.assumed(Knob::ObjectMs));
        let kb = uploads * self.assumed(Knob::OriginalKb) + 4.0 * pictures * self.assumed(Knob::ThumbnailKb);
        self.usage.add(What::S3Gb, kb * self.assumed(Knob::MediaMonths) / KB_IN_GB);
    }

    /// Media through CloudFront, with WAF in front and the bucket behind it. The same on every stack, because the
    /// thumbnails already exist.
    fn downloads(&mut self) {
        let month = self.people * DAYS;
        let (thumbnails, originals) =
            (month * self.assumed(Knob::ThumbnailViews), month * self.assumed(Knob::OriginalViews));
        let requests = thumbnails + originals;
        for what in [What::EdgeRequests, What::EdgeFunction, What::WebAclRequests] {
            self.usage.add(what, requests);
        }
        let kb = thumbnails * self.assumed(Knob::ThumbnailKb) + originals * self.assumed(Knob::OriginalKb);
        self.usage.add(What::EdgeGb, kb / KB_IN_GB);
        self.usage.add(What::S3Gets, requests * (1.0 - self.assumed(Knob::EdgeHits)).max(0.0));
    }

    /// Notifications: a function call, one message to the topic, one through a queue to a second call, and pushes.
    fn news(&mut self) {
        let changes = self.times("friend-change") + self.times("group-change");
        self.usage.add(What::TopicMessages, changes);
        self.usage.add(What::Pushes, changes * self.assumed(Knob::PushesPerChange));
        // The topic is encrypted with a data key that SNS uses for five minutes.
        self.usage.add(What::KeyCalls, changes.min(DAYS * SECONDS / 300.0));
        self.usage.add(What::QueueCalls, changes * CALLS_A_MESSAGE);
        self.usage.add(What::Reads, changes * 3.0);
        let wait = 2.0 * self.assumed(Knob::RoundMs) + self.assumed(Knob::ObjectMs);
        let cpu = 1.0 * if self.ours() { 1.0 } else { self.assumed(Knob::NodeCpu) };
        for _ in ["publishes", "pushes"] {
            self.invoke("notify", changes, cpu, wait);
        }
    }

    /// Work after a changed account: `jobs` receives each change in batches (what one shard of the stream has in a
    /// second). When the nickname is new, a job in the queue marks the user's groups. Members of large groups cost more and are not
    /// counted.
    fn changes(&mut self) {
        let ours = self.ours();
        let touches = |action: &&Action| if ours { action.writes } else { action.stepwise.writes }.account_kb > 0.0;
        let records: f64 = ACTIONS.iter().filter(touches).map(|action| self.times(action.name)).sum();
        let calls = records.min(self.assumed(Knob::StreamShards) * DAYS * SECONDS);
        let (names, groups) = (self.times("profile-change"), self.assumed(Knob::Groups));
        // The list of groups costs one; a group and its roster cost three, and a transaction writes those two.
        self.usage.add(What::Reads, names * (1.0 + 3.0 * groups));
        self.usage.add(What::Writes, names * 4.0 * groups);
        let factor = if ours { 1.0 } else { self.assumed(Knob::NodeCpu) };
        if calls > 0.0 {
            let wait = names * self.assumed(Knob::ObjectMs) / calls;
            self.invoke("jobs", calls, (calls + 0.02 * records) / calls * factor, wait);
        }
        if names > 0.0 {
            self.usage.add(What::QueueCalls, names * CALLS_A_MESSAGE);
            self.invoke("jobs", names, factor, (1.0 + 2.0 * groups) * self.assumed(Knob::RoundMs));
        }
    }

    /// Stored data.
    fn kept(&mut self) {
        let everybody = self.people * self.assumed(Knob::MonthlyPerDaily);
        let gb = everybody * self.assumed(Knob::TableKb) / KB_IN_GB;
        self.usage.add(What::TableGb, gb);
        self.usage.add(What::BackupGb, gb);
        // Stored logs are compressed to about a sixth.
        let logs = self.usage.of(What::LogGb) * self.assumed(Knob::DaysKept) / DAYS / 6.0;
        self.usage.add(What::LogKeptGb, logs);
        match self.carrier {
            Carrier::Handset => {}
            Carrier::Essentials => self.usage.add(What::CognitoEssentials, everybody),
            Carrier::Lite => self.usage.add(What::CognitoLite, everybody),
        }
    }

    /// Costs that do not depend on the number of users, with every option of the template on: DNS, WAF, alarms,
    /// metrics, dashboard, key and secret.
    fn standing(&mut self) {
        self.usage.add(What::Zones, 1.0);
        // Lambda asks each of the two queues for messages, five times every twenty seconds when there are none.
        self.usage.add(What::QueueCalls, 2.0 * 5.0 * DAYS * SECONDS / 20.0);
        self.usage.add(What::WebAcl, 1.0);
        self.usage.add(What::WebAclRules, 3.0);
        self.usage.add(What::Metrics, self.assumed(Knob::MetricSeries));
        self.usage.add(What::Alarms, self.assumed(Knob::AlarmMetrics));
        self.usage.add(What::Dashboards, 1.0);
        self.usage.add(What::Keys, 1.0 + self.assumed(Knob::KeyRotations).min(2.0));
        if self.ours() {
            self.usage.add(What::Secrets, 1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> BTreeMap<String, f64> {
        let sizes = [("auth", 256.0), ("codes", 256.0), ("jobs", 256.0), ("profiles", 256.0), ("notify", 256.0)];
        let larger = [("media", 512.0), ("social", 512.0), ("resize", 1769.0)];
        sizes.into_iter().chain(larger).map(|(name, mb)| (name.to_owned(), mb)).collect()
    }

    /// Users do only this, once a day.
    fn only(action: &str) -> Load {
        let mut load = Load::default();
        for other in &ACTIONS {
            load.assume(&format!("{}=0", other.name)).unwrap();
        }
        for knob in
            ["thumbnail-views", "original-views", "cold-share", "table-kb", "metrics", "alarm-metrics", "shards"]
        {
            load.assume(&format!("{knob}=0")).unwrap();
        }
        load.assume(&format!("{action}=1")).unwrap();
        load
    }

    fn near(one: f64, other: f64) {
        assert!((one - other).abs() <= 1e-9 * other.abs().max(1.0), "{one} is not {other}");
    }

    #[test]
    fn a_refresh_is_a_request_an_invocation_and_two_writes() {
        let usage = month(&only("refresh"), &memory(), 1000.0, Carrier::Handset);
        let times = 1000.0 * DAYS;
        near(usage.of(What::HttpApi), times);
        near(usage.of(What::LambdaCalls), times);
        near(usage.of(What::Writes), 2.0 * times);
        near(usage.of(What::Reads), 0.0);
        let cpu = ACTIONS.iter().find(|action| action.name == "refresh").unwrap().cpu_ms;
        near(usage.of(What::LambdaGbSeconds), times * (cpu * 1769.0 / 256.0 + 6.0) / 1000.0 / 4.0);
        // Cognito does it, and is paid per user.
        let usage = month(&only("refresh"), &memory(), 1000.0, Carrier::Essentials);
        near(usage.of(What::HttpApi) + usage.of(What::LambdaCalls) + usage.of(What::Writes), 0.0);
        near(usage.of(What::CognitoEssentials), 3000.0);
    }

    #[test]
    fn jobs_is_shown_every_changed_account_and_called_once_a_second_and_shard_at_most() {
        let mut load = only("refresh");
        load.assume("shards=2").unwrap();
        let calls = |people| month(&load, &memory(), people, Carrier::Handset).of(What::LambdaCalls) - people * DAYS;
        near(calls(100.0), 100.0 * DAYS);
        near(calls(1e6), 2.0 * SECONDS * DAYS);
        // A new nickname is written into each group, because a roster records which member changed.
        let usage = month(&only("profile-change"), &memory(), 1.0, Carrier::Handset);
        near(usage.of(What::Writes), (2.0 + 5.0 * 4.0) * DAYS);
    }

    #[test]
    fn an_upload_is_five_objects_when_it_is_a_picture() {
        let mut load = only("upload");
        load.assume("pictures=1").unwrap();
        let usage = month(&load, &memory(), 100.0, Carrier::Handset);
        near(usage.of(What::S3Puts), 5.0 * 100.0 * DAYS);
        near(usage.of(What::LambdaCalls), 2.0 * 100.0 * DAYS);
        near(usage.of(What::S3Gb), (400.0 + 4.0 * 10.0) * 100.0 * DAYS * 12.0 / KB_IN_GB);
    }

    #[test]
    fn a_key_costs_more_after_each_of_two_rotations() {
        let keys = |rotations: u32| {
            let mut load = Load::default();
            load.assume(&format!("key-rotations={rotations}")).unwrap();
            month(&load, &memory(), 1.0, Carrier::Handset).of(What::Keys)
        };
        for (rotations, expected) in [(0, 1.0), (1, 2.0), (2, 3.0), (9, 3.0)] {
            near(keys(rotations), expected);
        }
        // The topic requests at most one key in five minutes, however many messages are published.
        let calls = |people| month(&Load::default(), &memory(), people, Carrier::Handset).of(What::KeyCalls);
        assert!(calls(1e3) < calls(1e7) && calls(1e7) < 20_000.0);
    }

    #[test]
    fn ten_times_the_people_never_cost_less_or_more_than_ten_times_as_much() {
        for carrier in Carrier::ALL {
            let costs: Vec<f64> = [1e3, 1e4, 1e5, 1e6, 1e7]
                .into_iter()
                .map(|people| month(&Load::default(), &memory(), people, carrier).total())
                .collect();
            assert!(costs.windows(2).all(|pair| pair[1] > pair[0]), "{costs:?}");
            // At this size the free allowance no longer matters.
            assert!(costs[2..].windows(2).all(|pair| pair[1] < 11.0 * pair[0]), "{costs:?}");
        }
    }

    #[test]
    fn less_memory_makes_computing_slower_and_waiting_cheaper() {
        let of = |action: &str, mb: f64| {
            let memory = memory().into_keys().map(|name| (name, mb)).collect();
            month(&only(action), &memory, 1e5, Carrier::Handset).of(What::LambdaGbSeconds)
        };
        assert!(of("refresh", 512.0) > of("refresh", 256.0));
        let mut load = only("refresh");
        load.assume("round-ms=0").unwrap();
        let of = |mb: f64| {
            let memory = memory().into_keys().map(|name| (name, mb)).collect();
            month(&load, &memory, 1e5, Carrier::Handset).of(What::LambdaGbSeconds)
        };
        near(of(512.0), of(256.0));
    }
}
