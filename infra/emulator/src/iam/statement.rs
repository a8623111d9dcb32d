//! A statement of an IAM policy, parsed from its JSON format.

use serde_json::Value;

use super::condition::Condition;
use super::pattern;
use super::problem::{Problem, texts};

/// A statement of a policy, which allows the calls that it matches.
#[derive(Debug, Clone)]
pub struct Statement {
    actions: Vec<String>,
    resources: Vec<String>,
    /// Whether the resources are those of `NotResource`.
    all_other_resources: bool,
    conditions: Vec<Condition>,
}

impl Statement {
    /// Parses one statement.
    pub fn parse(statement: &Value) -> Result<Self, Problem> {
        const ELEMENTS: [&str; 6] = ["Sid", "Effect", "Action", "Resource", "NotResource", "Condition"];
        let elements = statement.as_object().ok_or(Problem::NotAnObject("the statement"))?;
        if let Some(unknown) = elements.keys().find(|name| !ELEMENTS.contains(&name.as_str())) {
            return Err(Problem::Element(unknown.clone()));
        }
        if elements.get("Effect").and_then(Value::as_str) != Some("Allow") {
            return Err(Problem::Effect);
        }
        let actions = texts("Action", elements.get("Action").ok_or(Problem::Missing("Action"))?)?;
        let malformed = |action: &&String| *action != "*" && !action.contains(':');
        if let Some(action) = actions.iter().find(malformed) {
            return Err(Problem::Action(action.clone()));
        }
        let (resources, all_other_resources) = match (elements.get("Resource"), elements.get("NotResource")) {
            (Some(resources), None) => (texts("Resource", resources)?, false),
            (None, Some(others)) => (texts("NotResource", others)?, true),
            (Some(_), Some(_)) => return Err(Problem::Element("NotResource beside Resource".to_owned())),
            (None, None) => return Err(Problem::Missing("Resource")),
        };
        let conditions = elements.get("Condition").map(Condition::parse_all).transpose()?.unwrap_or_default();
        Ok(Self { actions, resources, all_other_resources, conditions })
    }

    /// Whether the statement has a condition on partition keys.
    pub fn reads_leading_keys(&self) -> bool {
        !self.conditions.is_empty()
    }

    /// Whether the statement allows this call.
    pub fn allows(&self, action: &str, resource: &str, leading_keys: Option<&[String]>) -> bool {
        self.actions.iter().any(|pattern| pattern::action(pattern, action))
            && self.resources.iter().any(|pattern| pattern::resource(pattern, resource)) != self.all_other_resources
            && self.conditions.iter().all(|condition| condition.holds(leading_keys))
    }
}
