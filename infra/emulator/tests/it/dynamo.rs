//! DynamoDB: transactions, indexes, expiry, and faults.

use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason, ConditionCheck, Put, TransactWriteItem};
use emulator::{Fault, REGION};
use sha2::{Digest as _, Sha256};

use crate::support::{TABLE, TestStack, hex, send, sign, table};

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn put(pk: &str) -> TransactWriteItem {
    let put = Put::builder()
        .table_name(TABLE)
        .item("pk", text(pk))
        .item("sk", text("-"))
        .condition_expression("attribute_not_exists(pk)")
        .build()
        .expect("a put");
    TransactWriteItem::builder().put(put).build()
}

fn reasons(error: &TransactWriteItemsError) -> &[CancellationReason] {
    match error {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => cancelled.cancellation_reasons(),
        other => panic!("cancelled, not {other:?}"),
    }
}

#[tokio::test]
async fn a_cancelled_transaction_gives_its_reasons_by_position() {
    let stack = TestStack::start().await;
    let client = stack.dynamo("admin");
    let first = client.transact_write_items().transact_items(put("a")).transact_items(put("b"));
    first.send().await.expect("two new items");
    let check = ConditionCheck::builder()
        .table_name(TABLE)
        .key("pk", text("a"))
        .key("sk", text("-"))
        .condition_expression("attribute_exists(pk)")
        .build()
        .expect("a check");
    let error = client
        .transact_write_items()
        .transact_items(TransactWriteItem::builder().condition_check(check).build())
        .transact_items(put("b"))
        .send()
        .await
        .expect_err("b exists")
        .into_service_error();
    let reasons = reasons(&error);
    let codes: Vec<_> = reasons.iter().map(|reason| reason.code().unwrap_or("None")).collect();
    assert_eq!(codes, ["None", "ConditionalCheckFailed"]);
}

#[tokio::test]
async fn a_conflict_can_be_ordered_at_a_position() {
    let stack = TestStack::start().await;
    let client = stack.dynamo("admin");
    let call = "dynamodb:TransactWriteItems";
    stack.endpoints.fail_next(call, 1, Fault::transaction_conflict(1));
    let write = || client.transact_write_items().transact_items(put("a")).transact_items(put("b"));
    let error = write().send().await.expect_err("a conflict").into_service_error();
    let reasons = reasons(&error);
    let codes: Vec<_> = reasons.iter().map(|reason| reason.code().unwrap_or_default()).collect();
    assert_eq!(codes, ["None", "TransactionConflict"]);
    assert_eq!(stack.endpoints.faults_left(), 0);
    write().send().await.expect("the fault happens once");
}

#[tokio::test]
async fn ordered_faults_are_retried_by_the_sdk_until_they_end() {
    let stack = TestStack::start().await;
    let client = stack.dynamo("admin");
    let get = || client.get_item().table_name(TABLE).key("pk", text("a")).key("sk", text("-"));
    for fault in [Fault::throughput_exceeded(), Fault::internal_server_error()] {
        stack.endpoints.fail_next("dynamodb:GetItem", 2, fault.clone());
        get().send().await.expect("the third attempt succeeds");
        stack.endpoints.fail_next("dynamodb:*", 3, fault);
        get().send().await.expect_err("three attempts fail");
    }
    stack.endpoints.fail_next("dynamodb:GetItem", 3, Fault::throughput_exceeded());
    let error = get().send().await.expect_err("three attempts fail").into_service_error();
    assert!(error.is_provisioned_throughput_exceeded_exception(), "{error:?}");
    stack.endpoints.fail_after("dynamodb:GetItem", 2, 1, Fault::error(400, "ValidationException"));
    for fails in [false, false, true, false] {
        assert_eq!(get().send().await.is_err(), fails, "the third call alone");
    }
}

#[tokio::test]
async fn an_index_is_read_consistently_and_expired_items_go() {
    let stack = TestStack::start().await;
    let client = stack.dynamo("admin");
    for (sk, version, ttl) in [("a", "1", "1"), ("b", "2", "4102444800")] {
        client
            .put_item()
            .table_name(TABLE)
            .item("pk", text("user"))
            .item("sk", text(sk))
            .item("version", AttributeValue::N(version.to_owned()))
            .item("ttl", AttributeValue::N(ttl.to_owned()))
            .send()
            .await
            .expect("an item");
    }
    let query = || {
        client
            .query()
            .table_name(TABLE)
            .index_name("ByVersion")
            .consistent_read(true)
            .key_condition_expression("pk = :p AND version > :v")
            .expression_attribute_values(":p", text("user"))
            .expression_attribute_values(":v", AttributeValue::N("0".to_owned()))
            .send()
    };
    assert_eq!(query().await.expect("a page").count(), 2);
    assert_eq!(stack.endpoints.sweep_expired().await.expect("a sweep"), 1);
    assert_eq!(query().await.expect("a page").count(), 1);
}

#[tokio::test]
async fn what_is_not_supported_is_refused() {
    let stack = TestStack::start().await;
    let error = stack.dynamo("admin").list_tables().send().await.expect_err("not supported");
    assert_eq!(error.code(), Some("UnknownOperationException"));
}

#[tokio::test]
async fn two_hundred_conditional_updates_have_one_winner() {
    let stack = TestStack::start().await;
    let client = stack.dynamo("admin");
    let attempts = (0..200).map(|_| {
        let put = client
            .put_item()
            .table_name(TABLE)
            .item("pk", text("claim"))
            .item("sk", text("-"))
            .condition_expression("attribute_not_exists(pk)");
        tokio::spawn(async move { put.send().await.is_ok() })
    });
    let mut winners = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        winners += usize::from(attempt.await.expect("no panic"));
    }
    assert_eq!(winners, 1);
}

#[tokio::test]
async fn a_table_is_kept_with_the_same_schema_and_refused_with_another() {
    let stack = TestStack::start().await;
    stack.endpoints.create_table(&table()).expect("the same table");
    let mut other = table();
    other["LocalSecondaryIndexes"][0]["IndexName"] = "ByAge".into();
    let error = stack.endpoints.create_table(&other).expect_err("another schema");
    assert!(error.to_string().contains("LocalSecondaryIndexes"), "{error}");
    let mut unknown = table();
    unknown["Colour"] = "blue".into();
    stack.endpoints.create_table(&unknown).expect_err("an unknown property");
}

#[tokio::test]
async fn unknown_access_keys_and_wrong_secrets_are_refused() {
    let stack = TestStack::start().await;
    let error = stack.dynamo("stranger").scan().table_name(TABLE).send().await.expect_err("refused");
    assert_eq!(error.code(), Some("UnrecognizedClientException"));
    stack.register_with_secret("thief", "another secret");
    let error = stack.dynamo("thief").scan().table_name(TABLE).send().await.expect_err("refused");
    assert_eq!(error.code(), Some("InvalidSignatureException"));
}

#[tokio::test]
async fn nesting_too_deep_to_check_is_refused() {
    let stack = TestStack::start().await;
    stack.register("nobody", Some(serde_json::json!([])));
    let deep = format!("{{\"TableName\":\"{TABLE}\",\"Item\":{}1{}}}", "[".repeat(500), "]".repeat(500));
    let canonical = format!("POST\n/\n\nx-amz-date:20260301T000000Z\n\nx-amz-date\n{}", hex(&Sha256::digest(&deep)));
    let scope = format!("20260301/{REGION}/dynamodb/aws4_request");
    let to_sign = format!("AWS4-HMAC-SHA256\n20260301T000000Z\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let signature = sign("nobody", "20260301", "dynamodb", &to_sign);
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential=nobody/{scope}, SignedHeaders=x-amz-date, Signature={signature}");
    let headers = [
        ("authorization", authorization.as_str()),
        ("x-amz-date", "20260301T000000Z"),
        ("x-amz-target", "DynamoDB_20120810.PutItem"),
        ("content-type", "application/x-amz-json-1.0"),
    ];
    let answer = send("POST", stack.endpoints.url(), &headers, deep).await;
    let body = String::from_utf8_lossy(answer.body()).into_owned();
    assert_eq!(answer.status(), 400, "{body}");
    assert!(body.contains("SerializationException"), "{body}");
}
