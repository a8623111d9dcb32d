//! Notices and pushes against a socket that responds like SNS.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{self, UnboundedReceiver};

use super::event_publisher::SnsEventPublisher;
use super::push::SnsPushSender;
use domain::notifications::{Device, EventPublisher, Notice, Platform, PushSender, Pushed, Taken};
use domain::{Error, Result};

const TOPIC: &str = "arn:aws:sns:eu-west-1:000000000000:news";
const APPLE: &str = "arn:aws:sns:eu-west-1:000000000000:app/APNS/handset";
const GOOGLE: &str = "arn:aws:sns:eu-west-1:000000000000:app/GCM/handset";
const ENDPOINT: &str = "arn:aws:sns:eu-west-1:000000000000:endpoint/GCM/handset/1";

/// The fields of a call.
type Call = BTreeMap<String, String>;

/// A socket that returns these responses in turn and reports the calls it received. A call for which there is no
/// response left is not answered.
async fn answering(answers: Vec<String>) -> (SocketAddr, UnboundedReceiver<Call>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (asked, calls) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut answers = answers.into_iter();
        while let Ok((mut stream, _)) = listener.accept().await {
            asked.send(call(&mut stream).await).unwrap();
            let Some(answer) = answers.next() else { continue };
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (address, calls)
}

async fn call(stream: &mut TcpStream) -> Call {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return form_urlencoded::parse(body.as_bytes()).into_owned().collect();
            }
        }
        assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0, "the request ends early");
    }
}

fn http(status: u16, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} \r\nConnection: close\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

fn published() -> String {
    http(200, "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>")
}

fn endpoint() -> String {
    let result =
        format!("<CreatePlatformEndpointResult><EndpointArn>{ENDPOINT}</EndpointArn></CreatePlatformEndpointResult>");
    http(200, &format!("<CreatePlatformEndpointResponse>{result}</CreatePlatformEndpointResponse>"))
}

fn refused(status: u16, code: &str) -> String {
    let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>quotes the token</Message></Error>");
    http(status, &format!("<ErrorResponse>{error}</ErrorResponse>"))
}

fn sdk(at: SocketAddr) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(format!("http://{at}"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("id", "secret", None, None, "test")))
        .timeout_config(super::timeouts())
        .retry_config(super::retries())
        .build()
}

fn pushes(at: SocketAddr) -> SnsPushSender {
    SnsPushSender::new(&sdk(at), Some(APPLE), Some(GOOGLE))
}

fn calls(mut calls: UnboundedReceiver<Call>) -> Vec<Call> {
    std::iter::from_fn(|| calls.try_recv().ok()).collect()
}

fn actions(calls: &[Call]) -> Vec<&str> {
    calls.iter().map(|call| call["Action"].as_str()).collect()
}

async fn publish(answers: Vec<String>) -> (Result<Taken>, Vec<Call>) {
    let (at, asked) = answering(answers).await;
    let notice = Notice { kind: "RC:GrpNtf", operation: "Add", body: r#"{"id":"1"}"#.to_owned() };
    let taken = SnsEventPublisher::new(&sdk(at), TOPIC).publish(&notice).await;
    (taken, calls(asked))
}

#[tokio::test]
async fn a_notice_goes_to_the_topic_with_what_subscribers_choose_by() {
    let (taken, calls) = publish(vec![published()]).await;
    assert_eq!(taken.unwrap(), Taken::Done);
    let [call] = calls.as_slice() else { panic!("{calls:?}") };
    assert_eq!(
        (call["Action"].as_str(), call["TopicArn"].as_str(), call["Message"].as_str()),
        ("Publish", TOPIC, r#"{"id":"1"}"#)
    );
    let attribute = |n: u8| {
        let field = |name: &str| call[&format!("MessageAttributes.entry.{n}.{name}")].as_str();
        (field("Name"), (field("Value.DataType"), field("Value.StringValue")))
    };
    let expected = BTreeMap::from([("operation", ("String", "Add")), ("type", ("String", "RC:GrpNtf"))]);
    assert_eq!(BTreeMap::from([attribute(1), attribute(2)]), expected);
}

#[tokio::test]
async fn a_lost_answer_of_the_topic_is_asked_for_again() {
    let (taken, calls) = publish(vec![refused(500, "InternalError"), published()]).await;
    assert_eq!((taken.unwrap(), actions(&calls)), (Taken::Done, vec!["Publish", "Publish"]));
}

#[tokio::test]
async fn what_the_topic_will_never_take_is_no_fault_and_what_may_pass_is_one() {
    for code in ["InvalidParameter", "ParameterValueInvalid", "ValidationException"] {
        assert_eq!(publish(vec![refused(400, code)]).await.0.unwrap(), Taken::Refused, "{code}");
    }
    for (status, code) in [(404, "NotFound"), (403, "AuthorizationError"), (400, "KMSDisabled")] {
        assert!(matches!(publish(vec![refused(status, code)]).await.0, Err(Error::Fault(_))), "{code}");
    }
}

fn device(platform: Platform) -> Device {
    Device { platform, token: "the token".to_owned() }
}

#[tokio::test]
async fn a_device_is_made_an_endpoint_once_and_pushed_to() {
    let (at, asked) = answering(vec![endpoint(), published(), published()]).await;
    let pushes = pushes(at);
    for _ in 0..2 {
        assert_eq!(pushes.push(&device(Platform::Google), r#"{"a":1}"#).await, Pushed::Sent);
    }
    let calls = calls(asked);
    assert_eq!(actions(&calls), ["CreatePlatformEndpoint", "Publish", "Publish"]);
    let [create, publish, _] = calls.as_slice() else { panic!("{calls:?}") };
    assert_eq!((create["PlatformApplicationArn"].as_str(), create["Token"].as_str()), (GOOGLE, "the token"));
    assert_eq!((publish["TargetArn"].as_str(), publish["MessageStructure"].as_str()), (ENDPOINT, "json"));
    let message: Value = serde_json::from_str(&publish["Message"]).unwrap();
    assert_eq!(message, json!({ "default": "There is news.", "GCM": r#"{"a":1}"# }));
}

#[tokio::test]
async fn an_iphone_is_an_endpoint_of_apples_application() {
    let (at, asked) = answering(vec![endpoint(), published()]).await;
    pushes(at).push(&device(Platform::Apple), "{}").await;
    assert_eq!(calls(asked)[0]["PlatformApplicationArn"], APPLE);
}

#[tokio::test]
async fn without_its_application_a_platform_is_not_reached() {
    let (at, asked) = answering(Vec::new()).await;
    let pushes = SnsPushSender::new(&sdk(at), Some(APPLE), None);
    assert!(pushes.reaches(Platform::Apple) && !pushes.reaches(Platform::Google));
    assert_eq!(pushes.push(&device(Platform::Google), "{}").await, Pushed::Failed);
    assert_eq!(calls(asked), []);
}

#[tokio::test]
async fn a_device_that_is_gone_is_met_anew_the_next_time() {
    for code in ["EndpointDisabled", "InvalidParameter", "NotFound"] {
        let (at, asked) = answering(vec![endpoint(), refused(400, code), endpoint(), published()]).await;
        let pushes = pushes(at);
        let device = device(Platform::Google);
        assert_eq!((pushes.push(&device, "{}").await, pushes.push(&device, "{}").await), (Pushed::Gone, Pushed::Sent));
        let expected = ["CreatePlatformEndpoint", "Publish", "CreatePlatformEndpoint", "Publish"];
        assert_eq!(actions(&calls(asked)), expected, "{code}");
    }
}

#[tokio::test]
async fn a_token_that_is_none_is_gone_and_nothing_is_tried_twice() {
    for (answers, expected, rounds) in [
        (vec![refused(400, "InvalidParameter")], Pushed::Gone, 1),
        (vec![refused(403, "AuthorizationError")], Pushed::Failed, 1),
        (vec![refused(500, "InternalError")], Pushed::Unsent, 1),
        (vec![refused(400, "Throttled")], Pushed::Unsent, 1),
        (vec![endpoint(), refused(429, "Throttled")], Pushed::Unsent, 2),
        (vec![endpoint(), refused(400, "Throttling")], Pushed::Unsent, 2),
        (vec![endpoint(), refused(500, "InternalError")], Pushed::Failed, 2),
        (vec![endpoint(), refused(403, "PlatformApplicationDisabled")], Pushed::Failed, 2),
    ] {
        let (at, asked) = answering(answers).await;
        let pushed = pushes(at).push(&device(Platform::Google), "{}").await;
        assert_eq!((pushed, calls(asked).len()), (expected, rounds));
    }
}
