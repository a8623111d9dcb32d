//! The assumptions about users and about AWS. Every number is an argument, because every number is a guess until a real
//! deployment has run.

use std::collections::BTreeMap;

use crate::actions::ACTIONS;

/// One assumption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is described where it is given its value")]
pub enum Knob {
    MonthlyPerDaily,
    DaysKept,
    Friends,
    Groups,
    AccountKb,
    TableKb,
    ThumbnailViews,
    OriginalViews,
    EdgeHits,
    ThumbnailKb,
    OriginalKb,
    AnswerKb,
    PicturesOfUploads,
    MediaMonths,
    RoundMs,
    ObjectMs,
    TextMs,
    ColdShare,
    StartMs,
    LogKb,
    TracedShare,
    MetricSeries,
    AlarmMetrics,
    PushesPerChange,
    StreamShards,
    KeyRotations,
    FourThumbnailsMs,
    SharpFourMs,
    NodeCpu,
    NodeMb,
    NodeStartMs,
}

impl Knob {
    /// All assumptions.
    pub const ALL: [Self; 31] = [
        Self::MonthlyPerDaily,
        Self::DaysKept,
        Self::Friends,
        Self::Groups,
        Self::AccountKb,
        Self::TableKb,
        Self::ThumbnailViews,
        Self::OriginalViews,
        Self::EdgeHits,
        Self::ThumbnailKb,
        Self::OriginalKb,
        Self::AnswerKb,
        Self::PicturesOfUploads,
        Self::MediaMonths,
        Self::RoundMs,
        Self::ObjectMs,
        Self::TextMs,
        Self::ColdShare,
        Self::StartMs,
        Self::LogKb,
        Self::TracedShare,
        Self::MetricSeries,
        Self::AlarmMetrics,
        Self::PushesPerChange,
        Self::StreamShards,
        Self::KeyRotations,
        Self::FourThumbnailsMs,
        Self::SharpFourMs,
        Self::NodeCpu,
        Self::NodeMb,
        Self::NodeStartMs,
    ];

    /// Its name as an argument, its value, and its meaning.
    #[must_use]
    pub const fn said(self) -> (&'static str, f64, &'static str) {
        match self {
            Self::MonthlyPerDaily => ("monthly-per-daily", 3.0, "people in a month for each in a day"),
            Self::DaysKept => ("log-days", 30.0, "days that logs are kept"),
            Self::Friends => ("friends", 30.0, "friends of a person"),
            Self::Groups => ("groups", 5.0, "groups of a person"),
            Self::AccountKb => ("account-kb", 2.0, "KB of an account's item, rounded up as DynamoDB does"),
            Self::TableKb => ("table-kb", 20.0, "KB in the table for each person of the month"),
            Self::ThumbnailViews => ("thumbnail-views", 20.0, "thumbnails a day that a device does not have yet"),
            Self::OriginalViews => ("original-views", 3.0, "pictures and voice notes a day, likewise"),
            Self::EdgeHits => ("edge-hits", 0.8, "share of those that CloudFront still has"),
            Self::ThumbnailKb => ("thumbnail-kb", 10.0, "KB of a thumbnail"),
            Self::OriginalKb => ("original-kb", 400.0, "KB of what is uploaded"),
            Self::AnswerKb => ("answer-kb", 2.0, "KB of an answer of the API"),
            Self::PicturesOfUploads => ("pictures", 0.6, "share of uploads that are pictures"),
            Self::MediaMonths => ("media-months", 12.0, "months of uploads that lie in the bucket"),
            Self::RoundMs => ("round-ms", 6.0, "ms that a round trip to DynamoDB takes; transactions take longer"),
            Self::ObjectMs => ("object-ms", 25.0, "ms that a call to S3 takes"),
            Self::TextMs => ("text-ms", 80.0, "ms that SNS takes to accept a text"),
            Self::ColdShare => ("cold-share", 0.005, "share of invocations that start a process"),
            Self::StartMs => ("start-ms", 80.0, "ms that one of our functions takes to start, billed as time"),
            Self::LogKb => ("log-kb", 1.6, "KB logged for a request: its line, Lambda's report, the access log"),
            Self::TracedShare => ("traced", 0.05, "share of requests that X-Ray records by default"),
            Self::MetricSeries => ("metrics", 57.0, "metrics of ours, each with one set of dimensions"),
            Self::AlarmMetrics => {
                ("alarm-metrics", 62.0, "metrics that alarms look at, those of gradual deployments among them")
            }
            Self::PushesPerChange => ("pushes", 3.0, "devices that hear of a change of friends or groups"),
            Self::StreamShards => ("shards", 4.0, "shards of the table's stream; each calls once a second at most"),
            Self::KeyRotations => {
                ("key-rotations", 2.0, "yearly rotations of the key so far; from the third on they are free")
            }
            Self::FourThumbnailsMs => ("thumbnails-ms", 7.3, "ms for all four thumbnails of a 12-megapixel JPEG"),
            Self::SharpFourMs => ("sharp-ms", 63.5, "the same by sharp, one after the other"),
            Self::NodeCpu => {
                ("node-cpu", 1.0, "processor time of a Node handler beside ours; equal, in favour of Node")
            }
            Self::NodeMb => ("node-mb", 512.0, "MB that a Node function is given"),
            Self::NodeStartMs => ("node-start-ms", 500.0, "ms that a Node function with the SDK takes to start"),
        }
    }
}

/// All assumptions and their values.
#[derive(Clone, Debug)]
pub struct Load {
    knobs: BTreeMap<Knob, f64>,
    per_day: BTreeMap<&'static str, f64>,
}

impl Default for Load {
    fn default() -> Self {
        Self {
            knobs: Knob::ALL.into_iter().map(|knob| (knob, knob.said().1)).collect(),
            per_day: ACTIONS.iter().map(|action| (action.name, action.per_day)).collect(),
        }
    }
}

impl Load {
    /// The value of this assumption.
    #[must_use]
    pub fn of(&self, knob: Knob) -> f64 {
        self.knobs.get(&knob).copied().unwrap_or_default()
    }

    /// How often a user does this in a day.
    #[must_use]
    pub fn per_day(&self, action: &str) -> f64 {
        self.per_day.get(action).copied().unwrap_or_default()
    }

    /// Changes an assumption: `name=value`, where the name is a knob or an action.
    pub fn assume(&mut self, argument: &str) -> Result<(), String> {
        let (name, value) = argument.split_once('=').ok_or_else(|| format!("{argument} is not name=value"))?;
        let value: f64 = value.parse().map_err(|_| format!("{value} is no number"))?;
        if !(value.is_finite() && value >= 0.0) {
            return Err(format!("{value} is not a number from 0 on"));
        }
        let knob = Knob::ALL.into_iter().find(|knob| knob.said().0 == name);
        if let Some(knob) = knob {
            self.knobs.insert(knob, value);
        } else if let Some(per_day) = self.per_day.get_mut(name) {
            *per_day = value;
        } else {
            return Err(format!("nothing is called {name}"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_assumed_is_an_argument() {
        let mut load = Load::default();
        load.assume("friends=12").unwrap();
        load.assume("sync=0.5").unwrap();
        assert!((load.of(Knob::Friends) - 12.0).abs() < 1e-9 && (load.per_day("sync") - 0.5).abs() < 1e-9);
        for bad in ["friends", "friends=x", "friends=-1", "friends=inf", "enemies=3"] {
            assert!(load.assume(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn no_two_are_called_alike() {
        let mut names: Vec<_> = Knob::ALL.into_iter().map(|knob| knob.said().0).collect();
        names.extend(ACTIONS.iter().map(|action| action.name));
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
