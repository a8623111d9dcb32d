//! SQS: sending, receiving and deleting messages, visibility timeouts, dead-letter queues, roles.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata as _;
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName as Attribute, QueueAttributeName,
    SendMessageBatchRequestEntry, SendMessageBatchResultEntry,
};
use emulator::template::{Queue, Redrive};
use emulator::{Denial, Fault};
use serde_json::{Value, json};

use crate::persistence::Folder;
use crate::support::TestStack;

pub fn arn(name: &str) -> String {
    format!("arn:aws:sqs:us-east-1:000000000000:{name}")
}

pub fn url(name: &str) -> String {
    format!("https://sqs.us-east-1.amazonaws.com/000000000000/{name}")
}

/// A queue with SQS's default settings.
pub fn queue(name: &str) -> Queue {
    Queue {
        logical_id: name.to_owned(),
        arn: arn(name),
        url: url(name),
        visibility_timeout: 30,
        retention: 345_600,
        delay: 0,
        wait: 0,
        redrive: None,
    }
}

/// A stack with the queue `jobs`, whose messages go to the queue `dead` after they were received twice.
async fn start() -> (TestStack, Client) {
    let stack = TestStack::start().await;
    prepare(&stack);
    let client = stack.sqs("admin");
    (stack, client)
}

pub fn prepare(stack: &TestStack) {
    let redrive = Some(Redrive { dead_letters: arn("dead"), max_receives: 2 });
    stack.endpoints.create_queue(&queue("dead"));
    stack.endpoints.create_queue(&Queue { redrive, ..queue("jobs") });
}

pub async fn send(client: &Client, name: &str, body: &str) -> String {
    let sent = client.send_message().queue_url(url(name)).message_body(body).send().await.expect("sent");
    sent.message_id.expect("an id")
}

async fn receive(client: &Client, name: &str) -> Vec<Message> {
    let receive = client.receive_message().queue_url(url(name)).max_number_of_messages(10);
    let received = receive.message_system_attribute_names(Attribute::All).send().await.expect("an answer");
    received.messages.unwrap_or_default()
}

async fn delete(client: &Client, name: &str, message: &Message) {
    let receipt = message.receipt_handle().expect("a receipt");
    client.delete_message().queue_url(url(name)).receipt_handle(receipt).send().await.expect("deleted");
}

fn bodies(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.body().expect("a body")).collect()
}

fn count(message: &Message) -> &str {
    &message.attributes().expect("attributes")[&Attribute::ApproximateReceiveCount]
}

#[tokio::test]
async fn a_received_message_is_hidden_until_its_time_is_over() {
    let (stack, client) = start().await;
    let id = send(&client, "jobs", "{\"n\":1} 徒步").await;
    let first = receive(&client, "jobs").await;
    assert_eq!((bodies(&first), first[0].message_id()), (vec!["{\"n\":1} 徒步"], Some(&*id)));
    let attributes = first[0].attributes().expect("attributes");
    let time = |name: &Attribute| attributes[name].parse::<u64>().expect("a time");
    assert_eq!(count(&first[0]), "1");
    assert!(time(&Attribute::SentTimestamp) <= time(&Attribute::ApproximateFirstReceiveTimestamp));
    assert!(receive(&client, "jobs").await.is_empty());
    stack.endpoints.advance_queues(Duration::from_secs(29));
    assert!(receive(&client, "jobs").await.is_empty());
    stack.endpoints.advance_queues(Duration::from_secs(1));
    let second = receive(&client, "jobs").await;
    assert_eq!(count(&second[0]), "2");
    assert_ne!(second[0].receipt_handle(), first[0].receipt_handle());
    // Only the newest receipt handle deletes.
    delete(&client, "jobs", &first[0]).await;
    assert_eq!(stack.endpoints.queue_messages(&arn("jobs")).len(), 1);
    delete(&client, "jobs", &second[0]).await;
    assert_eq!(stack.endpoints.queue_messages(&arn("jobs")), []);
}

#[tokio::test]
async fn the_time_can_be_changed_while_a_message_is_hidden() {
    let (stack, client) = start().await;
    send(&client, "jobs", "a").await;
    let received = receive(&client, "jobs").await;
    let receipt = received[0].receipt_handle().expect("a receipt");
    let hide = |seconds: i32| {
        client.change_message_visibility().queue_url(url("jobs")).receipt_handle(receipt).visibility_timeout(seconds)
    };
    hide(60).send().await.expect("changed");
    stack.endpoints.advance_queues(Duration::from_secs(59));
    assert!(receive(&client, "jobs").await.is_empty());
    assert_eq!(hide(43_201).send().await.expect_err("too long").code(), Some("InvalidParameterValueException"));
    hide(0).send().await.expect("changed");
    let error = hide(10).send().await.expect_err("visible already").into_service_error();
    assert!(error.is_message_not_inflight(), "{error:?}");
    assert_eq!(receive(&client, "jobs").await.len(), 1);
}

#[tokio::test]
async fn a_message_that_was_received_too_often_goes_to_the_dead_letter_queue() {
    let (stack, client) = start().await;
    let id = send(&client, "jobs", "poison").await;
    for expected in ["1", "2"] {
        assert_eq!(count(&receive(&client, "jobs").await[0]), expected);
        assert!(receive(&client, "dead").await.is_empty());
        stack.endpoints.advance_queues(Duration::from_secs(30));
    }
    assert!(receive(&client, "jobs").await.is_empty());
    let dead = receive(&client, "dead").await;
    assert_eq!((bodies(&dead), dead[0].message_id()), (vec!["poison"], Some(&*id)));
    let source = &dead[0].attributes().expect("attributes")[&Attribute::DeadLetterQueueSourceArn];
    assert_eq!(*source, arn("jobs"));
}

#[tokio::test]
async fn a_delayed_message_comes_later_and_an_old_one_never() {
    let (stack, client) = start().await;
    let sent = client.send_message().queue_url(url("jobs")).message_body("later").delay_seconds(900);
    sent.send().await.expect("sent");
    send(&client, "jobs", "now").await;
    assert_eq!(bodies(&receive(&client, "jobs").await), ["now"]);
    stack.endpoints.advance_queues(Duration::from_mins(15));
    let mut both = receive(&client, "jobs").await;
    both.sort_by_key(|message| message.body().map(str::to_owned));
    assert_eq!(bodies(&both), ["later", "now"]);
    stack.endpoints.advance_queues(Duration::from_hours(4 * 24));
    assert!(receive(&client, "jobs").await.is_empty());
    assert_eq!((stack.endpoints.queue_messages(&arn("jobs")), receive(&client, "dead").await.len()), (Vec::new(), 0));
}

#[tokio::test]
async fn a_call_waits_for_a_message() {
    let (_stack, client) = start().await;
    let waiting = client.receive_message().queue_url(url("jobs")).wait_time_seconds(20).send();
    let (received, ()) = tokio::join!(waiting, async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        send(&client, "jobs", "at last").await;
    });
    assert_eq!(bodies(received.expect("an answer").messages()), ["at last"]);
    let began = std::time::Instant::now();
    let none = client.receive_message().queue_url(url("dead")).wait_time_seconds(1).send().await.expect("an answer");
    assert!(none.messages().is_empty() && began.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn the_entries_of_a_batch_succeed_and_fail_one_by_one() {
    let (_stack, client) = start().await;
    let entry = |id: &str, body: &str| {
        SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().expect("an entry")
    };
    let batch = |entries: Vec<_>| client.send_message_batch().queue_url(url("jobs")).set_entries(Some(entries)).send();
    let sent = batch(vec![entry("a", "1"), entry("b", "\u{1}"), entry("c", "3")]).await.expect("an answer");
    assert_eq!(sent.successful().iter().map(SendMessageBatchResultEntry::id).collect::<Vec<_>>(), ["a", "c"]);
    let failed: Vec<_> = sent.failed().iter().map(|entry| (entry.id(), entry.code(), entry.sender_fault())).collect();
    assert_eq!(failed, [("b", "InvalidMessageContents", true)]);
    let eleven = (0..11).map(|number| entry(&number.to_string(), "x")).collect();
    let error = batch(eleven).await.expect_err("too many").into_service_error();
    assert!(error.is_too_many_entries_in_batch_request(), "{error:?}");
    let error = batch(vec![entry("a", "1"), entry("a", "2")]).await.expect_err("twice").into_service_error();
    assert!(error.is_batch_entry_ids_not_distinct(), "{error:?}");
    let long = "x".repeat(600 * 1024);
    let error = batch(vec![entry("a", &long), entry("b", &long)]).await.expect_err("too long").into_service_error();
    assert!(error.is_batch_request_too_long(), "{error:?}");
    let received = receive(&client, "jobs").await;
    assert_eq!(received.len(), 2);
    let gone = received.iter().enumerate().map(|(number, message)| {
        let receipt = message.receipt_handle().expect("a receipt");
        DeleteMessageBatchRequestEntry::builder()
            .id(number.to_string())
            .receipt_handle(receipt)
            .build()
            .expect("an entry")
    });
    let unknown = DeleteMessageBatchRequestEntry::builder().id("x").receipt_handle("no receipt").build().expect("one");
    let entries = gone.chain([unknown]).collect();
    let deleted = client.delete_message_batch().queue_url(url("jobs")).set_entries(Some(entries)).send().await;
    let deleted = deleted.expect("an answer");
    assert_eq!((deleted.successful().len(), deleted.failed()[0].code()), (2, "ReceiptHandleIsInvalid"));
}

#[tokio::test]
async fn a_queue_tells_its_settings_and_how_much_it_has() {
    let (_stack, client) = start().await;
    let found = client.get_queue_url().queue_name("jobs").send().await.expect("a queue");
    assert_eq!(found.queue_url(), Some(&*url("jobs")));
    for body in ["a", "b", "c"] {
        send(&client, "jobs", body).await;
    }
    client.receive_message().queue_url(url("jobs")).send().await.expect("an answer");
    let asked = client.get_queue_attributes().queue_url(url("jobs")).attribute_names(QueueAttributeName::All);
    let told = asked.send().await.expect("an answer").attributes.expect("attributes");
    let expected = [
        (QueueAttributeName::ApproximateNumberOfMessages, "2"),
        (QueueAttributeName::ApproximateNumberOfMessagesNotVisible, "1"),
        (QueueAttributeName::VisibilityTimeout, "30"),
        (QueueAttributeName::QueueArn, "arn:aws:sqs:us-east-1:000000000000:jobs"),
    ];
    for (name, value) in expected {
        assert_eq!(told[&name], value, "{name}");
    }
    let policy: Value = serde_json::from_str(&told[&QueueAttributeName::RedrivePolicy]).expect("JSON");
    assert_eq!(policy, json!({"deadLetterTargetArn": arn("dead"), "maxReceiveCount": 2}));
}

#[tokio::test]
async fn what_is_wrong_or_not_supported_is_refused() {
    let (_stack, client) = start().await;
    let nowhere = client.send_message().queue_url(url("nowhere")).message_body("a").send().await;
    let error = nowhere.expect_err("no queue").into_service_error();
    assert!(error.is_queue_does_not_exist(), "{error:?}");
    let empty = client.send_message().queue_url(url("jobs")).message_body("").send().await;
    assert_eq!(empty.expect_err("empty").code(), Some("InvalidParameterValueException"));
    let grouped = client.send_message().queue_url(url("jobs")).message_body("a").message_group_id("g").send().await;
    assert!(grouped.expect_err("not supported").message().is_some_and(|words| words.contains("MessageGroupId")));
    let purged = client.purge_queue().queue_url(url("jobs")).send().await;
    assert!(purged.expect_err("not supported").into_service_error().is_unsupported_operation());
    let forged = client.delete_message().queue_url(url("jobs")).receipt_handle("forged").send().await;
    assert!(forged.expect_err("no receipt").into_service_error().is_receipt_handle_is_invalid());
    let many = client.receive_message().queue_url(url("jobs")).max_number_of_messages(11).send().await;
    assert_eq!(many.expect_err("too many").code(), Some("InvalidParameterValueException"));
}

#[tokio::test]
async fn a_role_allows_each_action_on_each_queue_by_itself() {
    let (stack, admin) = start().await;
    let statement = |action: &str, name: &str| json!({"Effect": "Allow", "Action": action, "Resource": arn(name)});
    stack.register("sender", Some(json!([statement("sqs:SendMessage", "jobs")])));
    stack.register("worker", Some(json!([statement("sqs:ReceiveMessage", "jobs")])));
    let (sender, worker) = (stack.sqs("sender"), stack.sqs("worker"));
    send(&sender, "jobs", "a").await;
    let entry = SendMessageBatchRequestEntry::builder().id("a").message_body("b").build().expect("an entry");
    sender.send_message_batch().queue_url(url("jobs")).entries(entry).send().await.expect("the same permission");
    let elsewhere = sender.send_message().queue_url(url("dead")).message_body("a").send().await;
    assert_eq!(elsewhere.expect_err("another queue").code(), Some("AccessDeniedException"));
    let reads = sender.receive_message().queue_url(url("jobs")).send().await;
    assert_eq!(reads.expect_err("another action").code(), Some("AccessDeniedException"));
    let received = receive(&worker, "jobs").await;
    let receipt = received[0].receipt_handle().expect("a receipt");
    for client in [&worker, &sender] {
        let deleted = client.delete_message().queue_url(url("jobs")).receipt_handle(receipt).send().await;
        assert_eq!(deleted.expect_err("denied").code(), Some("AccessDeniedException"));
    }
    delete(&admin, "jobs", &received[0]).await;
    let denied = stack.endpoints.denied();
    assert_eq!(
        denied.last().map(Denial::missing_statement),
        Some(format!("- Effect: Allow\n  Action: sqs:DeleteMessage\n  Resource: \"{}\"", arn("jobs")))
    );
}

#[tokio::test]
async fn faults_can_be_planned_for_queues() {
    let (stack, client) = start().await;
    stack.endpoints.fail_next("sqs:SendMessage", 3, Fault::error(500, "InternalError"));
    let failed = client.send_message().queue_url(url("jobs")).message_body("a").send().await;
    assert_eq!(failed.expect_err("failed").code(), Some("InternalError"));
    assert_eq!((stack.endpoints.faults_left(), stack.endpoints.queue_messages(&arn("jobs"))), (0, Vec::new()));
    send(&client, "jobs", "a").await;
}

#[tokio::test]
async fn a_restart_keeps_messages_and_shows_again_what_nobody_works_on() {
    let folder = Folder::new("queues");
    let stack = TestStack::start_in(Some(folder.path())).await;
    prepare(&stack);
    let client = stack.sqs("admin");
    send(&client, "jobs", "waits").await;
    send(&client, "jobs", "was received").await;
    assert_eq!(receive(&client, "jobs").await.len(), 2);
    stack.endpoints.shutdown().await;
    drop(stack);
    let stack = TestStack::start_in(Some(folder.path())).await;
    prepare(&stack);
    let again = receive(&stack.sqs("admin"), "jobs").await;
    assert_eq!((bodies(&again), count(&again[0])), (vec!["waits", "was received"], "2"));
    stack.endpoints.shutdown().await;
}
