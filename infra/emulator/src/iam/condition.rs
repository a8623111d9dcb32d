//! The `Condition` element: string operators on the condition keys that the endpoints set.

use serde_json::Value;

use super::pattern::glob;
use super::statement::{Problem, texts};

/// Properties of a request for conditions: condition keys with their values. A key that is not listed is absent from
/// the request.
pub type Context = Vec<(&'static str, Vec<String>)>;

/// Partition keys of the items in a DynamoDB call.
pub const LEADING_KEYS: &str = "dynamodb:LeadingKeys";

/// The prefix in an S3 listing request.
pub const PREFIX: &str = "s3:prefix";

/// An operator with a key, as in `"StringLike": {"s3:prefix": ["a/*"]}`.
#[derive(Debug, Clone)]
pub struct Condition {
    set: Set,
    operator: Operator,
    if_exists: bool,
    key: &'static str,
    values: Vec<String>,
}

/// How an operator treats several values of a key in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    Single,
    ForAll,
    ForAny,
}

#[derive(Debug, Clone, Copy)]
struct Operator {
    like: bool,
    negated: bool,
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
        let (set, name) = match operator.split_once(':') {
            None => (Set::Single, operator),
            Some(("ForAllValues", name)) => (Set::ForAll, name),
            Some(("ForAnyValue", name)) => (Set::ForAny, name),
            Some(_) => return Err(unknown()),
        };
        let (name, if_exists) = match name.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let (like, negated) = match name {
            "StringEquals" => (false, false),
            "StringNotEquals" => (false, true),
            "StringLike" => (true, false),
            "StringNotLike" => (true, true),
            _ => return Err(unknown()),
        };
        let key = [LEADING_KEYS, PREFIX]
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(key))
            .ok_or_else(|| Problem::Key(key.to_owned()))?;
        // A request may have several leading keys, and AWS does not define the result of an operator without a set
        // prefix for them.
        if key == LEADING_KEYS && set == Set::Single {
            return Err(Problem::NeedsSet(LEADING_KEYS));
        }
        Ok(Self { set, operator: Operator { like, negated }, if_exists, key, values: texts("Condition", values)? })
    }

    /// The condition key that this operator tests.
    pub fn key(&self) -> &'static str {
        self.key
    }

    /// Whether the request satisfies the condition.
    ///
    /// If the key is absent, a plain operator fails; a negated operator, one with `IfExists`, and `ForAllValues` (true
    /// for an empty set) pass, according to the IAM user guide.
    pub fn holds(&self, context: &Context) -> bool {
        let present = context.iter().find(|(key, _)| *key == self.key).map(|(_, values)| values.as_slice());
        let Some(present) = present else {
            return self.if_exists || self.set == Set::ForAll || (self.operator.negated && self.set == Set::Single);
        };
        match self.set {
            Set::ForAll => present.iter().all(|value| self.accepts(value)),
            Set::Single | Set::ForAny => present.iter().any(|value| self.accepts(value)),
        }
    }

    fn accepts(&self, value: &str) -> bool {
        let found = self.values.iter().any(
            |expected| {
                if self.operator.like { glob(expected, value) } else { expected == value }
            },
        );
        found != self.operator.negated
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Condition, Context, LEADING_KEYS, PREFIX};

    fn holds(element: &serde_json::Value, context: &Context) -> bool {
        Condition::parse_all(element).expect("a known condition").iter().all(|condition| condition.holds(context))
    }

    #[test]
    fn operators_treat_present_and_absent_keys_as_iam_does() {
        let keys =
            |values: &[&str]| -> Context { vec![(LEADING_KEYS, values.iter().map(ToString::to_string).collect())] };
        let prefix = |value: &str| -> Context { vec![(PREFIX, vec![value.to_owned()])] };
        let absent = Context::new();
        let cases = [
            (json!({"StringEquals": {"s3:prefix": "a/"}}), prefix("a/"), true),
            (json!({"StringEquals": {"s3:prefix": "a/"}}), prefix("a/b"), false),
            (json!({"StringEquals": {"S3:Prefix": ["b", "a/"]}}), prefix("a/"), true),
            (json!({"StringLike": {"s3:prefix": "a/*"}}), prefix("a/b"), true),
            (json!({"StringLike": {"s3:prefix": "a/*"}}), absent.clone(), false),
            (json!({"StringLikeIfExists": {"s3:prefix": "a/*"}}), absent.clone(), true),
            (json!({"StringNotLike": {"s3:prefix": "a/*"}}), prefix("a/b"), false),
            (json!({"StringNotEquals": {"s3:prefix": "a/"}}), absent.clone(), true),
            (
                json!({"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["code#*", "phone#*"]}}),
                keys(&["code#1", "phone#2"]),
                true,
            ),
            (
                json!({"ForAllValues:StringLike": {"dynamodb:LeadingKeys": "code#*"}}),
                keys(&["code#1", "phone#2"]),
                false,
            ),
            (
                json!({"ForAnyValue:StringEquals": {"dynamodb:LeadingKeys": "code#1"}}),
                keys(&["code#1", "phone#2"]),
                true,
            ),
            (json!({"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": "x"}}), absent.clone(), true),
            (json!({"ForAnyValue:StringEquals": {"dynamodb:LeadingKeys": "x"}}), absent, false),
        ];
        for (element, context, expected) in cases {
            assert_eq!(holds(&element, &context), expected, "{element} on {context:?}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for element in [
            json!({"Bool": {"aws:SecureTransport": "true"}}),
            json!({"StringEquals": {"aws:SecureTransport": "true"}}),
            json!({"StringEquals": {"aws:PrincipalTag/team": "x"}}),
            json!({"NumericLessThan": {"s3:max-keys": "10"}}),
            json!({"ForSomeValues:StringLike": {"s3:prefix": "x"}}),
            json!({"StringLike": {"dynamodb:LeadingKeys": "x"}}),
            json!({"StringLike": {"s3:prefix": {"Ref": "Prefix"}}}),
            json!({"StringLike": ["s3:prefix"]}),
        ] {
            assert!(Condition::parse_all(&element).is_err(), "{element}");
        }
    }
}
