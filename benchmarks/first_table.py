"""The second table of docs/benchmark.md: the default model beside the classical methods.

    python benchmarks/first_table.py             (needs the extras train and classical)
    python benchmarks/first_table.py --check     compares with the table in the docs

The photos are those that scikit-image carries in its package, so that anyone has the same: they are
written out as PNG, and held against checksums of their pixels. It takes some minutes.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs" / "benchmark.md"
MARKS = "<!-- table of first_table.py -->", "<!-- end of table -->"
MODELS = "default,membrane,telea,navier-stokes,biharmonic"

PHOTOS = {
    "astronaut": "a8c429c18afa7b0fd5673e598d73a212",
    "brick": "3501e216fb0968c378803347d3a13e3c",
    "camera": "13e2b4aa92cb1649b4aac5a4d48b38a8",
    "chelsea": "416b729128bfb2c3d1eb69bf9b1734a7",
    "coffee": "0ce2b51640b9c95f19617f03eabf40c3",
    "coins": "aaecc2ad43bd43e204f7ad01dc604945",
    "grass": "c7ca5c984d6b5a2787506e70a42bcac2",
    "gravel": "e73bd88250cbfd7f96f232357ecad0d2",
    "hubble_deep_field": "9a3ea9548188f81e63435188456e74de",
    "moon": "a641c47851a3252efa5514c25bb95305",
    "retina": "3670e389d0dae9f755cc1bb7e4da4c3d",
    "rocket": "3d4435cc745752b7f9724df88c6e1881",
}
"""The photographs in the package, and the first half of the SHA-256 of their RGB pixels.

Left out are drawings, scans of text, stereo pairs and what is seen through a microscope.
"""

SHOWN = ("PSNR (dB)", "SSIM (window 11, Gaussian)", "L1 in the hole", "Texture")
"""Metrics of the docs' table, by the beginnings of their titles."""


def write_photos(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, checksum in PHOTOS.items():
        photo = Image.fromarray(getattr(data, name)()).convert("RGB")
        found = hashlib.sha256(np.asarray(photo).tobytes()).hexdigest()[:32]
        if found != checksum:
            sys.exit(f"{name}: scikit-image carries another picture ({found}, not {checksum})")
        photo.save(folder / f"{name}.png")


def short_table(markdown: str) -> str:
    """The rows of the shown metrics, of the table and of the differences below it."""
    lines, shown = [], True
    for line in markdown.splitlines():
        title = line.strip("|").split("|")[0].strip() if line.startswith("|") else "-"
        if title:
            # Heads of tables, and what is no row of one, stay.
            shown = line.startswith(("| | hole", "|---")) or title == "-" or title.startswith(SHOWN)
        if shown:
            lines.append(line)
    return "\n".join(lines).strip()


def same(table: str, other: str) -> bool:
    """Whether they agree but for one in the last digit: another machine may round another way."""
    number = r"[-+]?\d+\.(\d+)"
    table, other = table.replace("*", ""), other.replace("*", "")
    if re.sub(number, "#", table) != re.sub(number, "#", other):
        return False
    pairs = zip(re.finditer(number, table), re.finditer(number, other), strict=True)
    return all(abs(float(a[0]) - float(b[0])) < 1.5 * 10 ** -len(a[1]) for a, b in pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "out" / "first_table")
    parser.add_argument("--check", action="store_true", help="compare with the docs")
    options = parser.parse_args()
    write_photos(options.output / "photos")
    command = [sys.executable, "-m", "regionwise", "evaluate", "--models", MODELS]
    command += ["--photos", str(options.output / "photos"), "--protocol", "card"]
    subprocess.run([*command, "-o", str(options.output / "results")], check=True)
    table = short_table((options.output / "results" / "table.md").read_text())
    print(table)
    if options.check:
        written = re.search(f"{MARKS[0]}\n(.*?)\n{MARKS[1]}", DOCS.read_text(), re.DOTALL)
        if written is None or not same(table, written[1].strip()):
            sys.exit(f"{DOCS} has another table")
        print(f"the same as in {DOCS}")


if __name__ == "__main__":
    main()
