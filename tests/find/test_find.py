"""Text, scratches, dust and watermarks that the tests lay over real photos."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import binary_dilation

from regionwise.cli import main
from regionwise.errors import MaskError
from regionwise.find.kinds import FINDERS, find
from regionwise.photos.masks import read_mask
from regionwise.photos.reading import read_photo

EXAMPLES = Path(__file__).parents[2] / "examples"


def example(name):
    return read_photo(EXAMPLES / "photos" / name).color


def true_mask(name):
    return read_mask(EXAMPLES / "masks" / name, size=None)


def recall(found, wanted):
    return (found & wanted).sum() / wanted.sum()


def precision(found, wanted):
    """Of what was found; a rim of some pixels round what was laid on is no mistake."""
    return (found & binary_dilation(wanted, iterations=4)).sum() / max(1, found.sum())


def write(color, words, size, fill, place=(40, 60), strength=1.0):
    """The photo with words on it, and where they are."""
    mask = Image.new("L", color.shape[1::-1])
    ImageDraw.Draw(mask).text(place, words, font=ImageFont.load_default(size), fill=255)
    share = np.asarray(mask)[..., None] / 255 * strength
    return (color * (1 - share) + np.array(fill) * share).astype(np.uint8), np.asarray(mask) > 127


@pytest.mark.parametrize(
    ("photo", "size", "fill"),
    [
        ("rocket.jpg", 22, (255, 255, 255)),
        ("rocket.jpg", 30, (10, 10, 10)),
        ("astronaut.jpg", 22, (255, 255, 255)),
        ("chelsea.png", 30, (10, 10, 10)),
    ],
)
def test_text(photo, size, fill):
    color, wanted = write(example(photo), "Holiday 2024, the sea", size, fill)
    before = find("text", example(photo)).mean()
    found = find("text", color)
    assert recall(found, wanted) > 0.6
    assert before < 0.05


def test_text_of_a_flat_ground_is_found_whole_and_alone():
    for polarity in (20, 235):
        color = np.full((200, 400, 3), 255 - polarity, np.uint8)
        color, wanted = write(color, "Words on a wall", 28, (polarity,) * 3)
        found = find("text", color)
        assert recall(found, wanted) > 0.75
        assert precision(found, wanted) > 0.95


def test_scratches_of_the_example():
    found, wanted = find("scratches", example("chelsea.png")), true_mask("chelsea.png")
    assert recall(found, wanted) > 0.9
    assert precision(found, wanted) > 0.5


def test_dust():
    rng = np.random.default_rng(0)
    color = np.array(example("chelsea.png"))
    y, x = np.mgrid[: color.shape[0], : color.shape[1]]
    wanted = np.zeros(color.shape[:2], bool)
    for _ in range(40):
        row, column = (rng.integers(6, side - 6) for side in wanted.shape)
        spot = (y - row) ** 2 + (x - column) ** 2 <= rng.uniform(0.8, 1.6) ** 2
        wanted |= spot
        color[spot] = rng.choice([240, 15])
    found = find("dust", color)
    assert recall(found, wanted) > 0.6
    assert precision(found, wanted) > 0.6


def test_a_watermark_that_photos_share():
    names = ("rocket.jpg", "chelsea.png", "coffee.png", "astronaut.jpg")
    photos = [example(name)[:280, :440] for name in names]
    photos += [
        example(name)[-280:, -440:] for name in ("rocket.jpg", "coffee.png", "astronaut.jpg")
    ]
    marked = [write(one, "SAMPLE", 60, (255, 255, 255), (90, 110), 0.35) for one in photos]
    wanted = marked[0][1]
    found = find("watermark", marked[0][0], [color for color, _ in marked[1:]])
    assert recall(found, wanted) > 0.7
    assert precision(found, wanted) > 0.5


def test_a_watermark_of_one_photo():
    found = find("watermark", example("coffee.png"))
    assert recall(found, true_mask("coffee.png")) > 0.6


@pytest.mark.parametrize("kind", FINDERS)
@pytest.mark.parametrize("size", [(1, 1), (3, 50), (40, 7), (64, 64)])
def test_nothing_is_found_in_an_empty_picture_of_any_size(kind, size):
    flat = np.full((*size, 3), 120, np.uint8)
    assert not find(kind, flat).any()
    noise = np.random.default_rng(0).integers(0, 65536, (*size, 3), np.uint16)
    found = find(kind, noise, [noise, noise[::-1]])
    assert found.shape == size
    assert found.dtype == bool


def test_a_large_photo_is_looked_at_smaller():
    color = np.full((1200, 3000, 3), 30, np.uint8)
    color, wanted = write(color, "Words on a wall", 90, (230,) * 3, (200, 300))
    found = find("text", color)
    assert found.shape == wanted.shape
    assert recall(found, wanted) > 0.9


def test_unknown_kinds_are_told():
    with pytest.raises(MaskError, match="text, scratches, dust, watermark"):
        find("cats", example("chelsea.png"))


def test_command(tmp_path, capsys):
    photo, mask = EXAMPLES / "photos" / "chelsea.png", tmp_path / "mask.png"
    assert main(["find", "scratches", str(photo), "-o", str(mask)]) == 0
    assert "look at it" in capsys.readouterr().err
    wanted = find("scratches", example("chelsea.png"))
    assert np.array_equal(read_mask(mask, size=None), wanted)
    assert main(["find", "scratches", str(photo), "-o", str(mask)]) == 2
    assert "exists" in capsys.readouterr().err
    assert (
        main(["find", "scratches", str(photo), "-o", str(mask), "--overwrite", "--grow", "3"]) == 0
    )
    assert read_mask(mask, size=None).sum() > wanted.sum()
    empty = tmp_path / "empty.png"
    Image.new("RGB", (80, 80), (9, 9, 9)).save(empty)
    assert main(["find", "text", str(empty)]) == 2
    assert "no text was found" in capsys.readouterr().err
