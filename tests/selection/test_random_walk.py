"""A thing by a click or a box, without a network."""

import numpy as np
import pytest

from regionwise.errors import MaskError
from regionwise.selection.prompt import Prompt
from regionwise.selection.random_walk import RandomWalkSegmenter, _lab


def overlap(one, other):
    return (one & other).sum() / (one | other).sum()


def scene(height=240, width=320, deep=False):
    """A disk and a square on a ground of another colour, all with noise."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width]
    disk = (y - 0.4 * height) ** 2 + (x - 0.3 * width) ** 2 < (0.2 * height) ** 2
    square = (abs(y - 0.7 * height) < 0.14 * height) & (abs(x - 0.75 * width) < 0.1 * width)
    color = np.full((height, width, 3), (90, 120, 70.0))
    color[disk] = 200, 60, 50
    color[square] = 60, 70, 190
    color += rng.normal(0, 8, color.shape)
    color = color.clip(0, 255).astype(np.uint8)
    return (color.astype(np.uint16) * 257 if deep else color), disk, square


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("size", [(240, 320), (75, 100), (601, 799)])
def test_a_click_selects_the_thing_under_it(size, deep):
    color, disk, square = scene(*size, deep=deep)
    for thing in (disk, square):
        y, x = (int(np.mean(axis)) for axis in np.nonzero(thing))
        selected = RandomWalkSegmenter().select(color, Prompt(inside=((x, y),)))
        assert selected.dtype == bool
        assert selected.shape == size
        assert overlap(selected, thing) > 0.85


def test_a_box_selects_what_lies_in_it():
    color, disk, _ = scene()
    ys, xs = np.nonzero(disk)
    box = (xs.min() - 9, ys.min() - 9, np.ptp(xs) + 19, np.ptp(ys) + 19)
    box = tuple(map(int, box))
    selected = RandomWalkSegmenter().select(color, Prompt(box=box))
    assert overlap(selected, disk) > 0.9
    x, y, width, height = box
    outside = np.ones_like(disk)
    outside[y - 2 : y + height + 2, x - 2 : x + width + 2] = False
    assert not selected[outside].any()


def test_a_point_beside_it_is_left_out():
    color, disk, square = scene()
    center = tuple(int(np.mean(axis)) for axis in np.nonzero(square)[::-1])
    prompt = Prompt(inside=((96, 96),), outside=(center,))
    selected = RandomWalkSegmenter().select(color, prompt)
    assert not selected[center[1], center[0]]
    assert overlap(selected, disk) > 0.85


@pytest.mark.parametrize("height", [1, 2, 3, 17])
@pytest.mark.parametrize("width", [1, 2, 40])
def test_any_size(height, width):
    color = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    selected = RandomWalkSegmenter().select(color, Prompt(inside=((width - 1, height - 1),)))
    assert selected.shape == (height, width)


def test_is_repeatable():
    color, *_ = scene()
    one, other = (RandomWalkSegmenter().select(color, Prompt(inside=((96, 96),))) for _ in range(2))
    assert np.array_equal(one, other)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({}, "nothing says"),
        ({"inside": ((320, 5),)}, "outside the photo"),
        ({"inside": ((5, 5),), "outside": ((-1, 5),)}, "outside the photo"),
        ({"box": (400, 5, 10, 10)}, "no room"),
        ({"box": (5, 5, 0, 10)}, "no room"),
    ],
)
def test_mistakes_are_told(how, words):
    color, *_ = scene()
    with pytest.raises(MaskError, match=words):
        RandomWalkSegmenter().select(color, Prompt(**how))


def test_lab_is_that_of_scikit_image():
    skimage = pytest.importorskip("skimage.color")
    rgb = np.random.default_rng(2).integers(0, 256, (20, 30, 3), np.uint8)
    assert np.abs(100 * _lab(rgb) - skimage.rgb2lab(rgb)).max() < 0.05
