"""Masks as people's tools make them: each is read as it is meant, and a guess is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageOps
from tests.support.photo_files import exif_of, saved, smooth
from tests.support.pictures import open_picture

import regionwise
from regionwise.cli import main
from regionwise.errors import MaskError, RegionwiseWarning
from regionwise.filling.hole import find_hole
from regionwise.filling.options import FillOptions
from regionwise.photos.masks import FoundMask, find_mask, shrink
from regionwise.photos.reading import read_photo

SIZE = (96, 128)
RED, YELLOW, BLUE = (255, 0, 0), (255, 255, 0), (0, 0, 200)


def photo_pixels() -> np.ndarray:
    """A photo with a bright, even sky above and something rough below."""
    pixels = smooth(*SIZE, seed=3)
    pixels[:30] = (250, 250, 250)
    return pixels


def strokes() -> np.ndarray:
    image = Image.new("L", SIZE[::-1])
    draw = ImageDraw.Draw(image)
    draw.line([(20, 20), (60, 50), (90, 80)], fill=255, width=8)
    draw.ellipse([90, 20, 115, 45], fill=255)
    return np.asarray(image) > 0


HOLE = strokes()


def on(ground: tuple[int, int, int], paint: tuple[int, int, int]) -> Image.Image:
    return Image.fromarray(np.where(HOLE[..., None], paint, ground).astype(np.uint8))


def on_nothing(paint: tuple[int, int, int]) -> Image.Image:
    return Image.fromarray(np.dstack([np.full((*SIZE, 3), paint, np.uint8), HOLE * np.uint8(255)]))


def painted(paint: tuple[int, int, int], share: float = 1.0) -> Image.Image:
    copy = photo_pixels().astype(float)
    copy[HOLE] = copy[HOLE] * (1 - share) + np.array(paint) * share
    return Image.fromarray(copy.round().astype(np.uint8))


def erased(pixels: np.ndarray, colour_stays: bool = True) -> Image.Image:
    rgba = np.dstack([pixels, ~HOLE * np.uint8(255)])
    if not colour_stays:
        rgba[HOLE] = 0
    return Image.fromarray(rgba)


def palette(colors: list[int]) -> Image.Image:
    image = Image.fromarray(HOLE.astype(np.uint8))
    image = Image.frombytes("P", image.size, image.tobytes())
    image.putpalette(colors + [0] * (768 - len(colors)))
    return image


def read(mask: Any, **how: Any) -> FoundMask:
    return find_mask(mask, read_photo(photo_pixels()), **how)


def png(image: Image.Image) -> bytes:
    return saved(image, "PNG")


EXACT = {
    "white on black": (on((0, 0, 0), (255, 255, 255)), "luminance", False),
    "0 and 1": (Image.fromarray(HOLE.astype(np.uint8)), "values", True),
    "0 and 1 in 16 bits": (Image.fromarray(HOLE.astype(np.uint16)), "values", True),
    "0 and 100": (Image.fromarray(HOLE * np.uint8(100)), "values", True),
    "200 and 255": (Image.fromarray(HOLE * np.uint8(55) + np.uint8(200)), "values", True),
    "palette of VOC": (palette([0, 0, 0, 128, 0, 0]), "strokes", True),
    "palette of one colour": (palette([0, 0, 0, 0, 0, 0]), "values", True),
    "palette of black and white": (palette([0, 0, 0, 255, 255, 255]), "luminance", False),
    "red on black": (on((0, 0, 0), RED), "strokes", True),
    "blue on black": (on((0, 0, 0), BLUE), "strokes", True),
    "red on white": (on((255, 255, 255), RED), "strokes", True),
    "yellow on white": (on((255, 255, 255), YELLOW), "strokes", True),
    "yellow on black": (on((0, 0, 0), YELLOW), "luminance", False),
    "white on nothing": (on_nothing((255, 255, 255)), "luminance", False),
    "black on nothing": (on_nothing((0, 0, 0)), "alpha", True),
    "red on nothing": (on_nothing(RED), "alpha", True),
    "copy with white paint": (painted((255, 255, 255)), "difference", True),
    "grey copy with white paint": (painted((255, 255, 255)).convert("L"), "difference", True),
    "copy with red paint": (painted(RED), "difference", True),
    "copy with a marker": (painted(RED, 0.5), "difference", True),
    "copy, erased": (erased(photo_pixels()), "difference", True),
    "copy, erased to nothing": (erased(photo_pixels(), False), "difference", True),
    "black, erased": (erased(np.zeros((*SIZE, 3), np.uint8)), "alpha", True),
    "white, erased": (erased(np.full((*SIZE, 3), 255, np.uint8)), "alpha", True),
}


@pytest.mark.parametrize("name", EXACT)
def test_what_is_drawn_is_the_hole_and_a_guess_is_told(name: str) -> None:
    image, way, guessed = EXACT[name]
    found = read(png(image))
    assert np.array_equal(found.mask, HOLE), name
    assert found.way == way
    assert bool(found.notes) == guessed
    assert all("\n" not in note for note in found.notes)


@pytest.mark.parametrize("name", [name for name in EXACT if "palette" not in name])
def test_arrays_and_files_are_judged_alike(name: str) -> None:
    image = EXACT[name][0]
    assert np.array_equal(read(np.asarray(image)).mask, read(png(image)).mask)


@pytest.mark.parametrize("paint", [RED, (255, 255, 255), BLUE])
@pytest.mark.parametrize("ground", [(0, 0, 0), (255, 255, 255)])
def test_strokes_of_a_brush_that_went_through_jpeg(
    ground: tuple[int, int, int], paint: tuple[int, int, int]
) -> None:
    if ground == paint:
        pytest.skip("there is nothing to see")
    image = on(ground, paint).filter(ImageFilter.GaussianBlur(1))
    found = read(saved(image, "JPEG", quality=85))
    assert overlap(found.mask) > 0.85


def test_a_copy_that_was_encoded_again() -> None:
    found = read(saved(painted(RED), "JPEG", quality=90))
    assert found.way == "difference"
    assert overlap(found.mask) > 0.85


def overlap(mask: np.ndarray) -> float:
    return np.count_nonzero(mask & HOLE) / np.count_nonzero(mask | HOLE)


def test_labels_of_many_kinds_are_all_filled() -> None:
    labels = np.where(HOLE, np.indices(SIZE)[1] % 7 + 1, 0).astype(np.uint8)
    assert np.array_equal(read(png(Image.fromarray(labels))).mask, HOLE)


def test_white_on_black_with_transparent_parts_stays_by_contract() -> None:
    white = np.repeat(HOLE[..., None] * np.uint8(255), 3, axis=2)
    rgba = np.dstack([white, np.full(SIZE, 255, np.uint8)])
    rgba[:20, :20, 3] = 0
    found = read(png(Image.fromarray(rgba)))
    assert np.array_equal(found.mask, HOLE & (rgba[..., 3] > 0))
    assert found.way == "luminance"


def test_another_photo_is_no_mask() -> None:
    other = smooth(*SIZE, seed=9)
    for source in (other, photo_pixels()[::-1].copy()):
        with pytest.raises(MaskError, match=r"looks like a photo.*mask_from"):
            read(source)
    assert read(other, way="luminance").mask.any()


def test_a_soft_mask_is_one_however_soft() -> None:
    wide = Image.fromarray(np.kron(HOLE * np.uint8(255), np.ones((4, 4), np.uint8)))
    soft = np.asarray(wide.filter(ImageFilter.GaussianBlur(20)))
    found = find_mask(soft, read_photo(smooth(*soft.shape)))
    assert np.array_equal(found.mask, soft >= 128)
    assert found.notes == ()


def test_the_photo_itself_is_an_empty_mask() -> None:
    found = read(png(Image.fromarray(photo_pixels())))
    assert not found.mask.any()
    assert "the photo itself" in found.warnings[-1]


def test_an_empty_mask_says_what_is_in_it() -> None:
    assert "all of its 12,288 pixels are black" in read(np.zeros(SIZE, np.uint8)).warnings[0]
    dark = np.zeros((*SIZE, 3), np.uint8)
    dark[:, :, :] = (np.indices(SIZE)[1] % 60)[..., None]
    said = read(dark, way="luminance").warnings[0]
    assert "are not black, the brightest is 59 of 255" in said


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ("luminance", lambda rgba: (rgba[..., 0] == 255) & (rgba[..., 3] == 255)),
        ("alpha", lambda rgba: rgba[..., 3] == 255),
        ("color=#00ff00", lambda rgba: (rgba[..., 1] == 255) & (rgba[..., 0] == 0)),
        ("color=0f0", lambda rgba: (rgba[..., 1] == 255) & (rgba[..., 0] == 0)),
    ],
)
def test_a_way_can_be_forced(way: str, expected: Any) -> None:
    rgba = np.zeros((*SIZE, 4), np.uint8)
    rgba[10:20, 10:20] = (255, 255, 255, 255)
    rgba[30:40, 30:50] = (0, 255, 0, 255)
    rgba[60:70, 30:50] = (10, 10, 10, 255)
    found = read(png(Image.fromarray(rgba)), way=way)
    if way == "luminance":
        assert found.mask[15, 15]
        assert not found.mask[65, 35]
    else:
        assert np.array_equal(found.mask, expected(rgba))
    assert found.notes == ()


def test_difference_can_be_forced_on_a_copy_too_unlike() -> None:
    copy = np.zeros((*SIZE, 3), np.uint8)
    copy[HOLE] = photo_pixels()[HOLE]
    copy[~HOLE] = photo_pixels()[~HOLE]
    copy[5:9, 5:9] = 0
    expected = np.zeros(SIZE, bool)
    expected[5:9, 5:9] = True
    assert np.array_equal(read(copy, way="difference").mask, expected)


@pytest.mark.parametrize("way", ["magic", "color=", "color=#12", "", "color=red"])
def test_no_such_way_is_one_line_at_every_door(way: str, tmp_path: Path, capsys: Any) -> None:
    with pytest.raises(
        MaskError, match=r"give auto, luminance, alpha, difference or color=#ff0000"
    ):
        regionwise.fill(photo_pixels(), HOLE, "membrane", mask_from=way)
    Image.fromarray(photo_pixels()).save(tmp_path / "p.png")
    arguments = ["fill", str(tmp_path / "p.png"), str(tmp_path / "p.png"), "--mask-from", way]
    assert main(arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1


class TestSensorsOrientation:
    @pytest.mark.parametrize("orientation", [5, 6, 7, 8])
    @pytest.mark.parametrize("scale", [1, 2])
    def test_a_mask_that_lies_is_turned_as_the_photo(self, orientation: int, scale: int) -> None:
        stored = np.zeros(SIZE, np.uint8)
        stored[10:30, 20:70] = 255
        photo = read_photo(saved(Image.fromarray(photo_pixels()), "PNG", exif=exif_of(orientation)))
        turned = Image.fromarray(stored)
        turned.info["exif"] = exif_of(orientation).tobytes()
        expected = np.asarray(ImageOps.exif_transpose(turned)) > 0
        mask = Image.fromarray(stored).reduce(scale)
        found = find_mask(mask, photo, resize=scale > 1)
        assert np.array_equal(found.mask, expected)
        assert "turned" in found.notes[0]

    def test_an_upright_mask_is_not(self) -> None:
        photo = read_photo(saved(Image.fromarray(photo_pixels()), "PNG", exif=exif_of(6)))
        mask = np.zeros(SIZE[::-1], bool)
        mask[3, 4] = True
        found = find_mask(mask, photo)
        assert np.array_equal(found.mask, mask)
        assert found.notes == ()

    def test_without_an_orientation_it_is_refused_and_scaling_is_not_advised(self) -> None:
        with pytest.raises(MaskError, match="lies on its side") as error:
            find_mask(np.ones(SIZE[::-1], bool), read_photo(photo_pixels()))
        assert "resize" not in str(error.value)


class TestShrink:
    def test_takes_away_what_grow_adds_and_stays_along_the_border(self) -> None:
        mask = np.zeros((20, 20), bool)
        mask[0:10, 5:15] = True
        expected = np.zeros((20, 20), bool)
        expected[0:8, 7:13] = True
        assert np.array_equal(shrink(mask, 2), expected)

    def test_to_nothing_is_told(self) -> None:
        options = FillOptions(box=(3, 3, 4, 4), shrink=5)
        found = find_hole(read_photo(photo_pixels()), None, options)
        assert "shrinking by 5 pixels leaves nothing" in found.warnings[0]


@pytest.mark.parametrize("name", ["0 and 1", "red on black", "black on nothing", "copy, erased"])
def test_command_folder_and_python_fill_the_same(name: str, tmp_path: Path, capsys: Any) -> None:
    photos, masks = tmp_path / "photos", tmp_path / "masks"
    photos.mkdir()
    masks.mkdir()
    Image.fromarray(photo_pixels()).save(photos / "a.png")
    EXACT[name][0].save(masks / "a.png")
    assert main(["fill", str(photos), "--masks", str(masks), "--model", "membrane"]) == 0
    assert " filled" in capsys.readouterr().err
    one = [str(photos / "a.png"), str(masks / "a.png"), "-o", str(tmp_path / "one.png")]
    assert main(["fill", *one, "--model", "membrane"]) == 0
    with pytest.warns(RegionwiseWarning, match="filled"):
        filled = regionwise.fill(photo_pixels(), (masks / "a.png").read_bytes(), "membrane")
    for file in (tmp_path / "photos_filled" / "a.png", tmp_path / "one.png"):
        assert np.array_equal(np.asarray(open_picture(file)), filled)
    assert np.array_equal(filled[~HOLE], photo_pixels()[~HOLE])
