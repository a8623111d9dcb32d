//! SNS: texts are stored, rejected and made to fail as in SNS.

use aws_sdk_sns::error::ProvideErrorMetadata as _;
use aws_sdk_sns::types::MessageAttributeValue;
use emulator::Fault;

use crate::support::TestStack;

#[tokio::test]
async fn texts_are_kept_newest_first() {
    let stack = TestStack::start().await;
    let client = stack.sns("admin");
    let mut heard = stack.endpoints.subscribe_texts();
    let kind = MessageAttributeValue::builder().data_type("String").string_value("Transactional");
    let kind = kind.build().expect("an attribute");
    for (phone, words) in
        [("+8613800138000", "验证码 123456 <&>"), ("+14155550100", "two"), ("+8613800138000", "three")]
    {
        let publish = client.publish().phone_number(phone).message(words);
        let publish = publish.message_attributes("AWS.SNS.SMS.SMSType", kind.clone());
        let id = publish.send().await.expect("a text").message_id().expect("an id").to_owned();
        let text = heard.recv().await.expect("heard");
        assert_eq!((text.body.as_str(), text.message_id), (words, id));
    }
    let bodies = |phone| -> Vec<String> { stack.endpoints.texts(phone).into_iter().map(|text| text.body).collect() };
    assert_eq!(bodies(None), ["three", "two", "验证码 123456 <&>"]);
    assert_eq!(bodies(Some("+8613800138000")), ["three", "验证码 123456 <&>"]);
    let newest = &stack.endpoints.texts(None)[0];
    assert_eq!(newest.attributes["AWS.SNS.SMS.SMSType"], "Transactional");
    assert!(newest.sent_at > 1_700_000_000_000, "milliseconds: {}", newest.sent_at);
}

#[tokio::test]
async fn a_malformed_phone_is_refused() {
    let stack = TestStack::start().await;
    let publish = stack.sns("admin").publish().phone_number("call me").message("hi").send().await;
    let error = publish.expect_err("refused").into_service_error();
    assert!(error.is_invalid_parameter_exception(), "{error:?}");
    assert!(stack.endpoints.texts(None).is_empty());
}

#[tokio::test]
async fn sns_faults_look_like_sns() {
    let stack = TestStack::start().await;
    let client = stack.sns("admin");
    let publish = || client.publish().phone_number("+8613800138000").message("hi").send();
    stack.endpoints.fail_next("sns:Publish", 3, Fault::throttled());
    assert_eq!(publish().await.expect_err("throttled").code(), Some("Throttling"));
    stack.endpoints.fail_next("sns:Publish", 3, Fault::internal_error());
    let error = publish().await.expect_err("failed").into_service_error();
    assert!(error.is_internal_error_exception(), "{error:?}");
    assert!(stack.endpoints.texts(None).is_empty());
    publish().await.expect("the faults are over");
}

#[tokio::test]
async fn strangers_and_wrong_secrets_are_refused() {
    let stack = TestStack::start().await;
    let publish = stack.sns("stranger").publish().phone_number("+8613800138000").message("hi").send();
    assert_eq!(publish.await.expect_err("refused").code(), Some("InvalidClientTokenId"));
    stack.register_with_secret("thief", "another secret");
    let publish = stack.sns("thief").publish().phone_number("+8613800138000").message("hi").send();
    assert_eq!(publish.await.expect_err("refused").code(), Some("SignatureDoesNotMatch"));
}
