"""Compares the permissions of the roles in infra/deploy-role.yaml with those that the stage's resources need.

`python infra/check_roles.py`. Needs infra/requirements/check.txt. The schema of a resource type, which is part of cfn-lint,
lists what the resource needs: the permissions of its handlers (create, read, update, delete, list) and of its tags.
"""

import json
import re
import sys
import unittest
from fnmatch import fnmatchcase

from cfnlint.data import AdditionalSpecs
from cfnlint.helpers import load_resource
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from translated import CERTIFICATE, PRODUCTION, WEB_ACL, Stack, written

REGION, ACCOUNT = "us-east-1", "123456789012"
APPLICATION = f"arn:aws:sns:{REGION}:{ACCOUNT}:app"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
# The permissions in the policies that SAM attaches: for logs, traces, the stream and the queues.
MANAGED = {
    "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams",
    "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents",
    "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage",
    "xray:GetSamplingRules", "xray:GetSamplingStatisticSummaries", "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords", "xray:PutTraceSegments",
}  # fmt: skip


def arn(service, resource, region=REGION, account=ACCOUNT):
    return f"arn:aws:{service}:{region}:{account}:{resource}"


FUNCTION = arn("lambda", "function:handset-AuthFunction-1a2b")
API = arn("apigateway", "/apis/a1b2c3", account="")
HOST = arn("apigateway", "/domainnames/api.example.com", account="")
KEY = arn("kms", "key/0b1f")
BUCKET = arn("s3", f"handset-media-{ACCOUNT}", "", "")
ARTIFACTS = arn("s3", "artifacts", "", "")
ROLE = arn("iam", "role/handset-AuthFunctionRole-1a2b", "")
SECRET = arn("secretsmanager", "secret:SigningSecret-1a2b-XyZabc")
SETTINGS = arn("appconfig", "application/a1b2c3")
CLOUDFRONT = arn("cloudfront", "a/1A2B", "")
ZONE = arn("route53", "hostedzone/Z0123456789", "", "")
# An example ARN for each resource type, in the form that its actions use.
ARNS = {
    "AWS::ApiGatewayV2::Api": API,
    "AWS::ApiGatewayV2::ApiMapping": f"{HOST}/apimappings/a1",
    "AWS::ApiGatewayV2::DomainName": HOST,
    "AWS::ApiGatewayV2::Stage": f"{API}/stages/$default",
    "AWS::AppConfig::Application": SETTINGS,
    "AWS::AppConfig::ConfigurationProfile": f"{SETTINGS}/configurationprofile/a1",
    "AWS::AppConfig::HostedConfigurationVersion": f"{SETTINGS}/configurationprofile/a1/hostedconfigurationversion/1",
    "AWS::CloudFormation::Stack": arn("cloudformation", "stack/handset-EdgeStack-1A2B/0b1f"),
    "AWS::CloudFront::CachePolicy": CLOUDFRONT,
    "AWS::CloudFront::Distribution": CLOUDFRONT,
    "AWS::CloudFront::Function": CLOUDFRONT,
    "AWS::CloudFront::OriginAccessControl": CLOUDFRONT,
    "AWS::CloudFront::ResponseHeadersPolicy": CLOUDFRONT,
    "AWS::CloudWatch::Alarm": arn("cloudwatch", "alarm:handset-AuthFails-1A2B"),
    "AWS::CloudWatch::Dashboard": arn("cloudwatch", "dashboard/handset", ""),
    "AWS::CodeDeploy::Application": arn("codedeploy", "application:handset-ServerlessDeploymentApplication-1A2B"),
    "AWS::CodeDeploy::DeploymentGroup": arn("codedeploy", "deploymentgroup:handset-ServerlessDeploymentApplication-1A2B/a"),
    "AWS::DynamoDB::Table": arn("dynamodb", "table/handset-Table-1A2B"),
    "AWS::IAM::Role": ROLE,
    "AWS::KMS::Alias": arn("kms", "alias/handset-identity"),
    "AWS::KMS::Key": KEY,
    "AWS::Lambda::Alias": FUNCTION,
    "AWS::Lambda::EventInvokeConfig": FUNCTION,
    "AWS::Lambda::EventSourceMapping": arn("lambda", "event-source-mapping:0b1f"),
    "AWS::Lambda::Function": FUNCTION,
    "AWS::Lambda::Permission": FUNCTION,
    "AWS::Lambda::Version": FUNCTION,
    "AWS::Logs::LogGroup": arn("logs", "log-group:/aws/lambda/handset-auth"),
    "AWS::Logs::QueryDefinition": "*",
    "AWS::Route53::RecordSet": ZONE,
    "AWS::Route53::RecordSetGroup": ZONE,
    "AWS::S3::Bucket": BUCKET,
    "AWS::S3::BucketPolicy": BUCKET,
    "AWS::SecretsManager::Secret": SECRET,
    "AWS::SNS::Topic": arn("sns", "handset-NotificationTopic-1A2B"),
    "AWS::SQS::Queue": arn("sqs", "handset-MediaDeadLetters-1A2B"),
}
# Actions that use another ARN than the resource's own.
ELSEWHERE = {
    "codedeploy:CreateDeployment": ARNS["AWS::CodeDeploy::DeploymentGroup"],
    "codedeploy:GetDeployment": ARNS["AWS::CodeDeploy::DeploymentGroup"],
    "codedeploy:GetDeploymentConfig": arn("codedeploy", "deploymentconfig:CodeDeployDefault.LambdaAllAtOnce"),
    "codedeploy:GetDeploymentGroup": ARNS["AWS::CodeDeploy::DeploymentGroup"],
    "codedeploy:StopDeployment": ARNS["AWS::CodeDeploy::DeploymentGroup"],
    "iam:PassRole": ROLE,
    "route53:GetChange": arn("route53", "change/C1", "", ""),
    "route53:ListHostedZones": "*",
}
# Types without handlers in the registry, and the type whose actions they use.
TWINS = {"AWS::Route53::RecordSetGroup": "AWS::Route53::RecordSet"}
# Actions of handlers that the role deliberately lacks, by type and reason. No other action may be missing, and every
# action listed here must be missing.
LISTED = "only for lists of all resources of an account, which no deployment makes"
KEPT = "the stage's data are kept: nobody deletes them by a deployment"
LACKING = {
    "AWS::ApiGatewayV2::Api": {"the API's definition is not read from a bucket": ["s3:getObject"]},
    "AWS::ApiGatewayV2::DomainName": {"clients show no certificates": ["s3:GetObject", "s3:GetObjectVersion"]},
    "AWS::AppConfig::ConfigurationProfile": {"settings lie in AppConfig itself": ["iam:PassRole"]},
    "AWS::CloudFormation::Stack": {
        LISTED: ["cloudformation:ListStacks"],
        "a nested stack has no role of its own": ["iam:PassRole"],
    },
    "AWS::CloudFront::Distribution": {
        "no tenants, no origin in a VPC, no staging distribution": [
            "cloudfront:*ConnectionGroup", "cloudfront:GetVpcOrigin", "cloudfront:UpdateDistributionWithStagingConfig",
        ],
    },
    "AWS::CodeDeploy::DeploymentGroup": {"functions have no machines": ["codedeploy:RegisterOnPremisesInstance"]},
    "AWS::DynamoDB::Table": {
        LISTED: ["dynamodb:ListTables"],
        KEPT: ["dynamodb:DeleteTable"],
        "no replicas": [
            "dynamodb:*TableReplica", "dynamodb:*Item", "dynamodb:Query", "dynamodb:Scan", "iam:CreateServiceLinkedRole",
        ],
        "no import": ["dynamodb:DescribeImport", "dynamodb:ImportTable", "s3:*", "logs:*"],
        "no Kinesis": ["dynamodb:*KinesisStreamingDestination", "kinesis:*"],
        "no policy of the table's own": ["dynamodb:DeleteResourcePolicy", "dynamodb:PutResourcePolicy"],
        "no contributor insights": ["dynamodb:UpdateContributorInsights"],
        "the key is DynamoDB's own": ["kms:*"],
    },
    "AWS::IAM::Role": {
        LISTED: ["iam:ListRoles"],
        "a role stays bounded": ["iam:DeleteRolePermissionsBoundary"],
    },
    "AWS::KMS::Key": {KEPT: ["kms:DisableKey", "kms:DisableKeyRotation", "kms:ScheduleKeyDeletion"]},
    "AWS::Lambda::Alias": {"no provisioned concurrency": ["lambda:*ProvisionedConcurrencyConfig"]},
    "AWS::Lambda::EventSourceMapping": {"filters are not encrypted with a key of the account": ["kms:*"]},
    "AWS::Lambda::Function": {
        "no VPC and no file system": ["ec2:*", "elasticfilesystem:*", "s3files:*"],
        "environments are encrypted with Lambda's own key": ["kms:*"],
        "no signed code and no layers": ["lambda:*CodeSigningConfig", "lambda:GetLayerVersion"],
        "no machines of the account's own": ["lambda:PassCapacityProvider", "lambda:PutFunctionScalingConfig"],
    },
    "AWS::Lambda::Version": {
        "no machines of the account's own": ["lambda:PutFunctionScalingConfig"],
        "no provisioned concurrency": ["lambda:PutProvisionedConcurrencyConfig"],
    },
    "AWS::Logs::LogGroup": {
        "no keys, indexes, protection or policies of a log group's own": [
            "logs:*KmsKey", "logs:DeleteIndexPolicy", "logs:DeleteResourcePolicy", "logs:PutBearerTokenAuthentication",
            "logs:PutDataProtectionPolicy", "logs:PutIndexPolicy", "logs:PutLogGroupDeletionProtection",
        ],
        "logs go nowhere else": ["firehose:TagDeliveryStream", "s3:REST.PUT.OBJECT"],
    },
    "AWS::S3::Bucket": {
        LISTED: ["s3:ListAllMyBuckets"],
        KEPT: ["s3:DeleteBucket", "s3:DeleteObject"],
        "IAM knows no such action: the one to put is asked for": [
            "s3:DeleteBucketAnalyticsConfiguration", "s3:DeleteBucketCors", "s3:DeleteBucketEncryption",
            "s3:DeleteBucketLifecycle", "s3:DeleteBucketMetricsConfiguration", "s3:DeleteBucketReplication",
        ],
        "no replication": ["iam:PassRole", "s3:PutBucketReplication", "s3:PutReplicationConfiguration"],
        "no website, no access log, no lock, no access by lists or tags": [
            "s3:*BucketWebsite", "s3:PutBucketLogging", "s3:Put*ObjectLockConfiguration", "s3:Put*Acl", "s3:PutBucketAbac",
        ],
        "no acceleration, statistics or other classes": [
            "s3:PutAccelerateConfiguration", "s3:PutAnalyticsConfiguration", "s3:PutIntelligentTieringConfiguration",
            "s3:PutInventoryConfiguration", "s3:PutMetricsConfiguration",
        ],
        "no tables of metadata": [
            "s3:CreateBucketMetadata*", "s3:DeleteBucketMetadataTableConfiguration", "s3:UpdateBucketMetadata*",
            "s3tables:*",
        ],
    },
    "AWS::S3::BucketPolicy": {LISTED: ["s3:ListAllMyBuckets"]},
    "AWS::SecretsManager::Secret": {
        LISTED: ["secretsmanager:ListSecrets"],
        KEPT: ["secretsmanager:DeleteSecret"],
        "no other regions": ["secretsmanager:RemoveRegionsFromReplication", "secretsmanager:ReplicateSecretToRegions"],
    },
    "AWS::SNS::Topic": {
        LISTED: ["sns:ListTopics"],
        "deliveries are not logged": ["iam:GetRole", "iam:PassRole"],
    },
    "AWS::SQS::Queue": {LISTED: ["sqs:ListQueues"]},
}  # fmt: skip


# Actions that the types name but that are not in IAM's reference. AWS does check the first two: without them a stage of
# an API cannot be created ("not authorized to perform: apigateway:TagResource"). The others do no harm.
UNDOCUMENTED = {
    "apigateway:TagResource",
    "apigateway:UntagResource",
    "cloudfront:CreateDistributionWithTags",
    "lambda:AssociateRuntimeAlias",
    "s3:DeleteBucketTagging",
}


def listed(value):
    return value if isinstance(value, list) else [value]


def actions_of(statements):
    return {action for statement in statements for action in listed(statement["Action"])}


def needed(kind):
    """The actions that a type's schema names, each with the handlers that need it."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, TWINS.get(kind, kind)).schema
    found = {}
    for handler, said in schema["handlers"].items():
        for action in said.get("permissions", []):
            found.setdefault(action, set()).add(handler)
    for action in schema.get("tagging", {}).get("permissions", []):
        found.setdefault(action, set()).add("tag")
    return found


class Roles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        subject = "repo:owner/handset:environment:production"
        given = {"StackName": "handset", "Subject": subject, "HostedZoneId": "Z0123456789"}
        cls.roles = Stack(given, "infra/deploy-role.yaml")
        pushes = {"ApnsApplicationArn": f"{APPLICATION}/APNS/a", "FcmApplicationArn": f"{APPLICATION}/GCM/a"}
        cls.stage = Stack({**PRODUCTION, **pushes, "RoleBoundaryArn": BOUNDARY})
        host = {"DomainName": "m.example.com", "CertificateArn": CERTIFICATE, "HostedZoneId": "Z0", "WebAclArn": WEB_ACL}
        alarms = {"AlarmEmail": "a@example.com", "AlarmTopicArn": arn("sns", "alarms")}
        cls.nested = [Stack(host, "infra/edge.yaml"), Stack(alarms, "infra/observability.yaml")]
        cls.allowed = [
            (set(listed(statement["Action"])), [cls.written_out(one) for one in listed(statement["Resource"])])
            for policy in ("Functions", "Deployments", "Data", "Around")
            for statement in cls.roles.properties(policy)["PolicyDocument"]["Statement"]
        ]

    @staticmethod
    def written_out(resource):
        """A statement's resource, with names that only AWS knows filled in."""
        if isinstance(resource, dict):
            ((kind, inner),) = resource.items()
            resource = inner if kind == "Fn::Sub" else "${" + (inner if kind == "Ref" else ".".join(inner)) + "}"
        known = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "Artifacts.Arn": ARTIFACTS}
        return re.sub(r"\$\{([\w:.]+)\}", lambda name: known[name[1]], resource)

    def may(self, action, resource):
        """Whether CloudFormation's role may do it, if the conditions of the statement are met."""
        return any(
            action in actions and any(fnmatchcase(resource, pattern) for pattern in resources)
            for actions, resources in self.allowed
        )

    def statement(self, policy, sid):
        statements = self.roles.properties(policy)["PolicyDocument"]["Statement"]
        return next(one for one in statements if one["Sid"] == sid)

    def test_every_type_of_the_templates_is_known_here(self):
        types = {resource["Type"] for stack in (self.stage, *self.nested) for resource in stack.resources.values()}
        self.assertEqual(types, set(ARNS))

    def test_every_resource_can_be_made_changed_and_tagged(self):
        for kind, own in ARNS.items():
            reasons = LACKING.get(kind, {})
            excused = [pattern for patterns in reasons.values() for pattern in patterns]
            used = set()
            for action, handlers in needed(kind).items():
                matching = {pattern for pattern in excused if fnmatchcase(action, pattern)}
                own_or_other = [own] + ([ELSEWHERE[action]] if action in ELSEWHERE else [])
                if kind == "AWS::Lambda::Function" and action in ("s3:GetObject", "s3:GetObjectVersion"):
                    own_or_other = [f"{ARTIFACTS}/production/1/code"]
                if matching:
                    # Listed as missing, so not checked here: another statement may still allow them.
                    used |= matching
                    if "tag" in handlers:
                        self.fail(f"{kind}: a tag needs {action}")
                    continue
                place = f"{kind} needs {action} to {', '.join(sorted(handlers))}"
                self.assertTrue(any(self.may(action, resource) for resource in own_or_other), place)
            self.assertEqual(set(excused) - used, set(), f"{kind} needs none of these any more")

    def test_every_action_is_one_of_iam(self):
        known = load_resource(AdditionalSpecs, "Policies.json")

        def is_known(action):
            service, name = action.lower().split(":")
            return name in (one.lower() for one in known.get(service, {}).get("Actions", []))

        statements = [one for key in ("Functions", "Deployments", "Data", "Around", "Boundary")
                      for one in self.roles.properties(key)["PolicyDocument"]["Statement"]]  # fmt: skip
        unknown = {action for action in actions_of(statements) if not is_known(action)}
        self.assertEqual(unknown, UNDOCUMENTED)
        for reasons in LACKING.values():
            for reason, patterns in reasons.items():
                if reason.startswith("IAM knows no such action"):
                    self.assertEqual([action for action in patterns if is_known(action)], [])

    def test_what_is_only_listed_is_only_listed(self):
        for kind, reasons in LACKING.items():
            for action in reasons.get(LISTED, []):
                self.assertEqual(needed(kind)[action], {"list"}, action)
            for reason, patterns in reasons.items():
                self.assertGreater(len(reason), 8)
                self.assertTrue(patterns)

    def test_data_are_deleted_by_nobody(self):
        for action in ("dynamodb:DeleteTable", "s3:DeleteBucket", "secretsmanager:DeleteSecret", "kms:ScheduleKeyDeletion"):
            self.assertFalse(any(action in actions for actions, _ in self.allowed), action)

    def test_roles_are_bounded_by_what_the_functions_need(self):
        plain = Stack()
        used = set()
        for key in (key for key in self.stage.of("AWS::IAM::Role") if key != "CodeDeployServiceRole"):
            self.assertNotIn("PermissionsBoundary", plain.properties(key))
            role = self.stage.properties(key)
            self.assertEqual(role["PermissionsBoundary"], BOUNDARY)
            for policy in role["Policies"]:
                used |= actions_of(policy["PolicyDocument"]["Statement"])
        bounds = self.roles.properties("Boundary")["PolicyDocument"]["Statement"]
        self.assertEqual(actions_of(bounds), used | MANAGED)

    def test_what_sam_attaches_may_be_attached(self):
        def names(arns):
            arns = [arns] if isinstance(arns, dict) else arns
            return {json.dumps(arn).split(":policy/")[1].strip('"}') for arn in arns}

        for key in self.stage.of("AWS::IAM::Role"):
            sid = "AttachToTheRoleOfCodeDeploy" if key == "CodeDeployServiceRole" else "AttachToBoundedRoles"
            allowed = self.statement("Functions", sid)["Condition"]["ArnEquals"]["iam:PolicyARN"]
            self.assertLessEqual(names(self.stage.properties(key)["ManagedPolicyArns"]), names(allowed), key)

    def test_every_nested_stack_may_be_changed(self):
        resources = json.dumps(self.statement("Deployments", "ChangeNestedStacks")["Resource"])
        for key in self.stage.of("AWS::CloudFormation::Stack"):
            self.assertIn(f":stack/handset-{key}-*", resources)

    def test_policies_are_as_short_as_aws_demands(self):
        long = Stack({"StackName": "s" * 44, "Subject": "", "HostedZoneId": "Z" * 32}, "infra/deploy-role.yaml")
        given = long.properties("ExecutionRole")["ManagedPolicyArns"]
        self.assertEqual({one["Ref"] for one in given} | {"Boundary"}, set(long.of("AWS::IAM::ManagedPolicy")))
        for key in long.of("AWS::IAM::ManagedPolicy"):
            text = json.dumps(long.properties(key)["PolicyDocument"], separators=(",", ":"))
            for name, longest in [("Partition", "aws-us-gov"), ("Region", "ap-southeast-1"), ("AccountId", "1" * 12)]:
                text = text.replace("${AWS::" + name + "}", longest)
            self.assertLess(len(text), 6144, key)

    def test_builds_are_kept_for_more_than_a_year(self):
        rules = self.roles.properties("Artifacts")["LifecycleConfiguration"]["Rules"]
        days = [rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule]
        self.assertTrue(days and all(number >= 400 for number in days), days)

    def test_the_workflow_may_ask_for_quotas(self):
        policies = self.roles.properties("DeployRole")["Policies"]
        self.assertIn("lambda:GetAccountSettings", actions_of(policies[0]["PolicyDocument"]["Statement"]))


if __name__ == "__main__":
    sys.exit(unittest.main())
