"""Checks the translated templates with options off and on, and the paths that CloudFront's function returns.

`sam validate` and `cfn-lint` read the template as written. This translates it as SAM does, and checks what would be
deployed. Needs infra/requirements/check.txt: `python infra/check_template.py`.
"""

import json
import sys
import unittest
import warnings
from fnmatch import fnmatchcase

from py_mini_racer import MiniRacer
from samcli.commands.deploy.auth_utils import auth_per_resource
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider

import sizes
from translated import CERTIFICATE, FUNCTIONS, PRODUCTION, ROOT, WEB_ACL, Stack, names_in, written

CODEDEPLOY = "AWS::CodeDeploy::Application"
# Lambda refuses a larger environment, and such a deployment is rolled back.
ENVIRONMENT_BYTES = 4096


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
        """Otherwise the alias would keep the old version, for example with a secret that has been replaced."""
        properties = [self.plain.resources[f"{key}Function"]["Properties"] for key in FUNCTIONS]
        conditions = self.plain.conditions
        used = set()
        for part in properties:
            # Concurrency does not belong to a version.
            part = {key: value for key, value in part.items() if key != "ReservedConcurrentExecutions"}
            used |= names_in(part)
            used |= {name for key in conditions if f'["{key}", ' in json.dumps(part) for name in names_in(conditions[key])}
        echoed = {key for key, value in written("template.yaml")["Parameters"].items() if not value.get("NoEcho")}
        self.assertGreater(len(used & echoed), 40)
        # The build number is there too; no function reads it.
        numbered = used & echoed | {"BuildNumber"}
        self.assertEqual(names_in(self.plain.resources["Settings"]["Properties"]["Content"]), numbered)
        for key in FUNCTIONS:
            self.assertIn("${Settings.VersionNumber}", json.dumps(self.plain.properties(f"{key}Function")["Description"]))
            version = self.plain.properties(self.plain.versions()[key])
            # These changes replace the version: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-version.html
            self.assertEqual(version["Description"], {"Fn::Sub": "Settings ${Settings.VersionNumber}, build "})

    def test_a_rotation_names_versions_and_no_labels(self):
        """After a rollback a label is on another version; a version id always means the same secret."""
        old, new = "a" * 36, "b" * 36
        reference = "{{resolve:secretsmanager:${SigningSecret}:SecretString:secret"

        def secrets(signs, accepted):
            stack = Stack({"SigningSecretVersion": signs, "OtherSigningSecretVersion": accepted})
            self.assertEqual(stack.broken_rules(), [])
            found = set()
            for key in FUNCTIONS:
                variables = stack.properties(f"{key}Function")["Environment"]["Variables"]
                if "SIGNING_SECRET" in variables:
                    found.add(json.dumps([variables["SIGNING_SECRET"], variables["SIGNING_SECRET_PREVIOUS"]]))
            (same,) = found
            return json.loads(same)

        before = {"Fn::Sub": reference + "}}"}
        by_id = {id: {"Fn::Sub": f"{reference}::{id}" + "}}"} for id in (old, new)}
        self.assertEqual(secrets("", ""), [before, ""])
        self.assertEqual(secrets(old, new), [by_id[old], by_id[new]])
        self.assertEqual(secrets(new, old), [by_id[new], by_id[old]])
        self.assertEqual(secrets(new, ""), [by_id[new], ""])
        self.assertEqual(len(Stack({"OtherSigningSecretVersion": new}).broken_rules()), 1)
        both = {"SigningSecretVersion": new, "OtherSigningSecretVersion": new}
        self.assertEqual(len(Stack(both).broken_rules()), 1)
        self.assertNotIn("AWSPENDING", (ROOT / "template.yaml").read_text())

    def test_a_second_try_of_the_same_code_makes_new_versions(self):
        content = self.plain.resources["Settings"]["Properties"]["Content"]["Fn::Sub"]
        self.assertIn("BuildNumber=${BuildNumber}", content)
        second = Stack({"BuildNumber": "7.2"})
        for key in FUNCTIONS:
            version = second.versions()[key]
            for part in (f"{key}Function", version):
                described = json.dumps(second.properties(part)["Description"])
                self.assertIn("Settings ${Settings.VersionNumber}, build 7.2", described)

    def test_codes_are_not_shown_where_people_are(self):
        shown = Stack({"ExposeCodes": "true", "DeletionProtection": "true"})
        self.assertEqual(len(shown.broken_rules()), 1)
        self.assertEqual(Stack({"ExposeCodes": "true"}).broken_rules(), [])
        self.assertEqual(written("template.yaml")["Outputs"]["ShowsCodes"]["Value"], {"Ref": "ExposeCodes"})

    def test_the_defaults_suit_a_new_account(self):
        """Ten concurrent executions, none of which can be reserved."""
        self.assertLessEqual(float(self.plain.values["ThrottleRate"]), 100)
        for key in ("Codes", "Resize"):
            self.assertEqual(self.plain.values[f"{key}Concurrency"], "0")
            self.assertNotIn("ReservedConcurrentExecutions", self.plain.properties(f"{key}Function"))

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
        # But the gateway accepts every caller: the functions check them.
        body = self.plain.resources["Api"]["Properties"]["Body"]
        self.assertNotIn("securitySchemes", json.dumps(body))
        self.assertNotIn('"security"', json.dumps(body))

    def test_a_rollback_looks_at_minutes_that_are_told_late(self):
        for key in FUNCTIONS:
            alarm = self.full.properties(f"{key}Fails")
            self.assertEqual((alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]), (3, 1))
            self.assertEqual(alarm["TreatMissingData"], "notBreaching")
            # Without FILL: a minute filled with 0 would count as good.
            (shown,) = [one["Expression"] for one in alarm["Metrics"] if one.get("ReturnData", True)]
            self.assertEqual(shown, "SUM(METRICS())")


class Limits(unittest.TestCase):
    """Limits of AWS that a deployment would only meet at its end, for the longest name and parameters."""

    @classmethod
    def setUpClass(cls):
        cls.plain = Stack()
        cls.full = Stack(PRODUCTION)
        cls.largest = sizes.largest()

    def test_the_policy_of_each_alias_is_small_enough(self):
        policies = sizes.policies(self.largest)
        # Only the stream and queues call jobs and notify, with the permissions of the functions' own roles.
        uncalled = {"JobsFunctionAliaslive", "NotifyFunctionAliaslive"}
        self.assertEqual(set(self.largest.of("AWS::Lambda::Alias")) - set(policies), uncalled)
        # Lambda's limit is 20,480 bytes. A route costs nearly 500.
        self.assertEqual({alias: size for alias, size in policies.items() if size > 18_000}, {})

    def test_each_environment_is_small_enough(self):
        environments = sizes.environments(self.largest)
        self.assertEqual(set(environments), {f"{key}Function" for key in FUNCTIONS})
        larger = {key: size for key, size in environments.items() if size > ENVIRONMENT_BYTES}
        self.assertEqual(larger, {})
        # As the stages are configured, there is much room in all of them.
        for key, size in sizes.environments(self.full).items():
            self.assertLess(size, 3000, key)

    def test_routes_and_resources_are_few_enough(self):
        # API Gateway's quota is 300 routes, and CloudFormation's limit 500 resources.
        self.assertGreater(len(sizes.routes(self.largest)), 80)
        self.assertLessEqual(len(sizes.routes(self.largest)), 300)
        self.assertLessEqual(set(self.full.resources), set(self.largest.resources))
        self.assertLessEqual(len(self.largest.resources), 500)

    def test_route_settings_name_routes(self):
        """Otherwise the deployment fails: "Unable to find Route by key"."""
        for stack in (self.plain, self.full):
            (stage,) = stack.of("AWS::ApiGatewayV2::Stage")
            settings = stack.properties(stage)["RouteSettings"]
            self.assertLessEqual(set(settings), sizes.routes(stack))
            # Refreshing has a share of its own, as large as that of all other routes together.
            self.assertEqual(settings, {"POST /auth/v1/token": stack.properties(stage)["DefaultRouteSettings"]})
            # The routes exist before the stage: they are part of the API, and the stage refers to it.
            self.assertEqual(stack.resources[stage]["Properties"]["ApiId"], {"Ref": "Api"})


class Edge(unittest.TestCase):
    """CloudFront's function and its origins."""

    def setUp(self):
        parameters = {"Name": "handset", "Bucket": "bucket", "Api": "api", "DomainName": "media.example.com",
                      "CertificateArn": CERTIFICATE, "HostedZoneId": "Z0123456789", "WebAclArn": WEB_ACL}  # fmt: skip
        self.edge = Stack(parameters, "infra/edge.yaml")
        self.plain = Stack({"Name": "handset", "Bucket": "bucket", "Api": "api"}, "infra/edge.yaml")
        self.distribution = self.edge.properties("Distribution")["DistributionConfig"]
        self.script = MiniRacer()
        self.script.eval(self.edge.properties("Paths")["FunctionCode"])

    def asked(self, path):
        """The function's response, or the paths requested from the two origins of the group."""
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
            # Only these statuses use the second origin.
            self.assertLessEqual(set(behavior["AllowedMethods"]), {"GET", "HEAD", "OPTIONS"})

    def test_a_preflight_reaches_the_bucket_with_its_origin(self):
        managed = "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf"  # CORS-S3Origin
        for behavior in [self.distribution["DefaultCacheBehavior"], *self.distribution["CacheBehaviors"]]:
            self.assertIn("OPTIONS", behavior["AllowedMethods"])
            self.assertEqual(behavior["OriginRequestPolicyId"], managed)
        # It is not part of the cache key: one response is cached for all origins, and CloudFront adds the headers to each.
        caching = self.edge.properties("Caching")["CachePolicyConfig"]
        headers = caching["ParametersInCacheKeyAndForwardedToOrigin"]["HeadersConfig"]
        self.assertEqual(headers, {"HeaderBehavior": "none"})
        cors = self.edge.properties("Headers")["ResponseHeadersPolicyConfig"]["CorsConfig"]
        self.assertTrue(cors["OriginOverride"])

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
