"""Checks the workflows, the scripts and the locks: what each installs, and with which permissions.

`python infra/check_workflows.py`. Needs infra/requirements/check.txt.
"""

import json
import re
import sys
import tomllib
import unittest
from pathlib import Path

import yaml

import parameters

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = {path.name: path for path in sorted((ROOT / ".github/workflows").glob("*.yml"))}
LOCKS = ROOT / "infra/requirements"
# Every job with more than read permission, and its permissions.
RIGHTS = {
    ("deploy.yml", "staging"): {"contents": "read", "id-token": "write"},
    ("deploy.yml", "production"): {"contents": "read", "id-token": "write"},
    ("stage.yml", "deploy"): {"contents": "read", "id-token": "write"},
    ("release.yml", "attest"): {"attestations": "write", "id-token": "write"},
    ("release.yml", "publish"): {"contents": "write"},
}
# The commands of such a job must contain none of these words: they compile, or install tools that a deployment does not
# need.
BUILDS = r"\b(cargo|rustup|npm|npx|apt|apt-get|make|uvx?|sam build|\.ci/run|check_\w+\.py)\b"


def jobs():
    """Every job, by workflow and name."""
    for name, path in WORKFLOWS.items():
        for key, job in yaml.safe_load(path.read_text())["jobs"].items():
            yield name, key, job


def steps(job):
    return job.get("steps", [])


def runs(job):
    return [step["run"] for step in steps(job) if "run" in step]


def scripts():
    """Every file with commands: the workflows and the shell scripts."""
    found = list(WORKFLOWS.values())
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        if parts[0] in {"target", ".git", ".aws-sam", ".local"} or "node_modules" in parts or not path.is_file():
            continue
        with path.open("rb") as file:
            if file.read(2) == b"#!":
                found.append(path)
    return found


def commands(pattern):
    """Lines with this command, by file, with continued lines in one."""
    for path in scripts():
        text = re.sub(r"\\\n\s*", "", path.read_text())
        for line in text.splitlines():
            if not line.lstrip().startswith("#") and re.search(pattern, line):
                yield path.relative_to(ROOT), line.strip()


def pinned(name):
    """The packages of a lock with their hashes."""
    text = (LOCKS / name).read_text()
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", "")
    return [line for line in text.splitlines() if line.strip()]


class Workflows(unittest.TestCase):
    def test_actions_are_named_by_their_commit(self):
        commits = {}
        for path in WORKFLOWS.values():
            for line in re.findall(r"uses:\s*(.*)", path.read_text()):
                if line.startswith("./.github/workflows/"):
                    self.assertIn(Path(line).name, WORKFLOWS)
                    continue
                self.assertRegex(line, r"^[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", path.name)
                action, rest = line.split("@")
                commits.setdefault(action, set()).add(rest)
        self.assertGreater(len(commits), 6)
        self.assertEqual({action: rests for action, rests in commits.items() if len(rests) > 1}, {})

    def test_a_job_has_the_rights_that_it_needs(self):
        for path in WORKFLOWS.values():
            self.assertEqual(yaml.safe_load(path.read_text())["permissions"], {"contents": "read"}, path.name)
        more = {(name, key): job["permissions"] for name, key, job in jobs() if "permissions" in job}
        self.assertEqual(more, RIGHTS)

    def test_a_job_with_a_right_to_write_builds_and_installs_nothing(self):
        for name, key, job in jobs():
            if (name, key) not in RIGHTS:
                continue
            place = f"{key} of {name}"
            for run in runs(job):
                self.assertNotRegex(run, BUILDS, place)
                if "install" in run:
                    self.assertRegex(run, r"^pip install --require-hashes .*-r infra/requirements/deploy\.txt$", place)
            self.assertNotIn("rust-cache", json.dumps(job), place)
        (publish,) = [job for name, key, job in jobs() if (name, key) == ("release.yml", "publish")]
        self.assertNotIn("checkout", json.dumps(publish))
        # A job without credentials built what they deploy or publish.
        for name, key, job in jobs():
            if any("sam build" in run for run in runs(job)):
                self.assertNotIn((name, key), RIGHTS)

    def test_what_is_deployed_or_published_comes_from_no_cache(self):
        for name, key, job in jobs():
            if name in {"deploy.yml", "stage.yml", "release.yml"}:
                self.assertNotIn("cache@", json.dumps(job), f"{key} of {name}")

    def test_one_version_of_rust_checks_builds_and_deploys(self):
        channel = tomllib.loads((ROOT / "rust-toolchain.toml").read_text())["toolchain"]["channel"]
        named = {
            name: version
            for name, path in WORKFLOWS.items()
            if (version := yaml.safe_load(path.read_text()).get("env", {}).get("RUSTUP_TOOLCHAIN"))
        }
        self.assertGreater(len(named), 2)
        self.assertEqual(set(named.values()), {channel})

    def test_no_token_stays_in_a_checkout(self):
        count = 0
        for name, key, job in jobs():
            for step in steps(job):
                if step.get("uses", "").startswith("actions/checkout@"):
                    self.assertIs(step["with"]["persist-credentials"], False, f"{key} of {name}")
                    count += 1
        self.assertGreater(count, 6)

    def test_a_stage_is_deployed_as_samconfig_says(self):
        settings = tomllib.loads((ROOT / "samconfig.toml").read_text())
        (job,) = [job for name, _, job in jobs() if name == "stage.yml"]
        (deploy,) = [run for run in runs(job) if "sam deploy" in run]
        self.assertIn('--config-env "$STAGE"', deploy)
        # SAM looks for samconfig.toml in the folder of the template.
        self.assertNotIn("--template", deploy)
        # From the bucket that CloudFormation's role can read, and from this build's own folder.
        self.assertIn('--s3-bucket "$ARTIFACTS" --s3-prefix "$STAGE/$BUILD"', deploy)
        callers = {key: job for name, key, job in jobs() if job.get("uses", "").endswith("/stage.yml")}
        self.assertEqual(set(callers), {"staging", "production"})
        for key, caller in callers.items():
            self.assertEqual(caller["with"]["stage"], key)
            self.assertIn("stack_name", settings[key]["global"]["parameters"])
            # It does not upload elsewhere either when a person deploys it.
            for uploads in ("resolve_s3", "s3_bucket"):
                self.assertNotIn(uploads, settings[key]["deploy"]["parameters"], key)

    def test_a_hotfix_and_a_second_try_reach_the_parameters(self):
        deploy = yaml.safe_load(WORKFLOWS["deploy.yml"].read_text())
        # YAML reads `on` as true.
        asked = deploy[True]["workflow_dispatch"]["inputs"]["deployment-type"]
        self.assertEqual(asked["default"], parameters.AS_CONFIGURED)
        self.assertEqual(asked["options"], [parameters.AS_CONFIGURED, "AllAtOnce"])
        for key in ("staging", "production"):
            given = deploy["jobs"][key]["with"]["deployment-type"]
            self.assertEqual(given, "${{ inputs.deployment-type || 'as configured' }}")
        (job,) = [job for name, _, job in jobs() if name == "stage.yml"]
        self.assertEqual(job["env"]["BUILD"], "${{ github.run_number }}.${{ github.run_attempt }}")
        (step,) = [step for step in steps(job) if "infra/parameters.py" in step.get("run", "")]
        self.assertEqual(step["env"]["TYPE"], "${{ inputs.deployment-type }}")
        self.assertIn('"$STAGE" --build "$BUILD" --deployment-type "$TYPE" --account', step["run"])
        (after,) = [run for run in runs(job) if "sam deploy" in run]
        self.assertIn(f"--parameter-overrides file://{parameters.TARGET.relative_to(ROOT)}", after)
        self.assertLess(runs(job).index(step["run"]), runs(job).index(after))


class Parameters(unittest.TestCase):
    """The parameters of a deployment."""

    def setUp(self):
        self.declared = parameters.declared((ROOT / "template.yaml").read_text())
        self.config = (ROOT / "samconfig.toml").read_text()

    def named(self, stage="production", config=None, **rest):
        return parameters.values(self.declared, parameters.configured(config or self.config, stage), **rest)

    def test_every_parameter_but_a_secret_is_named(self):
        named = self.named(build="7.1")
        secret = {name for name, parameter in self.declared.items() if parameter.get("NoEcho")}
        self.assertEqual(secret, {"RongCloudAppSecret"})
        self.assertEqual(set(named), set(self.declared) - secret)
        # A parameter that was true and is no longer named becomes false again.
        self.assertEqual(named["ExposeCodes"], "false")
        self.assertEqual((named["DeletionProtection"], named["BuildNumber"]), ("true", "7.1"))

    def test_sam_reads_what_is_written(self):
        from samcli.cli.types import CfnParameterOverridesType

        named = self.named()
        self.assertEqual(CfnParameterOverridesType().convert([named], None, None), named)
        for name, value in named.items():
            allowed = self.declared[name].get("AllowedValues")
            self.assertIn(value, list(map(str, allowed or [value])), name)

    def test_a_hotfix_goes_live_at_once(self):
        self.assertEqual(self.named()["DeploymentType"], "Linear10PercentEvery1Minute")
        self.assertEqual(self.named(deployment_type="AllAtOnce")["DeploymentType"], "AllAtOnce")

    def test_a_first_deployment_can_be_taken_back(self):
        first = self.named(first=True)
        off = ("DeletionProtection", "MediaCdn", "DeploymentType")
        self.assertEqual([first[name] for name in off], ["false", "false", "AllAtOnce"])

    def test_a_name_that_the_template_has_not_is_an_error(self):
        config = self.config.replace('"DeletedMediaDays=7"', '"DeletedMediaDay=7"')
        with self.assertRaisesRegex(SystemExit, "no parameter DeletedMediaDay,"):
            self.named(config=config)
        with self.assertRaisesRegex(SystemExit, "no stage prod$"):
            self.named("prod")

    def test_production_never_shows_codes(self):
        config = self.config.replace('"DeletedMediaDays=7"', '"ExposeCodes=true"')
        self.assertEqual(parameters.problems("production", self.named()), [])
        (problem,) = parameters.problems("production", self.named(config=config))
        self.assertIn("ExposeCodes", problem)

    def test_the_united_kingdom_is_called_gb(self):
        (problem,) = parameters.problems("production", {**self.named(), "AllowedCountries": "86,UK"})
        self.assertIn("Write GB", problem)
        self.assertEqual(parameters.problems("production", {**self.named(), "AllowedCountries": "86,GB"}), [])

    def test_a_region_without_texts_is_refused(self):
        texting = ["ap-southeast-1", "us-east-1"]
        self.assertEqual(parameters.problems("staging", self.named(), "us-east-1", texting), [])
        (problem,) = parameters.problems("staging", self.named(), "ap-east-1", texting)
        self.assertIn("no texts from ap-east-1", problem)

    def test_a_new_account_carries_the_defaults_and_no_more(self):
        named = self.named()
        self.assertEqual(parameters.problems("production", named, executions=10), [])
        (problem,) = parameters.problems("production", {**named, "ThrottleRate": "1000"}, executions=10)
        self.assertIn("ThrottleRate=100 or less", problem)
        self.assertEqual(parameters.problems("production", {**named, "ThrottleRate": "1000"}, executions=1000), [])
        (problem,) = parameters.problems("production", {**named, "ThrottleBurst": "11"}, executions=10)
        self.assertIn("ThrottleBurst=10 or less", problem)
        reserved = {**named, "CodesConcurrency": "50", "ResizeConcurrency": "51"}
        self.assertEqual(parameters.problems("production", reserved, executions=201), [])
        (problem,) = parameters.problems("production", reserved, executions=200)
        self.assertIn("reserve 101", problem)

    def test_the_document_names_the_regions_that_send_no_texts(self):
        import boto3

        session = boto3.Session()
        silent = set(session.get_available_regions("lambda")) - set(session.get_available_regions(parameters.TEXTS))
        document = " ".join((ROOT / "docs/deploying.md").read_text().split())
        (said,) = re.findall(r"No texts are sent from (.*?)\. ", document)
        self.assertEqual(set(re.findall(r"`([a-z]+-[a-z]+-\d)`", said)), silent)


class Locks(unittest.TestCase):
    """Every installed package is in a lock file, and is installed from it."""

    def test_python_packages_are_installed_by_their_hashes(self):
        count = 0
        for place, line in commands(r"\bpip3?\"? install\b"):
            self.assertIn("--require-hashes", line, place)
            self.assertRegex(line, r"-r \"?(infra/requirements/)?(\w+|\$lock)\.txt\"?$", place)
            self.assertNotRegex(line, r"(index-url|find-links|trusted-host)", place)
            count += 1
        self.assertGreater(count, 6)
        for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md"), *LOCKS.glob("*.md")]:
            for line in re.findall(r"pip install (.*)", path.read_text()):
                self.assertRegex(line, r"^--require-hashes -r infra/requirements/\w+\.txt", path.name)

    def test_a_lock_has_version_and_hash_of_every_package(self):
        sources = {path.stem for path in LOCKS.glob("*.in")}
        self.assertEqual({path.stem for path in LOCKS.glob("*.txt")}, sources)
        for name in sources:
            locked = pinned(f"{name}.txt")
            self.assertGreater(len(locked), 0)
            for line in locked:
                # No option, and no URL of an index or a file.
                package = r"^[a-z0-9.-]+(\[[a-z0-9, -]+\])?==[^\s;]+( ; [^@]+?)?"
                self.assertRegex(line, package + r"( +--hash=sha256:[0-9a-f]{64})+$", name)
            self.assertNotIn("://", (LOCKS / f"{name}.txt").read_text(), name)

    def test_a_lock_is_of_its_source(self):
        def versions(name):
            return {re.sub(r"\[.*?\]", "", line).split()[0] for line in pinned(name)}

        for path in LOCKS.glob("*.in"):
            lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
            locked = versions(f"{path.stem}.txt")
            for line in lines:
                if line.startswith("-r "):
                    self.assertTrue((LOCKS / line.split()[1]).is_file(), line)
                    included = versions(line.split()[1].replace(".in", ".txt"))
                    self.assertLessEqual(included, locked, f"{path.name} and {line}: run infra/requirements/lock")
                else:
                    self.assertRegex(line, r"^[a-z0-9-]+(\[\w+\])?==", path.name)
                    self.assertIn(re.sub(r"\[.*?\]", "", line), locked, f"{path.name}: run infra/requirements/lock")

    def test_npm_packages_come_from_the_lock_and_run_no_scripts(self):
        count = 0
        for place, line in commands(r"\b(npm|npx|pnpm|yarn)\b(?!\*)"):
            if re.search(r"\b(npm (ci|i|install|add|exec|x)|npx|pnpm|yarn)\b", line) and "debian" not in line:
                self.assertRegex(line, r"npm ci --ignore-scripts\b", place)
                count += 1
        self.assertGreater(count, 0)
        # `.ci/run` installs these two.
        for folder in ("infra/npm", "tests/supabase"):
            self.assertTrue((ROOT / folder / "package-lock.json").is_file())
            self.assertIn("ignore-scripts=true", (ROOT / folder / ".npmrc").read_text())
            self.assertRegex((ROOT / ".ci/run").read_text(), rf"\b{folder}\b")
        manifests = [path for path in ROOT.rglob("package.json") if not {"node_modules", "target"} & set(path.parts)]
        self.assertGreater(len(manifests), 0)
        for manifest in manifests:
            wanted = json.loads(manifest.read_text())
            lock = json.loads((manifest.parent / "package-lock.json").read_text())
            packages = lock["packages"]
            for kind in ("dependencies", "devDependencies", "optionalDependencies"):
                self.assertEqual(packages[""].get(kind, {}), wanted.get(kind, {}), manifest)
                for name, version in wanted.get(kind, {}).items():
                    package = packages[f"node_modules/{name}"]
                    # A package by another name, so that two of its versions can be installed.
                    if version.startswith("npm:"):
                        named, version = version.removeprefix("npm:").rsplit("@", 1)
                        self.assertEqual(package["name"], named)
                        self.assertIn(f"/{named}/-/", package["resolved"])
                    self.assertRegex(version, r"^\d+\.\d+\.\d+", name)
                    self.assertEqual(package["version"], version)
            for name, package in packages.items():
                if name:
                    self.assertTrue(package["resolved"].startswith("https://registry.npmjs.org/"), package["resolved"])
                    self.assertRegex(package["integrity"], r"^sha512-", name)

    def test_crates_are_installed_by_their_version_and_lock(self):
        for place, line in commands(r"\bcargo install\b"):
            self.assertIn("--locked", line, place)
            self.assertRegex(line, r"cargo-?\w*@(\$version|\d)", place)

    def test_updates_are_asked_for_all_of_them(self):
        asked = set()
        for update in yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]:
            self.assertTrue(update["groups"] and update["cooldown"]["default-days"] >= 7, update)
            folders = update.get("directories", [update.get("directory")])
            asked |= {(update["package-ecosystem"], folder) for folder in folders}
        there = {("github-actions", "/"), ("uv", "/infra/requirements")}
        kinds = {"Cargo.lock": "cargo", "package-lock.json": "npm"}
        for name, kind in kinds.items():
            for path in ROOT.rglob(name):
                parts = path.relative_to(ROOT).parts[:-1]
                if not {"target", "node_modules", ".aws-sam"} & set(parts):
                    there.add((kind, "/" + "/".join(parts)))
        self.assertEqual(asked, there)


if __name__ == "__main__":
    sys.exit(unittest.main())
