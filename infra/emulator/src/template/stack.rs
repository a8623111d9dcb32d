//! Resolves a template to a [`Stack`].

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::template::intrinsics::Scope;
use crate::template::{
    Bucket, Cors, Error, Function, Key, Queue, Secret, Stack, Table, Topic, events, function, physical, shape, streams,
};

/// Resolves the existing resources.
pub(crate) fn resolve(scope: &Scope<'_>) -> Result<Stack, Error> {
    let mut functions = of_kind(scope, "AWS::Serverless::Function", |id| function::read(scope, id))?;
    let buckets = of_kind(scope, "AWS::S3::Bucket", |id| bucket(scope, id))?;
    notifications(scope, &buckets, &mut functions)?;
    check_routes(&functions)?;
    let tables = of_kind(scope, "AWS::DynamoDB::Table", |id| table(scope, id))?;
    streams::check(&functions, &tables)?;
    Ok(Stack {
        functions,
        tables,
        buckets,
        secrets: secrets(scope)?,
        keys: keys(scope)?,
        topics: of_kind(scope, "AWS::SNS::Topic", |id| Ok(Topic { logical_id: id.to_owned(), arn: arn(scope, id)? }))?,
        queues: of_kind(scope, "AWS::SQS::Queue", |id| Ok(Queue { logical_id: id.to_owned(), arn: arn(scope, id)? }))?,
        cors: cors(scope)?,
        outputs: outputs(scope)?,
    })
}

/// The existing secrets.
pub(crate) fn secrets(scope: &Scope<'_>) -> Result<Vec<Secret>, Error> {
    of_kind(scope, "AWS::SecretsManager::Secret", |id| {
        let name = physical::name(scope, id)?;
        Ok(Secret {
            logical_id: id.to_owned(),
            arn: physical::reference(scope, id, &format!("Resources.{id}"))?,
            properties: physical::properties(scope, id, &name)?,
            name,
        })
    })
}

/// The ARN of a resource whose `Ref` may be something else.
fn arn(scope: &Scope<'_>, id: &str) -> Result<String, Error> {
    physical::attribute(scope, id, "Arn", &format!("Resources.{id}"))
}

/// The existing KMS keys, each with its aliases.
fn keys(scope: &Scope<'_>) -> Result<Vec<Key>, Error> {
    let aliases = of_kind(scope, "AWS::KMS::Alias", |id| alias(scope, id))?;
    of_kind(scope, "AWS::KMS::Key", |id| {
        let place = format!("Resources.{id}");
        let arn = physical::attribute(scope, id, "Arn", &place)?;
        let own = [physical::reference(scope, id, &place)?, arn.clone()];
        let aliases = aliases.iter().filter(|(_, target)| own.contains(target)).map(|(name, _)| name.clone()).collect();
        Ok(Key { logical_id: id.to_owned(), arn, aliases })
    })
}

/// An alias's name, and the id or ARN of its key.
fn alias(scope: &Scope<'_>, id: &str) -> Result<(String, String), Error> {
    let place = format!("Resources.{id}.Properties");
    let written = scope.template.resource(id).and_then(|resource| resource.get("Properties"));
    let properties = scope.required(written.unwrap_or(&Value::Null), &place)?;
    let text = |key: &str| match properties.get(key) {
        Some(value) => shape::text(value, &place),
        None => Err(Error::new(&place, format!("{key} is missing"))),
    };
    Ok((text("AliasName")?, text("TargetKeyId")?))
}

fn table(scope: &Scope<'_>, id: &str) -> Result<Table, Error> {
    let name = physical::name(scope, id)?;
    Ok(Table { logical_id: id.to_owned(), properties: physical::properties(scope, id, &name)?, name })
}

fn bucket(scope: &Scope<'_>, id: &str) -> Result<Bucket, Error> {
    let name = physical::name(scope, id)?;
    Ok(Bucket { logical_id: id.to_owned(), properties: physical::properties(scope, id, &name)?, name })
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

/// Subscriptions that are written at the bucket instead of the function.
fn notifications(scope: &Scope<'_>, buckets: &[Bucket], functions: &mut [Function]) -> Result<(), Error> {
    for bucket in buckets {
        let place = format!("Resources.{}.Properties.NotificationConfiguration", bucket.logical_id);
        let configured = bucket.properties.pointer("/NotificationConfiguration/LambdaConfigurations");
        for entry in configured.map(shape::one_or_many).unwrap_or_default() {
            if entry.get("Event").and_then(Value::as_str) != Some("s3:ObjectCreated:*") {
                return Err(Error::new(place, "only s3:ObjectCreated:* is understood"));
            }
            let arn = entry.get("Function").and_then(Value::as_str);
            let rules = entry.pointer("/Filter/S3Key/Rules");
            let subscription = events::filtered(bucket.name.clone(), rules, &place)?;
            let mut target = None;
            for function in functions.iter_mut() {
                let own = physical::attribute(scope, &function.logical_id, "Arn", &place)?;
                if arn == Some(own.as_str()) {
                    target = Some(function);
                }
            }
            target
                .ok_or_else(|| Error::new(&place, "Function is not one of this template's"))?
                .object_created
                .push(subscription);
        }
    }
    Ok(())
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

/// The CORS rules of the HTTP API, merged with `Globals.HttpApi`.
fn cors(scope: &Scope<'_>) -> Result<Option<Cors>, Error> {
    let place = "CorsConfiguration of the HTTP API";
    let apis = of_kind(scope, "AWS::Serverless::HttpApi", |id| Ok(id.to_owned()))?;
    if apis.len() > 1 {
        return Err(Error::new("Resources", "more than one HTTP API is not understood"));
    }
    let own = apis.first().and_then(|id| scope.template.resource(id)?.pointer("/Properties/CorsConfiguration"));
    let globals = scope.template.section("Globals");
    let global = globals.and_then(|globals| globals.get("HttpApi")?.get("CorsConfiguration"));
    let Some(written) = own.or(global) else {
        return Ok(None);
    };
    match scope.resolve(written, place)? {
        None | Some(Value::Null | Value::Bool(false)) => Ok(None),
        // SAM: `true` allows every origin and nothing else.
        Some(Value::Bool(true)) => Ok(Some(Cors { allow_origins: vec!["*".into()], ..Cors::default() })),
        Some(Value::Object(rules)) => cors_rules(&rules, place).map(Some),
        Some(_) => Err(Error::new(place, "expected a mapping or true")),
    }
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

fn outputs(scope: &Scope<'_>) -> Result<BTreeMap<String, Value>, Error> {
    let mut outputs = BTreeMap::new();
    for (name, output) in scope.template.section("Outputs").into_iter().flatten() {
        let place = format!("Outputs.{name}");
        if let Some(condition) = output.get("Condition")
            && !scope.condition(&shape::text(condition, &place)?, &place)?
        {
            continue;
        }
        let value = output.get("Value").ok_or_else(|| Error::new(&place, "Value is missing"))?;
        if let Some(value) = scope.resolve(value, &format!("{place}.Value"))? {
            outputs.insert(name.clone(), value);
        }
    }
    Ok(outputs)
}
