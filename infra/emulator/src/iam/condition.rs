//! The `Condition` element: string operators on the partition keys in a call, `dynamodb:LeadingKeys`.

use serde_json::Value;

use super::pattern::glob;
use super::problem::{Problem, texts};

/// Partition keys of the items in a DynamoDB call.
const LEADING_KEYS: &str = "dynamodb:LeadingKeys";

/// An operator with its values, as in `"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["code#*"]}`.
#[derive(Debug, Clone)]
pub struct Condition {
    /// Whether every key must match, not only one (`ForAllValues`, `ForAnyValue`).
    for_all: bool,
    /// Whether the values are patterns.
    like: bool,
    values: Vec<String>,
}

impl Condition {
    /// Parses the `Condition` element of a statement.
    pub fn parse_all(element: &Value) -> Result<Vec<Self>, Problem> {
        let operators = element.as_object().ok_or(Problem::NotAnObject("Condition"))?;
        let mut conditions = Vec::new();
        for (operator, keys) in operators {
            let keys = keys.as_object().ok_or(Problem::NotAnObject("Condition"))?;
            for (key, values) in keys {
                conditions.push(Self::parse(operator, key, values)?);
            }
        }
        Ok(conditions)
    }

    fn parse(operator: &str, key: &str, values: &Value) -> Result<Self, Problem> {
        let unknown = || Problem::Operator(operator.to_owned());
        let (for_all, name) = match operator.split_once(':') {
            Some(("ForAllValues", name)) => (true, name),
            Some(("ForAnyValue", name)) => (false, name),
            _ => return Err(unknown()),
        };
        let like = match name {
            "StringEquals" => false,
            "StringLike" => true,
            _ => return Err(unknown()),
        };
        if !key.eq_ignore_ascii_case(LEADING_KEYS) {
            return Err(Problem::Key(key.to_owned()));
        }
        Ok(Self { for_all, like, values: texts("Condition", values)? })
    }

    /// Whether the request's partition keys satisfy the condition. If it has none, `ForAllValues` passes and
    /// `ForAnyValue` fails, according to the IAM user guide.
    pub fn holds(&self, leading_keys: Option<&[String]>) -> bool {
        let mut keys = leading_keys.unwrap_or_default().iter();
        if self.for_all { keys.all(|key| self.accepts(key)) } else { keys.any(|key| self.accepts(key)) }
    }

    fn accepts(&self, key: &str) -> bool {
        self.values.iter().any(|expected| if self.like { glob(expected, key) } else { expected == key })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Condition;

    fn holds(element: &serde_json::Value, keys: Option<&[&str]>) -> bool {
        let keys = keys.map(|keys| keys.iter().map(ToString::to_string).collect::<Vec<_>>());
        let conditions = Condition::parse_all(element).expect("a known condition");
        conditions.iter().all(|condition| condition.holds(keys.as_deref()))
    }

    #[test]
    fn operators_treat_present_and_absent_keys_as_iam_does() {
        let two: Option<&[&str]> = Some(&["code#1", "phone#2"]);
        let cases = [
            (json!({"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["code#*", "phone#*"]}}), two, true),
            (json!({"ForAllValues:StringLike": {"dynamodb:LeadingKeys": "code#*"}}), two, false),
            (json!({"ForAllValues:StringEquals": {"DynamoDB:leadingkeys": ["code#1", "phone#2"]}}), two, true),
            (json!({"ForAnyValue:StringEquals": {"dynamodb:LeadingKeys": "code#1"}}), two, true),
            (json!({"ForAnyValue:StringEquals": {"dynamodb:LeadingKeys": "code#*"}}), two, false),
            (json!({"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": "x"}}), None, true),
            (json!({"ForAnyValue:StringEquals": {"dynamodb:LeadingKeys": "x"}}), None, false),
        ];
        for (element, keys, expected) in cases {
            assert_eq!(holds(&element, keys), expected, "{element} on {keys:?}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for element in [
            json!({"Bool": {"aws:SecureTransport": "true"}}),
            json!({"ForAllValues:StringEquals": {"aws:SecureTransport": "true"}}),
            json!({"ForAllValues:StringNotLike": {"dynamodb:LeadingKeys": "x"}}),
            json!({"ForAllValues:StringLikeIfExists": {"dynamodb:LeadingKeys": "x"}}),
            json!({"ForSomeValues:StringLike": {"dynamodb:LeadingKeys": "x"}}),
            json!({"StringLike": {"dynamodb:LeadingKeys": "x"}}),
            json!({"StringLike": {"s3:prefix": "x"}}),
            json!({"ForAllValues:StringLike": {"dynamodb:LeadingKeys": {"Ref": "Prefix"}}}),
            json!({"ForAllValues:StringLike": ["dynamodb:LeadingKeys"]}),
        ] {
            assert!(Condition::parse_all(&element).is_err(), "{element}");
        }
    }
}
