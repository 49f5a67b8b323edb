"""Draw every mask of every protocol anew, and hold each against its checksum.

    python benchmarks/redraw_protocols.py

What docs/benchmark.md says of machines and versions was checked with it.
"""

from __future__ import annotations

import platform
import sys
from importlib.metadata import version

from regionwise.errors import DataError
from regionwise.evaluation.manifest import protocol_names, read_manifest


def main() -> None:
    wrong = drawn = 0
    for name in protocol_names():
        for masks in read_manifest(name).sets:
            for number in range(masks.count):
                try:
                    masks.draw(number)
                except DataError as error:
                    print(f"{name}: {error}")
                    wrong += 1
                drawn += 1
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "Pillow"))
    where = f"Python {platform.python_version()} on {platform.machine()}"
    print(f"{drawn} masks drawn, {wrong} unlike their checksums; {where}, {libraries}")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
