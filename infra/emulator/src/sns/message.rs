//! Published messages, and the checks that SNS makes of them.
//!
//! From the API reference, `Publish`, and the developer guide, "Message attributes".

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::SnsError;
use super::form::Form;

/// The longest message with its attributes, in bytes.
const LONGEST: usize = 256 * 1024;

/// The longest payload that Apple's and Google's services accept, in bytes.
const LONGEST_PAYLOAD: usize = 4_096;

/// The most characters of a text to a phone, which SNS sends in parts.
const LONGEST_TEXT: usize = 1_600;

/// The most bytes of an attribute's name.
const LONGEST_NAME: usize = 256;

/// A message.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    text: String,
    attributes: BTreeMap<String, String>,
    /// Whether the text has a message for each protocol (`MessageStructure=json`).
    structured: bool,
}

impl Message {
    /// Reads the message of a call.
    pub fn read(form: &Form) -> Result<Self, SnsError> {
        let text = form.get("Message").ok_or_else(|| SnsError::parameter("Empty message"))?.to_owned();
        if form.get("Subject").is_some() {
            return Err(SnsError::parameter("The local SNS endpoint does not know subjects."));
        }
        let structured = match form.get("MessageStructure") {
            None => false,
            Some("json") => true,
            Some(_) => return Err(SnsError::parameter("Invalid message structure. Must be json")),
        };
        let (attributes, own) = attributes(form)?;
        if text.len() + own > LONGEST {
            return Err(SnsError::parameter("Message too long"));
        }
        Ok(Self { text, attributes, structured })
    }

    /// The message for all subscribers of a topic, and its attributes.
    pub fn plain(self) -> Result<(String, BTreeMap<String, String>), SnsError> {
        if self.structured {
            return Err(SnsError::parameter("The local SNS endpoint knows MessageStructure only for endpoints."));
        }
        Ok((self.text, self.attributes))
    }

    /// The text for a phone, and its attributes.
    pub fn for_phone(self) -> Result<(String, BTreeMap<String, String>), SnsError> {
        if self.text.chars().count() > LONGEST_TEXT {
            return Err(SnsError::parameter("Message too long"));
        }
        self.plain()
    }

    /// The payload for a platform's service, which must have an entry of its own.
    pub fn for_platform(self, platform: &str) -> Result<String, SnsError> {
        let entries: Option<Map<String, Value>> = serde_json::from_str(&self.text).ok().filter(|_| self.structured);
        let entries = entries.ok_or_else(|| SnsError::parameter("The local SNS endpoint needs JSON for endpoints."))?;
        let payload = entries.get(platform).and_then(Value::as_str);
        let payload = payload.ok_or_else(|| SnsError::Parameter(format!("JSON has no entry for '{platform}'.")))?;
        let problem = match serde_json::from_str::<Value>(payload) {
            Ok(Value::Object(_)) if payload.len() <= LONGEST_PAYLOAD => return Ok(payload.to_owned()),
            Ok(Value::Object(_)) => "Notification is too long",
            _ => "Notification is malformed",
        };
        let words = format!("Message Reason: Invalid notification for protocol {platform}: {problem}");
        Err(SnsError::Parameter(words))
    }
}

/// The message attributes and their length in bytes.
fn attributes(form: &Form) -> Result<(BTreeMap<String, String>, usize), SnsError> {
    let mut attributes = BTreeMap::new();
    let mut length = 0;
    for entry in form.members("MessageAttributes.entry") {
        let name = form.get(&format!("{entry}Name")).unwrap_or_default();
        check_name(name)?;
        let data_type = form.get(&format!("{entry}Value.DataType")).unwrap_or_default();
        if data_type != "String" {
            let words =
                format!("The message attribute '{name}' is not of the type String, the only one known locally.");
            return Err(SnsError::Attribute(words));
        }
        let value = form.get(&format!("{entry}Value.StringValue")).ok_or_else(|| {
            let words = "must contain non-empty message attribute value for message attribute type 'String'.";
            SnsError::Attribute(format!("The message attribute '{name}' {words}"))
        })?;
        length += name.len() + data_type.len() + value.len();
        if attributes.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(SnsError::Attribute(format!("The message attribute '{name}' is given twice.")));
        }
    }
    Ok((attributes, length))
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
        Message::read(&Form::from(fields))
    }

    fn attribute<'a>(name: &'a str, data_type: &'a str, value: &'a str) -> Result<Message, SnsError> {
        read([
            ("Message", "hi"),
            ("MessageAttributes.entry.1.Name", name),
            ("MessageAttributes.entry.1.Value.DataType", data_type),
            ("MessageAttributes.entry.1.Value.StringValue", value),
        ])
    }

    #[test]
    fn attributes_are_read_and_malformed_ones_refused() {
        let message = attribute("AWS.SNS.SMS.SMSType", "String", "Transactional").unwrap();
        assert_eq!(message.attributes["AWS.SNS.SMS.SMSType"], "Transactional");
        let long = "n".repeat(257);
        for (name, data_type, value) in [
            ("", "String", "x"),
            (".a", "String", "x"),
            ("a..b", "String", "x"),
            ("a b", "String", "x"),
            (&long, "String", "x"),
            ("a", "Number", "1"),
            ("a", "", "x"),
            ("a", "String", ""),
        ] {
            let refused = attribute(name, data_type, value);
            assert!(matches!(refused, Err(SnsError::Attribute(_))), "{name} {data_type} {value}");
        }
    }

    #[test]
    fn a_message_has_bounds() {
        let longest = "x".repeat(LONGEST);
        assert!(read([("Message", &longest)]).is_ok());
        let long = "x".repeat(LONGEST + 1);
        for fields in [
            [("Message", ""), ("MessageStructure", "json")],
            [("Message", &long), ("MessageStructure", "json")],
            [("Message", "hi"), ("MessageStructure", "xml")],
            [("Message", "hi"), ("Subject", "s")],
        ] {
            assert!(matches!(read(fields), Err(SnsError::Parameter(_))));
        }
    }

    #[test]
    fn each_platform_gets_its_own_entry() {
        let structured = |text| read([("Message", text), ("MessageStructure", "json")]).unwrap();
        let both = r#"{"default":"hi","APNS":"{\"aps\":{}}"}"#;
        assert_eq!(structured(both).for_platform("APNS").unwrap(), r#"{"aps":{}}"#);
        structured(both).for_platform("GCM").unwrap_err();
        structured(both).plain().unwrap_err();
        structured("[1]").for_platform("GCM").unwrap_err();
        structured(r#"{"GCM":"not json"}"#).for_platform("GCM").unwrap_err();
        let long = format!(r#"{{"GCM":"{{\"data\":\"{}\"}}"}}"#, "x".repeat(4_096));
        structured(&long).for_platform("GCM").unwrap_err();
        let plain = || read([("Message", "hi")]).unwrap();
        assert_eq!(plain().plain().unwrap().0, "hi");
        plain().for_platform("APNS").unwrap_err();
    }
}
