//! A statement of an IAM policy, parsed from its JSON format.

use serde_json::Value;

use super::condition::{Condition, Context};
use super::pattern;

/// A statement that the endpoints cannot enforce, and the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("statement {index}: {problem}")]
pub struct PolicyError {
    /// The statement of the role, counted from 0.
    pub index: usize,
    /// The problem.
    pub problem: Problem,
}

/// A part of a statement that is not supported. Nothing is skipped: if only half of a statement were applied, it would
/// allow or deny the wrong calls.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The statement or one of its elements should be a JSON object.
    #[error("{0} is not an object")]
    NotAnObject(&'static str),
    /// A required element is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// An element that identity-based statements do not have, or a misspelt one.
    #[error("the element {0} is unknown")]
    Element(String),
    /// `Effect` is neither `Allow` nor `Deny`.
    #[error("Effect must be Allow or Deny")]
    Effect,
    /// An element that should be a text or a list of texts. Intrinsic functions must be resolved before the statement
    /// is registered.
    #[error("{0} must be a text or a list of texts, with intrinsic functions resolved")]
    NotText(&'static str),
    /// An action without `service:` before its name.
    #[error("{0:?} is not an action")]
    Action(String),
    /// A policy variable such as `${aws:username}`.
    #[error("policy variables are not supported: {0:?}")]
    Variable(String),
    /// A condition operator that is not one of the string operators.
    #[error("the condition operator {0} is not supported")]
    Operator(String),
    /// A condition key that the endpoints do not set.
    #[error("the condition key {0} is not supported")]
    Key(String),
    /// A condition key with several values, used without `ForAllValues:` or
    /// `ForAnyValue:`.
    #[error("{0} has several values; use ForAllValues: or ForAnyValue:")]
    NeedsSet(&'static str),
}

/// The effect of a statement on the calls that it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// A matching call is allowed, unless another statement denies it.
    Allow,
    /// A matching call is denied, whatever other statements say.
    Deny,
}

/// A statement of a policy.
#[derive(Debug, Clone)]
pub struct Statement {
    effect: Effect,
    actions: Patterns,
    resources: Patterns,
    conditions: Vec<Condition>,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Debug, Clone)]
struct Patterns {
    patterns: Vec<String>,
    negated: bool,
}

impl Statement {
    /// Parses one statement.
    pub fn parse(statement: &Value) -> Result<Self, Problem> {
        const ELEMENTS: [&str; 7] = ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];
        let elements = statement.as_object().ok_or(Problem::NotAnObject("the statement"))?;
        if let Some(unknown) = elements.keys().find(|name| !ELEMENTS.contains(&name.as_str())) {
            return Err(Problem::Element(unknown.clone()));
        }
        let effect = match elements.get("Effect").and_then(Value::as_str) {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            _ => return Err(Problem::Effect),
        };
        let actions = Patterns::parse(statement, "Action", "NotAction")?;
        let malformed = |action: &&String| *action != "*" && !action.contains(':');
        if let Some(action) = actions.patterns.iter().find(malformed) {
            return Err(Problem::Action(action.clone()));
        }
        let conditions = match elements.get("Condition") {
            Some(element) => Condition::parse_all(element)?,
            None => Vec::new(),
        };
        Ok(Self { effect, actions, resources: Patterns::parse(statement, "Resource", "NotResource")?, conditions })
    }

    /// Whether the statement allows or denies.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// Whether a condition of the statement uses this key.
    pub fn reads(&self, key: &str) -> bool {
        self.conditions.iter().any(|condition| condition.key() == key)
    }

    /// Whether the statement matches this call.
    pub fn matches(&self, action: &str, resource: &str, context: &Context) -> bool {
        self.actions.accept(|pattern| pattern::action(pattern, action))
            && self.resources.accept(|pattern| pattern::resource(pattern, resource))
            && self.conditions.iter().all(|condition| condition.holds(context))
    }
}

impl Patterns {
    fn parse(statement: &Value, plain: &'static str, not: &'static str) -> Result<Self, Problem> {
        let (element, negated, name) = match (statement.get(plain), statement.get(not)) {
            (Some(element), None) => (element, false, plain),
            (None, Some(element)) => (element, true, not),
            (Some(_), Some(_)) => return Err(Problem::Element(format!("{not} beside {plain}"))),
            (None, None) => return Err(Problem::Missing(plain)),
        };
        let patterns = texts(name, element)?;
        Ok(Self { patterns, negated })
    }

    fn accept(&self, matches: impl Fn(&str) -> bool) -> bool {
        self.patterns.iter().any(|pattern| matches(pattern)) != self.negated
    }
}

/// Parses a text or a list of texts without policy variables.
pub fn texts(name: &'static str, element: &Value) -> Result<Vec<String>, Problem> {
    let list = match element {
        Value::String(_) => std::slice::from_ref(element),
        Value::Array(list) if !list.is_empty() => list.as_slice(),
        _ => return Err(Problem::NotText(name)),
    };
    list.iter()
        .map(|text| match text.as_str() {
            None => Err(Problem::NotText(name)),
            Some(text) if text.contains("${") => Err(Problem::Variable(text.to_owned())),
            Some(text) => Ok(text.to_owned()),
        })
        .collect()
}
