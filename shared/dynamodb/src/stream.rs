//! The table's stream. Its events are delivered at least once, and those of one item in the order of its changes. A
//! batch is delivered again, starting with the first record that is reported as failed.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

/// The attributes of an item.
pub type Item = HashMap<String, AttributeValue>;

/// A change of one item.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The change's id. It is the same however often the record is delivered.
    pub id: String,
    /// Its position in the stream, which is used to report a failure.
    pub sequence: String,
    /// The partition key of the item.
    pub pk: String,
    /// The sort key of the item.
    pub sk: String,
    /// The item before the change; `None` when it did not exist.
    pub old: Option<Item>,
    /// The item after the change; `None` when it was deleted.
    pub new: Option<Item>,
}

/// The records of an event of the stream, in its order; `None` when the payload is not such an event. A record that
/// cannot be parsed now never will be. It is logged and left out, so that it does not block the records after it.
#[must_use]
pub fn records(payload: &[u8]) -> Option<Vec<Record>> {
    let event: Event<'_> = serde_json::from_slice(payload).ok()?;
    let read = |record: &&RawValue| {
        let read = serde_json::from_str(record.get()).ok().and_then(WireRecord::read);
        if read.is_none() {
            tracing::error!(event = "record_unreadable", "a record of the table's stream could not be read");
        }
        read
    };
    Some(event.records.iter().filter_map(read).collect())
}

/// A function's response to an event: either all records were processed, or all records before the one with this
/// sequence number and none from there on (AWS Lambda, "Reporting batch item failures with DynamoDB").
#[must_use]
pub fn answer(failed: Option<&str>) -> Vec<u8> {
    let failures: Vec<_> = failed.into_iter().map(|sequence| json!({ "itemIdentifier": sequence })).collect();
    json!({ "batchItemFailures": failures }).to_string().into_bytes()
}

/// The parts of an event that are needed.
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "Records", borrow)]
    records: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireRecord {
    #[serde(rename = "eventID")]
    id: String,
    dynamodb: WireChange,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireChange {
    keys: HashMap<String, Attribute>,
    sequence_number: String,
    old_image: Option<HashMap<String, Attribute>>,
    new_image: Option<HashMap<String, Attribute>>,
}

impl WireRecord {
    fn read(self) -> Option<Record> {
        let key = |name: &str| match self.dynamodb.keys.get(name) {
            Some(Attribute::S(text)) => Some(text.clone()),
            _ => None,
        };
        Some(Record {
            pk: key("pk")?,
            sk: key("sk")?,
            id: self.id,
            sequence: self.dynamodb.sequence_number,
            old: image(self.dynamodb.old_image)?,
            new: image(self.dynamodb.new_image)?,
        })
    }
}

/// An image, if there is one; `None` when it cannot be parsed.
#[expect(clippy::option_option, reason = "the inner one says whether there is an image, the outer one is for `?`")]
fn image(image: Option<HashMap<String, Attribute>>) -> Option<Option<Item>> {
    image.map(item).map_or(Some(None), |item| item.map(Some))
}

fn item(attributes: HashMap<String, Attribute>) -> Option<Item> {
    attributes.into_iter().map(|(name, attribute)| Some((name, attribute.value()?))).collect()
}

/// An attribute in DynamoDB's JSON.
#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Attribute {
    S(String),
    N(String),
    B(String),
    Bool(bool),
    Null(bool),
    M(HashMap<String, Self>),
    L(Vec<Self>),
    Ss(Vec<String>),
    Ns(Vec<String>),
    Bs(Vec<String>),
}

impl Attribute {
    /// The attribute in the SDK's type; `None` when bytes are not base64.
    fn value(self) -> Option<AttributeValue> {
        Some(match self {
            Self::S(text) => AttributeValue::S(text),
            Self::N(number) => AttributeValue::N(number),
            Self::B(bytes) => AttributeValue::B(blob(&bytes)?),
            Self::Bool(value) => AttributeValue::Bool(value),
            Self::Null(value) => AttributeValue::Null(value),
            Self::M(map) => AttributeValue::M(item(map)?),
            Self::L(list) => AttributeValue::L(list.into_iter().map(Self::value).collect::<Option<_>>()?),
            Self::Ss(texts) => AttributeValue::Ss(texts),
            Self::Ns(numbers) => AttributeValue::Ns(numbers),
            Self::Bs(list) => AttributeValue::Bs(list.iter().map(|bytes| blob(bytes)).collect::<Option<_>>()?),
        })
    }
}

fn blob(base64: &str) -> Option<Blob> {
    BASE64_STANDARD.decode(base64).ok().map(Blob::new)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn record(change: &Value) -> Value {
        json!({
            "eventID": "c4ca4238a0b923820dcc509a6f75849b", "eventName": "MODIFY", "eventVersion": "1.1",
            "eventSource": "aws:dynamodb", "awsRegion": "eu-west-1", "eventSourceARN": "arn:aws:dynamodb:::table/t",
            "dynamodb": change,
        })
    }

    fn change() -> Value {
        json!({
            "ApproximateCreationDateTime": 1.479_499_740e9, "SizeBytes": 26, "StreamViewType": "NEW_AND_OLD_IMAGES",
            "Keys": { "pk": { "S": "user#1" }, "sk": { "S": "account" } }, "SequenceNumber": "13021600000000001596893679",
            "NewImage": { "pk": { "S": "user#1" } }, "OldImage": { "id": { "N": "1" } },
        })
    }

    fn read(records: &[Value]) -> Option<Vec<Record>> {
        super::records(json!({ "Records": records }).to_string().as_bytes())
    }

    #[test]
    fn a_record_has_keys_and_both_images() {
        let expected = Record {
            id: "c4ca4238a0b923820dcc509a6f75849b".to_owned(),
            sequence: "13021600000000001596893679".to_owned(),
            pk: "user#1".to_owned(),
            sk: "account".to_owned(),
            old: Some(Item::from([("id".to_owned(), AttributeValue::N("1".to_owned()))])),
            new: Some(Item::from([("pk".to_owned(), AttributeValue::S("user#1".to_owned()))])),
        };
        assert_eq!(read(&[record(&change())]), Some(vec![expected.clone()]));
        let mut made = change();
        made.as_object_mut().unwrap().remove("OldImage");
        assert_eq!(read(&[record(&made)]), Some(vec![Record { old: None, ..expected.clone() }]));
        let mut deleted = change();
        deleted.as_object_mut().unwrap().remove("NewImage");
        assert_eq!(read(&[record(&deleted)]), Some(vec![Record { new: None, ..expected }]));
    }

    #[test]
    fn every_type_of_attribute_is_read() {
        let mut change = change();
        change["NewImage"] = json!({
            "s": { "S": "" }, "n": { "N": "-1.5E+3" }, "b": { "B": "AP8=" }, "yes": { "BOOL": true },
            "null": { "NULL": true }, "ss": { "SS": ["a", "b"] }, "ns": { "NS": ["1", "2"] }, "bs": { "BS": ["AP8="] },
            "m": { "M": { "l": { "L": [{ "S": "deep" }, { "M": {} }, { "L": [] }] } } },
        });
        let new = read(&[record(&change)]).unwrap().remove(0).new.unwrap();
        let bytes = || Blob::new([0, 255]);
        let deep =
            vec![AttributeValue::S("deep".to_owned()), AttributeValue::M(Item::new()), AttributeValue::L(Vec::new())];
        let expected = [
            ("s", AttributeValue::S(String::new())),
            ("n", AttributeValue::N("-1.5E+3".to_owned())),
            ("b", AttributeValue::B(bytes())),
            ("yes", AttributeValue::Bool(true)),
            ("null", AttributeValue::Null(true)),
            ("ss", AttributeValue::Ss(vec!["a".to_owned(), "b".to_owned()])),
            ("ns", AttributeValue::Ns(vec!["1".to_owned(), "2".to_owned()])),
            ("bs", AttributeValue::Bs(vec![bytes()])),
            ("m", AttributeValue::M(Item::from([("l".to_owned(), AttributeValue::L(deep))]))),
        ];
        assert_eq!(new, expected.map(|(name, value)| (name.to_owned(), value)).into());
    }

    #[test]
    fn an_unreadable_record_does_not_hide_the_others() {
        let broken = |pointer: &str, value: Value| {
            let mut record = record(&change());
            *record.pointer_mut(pointer).unwrap() = value;
            record
        };
        let records = [
            json!(7),
            json!({}),
            broken("/eventID", json!(1)),
            broken("/dynamodb", json!(null)),
            broken("/dynamodb/SequenceNumber", json!(null)),
            broken("/dynamodb/Keys/sk", json!({ "N": "1" })),
            broken("/dynamodb/NewImage", json!({ "x": { "B": "?" } })),
            broken("/dynamodb/NewImage", json!({ "x": { "Z": "?" } })),
            broken("/dynamodb/OldImage", json!({ "x": { "N": 1 } })),
            record(&change()),
        ];
        assert_eq!(read(&records).unwrap().len(), 1);
    }

    #[test]
    fn only_an_event_has_records() {
        for payload in ["", "{}", "[]", "null", r#"{"Records":{}}"#, r#"{"version":"2.0","rawPath":"/images/x"}"#] {
            assert_eq!(super::records(payload.as_bytes()), None, "{payload}");
        }
        assert_eq!(read(&[]), Some(Vec::new()));
    }

    #[test]
    fn the_answer_names_the_first_record_that_failed() {
        assert_eq!(answer(None), br#"{"batchItemFailures":[]}"#);
        assert_eq!(answer(Some("42")), br#"{"batchItemFailures":[{"itemIdentifier":"42"}]}"#);
    }
}
