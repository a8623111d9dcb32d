//! Events of a queue. A message is delivered at least once, and again until it was processed, so processing it twice must
//! do no harm.

use serde::Deserialize;
use serde_json::json;

/// A message that was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueMessage {
    /// Its id, which is the same at each delivery.
    pub id: String,
    /// The receipt handle of this delivery.
    pub receipt: String,
    /// How often it was delivered, including this time.
    pub deliveries: u32,
    /// Its text.
    pub body: String,
}

/// The parts of an event that are needed (AWS Lambda, "Using Lambda with Amazon SQS").
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    message_id: String,
    receipt_handle: String,
    body: String,
    attributes: Attributes,
    event_source: String,
}

#[derive(Deserialize)]
struct Attributes {
    #[serde(rename = "ApproximateReceiveCount")]
    receives: String,
}

/// The messages in an event of a queue; `None` when the payload is not such an event.
#[must_use]
pub fn messages(payload: &[u8]) -> Option<Vec<QueueMessage>> {
    let event: Event = serde_json::from_slice(payload).ok()?;
    let message = |record: Record| {
        (record.event_source == "aws:sqs").then(|| QueueMessage {
            id: record.message_id,
            receipt: record.receipt_handle,
            deliveries: record.attributes.receives.parse().unwrap_or(1),
            body: record.body,
        })
    };
    event.records.into_iter().map(message).collect()
}

/// A function's response to an event: the ids of the messages that were not processed (AWS Lambda, "Implementing partial
/// batch responses").
#[must_use]
pub fn answer<'a>(failed: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let failures: Vec<_> = failed.into_iter().map(|id| json!({ "itemIdentifier": id })).collect();
    json!({ "batchItemFailures": failures }).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// An event as AWS documents it.
    fn event(source: &str) -> Value {
        let record = |number: u32| {
            json!({
                "messageId": format!("id {number}"), "receiptHandle": format!("receipt {number}"), "body": "{}",
                "attributes": {
                    "ApproximateReceiveCount": number.to_string(), "SentTimestamp": "1545082649183",
                    "SenderId": "AIDAIENQZJOLO23YVJ4VO", "ApproximateFirstReceiveTimestamp": "1545082649185",
                },
                "messageAttributes": {}, "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3", "eventSource": source,
                "eventSourceARN": "arn:aws:sqs:us-east-2:123456789012:my-queue", "awsRegion": "us-east-2",
            })
        };
        json!({ "Records": [record(1), record(2)] })
    }

    fn read(event: &Value) -> Option<Vec<QueueMessage>> {
        messages(event.to_string().as_bytes())
    }

    #[test]
    fn an_event_has_its_messages_and_how_often_each_was_delivered() {
        let message = |number: u32| QueueMessage {
            id: format!("id {number}"),
            receipt: format!("receipt {number}"),
            deliveries: number,
            body: "{}".to_owned(),
        };
        assert_eq!(read(&event("aws:sqs")), Some(vec![message(1), message(2)]));
    }

    #[test]
    fn only_an_event_of_a_queue_has_messages() {
        assert_eq!(read(&event("aws:dynamodb")), None);
        for payload in
            [json!({}), json!([]), json!({ "Records": [{ "eventSource": "aws:s3" }] }), json!({ "Records": 1 })]
        {
            assert_eq!(read(&payload), None, "{payload}");
        }
    }

    #[test]
    fn the_answer_names_the_messages_that_failed() {
        assert_eq!(answer([]), br#"{"batchItemFailures":[]}"#);
        assert_eq!(answer(["a", "b"]), br#"{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"b"}]}"#);
    }
}
