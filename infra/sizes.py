"""How large a stack becomes at AWS if its name and its parameters are as long as they can be."""

import json
import re

# Not public, but what `re` itself compiles with; since Python 3.11.
from re import _parser

from translated import PRODUCTION, Stack, parsed

# A longer name would not leave room for the bucket's, which has 63 characters.
STACK_NAME = "s" * 44
# The longest that there are together.
PSEUDO = {
    "AWS::StackName": STACK_NAME,
    "AWS::Partition": "aws-us-gov",
    "AWS::Region": "us-gov-west-1",
    "AWS::AccountId": "1" * 12,
    "Api": "a" * 10,
}
# CloudFormation's own limit for the value of a parameter, in bytes.
UNBOUNDED = 4096
# A whole number without MaxValue: the functions read most of them as 32 bits.
NUMBER = "4294967295"
# ACM accepts no longer host name as the first one of a certificate.
HOST = 64
# Lengths of the parameters that the template does not bound. Longer values are possible, but not likely.
STATED = {
    "SmsAutofillHost": HOST,
    "SmsAppHashes": 5 * 12 - 1,  # five apps
    "TokenIssuer": 64,
    "WeChatBaseUrl": 64,
    "QqBaseUrl": 64,
    "WeiboBaseUrl": 64,
    "ApnsApplicationArn": 128,
    "FcmApplicationArn": 128,
    "PublicUrl": len("https://") + HOST,
    "CorsOrigin": len("https://") + HOST,
    "DomainName": HOST,
    "MediaDomainName": HOST,
    "CertificateArn": 128,
    "MediaCertificateArn": 128,
    "MediaWebAclArn": 128,
    "RoleBoundaryArn": 128,
    "AlarmEmail": 64,
    "AlarmTopicArn": 128,
}
# Texts for people, in any language; a Chinese character has three bytes.
READ = {"SmsText", "MacNotes", "AppName"}


def longest(name, parameter):
    """The longest value of a parameter: one of its AllowedValues, its MaxValue, or a text as long as its MaxLength and
    AllowedPattern permit, or else as STATED. The text does not match the pattern, since only its length counts."""
    if "AllowedValues" in parameter:
        return max(map(str, parameter["AllowedValues"]), key=len)
    if parameter["Type"] == "Number":
        return str(parameter.get("MaxValue", NUMBER))
    bounds = [int(parameter.get("MaxLength", UNBOUNDED))]
    if "AllowedPattern" in parameter:
        # The longest text that the pattern matches.
        bounds.append(_parser.parse(parameter["AllowedPattern"]).getwidth()[1])
    length = min(bounds)
    assert (length >= UNBOUNDED) == (name in STATED), f"{name}: bounded by the template, or stated here"
    return ("字" if name in READ else "x") * STATED.get(name, length)


def largest():
    """The stack with everything on, and all parameters at their longest."""
    values = {name: longest(name, parameter) for name, parameter in parsed("template.yaml")["Parameters"].items()}
    switches = ("MediaCdn", "DeletionProtection", "DeploymentType", "Observability")
    return Stack({**values, **{name: PRODUCTION[name] for name in switches}})


def physical(logical, most):
    """A name that CloudFormation makes for a resource, cut to what the service allows."""
    return f"{STACK_NAME}-{logical}-{'r' * 12}"[:most]


def arn(service, resource):
    partition, region, account = (PSEUDO[f"AWS::{name}"] for name in ("Partition", "Region", "AccountId"))
    return f"arn:{partition}:{service}:{region}:{account}:{resource}"


def text(value):
    """The text, with names of the longest kind, that AWS makes of a value of the translated template."""
    if isinstance(value, str):
        # The secret that the template generates.
        return re.sub(r"\{\{resolve:secretsmanager:.*?\}\}", "k" * 64, value)
    if not isinstance(value, dict):
        return str(value)
    ((kind, inner),) = value.items()
    match kind:
        case "Ref" if inner in PSEUDO:
            return PSEUDO[inner]
        case "Ref" if inner == "NotificationTopic":
            return arn("sns", physical(inner, 256))
        case "Ref":
            return physical(inner, 255)
        case "Fn::GetAtt" if inner == ["IdentityKey", "Arn"]:
            return arn("kms", "key/" + "0" * 36)
        case "Fn::Sub":
            template, names = inner if isinstance(inner, list) else (inner, {})
            known = PSEUDO | {name: text(given) for name, given in names.items()}
            return text(re.sub(r"\$\{([\w:]+)\}", lambda name: known.get(name[1], name[0]), template))
    raise ValueError(f"how long is {value}?")


def compact(value):
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def policies(stack):
    """The bytes of each alias's resource policy, as Lambda's GetPolicy shows it, which is what Lambda measures: one
    statement for each AWS::Lambda::Permission, whose Sid is the permission's own name, of at most 100 characters."""
    statements = {}
    for key in stack.of("AWS::Lambda::Permission"):
        permission = stack.properties(key)
        alias = permission["FunctionName"]["Ref"]
        function = physical(alias.removesuffix("Aliaslive"), 64)
        if "SourceArn" in permission:
            condition = {"ArnLike": {"AWS:SourceArn": text(permission["SourceArn"])}}
        else:
            condition = {"StringEquals": {"AWS:SourceAccount": text(permission["SourceAccount"])}}
        statements.setdefault(alias, []).append({
            "Sid": physical(key, 100),
            "Effect": "Allow",
            "Principal": {"Service": permission["Principal"]},
            "Action": permission["Action"],
            "Resource": arn("lambda", f"function:{function}:live"),
            "Condition": condition,
        })  # fmt: skip
    return {
        alias: compact({"Version": "2012-10-17", "Id": "default", "Statement": of_it})
        for alias, of_it in statements.items()
    }


def environments(stack):
    """The bytes of each function's environment as JSON, quotes and commas included. This is what Lambda measures: its
    error shows the text ("exceeded the 4KB limit. String measured: …")."""
    found = {}
    for key in stack.of("AWS::Lambda::Function"):
        variables = stack.properties(key)["Environment"]["Variables"]
        found[key] = compact({name: text(value) for name, value in variables.items()})
    return found


def routes(stack):
    """The keys of the gateway's routes, as RouteSettings names them."""
    found = set()
    for path, methods in stack.properties("Api")["Body"]["paths"].items():
        for method in methods:
            name = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
            found.add("$default" if path == "/$default" else f"{name} {path}")
    return found
