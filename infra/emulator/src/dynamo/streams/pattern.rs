//! Filter patterns of event source mappings: they select the records for which a function is invoked.
//!
//! From the Lambda developer guide, "Filter rule syntax". Of its comparison operators, equality and `prefix` are
//! supported. A pattern with another one is refused, because a filter that was ignored would only be noticed after
//! deployment.

use serde_json::{Map, Value};

/// A condition on a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern(Node);

#[derive(Debug, Clone, PartialEq)]
enum Node {
    /// Every field matches.
    All(Vec<(String, Node)>),
    /// At least one of the rules matches the value.
    Leaf(Vec<Rule>),
}

#[derive(Debug, Clone, PartialEq)]
enum Rule {
    Equal(Value),
    Prefix(String),
}

impl Pattern {
    /// Parses a pattern; the error describes what is not understood.
    pub fn parse(pattern: &Value) -> Result<Self, String> {
        match pattern.as_object() {
            Some(fields) if !fields.is_empty() => Ok(Self(node(fields)?)),
            _ => Err(format!("{pattern} is not an object with fields")),
        }
    }

    /// Whether a record matches.
    pub fn matches(&self, record: &Value) -> bool {
        self.0.matches(record)
    }
}

fn node(fields: &Map<String, Value>) -> Result<Node, String> {
    let all = fields.iter().map(|(name, value)| {
        let node = match value {
            _ if name.starts_with('$') => return Err(format!("{name} is not supported")),
            Value::Object(fields) => node(fields)?,
            Value::Array(rules) if !rules.is_empty() => Node::Leaf(rules.iter().map(rule).collect::<Result<_, _>>()?),
            _ => return Err(format!("{name} must be an object or a list of values")),
        };
        Ok((name.clone(), node))
    });
    all.collect::<Result<_, _>>().map(Node::All)
}

fn rule(value: &Value) -> Result<Rule, String> {
    match value {
        Value::Array(_) => Err(format!("{value} is a list within a list")),
        Value::Object(operator) => match (operator.len(), operator.get("prefix").and_then(Value::as_str)) {
            (1, Some(prefix)) => Ok(Rule::Prefix(prefix.to_owned())),
            _ => Err(format!("{value} is not supported; only a text or number, or a prefix")),
        },
        plain => Ok(Rule::Equal(plain.clone())),
    }
}

impl Node {
    fn matches(&self, value: &Value) -> bool {
        match self {
            Self::All(fields) => {
                fields.iter().all(|(name, node)| value.get(name).is_some_and(|value| node.matches(value)))
            }
            Self::Leaf(rules) => rules.iter().any(|rule| rule.matches(value)),
        }
    }
}

impl Rule {
    fn matches(&self, value: &Value) -> bool {
        match self {
            Self::Equal(wanted) => value == wanted,
            Self::Prefix(prefix) => value.as_str().is_some_and(|text| text.starts_with(prefix)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Pattern;

    #[test]
    fn every_field_must_match_one_of_its_rules() {
        let record = json!({"eventName": "MODIFY", "dynamodb": {"Keys": {"sk": {"S": "friend#1"}}, "NewImage": {}}});
        for (pattern, expected) in [
            (json!({"eventName": ["INSERT", "MODIFY"]}), true),
            (json!({"eventName": ["INSERT"]}), false),
            (json!({"eventName": ["modify"]}), false),
            (json!({"dynamodb": {"Keys": {"sk": {"S": ["head", {"prefix": "friend#"}]}}}}), true),
            (json!({"dynamodb": {"Keys": {"sk": {"S": [{"prefix": "riend#"}]}}}}), false),
            (json!({"eventName": ["INSERT"], "dynamodb": {"Keys": {"sk": {"S": ["friend#1"]}}}}), false),
            (json!({"dynamodb": {"NewImage": {"told": {"S": ["x"]}}}}), false),
        ] {
            assert_eq!(Pattern::parse(&pattern).unwrap().matches(&record), expected, "{pattern}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for wrong in [
            json!({}),
            json!([]),
            json!("head"),
            json!({"a": "head"}),
            json!({"a": []}),
            json!({"a": [["b"]]}),
            json!({"a": [{"prefix": 1}]}),
            json!({"a": [{"prefix": "x", "suffix": "y"}]}),
            json!({"a": [{"exists": false}]}),
            json!({"a": [{"numeric": [">", 0]}]}),
            json!({"$or": [{"a": ["b"]}]}),
        ] {
            assert!(Pattern::parse(&wrong).is_err(), "{wrong}");
        }
    }
}
