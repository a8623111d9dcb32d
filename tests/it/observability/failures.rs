//! Background events are retried a limited number of times, and failed ones end up in a queue.

use std::collections::BTreeSet;
use std::fs;

use emulator::template::{Deployment, Template};
use serde_json::{Value, json};

use crate::support::{Backend, run};

pub(super) fn root() -> std::path::PathBuf {
    std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

pub(super) fn template(path: &str) -> Template {
    let text = fs::read_to_string(root().join(path)).expect("a template");
    Template::parse(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The queue of a destination, which is encrypted and keeps messages as long as SQS allows.
fn queue(template: &Value, destination: &Value) -> String {
    assert_eq!(destination["Type"], "SQS", "{destination}");
    dead_letters(template, &destination["Destination"])
}

/// The dead-letter queue that a template refers to by its ARN.
fn dead_letters(template: &Value, arn: &Value) -> String {
    let name = named(arn);
    let queue = &template["Resources"][&name];
    assert_eq!(queue["Type"], "AWS::SQS::Queue", "{name}");
    assert_eq!(queue["Properties"], json!({ "SqsManagedSseEnabled": true, "MessageRetentionPeriod": 1_209_600 }));
    name
}

/// The resource whose ARN a template refers to.
fn named(arn: &Value) -> String {
    let target = &arn["Fn::GetAtt"];
    assert_eq!(target[1], "Arn");
    target[0].as_str().unwrap_or_else(|| panic!("{arn}")).to_owned()
}

#[test]
fn every_event_has_bounded_retries_and_a_queue_of_its_functions_own() {
    run(async {
        let backend = Backend::start(&[]).await;
        let template = template("template.yaml");
        let template = template.document();
        let (mut queues, mut sources) = (BTreeSet::new(), 0);
        for function in &backend.running.stack().functions {
            let properties = &template["Resources"][&function.logical_id]["Properties"];
            assert_eq!(function.other_events, [], "a source that this test does not know");
            let asynchronous = &properties["EventInvokeConfig"];
            assert_eq!(asynchronous.is_null(), function.object_created.is_empty(), "{}", function.binary);
            if !asynchronous.is_null() {
                sources += 1;
                assert_eq!(asynchronous["MaximumRetryAttempts"], 2);
                assert!(
                    asynchronous["MaximumEventAgeInSeconds"]
                        .as_u64()
                        .is_some_and(|age| (3_600..=21_600).contains(&age))
                );
                queues.insert(queue(template, &asynchronous["DestinationConfig"]["OnFailure"]));
            }
            for changed in &function.table_changed {
                sources += 1;
                assert!(changed.retries.is_some_and(|retries| retries <= 100), "{}", function.binary);
                assert!(changed.record_age.is_some_and(|age| age <= 86_400), "{}", function.binary);
                assert!(changed.bisects && changed.reports_failures, "{}", function.binary);
                let events = properties["Events"].as_object().expect("events");
                let event = events.values().find(|event| event["Type"] == "DynamoDB").expect("the event");
                queues.insert(queue(template, &event["Properties"]["DestinationConfig"]["OnFailure"]));
            }
        }
        let (mut work, stack) = (BTreeSet::new(), backend.running.stack());
        for function in &stack.functions {
            for source in &function.queue_events {
                sources += 1;
                assert!(source.reports_failures && source.max_concurrency.is_some(), "{}", function.binary);
                let queue = stack.queues.iter().find(|queue| queue.arn == source.queue).expect("the queue");
                let redrive = queue.redrive.as_ref().expect("a dead-letter queue");
                assert!((5..=50).contains(&redrive.max_receives), "{}", queue.logical_id);
                let properties = &template["Resources"][&queue.logical_id]["Properties"];
                assert_eq!(properties["SqsManagedSseEnabled"], true, "{}", queue.logical_id);
                // As long as SQS allows: a message keeps its age in the dead-letter queue.
                assert_eq!(queue.retention, 1_209_600, "{}", queue.logical_id);
                queues.insert(dead_letters(template, &properties["RedrivePolicy"]["deadLetterTargetArn"]));
                work.insert(queue.logical_id.clone());
            }
        }
        assert_eq!((sources, queues.len()), (6, 6), "{queues:?}");
        assert_eq!(stack.queues.len(), queues.len() + work.len(), "a queue that nothing is sent to");
    });
}

#[test]
fn concurrency_is_reserved_only_where_somebody_asks_for_it() {
    let template = template("template.yaml");
    for (function, parameter) in [("CodesFunction", "CodesConcurrency"), ("ResizeFunction", "ResizeConcurrency")] {
        let reserved =
            &template.document()["Resources"][function]["Properties"]["ReservedConcurrentExecutions"]["Fn::If"];
        assert_eq!(reserved[1]["Ref"], parameter);
        assert_eq!(reserved[2]["Ref"], "AWS::NoValue");
        let condition = &template.document()["Conditions"][reserved[0].as_str().expect("a condition")];
        assert_eq!(*condition, json!({ "Fn::Not": [{ "Fn::Equals": [{ "Ref": parameter }, 0] }] }));
        assert_eq!(template.parameters()[parameter].default.as_deref(), Some("0"));
    }
    template.secrets(&Deployment::default()).expect("it resolves");
}
