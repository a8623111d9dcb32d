//! The reasons why a policy cannot be enforced.

use serde_json::Value;

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
    /// `Effect` is not `Allow`. No role here needs a `Deny`.
    #[error("Effect must be Allow")]
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
    /// A condition operator that is not `StringEquals` or `StringLike` with `ForAllValues:` or `ForAnyValue:`. A request
    /// may have several leading keys, and AWS does not define the result of an operator without one of these prefixes.
    #[error("the condition operator {0} is not supported")]
    Operator(String),
    /// A condition key that the endpoints do not set.
    #[error("the condition key {0} is not supported")]
    Key(String),
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
