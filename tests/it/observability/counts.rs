//! Each event is counted once, in lines that `CloudWatch` accepts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use emulator::Fault;
use serde_json::{Value, json};
use telemetry::metrics::{FUNCTION, Metric, Unit};

use super::{OBSERVED, Record, recorded};
use crate::support::backend::answer;
use crate::support::pictures::{Bucket, jpeg, name};
use crate::support::round_trips::lines;
use crate::support::users::wrong_code;
use crate::support::{Backend, Person, fresh_phone, run};

/// Metrics of errors that no whole session has; they have separate tests.
const NOT_OF_A_SESSION: [Metric; 3] = [Metric::CodesRefused, Metric::Faults, Metric::RefreshTokenThefts];

/// The metric with this name.
fn metric(name: &Value) -> Metric {
    let found = Metric::ALL.into_iter().find(|metric| *name == metric.name());
    found.unwrap_or_else(|| panic!("no metric is called {name}"))
}

/// Asserts that a document follows the specification, and that it describes its metrics correctly.
///
/// Source: "Specification: Embedded metric format", Amazon `CloudWatch` user guide.
fn assert_specified(line: &Value) {
    let keys = |value: &Value| -> BTreeSet<String> { value.as_object().expect("an object").keys().cloned().collect() };
    let head = &line["_aws"];
    assert_eq!(keys(head), BTreeSet::from(["CloudWatchMetrics".into(), "Timestamp".into()]));
    assert!(head["Timestamp"].as_u64().is_some_and(|at| at > 1_500_000_000_000), "milliseconds: {line}");
    assert!(line.to_string().len() < 256 * 1_024);
    for directive in head["CloudWatchMetrics"].as_array().expect("directives") {
        assert_eq!(keys(directive), BTreeSet::from(["Dimensions".into(), "Metrics".into(), "Namespace".into()]));
        assert_eq!(directive["Namespace"], "Handset/handset");
        let sets = directive["Dimensions"].as_array().expect("sets");
        assert!(!sets.is_empty(), "{line}");
        for dimension in sets.iter().flat_map(|set| set.as_array().expect("a set")) {
            let value = line[dimension.as_str().expect("a key")].as_str();
            assert!(value.is_some_and(|value| (1..=1_024).contains(&value.len())), "{dimension} in {line}");
        }
        let metrics = directive["Metrics"].as_array().expect("metrics");
        assert!((1..=100).contains(&metrics.len()));
        for described in metrics {
            let metric = metric(&described["Name"]);
            assert_eq!(*described, json!({ "Name": metric.name(), "Unit": metric.unit().name() }));
            assert_eq!(directive["Dimensions"], json!(metric.dimensions()), "{line}");
            let value = &line[metric.name()];
            let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
            assert!((1..=100).contains(&values.len()) && values.iter().all(Value::is_u64), "{line}");
        }
    }
}

/// Everything counted for a backend: the sums of counts and the number of times, by metric and by label or function.
fn counted(record: &Record) -> BTreeMap<(Metric, String), u64> {
    let own: BTreeSet<String> = record.all().into_iter().map(|seen| seen.request_id).collect();
    let mut counted = BTreeMap::new();
    for line in lines() {
        if line.get("_aws").is_none() || !line["request_id"].as_str().is_some_and(|id| own.contains(id)) {
            continue;
        }
        assert_specified(&line);
        let directives = line["_aws"]["CloudWatchMetrics"].as_array().expect("directives");
        for described in directives.iter().flat_map(|directive| directive["Metrics"].as_array().expect("metrics")) {
            let metric = metric(&described["Name"]);
            let label = metric.label().map_or(FUNCTION, |(label, _)| label);
            let value = &line[metric.name()];
            let value = match metric.unit() {
                Unit::Count => value.as_u64().expect("a count"),
                Unit::Milliseconds => value.as_array().map_or(1, Vec::len) as u64,
            };
            let key = (metric, line[label].as_str().expect("a label").to_owned());
            *counted.entry(key).or_default() += value;
        }
    }
    counted
}

/// The same without the metrics of every request.
fn happened(record: &Record) -> BTreeMap<(Metric, String), u64> {
    let mut counted = counted(record);
    counted.retain(|(metric, _), _| !matches!(metric, Metric::ColdStarts | Metric::RequestMillis));
    counted
}

fn expected(counts: &[(Metric, &str, u64)]) -> BTreeMap<(Metric, String), u64> {
    counts.iter().map(|(metric, label, count)| ((*metric, (*label).to_owned()), *count)).collect()
}

async fn refused(backend: &Backend, path: &str, body: Value) {
    let (_, answered) = answer(backend.post(path).json(&body)).await;
    assert_ne!(answered["success"], true, "{answered}");
}

#[test]
fn codes_are_counted_once_whatever_had_to_be_tried_again() {
    run(async {
        let (backend, record) = recorded(&[OBSERVED, ("CodesPerPhoneHour", "2"), ("AllowedCountries", "86")]).await;
        let endpoints = backend.running.endpoints();
        let phone = fresh_phone();
        // The writes of the code, the attempt and the sign-in, each retried once by the SDK and by the functions.
        endpoints.fail_next("dynamodb:TransactWriteItems", 1, Fault::throughput_exceeded());
        endpoints.fail_next("dynamodb:TransactWriteItems", 1, Fault::transaction_conflict(0));
        let code = backend.code_for(&phone).await;
        endpoints.fail_next("dynamodb:TransactWriteItems", 1, Fault::transaction_conflict(0));
        assert_eq!(backend.sign_in(&phone, &wrong_code(&code, 1)).await.0, 400);
        assert_eq!(backend.sign_in(&phone, &code).await.0, 200);
        assert_eq!(endpoints.faults_left(), 0);
        // The code is used up, so another attempt finds none.
        assert_eq!(backend.sign_in(&phone, &code).await.0, 400);
        assert_eq!(answer(backend.ask(&phone)).await.0, 400);
        let abroad = backend.post("/verify_code").query(&[("zone", "852"), ("number", "51234567")]);
        assert_eq!(answer(abroad).await.0, 400);
        let fixed = backend.post("/verify_code").query(&[("zone", "86"), ("number", "010 6552 9988")]);
        assert_eq!(answer(fixed).await.0, 400);
        endpoints.fail_next("sns:Publish", 1, Fault::error(400, "OptedOut"));
        assert_eq!(answer(backend.ask(&fresh_phone())).await.0, 400);
        endpoints.fail_next("dynamodb:TransactWriteItems", 1, Fault::error(400, "ValidationException"));
        assert_eq!(answer(backend.ask(&fresh_phone())).await.0, 500);
        // A code for a new password, for a number without an account: the response does not show it.
        let nobody = json!({ "phoneNumber": fresh_phone().0, "flag": 1 });
        assert_eq!(answer(backend.post("/verification_codes").json(&nobody)).await.1["success"], true);

        assert_eq!(
            happened(&record),
            expected(&[
                (Metric::Faults, "codes", 1),
                (Metric::CodesSent, "codes", 1),
                (Metric::CodesUsed, "auth", 1),
                (Metric::CodesRefused, "code_too_soon", 1),
                (Metric::CodesRefused, "country_not_served", 1),
                (Metric::CodesRefused, "no_account", 1),
                (Metric::CodesRefused, "not_mobile", 1),
                (Metric::CodesRefused, "text_not_sent", 1),
                (Metric::GuessesRefused, "code_not_asked", 1),
                (Metric::GuessesRefused, "code_wrong", 1),
                (Metric::SignIns, "messenger", 1),
            ])
        );
        let requests: u64 = record.all().iter().filter(|seen| seen.event["rawPath"].is_string()).count() as u64;
        let counted = counted(&record);
        let sum = |metric| counted.iter().filter(|((of, _), _)| *of == metric).map(|(_, count)| count).sum::<u64>();
        assert_eq!(sum(Metric::RequestMillis), requests);
        let functions: BTreeSet<String> = record.all().into_iter().map(|seen| seen.function).collect();
        assert_eq!(sum(Metric::ColdStarts), functions.len() as u64, "each once, and not again when it is warm");
    });
}

#[test]
fn the_guards_against_toll_fraud_are_counted_by_their_names() {
    run(async {
        let caps = [
            ("CodesPerCountryHour", "2"),
            ("ConversionMinimumSends", "2"),
            ("ConversionMinimumPercent", "50"),
            ("ConversionAddresses", "1"),
        ];
        for (caps, reason) in [(&caps[..1], "codes_to_country"), (&caps[1..], "unused_codes")] {
            let (backend, record) = recorded(&[&[OBSERVED, ("CodesPerIpHour", "0")], caps].concat()).await;
            let phone = fresh_phone();
            for n in 1..=2 {
                assert_eq!(answer(backend.ask(&phone.neighbour(n))).await.0, 200);
            }
            assert_eq!(answer(backend.ask(&phone.neighbour(3))).await.0, 400);
            assert_eq!(
                happened(&record),
                expected(&[(Metric::CodesSent, "codes", 2), (Metric::CodesRefused, reason, 1)])
            );
        }
    });
}

#[test]
fn a_theft_is_counted_once_and_a_lost_reply_is_none() {
    run(async {
        let (backend, record) = recorded(&[OBSERVED]).await;
        let first = backend.person().await;
        let second = Person::of(&answer(backend.refresh(&first.refresh_token)).await.1);
        assert_eq!(answer(backend.refresh(&first.refresh_token)).await.0, 200, "within the grace period");
        backend.advance(Duration::from_mins(2));
        answer(backend.refresh(&second.refresh_token)).await;
        assert_eq!(answer(backend.refresh(&first.refresh_token)).await.0, 400);
        // The session has ended: further old tokens do not count as theft.
        assert_eq!(answer(backend.refresh(&first.refresh_token)).await.0, 400);
        let happened = happened(&record);
        assert_eq!(happened[&(Metric::RefreshTokenThefts, "auth".to_owned())], 1, "{happened:?}");
        assert_eq!(happened.len(), 4, "the code, the sign-in and the theft: {happened:?}");
    });
}

#[test]
fn thumbnails_are_counted_once_they_are_stored() {
    run(async {
        let (backend, record) = recorded(&[OBSERVED]).await;
        let endpoints = backend.running.endpoints();
        let person = backend.person().await;
        // The first write is the original's; then a thumbnail's write fails permanently, and the event is delivered
        // again.
        endpoints.fail_after("s3:PutObject", 1, 3, Fault::error(403, "AccessDenied"));
        let src = backend.post_image(&person, jpeg(300, 200)).await;
        endpoints.settled().await;
        let at = |metric: Metric| happened(&record).get(&(metric, "resize".to_owned())).copied().unwrap_or_default();
        assert_eq!(endpoints.faults_left(), 0);
        let failed = at(Metric::Faults);
        assert!((1..=2).contains(&failed), "{failed} of the event's three attempts failed");
        assert_eq!((at(Metric::Thumbnails), at(Metric::ThumbnailMillis)), (4, 1));
        // The first request for a missing thumbnail creates it, once, together with the others.
        Bucket::of(&backend).delete(&format!("thumbnails/{}@256w_256h_1c", name(&src))).await;
        for _ in 0..2 {
            backend.bytes(&format!("{src}@256w_256h_1c")).await;
        }
        assert_eq!((at(Metric::Thumbnails), at(Metric::ThumbnailMillis)), (8, 2));
        assert_eq!(at(Metric::Faults), failed);
    });
}

#[test]
fn every_api_signs_in_under_its_own_name_and_every_metric_is_met() {
    run(async {
        let (backend, record) = recorded(&[OBSERVED, ("SessionsPerAccount", "1")]).await;
        crate::permissions::whole_session(&backend).await;
        backend.settled().await;
        let counted = counted(&record);
        let of = |metric: Metric| -> BTreeMap<&str, u64> {
            let of = counted.iter().filter(|((found, _), _)| *found == metric);
            of.map(|((_, label), count)| (label.as_str(), *count)).collect()
        };
        let apis: Vec<&str> = of(Metric::SignIns).into_keys().collect();
        assert_eq!(apis, ["device", "messenger", "rooms", "sealtalk", "supabase", "web"]);
        let functions: Vec<&str> = of(Metric::ColdStarts).into_keys().collect();
        assert_eq!(functions, ["auth", "codes", "jobs", "media", "notify", "profiles", "resize", "rooms", "social"]);
        assert!(of(Metric::ColdStarts).values().all(|count| *count == 1), "{:?}", of(Metric::ColdStarts));
        let texts = backend.running.endpoints().texts(None).len() as u64;
        assert_eq!(of(Metric::CodesSent).values().sum::<u64>(), texts, "as many as there are texts");
        let met: BTreeSet<Metric> = counted.keys().map(|(metric, _)| *metric).collect();
        let unmet: Vec<_> = Metric::ALL.into_iter().filter(|metric| !met.contains(metric)).collect();
        assert!(unmet.iter().all(|metric| NOT_OF_A_SESSION.contains(metric)), "{unmet:?}");
    });
}

#[test]
fn nothing_is_counted_where_nobody_asked_for_it() {
    run(async {
        let (backend, record) = recorded(&[]).await;
        backend.person().await;
        refused(&backend, "/users/login", json!({ "user": { "phoneNumber": "1", "password": "x" } })).await;
        assert!(counted(&record).is_empty());
        let own: Vec<Value> = lines()
            .into_iter()
            .filter(|line| record.all().iter().any(|seen| line["request_id"] == seen.request_id.as_str()))
            .collect();
        assert!(own.len() >= 3 && own.iter().all(|line| line.get("_aws").is_none()), "{own:?}");
    });
}
