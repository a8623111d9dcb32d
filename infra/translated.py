"""A template translated by SAM, with known parameters, for the checks in this folder."""

import copy
import functools
import json
import logging
import os
import re
from pathlib import Path

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

# SAM needs a region, although it calls none, and logs much that is not needed here.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
logging.disable(logging.WARNING)

ROOT = Path(__file__).resolve().parent.parent
FUNCTIONS = ["Auth", "Codes", "Jobs", "Media", "Notify", "Profiles", "Resize", "Rooms", "Social"]


def names_in(part):
    """The parameters that a part of a template refers to."""
    known = parsed("template.yaml")["Parameters"]
    text = json.dumps(part)
    found = set(re.findall(r'"Ref": "(\w+)"', text)) | set(re.findall(r"\$\{(\w+)\}", text))
    return found & set(known)


class Policies:
    """Replaces a call to IAM: SAM's own roles name managed policies, whose ARNs are always these."""

    def load(self):
        names = ["AWSLambdaBasicExecutionRole", "AWSXRayDaemonWriteAccess", "AWSXrayWriteOnlyAccess"]
        names += ["AWSLambdaDynamoDBExecutionRole", "AWSLambdaSQSQueueExecutionRole", "AWSLambdaVPCAccessExecutionRole"]
        return {name: f"arn:aws:iam::aws:policy/service-role/{name}" for name in names}


@functools.cache
def parsed(name):
    return yaml_parse((ROOT / name).read_text())


def written(name):
    return copy.deepcopy(parsed(name))


class Stack:
    """A template with all conditions evaluated, for parameters that differ from the defaults."""

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
                # As in the output of `sam package`.
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
        """Replaces parameters and conditions; values that exist only after deployment stay as they are."""
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
