//! Names and ARNs of deployed resources.
//!
//! `CloudFormation` would add random characters to some names. Here none are added, so that a name is the same in every
//! run. Formats follow the service authorization reference.

use serde_json::Value;

use crate::template::{Deployment, Error, intrinsics::Scope};

/// `AWS::URLSuffix`.
pub(crate) fn url_suffix(deployment: &Deployment) -> &'static str {
    match deployment.partition.as_str() {
        "aws-cn" => "amazonaws.com.cn",
        _ => "amazonaws.com",
    }
}

/// `AWS::StackId`, with zeros for the random part.
pub(crate) fn stack_id(deployment: &Deployment) -> String {
    let name = &deployment.stack_name;
    let resource = format!("stack/{name}/00000000-0000-0000-0000-000000000000");
    arn(deployment, "cloudformation", &resource)
}

/// The value of `Ref` for a resource.
pub(crate) fn reference(scope: &Scope<'_>, id: &str, place: &str) -> Result<String, Error> {
    let kind = kind(scope, id, place)?;
    if let Some(value) = scope.deployment.attributes.get(id) {
        return Ok(value.clone());
    }
    let name = name(scope, id)?;
    let deployment = scope.deployment;
    Ok(match kind {
        "AWS::SNS::Topic" | "AWS::SecretsManager::Secret" => resource_arn(scope, kind, &name),
        "AWS::SQS::Queue" => {
            let Deployment { region, account, .. } = deployment;
            let suffix = url_suffix(deployment);
            format!("https://sqs.{region}.{suffix}/{account}/{name}")
        }
        _ => name,
    })
}

/// The value of `Fn::GetAtt` for a resource.
pub(crate) fn attribute(scope: &Scope<'_>, id: &str, attribute: &str, place: &str) -> Result<String, Error> {
    let kind = kind(scope, id, place)?;
    let deployment = scope.deployment;
    if let Some(value) = deployment.attributes.get(&format!("{id}.{attribute}")) {
        return Ok(value.clone());
    }
    let name = name(scope, id)?;
    let suffix = url_suffix(deployment);
    let region = &deployment.region;
    Ok(match (kind, attribute) {
        (_, "Arn") if has_arn(kind) => resource_arn(scope, kind, &name),
        ("AWS::SNS::Topic", "TopicArn") | ("AWS::SecretsManager::Secret", "Id") => resource_arn(scope, kind, &name),
        ("AWS::SNS::Topic", "TopicName") | ("AWS::SQS::Queue", "QueueName") | ("AWS::KMS::Key", "KeyId") => name,
        ("AWS::SQS::Queue", "QueueUrl") => reference(scope, id, place)?,
        ("AWS::DynamoDB::Table", "StreamArn") => {
            format!("{}/stream/local", resource_arn(scope, kind, &name))
        }
        ("AWS::S3::Bucket", "DomainName") => format!("{name}.s3.{suffix}"),
        ("AWS::S3::Bucket", "RegionalDomainName") => format!("{name}.s3.{region}.{suffix}"),
        (kind, "ApiId") if is_api(kind) => name,
        (kind, "ApiEndpoint") if is_api(kind) => {
            format!("https://{name}.execute-api.{region}.{suffix}")
        }
        _ => {
            let reason = format!("the attribute {id}.{attribute} of a {kind} is not known");
            return Err(Error::new(place, reason));
        }
    })
}

/// The physical name: the one in the template, otherwise one built from the stack's name and the logical id, in lower
/// case if the service requires it.
pub(crate) fn name(scope: &Scope<'_>, id: &str) -> Result<String, Error> {
    let kind = scope.template.kind(id).unwrap_or_default();
    if let Some(property) = name_property(kind) {
        let place = format!("Resources.{id}.Properties.{property}");
        let given = scope.template.resource(id).and_then(|resource| resource.get("Properties")?.get(property));
        let given = match given {
            Some(given) => scope.resolve(given, &place)?,
            None => None,
        };
        if let Some(given) = given {
            return crate::template::shape::text(&given, &place);
        }
    }
    let stack = &scope.deployment.stack_name;
    Ok(match kind {
        _ if is_api(kind) => id.to_lowercase(),
        "AWS::S3::Bucket" => format!("{stack}-{id}").to_lowercase(),
        _ => format!("{stack}-{id}"),
    })
}

/// The type of a resource in this deployment. The role that SAM creates for a function (`<function>Role`) counts,
/// although it is not in the template.
fn kind<'a>(scope: &Scope<'a>, id: &str, place: &str) -> Result<&'a str, Error> {
    let written = scope.template.kind(id);
    let Some(kind) = written.or_else(|| implied(scope, id)) else {
        return Err(Error::new(place, format!("there is no resource `{id}`")));
    };
    if written.is_some() && !scope.exists(id)? {
        let reason = format!("`{id}` does not exist here: its condition is false");
        return Err(Error::new(place, reason));
    }
    Ok(kind)
}

fn implied(scope: &Scope<'_>, id: &str) -> Option<&'static str> {
    let function = id.strip_suffix("Role")?;
    let kind = scope.template.kind(function)?;
    (kind == "AWS::Serverless::Function").then_some("AWS::IAM::Role")
}

fn is_api(kind: &str) -> bool {
    kind == "AWS::Serverless::HttpApi" || kind == "AWS::ApiGatewayV2::Api"
}

fn name_property(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "AWS::DynamoDB::Table" => "TableName",
        "AWS::IAM::Role" => "RoleName",
        "AWS::Lambda::Function" | "AWS::Serverless::Function" => "FunctionName",
        "AWS::Logs::LogGroup" => "LogGroupName",
        "AWS::S3::Bucket" => "BucketName",
        "AWS::SecretsManager::Secret" => "Name",
        "AWS::SNS::Topic" => "TopicName",
        "AWS::SQS::Queue" => "QueueName",
        _ => return None,
    })
}

fn has_arn(kind: &str) -> bool {
    kind == "AWS::KMS::Key" || (name_property(kind).is_some() && kind != "AWS::SecretsManager::Secret")
}

fn resource_arn(scope: &Scope<'_>, kind: &str, name: &str) -> String {
    let deployment = scope.deployment;
    let partition = &deployment.partition;
    match kind {
        "AWS::S3::Bucket" => format!("arn:{partition}:s3:::{name}"),
        "AWS::IAM::Role" => format!("arn:{partition}:iam::{}:role/{name}", deployment.account),
        "AWS::DynamoDB::Table" => arn(deployment, "dynamodb", &format!("table/{name}")),
        "AWS::KMS::Key" => arn(deployment, "kms", &format!("key/{name}")),
        "AWS::Logs::LogGroup" => arn(deployment, "logs", &format!("log-group:{name}:*")),
        "AWS::SecretsManager::Secret" => {
            // Secrets Manager adds six random characters; these replace them.
            arn(deployment, "secretsmanager", &format!("secret:{name}-AbCdEf"))
        }
        "AWS::SNS::Topic" => arn(deployment, "sns", name),
        "AWS::SQS::Queue" => arn(deployment, "sqs", name),
        _ => arn(deployment, "lambda", &format!("function:{name}")),
    }
}

fn arn(deployment: &Deployment, service: &str, resource: &str) -> String {
    let Deployment { partition, region, account, .. } = deployment;
    format!("arn:{partition}:{service}:{region}:{account}:{resource}")
}

/// The properties of a resource, resolved, with the physical name filled in.
pub(crate) fn properties(scope: &Scope<'_>, id: &str, name: &str) -> Result<Value, Error> {
    let place = format!("Resources.{id}.Properties");
    let resource = scope.template.resource(id);
    let written = resource.and_then(|resource| resource.get("Properties"));
    let mut properties = match written {
        Some(written) => scope.required(written, &place)?,
        None => Value::Object(serde_json::Map::new()),
    };
    let property = name_property(scope.template.kind(id).unwrap_or_default());
    if let (Some(object), Some(property)) = (properties.as_object_mut(), property) {
        object.insert(property.to_owned(), Value::String(name.to_owned()));
    }
    Ok(properties)
}
