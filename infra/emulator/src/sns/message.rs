//! Published messages, and the checks that SNS makes of them.
//!
//! From the API reference, `Publish`, and the developer guide, "Message attributes".

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::error::SnsError;
use super::form::Form;

/// The longest message with its attributes, in bytes.
pub const LONGEST: usize = 256 * 1024;

/// The longest payload that Apple's and Google's services accept, in bytes.
const LONGEST_PAYLOAD: usize = 4_096;

/// The most characters of a subject.
const LONGEST_SUBJECT: usize = 100;

/// The most bytes of an attribute's name or type.
const LONGEST_NAME: usize = 256;

/// A message.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    text: String,
    /// The subject.
    pub subject: Option<String>,
    /// The attribute values; those of type `Binary` in base64.
    pub attributes: BTreeMap<String, String>,
    /// With `MessageStructure=json`: the message for each protocol.
    protocols: Option<Map<String, Value>>,
    /// Its length with attributes, in bytes.
    pub length: usize,
}

impl Message {
    /// Reads the message in the fields with this prefix.
    pub fn read(form: &Form, prefix: &str) -> Result<Self, SnsError> {
        let field = |name: &str| form.get(&format!("{prefix}{name}"));
        let text = field("Message").ok_or_else(|| SnsError::parameter("Empty message"))?.to_owned();
        let subject = field("Subject").map(str::to_owned);
        let wrong =
            |subject: &String| subject.chars().count() >= LONGEST_SUBJECT || subject.chars().any(char::is_control);
        if subject.as_ref().is_some_and(wrong) {
            return Err(SnsError::parameter("Subject"));
        }
        let protocols = match field("MessageStructure") {
            None => None,
            Some("json") => Some(protocols(&text)?),
            Some(_) => return Err(SnsError::parameter("Invalid message structure. Must be json")),
        };
        let (attributes, own) = attributes(form, prefix)?;
        let length = text.len() + own;
        if length > LONGEST {
            return Err(SnsError::parameter("Message too long"));
        }
        Ok(Self { text, subject, attributes, protocols, length })
    }

    /// The message for subscribers whose protocol has no entry of its own.
    pub fn for_all(self) -> Result<String, SnsError> {
        let Some(protocols) = self.protocols else { return Ok(self.text) };
        let default = protocols.get("default").and_then(Value::as_str).map(str::to_owned);
        default.ok_or_else(|| SnsError::parameter("Message Structure - No default entry in JSON message body"))
    }

    /// The payload for a platform's service: the entry for this platform, or else the text in the simplest payload.
    pub fn for_platform(self, platform: &str) -> Result<String, SnsError> {
        let entry = |name: &str| self.protocols.as_ref()?.get(name)?.as_str().map(str::to_owned);
        if let Some(payload) = entry(platform) {
            let problem = match serde_json::from_str::<Value>(&payload) {
                Ok(Value::Object(_)) if payload.len() <= LONGEST_PAYLOAD => return Ok(payload),
                Ok(Value::Object(_)) => "Notification is too long",
                _ => "Notification is malformed",
            };
            let words = format!("Message Reason: Invalid notification for protocol {platform}: {problem}");
            return Err(SnsError::Parameter(words));
        }
        let words = match &self.protocols {
            None => Some(self.text.clone()),
            Some(_) => entry("default"),
        };
        let words = words
            .ok_or_else(|| SnsError::Parameter(format!("JSON must contain an entry for 'default' or '{platform}'.")))?;
        Ok(match platform {
            "GCM" => json!({"data": {"default": words}}),
            _ => json!({"aps": {"alert": words}}),
        }
        .to_string())
    }

    /// The text for a phone: SNS sends texts of at most 1,600 characters, in parts.
    pub fn for_phone(self) -> Result<(String, BTreeMap<String, String>), SnsError> {
        const LONGEST_TEXT: usize = 1_600;
        if self.text.chars().count() > LONGEST_TEXT {
            return Err(SnsError::parameter("Message too long"));
        }
        Ok((self.text, self.attributes))
    }
}

/// The object of a message that differs by protocol. A value that is not text is ignored.
fn protocols(text: &str) -> Result<Map<String, Value>, SnsError> {
    match serde_json::from_str(text) {
        Ok(Value::Object(protocols)) => Ok(protocols),
        _ => Err(SnsError::parameter("Message Structure - JSON message body failed to parse")),
    }
}

/// The message attributes and their length in bytes.
fn attributes(form: &Form, prefix: &str) -> Result<(BTreeMap<String, String>, usize), SnsError> {
    let mut attributes = BTreeMap::new();
    let mut length = 0;
    for entry in form.members(&format!("{prefix}MessageAttributes.entry")) {
        let name = form.get(&format!("{entry}Name")).unwrap_or_default();
        check_name(name)?;
        let data_type = form.get(&format!("{entry}Value.DataType")).unwrap_or_default();
        let value = value(form, &entry, name, data_type)?;
        length += name.len() + data_type.len() + value.len();
        if attributes.insert(name.to_owned(), value).is_some() {
            return Err(SnsError::Attribute(format!("The message attribute '{name}' is given twice.")));
        }
    }
    Ok((attributes, length))
}

fn value(form: &Form, entry: &str, name: &str, data_type: &str) -> Result<String, SnsError> {
    let (kind, _) = data_type.split_once('.').unwrap_or((data_type, ""));
    let known = matches!(kind, "String" | "Number" | "Binary") && data_type.len() <= LONGEST_NAME;
    if !known {
        return Err(SnsError::Attribute(format!(
            "The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes \
             is Binary, Number, and String."
        )));
    }
    let field = if kind == "Binary" { "BinaryValue" } else { "StringValue" };
    let value = form.get(&format!("{entry}Value.{field}")).unwrap_or_default();
    if value.is_empty() {
        return Err(SnsError::Attribute(format!(
            "The message attribute '{name}' must contain non-empty message attribute value for message attribute type \
             '{data_type}'."
        )));
    }
    if kind == "Number" && value.parse::<f64>().is_err() {
        return Err(SnsError::Attribute(format!("Could not cast message attribute '{name}' value to number.")));
    }
    Ok(value.to_owned())
}

fn check_name(name: &str) -> Result<(), SnsError> {
    let allowed = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.');
    let right = (1..=LONGEST_NAME).contains(&name.len())
        && name.chars().all(allowed)
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..");
    if right { Ok(()) } else { Err(SnsError::Attribute(format!("The message attribute name '{name}' is invalid."))) }
}

#[cfg(test)]
mod tests {
    use super::{Form, LONGEST, Message, SnsError};

    fn read<const N: usize>(fields: [(&str, &str); N]) -> Result<Message, SnsError> {
        Message::read(&Form::from(fields), "")
    }

    fn attribute<'a>(name: &'a str, data_type: &'a str, field: &'a str, value: &'a str) -> [(&'a str, &'a str); 4] {
        [
            ("Message", "hi"),
            ("MessageAttributes.entry.1.Name", name),
            ("MessageAttributes.entry.1.Value.DataType", data_type),
            (field, value),
        ]
    }

    const STRING: &str = "MessageAttributes.entry.1.Value.StringValue";
    const BINARY: &str = "MessageAttributes.entry.1.Value.BinaryValue";

    #[test]
    fn attributes_are_read_and_counted() {
        let message = read(attribute("AWS.SNS.SMS.SMSType", "String", STRING, "Transactional")).unwrap();
        assert_eq!(message.attributes["AWS.SNS.SMS.SMSType"], "Transactional");
        assert_eq!(message.length, 2 + 19 + 6 + 13);
        read(attribute("n", "Number.int", STRING, "-1.5")).unwrap();
        read(attribute("b", "Binary", BINARY, "AAE=")).unwrap();
    }

    #[test]
    fn malformed_attributes_are_refused() {
        let long = "n".repeat(257);
        for fields in [
            attribute("", "String", STRING, "x"),
            attribute(".a", "String", STRING, "x"),
            attribute("a..b", "String", STRING, "x"),
            attribute("a b", "String", STRING, "x"),
            attribute(&long, "String", STRING, "x"),
            attribute("a", "Text", STRING, "x"),
            attribute("a", "", STRING, "x"),
            attribute("a", "String", STRING, ""),
            attribute("a", "String", BINARY, "AAE="),
            attribute("a", "Number", STRING, "one"),
        ] {
            assert!(matches!(read(fields), Err(SnsError::Attribute(_))), "{fields:?}");
        }
    }

    #[test]
    fn a_message_has_bounds() {
        let longest = "x".repeat(LONGEST);
        assert!(read([("Message", &longest)]).is_ok());
        let long = "x".repeat(LONGEST + 1);
        let subject = "s".repeat(100);
        for fields in [
            [("Message", ""), ("Subject", "s")],
            [("Message", &long), ("Subject", "s")],
            [("Message", "hi"), ("Subject", &subject)],
            [("Message", "hi"), ("Subject", "two\nlines")],
            [("Message", "hi"), ("MessageStructure", "xml")],
            [("Message", "hi"), ("MessageStructure", "json")],
            [("Message", "[1]"), ("MessageStructure", "json")],
        ] {
            assert!(matches!(read(fields), Err(SnsError::Parameter(_))));
        }
    }

    #[test]
    fn each_protocol_gets_what_is_meant_for_it() {
        let structured = |text| read([("Message", text), ("MessageStructure", "json")]).unwrap();
        let both = r#"{"default":"hi","APNS":"{\"aps\":{}}"}"#;
        assert_eq!(structured(both).for_all().unwrap(), "hi");
        assert_eq!(structured(both).for_platform("APNS").unwrap(), r#"{"aps":{}}"#);
        assert_eq!(structured(both).for_platform("GCM").unwrap(), r#"{"data":{"default":"hi"}}"#);
        let plain = || read([("Message", "hi")]).unwrap();
        assert_eq!(plain().for_all().unwrap(), "hi");
        assert_eq!(plain().for_platform("APNS").unwrap(), r#"{"aps":{"alert":"hi"}}"#);
        structured(r#"{"APNS":"{}"}"#).for_all().unwrap_err();
        structured(r#"{"APNS":"{}"}"#).for_platform("GCM").unwrap_err();
        structured(r#"{"GCM":"not json"}"#).for_platform("GCM").unwrap_err();
        let long = format!(r#"{{"GCM":"{{\"data\":\"{}\"}}"}}"#, "x".repeat(4_096));
        structured(&long).for_platform("GCM").unwrap_err();
    }
}
