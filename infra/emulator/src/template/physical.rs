//! Names and ARNs of deployed resources.
//!
//! `CloudFormation` would add random characters to some names. Here none are added, so that a name is the same in every
//! run. Formats follow the service authorization reference.

use super::model::Deployment;

/// The name of a resource whose template gives it none: built from the stack's name and the logical id, in lower case
/// if the service requires it.
pub(super) fn name(deployment: &Deployment, kind: &str, id: &str) -> String {
    let stack = &deployment.stack_name;
    match kind {
        "AWS::Serverless::HttpApi" => id.to_lowercase(),
        "AWS::S3::Bucket" => format!("{stack}-{id}").to_lowercase(),
        _ => format!("{stack}-{id}"),
    }
}

/// The property with the name of a resource, for the types that have one.
pub(super) fn name_property(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "AWS::DynamoDB::Table" => "TableName",
        "AWS::S3::Bucket" => "BucketName",
        "AWS::SecretsManager::Secret" => "Name",
        "AWS::Serverless::Function" => "FunctionName",
        "AWS::SNS::Topic" => "TopicName",
        "AWS::SQS::Queue" => "QueueName",
        _ => return None,
    })
}

/// The value of `Ref` for a resource with this name.
pub(super) fn reference(deployment: &Deployment, kind: &str, name: &str) -> String {
    match kind {
        "AWS::SNS::Topic" | "AWS::SecretsManager::Secret" => arn(deployment, kind, name).unwrap_or_default(),
        "AWS::SQS::Queue" => {
            let Deployment { region, account, .. } = deployment;
            format!("https://sqs.{region}.amazonaws.com/{account}/{name}")
        }
        _ => name.to_owned(),
    }
}

/// The value of `Fn::GetAtt`; `None` if the attribute is not known.
pub(super) fn attribute(deployment: &Deployment, kind: &str, name: &str, attribute: &str) -> Option<String> {
    match (kind, attribute) {
        // The ARN of a secret is its `Ref`.
        ("AWS::SecretsManager::Secret", _) => None,
        (_, "Arn") => arn(deployment, kind, name),
        ("AWS::SQS::Queue", "QueueName") => Some(name.to_owned()),
        ("AWS::SQS::Queue", "QueueUrl") => Some(reference(deployment, kind, name)),
        ("AWS::DynamoDB::Table", "StreamArn") => Some(format!("{}/stream/local", arn(deployment, kind, name)?)),
        _ => None,
    }
}

fn arn(deployment: &Deployment, kind: &str, name: &str) -> Option<String> {
    let (service, resource) = match kind {
        "AWS::S3::Bucket" => return Some(format!("arn:aws:s3:::{name}")),
        "AWS::DynamoDB::Table" => ("dynamodb", format!("table/{name}")),
        "AWS::KMS::Key" => ("kms", format!("key/{name}")),
        // Secrets Manager adds six random characters; these replace them.
        "AWS::SecretsManager::Secret" => ("secretsmanager", format!("secret:{name}-AbCdEf")),
        "AWS::Serverless::Function" => ("lambda", format!("function:{name}")),
        "AWS::SNS::Topic" => ("sns", name.to_owned()),
        "AWS::SQS::Queue" => ("sqs", name.to_owned()),
        _ => return None,
    };
    let Deployment { region, account, .. } = deployment;
    Some(format!("arn:aws:{service}:{region}:{account}:{resource}"))
}
