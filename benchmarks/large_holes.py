"""Thick holes in large photos: the network alone, with detail of the photo, and classical methods.

    python benchmarks/large_holes.py PHOTO... [--pictures FOLDER]

Photos of a longer side beyond 2560 pixels are made smaller, none larger. Each gets one blob, about
a third as thick as the shorter side, whose truth is known. What is printed are means over the
photos, all inside the hole: PSNR, SSIM, L1, the energy of the gradients as a share of the true ones
(pooled, and as the median photo has it), and the seconds of a fill, the model being loaded before.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image

import regionwise
from regionwise.evaluation.metrics.metric import measure

WAYS = {
    "`madf`, window": ("default", "window"),
    "`madf`, detail": ("default", "detail"),
    "membrane": ("membrane", "window"),
    "Telea": ("telea", "window"),
    "`patchmatch`, window": ("patchmatch", "window"),
}
_LONGEST = 2560
_MARGIN = 32


def blob(height: int, width: int, seed: int) -> np.ndarray:
    """H×W bool: a disc of a third of the shorter side, with a wavy border, in the middle."""
    waves = np.random.default_rng(seed).uniform(0, 2 * np.pi, 4)
    y, x = np.ogrid[:height, :width]
    y, x = y - height / 2, x - width / 2
    angle = np.arctan2(y, x)
    radius = 1 + sum(
        0.22 / (number + 2) * np.cos((number + 2) * angle + wave)
        for number, wave in enumerate(waves)
    )
    return np.hypot(y, x) < radius * min(height, width) / 6


def cut_round(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """The part of H×W(×3) with the hole and some pixels round it."""
    rows, columns = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
    return picture[
        max(0, rows[0] - _MARGIN) : rows[-1] + _MARGIN,
        max(0, columns[0] - _MARGIN) : columns[-1] + _MARGIN,
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path, nargs="+")
    parser.add_argument("--pictures", type=Path, help="write each filled photo into this folder")
    options = parser.parse_args()
    engines = {model: regionwise.load_model(model) for model, _ in WAYS.values()}
    rows = defaultdict(list)
    for number, file in enumerate(options.photos):
        photo = Image.open(file).convert("RGB")
        photo.thumbnail((_LONGEST, _LONGEST), Image.Resampling.LANCZOS)
        truth = np.asarray(photo)
        hole = blob(*truth.shape[:2], seed=number)
        for way, (model, large) in WAYS.items():
            started = time.perf_counter()
            filled = regionwise.fill(truth, hole, engines[model], large=large)
            seconds = time.perf_counter() - started
            pictures = (
                cut_round(picture, hole).transpose(2, 0, 1) / np.float32(255)
                for picture in (truth, filled)
            )
            rows[way].append({"seconds": seconds, **measure(*pictures, cut_round(hole, hole))})
            if options.pictures:
                name = f"{file.stem} {model} {large}.png".replace(" ", "-")
                Image.fromarray(filled).save(options.pictures / name, compress_level=1)
    print("| way | PSNR, dB | SSIM | L1, % | texture, pooled | median | s |")
    print("|---|---|---|---|---|---|---|")
    for way, found in rows.items():
        psnr, ssim, error, seconds = (
            np.mean([one[name] for one in found])
            for name in ("psnr_hole", "ssim_hole", "l1_hole", "seconds")
        )
        energy, true_energy = (
            np.array([one[name] for one in found]) for name in ("texture", "texture_truth")
        )
        print(
            f"| {way} | {psnr:.2f} | {ssim:.3f} | {100 * error:.2f} | "
            f"{energy.sum() / true_energy.sum():.2f} | {np.median(energy / true_energy):.2f} | "
            f"{seconds:.1f} |"
        )


if __name__ == "__main__":
    main()
