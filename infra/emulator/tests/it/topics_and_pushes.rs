//! SNS: publishing to topics and platform endpoints.

use aws_sdk_sns::Client;
use aws_sdk_sns::error::ProvideErrorMetadata as _;
use aws_sdk_sns::types::MessageAttributeValue;
use emulator::Fault;
use serde_json::{Value, json};

use crate::persistence::Folder;
use crate::support::TestStack;

const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:news";
const APNS: &str = "arn:aws:sns:us-east-1:000000000000:app/APNS/local";
const GCM: &str = "arn:aws:sns:us-east-1:000000000000:app/GCM/local";

/// A stack with a topic and two applications, and an administrator's client.
async fn start() -> (TestStack, Client) {
    let stack = TestStack::start().await;
    prepare(&stack);
    let client = stack.sns("admin");
    (stack, client)
}

fn prepare(stack: &TestStack) {
    stack.endpoints.create_topic(TOPIC);
    stack.endpoints.create_platform_application(APNS);
    stack.endpoints.create_platform_application(GCM);
}

fn text(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type("String").string_value(value).build().expect("an attribute")
}

async fn endpoint(client: &Client, application: &str, token: &str) -> String {
    let made = client.create_platform_endpoint().platform_application_arn(application).token(token).send().await;
    made.expect("an endpoint").endpoint_arn().expect("an ARN").to_owned()
}

#[tokio::test]
async fn what_a_topic_takes_is_kept_newest_first() {
    let (stack, client) = start().await;
    let publish = client.publish().topic_arn(TOPIC).message("{\"n\":1} <&> 徒步");
    let publish = publish.message_attributes("operation", text("Request")).message_attributes("type", text("contact"));
    let id = publish.send().await.expect("published").message_id().expect("an id").to_owned();
    client.publish().topic_arn(TOPIC).message("for all").send().await.expect("published");
    let kept = stack.endpoints.notifications();
    assert_eq!(kept.iter().map(|one| one.message.as_str()).collect::<Vec<_>>(), ["for all", "{\"n\":1} <&> 徒步"]);
    let first = &kept[1];
    assert_eq!((first.topic.as_str(), first.message_id.as_str()), (TOPIC, id.as_str()));
    assert_eq!((first.attributes["operation"].as_str(), first.attributes.len()), ("Request", 2));
    assert!(first.sent_at > 1_700_000_000_000 && stack.endpoints.texts(None).is_empty());
}

#[tokio::test]
async fn what_a_topic_refuses_is_not_kept() {
    let (stack, client) = start().await;
    let publish = || client.publish().topic_arn(TOPIC);
    let long = "x".repeat(256 * 1024 - 10);
    let refused = [
        publish().message(""),
        publish().message(&long).message_attributes("operation", text("Request")),
        publish().message("hi").message_structure("json"),
        publish().message("{\"default\":\"x\"}").message_structure("json"),
        publish().message("hi").subject("not supported"),
    ];
    for (index, publish) in refused.into_iter().enumerate() {
        let error = publish.send().await.expect_err("refused").into_service_error();
        assert!(error.is_invalid_parameter_exception(), "{index}: {error:?}");
    }
    let malformed = publish().message("hi").message_attributes("a b", text("x")).send().await;
    let error = malformed.expect_err("refused").into_service_error();
    assert!(error.is_invalid_parameter_value_exception(), "{error:?}");
    let nowhere = client.publish().topic_arn(format!("{TOPIC}s")).message("hi").send().await;
    assert!(nowhere.expect_err("refused").into_service_error().is_not_found_exception());
    assert!(stack.endpoints.notifications().is_empty());
    publish().message(long).send().await.expect("just short enough");
}

#[tokio::test]
async fn calls_that_are_not_supported_are_refused_by_name() {
    let (_stack, client) = start().await;
    let arn = endpoint(&client, GCM, "abc").await;
    let read = client.get_endpoint_attributes().endpoint_arn(&arn).send().await;
    assert_eq!(read.expect_err("not supported").code(), Some("InvalidAction"));
    let with_data = client.create_platform_endpoint().platform_application_arn(GCM).token("x").custom_user_data("7");
    assert_eq!(with_data.send().await.expect_err("not supported").code(), Some("InvalidParameter"));
}

#[tokio::test]
async fn an_endpoint_is_deleted_and_made_anew() {
    let (_stack, client) = start().await;
    let arn = endpoint(&client, GCM, "abc").await;
    for _ in 0..2 {
        client.delete_endpoint().endpoint_arn(&arn).send().await.expect("deleted, or there was none");
    }
    let push = client.publish().target_arn(&arn).message_structure("json").message(r#"{"default":"hi"}"#).send().await;
    assert_eq!(push.expect_err("refused").code(), Some("InvalidParameter"));
    assert_ne!(endpoint(&client, GCM, "abc").await, arn);
}

#[tokio::test]
async fn a_token_has_one_endpoint_in_each_application() {
    let (_stack, client) = start().await;
    let first = endpoint(&client, GCM, "abc:def").await;
    assert!(first.starts_with("arn:aws:sns:us-east-1:000000000000:endpoint/GCM/local/"), "{first}");
    assert_eq!(endpoint(&client, GCM, "abc:def").await, first);
    assert_ne!(endpoint(&client, GCM, "other").await, first);
    assert_ne!(endpoint(&client, APNS, "abcdef").await, first);
    let create = |application: &str, token: &str| {
        client.create_platform_endpoint().platform_application_arn(application).token(token)
    };
    for (application, token, code) in [
        (APNS, "not hexadecimal", "InvalidParameter"),
        (APNS, "", "InvalidParameter"),
        ("arn:aws:sns:us-east-1:000000000000:app/GCM/other", "abc", "NotFound"),
    ] {
        assert_eq!(create(application, token).send().await.expect_err("refused").code(), Some(code), "{application}");
    }
}

#[tokio::test]
async fn a_push_hands_each_service_its_payload() {
    let (stack, client) = start().await;
    let message = json!({"default": "hi", "APNS": "{\"aps\":{\"alert\":\"a\"}}", "GCM": "{\"data\":{}}"}).to_string();
    for (application, token) in [(APNS, "00ff"), (GCM, "abc:def")] {
        let arn = endpoint(&client, application, token).await;
        let push = client.publish().target_arn(arn).message_structure("json").message(&message).send().await;
        push.expect("pushed").message_id().expect("an id");
    }
    let pushes = stack.endpoints.pushes();
    let told: Vec<_> =
        pushes.iter().map(|push| (push.platform.as_str(), push.token.as_str(), push.payload.as_str())).collect();
    assert_eq!(told, [("GCM", "abc:def", "{\"data\":{}}"), ("APNS", "00ff", "{\"aps\":{\"alert\":\"a\"}}")]);
    assert!(stack.endpoints.notifications().is_empty());
}

#[tokio::test]
async fn a_push_without_an_endpoint_and_a_malformed_one_are_refused() {
    let (stack, client) = start().await;
    let arn = endpoint(&client, APNS, "00ff").await;
    let publish = |arn: &str| client.publish().target_arn(arn).message_structure("json");
    let push = |message: &str| publish(&arn).message(message).send();
    let long = json!({"APNS": json!({"aps": {"alert": "x".repeat(4_096)}}).to_string()}).to_string();
    for malformed in ["{\"GCM\":\"{}\"}", "{\"APNS\":\"no json\"}", "hi", &long] {
        let error = push(malformed).await.expect_err("refused").into_service_error();
        assert!(error.is_invalid_parameter_exception(), "{malformed}: {error:?}");
    }
    let error = publish(&format!("{arn}0")).message("{\"APNS\":\"{}\"}").send().await.expect_err("no endpoint");
    assert_eq!(
        error.message(),
        Some("Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified")
    );
    assert!(stack.endpoints.pushes().is_empty());
}

#[tokio::test]
async fn a_role_allows_each_topic_application_and_endpoint_by_itself() {
    let (stack, admin) = start().await;
    let statement = |action: &str, resource: &str| json!({"Effect": "Allow", "Action": action, "Resource": resource});
    let endpoints = "arn:aws:sns:us-east-1:000000000000:endpoint/APNS/local/*";
    let role = [
        statement("sns:Publish", TOPIC),
        statement("sns:CreatePlatformEndpoint", APNS),
        statement("sns:Publish", endpoints),
    ];
    stack.register("notify", Some(Value::from(role.to_vec())));
    stack.endpoints.create_topic(&format!("{TOPIC}s"));
    let client = stack.sns("notify");
    let own = endpoint(&client, APNS, "00ff").await;
    let other = endpoint(&admin, GCM, "abc").await;
    for (publish, allowed) in [
        (client.publish().topic_arn(TOPIC), true),
        (client.publish().topic_arn(format!("{TOPIC}s")), false),
        (client.publish().target_arn(&own).message_structure("json"), true),
        (client.publish().target_arn(&other).message_structure("json"), false),
        (client.publish().phone_number("+8613800138000"), false),
    ] {
        let code = publish
            .message("{\"APNS\":\"{}\"}")
            .send()
            .await
            .err()
            .and_then(|error| error.code().map(ToOwned::to_owned));
        assert_eq!(code, (!allowed).then(|| "AuthorizationError".to_owned()));
    }
    let create = client.create_platform_endpoint().platform_application_arn(GCM).token("x").send().await;
    assert_eq!(create.expect_err("denied").code(), Some("AuthorizationError"));
    let denied = stack.endpoints.denied();
    assert_eq!(denied.last().map(|denial| denial.action.as_str()), Some("sns:CreatePlatformEndpoint"));
}

#[tokio::test]
async fn faults_can_be_ordered_for_topics_and_endpoints() {
    let (stack, client) = start().await;
    stack.endpoints.fail_next("sns:Publish", 3, Fault::internal_error());
    let publish = || client.publish().topic_arn(TOPIC).message("hi").send();
    let error = publish().await.expect_err("failed").into_service_error();
    assert!(error.is_internal_error_exception(), "{error:?}");
    assert!(stack.endpoints.notifications().is_empty());
    publish().await.expect("the faults are over");
    stack.endpoints.fail_next("sns:CreatePlatformEndpoint", 3, Fault::throttled());
    let create = || client.create_platform_endpoint().platform_application_arn(GCM).token("x").send();
    assert_eq!(create().await.expect_err("throttled").code(), Some("Throttling"));
    create().await.expect("the faults are over");
}

#[tokio::test]
async fn a_restart_keeps_what_was_published_and_the_endpoints() {
    let folder = Folder::new("notifications");
    let stack = TestStack::start_in(Some(folder.path())).await;
    prepare(&stack);
    let client = stack.sns("admin");
    let arn = endpoint(&client, GCM, "abc").await;
    let push = client.publish().target_arn(&arn).message_structure("json").message("{\"GCM\":\"{}\"}");
    push.send().await.expect("pushed");
    client.publish().topic_arn(TOPIC).message("news").send().await.expect("published");
    stack.endpoints.shutdown().await;
    drop(stack);
    let stack = TestStack::start_in(Some(folder.path())).await;
    prepare(&stack);
    assert_eq!(stack.endpoints.pushes()[0].payload, "{}");
    assert_eq!(stack.endpoints.notifications()[0].message, "news");
    assert_eq!(endpoint(&stack.sns("admin"), GCM, "abc").await, arn);
    stack.endpoints.shutdown().await;
}
