//! One `Publish` call: reading it, checking it, answering it.

use std::collections::BTreeMap;

use s3s::HttpResponse;

use super::texts::{Text, Texts};
use crate::{answer, clock};

/// The longest text SNS sends, in characters.
const MAX_TEXT: usize = 1_600;

/// A `Publish` call.
#[derive(Debug, PartialEq, Eq)]
pub struct Publish {
    /// Where the message should go.
    pub target: Target,
    message: String,
    attributes: BTreeMap<String, String>,
}

/// Where a message should go.
#[derive(Debug, PartialEq, Eq)]
pub enum Target {
    /// A phone number in E.164 form.
    Phone(String),
    /// A topic or a platform endpoint.
    Arn(String),
}

/// Why SNS refuses a `Publish`, in its own words.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A parameter is missing or malformed.
    #[error("Invalid parameter: {0}")]
    Parameter(String),
    /// No topic or endpoint has this ARN.
    #[error("Topic does not exist")]
    NoTopic,
    /// The text could not be kept.
    #[error("The text could not be kept: {0}")]
    Storage(String),
}

impl Refusal {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Parameter(_) => 400,
            Self::NoTopic => 404,
            Self::Storage(_) => 500,
        }
    }

    /// The error code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Parameter(_) => "InvalidParameter",
            Self::NoTopic => "NotFound",
            Self::Storage(_) => "InternalError",
        }
    }
}

impl Publish {
    /// Reads the call's form fields.
    pub fn parse(form: &[(String, String)]) -> Result<Self, Refusal> {
        let field = |wanted: &str| {
            form.iter().find(|(name, value)| name == wanted && !value.is_empty()).map(|(_, value)| value.clone())
        };
        let phone = field("PhoneNumber").map(Target::Phone);
        let arn = field("TopicArn").or_else(|| field("TargetArn")).map(Target::Arn);
        let ((Some(target), None) | (None, Some(target))) = (phone, arn) else {
            let words = "TopicArn or TargetArn Reason: no value for required parameter";
            return Err(Refusal::Parameter(words.to_owned()));
        };
        if let Target::Phone(phone) = &target
            && !is_e164(phone)
        {
            let words = format!("PhoneNumber Reason: {phone} is not valid to publish to");
            return Err(Refusal::Parameter(words));
        }
        let message = field("Message").ok_or_else(|| Refusal::Parameter("Empty message".to_owned()))?;
        if matches!(target, Target::Phone(_)) && message.chars().count() > MAX_TEXT {
            return Err(Refusal::Parameter("Message too long".to_owned()));
        }
        Ok(Self { target, message, attributes: attributes(form) })
    }

    /// Keeps the text; says its message id.
    pub fn deliver(self, texts: &Texts) -> Result<String, Refusal> {
        let Target::Phone(phone) = self.target else {
            return Err(Refusal::NoTopic);
        };
        let message_id = clock::random_id();
        let text = Text {
            phone,
            body: self.message,
            sent_at: clock::epoch_millis(),
            message_id: message_id.clone(),
            attributes: self.attributes,
        };
        texts.keep(text).map_err(|error| Refusal::Storage(error.to_string()))?;
        Ok(message_id)
    }
}

/// The answer to a `Publish` that was taken.
pub fn answer(message_id: &str) -> HttpResponse {
    answer::xml(
        200,
        format!(
            "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
             <MessageId>{message_id}</MessageId></PublishResult><ResponseMetadata>\
             <RequestId>{}</RequestId></ResponseMetadata></PublishResponse>",
            clock::random_id(),
        ),
    )
}

/// Reads `MessageAttributes.entry.N.Name` and `….Value.StringValue`.
fn attributes(form: &[(String, String)]) -> BTreeMap<String, String> {
    let value_of = |name: &str| form.iter().find(|(other, _)| other == name).map(|(_, value)| value);
    form.iter()
        .filter_map(|(field, name)| {
            let entry = field.strip_suffix(".Name")?;
            entry.strip_prefix("MessageAttributes.entry.")?;
            let value = value_of(&format!("{entry}.Value.StringValue"))?;
            Some((name.clone(), value.clone()))
        })
        .collect()
}

/// ITU-T E.164: at most 15 digits, no leading zero. SNS takes them without
/// the plus as well.
fn is_e164(phone: &str) -> bool {
    let digits = phone.strip_prefix('+').unwrap_or(phone);
    (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{Publish, Refusal, Target};

    fn parse(fields: &[(&str, &str)]) -> Result<Publish, Refusal> {
        let form: Vec<_> = fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Publish::parse(&form)
    }

    #[test]
    fn a_text_is_read_with_its_attributes() {
        let publish = parse(&[
            ("PhoneNumber", "+8613800138000"),
            ("Message", "123456"),
            ("MessageAttributes.entry.1.Name", "AWS.SNS.SMS.SMSType"),
            ("MessageAttributes.entry.1.Value.DataType", "String"),
            ("MessageAttributes.entry.1.Value.StringValue", "Transactional"),
        ])
        .expect("a text");
        assert_eq!(publish.target, Target::Phone("+8613800138000".into()));
        assert_eq!(publish.attributes["AWS.SNS.SMS.SMSType"], "Transactional");
    }

    #[test]
    fn what_sns_refuses_is_refused() {
        let long = "x".repeat(1_601);
        for fields in [
            &[("Message", "hi")][..],
            &[("PhoneNumber", "+8613800138000"), ("TopicArn", "arn:x"), ("Message", "hi")],
            &[("PhoneNumber", "+0123456789"), ("Message", "hi")],
            &[("PhoneNumber", "call me"), ("Message", "hi")],
            &[("PhoneNumber", "+8613800138000"), ("Message", "")],
            &[("PhoneNumber", "+8613800138000"), ("Message", &long)],
        ] {
            assert!(matches!(parse(fields), Err(Refusal::Parameter(_))), "{fields:?}");
        }
    }
}
