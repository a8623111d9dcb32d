"""Runs the black-box tests on the third-party engines and compares the results with the expected ones."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from engine import Engine

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

# If fewer tests pass, the cause is not a single test.
AT_LEAST = 220

RESULT = re.compile(r"^test (\S+) \.\.\. (ok|FAILED|ignored)")


def differences():
    """The tests that fail because moto differs, each with the reason."""
    lines = (HERE / "differences.txt").read_text().splitlines()
    return dict(line.split("  ", 1) for line in lines if line and not line.startswith("#"))


def test_binary():
    """Builds the black-box tests, with the whole workspace so that its dependencies are built once, and finds them."""
    command = ["cargo", "test", "--workspace", "--locked", "--test", "it", "--no-run", "--message-format", "json"]
    built = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    messages = [json.loads(line) for line in built.splitlines() if line.startswith("{")]
    (binary,) = [
        one["executable"]
        for one in messages
        if one.get("executable") and Path(one["manifest_path"]) == ROOT / "tests" / "Cargo.toml"
    ]
    return binary


def run_tests(binary, url, not_here, arguments):
    """Runs the tests; returns the result of each."""
    environment = os.environ | {"HANDSET_ENGINE": url, "HANDSET_NOT_HERE": str(not_here), "CARGO": shutil.which("cargo")}
    results = {}
    command = [binary, *arguments]
    with subprocess.Popen(command, cwd=ROOT / "tests", env=environment, stdout=subprocess.PIPE, text=True) as tests:
        for line in tests.stdout:
            if match := RESULT.match(line):
                results[match[1]] = match[2]
            else:
                print(line, end="")
    return results


def judge(results, not_here, known):
    """Prints the results; returns whether all are as expected."""
    failed = {name for name, result in results.items() if result == "FAILED"}
    ours_only = failed & not_here.keys()
    passed = {name for name, result in results.items() if result == "ok"}
    different = (failed - ours_only) & known.keys()
    broken = sorted(failed - ours_only - different)
    agrees = sorted(known.keys() & passed)
    print(f"\n{len(passed)} tests hold on the second engine too.")
    print(f"{len(ours_only)} ask for what only our own engines have:")
    reasons = list(not_here.values())
    for reason in sorted(set(reasons)):
        print(f"  {reasons.count(reason):4} {reason}")
    print(f"{len(different)} differ by what moto does (differences.txt).")
    for name in agrees:
        print(f"listed as different, and holds: {name}")
    for name in broken:
        print(f"FAILED: {name}")
    return not broken and not agrees, len(passed)


def main():
    arguments = sys.argv[1:]
    # A signal that ends this process also ends the emulators.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    binaries = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
    binary = test_binary()
    logs = Path(tempfile.mkdtemp(prefix="handset-parity-"))
    engine = Engine(binaries, logs)
    list_of_others = logs / "not-here.txt"
    list_of_others.touch()
    try:
        results = run_tests(binary, engine.serve(), list_of_others, arguments)
    finally:
        engine.stop()
    not_here = dict(line.split("\t", 1) for line in list_of_others.read_text().splitlines())
    well, passed = judge(results, not_here, {} if arguments else differences())
    print(f"The functions' logs are in {logs}.")
    return 0 if well and (arguments or passed >= AT_LEAST) else 1


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # Does not wait for threads that are still waiting for moto.
    os._exit(code)
