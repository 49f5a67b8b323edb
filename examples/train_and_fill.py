"""Train the smallest recipe on a folder of photos, and fill a photo with what it learnt.

    python examples/train_and_fill.py PHOTOS PHOTO MASK RESULT    (needs regionwise[train])

It takes a minute or two on a CPU. The network is a toy: it shows the way from photos to a filled
photo, and every larger recipe goes the same way.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import regionwise

RECIPE = Path(__file__).parent.parent / "recipes" / "tiny.yaml"


def train(photos: str, run: Path) -> Path:
    """Train; the weights that were best on the held-back photos."""
    command = [sys.executable, "-m", "regionwise", "train", str(RECIPE), "--photos", photos]
    subprocess.run([*command, "-o", str(run)], check=True)
    best = run / "best.pt"
    return best if best.exists() else run / "last.pt"


def main() -> None:
    photos, photo, mask, result = sys.argv[1:5]
    with tempfile.TemporaryDirectory() as folder:
        weights = train(photos, Path(folder) / "run")
        filled = regionwise.fill(photo, mask, weights)
        filled.save(result)

    before, after = np.asarray(Image.open(photo).convert("RGB")), np.asarray(filled.convert("RGB"))
    hole = np.asarray(Image.open(mask).convert("L")) > 127
    print(f"{hole.mean():.1%} of the photo was filled; ", end="")
    print(f"pixels changed outside: {(before != after).any(axis=2)[~hole].sum()}")


if __name__ == "__main__":
    main()
