//! A template as written.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::Error;
use super::parameters::{self, Parameter};
use super::yaml;

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
        if resources.is_none_or(Map::is_empty) {
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

    /// The resource with this logical id, as written.
    pub(super) fn resource(&self, logical_id: &str) -> Option<&Value> {
        self.document.get("Resources")?.get(logical_id)
    }

    /// The type of the resource with this logical id.
    pub(super) fn kind(&self, logical_id: &str) -> Option<&str> {
        self.resource(logical_id)?.get("Type")?.as_str()
    }

    /// A top-level section such as `Mappings` or `Conditions`, as written.
    pub(super) fn section(&self, name: &str) -> Option<&Map<String, Value>> {
        self.document.get(name)?.as_object()
    }
}
