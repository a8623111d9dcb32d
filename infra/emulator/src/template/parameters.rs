//! Declared parameters, and the check of their values.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Map, Value, json};

use super::error::Error;
use super::model::Deployment;
use super::shape;

/// A parameter as declared in the template.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its type, such as `String`, `Number` or `CommaDelimitedList`.
    pub kind: String,
    /// The default value.
    pub default: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// The only values allowed; empty for any.
    pub allowed_values: Vec<String>,
    /// A pattern the whole value must match.
    pub allowed_pattern: Option<String>,
    /// The error message if the pattern does not match.
    pub constraint_description: Option<String>,
    /// The minimum of a `Number`.
    pub min_value: Option<f64>,
    /// The maximum of a `Number`.
    pub max_value: Option<f64>,
    /// The minimum length of a `String` in characters.
    pub min_length: Option<u32>,
    /// The maximum length of a `String` in characters.
    pub max_length: Option<u32>,
}

impl Parameter {
    /// Whether `value` is valid for this parameter; the error gives the reason.
    pub fn check(&self, value: &str) -> Result<(), Error> {
        if self.is_list() {
            return split(value).iter().try_for_each(|item| self.check_one(item));
        }
        self.check_one(value)
    }

    fn is_list(&self) -> bool {
        self.kind == "CommaDelimitedList" || self.kind.starts_with("List<")
    }

    fn check_one(&self, value: &str) -> Result<(), Error> {
        if !self.allowed_values.is_empty() && !self.allowed_values.iter().any(|one| one == value) {
            let allowed = self.allowed_values.join(", ");
            return Err(self.refuse(value, &format!("is not one of {allowed}")));
        }
        if let Some(pattern) = &self.allowed_pattern {
            let whole = Regex::new(&format!("^(?:{pattern})$"))
                .map_err(|error| self.error(&format!("AllowedPattern is not understood: {error}")))?;
            if !whole.is_match(value) {
                let words = self.constraint_description.as_deref();
                let plain = format!("does not match {pattern}");
                return Err(self.refuse(value, words.unwrap_or(&plain)));
            }
        }
        self.check_number(value)?;
        self.check_length(value)
    }

    fn check_number(&self, value: &str) -> Result<(), Error> {
        if self.kind != "Number" && self.kind != "List<Number>" {
            return Ok(());
        }
        let number: f64 = value.parse().map_err(|_| self.refuse(value, "is not a number"))?;
        match (self.min_value, self.max_value) {
            (Some(min), _) if number < min => Err(self.refuse(value, &format!("is less than {min}"))),
            (_, Some(max)) if number > max => Err(self.refuse(value, &format!("is more than {max}"))),
            _ => Ok(()),
        }
    }

    fn check_length(&self, value: &str) -> Result<(), Error> {
        let length = value.chars().count();
        let short = self.min_length.is_some_and(|min| length < min as usize);
        let long = self.max_length.is_some_and(|max| length > max as usize);
        if short || long {
            return Err(self.refuse(value, "is too short or too long"));
        }
        Ok(())
    }

    fn refuse(&self, value: &str, why: &str) -> Error {
        self.error(&format!("the value `{value}` {why}"))
    }

    fn error(&self, why: &str) -> Error {
        Error::new(format!("Parameters.{}", self.name), why)
    }
}

/// The declarations of a template.
pub(super) fn declared(document: &Value) -> Result<BTreeMap<String, Parameter>, Error> {
    let mut parameters = BTreeMap::new();
    if let Some(section) = shape::object(document.get("Parameters"), "Parameters")? {
        for (name, declaration) in section {
            let place = format!("Parameters.{name}");
            let entries = shape::object(Some(declaration), &place)?
                .ok_or_else(|| Error::new(&place, "the declaration is empty"))?;
            parameters.insert(name.clone(), declare(name, entries, &place)?);
        }
    }
    Ok(parameters)
}

fn declare(name: &str, entries: &Map<String, Value>, place: &str) -> Result<Parameter, Error> {
    let text = |key: &str| {
        let value = entries.get(key);
        value.map(|value| shape::text(value, place)).transpose()
    };
    let float = |key: &str| -> Result<Option<f64>, Error> {
        let value = text(key)?.map(|value| value.parse().map_err(|_| value));
        let value = value.transpose();
        value.map_err(|value| Error::new(place, format!("{key} `{value}` is not a number")))
    };
    let length = |key: &str| {
        let value = entries.get(key);
        value.map(|value| shape::number(value, place)).transpose()
    };
    let allowed = entries.get("AllowedValues");
    Ok(Parameter {
        name: name.to_owned(),
        kind: text("Type")?.ok_or_else(|| Error::new(place, "Type is missing"))?,
        default: text("Default")?,
        description: text("Description")?,
        allowed_values: match allowed {
            Some(values) => shape::texts(values, place)?,
            None => Vec::new(),
        },
        allowed_pattern: text("AllowedPattern")?,
        constraint_description: text("ConstraintDescription")?,
        min_value: float("MinValue")?,
        max_value: float("MaxValue")?,
        min_length: length("MinLength")?,
        max_length: length("MaxLength")?,
    })
}

/// The values of a deployment: the given value, otherwise the default. A list is a JSON array, every other value is
/// text, as in `Ref`.
pub(super) fn values(
    declared: &BTreeMap<String, Parameter>,
    deployment: &Deployment,
) -> Result<BTreeMap<String, Value>, Error> {
    for name in deployment.parameters.keys() {
        if !declared.contains_key(name) {
            let known: Vec<_> = declared.keys().map(String::as_str).collect();
            let known = known.join(", ");
            let reason = format!("no such parameter; the template has {known}");
            return Err(Error::new(format!("Parameters.{name}"), reason));
        }
    }
    let value = |parameter: &Parameter| {
        let given = deployment.parameters.get(&parameter.name);
        let value = given
            .or(parameter.default.as_ref())
            .ok_or_else(|| parameter.error("has no default, and no value was given"))?;
        parameter.check(value)?;
        Ok(if parameter.is_list() { json!(split(value)) } else { json!(value) })
    };
    declared.values().map(|parameter| Ok((parameter.name.clone(), value(parameter)?))).collect()
}

/// The items of a comma-delimited list. `CloudFormation` trims the space around each.
fn split(value: &str) -> Vec<&str> {
    if value.is_empty() {
        return Vec::new();
    }
    value.split(',').map(str::trim).collect()
}
