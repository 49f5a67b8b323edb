"""What whole commands take, from their start to their end, beside what they can't do without.

    python benchmarks/commands.py        # measure, write benchmarks/commands.json

Times are the processor's, medians of several runs. A fill of a small photo stands beside its
network's convolutions, one of a large photo beside Pillow's decoding and encoding of the same file.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from cold_fill import photo_and_mask, seconds_in_convolutions
from large_photo import BARE, save_photo
from measure import Run, run_often
from PIL import Image

from regionwise.weights.bundled import weights_file

RESULTS = Path(__file__).with_name("commands.json")


def row(command: Run, beside: str = "", seconds: float = 0) -> dict[str, Any]:
    """One row of the file, in seconds and MB."""
    found = {"processor": round(command.processor, 3), "peak_mb": round(command.peak)}
    ratio = round(command.processor / seconds, 2) if seconds else None
    return found | {"beside": beside, "beside_seconds": round(seconds, 3), "ratio": ratio}


def fill(photo: Path, hole: list[str], times: int) -> Run:
    """`regionwise fill`."""
    output = str(photo.with_name(f"filled{photo.suffix}"))
    return run_often(
        ["-m", "regionwise", "fill", str(photo), *hole, "-o", output, "--overwrite"], times
    )


def measured(folder: Path, times: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """All rows, by their names."""
    for command in (["--help"], ["fill", "--help"]):
        yield " ".join(["regionwise", *command]), row(run_often(["-m", "regionwise", *command], 9))
    photo, mask = folder / "photo.png", folder / "mask.png"
    for array, file in zip(photo_and_mask(), (photo, mask), strict=True):
        Image.fromarray(array).save(file)
    _, convolutions = seconds_in_convolutions(weights_file("default"))
    for name, hole in (
        ("fill 512×512 PNG, a hole of 20 %", [str(mask)]),
        ("the same, a hole of 20×20", ["--box", "200,200,20,20"]),
    ):
        yield name, row(fill(photo, hole, times), "its convolutions", convolutions)
    for suffix in ("jpg", "png"):
        large = folder / f"large.{suffix}"
        # In a process of its own: a child's peak memory counts from what its parent held.
        maker = get_context("spawn").Process(target=save_photo, args=(large,))
        maker.start()
        maker.join()
        plain = run_often(["-c", BARE, str(large), str(folder / f"plain.{suffix}")], times)
        ours = fill(large, ["--box", "3000,2000,100,100"], times)
        name = f"fill 24 megapixels, {suffix.upper()}, a hole of 100×100"
        yield name, row(ours, "decoding and encoding", plain.processor)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=7)
    options = parser.parse_args()
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, found in measured(Path(folder), options.times):
            print(name, json.dumps(found), flush=True)
            rows[name] = found
            text = json.dumps(rows, indent=2, ensure_ascii=False)
            RESULTS.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
