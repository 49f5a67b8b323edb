"""A 24-megapixel photo with one hole of 100 pixels, against decoding and encoding it alone.

    python benchmarks/large_photo.py [MODEL]

Both are whole processes, Python's start included; seconds are the processor's. The bare one decodes
the photo's pixels and encodes them again with Pillow, at the same quality, and writes them; for
JPEG that is the fastest there is.
"""

from __future__ import annotations

import sys
import tempfile
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from measure import run_often
from PIL import Image

HEIGHT, WIDTH = 4000, 6000

BARE = """
import sys
from PIL import Image
image = Image.open(sys.argv[1])
options = {"quality": "keep"} if image.format == "JPEG" else {}
image.save(sys.argv[2], **options)
"""


def save_photo(file: Path) -> None:
    """A picture with structure at all scales, about as hard to compress as a real photo."""
    noise = np.random.default_rng(0)
    layers = [
        np.asarray(
            Image.fromarray(noise.integers(0, 256, (rows, rows * 3 // 2, 3), np.uint8)).resize(
                (WIDTH, HEIGHT), Image.Resampling.BICUBIC
            ),
            np.float32,
        )
        * share
        for rows, share in ((4, 0.4), (40, 0.3), (400, 0.15), (2000, 0.05), (4000, 0.1))
    ]
    Image.fromarray(sum(layers).astype(np.uint8)).save(file, quality=90)


def main() -> None:
    model = sys.argv[1] if len(sys.argv) > 1 else "default"
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("jpg", "png"):
            photo, filled, bare = (
                Path(folder, f"{name}.{suffix}") for name in ("photo", "filled", "bare")
            )
            # In a process of its own: a child's peak memory counts from what its parent held.
            maker = get_context("spawn").Process(target=save_photo, args=(photo,))
            maker.start()
            maker.join()
            fill = ["-m", "regionwise", "fill", str(photo), "--box", "3000,2000,100,100"]
            fill += ["-o", str(filled), "--overwrite", "--model", model]
            ours = run_often(fill, times=3)
            plain = run_often(["-c", BARE, str(photo), str(bare)], times=3)
            print(
                f"{suffix}   fill {ours.processor:5.2f} s, {ours.peak:4.0f} MB   "
                f"decode and encode {plain.processor:5.2f} s, {plain.peak:4.0f} MB   "
                f"{ours.processor / plain.processor:.2f} ×   "
                f"by the clock {ours.seconds / plain.seconds:.2f} ×",
                flush=True,
            )


if __name__ == "__main__":
    main()
