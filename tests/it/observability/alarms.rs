//! `infra/observability.yaml` uses exactly the metrics that the functions count.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};
use telemetry::metrics::{FUNCTION, Metric};

use super::failures::{root, template};

const PATH: &str = "infra/observability.yaml";
/// Functions that the gateway does not invoke.
const NO_REQUESTS: [&str; 2] = ["jobs", "notify"];
/// AWS's metrics and their dimensions, from the user guides of API Gateway, `DynamoDB`, Lambda, SNS and SQS.
const OF_AWS: [(&str, &[&str], &[&str]); 6] = [
    ("AWS/ApiGateway", &["4xx", "5xx", "Count", "Latency"], &["ApiId"]),
    (
        "AWS/DynamoDB",
        &["ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits", "ReadThrottleEvents", "WriteThrottleEvents"],
        &["TableName"],
    ),
    ("AWS/DynamoDB", &["ReadThrottleEvents", "WriteThrottleEvents"], &["GlobalSecondaryIndexName", "TableName"]),
    ("AWS/Lambda", &["ConcurrentExecutions", "Errors", "IteratorAge", "Throttles"], &["FunctionName"]),
    ("AWS/SNS", &["SMSMonthToDateSpentUSD"], &[]),
    ("AWS/SQS", &["ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"], &["QueueName"]),
];

/// A metric used in an alarm or widget: its namespace, name and dimensions. Parameters are written `${Name}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Looked {
    namespace: String,
    name: String,
    dimensions: BTreeMap<String, String>,
}

impl Looked {
    fn is_own(&self) -> bool {
        self.namespace == "${Namespace}"
    }

    fn keys(&self) -> Vec<&str> {
        self.dimensions.keys().map(String::as_str).collect()
    }
}

fn text(value: &Value) -> String {
    match value.get("Ref") {
        Some(parameter) => format!("${{{}}}", parameter.as_str().expect("a name")),
        None => value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned(),
    }
}

/// From the format of an alarm.
fn of_alarm(metric: &Value) -> Looked {
    let dimensions = metric["Dimensions"].as_array().into_iter().flatten();
    Looked {
        namespace: text(&metric["Namespace"]),
        name: text(&metric["MetricName"]),
        dimensions: dimensions.map(|dimension| (text(&dimension["Name"]), text(&dimension["Value"]))).collect(),
    }
}

/// From the format of a dashboard: namespace, name, alternating dimension names and values, and options.
fn of_widget(metric: &Value) -> Looked {
    let mut words: Vec<String> =
        metric.as_array().expect("a metric").iter().filter(|word| word.is_string()).map(text).collect();
    let dimensions = words.split_off(2);
    assert!(dimensions.len().is_multiple_of(2), "{metric}");
    let [namespace, name] = words.try_into().expect("a namespace and a name");
    let dimensions = dimensions.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
    Looked { namespace, name, dimensions }
}

fn alarms() -> BTreeMap<String, Value> {
    let template = template(PATH);
    let resources = template.document()["Resources"].as_object().expect("resources").clone();
    resources
        .into_iter()
        .filter(|(_, resource)| resource["Type"] == "AWS::CloudWatch::Alarm")
        .map(|(name, resource)| (name, resource["Properties"].clone()))
        .collect()
}

/// The metrics of each alarm.
fn looked_at(alarm: &Value) -> Vec<Looked> {
    match alarm["Metrics"].as_array() {
        Some(metrics) => {
            metrics.iter().filter_map(|metric| metric.pointer("/MetricStat/Metric")).map(of_alarm).collect()
        }
        None => vec![of_alarm(alarm)],
    }
}

/// The metrics on the dashboard.
fn shown() -> Vec<Looked> {
    let template = template(PATH);
    let body = template.document()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"].clone();
    let body: Value = serde_json::from_str(body.as_str().expect("text")).expect("JSON");
    let widgets = body["widgets"].as_array().expect("widgets");
    let metrics = widgets.iter().flat_map(|widget| widget["properties"]["metrics"].as_array().expect("metrics"));
    metrics.map(of_widget).collect()
}

fn functions() -> BTreeSet<String> {
    let names = fs::read_dir(root().join("functions")).expect("the functions");
    names.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name")).collect()
}

/// Every Handset metric with every set of dimensions and every possible value.
fn counted() -> BTreeSet<Looked> {
    let mut counted = BTreeSet::new();
    for metric in Metric::ALL {
        for set in metric.dimensions() {
            let values: Vec<Option<(String, String)>> = match (*set, metric.label()) {
                ([], _) => vec![None],
                ([FUNCTION], _) => functions()
                    .into_iter()
                    .filter(|function| metric != Metric::RequestMillis || !NO_REQUESTS.contains(&function.as_str()))
                    .map(|function| Some((FUNCTION.to_owned(), function)))
                    .collect(),
                ([one], Some((label, values))) if *one == label => {
                    values.iter().map(|value| Some((label.to_owned(), (*value).to_owned()))).collect()
                }
                (set, _) => panic!("{metric:?} has dimensions that this test does not know: {set:?}"),
            };
            counted.extend(values.into_iter().map(|dimension| Looked {
                namespace: "${Namespace}".into(),
                name: metric.name().into(),
                dimensions: dimension.into_iter().collect(),
            }));
        }
    }
    counted
}

#[test]
fn the_dashboard_shows_everything_that_is_counted_and_nothing_else_of_ours() {
    let shown: BTreeSet<Looked> = shown().into_iter().filter(Looked::is_own).collect();
    let counted = counted();
    let missing: Vec<_> = counted.difference(&shown).collect();
    assert!(missing.is_empty(), "counted and not shown: {missing:#?}");
    let invented: Vec<_> = shown.difference(&counted).collect();
    assert!(invented.is_empty(), "shown and never counted: {invented:#?}");
}

#[test]
fn alarms_look_at_what_is_counted_or_at_what_aws_counts() {
    let (counted, shown) = (counted(), shown());
    for (name, alarm) in alarms() {
        let looked_at = looked_at(&alarm);
        assert!(!looked_at.is_empty(), "{name}");
        for looked in looked_at {
            assert!(!looked.is_own() || counted.contains(&looked), "{name} looks at what is never counted: {looked:?}");
            assert!(shown.contains(&looked), "{name} looks at what the dashboard does not show: {looked:?}");
        }
    }
    for looked in shown.iter().filter(|looked| !looked.is_own()) {
        let known = OF_AWS.iter().any(|(namespace, names, keys)| {
            looked.namespace == *namespace && names.contains(&looked.name.as_str()) && looked.keys() == *keys
        });
        assert!(known, "no such metric of AWS is known: {looked:?}");
    }
}

#[test]
fn what_was_promised_has_an_alarm_and_every_alarm_tells_somebody() {
    let alarms = alarms();
    let names: BTreeSet<&str> = alarms.keys().map(|name| name.trim_end_matches("Alarm")).collect();
    let promised = [
        "Conversion",
        "ConversionGuard",
        "CountryCap",
        "Crashes",
        "DeadLetters",
        "FaultRate",
        "GatewayErrors",
        "QueueBehind",
        "SlowRequests",
        "SmsSpend",
        "StreamBehind",
        "TableThrottles",
        "Thefts",
        "Throttles",
    ];
    assert_eq!(names, BTreeSet::from(promised));
    let path = root().join("docs/observability.md");
    let mut document = fs::read_to_string(&path).expect("the document");
    let tell = json!([
        { "Fn::If": ["GivenTopic", { "Ref": "AlarmTopicArn" }, { "Ref": "AWS::NoValue" }] },
        { "Fn::If": ["MakesTopic", { "Ref": "AlarmTopic" }, { "Ref": "AWS::NoValue" }] },
    ]);
    for (name, alarm) in &alarms {
        assert_eq!((&alarm["AlarmActions"], &alarm["OKActions"]), (&tell, &tell), "{name}");
        // The month's spending does not go down after an hour without a text.
        let missing = if name == "SmsSpendAlarm" { "ignore" } else { "notBreaching" };
        assert_eq!(alarm["TreatMissingData"], missing, "{name}");
        assert!(alarm["AlarmDescription"].as_str().is_some_and(|text| text.len() > 30), "{name}");
        assert!(document.contains(&format!("| `{}` |", name.trim_end_matches("Alarm"))), "{name} is not documented");
        // An alarm may have twenty members, of which ten may be metrics.
        assert!(looked_at(alarm).len() <= 10, "{name}");
    }
    // The document states the cost with these numbers.
    let alarmed: usize = alarms.values().map(|alarm| looked_at(alarm).len()).sum();
    for (before, number, behind) in [("at most ", counted().len(), " and"), ("look at, ", alarmed, " of them")] {
        let said = with_number(&document, before, number, behind);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&path, &said).expect("written");
            document.clone_from(&said);
        }
        assert!(document == said, "run `UPDATE_DOCS=1 cargo test -p handset-tests --test it alarms`");
    }
    for metric in Metric::ALL {
        assert!(document.contains(&format!("| `{}` |", metric.name())), "{metric:?} is not documented");
    }
}

/// The text with this number between these words.
fn with_number(text: &str, before: &str, number: usize, behind: &str) -> String {
    let is_number = |rest: &&str| rest.split_once(behind).is_some_and(|(digits, _)| digits.parse::<usize>().is_ok());
    let (start, rest) = text
        .match_indices(before)
        .map(|(at, _)| text.split_at(at + before.len()))
        .find(|(_, rest)| is_number(rest))
        .unwrap_or_else(|| panic!("no number between {before:?} and {behind:?}"));
    let (_, end) = rest.split_once(behind).unwrap_or_default();
    format!("{start}{number}{behind}{end}")
}

#[test]
fn the_stack_hands_its_nested_one_what_that_asks_for() {
    let (outer, inner) = (template("template.yaml"), template(PATH));
    let nested = &outer.document()["Resources"]["ObservabilityStack"];
    assert_eq!((&nested["Type"], &nested["Condition"]), (&json!("AWS::CloudFormation::Stack"), &json!("Observed")));
    assert_eq!(nested["Properties"]["TemplateURL"], PATH);
    let given = nested["Properties"]["Parameters"].as_object().expect("parameters");
    let asked: BTreeSet<&String> = inner.parameters().keys().collect();
    assert_eq!(given.keys().collect::<BTreeSet<_>>(), asked);
    for (name, value) in given.iter().filter(|(name, _)| name.ends_with("Function") || name.ends_with("DeadLetters")) {
        let target = value.get("Ref").or_else(|| value.pointer("/Fn::GetAtt/0"));
        assert_eq!(target, Some(&json!(name)), "{name}");
    }
    let namespace = &outer.document()["Globals"]["Function"]["Environment"]["Variables"]["METRICS_NAMESPACE"];
    assert_eq!(*namespace, json!({ "Fn::If": ["Observed", given["Namespace"], ""] }));
}
