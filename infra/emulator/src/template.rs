//! Reads `template.yaml`, the AWS SAM template that is the single source of truth.
//!
//! A [`Template`] is the parsed file. With a [`Deployment`] (parameter values, region, names) it is resolved to a
//! [`Stack`]: functions with their environment, permissions and routes, tables, buckets, secrets, keys, topics, queues
//! and the gateway's CORS rules, without intrinsics.
//!
//! It reads only what the local run and the tests need, and ignores the rest of the file. If a part that it needs has
//! an unsupported form, the result is an [`Error`] with the place: a permission or a route that was silently skipped
//! would only be noticed after deployment.

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

/// A template as written: parsed, with short tags converted to their long form, and nothing resolved.
#[derive(Debug, Clone)]
pub struct Template {
    document: Value,
    parameters: BTreeMap<String, Parameter>,
}

impl Template {
    /// Parses a template. Fails for invalid YAML (for example, the same key twice), for a file without resources, and
    /// for a malformed parameter declaration.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let document = yaml::parse(text)?;
        let resources = document.get("Resources").and_then(Value::as_object);
        if resources.is_none_or(serde_json::Map::is_empty) {
            return Err(Error::new("Resources", "the template has no resources"));
        }
        let parameters = parameters::declared(&document)?;
        Ok(Self { document, parameters })
    }

    /// The file as written.
    #[must_use]
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// The declared parameters, by name.
    #[must_use]
    pub fn parameters(&self) -> &BTreeMap<String, Parameter> {
        &self.parameters
    }

    /// The secrets in the template, with their names and how to generate them. They are resolved separately, because a
    /// deployment creates them before anything that reads them: put their values into [`Deployment::secrets`], then
    /// call [`Template::resolve`].
    pub fn secrets(&self, deployment: &Deployment) -> Result<Vec<Secret>, Error> {
        let scope = intrinsics::Scope::new(self, deployment)?;
        stack::secrets(&scope)
    }

    /// Resolves every intrinsic that is needed for a [`Stack`] with the values of `deployment`.
    pub fn resolve(&self, deployment: &Deployment) -> Result<Stack, Error> {
        let scope = intrinsics::Scope::new(self, deployment)?;
        stack::resolve(&scope)
    }

    /// The resource with this logical id, as written.
    pub(crate) fn resource(&self, logical_id: &str) -> Option<&Value> {
        self.document.get("Resources")?.get(logical_id)
    }

    /// The type of the resource with this logical id.
    pub(crate) fn kind(&self, logical_id: &str) -> Option<&str> {
        self.resource(logical_id)?.get("Type")?.as_str()
    }

    /// A top-level section such as `Mappings` or `Conditions`, as written.
    pub(crate) fn section(&self, name: &str) -> Option<&serde_json::Map<String, Value>> {
        self.document.get(name)?.as_object()
    }
}
