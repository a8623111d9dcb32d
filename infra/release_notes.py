"""Prints what CHANGELOG.md says of a version: `python infra/release_notes.py 1.2.3`.

Fails when it says nothing, or when Cargo.toml has another version, so that a tag without either makes no release.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def notes(version, changelog, manifest):
    """The section of the version in the changelog; ValueError if there is none."""
    declared = re.search(r'^\[workspace\.package\]\n(?:.*\n)*?version = "(.*)"', manifest, re.MULTILINE)
    if declared is None or declared[1] != version:
        raise ValueError(f"Cargo.toml says {declared and declared[1]}, not {version}")
    sections = re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]
    for section in sections:
        title, _, text = section.partition("\n")
        # `## 1.2.3`, or followed by a date: `## 1.2.3, 2026-11-21`.
        if re.fullmatch(rf"{re.escape(version)}(,? \(?\d{{4}}-\d\d-\d\d\)?)?", title.strip()):
            if text.strip():
                return text.strip()
            raise ValueError(f"CHANGELOG.md says nothing of {version}")
    raise ValueError(f"CHANGELOG.md has no section of {version}")


def main():
    version = sys.argv[1]
    try:
        print(notes(version, (ROOT / "CHANGELOG.md").read_text(), (ROOT / "Cargo.toml").read_text()))
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
