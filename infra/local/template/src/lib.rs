//! Reads `template.yaml`, the AWS SAM template that is the single source of truth.
//!
//! A [`Template`] is the parsed file. Resolved against a [`Deployment`] (parameter values,
//! region, names) it becomes a [`Stack`]: functions with their environment, permissions and
//! routes, tables, buckets, secrets, keys, topics, queues and the gateway's CORS rules, with no
//! intrinsic left.
//!
//! What is read is what the local run and the tests need. Anything else in the file is left
//! alone, and anything of ours that is written in a form not known here is an [`Error`] that
//! names the place: a permission or a route that was silently skipped would only show once
//! deployed.

mod dynamic;
mod error;
mod events;
mod function;
mod intrinsics;
mod model;
mod parameters;
mod physical;
mod secret;
mod shape;
mod stack;
mod streams;
mod yaml;

use std::collections::BTreeMap;

use serde_json::Value;

pub use error::Error;
pub use model::{
    Bucket, Cors, Deployment, Function, Key, ObjectCreated, OtherEvent, Queue, Route, Stack, Table, TableChanged, Topic,
};
pub use parameters::Parameter;
pub use secret::Secret;

/// A template as it was written: parsed, with short tags turned into their long form, and
/// nothing resolved.
#[derive(Debug, Clone)]
pub struct Template {
    document: Value,
    parameters: BTreeMap<String, Parameter>,
}

impl Template {
    /// Parses a template. Fails on YAML that does not parse (a key given twice is one such
    /// fault), on a file without resources, and on a malformed parameter declaration.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let document = yaml::parse(text)?;
        let resources = document.get("Resources").and_then(Value::as_object);
        if resources.is_none_or(serde_json::Map::is_empty) {
            return Err(Error::new("Resources", "the template has no resources"));
        }
        let parameters = parameters::declared(&document)?;
        Ok(Self { document, parameters })
    }

    /// The file as it was written.
    #[must_use]
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// The declared parameters, by name.
    #[must_use]
    pub fn parameters(&self) -> &BTreeMap<String, Parameter> {
        &self.parameters
    }

    /// The secrets the template declares, with their names and how to generate them. They are
    /// resolved on their own because a deployment makes them before anything that reads them:
    /// put their values into [`Deployment::secrets`], then call [`Template::resolve`].
    pub fn secrets(&self, deployment: &Deployment) -> Result<Vec<Secret>, Error> {
        let scope = intrinsics::Scope::new(self, deployment)?;
        stack::secrets(&scope)
    }

    /// Resolves every intrinsic that matters to a [`Stack`] with the values of `deployment`.
    pub fn resolve(&self, deployment: &Deployment) -> Result<Stack, Error> {
        let scope = intrinsics::Scope::new(self, deployment)?;
        stack::resolve(&scope)
    }

    /// The resource of this logical id, as written.
    pub(crate) fn resource(&self, logical_id: &str) -> Option<&Value> {
        self.document.get("Resources")?.get(logical_id)
    }

    /// The type of the resource of this logical id.
    pub(crate) fn kind(&self, logical_id: &str) -> Option<&str> {
        self.resource(logical_id)?.get("Type")?.as_str()
    }

    /// A top-level section such as `Mappings` or `Conditions`, as written.
    pub(crate) fn section(&self, name: &str) -> Option<&serde_json::Map<String, Value>> {
        self.document.get(name)?.as_object()
    }
}
