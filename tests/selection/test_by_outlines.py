"""A thing by a click, by the bundled network and the tree of segments."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from tests.selection.test_random_walk import overlap, scene

from regionwise.errors import MaskError
from regionwise.selection.by_outlines import OutlineSegmenter
from regionwise.selection.outlines import SIDE, see
from regionwise.selection.prompt import Prompt


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("size", [(240, 320), (75, 100), (601, 799)])
def test_a_click_selects_the_thing_under_it(size, deep):
    color, disk, square = scene(*size, deep=deep)
    segmenter = OutlineSegmenter()
    for thing in (disk, square):
        y, x = (int(np.mean(axis)) for axis in np.nonzero(thing))
        selected = segmenter.select(color, Prompt(inside=((x, y),)))
        assert selected.dtype == bool
        assert selected.shape == size
        assert overlap(selected, thing) > 0.85


def test_a_small_thing_in_a_large_photo_has_a_fine_outline():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:1500, :2000]
    disk = (y - 700) ** 2 + (x - 900) ** 2 < 120**2
    color = np.where(disk[..., None], (200, 60, 50), (90, 120, 70)) + rng.normal(
        0, 8, (1500, 2000, 3)
    )
    color = color.clip(0, 255).astype(np.uint8)
    selected = OutlineSegmenter().select(color, Prompt(inside=((900, 700),)))
    assert overlap(selected, disk) > 0.95  # a pixel of the first look is worth 6 of the photo's


def test_wider_takes_more_and_comes_round():
    color, *_ = scene()
    segmenter = OutlineSegmenter()
    areas = []
    for wider in range(12):
        selected = segmenter.select(color, Prompt(inside=((96, 96),), wider=wider))
        assert selected[96, 96]
        areas.append(int(selected.sum()))
    again = areas.index(areas[0], 1) if areas[0] in areas[1:] else len(areas)
    steps = areas[:again]
    assert all(other > one for one, other in pairwise(steps))


def test_a_point_beside_it_is_left_out():
    color, _, square = scene()
    center = tuple(int(np.mean(axis)) for axis in np.nonzero(square)[::-1])
    for wider in (0, 1, 2):
        prompt = Prompt(inside=((96, 96),), outside=(center,), wider=wider)
        selected = OutlineSegmenter().select(color, prompt)
        assert not selected[center[1], center[0]]


def test_a_hole_that_is_said_to_be_beside_stays_a_hole():
    color, disk, _ = scene()
    color[80:112, 80:112] = 40, 200, 220
    prompt = Prompt(inside=((60, 96), (130, 96)), outside=((96, 96),))
    selected = OutlineSegmenter().select(color, prompt)
    assert not selected[90:102, 90:102].any()
    assert overlap(selected, disk) > 0.6


def test_a_box_selects_what_lies_in_it():
    color, disk, _ = scene()
    ys, xs = np.nonzero(disk)
    box = tuple(map(int, (xs.min() - 9, ys.min() - 9, np.ptp(xs) + 19, np.ptp(ys) + 19)))
    assert overlap(OutlineSegmenter().select(color, Prompt(box=box)), disk) > 0.9


@pytest.mark.parametrize("height", [1, 2, 17])
@pytest.mark.parametrize("width", [1, 3, 400])
def test_any_size(height, width):
    color = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    selected = OutlineSegmenter().select(color, Prompt(inside=((width - 1, height - 1),)))
    assert selected.shape == (height, width)
    assert selected[height - 1, width - 1]


@pytest.mark.parametrize("size", [(1, 1), (33, 47), (400, 900), (900, 400)])
def test_what_is_seen_has_the_photo_s_shape(size):
    outlines = see(np.zeros((*size, 3), np.uint8))
    assert max(outlines.border.shape) <= SIDE
    assert outlines.vector.shape[:2] == outlines.border.shape
    wanted = [round(side * outlines.scale) for side in size]
    assert list(outlines.border.shape) == wanted
    assert 0 <= outlines.border.min() <= outlines.border.max() <= 1


def test_a_photo_is_looked_at_once(monkeypatch):
    import regionwise.selection.by_outlines as module

    asked = []

    def counted(border, vector):
        asked.append(1)
        return real(border, vector)

    real = module.segment_tree
    monkeypatch.setattr(module, "segment_tree", counted)
    segmenter = OutlineSegmenter()
    color, *_ = scene()
    for picture in (color, color.copy(), 255 - color):
        segmenter.select(picture, Prompt(inside=((96, 96),)))
    assert len(asked) == 2


def test_mistakes_are_told():
    color, *_ = scene()
    with pytest.raises(MaskError, match="outside the photo"):
        OutlineSegmenter().select(color, Prompt(inside=((320, 5),)))


def test_nothing_is_loaded_before_the_first_click():
    code = (
        "import sys; from regionwise.selection.by_outlines import OutlineSegmenter; "
        "OutlineSegmenter(); print('onnxruntime' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "False"
