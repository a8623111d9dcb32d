//! Filter patterns of event source mappings: they select the records for which a function is invoked.
//!
//! From the Lambda developer guide, "Filter rule syntax". DynamoDB's numbers are text in a record (`{"N":"7"}`), so
//! `numeric` never matches them, as on Lambda.

use serde_json::{Map, Value};

/// A condition on a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern(Node);

#[derive(Debug, Clone, PartialEq)]
enum Node {
    /// Every field matches.
    All(Vec<(String, Node)>),
    /// At least one of the nodes matches (`$or`).
    OneOf(Vec<Node>),
    /// At least one of the rules matches the value.
    Leaf(Vec<Rule>),
}

#[derive(Debug, Clone, PartialEq)]
enum Rule {
    Equal(Value),
    EqualIgnoringCase(String),
    Prefix(String),
    Suffix(String),
    Exists(bool),
    Numeric(Vec<(Comparison, f64)>),
    AnythingBut(Vec<Rule>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Pattern {
    /// Parses a pattern; the error describes what Lambda would reject.
    pub fn parse(pattern: &Value) -> Result<Self, String> {
        match pattern.as_object() {
            Some(fields) if !fields.is_empty() => Ok(Self(node(fields)?)),
            _ => Err(format!("{pattern} is not an object with fields")),
        }
    }

    /// Whether a record matches.
    pub fn matches(&self, record: &Value) -> bool {
        self.0.matches(Some(record))
    }
}

fn node(fields: &Map<String, Value>) -> Result<Node, String> {
    let all = fields.iter().map(|(name, value)| {
        let node = match value {
            Value::Array(choices) if name == "$or" => alternatives(choices)?,
            Value::Object(fields) => node(fields)?,
            Value::Array(rules) if !rules.is_empty() => Node::Leaf(rules.iter().map(rule).collect::<Result<_, _>>()?),
            _ => return Err(format!("{name} must be an object or a list of values")),
        };
        Ok((name.clone(), node))
    });
    all.collect::<Result<_, _>>().map(Node::All)
}

fn alternatives(choices: &[Value]) -> Result<Node, String> {
    let nodes = choices.iter().map(|choice| match choice.as_object() {
        Some(fields) => node(fields),
        None => Err("$or holds objects".to_owned()),
    });
    nodes.collect::<Result<_, _>>().map(Node::OneOf)
}

fn rule(value: &Value) -> Result<Rule, String> {
    let Some(operator) = value.as_object() else {
        return match value {
            Value::Array(_) => Err(format!("{value} is a list within a list")),
            plain => Ok(Rule::Equal(plain.clone())),
        };
    };
    let mut entries = operator.iter();
    let (Some((name, argument)), None) = (entries.next(), entries.next()) else {
        return Err(format!("{value} must name one operator"));
    };
    let text = || argument.as_str().map(str::to_owned).ok_or_else(|| format!("{name} needs text, not {argument}"));
    match name.as_str() {
        "prefix" => text().map(Rule::Prefix),
        "suffix" => text().map(Rule::Suffix),
        "equals-ignore-case" => text().map(|text| Rule::EqualIgnoringCase(text.to_lowercase())),
        "exists" => argument.as_bool().map(Rule::Exists).ok_or_else(|| "exists needs true or false".to_owned()),
        "numeric" => numeric(argument).map(Rule::Numeric),
        "anything-but" => {
            let but = argument.as_array().map_or(std::slice::from_ref(argument), Vec::as_slice);
            but.iter().map(rule).collect::<Result<_, _>>().map(Rule::AnythingBut)
        }
        unknown => Err(format!("the operator {unknown} is not known")),
    }
}

/// `["=", 1]` or `[">", 0, "<=", 5]`.
fn numeric(argument: &Value) -> Result<Vec<(Comparison, f64)>, String> {
    let parts = argument.as_array().map(Vec::as_slice).unwrap_or_default();
    if !matches!(parts.len(), 2 | 4) {
        return Err(format!("numeric needs one or two comparisons, not {argument}"));
    }
    let pairs = parts.chunks_exact(2).map(|pair| {
        let comparison = match pair[0].as_str() {
            Some("=") => Comparison::Equal,
            Some("<") => Comparison::Less,
            Some("<=") => Comparison::LessOrEqual,
            Some(">") => Comparison::Greater,
            Some(">=") => Comparison::GreaterOrEqual,
            _ => return Err(format!("{} is no comparison", pair[0])),
        };
        let number = pair[1].as_f64().ok_or_else(|| format!("{} is no number", pair[1]))?;
        Ok((comparison, number))
    });
    pairs.collect()
}

impl Node {
    /// A list matches when one of its elements does.
    fn matches(&self, value: Option<&Value>) -> bool {
        if let (Some(Value::Array(elements)), true) = (value, !self.wants_absence()) {
            return elements.iter().any(|element| self.matches(Some(element)));
        }
        match self {
            Self::All(fields) => fields.iter().all(|(name, node)| match node {
                // Alternatives test the object that contains them.
                Self::OneOf(_) => node.matches(value),
                _ => node.matches(value.and_then(|value| value.get(name))),
            }),
            Self::OneOf(nodes) => nodes.iter().any(|node| node.matches(value)),
            Self::Leaf(rules) => rules.iter().any(|rule| rule.matches(value)),
        }
    }

    fn wants_absence(&self) -> bool {
        matches!(self, Self::Leaf(rules) if rules.contains(&Rule::Exists(false)))
    }
}

impl Rule {
    fn matches(&self, value: Option<&Value>) -> bool {
        // Only leaf values count as existing; an object above a leaf does not.
        let leaf = value.filter(|value| !value.is_object());
        if let Self::Exists(wanted) = self {
            return leaf.is_some() == *wanted;
        }
        let Some(value) = leaf else { return false };
        match self {
            Self::Exists(_) => false,
            Self::Equal(wanted) => same(value, wanted),
            Self::EqualIgnoringCase(wanted) => value.as_str().is_some_and(|text| text.to_lowercase() == *wanted),
            Self::Prefix(prefix) => value.as_str().is_some_and(|text| text.starts_with(prefix)),
            Self::Suffix(suffix) => value.as_str().is_some_and(|text| text.ends_with(suffix)),
            Self::Numeric(comparisons) => value
                .as_f64()
                .is_some_and(|number| comparisons.iter().all(|(comparison, bound)| comparison.holds(number, *bound))),
            Self::AnythingBut(rules) => !rules.iter().any(|rule| rule.matches(Some(value))),
        }
    }
}

/// Numbers are equal if their values are, however they are written.
fn same(value: &Value, wanted: &Value) -> bool {
    match (value.as_f64(), wanted.as_f64()) {
        (Some(value), Some(wanted)) => Comparison::Equal.holds(value, wanted),
        _ => value == wanted,
    }
}

impl Comparison {
    fn holds(self, number: f64, bound: f64) -> bool {
        let order = number.partial_cmp(&bound);
        order.is_some_and(|order| match self {
            Self::Equal => order.is_eq(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Pattern;

    /// Whether a pattern for the field `v` matches a record with this value (`None`: without the field).
    fn matches(rules: &Value, value: Option<Value>) -> bool {
        let record = value.map_or(json!({"a": {}}), |value| json!({"a": {"v": value}}));
        Pattern::parse(&json!({"a": {"v": rules}})).unwrap().matches(&record)
    }

    #[test]
    fn every_operator_matches_what_lambda_says() {
        for (rules, yes, no) in [
            (json!(["head", "account"]), vec![json!("account"), json!(["x", "head"])], vec![json!("Head"), json!(1)]),
            (json!([7]), vec![json!(7), json!(7.0)], vec![json!("7")]),
            (json!([null, true]), vec![json!(null), json!(true)], vec![json!(false), json!("")]),
            (json!([{"prefix": "friend#"}]), vec![json!("friend#1")], vec![json!("head"), json!("a friend#")]),
            (json!([{"suffix": "#1"}]), vec![json!("friend#1")], vec![json!("friend#2")]),
            (json!([{"equals-ignore-case": "HeAd"}]), vec![json!("head")], vec![json!("heads")]),
            (json!([{"anything-but": ["a", 1]}]), vec![json!("b"), json!(2)], vec![json!("a"), json!(1)]),
            (json!([{"anything-but": "a"}]), vec![json!("b")], vec![json!("a")]),
            (json!([{"anything-but": {"prefix": "a"}}]), vec![json!("ba")], vec![json!("ab")]),
            (json!([{"numeric": [">", 0, "<=", 5]}]), vec![json!(5), json!(0.1)], vec![json!(0), json!(6), json!("3")]),
            (json!([{"numeric": ["=", 5]}, "x"]), vec![json!(5), json!("x")], vec![json!(4)]),
            (json!([{"exists": true}]), vec![json!("x"), json!(null)], vec![json!({"deeper": 1})]),
        ] {
            for value in yes {
                assert!(matches(&rules, Some(value.clone())), "{rules} takes {value}");
            }
            for value in no {
                assert!(!matches(&rules, Some(value.clone())), "{rules} leaves {value}");
            }
            assert!(!matches(&rules, None), "{rules} needs the field");
        }
        assert!(matches(&json!([{"exists": false}]), None));
        assert!(!matches(&json!([{"exists": false}]), Some(json!("x"))));
    }

    #[test]
    fn fields_are_all_asked_for_and_alternatives_are_not() {
        let pattern = |pattern| Pattern::parse(&pattern).unwrap();
        let record = json!({"eventName": "MODIFY", "dynamodb": {"Keys": {"sk": {"S": "head"}}, "NewImage": {}}});
        let keys = |sk: &str| json!({"Keys": {"sk": {"S": [sk]}}});
        assert!(pattern(json!({"eventName": ["MODIFY"], "dynamodb": keys("head")})).matches(&record));
        assert!(!pattern(json!({"eventName": ["INSERT"], "dynamodb": keys("head")})).matches(&record));
        assert!(!pattern(json!({"eventName": ["MODIFY"], "dynamodb": keys("job")})).matches(&record));
        let absent = json!({"dynamodb": {"NewImage": {"told": {"M": [{"exists": false}]}}}});
        assert!(pattern(absent).matches(&record), "a field below one that is missing is missing");
        let or = |first: &str, second: &str| json!({"$or": [{"eventName": [first]}, {"dynamodb": keys(second)}]});
        assert!(pattern(or("INSERT", "head")).matches(&record));
        assert!(!pattern(or("INSERT", "job")).matches(&record));
    }

    #[test]
    fn what_lambda_refuses_is_refused() {
        for wrong in [
            json!({}),
            json!([]),
            json!("head"),
            json!({"a": "head"}),
            json!({"a": []}),
            json!({"a": [["b"]]}),
            json!({"a": [{"prefix": 1}]}),
            json!({"a": [{"like": "x"}]}),
            json!({"a": [{"prefix": "x", "suffix": "y"}]}),
            json!({"a": [{"numeric": [">"]}]}),
            json!({"a": [{"numeric": ["~", 1]}]}),
            json!({"a": [{"exists": "yes"}]}),
            json!({"$or": ["a"]}),
        ] {
            assert!(Pattern::parse(&wrong).is_err(), "{wrong}");
        }
    }
}
