//! Resolves a template with one resource of each kind.

use emulator::template::{Deployment, ObjectCreated, Template};
use serde_json::json;

const FULL: &str = r"
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Parameters:
  ExposeCodes: {Type: String, Default: 'false', AllowedValues: ['true', 'false'], Description: For tests.}
  CodesPerHour: {Type: Number, Default: 60, MinValue: 0, MaxValue: 1000}
  Countries: {Type: CommaDelimitedList, Default: '86, 852', AllowedPattern: '\d{1,3}|\*'}
  Stage: {Type: String, Default: dev, AllowedPattern: '[a-z]+', ConstraintDescription: must be lower case}
Mappings:
  Sizes: {dev: {Memory: 256}, prod: {Memory: 1024}}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  NotProd: !Not [!Condition IsProd]
  Both: !And [!Condition NotProd, !Equals [!Ref ExposeCodes, 'true']]
Globals:
  Function:
    Timeout: 10
    MemorySize: 128
    Environment:
      Variables:
        TABLE: !Ref Table
        LOG: info
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      CorsConfiguration:
        AllowOrigins: ['*']
        AllowHeaders: [authorization, content-type]
        AllowMethods: [GET, POST]
        ExposeHeaders: [etag]
        MaxAge: 600
  Codes:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: codes}}
    Properties:
      CodeUri: .
      MemorySize: !FindInMap [Sizes, !Ref Stage, Memory]
      Environment:
        Variables:
          LOG: debug
          LIMIT: !Ref CodesPerHour
          COUNTRY: !Select [0, !Ref Countries]
          FIRST: !Select [0, !Split ['-', 'a-b']]
          URL: !Sub 'https://${Api}.execute-api.${AWS::Region}/${!Literal}'
          MAPPED: !Sub ['${x}.${Table.Arn}', {x: !Ref Stage}]
          KEY: !Sub '{{resolve:secretsmanager:${Signing}:SecretString:key}}'
          ONLY_PROD: !If [IsProd, 'yes', !Ref AWS::NoValue]
          BOTH: !If [Both, 'yes', 'no']
      Policies:
        - Version: '2012-10-17'
          Statement:
            - Effect: Allow
              Action: dynamodb:GetItem
              Resource: !GetAtt Table.Arn
            - !If
              - IsProd
              - {Effect: Allow, Action: sns:Publish, Resource: '*'}
              - !Ref AWS::NoValue
        - Statement: {Effect: Allow, Action: 's3:PutObject', Resource: !Sub '${Bucket.Arn}/original/*'}
      Events:
        Post: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: /verify_code, Method: post}}
        Any: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: '/images/{name}', Method: ANY}}
        Nightly: {Type: Schedule, Properties: {Schedule: rate(1 day)}}
  Resize:
    Type: AWS::Serverless::Function
    Metadata: {BuildProperties: {Binary: resize}}
    Properties:
      Timeout: 29
      Events:
        Rest: {Type: HttpApi}
        New:
          Type: S3
          Properties:
            Bucket: !Ref Bucket
            Events: s3:ObjectCreated:*
            Filter: {S3Key: {Rules: [{Name: prefix, Value: original/}]}}
  Absent:
    Type: AWS::Serverless::Function
    Condition: IsProd
    Properties: {}
  Table:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    Properties:
      BillingMode: PAY_PER_REQUEST
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
  Bucket: {Type: AWS::S3::Bucket}
  Named:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !Sub '${AWS::StackName}-named-${AWS::AccountId}'
  Signing:
    Type: AWS::SecretsManager::Secret
    Properties:
      Name: !Sub '${AWS::StackName}/signing'
      GenerateSecretString: {SecretStringTemplate: '{}', GenerateStringKey: key, PasswordLength: 64}
";

fn deployment() -> Deployment {
    let mut deployment = Deployment::default();
    let template = Template::parse(FULL).unwrap();
    for secret in template.secrets(&deployment).unwrap() {
        deployment.secrets.insert(secret.arn, r#"{"key":"k"}"#.into());
    }
    deployment
}

fn with(parameters: &[(&str, &str)]) -> Deployment {
    let mut deployment = deployment();
    for (name, value) in parameters {
        deployment.parameters.insert((*name).into(), (*value).into());
    }
    deployment
}

#[test]
fn a_function_has_its_environment_resolved_over_the_globals() {
    let stack = Template::parse(FULL).unwrap().resolve(&deployment()).unwrap();
    let codes = &stack.functions[0];
    assert_eq!((codes.logical_id.as_str(), codes.binary.as_str()), ("Codes", "codes"));
    assert_eq!((codes.memory_mb, codes.timeout), (256, 10));
    let expected = [
        ("BOTH", "no"),
        ("COUNTRY", "86"),
        ("FIRST", "a"),
        ("KEY", "k"),
        ("LIMIT", "60"),
        ("LOG", "debug"),
        ("MAPPED", "dev.arn:aws:dynamodb:us-east-1:123456789012:table/handset-Table"),
        ("TABLE", "handset-Table"),
        ("URL", "https://api.execute-api.us-east-1/${Literal}"),
    ];
    let actual: Vec<_> = codes.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(actual, expected);
}

#[test]
fn a_function_has_its_statements_routes_and_subscriptions() {
    let stack = Template::parse(FULL).unwrap().resolve(&deployment()).unwrap();
    let [codes, resize] = stack.functions.as_slice() else {
        panic!("a function whose condition is false is absent: {:?}", stack.functions)
    };
    assert_eq!(
        codes.policies,
        [
            json!({
                "Effect": "Allow", "Action": "dynamodb:GetItem",
                "Resource": "arn:aws:dynamodb:us-east-1:123456789012:table/handset-Table",
            }),
            json!({
                "Effect": "Allow", "Action": "s3:PutObject",
                "Resource": "arn:aws:s3:::handset-bucket/original/*",
            }),
        ]
    );
    let mut keys: Vec<_> = codes.routes.iter().map(|route| route.key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["ANY /images/{name}", "POST /verify_code"]);
    assert_eq!(codes.other_events[0].kind, "Schedule");
    assert_eq!(resize.routes[0].key, "$default");
    let subscription =
        ObjectCreated { bucket: "handset-bucket".into(), prefix: "original/".into(), suffix: String::new() };
    assert_eq!(resize.object_created, [subscription]);
    assert_eq!((resize.memory_mb, resize.timeout), (128, 29));
}

#[test]
fn tables_buckets_secrets_and_cors_are_resolved() {
    let stack = Template::parse(FULL).unwrap().resolve(&deployment()).unwrap();
    assert_eq!(stack.tables[0].properties["TableName"], "handset-Table");
    assert_eq!(stack.tables[0].properties["KeySchema"][0]["AttributeName"], "pk");
    let names: Vec<_> = stack.buckets.iter().map(|bucket| bucket.name.as_str()).collect();
    assert_eq!(names, ["handset-bucket", "handset-named-123456789012"]);
    let secret = &stack.secrets[0];
    assert_eq!(secret.name, "handset/signing");
    assert!(secret.arn.starts_with("arn:aws:secretsmanager:us-east-1:123456789012:secret:handset/signing-"));
    let cors = stack.cors.unwrap();
    assert_eq!(cors.allow_origins, ["*"]);
    assert_eq!(cors.allow_headers, ["authorization", "content-type"]);
    assert_eq!(cors.expose_headers, ["etag"]);
    assert_eq!((cors.max_age, cors.allow_credentials), (Some(600), false));
}

#[test]
fn conditions_follow_the_parameters() {
    let template = Template::parse(FULL).unwrap();
    let exposing = template.resolve(&with(&[("ExposeCodes", "true")])).unwrap();
    assert_eq!(exposing.functions[0].environment["BOTH"], "yes");
    // In production the function `Absent` exists, but names no binary.
    let error = template.resolve(&with(&[("Stage", "prod")])).unwrap_err();
    assert_eq!(error.place(), "Resources.Absent.Metadata");
}

#[test]
fn a_parameter_value_that_does_not_fit_is_refused_by_name() {
    let template = Template::parse(FULL).unwrap();
    for (name, value, words) in [
        ("Unknown", "1", "no such parameter"),
        ("ExposeCodes", "maybe", "is not one of true, false"),
        ("CodesPerHour", "-1", "is less than 0"),
        ("CodesPerHour", "1001", "is more than 1000"),
        ("CodesPerHour", "many", "is not a number"),
        ("Countries", "86,China", "does not match"),
        ("Stage", "Dev", "must be lower case"),
    ] {
        let error = template.resolve(&with(&[(name, value)])).unwrap_err();
        assert_eq!(error.place(), format!("Parameters.{name}"));
        assert!(error.reason().contains(words), "{error}");
    }
    assert!(template.resolve(&with(&[("Countries", "*")])).is_ok());
    assert_eq!(template.parameters()["CodesPerHour"].default.as_deref(), Some("60"));
}

/// A template with one function with these properties, in YAML's flow style.
fn function(properties: &str) -> String {
    format!(
        "Conditions: {{Never: !Equals [a, b], Loop: !Condition Loop}}\n\
         Resources:\n  F:\n    Type: AWS::Serverless::Function\n    \
         Metadata: {{BuildProperties: {{Binary: f}}}}\n    Properties: {properties}\n  \
         Gone: {{Type: AWS::S3::Bucket, Condition: Never}}\n"
    )
}

#[test]
fn what_is_not_understood_is_an_error_that_names_the_place() {
    let env = "Resources.F.Properties.Environment.Variables.A";
    for (properties, place, words) in [
        ("{Environment: {Variables: {A: !Join [a, [b]]}}}", env, "Fn::Join is not known"),
        ("{Environment: {Variables: {A: !Ref Nope}}}", env, "no resource `Nope`"),
        ("{Environment: {Variables: {A: !Ref Gone}}}", env, "condition is false"),
        ("{Environment: {Variables: {A: !GetAtt F.Nope}}}", env, "F.Nope"),
        ("{Environment: {Variables: {A: !Sub '${Nope'}}}", env, "without its }"),
        ("{Environment: {Variables: {A: !If [Nope, a, b]}}}", env, "no condition `Nope`"),
        ("{Environment: {Variables: {A: !If [Loop, a, b]}}}", "Conditions.Loop", "refers to itself"),
        ("{Environment: {Variables: {A: !Select [3, [a]]}}}", env, "no item 3"),
        ("{Environment: {Variables: {A: [a]}}}", env, "expected text"),
        ("{FunctionName: !Ref F}", "Resources.F.Properties.FunctionName", "refers to itself"),
        ("{Policies: AmazonS3FullAccess}", "Resources.F.Properties.Policies", "AmazonS3FullAccess"),
        ("{Policies: [{DynamoDBCrudPolicy: {TableName: t}}]}", "Resources.F.Properties.Policies", "DynamoDBCrudPolicy"),
        ("{Role: arn}", "Resources.F.Properties", "Policies"),
        ("{Timeout: soon}", "Resources.F.Properties.Timeout", "whole number"),
        (
            "{Events: {E: {Type: HttpApi, Properties: {Path: /users/, Method: GET}}}}",
            "Resources.F.Properties.Events.E.Properties",
            "ends in a slash",
        ),
        (
            "{Events: {E: {Type: S3, Properties: {Bucket: b, Events: 's3:ObjectRemoved:*'}}}}",
            "Resources.F.Properties.Events.E.Properties",
            "s3:ObjectRemoved",
        ),
        ("{Events: {A: {Type: HttpApi}, B: {Type: HttpApi}}}", "Resources.F.Properties.Events", "already"),
    ] {
        let template = Template::parse(&function(properties)).unwrap();
        let error = template.resolve(&Deployment::default()).unwrap_err();
        assert_eq!(error.place(), place, "{properties}: {error}");
        assert!(error.reason().contains(words), "{properties}: {error}");
    }
}

#[test]
fn long_forms_mean_the_same_as_short_tags() {
    let long = function(
        "{Environment: {Variables: {A: {'Fn::Sub': '${AWS::Region}'}, \
         B: {'Fn::GetAtt': 'F.Arn'}, C: {'Fn::If': [Never, x, {Ref: AWS::StackName}]}}}}",
    );
    let stack = Template::parse(&long).unwrap().resolve(&Deployment::default()).unwrap();
    let environment = &stack.functions[0].environment;
    assert_eq!(environment["A"], "us-east-1");
    assert_eq!(environment["B"], "arn:aws:lambda:us-east-1:123456789012:function:handset-F");
    assert_eq!(environment["C"], "handset");
    assert!(stack.cors.is_none());
}

#[test]
fn keys_have_their_arn() {
    let text = "Resources: {First: {Type: AWS::KMS::Key, Properties: {EnableKeyRotation: true}}}";
    let stack = Template::parse(text).unwrap().resolve(&Deployment::default()).unwrap();
    assert_eq!(stack.keys[0].arn, "arn:aws:kms:us-east-1:123456789012:key/handset-First");
}

#[test]
fn a_subscription_that_is_written_at_the_bucket_is_refused() {
    let text = "Resources: {B: {Type: AWS::S3::Bucket, Properties: {NotificationConfiguration: {}}}}";
    let error = Template::parse(text).unwrap().resolve(&Deployment::default()).unwrap_err();
    assert_eq!(error.place(), "Resources.B.Properties.NotificationConfiguration");
}

#[test]
fn a_file_that_is_no_template_is_refused() {
    for text in ["", "Resources: {}", "a: [", "Resources: {A: 1}\nParameters: {P: {}}"] {
        assert!(Template::parse(text).is_err(), "{text}");
    }
}

#[test]
fn the_project_s_own_template_resolves() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");
    let template = Template::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut deployment = Deployment::default();
    for secret in template.secrets(&deployment).unwrap() {
        let mut byte = 0_u8;
        let value = secret.generate(|buffer| {
            byte = byte.wrapping_add(101);
            buffer.fill(byte);
        });
        deployment.secrets.insert(secret.arn, value.unwrap());
    }
    let stack = template.resolve(&deployment).unwrap();
    assert!(stack.functions.iter().any(|function| { function.routes.iter().any(|route| route.key == "$default") }));
    assert!(!stack.tables.is_empty() && !stack.buckets.is_empty());
}
