"""Hold CITATION.cff against the format's own schema.

    python .ci/check_citation.py CITATION.cff

The schema comes with the package cffconvert, whose program no longer installs with Python 3.11 (an
old ruamel.yaml). It is read from the package without running any of its code.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import files
from pathlib import Path

import jsonschema
import yaml


def main() -> None:
    """Tell each fault and end with 1, or be silent."""
    citation = yaml.load(Path(sys.argv[1]).read_text(), Loader=yaml.BaseLoader)  # dates stay text
    version = citation["cff-version"]
    schema = next(
        file for file in files("cffconvert") or [] if file.match(f"schemas/{version}/schema.json")
    )
    validator = jsonschema.Draft7Validator(json.loads(schema.read_text()))
    faults = [
        f"{sys.argv[1]}: {fault.json_path}: {fault.message}"
        for fault in validator.iter_errors(citation)
    ]
    sys.exit("\n".join(faults) or 0)


if __name__ == "__main__":
    main()
