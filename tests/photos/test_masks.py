"""Masks: white is missing, however it is written; wrong ones give one line."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from regionwise.errors import MaskError, RegionwiseWarning
from regionwise.photos.masks import (
    check_mask,
    find_mask,
    grow,
    hole_ratio,
    invert,
    mask_from_alpha,
    mask_from_box,
    parse_box,
    read_mask,
)
from regionwise.photos.reading import read_photo

QUICK = settings(max_examples=60, deadline=None)


def random_mask(height: int = 7, width: int = 11, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((height, width)) < 0.4


def png(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


class TestRead:
    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I", "F"])
    def test_white_is_missing_in_every_mode(self, mode: str) -> None:
        mask = random_mask()
        grey = Image.fromarray(mask.astype(np.uint8) * 255)
        if mode == "I;16":
            image = Image.fromarray(mask.astype(np.uint16) * 65535)
        elif mode == "P":
            image = grey.convert("RGB").quantize(2)
        elif mode == "F":
            image = Image.fromarray(mask.astype(np.float32))
        else:
            image = grey.convert(mode)
        assert np.array_equal(read_mask(image, size=(7, 11)), mask)
        if mode not in ("I", "F"):
            assert np.array_equal(read_mask(png(image), size=(7, 11)), mask)

    @pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "BMP", "JPEG"])
    def test_every_file(self, kind: str, tmp_path: Path) -> None:
        mask = np.zeros((32, 48), bool)
        mask[8:24, 16:32] = True
        path = tmp_path / "mask"
        Image.fromarray(mask.astype(np.uint8) * 255).save(path, kind)
        assert np.array_equal(read_mask(path, size=(32, 48)), mask)
        assert np.array_equal(read_mask(str(path), size=None), mask)

    @pytest.mark.parametrize(
        ("dtype", "one"),
        [
            (bool, 1),
            (np.uint8, 1),
            (np.uint8, 255),
            (np.int8, 1),
            (np.int64, 1),
            (np.int32, 255),
            (np.uint16, 65535),
            (np.float32, 1.0),
            (np.float64, 0.7),
        ],
    )
    def test_arrays(self, dtype: type, one: float) -> None:
        mask = random_mask()
        source = np.where(mask, one, 0).astype(dtype)
        assert np.array_equal(read_mask(source, size=(7, 11)), mask)
        assert np.array_equal(read_mask(source[..., None], size=(7, 11)), mask)

    @pytest.mark.parametrize(
        ("dtype", "one"), [(np.float32, 0.9), (np.float64, 1), (np.int32, 1), (np.uint32, 7)]
    )
    def test_a_tiff_of_numbers_is_as_its_array(
        self, dtype: type, one: float, tmp_path: Path
    ) -> None:
        mask = random_mask()
        numbers = np.where(mask, one, 0).astype(dtype)
        tifffile.imwrite(tmp_path / "mask.tif", numbers)
        assert np.array_equal(find_mask(tmp_path / "mask.tif").mask, mask)
        assert np.array_equal(find_mask(numbers).mask, mask)

    def test_a_tiff_of_numbers_that_mean_nothing_is_one_line(self, tmp_path: Path) -> None:
        for numbers in (np.full((4, 5), -2.5), np.full((4, 5), 70_000, np.int32)):
            tifffile.imwrite(tmp_path / "mask.tif", numbers)
            with pytest.raises(MaskError, match=r"floats outside 0 to 1|values of 70000"):
                find_mask(tmp_path / "mask.tif")

    def test_grey_is_cut_at_half(self) -> None:
        eight = np.array([[0, 127, 128, 255]], np.uint8)
        deep = np.array([[0, 32767, 32768, 65535]], np.uint16)
        floats = np.array([[0, 0.499, 0.5, 1]])
        for source in (eight, deep, floats):
            assert read_mask(source, size=(1, 4)).tolist() == [[False, False, True, True]]

    def test_transparent_pixels_count_as_black(self) -> None:
        source = np.array([[[255, 255], [255, 0], [255, 127], [0, 255]]], np.uint8)
        assert read_mask(source, size=(1, 4)).tolist() == [[True, False, False, False]]

    def test_its_own_orientation_is_applied(self) -> None:
        mask = random_mask()
        exif = Image.Exif()
        exif[0x0112] = 6  # stored turned by 90 degrees to the left
        stored = Image.fromarray(np.rot90(mask).astype(np.uint8) * 255)
        assert np.array_equal(read_mask(png(stored, exif=exif), size=(7, 11)), mask)

    def test_invert(self) -> None:
        mask = random_mask()
        assert np.array_equal(read_mask(mask, size=None, invert=True), ~mask)
        assert np.array_equal(invert(mask), ~mask)

    def test_another_size_names_both_and_the_mend(self) -> None:
        with pytest.raises(MaskError, match=r"11×7 .* 20×10.*`resize_mask`"):
            read_mask(random_mask(), size=(10, 20))

    @QUICK
    @given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 20), st.integers(1, 20))
    def test_resize_takes_the_pixel_under_the_centre(
        self, height: int, width: int, tall: int, wide: int
    ) -> None:
        mask = random_mask(height, width)
        resized = read_mask(mask, size=(tall, wide), resize=True)
        for row in range(tall):
            for column in range(wide):
                nearest = mask[int((row + 0.5) * height / tall), int((column + 0.5) * width / wide)]
                assert resized[row, column] == nearest

    def test_bad_sources(self, tmp_path: Path) -> None:
        path = tmp_path / "mask.png"
        path.write_text("hello")
        for source in (path, tmp_path / "none.png", b"", np.full((3, 3), 7.0), np.full((3, 3), -1)):
            with pytest.raises(MaskError, match="mask") as error:
                read_mask(source, size=None)
            assert "\n" not in str(error.value)


class TestFromPhoto:
    def test_alpha_below_half_is_missing(self) -> None:
        samples = np.zeros((1, 4, 4), np.uint8)
        samples[0, :, 3] = [0, 127, 128, 255]
        expected = [[True, True, False, False]]
        assert mask_from_alpha(read_photo(samples)).tolist() == expected
        assert mask_from_alpha(read_photo(samples.astype(np.uint16) * 257)).tolist() == expected

    def test_no_alpha(self) -> None:
        with pytest.raises(MaskError, match="no transparent pixels"):
            mask_from_alpha(read_photo(np.zeros((3, 3, 3), np.uint8)))


class TestBox:
    @QUICK
    @given(st.integers(-9, 12), st.integers(-9, 12), st.integers(1, 20), st.integers(1, 20))
    def test_is_clipped_or_refused(self, x: int, y: int, width: int, height: int) -> None:
        left, top = (x + 8 if x < 0 else x), (y + 5 if y < 0 else y)
        expected = np.array(
            [
                [left <= c < left + width and top <= r < top + height for c in range(8)]
                for r in range(5)
            ]
        )
        if expected.any():
            assert np.array_equal(mask_from_box(x, y, width, height, (5, 8)), expected)
        else:
            with pytest.raises(MaskError, match="no pixel in the photo of 8×5"):
                mask_from_box(x, y, width, height, (5, 8))

    def test_parse(self) -> None:
        assert parse_box("1,2,3,4") == (1, 2, 3, 4)
        assert parse_box(" -1, 2 ,3,4 ") == (-1, 2, 3, 4)

    @pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1,2,3.5,4", "1 2 3 4"])
    def test_nonsense(self, text: str) -> None:
        with pytest.raises(MaskError, match="40,30,100,80"):
            parse_box(text)

    @pytest.mark.parametrize("text", ["1,2,0,4", "1,2,3,-4"])
    def test_no_area(self, text: str) -> None:
        with pytest.raises(MaskError, match="no area"):
            parse_box(text)


class TestGrow:
    @QUICK
    @given(
        st.integers(1, 14),
        st.integers(1, 14),
        st.floats(0, 6),
        st.integers(0, 99),
        st.floats(0, 0.2),
        st.integers(1, 9),
    )
    def test_against_all_pairs_whatever_the_tiles(
        self, height: int, width: int, pixels: float, seed: int, part: float, tile: int
    ) -> None:
        mask = np.random.default_rng(seed).random((height, width)) < part
        rows, columns = np.indices(mask.shape)
        expected = np.zeros_like(mask)
        for row, column in np.argwhere(mask):
            expected |= (rows - row) ** 2 + (columns - column) ** 2 <= pixels**2
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("regionwise.photos.masks._TILE", tile)
            assert np.array_equal(grow(mask, pixels), expected)

    def test_nothing_to_grow_gives_a_new_array(self) -> None:
        mask = random_mask()
        same = grow(mask, 0)
        assert np.array_equal(same, mask)
        assert same is not mask
        assert not grow(np.zeros((5, 5), bool), 3).any()

    def test_by_more_than_the_photo_is_everything(self) -> None:
        mask = np.zeros((30, 20), bool)
        mask[0, 0] = True
        assert grow(mask, 1e9).all()

    @pytest.mark.parametrize("pixels", [-1, float("nan")])
    def test_negative(self, pixels: float) -> None:
        with pytest.raises(MaskError, match="grow"):
            grow(random_mask(), pixels)


class TestCheck:
    def test_empty(self) -> None:
        with pytest.warns(RegionwiseWarning, match="returned as it is"):
            check_mask(np.zeros((4, 4), bool))

    def test_huge(self) -> None:
        with pytest.warns(RegionwiseWarning, match="100%"):
            check_mask(np.ones((4, 4), bool))

    def test_in_between_is_silent(self) -> None:
        mask = np.zeros((10, 10), bool)
        mask[:6] = True
        assert hole_ratio(mask) == 0.6
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            check_mask(mask)
