//! Intrinsic functions and conditions, and the names of resources, which may contain intrinsics.
//!
//! Source: the `CloudFormation` user guide, "Intrinsic function reference".

use std::cell::Cell;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::document::Template;
use super::error::Error;
use super::model::Deployment;
use super::{parameters, physical, shape};

/// How deep values may refer to each other. A template has only a few levels; a resource whose name refers to itself
/// would never end.
const DEPTH: u32 = 64;

/// A template with the values that resolve it.
pub(super) struct Scope<'a> {
    pub template: &'a Template,
    pub deployment: &'a Deployment,
    parameters: BTreeMap<String, Value>,
    depth: Cell<u32>,
}

impl<'a> Scope<'a> {
    /// Checks the deployment's parameters and creates the scope.
    pub fn new(template: &'a Template, deployment: &'a Deployment) -> Result<Self, Error> {
        Ok(Self {
            template,
            deployment,
            parameters: parameters::values(template.parameters(), deployment)?,
            depth: Cell::new(0),
        })
    }

    /// The resolved value, or `None` for `AWS::NoValue`.
    pub fn resolve(&self, value: &Value, place: &str) -> Result<Option<Value>, Error> {
        let depth = self.depth.get();
        if depth > DEPTH {
            return Err(Error::new(place, "refers to itself"));
        }
        self.depth.set(depth + 1);
        let resolved = self.resolve_within(value, place);
        self.depth.set(depth);
        resolved
    }

    /// The resolved value, which must not be `AWS::NoValue`.
    pub fn required(&self, value: &Value, place: &str) -> Result<Value, Error> {
        self.resolve(value, place)?.ok_or_else(|| Error::new(place, "AWS::NoValue cannot stand here"))
    }

    /// The resolved value as text.
    pub fn text(&self, value: &Value, place: &str) -> Result<String, Error> {
        shape::text(&self.required(value, place)?, place)
    }

    /// Whether the named condition of the template is true.
    pub fn condition(&self, name: &str, place: &str) -> Result<bool, Error> {
        let conditions = self.template.section("Conditions");
        let condition = conditions
            .and_then(|conditions| conditions.get(name))
            .ok_or_else(|| Error::new(place, format!("there is no condition `{name}`")))?;
        self.holds(condition, &format!("Conditions.{name}"))
    }

    /// Whether a resource exists: it has no condition, or a true one.
    pub fn exists(&self, logical_id: &str) -> Result<bool, Error> {
        let resource = self.template.resource(logical_id);
        match resource.and_then(|resource| resource.get("Condition")) {
            None => Ok(resource.is_some()),
            Some(name) => {
                let place = format!("Resources.{logical_id}.Condition");
                self.condition(&shape::text(name, &place)?, &place)
            }
        }
    }

    /// The value of `Ref` for a resource.
    pub fn resource_reference(&self, id: &str, place: &str) -> Result<String, Error> {
        let kind = self.kind(id, place)?;
        Ok(physical::reference(self.deployment, kind, &self.name(id)?))
    }

    /// The value of `Fn::GetAtt` for a resource.
    pub fn resource_attribute(&self, id: &str, attribute: &str, place: &str) -> Result<String, Error> {
        let kind = self.kind(id, place)?;
        let value = physical::attribute(self.deployment, kind, &self.name(id)?, attribute);
        value.ok_or_else(|| Error::new(place, format!("the attribute {id}.{attribute} of a {kind} is not known")))
    }

    /// The physical name of a resource: the one in the template, otherwise a derived one.
    pub fn name(&self, id: &str) -> Result<String, Error> {
        let kind = self.template.kind(id).unwrap_or_default();
        if let Some(property) = physical::name_property(kind) {
            let place = format!("Resources.{id}.Properties.{property}");
            let given = self.template.resource(id).and_then(|resource| resource.get("Properties")?.get(property));
            let given = given.map(|given| self.resolve(given, &place)).transpose()?.flatten();
            if let Some(given) = given {
                return shape::text(&given, &place);
            }
        }
        Ok(physical::name(self.deployment, kind, id))
    }

    /// The type of a resource in this deployment.
    fn kind(&self, id: &str, place: &str) -> Result<&'a str, Error> {
        let kind = self.template.kind(id).ok_or_else(|| Error::new(place, format!("there is no resource `{id}`")))?;
        if !self.exists(id)? {
            return Err(Error::new(place, format!("`{id}` does not exist here: its condition is false")));
        }
        Ok(kind)
    }

    fn resolve_within(&self, value: &Value, place: &str) -> Result<Option<Value>, Error> {
        match value {
            Value::Array(items) => {
                let mut resolved = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    resolved.extend(self.resolve(item, &format!("{place}[{index}]"))?);
                }
                Ok(Some(Value::Array(resolved)))
            }
            Value::Object(object) => match intrinsic(object) {
                Some((name, argument)) if object.len() == 1 => self.call(name, argument, place),
                Some((name, _)) => Err(Error::new(place, format!("{name} must stand alone"))),
                None => {
                    let mut resolved = Map::new();
                    for (key, item) in object {
                        if let Some(item) = self.resolve(item, &format!("{place}.{key}"))? {
                            resolved.insert(key.clone(), item);
                        }
                    }
                    Ok(Some(Value::Object(resolved)))
                }
            },
            scalar => Ok(Some(scalar.clone())),
        }
    }

    fn call(&self, name: &str, argument: &Value, place: &str) -> Result<Option<Value>, Error> {
        match name {
            "Ref" => self.reference(&self.text(argument, place)?, place),
            "Fn::If" => {
                let [condition, yes, no] = arguments(argument, name, place)?;
                let condition = shape::text(condition, place)?;
                let taken = if self.condition(&condition, place)? { yes } else { no };
                self.resolve(taken, place)
            }
            "Fn::Sub" => self.substitute(argument, place).map(Some),
            "Fn::GetAtt" => self.get_attribute(argument, place).map(Some),
            "Fn::Select" => self.select(argument, place).map(Some),
            "Fn::Split" => self.split(argument, place).map(Some),
            "Fn::FindInMap" => self.find_in_map(argument, place).map(Some),
            "Fn::Equals" | "Fn::Not" | "Fn::And" => {
                Err(Error::new(place, format!("{name} belongs into Conditions; use Fn::If here")))
            }
            unknown => Err(Error::new(place, format!("the intrinsic {unknown} is not known to this reader"))),
        }
    }

    fn reference(&self, name: &str, place: &str) -> Result<Option<Value>, Error> {
        let deployment = self.deployment;
        Ok(Some(match name {
            "AWS::NoValue" => return Ok(None),
            "AWS::Region" => json!(deployment.region),
            "AWS::AccountId" => json!(deployment.account),
            "AWS::Partition" => json!("aws"),
            "AWS::StackName" => json!(deployment.stack_name),
            _ => match self.parameters.get(name) {
                Some(value) => value.clone(),
                None => json!(self.resource_reference(name, place)?),
            },
        }))
    }

    fn get_attribute(&self, argument: &Value, place: &str) -> Result<Value, Error> {
        let [resource, attribute] = match argument {
            Value::String(text) => match text.split_once('.') {
                Some((resource, attribute)) => [json!(resource), json!(attribute)],
                None => return Err(Error::new(place, "Fn::GetAtt needs Resource.Attribute")),
            },
            _ => arguments(argument, "Fn::GetAtt", place)?.map(Clone::clone),
        };
        let resource = shape::text(&resource, place)?;
        let attribute = self.text(&attribute, place)?;
        self.resource_attribute(&resource, &attribute, place).map(Value::String)
    }

    /// `Fn::Sub`: `${Name}`, `${Resource.Attribute}`, `${!Literal}`, and the form with a map.
    fn substitute(&self, argument: &Value, place: &str) -> Result<Value, Error> {
        let empty = Map::new();
        let (text, locals) = match argument {
            Value::Array(_) => {
                let [text, locals] = arguments(argument, "Fn::Sub", place)?;
                (text, locals.as_object().unwrap_or(&empty))
            }
            text => (text, &empty),
        };
        let text = text.as_str().ok_or_else(|| Error::new(place, "Fn::Sub needs text"))?;
        let mut result = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) =
                after.split_once('}').ok_or_else(|| Error::new(place, "Fn::Sub has a ${ without its }"))?;
            result.push_str(before);
            result.push_str(&self.placeholder(name, locals, place)?);
            rest = after;
        }
        result.push_str(rest);
        Ok(Value::String(result))
    }

    fn placeholder(&self, name: &str, locals: &Map<String, Value>, place: &str) -> Result<String, Error> {
        if let Some(literal) = name.strip_prefix('!') {
            return Ok(format!("${{{literal}}}"));
        }
        let name = name.trim();
        if let Some(local) = locals.get(name) {
            return self.text(local, place);
        }
        if let Some((resource, attribute)) = name.split_once('.') {
            return self.resource_attribute(resource, attribute, place);
        }
        let value = self.reference(name, place)?;
        let value = value.ok_or_else(|| Error::new(place, "AWS::NoValue is not text"))?;
        shape::text(&value, place)
    }

    fn split(&self, argument: &Value, place: &str) -> Result<Value, Error> {
        let [separator, text] = arguments(argument, "Fn::Split", place)?;
        let text = self.text(text, place)?;
        let separator = shape::text(separator, place)?;
        Ok(text.split(separator.as_str()).map(|part| json!(part)).collect())
    }

    fn select(&self, argument: &Value, place: &str) -> Result<Value, Error> {
        let [index, items] = arguments(argument, "Fn::Select", place)?;
        let index = shape::number(&self.required(index, place)?, place)? as usize;
        let items = self.list(items, place)?;
        let chosen = items.get(index);
        chosen.map(|item| json!(item)).ok_or_else(|| Error::new(place, format!("Fn::Select: there is no item {index}")))
    }

    fn find_in_map(&self, argument: &Value, place: &str) -> Result<Value, Error> {
        let [map, first, second] = arguments(argument, "Fn::FindInMap", place)?;
        let keys = [map, first, second].map(|key| self.text(key, place));
        let [map, first, second] = keys;
        let (map, first, second) = (map?, first?, second?);
        let found = self.template.section("Mappings").and_then(|maps| maps.get(&map)?.get(&first)?.get(&second));
        found.cloned().ok_or_else(|| Error::new(place, format!("Mappings has no {map}.{first}.{second}")))
    }

    fn list(&self, value: &Value, place: &str) -> Result<Vec<String>, Error> {
        shape::texts(&self.required(value, place)?, place)
    }

    fn holds(&self, condition: &Value, place: &str) -> Result<bool, Error> {
        let depth = self.depth.get();
        if depth > DEPTH {
            return Err(Error::new(place, "the condition refers to itself"));
        }
        self.depth.set(depth + 1);
        let holds = self.holds_within(condition, place);
        self.depth.set(depth);
        holds
    }

    fn holds_within(&self, condition: &Value, place: &str) -> Result<bool, Error> {
        let single = condition.as_object().filter(|object| object.len() == 1);
        let Some((name, argument)) = single.and_then(|object| object.iter().next()) else {
            return Err(Error::new(place, "not a condition"));
        };
        match name.as_str() {
            "Condition" => self.condition(&shape::text(argument, place)?, place),
            "Fn::Equals" => {
                let [left, right] = arguments(argument, name, place)?;
                Ok(self.text(left, place)? == self.text(right, place)?)
            }
            "Fn::Not" => {
                let [inner] = arguments(argument, name, place)?;
                Ok(!self.holds(inner, place)?)
            }
            "Fn::And" => {
                let parts = shape::one_or_many(argument).into_iter().map(|part| self.holds(part, place));
                Ok(parts.collect::<Result<Vec<_>, _>>()?.into_iter().all(|one| one))
            }
            unknown => Err(Error::new(place, format!("{unknown} is not a condition"))),
        }
    }
}

/// The intrinsic among the keys of a mapping, if there is one.
pub(super) fn intrinsic(object: &Map<String, Value>) -> Option<(&String, &Value)> {
    object.iter().find(|(key, _)| *key == "Ref" || key.starts_with("Fn::"))
}

/// The arguments of an intrinsic that takes exactly `N`.
fn arguments<'v, const N: usize>(argument: &'v Value, name: &str, place: &str) -> Result<[&'v Value; N], Error> {
    shape::one_or_many(argument).try_into().map_err(|_| Error::new(place, format!("{name} takes {N} arguments")))
}
