//! The target of a message: a phone, a topic or a platform endpoint.

use super::error::SnsError;
use super::form::Form;

/// The target of a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Target {
    /// A phone number in E.164 form.
    Phone(String),
    /// A topic.
    Topic(String),
    /// A platform endpoint.
    Endpoint(String),
}

impl Target {
    /// Reads the target of a call.
    pub fn read(form: &Form) -> Result<Self, SnsError> {
        let text = |name: &str| form.get(name).map(str::to_owned);
        match (text("PhoneNumber"), text("TopicArn"), text("TargetArn")) {
            (Some(phone), None, None) if is_e164(&phone) => Ok(Self::Phone(phone)),
            (Some(phone), None, None) => {
                Err(SnsError::Parameter(format!("PhoneNumber Reason: {phone} is not valid to publish to")))
            }
            (None, Some(topic), None) => Ok(Self::Topic(topic)),
            (None, None, Some(endpoint)) => Ok(Self::Endpoint(endpoint)),
            _ => Err(SnsError::parameter("TopicArn or TargetArn Reason: no value for required parameter")),
        }
    }

    /// The resource that a role must allow. A text has no resource, so only `*` (or `NotResource`) allows it.
    pub fn resource(&self) -> &str {
        match self {
            Self::Phone(_) => "*",
            Self::Topic(arn) | Self::Endpoint(arn) => arn,
        }
    }
}

/// ITU-T E.164: at most 15 digits, no leading zero. SNS also accepts numbers without the plus.
fn is_e164(phone: &str) -> bool {
    let digits = phone.strip_prefix('+').unwrap_or(phone);
    (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{Form, SnsError, Target};

    #[test]
    fn a_message_goes_to_one_place() {
        let read = |fields: [(&str, &str); 2]| Target::read(&Form::from(fields));
        let none = ("Message", "hi");
        assert_eq!(read([("PhoneNumber", "+8613800138000"), none]), Ok(Target::Phone("+8613800138000".into())));
        assert_eq!(read([("TopicArn", "arn:t"), none]), Ok(Target::Topic("arn:t".into())));
        assert_eq!(read([("TargetArn", "arn:e"), none]), Ok(Target::Endpoint("arn:e".into())));
        for fields in [
            [none, ("Subject", "s")],
            [("PhoneNumber", "+8613800138000"), ("TopicArn", "arn:x")],
            [("TargetArn", "arn:e"), ("TopicArn", "arn:x")],
            [("PhoneNumber", "+0123456789"), none],
            [("PhoneNumber", "call me"), none],
        ] {
            assert!(matches!(read(fields), Err(SnsError::Parameter(_))), "{fields:?}");
        }
    }
}
