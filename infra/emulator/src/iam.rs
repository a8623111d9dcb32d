//! The part of IAM that a function's role needs: identity-based statements that allow, with wildcards, `NotResource` and
//! conditions on partition keys.
//!
//! A call that no statement allows is denied. If a statement contains something that this module does not support, for
//! example an explicit `Deny`, registering the role fails; a call is never allowed by mistake. Evaluation follows the
//! IAM user guide, "Policy evaluation logic".

mod condition;
mod pattern;
mod problem;
mod statement;

use serde_json::Value;

pub use problem::{PolicyError, Problem};

use statement::Statement;

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
    /// The partition keys of the items in the call, for conditions.
    pub leading_keys: Option<Vec<String>>,
}

impl Access {
    /// An access without partition keys.
    pub fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { action: action.into(), resource: resource.into(), leading_keys: None }
    }
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

    /// Whether any condition uses partition keys, so that a caller can avoid computing unused ones.
    #[must_use]
    pub fn reads_leading_keys(&self) -> bool {
        self.statements.iter().any(Statement::reads_leading_keys)
    }

    /// The statements that allow an access, counted from 0. If there is none, it is denied.
    pub fn allowing(&self, access: &Access) -> impl Iterator<Item = usize> {
        let Access { action, resource, leading_keys } = access;
        let statements = self.statements.iter().enumerate();
        let allowing = statements.filter(|(_, one)| one.allows(action, resource, leading_keys.as_deref()));
        allowing.map(|(index, _)| index)
    }
}

#[cfg(test)]
mod tests;
