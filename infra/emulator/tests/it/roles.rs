//! Roles: the calls that each service allows and denies, and the record of them.

use aws_sdk_dynamodb::types::{AttributeValue, Delete, KeysAndAttributes, Put, TransactWriteItem};
use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::primitives::ByteStream;
use emulator::{Error, Principal, UsedStatement};
use serde_json::json;

use crate::support::{BUCKET, TABLE, TestStack, table_arn};

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

#[tokio::test]
async fn a_narrow_role_reads_but_does_not_write() {
    let stack = TestStack::start().await;
    stack.register(
        "reader",
        Some(json!([{
            "Effect": "Allow",
            "Action": ["dynamodb:GetItem", "dynamodb:Query"],
            "Resource": table_arn(),
        }])),
    );
    let client = stack.dynamo("reader");
    let get = client.get_item().table_name(TABLE).key("pk", text("a")).key("sk", text("b"));
    get.send().await.expect("reading is allowed");
    let put = client.put_item().table_name(TABLE).item("pk", text("a")).item("sk", text("b"));
    let error = put.send().await.expect_err("writing is not");
    assert_eq!(error.code(), Some("AccessDeniedException"));
    assert!(error.message().is_some_and(|words| words.contains("dynamodb:PutItem")));
    // The role names the table, not its indexes.
    let query = client
        .query()
        .table_name(TABLE)
        .index_name("ByVersion")
        .key_condition_expression("pk = :p")
        .expression_attribute_values(":p", text("a"));
    assert_eq!(query.send().await.expect_err("the index").code(), Some("AccessDeniedException"));
    let denied = stack.endpoints.denied();
    let actions: Vec<_> = denied.iter().map(|denial| denial.action.as_str()).collect();
    assert_eq!(actions, ["dynamodb:PutItem", "dynamodb:Query"]);
    assert_eq!(
        denied[1].missing_statement(),
        format!("- Effect: Allow\n  Action: dynamodb:Query\n  Resource: \"{}/index/ByVersion\"", table_arn())
    );
}

#[tokio::test]
async fn a_transaction_needs_the_permission_of_each_of_its_items() {
    let stack = TestStack::start().await;
    stack.register(
        "putter",
        Some(json!([
            {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": table_arn()},
            {"Effect": "Allow", "Action": "dynamodb:TransactWriteItems", "Resource": "*"},
        ])),
    );
    let client = stack.dynamo("putter");
    let put = Put::builder().table_name(TABLE).item("pk", text("a")).item("sk", text("b"));
    let put = TransactWriteItem::builder().put(put.build().expect("a put")).build();
    let delete = Delete::builder().table_name(TABLE).key("pk", text("c")).key("sk", text("d"));
    let delete = TransactWriteItem::builder().delete(delete.build().expect("a delete")).build();
    let allowed = client.transact_write_items().transact_items(put.clone());
    allowed.send().await.expect("a put is allowed");
    let mixed = client.transact_write_items().transact_items(put).transact_items(delete);
    let error = mixed.send().await.expect_err("a delete is not");
    assert_eq!(error.code(), Some("AccessDeniedException"));
    assert_eq!(stack.endpoints.denied()[0].action, "dynamodb:DeleteItem");
    // The second statement allowed nothing: transactions have no action of their own.
    let used = [UsedStatement { principal: "putter".into(), index: 0 }];
    assert_eq!(stack.endpoints.used_statements(), used);
}

#[tokio::test]
async fn leading_keys_confine_a_role_to_its_items() {
    let stack = TestStack::start().await;
    stack.register(
        "codes",
        Some(json!([{
            "Effect": "Allow",
            "Action": "dynamodb:*",
            "Resource": [table_arn(), format!("{}/index/*", table_arn())],
            "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["code#*"]}},
        }])),
    );
    let client = stack.dynamo("codes");
    for (pk, allowed) in [("code#1", true), ("user#1", false)] {
        let put = client.put_item().table_name(TABLE).item("pk", text(pk)).item("sk", text("-"));
        assert_eq!(put.send().await.is_ok(), allowed, "put {pk}");
        let get = client.get_item().table_name(TABLE).key("pk", text(pk)).key("sk", text("-"));
        assert_eq!(get.send().await.is_ok(), allowed, "get {pk}");
        let query = client
            .query()
            .table_name(TABLE)
            .index_name("ByVersion")
            .key_condition_expression("#p = :p")
            .expression_attribute_names("#p", "pk")
            .expression_attribute_values(":p", text(pk));
        assert_eq!(query.send().await.is_ok(), allowed, "query {pk}");
        let keys = KeysAndAttributes::builder()
            .keys([("pk", text(pk)), ("sk", text("-"))].map(|(name, value)| (name.to_owned(), value)).into());
        let batch = client.batch_get_item().request_items(TABLE, keys.build().expect("a key"));
        assert_eq!(batch.send().await.is_ok(), allowed, "batch {pk}");
    }
}

#[tokio::test]
async fn s3_roles_tell_objects_and_listing_apart() {
    let stack = TestStack::start().await;
    let bucket = format!("arn:aws:s3:::{BUCKET}");
    stack.register(
        "media",
        Some(json!([
            {"Effect": "Allow", "Action": ["s3:PutObject", "s3:GetObject"], "Resource": format!("{bucket}/images/*")},
        ])),
    );
    let client = stack.s3("media");
    let put = |key: &str| {
        let body = ByteStream::from_static(b"x");
        client.put_object().bucket(BUCKET).key(key).body(body).send()
    };
    put("images/a").await.expect("allowed");
    let error = put("audios/a").await.expect_err("not allowed");
    assert_eq!(error.code(), Some("AccessDenied"));
    assert_eq!(error.raw_response().map(|raw| raw.status().as_u16()), Some(403));
    let delete = client.delete_object().bucket(BUCKET).key("images/a").send().await;
    assert_eq!(delete.expect_err("not allowed").code(), Some("AccessDenied"));
    let list = client.list_objects_v2().bucket(BUCKET).send().await;
    assert_eq!(list.expect_err("not allowed").code(), Some("AccessDenied"));
}

#[tokio::test]
async fn a_missing_object_is_forbidden_to_whoever_may_not_list() {
    let stack = TestStack::start().await;
    let objects = format!("arn:aws:s3:::{BUCKET}/*");
    let get = json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": objects});
    let list = json!({"Effect": "Allow", "Action": "s3:ListBucket", "Resource": format!("arn:aws:s3:::{BUCKET}")});
    stack.register("blind", Some(json!([get])));
    stack.register("seeing", Some(json!([get, list])));
    for (name, code, status) in [("blind", "AccessDenied", 403), ("seeing", "NoSuchKey", 404)] {
        let client = stack.s3(name);
        let error = client.get_object().bucket(BUCKET).key("none").send().await.expect_err("missing");
        assert_eq!(error.code(), Some(code));
        let error = client.head_object().bucket(BUCKET).key("none").send().await.expect_err("missing");
        assert_eq!(error.raw_response().map(|raw| raw.status().as_u16()), Some(status));
    }
    let used = stack.endpoints.used_statements();
    assert!(used.contains(&UsedStatement { principal: "seeing".into(), index: 1 }), "{used:?}");
}

#[tokio::test]
async fn a_text_needs_more_than_the_topics_of_a_role() {
    let stack = TestStack::start().await;
    let role = |element: &str| json!([{"Effect": "Allow", "Action": "sns:Publish", element: "arn:aws:sns:*:*:*"}]);
    stack.register("topics", Some(role("Resource")));
    stack.register("phones", Some(role("NotResource")));
    for (name, phone_allowed) in [("topics", false), ("phones", true)] {
        let client = stack.sns(name);
        let publish = client.publish().phone_number("+8613800138000").message("hi").send().await;
        let code = publish.err().and_then(|error| error.code().map(ToOwned::to_owned));
        let expected = (!phone_allowed).then(|| "AuthorizationError".to_owned());
        assert_eq!(code, expected, "{name}");
        // The topic does not exist, but only a caller with permission learns this.
        let topic = client.publish().topic_arn("arn:aws:sns:us-east-1:000000000000:t").message("hi");
        let error = topic.send().await.expect_err("no topic").into_service_error();
        assert_eq!(error.is_not_found_exception(), !phone_allowed, "{name}: {error:?}");
    }
    assert_eq!(stack.endpoints.texts(None).len(), 1);
}

#[tokio::test]
async fn a_role_that_is_not_understood_cannot_be_registered() {
    let stack = TestStack::start().await;
    let principal = Principal {
        name: "odd".into(),
        access_key_id: "odd".into(),
        secret_access_key: "secret".into(),
        statements: Some(vec![json!({
            "Effect": "Allow",
            "Action": "s3:*",
            "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": "true"}},
        })]),
    };
    let error = stack.endpoints.register(principal.clone()).expect_err("not understood");
    assert!(matches!(error, Error::Policy { .. }), "{error}");
    let admin = Principal { access_key_id: "admin".into(), statements: None, ..principal };
    let error = stack.endpoints.register(admin).expect_err("taken");
    assert!(matches!(error, Error::AccessKeyTaken(_)), "{error}");
}
