"""What the templates become with their parameters off and on, and where CloudFront's function sends paths.

`sam validate` and `cfn-lint` read the template as it is written. This translates it as SAM does and looks at what is
deployed. Needs infra/requirements.txt: `python infra/check_template.py`.
"""

import copy
import functools
import json
import logging
import os
import re
import sys
import tomllib
import unittest
import warnings
from fnmatch import fnmatchcase
from pathlib import Path

from py_mini_racer import MiniRacer
from samcli.commands.deploy.auth_utils import auth_per_resource
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

# SAM asks for a region, calls none, and says much that is of no interest here.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
logging.disable(logging.WARNING)

ROOT = Path(__file__).resolve().parent.parent
FUNCTIONS = ["Auth", "Codes", "Media", "Notify", "Profiles", "Resize", "Rooms", "Social"]
CODEDEPLOY = "AWS::CodeDeploy::Application"


def names_in(part):
    """What a part of a template refers to, as far as it is a parameter."""
    known = parsed("template.yaml")["Parameters"]
    text = json.dumps(part)
    found = set(re.findall(r'"Ref": "(\w+)"', text)) | set(re.findall(r"\$\{(\w+)\}", text))
    return found & set(known)


class Policies:
    """Stands for a question to IAM: SAM's own roles name two managed policies, whose ARNs are always these."""

    def load(self):
        names = ["AWSLambdaBasicExecutionRole", "AWSXRayDaemonWriteAccess", "AWSXrayWriteOnlyAccess"]
        names += ["AWSLambdaDynamoDBExecutionRole", "AWSLambdaVPCAccessExecutionRole"]
        return {name: f"arn:aws:iam::aws:policy/service-role/{name}" for name in names}


@functools.cache
def parsed(name):
    return yaml_parse((ROOT / name).read_text())


def written(name):
    return copy.deepcopy(parsed(name))


class Stack:
    """A template with all conditions decided, for parameters that differ from the defaults."""

    def __init__(self, parameters=None, name="template.yaml"):
        template = written(name)
        self.values = {key: str(value.get("Default", "")) for key, value in template["Parameters"].items()}
        unknown = set(parameters or {}) - set(self.values)
        assert not unknown, f"{name} has no {unknown}"
        self.values.update(parameters or {})
        self.rules = template.get("Rules", {})
        self.mappings = template.get("Mappings", {})
        self.conditions = template.get("Conditions", {})
        if "Transform" in template:
            for resource in template["Resources"].values():
                # As `sam package` leaves it.
                if resource["Type"] == "AWS::Serverless::Function":
                    resource["Properties"]["CodeUri"] = "s3://bucket/code"
            template = transform(copy.deepcopy(template), self.values, Policies())
            self.conditions = template["Conditions"]
        existing = template["Resources"].items()
        self.resources = {
            key: resource
            for key, resource in existing
            if "Condition" not in resource or self.holds({"Condition": resource["Condition"]})
        }

    def holds(self, condition):
        ((kind, argument),) = condition.items()
        match kind:
            case "Condition":
                return self.holds(self.conditions[argument])
            case "Fn::Not":
                return not self.holds(argument[0])
            case "Fn::And":
                return all(self.holds(part) for part in argument)
            case "Fn::Or":
                return any(self.holds(part) for part in argument)
            case "Fn::Equals":
                left, right = (str(self.value(side)) for side in argument)
                return left == right
        raise ValueError(kind)

    def value(self, written):
        """With parameters and conditions put in; what only exists once deployed stays as it is."""
        if isinstance(written, list):
            return [value for value in map(self.value, written) if value != {"Ref": "AWS::NoValue"}]
        if not isinstance(written, dict):
            return written
        if "Fn::If" in written:
            condition, yes, no = written["Fn::If"]
            return self.value(yes if self.holds({"Condition": condition}) else no)
        if written.get("Ref") in self.values:
            return self.values[written["Ref"]]
        if "Fn::FindInMap" in written:
            name, first, second = self.value(written["Fn::FindInMap"])
            return self.mappings[name][first][second]
        if isinstance(written.get("Fn::Sub"), str):
            return {"Fn::Sub": re.sub(r"\$\{(\w+)\}", lambda name: self.values.get(name[1], name[0]), written["Fn::Sub"])}
        values = {key: self.value(value) for key, value in written.items()}
        return {key: value for key, value in values.items() if value != {"Ref": "AWS::NoValue"}}

    def properties(self, key):
        return self.value(self.resources[key].get("Properties", {}))

    def of(self, kind):
        return [key for key, resource in self.resources.items() if resource["Type"] == kind]

    def versions(self):
        return {key[: key.index("FunctionVersion")]: key for key in self.of("AWS::Lambda::Version")}

    def broken_rules(self):
        broken = []
        for rule in self.rules.values():
            if self.holds(rule["RuleCondition"]):
                broken += [one["AssertDescription"] for one in rule["Assertions"] if not self.holds(one["Assert"])]
        return broken


CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"
WEB_ACL = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/media/00000000-0000-0000-0000-000000000000"
APPLICATION = "arn:aws:sns:us-east-1:123456789012:app"
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
# What the policies allow that SAM attaches: for logs, traces and the stream.
MANAGED = {
    "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams",
    "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents",
    "xray:GetSamplingRules", "xray:GetSamplingStatisticSummaries", "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords", "xray:PutTraceSegments",
}  # fmt: skip
PRODUCTION = {
    "DomainName": "api.example.com",
    "CertificateArn": CERTIFICATE,
    "HostedZoneId": "Z0123456789",
    "MediaCdn": "true",
    "MediaDomainName": "media.example.com",
    "MediaCertificateArn": CERTIFICATE,
    "MediaWebAclArn": WEB_ACL,
    "DeletionProtection": "true",
    "DeletedMediaDays": "7",
    "DeploymentType": "Linear10PercentEvery1Minute",
    "Observability": "true",
}


class Template(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.plain = Stack()
        cls.full = Stack(PRODUCTION)

    def test_a_stage_without_parameters_has_none_of_it(self):
        absent = [
            "AWS::ApiGatewayV2::DomainName", "AWS::Route53::RecordSet", "AWS::CloudFormation::Stack",
            "AWS::CloudWatch::Alarm", CODEDEPLOY,
        ]  # fmt: skip
        for kind in absent:
            self.assertEqual(self.plain.of(kind), [], kind)
        self.assertEqual(self.plain.properties("Table")["DeletionProtectionEnabled"], "false")
        self.assertNotIn("VersioningConfiguration", self.plain.properties("MediaBucket"))
        self.assertEqual(len(self.plain.properties("MediaBucketPolicy")["PolicyDocument"]["Statement"]), 1)
        self.assertEqual(self.plain.broken_rules(), [])

    def test_production_has_all_of_it(self):
        self.assertEqual(self.full.properties("Table")["DeletionProtectionEnabled"], "true")
        self.assertEqual(self.full.properties("ApiDomain")["DomainName"], "api.example.com")
        stage = self.full.properties("ApiDomainMapping")["Stage"]["Ref"]
        self.assertEqual(self.full.properties(stage)["StageName"], "$default")
        self.assertIn("ApiDomainAddress", self.full.resources)
        bucket = self.full.properties("MediaBucket")
        self.assertEqual(bucket["VersioningConfiguration"], {"Status": "Enabled"})
        rule = bucket["LifecycleConfiguration"]["Rules"][0]
        self.assertEqual(rule["NoncurrentVersionExpiration"], {"NoncurrentDays": "7"})
        uploads = [rule for rule in bucket["LifecycleConfiguration"]["Rules"] if rule.get("Prefix") == "uploads/"]
        self.assertEqual([str(rule["NoncurrentVersionExpiration"]["NoncurrentDays"]) for rule in uploads], ["1"])
        self.assertEqual(self.full.broken_rules(), [])

    def test_every_call_comes_through_the_alias(self):
        for stack in (self.plain, self.full):
            self.assertEqual(sorted(stack.versions()), FUNCTIONS)
            aliases = {f"{function}FunctionAliaslive" for function in FUNCTIONS}
            self.assertEqual(set(stack.of("AWS::Lambda::Alias")), aliases)
            for mapping in stack.of("AWS::Lambda::EventSourceMapping"):
                self.assertIn(stack.properties(mapping)["FunctionName"]["Ref"], aliases)
            events = stack.properties("MediaBucket")["NotificationConfiguration"]["LambdaConfigurations"]
            for event in events:
                self.assertIn(event["Function"]["Ref"], aliases)
            paths = json.dumps(stack.resources["Api"]["Properties"]["Body"]["paths"])
            for function in FUNCTIONS:
                self.assertNotIn(f"${{{function}Function.Arn}}", paths)

    def test_deployments_are_gradual_and_go_back_on_alarm(self):
        for key in FUNCTIONS:
            self.assertNotIn("UpdatePolicy", self.plain.resources[f"{key}FunctionAliaslive"])
            policy = self.full.resources[f"{key}FunctionAliaslive"]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
            group = self.full.properties(policy["DeploymentGroupName"]["Ref"])
            self.assertIn("Linear10PercentEvery1Minute", json.dumps(group["DeploymentConfigName"]))
            self.assertEqual(group["AlarmConfiguration"]["Alarms"], [{"Name": {"Ref": f"{key}Fails"}}])
            self.assertIn("DEPLOYMENT_STOP_ON_ALARM", group["AutoRollbackConfiguration"]["Events"])
            asked = json.dumps(self.full.properties(f"{key}Fails"))
            self.assertIn(f'"${{{key}Function}}:live"', asked)
            self.assertIn(f'"{key.lower()}"', asked)

    def test_a_changed_setting_is_a_new_version(self):
        """Or the alias would go on with the old one: with a secret that was rotated away, for example."""
        properties = [self.plain.resources[f"{key}Function"]["Properties"] for key in FUNCTIONS]
        conditions = self.plain.conditions
        used = set()
        for part in properties:
            # How many run at once is not a matter of versions.
            part = {key: value for key, value in part.items() if key != "ReservedConcurrentExecutions"}
            used |= names_in(part)
            used |= {name for key in conditions if f'["{key}", ' in json.dumps(part) for name in names_in(conditions[key])}
        echoed = {key for key, value in written("template.yaml")["Parameters"].items() if not value.get("NoEcho")}
        self.assertGreater(len(used & echoed), 40)
        self.assertEqual(names_in(self.plain.resources["Settings"]["Properties"]["Content"]), used & echoed)
        for key in FUNCTIONS:
            self.assertIn("${Settings.VersionNumber}", json.dumps(self.plain.properties(f"{key}Function")["Description"]))
            version = self.plain.properties(self.plain.versions()[key])
            # Replaced and not changed: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-version.html
            self.assertEqual(version["Description"], {"Fn::Sub": "Settings ${Settings.VersionNumber}"})

    def test_each_phase_of_a_rotation_accepts_its_version_of_the_secret(self):
        def accepted(parameter):
            function = Stack({"PreviousSigningSecret": parameter}).properties("AuthFunction")
            return function["Environment"]["Variables"]["SIGNING_SECRET_PREVIOUS"]

        self.assertEqual(accepted("false"), "")
        self.assertEqual(accepted("next")["Fn::Sub"][1], {"Stage": "AWSPENDING"})
        self.assertEqual(accepted("true")["Fn::Sub"][1], {"Stage": "AWSPREVIOUS"})
        self.assertIn(":SecretString:secret:${Stage}}}", accepted("true")["Fn::Sub"][0])

    def test_links_lead_to_the_host_that_media_have(self):
        def origin(**parameters):
            function = Stack(parameters).properties("MediaFunction")
            return function["Environment"]["Variables"]["PUBLIC_URL"]

        self.assertEqual(origin(), "")
        self.assertEqual(origin(PublicUrl="https://x.example.com"), "https://x.example.com")
        media = {"MediaCdn": "true", "MediaDomainName": "media.example.com", "MediaCertificateArn": CERTIFICATE}
        self.assertEqual(origin(**media), {"Fn::Sub": "https://media.example.com"})
        self.assertEqual(origin(PublicUrl="https://x.example.com", **media), "https://x.example.com")

    def test_parameters_that_need_each_other_say_so(self):
        self.assertEqual(Stack({"DomainName": "a.b"}).broken_rules(), ["DomainName needs CertificateArn."])
        self.assertEqual(len(Stack({"MediaDomainName": "a.b"}).broken_rules()), 2)
        self.assertEqual(Stack({"MediaWebAclArn": WEB_ACL}).broken_rules(), ["MediaWebAclArn needs MediaCdn=true."])

    def test_only_this_distribution_reads_the_bucket(self):
        statement = self.full.properties("MediaBucketPolicy")["PolicyDocument"]["Statement"][1]
        self.assertEqual(statement["Action"], "s3:GetObject")
        self.assertEqual(statement["Condition"]["ArnEquals"], {
            "aws:SourceArn": {"Fn::GetAtt": ["EdgeStack", "Outputs.DistributionArn"]}
        })  # fmt: skip
        self.assertNotIn("uploads", json.dumps(statement))

    def test_nested_stacks_are_given_what_they_ask_for(self):
        for key in self.full.of("AWS::CloudFormation::Stack"):
            properties = self.full.properties(key)
            given, asked = properties["Parameters"], written(properties["TemplateURL"])["Parameters"]
            self.assertLessEqual(set(given), set(asked), key)
            needed = {name for name, parameter in asked.items() if "Default" not in parameter}
            self.assertLessEqual(needed, set(given), key)


    def test_a_guided_deployment_asks_nothing_about_routes(self):
        with warnings.catch_warnings(action="ignore"):
            stacks, _ = SamLocalStackProvider.get_stacks(str(ROOT / "template.yaml"))
        said = auth_per_resource(stacks)
        self.assertGreater(len(said), 80)
        self.assertEqual([function for function, guarded in said if not guarded], [])
        # And yet the gateway lets everybody through: functions check who calls.
        body = self.plain.resources["Api"]["Properties"]["Body"]
        self.assertNotIn("securitySchemes", json.dumps(body))
        self.assertNotIn('"security"', json.dumps(body))

    def test_a_rollback_looks_at_minutes_that_are_told_late(self):
        for key in FUNCTIONS:
            alarm = self.full.properties(f"{key}Fails")
            self.assertEqual((alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]), (3, 1))
            self.assertEqual(alarm["TreatMissingData"], "notBreaching")
            # Without FILL: a minute filled with 0 would be a good one.
            (shown,) = [one["Expression"] for one in alarm["Metrics"] if one.get("ReturnData", True)]
            self.assertEqual(shown, "SUM(METRICS())")


def actions_of(statements):
    listed = [[one["Action"]] if isinstance(one["Action"], str) else one["Action"] for one in statements]
    return {action for actions in listed for action in actions}


class Deployment(unittest.TestCase):
    """The workflow and its roles."""

    def setUp(self):
        subject = "repo:owner/handset:environment:production"
        self.roles = Stack({"StackName": "handset", "Subject": subject}, "infra/deploy-role.yaml")
        pushes = {"ApnsApplicationArn": f"{APPLICATION}/APNS/a", "FcmApplicationArn": f"{APPLICATION}/GCM/a"}
        self.stage = Stack({**PRODUCTION, **pushes, "RoleBoundaryArn": BOUNDARY})

    def statement(self, policy, sid):
        statements = self.roles.properties(policy)["PolicyDocument"]["Statement"]
        return next(one for one in statements if one["Sid"] == sid)

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
        resources = json.dumps(self.statement("Functions", "ChangeNestedStacks")["Resource"])
        for key in self.stage.of("AWS::CloudFormation::Stack"):
            self.assertIn(f":stack/handset-{key}-*", resources)

    def test_policies_are_as_short_as_aws_demands(self):
        long = Stack({"StackName": "s" * 44, "Subject": "", "HostedZoneId": "Z" * 32}, "infra/deploy-role.yaml")
        for key in long.of("AWS::IAM::ManagedPolicy"):
            text = json.dumps(long.properties(key)["PolicyDocument"], separators=(",", ":"))
            for name, longest in [("Partition", "aws-us-gov"), ("Region", "ap-southeast-1"), ("AccountId", "1" * 12)]:
                text = text.replace("${AWS::" + name + "}", longest)
            self.assertLess(len(text), 6144, key)

    def test_the_workflow_reads_the_stages_settings(self):
        jobs = yaml_parse((ROOT / ".github/workflows/deploy.yml").read_text())["jobs"]
        settings = tomllib.loads((ROOT / "samconfig.toml").read_text())
        for stage in ("staging", "production"):
            self.assertIn("stack_name", settings[stage]["global"]["parameters"])
            (run,) = [step["run"] for step in jobs[stage]["steps"] if "sam deploy" in step.get("run", "")]
            self.assertIn('--config-env "$STAGE"', run)
            # SAM looks for samconfig.toml beside the template it is given.
            self.assertNotIn("--template", run)


class Edge(unittest.TestCase):
    """CloudFront's function and the origins it leads to."""

    def setUp(self):
        parameters = {"Name": "handset", "Bucket": "bucket", "Api": "api", "DomainName": "media.example.com",
                      "CertificateArn": CERTIFICATE, "HostedZoneId": "Z0123456789", "WebAclArn": WEB_ACL}  # fmt: skip
        self.edge = Stack(parameters, "infra/edge.yaml")
        self.plain = Stack({"Name": "handset", "Bucket": "bucket", "Api": "api"}, "infra/edge.yaml")
        self.distribution = self.edge.properties("Distribution")["DistributionConfig"]
        self.script = MiniRacer()
        self.script.eval(self.edge.properties("Paths")["FunctionCode"])

    def asked(self, path):
        """The function's answer, or the paths that the two origins of the group are asked for."""
        event = json.dumps({"request": {"method": "GET", "uri": path}})
        answer = json.loads(self.script.eval(f"JSON.stringify(handler({event}))"))
        if "statusCode" in answer:
            return answer["statusCode"], None
        behaviors = self.distribution["CacheBehaviors"]
        matching = [one for one in behaviors if fnmatchcase(path, one["PathPattern"])]
        behavior = (matching or [self.distribution["DefaultCacheBehavior"]])[0]
        groups = {group["Id"]: group for group in self.distribution["OriginGroups"]["Items"]}
        origins = {origin["Id"]: origin for origin in self.distribution["Origins"]}
        members = [origins[one["OriginId"]] for one in groups[behavior["TargetOriginId"]]["Members"]["Items"]]
        self.assertEqual([member["DomainName"] for member in members], ["bucket", "api"])
        return tuple(member.get("OriginPath", "") + answer["uri"] for member in members)

    def test_links_lead_to_objects_and_what_is_missing_to_the_api(self):
        cases = json.loads((ROOT / "infra/media-paths.json").read_text())
        self.assertGreater(len(cases), 10)
        for case in cases:
            with self.subTest(case["why"]):
                first, second = self.asked(case["path"])
                if "api" not in case:
                    self.assertEqual(first, 404)
                    continue
                self.assertEqual(second, case["api"])
                if "object" in case:
                    self.assertEqual(first, "/" + case["object"])

    def test_a_missing_object_is_asked_of_the_api(self):
        for group in self.distribution["OriginGroups"]["Items"]:
            self.assertEqual(group["FailoverCriteria"]["StatusCodes"]["Items"], [403, 404])
        for behavior in [self.distribution["DefaultCacheBehavior"], *self.distribution["CacheBehaviors"]]:
            self.assertEqual(len(behavior["FunctionAssociations"]), 1)
            # Failing over is for these alone.
            self.assertLessEqual(set(behavior["AllowedMethods"]), {"GET", "HEAD", "OPTIONS"})

    def test_the_bucket_is_read_with_origin_access_control_only(self):
        for origin in self.distribution["Origins"]:
            self.assertEqual("OriginAccessControlId" in origin, "S3OriginConfig" in origin, origin["Id"])

    def test_domain_and_web_acl_are_optional(self):
        self.assertEqual(self.distribution["Aliases"], ["media.example.com"])
        self.assertEqual(self.distribution["WebACLId"], WEB_ACL)
        self.assertIn("Address", self.edge.resources)
        plain = self.plain.properties("Distribution")["DistributionConfig"]
        self.assertNotIn("Aliases", plain)
        self.assertNotIn("WebACLId", plain)
        self.assertEqual(plain["ViewerCertificate"], {"CloudFrontDefaultCertificate": True})
        self.assertNotIn("Address", self.plain.resources)


if __name__ == "__main__":
    sys.exit(unittest.main())
