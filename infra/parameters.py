"""Writes the parameters of a stage for `sam deploy`, all of them, and refuses those that would do harm.

    python infra/parameters.py production --build 7 --account
    sam deploy --config-env production --parameter-overrides file://.aws-sam/parameters.yaml

SAM keeps the value of every parameter that is not named, whatever samconfig.toml or a new default says. So this names all
parameters: with the values in samconfig.toml, and otherwise with the defaults in template.yaml. Only a secret that is not
named keeps its value.
Needs infra/requirements/deploy.txt.
"""

import argparse
import json
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / ".aws-sam/parameters.yaml"

AS_CONFIGURED = "as configured"
# Options off in a first deployment, because a rollback would fail with them: docs/deploying.md, "A new stage".
NOT_AT_FIRST = {
    "DeletionProtection": "false",
    "DeploymentType": "AllAtOnce",
    "MediaCdn": "false",
    "MediaDomainName": "",
    "MediaCertificateArn": "",
    "MediaWebAclArn": "",
}
# AWS does not allow reserving the last 100 concurrent executions of an account.
KEPT_UNRESERVED = 100
# Requests a second per concurrent execution, if a request takes a tenth of a second including its start.
REQUESTS_PER_EXECUTION = 10
# The service through which SNS sends texts, AWS End User Messaging SMS, by its name in the SDK.
TEXTS = "pinpoint-sms-voice-v2"


def declared(template):
    """The template's parameters."""
    from samtranslator.yaml_helper import yaml_parse

    return yaml_parse(template)["Parameters"]


def configured(config, stage):
    """The stage's parameters in samconfig.toml, read as SAM reads them."""
    from samcli.cli.types import CfnParameterOverridesType

    settings = tomllib.loads(config)
    if stage not in settings:
        raise SystemExit(f"samconfig.toml has no stage {stage}")
    overrides = settings[stage].get("deploy", {}).get("parameters", {}).get("parameter_overrides", [])
    return CfnParameterOverridesType().convert(overrides, None, None)


def values(parameters, overrides, build="", deployment_type=AS_CONFIGURED, first=False):
    """The value of every parameter that must be named."""
    unknown = sorted(set(overrides) - set(parameters))
    if unknown:
        raise SystemExit(f"template.yaml has no parameter {', '.join(unknown)}, which samconfig.toml sets")
    named = {
        name: str(parameter.get("Default", ""))
        for name, parameter in parameters.items()
        # A NoEcho parameter must not be in a file either, and naming it without its value would delete the value.
        if not parameter.get("NoEcho")
    }
    named.update(overrides)
    named["BuildNumber"] = build
    if deployment_type != AS_CONFIGURED:
        named["DeploymentType"] = deployment_type
    if first:
        named.update(NOT_AT_FIRST)
    return named


def problems(stage, named, region=None, texting=None, executions=None):
    """The reasons why these parameters must not be deployed. Unknown facts about region and account are not checked."""
    found = []
    if stage == "production" and named["ExposeCodes"] != "false":
        found.append("ExposeCodes must be false in production: with true anybody signs in as anybody")
    if "UK" in named["AllowedCountries"].split(","):
        found.append("AllowedCountries names UK, which is no region of ISO 3166-1, so no function would start. Write GB")
    if texting is not None and region not in texting:
        found.append(f"AWS sends no texts from {region}. It does from: {', '.join(texting) or 'no region of this kind'}")
    if executions is not None:
        reserved = int(named["CodesConcurrency"]) + int(named["ResizeConcurrency"])
        if reserved and reserved > executions - KEPT_UNRESERVED:
            found.append(
                f"CodesConcurrency and ResizeConcurrency reserve {reserved} executions at once. The account has "
                f"{executions}, of which AWS keeps {KEPT_UNRESERVED} unreserved. Set both to 0, or ask for a larger quota"
            )
        most = executions * REQUESTS_PER_EXECUTION
        if float(named["ThrottleRate"]) > most:
            found.append(
                f"ThrottleRate is {named['ThrottleRate']}, but the account's {executions} executions at once carry some "
                f"{most} requests a second. Set ThrottleRate={most} or less, or ask for a larger quota"
            )
        if float(named["ThrottleBurst"]) > executions:
            found.append(
                f"ThrottleBurst is {named['ThrottleBurst']}, but only {executions} requests can run at the same moment. Set "
                f"ThrottleBurst={executions} or less, or ask for a larger quota"
            )
    return found


def account():
    """The current region, the regions from which AWS sends texts, and the quota of concurrent executions."""
    import boto3

    session = boto3.Session()
    if not session.region_name:
        raise SystemExit("no region: set AWS_REGION, or choose a profile that has one")
    partition = session.get_partition_for_region(session.region_name)
    texting = session.get_available_regions(TEXTS, partition_name=partition)
    limit = session.client("lambda").get_account_settings()["AccountLimit"]
    return {"region": session.region_name, "texting": texting, "executions": limit["ConcurrentExecutions"]}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("stage", help="a stage of samconfig.toml")
    arguments.add_argument("--build", default="", help="a new number for each try, so that every try makes new versions")
    arguments.add_argument("--deployment-type", default=AS_CONFIGURED, help="such as AllAtOnce, instead of the stage's own")
    arguments.add_argument("--first", action="store_true", help="for a stack that does not exist yet")
    arguments.add_argument("--account", action="store_true", help="compare with the account and region in use as well")
    given = arguments.parse_args()
    parameters = declared((ROOT / "template.yaml").read_text())
    overrides = configured((ROOT / "samconfig.toml").read_text(), given.stage)
    named = values(parameters, overrides, given.build, given.deployment_type, given.first)
    found = problems(given.stage, named, **(account() if given.account else {}))
    if found:
        raise SystemExit("\n".join(found))
    TARGET.parent.mkdir(exist_ok=True)
    # JSON is valid YAML, and SAM chooses the format by the file extension.
    TARGET.write_text(json.dumps(named, indent=2) + "\n")
    print(f"{TARGET.relative_to(ROOT)} has {len(named)} parameters")


if __name__ == "__main__":
    sys.exit(main())
