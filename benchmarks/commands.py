"""What whole commands take, from their start to their end, beside what they can't do without.

    python benchmarks/commands.py        # measure, write benchmarks/commands.json

Times are the processor's, medians of several runs. A fill of a small photo stands beside its
network's convolutions, one of a large photo beside Pillow's decoding and encoding of the same file.
"""

from __future__ import annotations

import json
import tempfile
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


def fill(photo: Path, *hole: str) -> Run:
    """`regionwise fill`."""
    output = str(photo.with_name(f"filled{photo.suffix}"))
    return run_often(["-m", "regionwise", "fill", str(photo), *hole, "-o", output, "--overwrite"])


def measured(folder: Path) -> dict[str, Any]:
    """All rows."""
    photo, mask = folder / "photo.png", folder / "mask.png"
    for array, file in zip(photo_and_mask(), (photo, mask), strict=True):
        Image.fromarray(array).save(file)
    _, convolutions = seconds_in_convolutions(weights_file("default"))
    rows = {
        "regionwise --help": row(run_often(["-m", "regionwise", "--help"])),
        "regionwise fill --help": row(run_often(["-m", "regionwise", "fill", "--help"])),
        "fill 512×512 PNG, hole of 20 %": row(
            fill(photo, str(mask)), "its convolutions", convolutions
        ),
        "the same, a hole of 20×20": row(
            fill(photo, "--box", "200,200,20,20"), "its convolutions", convolutions
        ),
    }
    for suffix in ("jpg", "png"):
        large = folder / f"large.{suffix}"
        # In a process of its own: a child's peak memory counts from what its parent held.
        maker = get_context("spawn").Process(target=save_photo, args=(large,))
        maker.start()
        maker.join()
        plain = run_often(["-c", BARE, str(large), str(folder / f"plain.{suffix}")])
        rows[f"fill 24 megapixels, {suffix.upper()}, a hole of 100×100"] = row(
            fill(large, "--box", "3000,2000,100,100"), "decoding and encoding", plain.processor
        )
    return rows


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        text = json.dumps(measured(Path(folder)), indent=2, ensure_ascii=False)
    print(text)
    RESULTS.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
