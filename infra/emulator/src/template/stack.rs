//! Resolves a template to a [`Stack`].

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::document::Template;
use super::error::Error;
use super::intrinsics::Scope;
use super::model::{Bucket, Cors, Deployment, Function, Key, Stack, Table, Topic};
use super::secret::Secret;
use super::{function, physical, queues, shape, streams};

impl Template {
    /// The secrets in the template, with their names and how to generate them. They are resolved separately, because a
    /// deployment creates them before anything that reads them: put their values into [`Deployment::secrets`], then
    /// call [`Template::resolve`].
    pub fn secrets(&self, deployment: &Deployment) -> Result<Vec<Secret>, Error> {
        secrets(&Scope::new(self, deployment)?)
    }

    /// Resolves every intrinsic that is needed for a [`Stack`] with the values of `deployment`.
    pub fn resolve(&self, deployment: &Deployment) -> Result<Stack, Error> {
        resolve(&Scope::new(self, deployment)?)
    }
}

/// Resolves the existing resources.
fn resolve(scope: &Scope<'_>) -> Result<Stack, Error> {
    let functions = of_kind(scope, "AWS::Serverless::Function", |id| function::read(scope, id))?;
    let buckets = of_kind(scope, "AWS::S3::Bucket", |id| bucket(scope, id))?;
    check_routes(&functions)?;
    let tables = of_kind(scope, "AWS::DynamoDB::Table", |id| table(scope, id))?;
    streams::check(&functions, &tables)?;
    let queues = of_kind(scope, "AWS::SQS::Queue", |id| {
        let (_, properties) = named(scope, id)?;
        queues::queue(id, arn(scope, id)?, scope.resource_reference(id, &format!("Resources.{id}"))?, &properties)
    })?;
    queues::check(&functions, &queues)?;
    Ok(Stack {
        functions,
        tables,
        buckets,
        secrets: secrets(scope)?,
        keys: of_kind(scope, "AWS::KMS::Key", |id| Ok(Key { logical_id: id.to_owned(), arn: arn(scope, id)? }))?,
        topics: of_kind(scope, "AWS::SNS::Topic", |id| Ok(Topic { logical_id: id.to_owned(), arn: arn(scope, id)? }))?,
        queues,
        cors: cors(scope)?,
    })
}

/// The existing secrets.
fn secrets(scope: &Scope<'_>) -> Result<Vec<Secret>, Error> {
    of_kind(scope, "AWS::SecretsManager::Secret", |id| {
        let (name, properties) = named(scope, id)?;
        let arn = scope.resource_reference(id, &format!("Resources.{id}"))?;
        Ok(Secret { logical_id: id.to_owned(), name, arn, properties })
    })
}

/// The ARN of a resource whose `Ref` may be something else.
fn arn(scope: &Scope<'_>, id: &str) -> Result<String, Error> {
    scope.resource_attribute(id, "Arn", &format!("Resources.{id}"))
}

fn table(scope: &Scope<'_>, id: &str) -> Result<Table, Error> {
    let (name, properties) = named(scope, id)?;
    Ok(Table { logical_id: id.to_owned(), name, properties })
}

fn bucket(scope: &Scope<'_>, id: &str) -> Result<Bucket, Error> {
    let (name, properties) = named(scope, id)?;
    if properties.get("NotificationConfiguration").is_some() {
        let place = format!("Resources.{id}.Properties.NotificationConfiguration");
        return Err(Error::new(place, "a function's subscriptions stand in its Events"));
    }
    Ok(Bucket { logical_id: id.to_owned(), name, properties })
}

/// The name of a resource, and its resolved properties with the name filled in.
fn named(scope: &Scope<'_>, id: &str) -> Result<(String, Value), Error> {
    let name = scope.name(id)?;
    let written = scope.template.resource(id).and_then(|resource| resource.get("Properties"));
    let mut properties = match written {
        Some(written) => scope.required(written, &format!("Resources.{id}.Properties"))?,
        None => Value::Object(Map::new()),
    };
    let property = scope.template.kind(id).and_then(physical::name_property);
    if let (Some(object), Some(property)) = (properties.as_object_mut(), property) {
        object.insert(property.to_owned(), Value::String(name.clone()));
    }
    Ok((name, properties))
}

/// Every existing resource of a type, read with `read`, by logical id in ascending order.
fn of_kind<T>(scope: &Scope<'_>, kind: &str, read: impl Fn(&str) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    let ids = scope.template.section("Resources").into_iter().flatten();
    let ids: BTreeSet<&String> = ids
        .filter(|(_, resource)| resource.get("Type").and_then(Value::as_str) == Some(kind))
        .map(|(id, _)| id)
        .collect();
    let mut found = Vec::new();
    for id in ids {
        if scope.exists(id)? {
            found.push(read(id)?);
        }
    }
    Ok(found)
}

/// Checks that each route key belongs to only one function.
fn check_routes(functions: &[Function]) -> Result<(), Error> {
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for function in functions {
        for route in &function.routes {
            if let Some(owner) = owners.insert(&route.key, &function.logical_id) {
                let place = format!("Resources.{}.Properties.Events", function.logical_id);
                let reason = format!("the route `{}` is already {owner}'s", route.key);
                return Err(Error::new(place, reason));
            }
        }
    }
    Ok(())
}

/// The CORS rules of the HTTP API, or else those of `Globals.HttpApi`.
fn cors(scope: &Scope<'_>) -> Result<Option<Cors>, Error> {
    let place = "CorsConfiguration of the HTTP API";
    let apis = of_kind(scope, "AWS::Serverless::HttpApi", |id| Ok(id.to_owned()))?;
    if apis.len() > 1 {
        return Err(Error::new("Resources", "more than one HTTP API is not understood"));
    }
    let written = apis.first().and_then(|id| scope.template.resource(id)?.pointer("/Properties/CorsConfiguration"));
    let globals = scope.template.section("Globals");
    let global = globals.and_then(|globals| globals.get("HttpApi")?.get("CorsConfiguration"));
    let resolved = written.or(global).map(|written| scope.required(written, place)).transpose()?;
    let rules = shape::object(resolved.as_ref(), place)?;
    rules.map(|rules| cors_rules(rules, place)).transpose()
}

fn cors_rules(rules: &Map<String, Value>, place: &str) -> Result<Cors, Error> {
    let list = |key: &str| match rules.get(key) {
        Some(value) => shape::texts(value, place),
        None => Ok(Vec::new()),
    };
    Ok(Cors {
        allow_origins: list("AllowOrigins")?,
        allow_headers: list("AllowHeaders")?,
        allow_methods: list("AllowMethods")?,
        expose_headers: list("ExposeHeaders")?,
        max_age: match rules.get("MaxAge") {
            Some(value) => Some(shape::number(value, place)?),
            None => None,
        },
        allow_credentials: match rules.get("AllowCredentials") {
            Some(value) => shape::boolean(value, place)?,
            None => false,
        },
    })
}
