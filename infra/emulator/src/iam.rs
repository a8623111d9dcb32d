//! The part of IAM that a function's role needs: identity-based statements with wildcards, negated elements and string
//! conditions.
//!
//! A call that no statement allows is denied, and an explicit `Deny` overrides any `Allow`. If a statement contains
//! something that this module does not support, registering the role fails; a call is never allowed by mistake.
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

/// A permission that a call needs. Many calls need several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The action, for example `dynamodb:PutItem`.
    pub action: String,
    /// The ARN of the resource, or `*` for an action without a resource.
    pub resource: String,
    /// The values for conditions.
    pub context: Context,
}

impl Access {
    /// An access without values for conditions.
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

/// The result of evaluating a policy. Statements are counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// This statement allows it, and no statement denies it.
    AllowedBy(usize),
    /// This statement denies it.
    DeniedBy(usize),
    /// No statement matches, so it is denied.
    NotMentioned,
}

impl Policy {
    /// Parses the statements of a role, in the JSON format of CloudFormation and IAM, with intrinsic functions
    /// resolved.
    pub fn parse(statements: &[Value]) -> Result<Self, PolicyError> {
        let statements = statements
            .iter()
            .enumerate()
            .map(|(index, statement)| Statement::parse(statement).map_err(|problem| PolicyError { index, problem }))
            .collect::<Result<_, _>>()?;
        Ok(Self { statements })
    }

    /// Whether any condition uses this key, so that a caller can avoid computing unused values.
    #[must_use]
    pub fn reads(&self, key: &str) -> bool {
        self.statements.iter().any(|statement| statement.reads(key))
    }

    /// Evaluates the policy for an access.
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

    /// The only statement that allows an access: without it the access would be denied.
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
