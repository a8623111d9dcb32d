"""A stack on moto: template.yaml, translated by SAM's own translator and created by moto's CloudFormation."""

import functools
import io
import json
import re
import zipfile
from pathlib import Path

import boto3
from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
ACCOUNT = "123456789012"
REGION = "us-east-1"

# Resources that functions use or have in their environment. A running function does not need the rest of the translated
# template (the API, permissions to invoke, log groups, alarms), and moto supports only some of it.
MADE = {
    "AWS::DynamoDB::Table",
    "AWS::IAM::Role",
    "AWS::KMS::Alias",
    "AWS::KMS::Key",
    "AWS::Lambda::Function",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
}

# Packaging replaces each function's folder with this. moto requires that it exists, but never opens it.
CODE = {"bucket": "handset-code", "key": "function.zip"}


@functools.cache
def client(endpoint, service):
    """The SDK's client of a service; creating one is slow and takes megabytes."""
    return boto3.client(service, endpoint_url=endpoint, region_name=REGION)


class NoManagedPolicies:
    """The translator requests AWS's managed policies; the template uses none of them."""

    def load(self):
        return {}


@functools.cache
def translated():
    """The template without the SAM transform, and the binary of each function, by logical id.

    Parameters stay references, which moto's CloudFormation resolves for each stack.
    """
    template = yaml_parse(TEMPLATE.read_text())
    binaries = {}
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = f"s3://{CODE['bucket']}/{CODE['key']}"
            binaries[name] = resource["Metadata"]["BuildProperties"]["Binary"]
    return transform(template, {}, NoManagedPolicies()), binaries


def made(template):
    """The resources that moto creates."""
    everything = template["Resources"]
    others = {name for name, resource in everything.items() if resource["Type"] not in MADE}

    def without_others(value):
        """Replaces a reference to a resource that is not created by its logical id."""
        if isinstance(value, str):
            return re.sub(r"\$\{(\w+)((?:\.\w+)*)\}", lambda one: one[1] + one[2] if one[1] in others else one[0], value)
        if isinstance(value, list):
            return [without_others(one) for one in value]
        if not isinstance(value, dict):
            return value
        if value.get("Ref") in others:
            return value["Ref"]
        if "Fn::GetAtt" in value and value["Fn::GetAtt"][0] in others:
            return ".".join(value["Fn::GetAtt"])
        # The order of creation matters only on AWS, where a bucket checks the functions that it notifies.
        return {key: without_others(one) for key, one in value.items() if key not in ("DependsOn", "NotificationConfiguration")}

    return {name: without_others(resource) for name, resource in everything.items() if name not in others}


class Stack:
    """A stack created from the template under a name, and the environment of its functions."""

    def __init__(self, name, endpoint, parameters):
        self.name = name
        self.endpoint = endpoint
        template, self.binaries = translated()
        everything = template["Resources"]
        self.mappings = [
            one["Properties"] for one in everything.values() if one["Type"] == "AWS::Lambda::EventSourceMapping"
        ]
        self.aliases = {
            name: one["Properties"]["FunctionName"]["Ref"]
            for name, one in everything.items()
            if one["Type"] == "AWS::Lambda::Alias"
        }
        secret_arns = {
            logical_id: self._secret(logical_id, one["Properties"])
            for logical_id, one in everything.items()
            if one["Type"] == "AWS::SecretsManager::Secret"
        }
        self._platforms(parameters)
        self._create(template, parameters)
        self._finish(everything)
        self.environments = self._environments(everything, secret_arns)

    def client(self, service):
        return client(self.endpoint, service)

    def queue_url(self, arn):
        """The URL of the queue whose ARN a property refers to."""
        return self.physical[arn["Fn::GetAtt"][0]]

    def _secret(self, logical_id, properties):
        """Creates a secret from its properties; moto's CloudFormation does not support this resource."""
        rules = properties["GenerateSecretString"]
        secrets = self.client("secretsmanager")
        generated = secrets.get_random_password(
            PasswordLength=rules["PasswordLength"], ExcludePunctuation=rules["ExcludePunctuation"]
        )["RandomPassword"]
        value = json.loads(rules["SecretStringTemplate"]) | {rules["GenerateStringKey"]: generated}
        made = secrets.create_secret(Name=f"{self.name}-{logical_id}", SecretString=json.dumps(value))
        return made["ARN"]

    def _platforms(self, parameters):
        """Creates the platform applications that the parameters name; no template creates them."""
        names = ("ApnsApplicationArn", "FcmApplicationArn")
        self.platforms = [parameters[name] for name in names if parameters.get(name)]
        for arn in self.platforms:
            _, platform, application = arn.split(":")[5].split("/")
            self.client("sns").create_platform_application(Name=application, Platform=platform, Attributes={})

    def _create(self, template, parameters):
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("bootstrap", "")
        storage = self.client("s3")
        storage.create_bucket(Bucket=CODE["bucket"])
        storage.put_object(Bucket=CODE["bucket"], Key=CODE["key"], Body=code.getvalue())
        template = {key: value for key, value in template.items() if key != "Outputs"} | {"Resources": made(template)}
        formation = self.client("cloudformation")
        formation.create_stack(
            StackName=self.name,
            TemplateBody=json.dumps(template),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM"],
        )
        status = formation.describe_stacks(StackName=self.name)["Stacks"][0]["StackStatus"]
        if status != "CREATE_COMPLETE":
            raise RuntimeError(f"{self.name}: {status}")
        resources = formation.list_stack_resources(StackName=self.name)["StackResourceSummaries"]
        self.physical = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in resources}

    def _finish(self, everything):
        """Sets the properties of the table and the bucket that moto's CloudFormation ignores."""
        for logical_id, resource in everything.items():
            properties = resource.get("Properties", {})
            if resource["Type"] == "AWS::DynamoDB::Table":
                self.table = self.physical[logical_id]
                self.client("dynamodb").update_time_to_live(
                    TableName=self.table, TimeToLiveSpecification=properties["TimeToLiveSpecification"]
                )
            if resource["Type"] == "AWS::S3::Bucket":
                self.bucket = self.physical[logical_id]
                told = properties["NotificationConfiguration"]["LambdaConfigurations"]
                self.client("s3").put_bucket_notification_configuration(
                    Bucket=self.bucket,
                    NotificationConfiguration={"LambdaFunctionConfigurations": [self._told(one) for one in told]},
                )
            if resource["Type"] == "AWS::SNS::Topic":
                self.topic = self.physical[logical_id]

    def _told(self, configuration):
        """A notification in the format of S3's API instead of CloudFormation's."""
        function = self.physical[self.function_in(configuration["Function"])]
        rules = configuration["Filter"]["S3Key"]["Rules"]
        return {
            "LambdaFunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}",
            "Events": [configuration["Event"]],
            "Filter": {"Key": {"FilterRules": rules}},
        }

    def _environments(self, everything, secret_arns):
        """The variables of each function as resolved by moto, by binary, with secrets in place of references."""
        environments = {}
        for logical_id, binary in self.binaries.items():
            name = self.physical[logical_id]
            configuration = self.client("lambda").get_function_configuration(FunctionName=name)
            own = {key: self._secrets(str(value), secret_arns) for key, value in configuration["Environment"]["Variables"].items()}
            environments[binary] = own | {
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_DEFAULT_REGION": REGION,
                "AWS_ENDPOINT_URL": self.endpoint,
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration["MemorySize"]),
                "AWS_LAMBDA_FUNCTION_NAME": name,
                "AWS_LAMBDA_FUNCTION_TIMEOUT": str(configuration["Timeout"]),
                "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
                "AWS_REGION": REGION,
                "AWS_SECRET_ACCESS_KEY": "test",
            }
        return environments

    def _secrets(self, value, arns):
        """Resolves `{{resolve:secretsmanager:LOGICAL_ID:SecretString:KEY}}` as CloudFormation does."""

        def read(match):
            secret = self.client("secretsmanager").get_secret_value(SecretId=arns[match[1]])
            return json.loads(secret["SecretString"])[match[2]]

        return re.sub(r"\{\{resolve:secretsmanager:(.+?):SecretString:(\w+)\}\}", read, value)

    def function_in(self, reference):
        """The logical id of the function in a reference to it or to its alias."""
        name = reference.get("Ref") or reference["Fn::GetAtt"][0]
        return self.aliases.get(name, name)

    def function_of(self, arn_or_name):
        """The binary of a function by its ARN or physical name."""
        name = arn_or_name.split(":")[-1]
        return next((binary for logical_id, binary in self.binaries.items() if self.physical[logical_id] == name), None)
