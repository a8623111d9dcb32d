//! The part of IAM that a function's role needs: identity-based statements
//! with wildcards, negated elements and string conditions.
//!
//! Everything is denied that no statement allows, and an explicit `Deny` wins
//! over any `Allow`. What a statement says beyond this module's understanding
//! is an error when the role is registered, never a call allowed by mistake.
//! Evaluation follows the IAM user guide, "Policy evaluation logic".

mod condition;
mod pattern;
mod statement;

use serde_json::Value;

pub use condition::{Context, LEADING_KEYS, PREFIX};
pub use statement::{PolicyError, Problem};

use statement::{Effect, Statement};

/// The statements of one role.
#[derive(Debug, Clone)]
pub struct Policy {
    statements: Vec<Statement>,
}

/// One permission a call needs. Many calls need several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The action, for example `dynamodb:PutItem`.
    pub action: String,
    /// The ARN acted on, or `*` for an action that has no resource.
    pub resource: String,
    /// What conditions may look at.
    pub context: Context,
}

impl Access {
    /// An access without anything for conditions to look at.
    pub fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { action: action.into(), resource: resource.into(), context: Context::new() }
    }

    /// The same access with the values of one condition key.
    #[must_use]
    pub fn with(mut self, key: &'static str, values: Vec<String>) -> Self {
        self.context.push((key, values));
        self
    }
}

/// What a policy says about an access. Statements are counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// This statement allows it, and none denies it.
    AllowedBy(usize),
    /// This statement denies it.
    DeniedBy(usize),
    /// No statement is about it, so it is denied.
    NotMentioned,
}

impl Policy {
    /// Reads the statements of a role, in the JSON form CloudFormation and IAM
    /// share, with intrinsic functions resolved.
    pub fn parse(statements: &[Value]) -> Result<Self, PolicyError> {
        let statements = statements
            .iter()
            .enumerate()
            .map(|(index, statement)| Statement::parse(statement).map_err(|problem| PolicyError { index, problem }))
            .collect::<Result<_, _>>()?;
        Ok(Self { statements })
    }

    /// Whether any condition looks at this key, so that a caller need not work
    /// out values nobody looks at.
    #[must_use]
    pub fn reads(&self, key: &str) -> bool {
        self.statements.iter().any(|statement| statement.reads(key))
    }

    /// What the policy says about an access.
    #[must_use]
    pub fn evaluate(&self, access: &Access) -> Verdict {
        let mut verdict = Verdict::NotMentioned;
        for (index, statement) in self.statements.iter().enumerate() {
            if !statement.matches(&access.action, &access.resource, &access.context) {
                continue;
            }
            match statement.effect() {
                Effect::Deny => return Verdict::DeniedBy(index),
                Effect::Allow if verdict == Verdict::NotMentioned => {
                    verdict = Verdict::AllowedBy(index);
                }
                Effect::Allow => {}
            }
        }
        verdict
    }

    /// The statement that alone allows an access: without it the access would be denied.
    #[must_use]
    pub fn needed(&self, access: &Access) -> Option<usize> {
        let verdict = self.evaluate(access);
        let allowing = self.statements.iter().filter(|one| {
            one.effect() == Effect::Allow && one.matches(&access.action, &access.resource, &access.context)
        });
        match verdict {
            Verdict::AllowedBy(index) if allowing.count() == 1 => Some(index),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
