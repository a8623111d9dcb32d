//! Metrics in `CloudWatch`'s embedded metric format: a log line that also states which of its members are metrics
//! ("Specification: Embedded metric format", Amazon `CloudWatch` user guide).

use serde_json::{Map, Value, json};

use super::{Counted, FUNCTION, Metric};

/// Maximum number of values of a metric in one document.
const MOST_VALUES: usize = 100;

/// The data that a document contains besides its metrics.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The namespace of the metrics. It is the name of the deployment, so that two deployments in one AWS account are
    /// kept apart.
    pub namespace: &'a str,
    /// The function that counted.
    pub function: &'a str,
    /// The time in milliseconds since the Unix epoch.
    pub at: i64,
}

/// The members to add to a log line so that it carries the metrics. There are several documents if a label had several
/// values, because a member has only one, and none if nothing was counted.
#[must_use]
pub fn documents(about: About<'_>, counted: &[Counted]) -> Vec<Map<String, Value>> {
    let mut documents: Vec<Document> = Vec::new();
    for counted in counted {
        for values in counted.values.chunks(MOST_VALUES) {
            let place = documents.iter().position(|document| document.has_room(counted));
            let place = place.unwrap_or_else(|| {
                documents.push(Document::default());
                documents.len() - 1
            });
            documents[place].take(counted, values);
        }
    }
    documents.into_iter().map(|document| document.written(about)).collect()
}

#[derive(Default)]
struct Document {
    metrics: Vec<Metric>,
    members: Map<String, Value>,
}

impl Document {
    fn has_room(&self, counted: &Counted) -> bool {
        let label = counted.metric.label().map(|(name, _)| self.members.get(name));
        let fits = label.flatten().is_none_or(|value| value.as_str() == counted.label);
        fits && !self.metrics.contains(&counted.metric)
    }

    fn take(&mut self, counted: &Counted, values: &[u64]) {
        self.metrics.push(counted.metric);
        let value = if let [value] = values { json!(value) } else { json!(values) };
        self.members.insert(counted.metric.name().to_owned(), value);
        if let Some(((name, _), label)) = counted.metric.label().zip(counted.label) {
            self.members.insert(name.to_owned(), json!(label));
        }
    }

    /// The document with one directive for all metrics that have the same dimensions.
    fn written(mut self, about: About<'_>) -> Map<String, Value> {
        let mut directives: Vec<(&[&[&str]], Vec<Value>)> = Vec::new();
        for metric in &self.metrics {
            let described = json!({ "Name": metric.name(), "Unit": metric.unit().name() });
            match directives.iter_mut().find(|(dimensions, _)| *dimensions == metric.dimensions()) {
                Some((_, metrics)) => metrics.push(described),
                None => directives.push((metric.dimensions(), vec![described])),
            }
        }
        let directives: Vec<Value> = directives
            .into_iter()
            .map(|(dimensions, metrics)| {
                json!({ "Namespace": about.namespace, "Dimensions": dimensions, "Metrics": metrics })
            })
            .collect();
        let head = json!({ "Timestamp": about.at, "CloudWatchMetrics": directives });
        self.members.insert("_aws".to_owned(), head);
        self.members.insert(FUNCTION.to_owned(), json!(about.function));
        self.members
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABOUT: About<'static> = About { namespace: "Handset/test", function: "codes", at: 1_763_712_000_123 };

    fn counted(metric: Metric, label: Option<&'static str>, values: &[u64]) -> Counted {
        Counted { metric, label, values: values.to_vec() }
    }

    #[test]
    fn a_document_is_what_the_specification_says() {
        let documents = documents(
            ABOUT,
            &[
                counted(Metric::CodesSent, None, &[1]),
                counted(Metric::RequestMillis, None, &[12]),
                counted(Metric::CodesUsed, None, &[2]),
                counted(Metric::SignIns, Some("web"), &[1]),
            ],
        );
        assert_eq!(
            Value::from(documents),
            json!([{
                "_aws": {
                    "Timestamp": 1_763_712_000_123_u64,
                    "CloudWatchMetrics": [
                        { "Namespace": "Handset/test", "Dimensions": [[]], "Metrics": [
                            { "Name": "CodesSent", "Unit": "Count" }, { "Name": "CodesUsed", "Unit": "Count" },
                        ] },
                        { "Namespace": "Handset/test", "Dimensions": [[], ["function"]], "Metrics": [
                            { "Name": "RequestMillis", "Unit": "Milliseconds" },
                        ] },
                        { "Namespace": "Handset/test", "Dimensions": [["api"]], "Metrics": [
                            { "Name": "SignIns", "Unit": "Count" },
                        ] },
                    ],
                },
                "function": "codes", "api": "web",
                "CodesSent": 1, "RequestMillis": 12, "CodesUsed": 2, "SignIns": 1,
            }])
        );
    }

    #[test]
    fn what_one_member_cannot_say_is_said_in_another_document() {
        let many: Vec<u64> = (0..=100).collect();
        let documents = documents(
            ABOUT,
            &[
                counted(Metric::GuessesRefused, Some("code_wrong"), &[1]),
                counted(Metric::GuessesRefused, Some("code_expired"), &[3]),
                counted(Metric::CodesRefused, Some("code_too_soon"), &[1]),
                counted(Metric::ThumbnailMillis, None, &many),
            ],
        );
        let said = |name: &str| documents.iter().map(|document| document.get(name).cloned()).collect::<Vec<_>>();
        assert_eq!(
            said("reason"),
            [Some(json!("code_wrong")), Some(json!("code_expired")), Some(json!("code_too_soon"))]
        );
        assert_eq!(said("GuessesRefused"), [Some(json!(1)), Some(json!(3)), None]);
        assert_eq!(said("CodesRefused"), [None, None, Some(json!(1))]);
        assert_eq!(said("ThumbnailMillis"), [Some(json!(many[..100])), Some(json!(100)), None]);
    }

    #[test]
    fn nothing_counted_is_nothing_written() {
        assert!(documents(ABOUT, &[]).is_empty());
    }
}
