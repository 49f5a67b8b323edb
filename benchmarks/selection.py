"""Measure selecting by a click and by a box on photos whose segments people drew.

python benchmarks/selection.py BSDS500/data --split test --first 100 --photos 100

Of the first person's segments the two largest of a photo that cover 1 to 35 % of it and touch one
of its borders at most are asked for: by a click on their innermost pixel, and by their bounding
box. A click may mean what any of the people drew round it, so that the best of these counts; of
two and three clicks at the same place, each of which takes more, the best counts.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy.io
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from regionwise.arrays import Mask, Pixels
from regionwise.photos.reading import read_photo
from regionwise.selection.by_outlines import OutlineSegmenter
from regionwise.selection.prompt import Prompt, Segmenter
from regionwise.selection.random_walk import RandomWalkSegmenter


def main() -> None:
    """Print the mean IoU of each way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="holds images/ and groundTruth/")
    parser.add_argument("--split", default="test")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--photos", type=int, default=25)
    arguments = parser.parse_args()
    photos = sorted((arguments.folder / "images" / arguments.split).glob("*.jpg"))
    scores: dict[str, list[float]] = defaultdict(list)
    segmenter = OutlineSegmenter()
    for photo in photos[arguments.first : arguments.first + arguments.photos]:
        truth = arguments.folder / "groundTruth" / arguments.split / f"{photo.stem}.mat"
        color = read_photo(photo).color
        for point, segment, others in segments(truth):
            for name, score in measured(segmenter, color, point, segment, others):
                scores[name].append(score)
    for name, values in scores.items():
        if values:
            good = np.mean(np.array(values) > 0.7)
            said = f"mean IoU {np.mean(values):.3f}, {good:.0%} above 0.7"
            print(f"{name:15} {len(values)} segments, {said}")


def segments(truth: Path) -> Iterator[tuple[tuple[int, int], Mask, list[Mask]]]:
    """An innermost pixel (x, y), the segment, and what each person drew round that pixel."""
    drawn = [one["Segmentation"][0, 0] for one in scipy.io.loadmat(str(truth))["groundTruth"][0]]
    labels: NDArray[np.integer] = drawn[0]
    found = []
    for label in np.unique(labels):
        segment = labels == label
        sides = (segment[0], segment[-1], segment[:, 0], segment[:, -1])
        if 0.01 < segment.mean() < 0.35 and sum(side.any() for side in sides) <= 1:
            found.append((segment.mean(), segment))
    for _, segment in sorted(found, key=lambda one: -one[0])[:2]:
        depth = distance_transform_edt(np.pad(segment, 1))[1:-1, 1:-1]
        y, x = np.unravel_index(int(depth.argmax()), depth.shape)
        yield (int(x), int(y)), segment, [one == one[y, x] for one in drawn]


def measured(
    segmenter: Segmenter, color: Pixels, point: tuple[int, int], segment: Mask, others: list[Mask]
) -> Iterator[tuple[str, float]]:
    """The name and IoU of each way to select a segment."""
    best = 0.0
    for wider, name in enumerate(("click", "two clicks", "three clicks")):
        clicked = segmenter.select(color, Prompt(inside=(point,), wider=wider))
        best = max(best, *(overlap(clicked, other) for other in others))
        yield name, best
    walked = RandomWalkSegmenter().select(color, Prompt(inside=(point,)))
    yield "click, walker", max(overlap(walked, other) for other in others)
    rows, columns = np.nonzero(segment)
    x, y = int(columns.min()), int(rows.min())
    box = x, y, int(columns.max()) - x + 1, int(rows.max()) - y + 1
    yield "box", overlap(segmenter.select(color, Prompt(box=box)), segment)
    inside = np.zeros_like(segment)
    inside[y : y + box[3], x : x + box[2]] = True
    yield "the box itself", overlap(inside, segment)
    yield "GrabCut", overlap(grab_cut(color, box), segment)


def grab_cut(color: Pixels, box: tuple[int, int, int, int]) -> Mask:
    """OpenCV's, five rounds."""
    import cv2

    mask = np.zeros(color.shape[:2], np.uint8)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    picture = np.ascontiguousarray(color[..., ::-1])
    cv2.grabCut(picture, mask, box, *models, 5, cv2.GC_INIT_WITH_RECT)
    return np.asarray((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD))


def overlap(one: Mask, other: Mask) -> float:
    """Intersection over union."""
    return float((one & other).sum() / max(1, (one | other).sum()))


if __name__ == "__main__":
    main()
