//! A change of the table reaches its function, and the function's messages reach the page.

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sns::types::MessageAttributeValue;
use local::start;
use serde_json::{Value, json};

use crate::client::get;
use crate::start::{EchoFunctions, memory, port, sdk};

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_the_table_reach_the_functions_that_the_template_names() {
    let fakes = EchoFunctions::default();
    let running = start(memory(), &fakes).await.unwrap();
    let social = &running.environments()["social"];
    for sk in ["friend#2", "head", "groups", "roster", "sync#1"] {
        let key = |value: &str| AttributeValue::S(value.to_owned());
        let put = aws_sdk_dynamodb::Client::new(&sdk(social))
            .put_item()
            .table_name(&social["TABLE"])
            .item("pk", key("user#1"))
            .item("sk", key(sk));
        put.send().await.unwrap();
    }
    running.endpoints().settled().await;
    let events = fakes.events.lock().unwrap().clone();
    let told: Vec<(&str, Value)> = events
        .iter()
        .flat_map(|(function, event)| {
            let records = event["Records"].as_array().unwrap().iter();
            records.map(move |record| (function.as_str(), record["dynamodb"]["Keys"]["sk"]["S"].clone()))
        })
        .collect();
    assert_eq!(told, [("notify", json!("friend#2")), ("notify", json!("head"))]);
    let table = &running.stack().tables[0].name;
    let arn = events[0].1["Records"][0]["eventSourceARN"].as_str().unwrap().to_owned();
    assert!(arn.contains(&format!(":table/{table}/stream/")), "{arn}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_and_pushed_is_shown_newest_first() {
    let running = start(memory(), &EchoFunctions::default()).await.unwrap();
    let notify = &running.environments()["notify"];
    let client = aws_sdk_sns::Client::new(&sdk(notify));
    let message = json!({"operation": "Request", "fromUserId": "a", "toUserId": "b", "content": {"message": "hi"}});
    let operation = MessageAttributeValue::builder().data_type("String").string_value("Request").build().unwrap();
    let publish = client.publish().topic_arn(&notify["NOTIFICATION_TOPIC"]).message(message.to_string());
    publish.message_attributes("operation", operation).send().await.unwrap();
    let mut expected = vec![("topic", "Request", message)];
    for (application, platform, token) in
        [("APNS_APPLICATION_ARN", "APNS", "00ff"), ("FCM_APPLICATION_ARN", "GCM", "abc:def")]
    {
        let create = client.create_platform_endpoint().platform_application_arn(&notify[application]).token(token);
        let endpoint = create.send().await.unwrap().endpoint_arn.unwrap();
        let payload = json!({"news": {"operation": "Add", "fromUserId": "__system__", "toGroupId": "g"}});
        let structured = json!({"default": "x", platform: payload.to_string()}).to_string();
        let push = client.publish().target_arn(endpoint).message_structure("json").message(structured);
        push.send().await.unwrap();
        expected.insert(0, ("push", "Add", payload));
    }
    let shown = get(port(&running.url()), "GET /_local/notifications").await.json();
    let shown = shown.as_array().unwrap();
    let told: Vec<(&str, &str, Value)> = shown
        .iter()
        .map(|one| (one["kind"].as_str().unwrap(), one["operation"].as_str().unwrap(), one["message"].clone()))
        .collect();
    assert_eq!(told, expected);
    let (push, topic) = (&shown[0], &shown[2]);
    assert_eq!((&push["platform"], &push["token"], &push["to"]), (&json!("GCM"), &json!("abc:def"), &json!("g")));
    assert_eq!(
        (&topic["from"], &topic["to"], &topic["topic"]),
        (&json!("a"), &json!("b"), &json!(notify["NOTIFICATION_TOPIC"]))
    );
    assert!(topic["sent_at"].as_u64().is_some_and(|at| at > 1_700_000_000_000));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_function_may_publish_there() {
    let running = start(memory(), &EchoFunctions::default()).await.unwrap();
    let topic = running.environments()["notify"]["NOTIFICATION_TOPIC"].clone();
    for (name, environment) in running.environments() {
        let published =
            aws_sdk_sns::Client::new(&sdk(environment)).publish().topic_arn(&topic).message("hi").send().await;
        assert_eq!(published.is_ok(), name == "notify", "{name}");
        assert_eq!(environment.contains_key("NOTIFICATION_TOPIC"), name == "notify", "{name}");
    }
    running.stop().await;
}
