"""Sets of masks written out, read back and counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from regionwise.arrays import Mask
from regionwise.errors import DataError, OutputError
from regionwise.evaluation.manifest import Manifest, read_manifest
from regionwise.holes import StoredMasks
from regionwise.output import write_whole

BINS = np.linspace(0, 1, 11)
"""Ends of the bins of hole ratios; each bin is (low, high], and the first has 0 too."""


def write_masks(manifest: Manifest, folder: Path, overwrite: bool = False) -> Iterator[Path]:
    """Draw a manifest's masks into a folder as 1-bit PNG, white = missing, one after the other.

    A manifest of several sets gets a folder for each. The manifest is written last, sealed, as
    manifest.json: where it lies, the masks are all there.

    Raises:
        OutputError: the folder has a manifest already, or can't be written.
        DataError: the masks are not those of the manifest.
    """
    target = folder / "manifest.json"
    if target.exists() and not overwrite:
        raise OutputError(f"{target} exists: choose another folder, or overwrite")
    try:
        for one in manifest.sets:
            place = folder if len(manifest.sets) == 1 else folder / one.name
            place.mkdir(parents=True, exist_ok=True)
            for number, mask in enumerate(one.draw_all()):
                file = place / f"{number:05d}.png"
                Image.fromarray(mask).save(file, optimize=True)
                yield file
        sealed = manifest if all(one.sha256 for one in manifest.sets) else manifest.sealed()
        write_whole(sealed.to_json(), target, overwrite=overwrite)
    except OSError as error:
        raise OutputError(f"{folder}: can't be written ({error})") from error


def read_masks(source: str) -> Iterator[Mask]:
    """The masks of a folder, tar, picture, manifest or protocol.

    Raises:
        DataError: there are none.
    """
    path = Path(source)
    if path.suffix == ".json" or not path.exists():
        for one in read_manifest(source).sets:
            yield from one.draw_all()
        return
    stored = StoredMasks([path], augment=False)
    for number in range(len(stored)):
        yield stored.read(number)


@dataclass(frozen=True)
class MaskStatistics:
    """What a set of masks is like.

    `ratios`: n shares of missing pixels; `at_border`: how many touch the border; `sizes`: the sizes
    there are, height and width.
    """

    ratios: NDArray[np.float64]
    at_border: int
    sizes: frozenset[tuple[int, int]]

    @property
    def histogram(self) -> NDArray[np.int64]:
        """Masks in each of the ten bins of `BINS`."""
        bins = np.clip(np.ceil(self.ratios * 10 - 1e-9).astype(int) - 1, 0, 9)
        return np.bincount(bins, minlength=10)


def count_masks(masks: Iterable[Mask]) -> MaskStatistics:
    """Take the statistics of masks, one at a time.

    Raises:
        DataError: if there is no mask.
    """
    ratios, at_border, sizes = [], 0, set()
    for mask in masks:
        ratios.append(float(mask.mean()))
        edges = (mask[0], mask[-1], mask[:, 0], mask[:, -1])
        at_border += any(edge.any() for edge in edges)
        sizes.add((mask.shape[0], mask.shape[1]))
    if not ratios:
        raise DataError("no masks to count")
    return MaskStatistics(np.array(ratios), at_border, frozenset(sizes))


def draw_histogram(statistics: MaskStatistics) -> Image.Image:
    """The histogram of hole ratios as a picture of 640×360."""
    picture = Image.new("RGB", (640, 360), "white")
    draw = ImageDraw.Draw(picture)
    counts = statistics.histogram
    for number, count in enumerate(counts.tolist()):
        left, height = 40 + 58 * number, round(270 * count / max(counts.max(), 1))
        draw.rectangle((left, 310 - height, left + 46, 310), fill="#4878a8")
        draw.text((left + 23, 304 - height), str(count), "black", anchor="mb", font_size=13)
        label = f"{10 * number}-{10 * number + 10} %"
        draw.text((left + 23, 316), label, "black", anchor="mt", font_size=12)
    title = f"hole ratio of {len(statistics.ratios)} masks, mean {statistics.ratios.mean():.1%}"
    draw.text((320, 340), title, "black", anchor="mt", font_size=14)
    return picture
