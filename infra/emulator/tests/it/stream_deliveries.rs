//! Functions receive the changes of a table as Lambda delivers them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update};
use emulator::template::TableChanged;
use emulator::{Error, StreamHandler};
use futures::FutureExt as _;
use serde_json::{Value, json};

use crate::persistence::Folder;
use crate::support::{TABLE, TestStack, table};

/// The events that a function was invoked with.
type Calls = Arc<Mutex<Vec<Value>>>;

/// A function that records its events, and whose response depends on the call's number and event.
fn function(answer: impl Fn(usize, &Value) -> Result<Value, String> + Send + Sync + 'static) -> (StreamHandler, Calls) {
    let calls = Calls::default();
    let seen = Arc::clone(&calls);
    let handler: StreamHandler = Arc::new(move |event: Value| {
        let number = {
            let mut calls = seen.lock().expect("no panic");
            calls.push(event.clone());
            calls.len()
        };
        let answer = answer(number, &event);
        async move { answer }.boxed()
    });
    (handler, calls)
}

fn recorder() -> (StreamHandler, Calls) {
    function(|_, _| Ok(Value::Null))
}

/// All records that a function received, in their order.
fn records(calls: &Calls) -> Vec<Value> {
    let calls = calls.lock().expect("no panic");
    calls.iter().flat_map(|event| event["Records"].as_array().expect("records").clone()).collect()
}

/// The values of the attribute `n` in the new images.
fn numbers(records: &[Value]) -> Vec<u32> {
    let number = |record: &Value| record["dynamodb"]["NewImage"]["n"]["N"].as_str().expect("n").parse().expect("n");
    records.iter().map(number).collect()
}

/// A subscription to every change of [`TABLE`], from the start of its stream.
fn changed(name: &str) -> TableChanged {
    TableChanged {
        name: name.to_owned(),
        table: TABLE.to_owned(),
        from_start: true,
        batch_size: 10,
        parallelization_factor: 1,
        filters: Vec::new(),
        retries: None,
        record_age: None,
        bisects: false,
        reports_failures: false,
        dead_letters: None,
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: u32) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn item(pk: &str, sk: &str, n: u32) -> HashMap<String, AttributeValue> {
    let fields = [("pk", text(pk)), ("sk", text(sk)), ("n", number(n))];
    fields.map(|(name, value)| (name.to_owned(), value)).into()
}

async fn put(stack: &TestStack, pk: &str, sk: &str, n: u32) {
    let put = stack.dynamo("admin").put_item().table_name(TABLE).set_item(Some(item(pk, sk, n)));
    put.send().await.expect("an item");
}

#[tokio::test]
async fn a_record_has_lambda_s_form() {
    let stack = TestStack::start().await;
    let (handler, calls) = recorder();
    stack.endpoints.on_table_changed("listener", changed("all"), handler).await.expect("a mapping");
    put(&stack, "user#1", "head", 1).await;
    put(&stack, "user#1", "head", 2).await;
    let delete = stack.dynamo("admin").delete_item().table_name(TABLE);
    delete.key("pk", text("user#1")).key("sk", text("head")).send().await.expect("deleted");
    stack.endpoints.settled().await;
    let records = records(&calls);
    let names: Vec<_> = records.iter().map(|record| record["eventName"].as_str().expect("a name")).collect();
    assert_eq!(names, ["INSERT", "MODIFY", "REMOVE"]);
    let image = |n: &str| json!({"pk": {"S": "user#1"}, "sk": {"S": "head"}, "n": {"N": n}});
    let modified = &records[1];
    assert_eq!(modified["dynamodb"]["OldImage"], image("1"));
    assert_eq!(modified["dynamodb"]["NewImage"], image("2"));
    assert_eq!(modified["dynamodb"]["Keys"], json!({"pk": {"S": "user#1"}, "sk": {"S": "head"}}));
    assert_eq!(modified["dynamodb"]["StreamViewType"], "NEW_AND_OLD_IMAGES");
    // Names and values of keys and both images: 2 + 6 + 2 + 4, and twice the same with 1 + 2 for the number.
    assert_eq!(modified["dynamodb"]["SizeBytes"], 14 + 17 + 17);
    assert!(modified["dynamodb"]["ApproximateCreationDateTime"].is_u64());
    assert_eq!(
        (&modified["eventSource"], &modified["eventVersion"], &modified["awsRegion"]),
        (&json!("aws:dynamodb"), &json!("1.1"), &json!("us-east-1"))
    );
    let arn = modified["eventSourceARN"].as_str().expect("an ARN");
    assert!(arn.starts_with("arn:aws:dynamodb:us-east-1:000000000000:table/Main/stream/"), "{arn}");
    assert!(modified.get("userIdentity").is_none());
    let sequences: Vec<_> = records.iter().map(|record| record["dynamodb"]["SequenceNumber"].to_string()).collect();
    assert!(sequences.is_sorted() && sequences[0] != sequences[1], "{sequences:?}");
    assert_ne!(records[0]["eventID"], records[1]["eventID"]);
    assert!(records[0]["dynamodb"].get("OldImage").is_none() && records[2]["dynamodb"].get("NewImage").is_none());
}

#[tokio::test]
async fn every_way_to_write_is_told_once_and_in_order() {
    let stack = TestStack::start().await;
    let (handler, calls) = recorder();
    stack.endpoints.on_table_changed("listener", changed("all"), handler).await.expect("a mapping");
    let client = stack.dynamo("admin");
    let update = Update::builder().table_name(TABLE).key("pk", text("a")).key("sk", text("2"));
    let update = update.update_expression("SET n = :n").expression_attribute_values(":n", number(2)).build();
    let first = Put::builder().table_name(TABLE).set_item(Some(item("a", "1", 1))).build();
    client
        .transact_write_items()
        .transact_items(TransactWriteItem::builder().put(first.expect("a put")).build())
        .transact_items(TransactWriteItem::builder().update(update.expect("an update")).build())
        .send()
        .await
        .expect("a transaction");
    let cancelled = Put::builder().table_name(TABLE).set_item(Some(item("a", "9", 9))).build();
    let check = Delete::builder().table_name(TABLE).key("pk", text("a")).key("sk", text("1"));
    let check = check.condition_expression("attribute_not_exists(pk)").build();
    let rolled_back = client
        .transact_write_items()
        .transact_items(TransactWriteItem::builder().put(cancelled.expect("a put")).build())
        .transact_items(TransactWriteItem::builder().delete(check.expect("a delete")).build());
    rolled_back.send().await.expect_err("a condition fails");
    let update = client.update_item().table_name(TABLE).key("pk", text("a")).key("sk", text("2"));
    update
        .update_expression("ADD n :one")
        .expression_attribute_values(":one", number(1))
        .send()
        .await
        .expect("updated");
    put(&stack, "a", "3", 4).await;
    let delete = client.delete_item().table_name(TABLE).key("pk", text("a")).key("sk", text("1"));
    delete.send().await.expect("deleted");
    // Neither of these writes changes anything.
    put(&stack, "a", "3", 4).await;
    let gone = client.delete_item().table_name(TABLE).key("pk", text("a")).key("sk", text("gone"));
    gone.send().await.expect("nothing deleted");
    stack.endpoints.settled().await;
    let told: Vec<String> = records(&calls)
        .iter()
        .map(|record| {
            let changed = &record["dynamodb"];
            let n = |image: &str| changed[image]["n"]["N"].as_str().unwrap_or("-").to_owned();
            let (name, sk) = (&record["eventName"], &changed["Keys"]["sk"]["S"]);
            format!("{} {} {} {}", name.as_str().unwrap(), sk.as_str().unwrap(), n("OldImage"), n("NewImage"))
        })
        .collect();
    assert_eq!(told, ["INSERT 1 - 1", "INSERT 2 - 2", "MODIFY 2 2 3", "INSERT 3 - 4", "REMOVE 1 1 -"]);
}

#[tokio::test]
async fn what_expires_is_told_as_removed_by_the_service() {
    let stack = TestStack::start().await;
    let (handler, calls) = recorder();
    stack.endpoints.on_table_changed("listener", changed("all"), handler).await.expect("a mapping");
    let old = stack.dynamo("admin").put_item().table_name(TABLE).set_item(Some(item("a", "b", 1)));
    old.item("ttl", number(1)).send().await.expect("an item");
    stack.endpoints.sweep_expired().await.expect("a sweep");
    stack.endpoints.settled().await;
    let removed = records(&calls).pop().expect("a record");
    assert_eq!(removed["eventName"], "REMOVE");
    assert_eq!(removed["userIdentity"], json!({"type": "Service", "principalId": "dynamodb.amazonaws.com"}));
}

#[tokio::test]
async fn two_functions_hear_of_one_stream_each_by_its_filters() {
    let stack = TestStack::start().await;
    let keys = |rule: Value| json!({"dynamodb": {"Keys": {"sk": {"S": [rule]}}}});
    let friends = [keys(json!({"prefix": "friend#"})), keys(json!("head"))];
    let job = json!({"eventName": ["INSERT"], "dynamodb": {"Keys": {"sk": {"S": ["job"]}}}});
    let mut heard = Vec::new();
    for (function, filters) in [("notify", friends.to_vec()), ("social", vec![job])] {
        let (handler, calls) = recorder();
        let changed = TableChanged { filters, ..changed("Changes") };
        stack.endpoints.on_table_changed(function, changed, handler).await.expect("a mapping");
        heard.push(calls);
    }
    for (n, sk) in ["friend#2", "head", "job", "account", "job"].into_iter().enumerate() {
        put(&stack, "user#1", sk, u32::try_from(n).expect("few")).await;
    }
    stack.endpoints.settled().await;
    assert_eq!(numbers(&records(&heard[0])), [0, 1]);
    assert_eq!(numbers(&records(&heard[1])), [2]);
}

#[tokio::test]
async fn each_key_keeps_its_order_while_lanes_work_side_by_side() {
    let stack = TestStack::start().await;
    let calls = Calls::default();
    let seen = Arc::clone(&calls);
    let handler: StreamHandler = Arc::new(move |event: Value| {
        let seen = Arc::clone(&seen);
        async move {
            // More records take less time: a later batch would overtake an earlier one with the same key.
            let count = event["Records"].as_array().map_or(0, Vec::len);
            tokio::time::sleep(Duration::from_millis(20_u64.saturating_sub(count as u64))).await;
            seen.lock().expect("no panic").push(event);
            Ok(Value::Null)
        }
        .boxed()
    });
    let lanes = TableChanged { parallelization_factor: 4, batch_size: 7, ..changed("lanes") };
    stack.endpoints.on_table_changed("listener", lanes, handler).await.expect("a mapping");
    let writers = (0..8).map(|writer| {
        let client = stack.dynamo("admin");
        tokio::spawn(async move {
            for n in 0..25 {
                let pk = format!("user#{writer}");
                let put = client.put_item().table_name(TABLE).set_item(Some(item(&pk, "head", n)));
                put.send().await.expect("an item");
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("no panic");
    }
    stack.endpoints.settled().await;
    let records = records(&calls);
    assert_eq!(records.len(), 200);
    for writer in 0..8 {
        let own = json!({"S": format!("user#{writer}")});
        let own: Vec<Value> =
            records.iter().filter(|record| record["dynamodb"]["Keys"]["pk"] == own).cloned().collect();
        assert_eq!(numbers(&own), (0..25).collect::<Vec<_>>());
    }
    let largest =
        calls.lock().expect("no panic").iter().map(|event| event["Records"].as_array().map_or(0, Vec::len)).max();
    assert!(largest <= Some(7), "{largest:?}");
}

#[tokio::test]
async fn a_failed_batch_comes_again_and_nothing_overtakes_it() {
    let stack = TestStack::start().await;
    let (handler, calls) = function(|call, _| match call {
        1 => Err("not yet".to_owned()),
        2 => panic!("the function"),
        _ => Ok(Value::Null),
    });
    stack.endpoints.on_table_changed("listener", changed("all"), handler).await.expect("a mapping");
    for n in 0..3 {
        put(&stack, "a", "b", n).await;
    }
    stack.endpoints.settled().await;
    let calls = calls.lock().expect("no panic").clone();
    assert_eq!((&calls[0], &calls[1]), (&calls[1], &calls[2]), "the same batch");
    let done: Vec<Value> = calls[2..].iter().flat_map(|event| event["Records"].as_array().unwrap().clone()).collect();
    assert_eq!(numbers(&done), [0, 1, 2]);
    assert!(stack.endpoints.dead_letters().is_empty());
}

/// Writes five changes to the stream before a function exists, so that they arrive in one batch.
async fn five_changes() -> TestStack {
    let stack = TestStack::start().await;
    for n in 0..5 {
        put(&stack, "a", "b", n).await;
    }
    stack
}

#[tokio::test]
async fn the_rest_of_a_batch_comes_again_from_the_first_that_the_function_names() {
    let stack = five_changes().await;
    let (handler, calls) = function(|call, event| {
        let sequence = |index: usize| event["Records"][index]["dynamodb"]["SequenceNumber"].clone();
        let named = |sequences: &[Value]| {
            let failures: Vec<Value> = sequences.iter().map(|one| json!({"itemIdentifier": one})).collect();
            json!({"batchItemFailures": failures})
        };
        Ok(match call {
            1 => named(&[sequence(4), sequence(3)]),
            2 => named(&[json!("")]),
            _ => json!({"batchItemFailures": []}),
        })
    });
    let reporting = TableChanged { reports_failures: true, ..changed("all") };
    stack.endpoints.on_table_changed("listener", reporting, handler).await.expect("a mapping");
    stack.endpoints.settled().await;
    let calls = calls.lock().expect("no panic").clone();
    let of = |event: &Value| numbers(event["Records"].as_array().unwrap());
    assert_eq!(calls.iter().map(of).collect::<Vec<_>>(), [vec![0, 1, 2, 3, 4], vec![3, 4], vec![3, 4]]);
}

#[tokio::test]
async fn a_batch_is_halved_until_only_what_cannot_be_done_is_given_up() {
    let stack = five_changes().await;
    let (handler, calls) = function(|_, event| {
        let poisoned = numbers(event["Records"].as_array().unwrap()).contains(&2);
        if poisoned { Err("poison".to_owned()) } else { Ok(Value::Null) }
    });
    let queue = "arn:aws:sqs:us-east-1:000000000000:letters";
    let halving =
        TableChanged { bisects: true, retries: Some(1), dead_letters: Some(queue.to_owned()), ..changed("all") };
    stack.endpoints.on_table_changed("listener", halving, handler).await.expect("a mapping");
    stack.endpoints.settled().await;
    let done: Vec<Vec<u32>> = {
        let calls = calls.lock().expect("no panic");
        calls.iter().map(|event| numbers(event["Records"].as_array().unwrap())).collect()
    };
    assert_eq!(done, [vec![0, 1, 2, 3, 4], vec![0, 1], vec![2, 3, 4], vec![2], vec![2], vec![3, 4]]);
    let letters = stack.endpoints.dead_letters();
    let [letter] = letters.as_slice() else { panic!("{letters:?}") };
    assert_eq!((letter.function.as_str(), letter.error.as_str()), ("listener", "poison"));
    assert_eq!(letter.destination.as_deref(), Some(queue));
    assert_eq!(letter.body["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(letter.body["requestContext"]["approximateInvokeCount"], 2);
    let info = &letter.body["DDBStreamBatchInfo"];
    assert_eq!((&info["batchSize"], &info["startSequenceNumber"]), (&json!(1), &info["endSequenceNumber"]));
    assert!(
        info["approximateArrivalOfFirstRecord"]
            .as_str()
            .is_some_and(|time| time.len() == "2026-03-01T12:00:00.000Z".len())
    );
}

#[tokio::test]
async fn without_halving_the_whole_batch_is_given_up() {
    let stack = five_changes().await;
    let (handler, calls) = function(|_, _| Err("no".to_owned()));
    let stubborn = TableChanged { retries: Some(0), batch_size: 2, ..changed("all") };
    stack.endpoints.on_table_changed("listener", stubborn, handler).await.expect("a mapping");
    stack.endpoints.settled().await;
    assert_eq!(calls.lock().expect("no panic").len(), 3, "each batch once");
    let sizes: Vec<_> = stack
        .endpoints
        .dead_letters()
        .iter()
        .map(|letter| letter.body["DDBStreamBatchInfo"]["batchSize"].clone())
        .collect();
    assert_eq!(sizes, [2, 2, 1]);
}

/// A function that copies each number it receives to another sort key, up to twenty.
fn ball(client: aws_sdk_dynamodb::Client, to: &'static str) -> StreamHandler {
    Arc::new(move |event: Value| {
        let client = client.clone();
        async move {
            for n in numbers(event["Records"].as_array().unwrap()).into_iter().filter(|n| *n < 20) {
                tokio::time::sleep(Duration::from_millis(5)).await;
                let next = client.put_item().table_name(TABLE).set_item(Some(item("ball", to, n + 1)));
                next.send().await.map_err(|error| error.to_string())?;
            }
            Ok(Value::Null)
        }
        .boxed()
    })
}

#[tokio::test]
async fn settled_also_waits_for_what_functions_write_for_each_other() {
    let stack = TestStack::start().await;
    for (from, to) in [("left", "right"), ("right", "left")] {
        let filter = json!({"dynamodb": {"Keys": {"sk": {"S": [from]}}}});
        let subscription = TableChanged { filters: vec![filter], ..changed(from) };
        stack
            .endpoints
            .on_table_changed("listener", subscription, ball(stack.dynamo("admin"), to))
            .await
            .expect("a mapping");
    }
    put(&stack, "ball", "left", 0).await;
    stack.endpoints.settled().await;
    let last = stack.dynamo("admin").get_item().table_name(TABLE).key("pk", text("ball")).key("sk", text("left"));
    let last = last.send().await.expect("an answer").item.expect("the last");
    assert_eq!(last["n"], number(20));
}

/// A function that receives new changes only, unless its mapping existed before.
async fn heard(stack: &TestStack) -> Calls {
    let (handler, calls) = recorder();
    let from_latest = TableChanged { from_start: false, ..changed("all") };
    stack.endpoints.on_table_changed("listener", from_latest, handler).await.expect("a mapping");
    calls
}

#[tokio::test]
async fn a_mapping_goes_on_after_a_restart_where_it_was() {
    let folder = Folder::new("streams");
    let stack = TestStack::start_in(Some(folder.path())).await;
    put(&stack, "a", "b", 0).await;
    let calls = heard(&stack).await;
    put(&stack, "a", "b", 1).await;
    stack.endpoints.settled().await;
    assert_eq!(numbers(&records(&calls)), [1], "a new mapping from the latest");
    stack.endpoints.shutdown().await;
    drop(stack);

    // No function is mapped in this run, for example while a developer rewrites it.
    let stack = TestStack::start_in(Some(folder.path())).await;
    put(&stack, "a", "b", 2).await;
    stack.endpoints.sweep_expired().await.expect("a sweep");
    stack.endpoints.shutdown().await;
    drop(stack);

    let stack = TestStack::start_in(Some(folder.path())).await;
    let calls = heard(&stack).await;
    put(&stack, "a", "b", 3).await;
    stack.endpoints.settled().await;
    assert_eq!(numbers(&records(&calls)), [2, 3]);
    stack.endpoints.shutdown().await;
}

#[tokio::test]
async fn what_was_under_way_when_a_run_ended_comes_again() {
    let folder = Folder::new("streams-cut");
    let stack = TestStack::start_in(Some(folder.path())).await;
    let (begun, mut begins) = tokio::sync::mpsc::unbounded_channel();
    let stuck: StreamHandler = Arc::new(move |_| {
        let _ = begun.send(());
        std::future::pending().boxed()
    });
    stack.endpoints.on_table_changed("listener", changed("all"), stuck).await.expect("a mapping");
    put(&stack, "a", "b", 7).await;
    begins.recv().await.expect("the function began");
    drop(stack);

    let stack = loop {
        // The dropped endpoints release their folder a moment later.
        match tokio::spawn(TestStack::start_in(Some(folder.path()))).await {
            Ok(stack) => break stack,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    let (handler, calls) = recorder();
    stack.endpoints.on_table_changed("listener", changed("all"), handler).await.expect("a mapping");
    stack.endpoints.settled().await;
    assert_eq!(numbers(&records(&calls)), [7]);
    stack.endpoints.shutdown().await;
}

#[tokio::test]
async fn a_table_of_an_earlier_version_gets_its_stream() {
    let folder = Folder::new("streams-migration");
    let stack = TestStack::start_in(Some(folder.path())).await;
    let mut older = table();
    older.as_object_mut().expect("an object").remove("StreamSpecification");
    older["TableName"] = json!("Older");
    stack.endpoints.create_table(&older).expect("a table");
    let (handler, calls) = recorder();
    let of_older = || TableChanged { table: "Older".to_owned(), ..changed("all") };
    let refused = stack.endpoints.on_table_changed("listener", of_older(), handler.clone()).await;
    assert!(matches!(refused, Err(Error::NoStream(_))));
    let put = |n| stack.dynamo("admin").put_item().table_name("Older").set_item(Some(item("a", "b", n))).send();
    put(1).await.expect("an item");
    older["StreamSpecification"] = table()["StreamSpecification"].clone();
    stack.endpoints.create_table(&older).expect("the same table with a stream");
    stack.endpoints.on_table_changed("listener", of_older(), handler).await.expect("a mapping");
    put(2).await.expect("an item");
    stack.endpoints.settled().await;
    assert_eq!(numbers(&records(&calls)), [2]);
    stack.endpoints.shutdown().await;
}

#[tokio::test]
async fn a_filter_that_lambda_would_refuse_is_named() {
    let stack = TestStack::start().await;
    let wrong = TableChanged { filters: vec![json!({"eventName": "INSERT"})], ..changed("all") };
    let error = stack.endpoints.on_table_changed("listener", wrong, recorder().0).await.expect_err("refused");
    assert!(error.to_string().contains("listener") && error.to_string().contains("eventName"), "{error}");
}
