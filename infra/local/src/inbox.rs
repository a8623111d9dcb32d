//! The sent texts, for `GET /_local/sms`.

use serde_json::{Value, json};

/// A text message that a function sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The receiving phone, in E.164.
    pub phone: String,
    /// The text.
    pub body: String,
    /// When it was sent, in milliseconds since the Unix epoch.
    pub sent_at: u64,
}

/// The texts as JSON, in the order given.
pub fn json(texts: &[Text]) -> Value {
    texts
        .iter()
        .map(|text| {
            json!({
                "phone": text.phone,
                "body": text.body,
                "code": code(&text.body),
                "sent_at": text.sent_at,
            })
        })
        .collect()
}

/// The code in a text: its first run of four to eight digits.
pub fn code(body: &str) -> Option<&str> {
    let runs = body.split(|one: char| !one.is_ascii_digit());
    runs.into_iter().find(|run| (4..=8).contains(&run.len()))
}

/// The phone in a query, in E.164. An unencoded `+` arrives as a space, and a missing one is added.
pub fn phone(query: &str) -> Option<String> {
    let (_, value) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "phone")?;
    let digits = value.trim().trim_start_matches('+');
    (!digits.is_empty()).then(|| format!("+{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_the_first_run_of_four_to_eight_digits() {
        assert_eq!(code("123456 is your code"), Some("123456"));
        assert_eq!(code("In 5 minutes: 0042."), Some("0042"));
        assert_eq!(code("call 123456789 for 12345678"), Some("12345678"));
        assert_eq!(code("no digits"), None);
        assert_eq!(code("123"), None);
    }

    #[test]
    fn a_plus_may_arrive_as_a_space_or_not_at_all() {
        for query in ["phone=%2B8613800000000", "phone=+8613800000000", "a=b&phone=8613800000000"] {
            assert_eq!(phone(query).as_deref(), Some("+8613800000000"));
        }
        assert_eq!(phone("phone="), None);
        assert_eq!(phone(""), None);
    }
}
