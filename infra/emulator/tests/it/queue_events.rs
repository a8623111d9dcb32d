//! Event source mappings of queues: messages reach a function, come back after a failure, and end as dead letters.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use emulator::template::{Queue, QueueEvents};
use emulator::{Endpoints, QueueHandler};
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::persistence::Folder;
use crate::queues::{arn, prepare, queue, send};
use crate::support::TestStack;

/// Makes the response to an event, from the number of events and the newest.
type Answer = fn(usize, &Value) -> Result<Value, String>;

/// The events that a function received.
type Events = Arc<Mutex<Vec<Value>>>;

/// A function that stores its events, and answers with what `answer` makes of the number of events and the newest.
fn function(
    events: &Events,
    answer: impl Fn(usize, &Value) -> Result<Value, String> + Send + Sync + 'static,
) -> QueueHandler {
    let events = Arc::clone(events);
    Arc::new(move |event: Value| -> BoxFuture<'static, Result<Value, String>> {
        let number = {
            let mut events = events.lock().unwrap();
            events.push(event.clone());
            events.len()
        };
        let answer = answer(number, &event);
        Box::pin(async move { answer })
    })
}

fn subscription(batch_size: u32) -> QueueEvents {
    QueueEvents {
        name: "Work".to_owned(),
        queue: arn("jobs"),
        batch_size,
        max_concurrency: Some(2),
        reports_failures: true,
    }
}

/// The records of all events, each with one of their values.
fn told(events: &Events, pointer: &str) -> Vec<String> {
    let events = events.lock().unwrap();
    let records = events.iter().flat_map(|event| event["Records"].as_array().expect("records"));
    records.map(|record| record.pointer(pointer).and_then(Value::as_str).expect("text").to_owned()).collect()
}

async fn settled(endpoints: &Endpoints) {
    tokio::time::timeout(Duration::from_secs(30), endpoints.settled()).await.expect("it settles");
}

#[tokio::test]
async fn a_message_reaches_the_function_as_lambda_writes_it_and_is_deleted() {
    let stack = TestStack::start().await;
    prepare(&stack);
    let events = Events::default();
    let handler = function(&events, |_, _| Ok(json!({"batchItemFailures": []})));
    stack.endpoints.on_queue_message("worker", subscription(10), handler).expect("a queue");
    let id = send(&stack.sqs("admin"), "jobs", "work").await;
    settled(&stack.endpoints).await;
    let mut record = events.lock().unwrap()[0]["Records"][0].take();
    let attributes = record["attributes"].take();
    assert!(record["receiptHandle"].take().is_string());
    let expected = json!({
        "messageId": id, "receiptHandle": null, "body": "work", "attributes": null, "messageAttributes": {},
        "md5OfBody": "67e92c8765a9bc7fb2d335c459de9eb5", "eventSource": "aws:sqs", "eventSourceARN": arn("jobs"),
        "awsRegion": "us-east-1",
    });
    assert_eq!(record, expected);
    assert_eq!((&attributes["ApproximateReceiveCount"], attributes["SentTimestamp"].is_string()), (&json!("1"), true));
    assert_eq!((stack.endpoints.queue_messages(&arn("jobs")), events.lock().unwrap().len()), (Vec::new(), 1));
}

#[tokio::test]
async fn a_message_that_failed_once_comes_back_and_the_others_of_its_batch_do_not() {
    let stack = TestStack::start().await;
    prepare(&stack);
    let events = Events::default();
    let handler = function(&events, |number, event| {
        let bad = event["Records"].as_array().unwrap().iter().find(|record| record["body"] == "b");
        let bad = bad.filter(|_| number == 1).map(|record| json!({"itemIdentifier": record["messageId"]}));
        Ok(json!({"batchItemFailures": bad.into_iter().collect::<Vec<_>>()}))
    });
    let client = stack.sqs("admin");
    for body in ["a", "b", "c"] {
        send(&client, "jobs", body).await;
    }
    stack.endpoints.on_queue_message("worker", subscription(10), handler).expect("a queue");
    settled(&stack.endpoints).await;
    assert_eq!(told(&events, "/body"), ["a", "b", "c", "b"]);
    assert_eq!(told(&events, "/attributes/ApproximateReceiveCount"), ["1", "1", "1", "2"]);
    assert_eq!(stack.endpoints.queue_messages(&arn("dead")), []);
}

#[tokio::test]
async fn a_message_that_always_fails_ends_as_a_dead_letter() {
    let refusals: [Answer; 4] = [
        |_, _| Err("it broke".to_owned()),
        |_, _| panic!("it panics"),
        |_, _| Ok(json!({"batchItemFailures": [{"itemIdentifier": "unknown"}]})),
        |_, _| Ok(json!({"batchItemFailures": "all"})),
    ];
    for refusal in refusals {
        let stack = TestStack::start().await;
        prepare(&stack);
        let events = Events::default();
        stack.endpoints.on_queue_message("worker", subscription(1), function(&events, refusal)).expect("a queue");
        let id = send(&stack.sqs("admin"), "jobs", "poison").await;
        settled(&stack.endpoints).await;
        assert_eq!(told(&events, "/messageId"), [&*id, &*id]);
        let dead = stack.endpoints.queue_messages(&arn("dead"));
        assert_eq!((dead.len(), &*dead[0].id, &*dead[0].body), (1, &*id, "poison"));
        assert_eq!(dead[0].source, Some(arn("jobs")));
    }
}

#[tokio::test]
async fn a_function_that_reports_nothing_fails_or_succeeds_as_a_whole() {
    let stack = TestStack::start().await;
    prepare(&stack);
    let events = Events::default();
    let handler = function(&events, |_, event| {
        Ok(json!({"batchItemFailures": [{"itemIdentifier": event["Records"][0]["messageId"]}]}))
    });
    let subscription = QueueEvents { reports_failures: false, ..subscription(10) };
    stack.endpoints.on_queue_message("worker", subscription, handler).expect("a queue");
    send(&stack.sqs("admin"), "jobs", "a").await;
    settled(&stack.endpoints).await;
    assert_eq!(told(&events, "/body"), ["a"]);
}

#[tokio::test]
async fn no_more_batches_run_at_once_than_may() {
    let stack = TestStack::start().await;
    prepare(&stack);
    let running = Arc::new(Mutex::new((0, 0)));
    let counts = Arc::clone(&running);
    let handler: QueueHandler = Arc::new(move |_| {
        let counts = Arc::clone(&counts);
        Box::pin(async move {
            let running = {
                let mut counts = counts.lock().unwrap();
                counts.0 += 1;
                counts.0
            };
            tokio::time::sleep(Duration::from_millis(20)).await;
            let mut counts = counts.lock().unwrap();
            counts.1 = running.max(counts.1);
            counts.0 -= 1;
            Ok(json!({}))
        })
    });
    let client = stack.sqs("admin");
    for number in 0..10 {
        send(&client, "jobs", &number.to_string()).await;
    }
    stack.endpoints.on_queue_message("worker", subscription(1), handler).expect("a queue");
    settled(&stack.endpoints).await;
    assert_eq!(*running.lock().unwrap(), (0, 2));
}

#[tokio::test]
async fn what_waits_with_a_delay_is_delivered_when_it_is_over() {
    let stack = TestStack::start().await;
    stack.endpoints.create_queue(&Queue { delay: 600, ..queue("jobs") });
    let events = Events::default();
    let handler = function(&events, |_, _| Ok(json!({})));
    stack.endpoints.on_queue_message("worker", subscription(10), handler).expect("a queue");
    send(&stack.sqs("admin"), "jobs", "later").await;
    settled(&stack.endpoints).await;
    assert_eq!(told(&events, "/body"), Vec::<String>::new());
    stack.endpoints.advance_queues(Duration::from_mins(10));
    settled(&stack.endpoints).await;
    assert_eq!(told(&events, "/body"), ["later"]);
}

#[tokio::test]
async fn a_restart_delivers_what_was_left() {
    let folder = Folder::new("queue-events");
    let stack = TestStack::start_in(Some(folder.path())).await;
    prepare(&stack);
    send(&stack.sqs("admin"), "jobs", "left").await;
    stack.endpoints.shutdown().await;
    drop(stack);
    let stack = TestStack::start_in(Some(folder.path())).await;
    prepare(&stack);
    let events = Events::default();
    let handler = function(&events, |_, _| Ok(json!({})));
    stack.endpoints.on_queue_message("worker", subscription(10), handler).expect("a queue");
    settled(&stack.endpoints).await;
    assert_eq!(told(&events, "/body"), ["left"]);
    stack.endpoints.shutdown().await;
}
