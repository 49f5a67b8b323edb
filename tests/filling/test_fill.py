import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.support.pictures import open_picture
from tests.support.tiny_networks import write_blur, write_constant

import regionwise
from regionwise.classical.membrane import membrane_fill
from regionwise.engines.classical_engine import MembraneEngine
from regionwise.engines.engine import NO_TRAITS, Engine
from regionwise.errors import MaskError, ModelError, RegionwiseError, RegionwiseWarning
from regionwise.filling.fill_photo import fill_photo
from regionwise.filling.hole import find_hole
from regionwise.filling.options import FillOptions
from regionwise.photos.reading import read_photo


class Inverting:
    """Answers the opposite of each pixel, known ones too: any leak shows."""

    traits = NO_TRAITS

    def __init__(self) -> None:
        self.batches: list[tuple[int, ...]] = []

    def fill(self, images: np.ndarray, masks: np.ndarray) -> np.ndarray:
        self.batches.append(images.shape)
        return np.float32(1) - membrane_fill(images, masks)


def picture(height: int, width: int, dtype: type = np.uint8, channels: int = 3) -> np.ndarray:
    numbers = np.random.default_rng(height * 1000 + width)
    shape = (height, width, channels) if channels > 1 else (height, width)
    return numbers.integers(0, np.iinfo(dtype).max + 1, shape, dtype)


@st.composite
def holes(draw: st.DrawFn) -> np.ndarray:
    side = st.one_of(st.sampled_from([1, 2, 3, 63, 64, 65]), st.integers(1, 300))
    size = draw(side), draw(side)
    kind = draw(st.sampled_from(["empty", "full", "border", "box", "dust"]))
    hole = np.zeros(size, bool)
    if kind == "full":
        hole[:] = True
    elif kind == "border":
        hole[0] = hole[-1] = hole[:, 0] = hole[:, -1] = True
    elif kind == "box":
        top, left = (draw(st.integers(0, length - 1)) for length in size)
        hole[top : top + draw(st.integers(1, 200)), left : left + draw(st.integers(1, 200))] = True
    elif kind == "dust":
        hole = np.random.default_rng(draw(st.integers(0, 9))).random(size) < 0.05
    return hole


@settings(max_examples=120, deadline=None)
@given(holes(), st.sampled_from([np.uint8, np.uint16]), st.sampled_from([None, 0, 7.5]))
def test_known_pixels_stay_whatever_the_model_answers(
    hole: np.ndarray, dtype: type, feather: float | None
) -> None:
    pixels = picture(*hole.shape, dtype)
    filled = fill_photo(
        read_photo(pixels), hole, Inverting(), FillOptions(feather=feather), view=64
    )
    assert filled.color.dtype == dtype
    assert np.array_equal(filled.color[~hole], pixels[~hole])
    if hole.any() and not hole.all() and hole.size > 10:
        assert not np.array_equal(filled.color[hole], pixels[hole])


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60))
def test_one_window_with_a_hard_edge_is_the_engine_s_own_answer(height: int, width: int) -> None:
    pixels = picture(height, width)
    hole = np.zeros((height, width), bool)
    hole[height // 3 :, width // 4 :] = True
    filled = fill_photo(read_photo(pixels), hole, MembraneEngine(), FillOptions(feather=0)).color
    image = (pixels / np.float32(255)).astype(np.float32).transpose(2, 0, 1)[None]
    answer = membrane_fill(image, hole[None, None].astype(np.float32))[0].transpose(1, 2, 0)
    expected = np.where(hole[..., None], np.rint(answer * 255), pixels)
    assert np.abs(filled.astype(int) - expected).max() <= 1


def test_windows_of_one_size_go_together_and_never_exceed_the_view() -> None:
    hole = np.zeros((700, 900), bool)
    hole[50:60, 50:60] = hole[300:310, 700:710] = hole[600:610, 100:110] = True
    hole[620:630, 300:800] = True
    engine = Inverting()
    steps: list[float] = []
    fill_photo(
        read_photo(picture(700, 900)),
        hole,
        engine,
        FillOptions(),
        view=128,
        progress=steps.append,
    )
    assert max(shape[0] for shape in engine.batches) > 1
    assert all(shape[0] * shape[2] * shape[3] <= 128 * 128 for shape in engine.batches)
    assert steps == sorted(set(steps))
    assert steps[-1] == 1


def test_a_tinted_model_leaves_no_step_at_the_hole_s_border() -> None:
    pixels = np.full((200, 200, 3), 100, np.uint8)
    hole = np.zeros((200, 200), bool)
    hole[60:140, 60:140] = True

    class Tinted:
        traits = NO_TRAITS

        def fill(self, images: np.ndarray, masks: np.ndarray) -> np.ndarray:
            return membrane_fill(images, masks) + np.float32(0.2)

    row = fill_photo(read_photo(pixels), hole, Tinted(), FillOptions()).color[100, :, 0].astype(int)
    assert row[100] == 151
    assert np.abs(np.diff(row)).max() <= 26  # of 51


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_answers_that_are_no_numbers_are_one_line(tmp_path: Path, value: float) -> None:
    model = write_constant(tmp_path / "nan.onnx", value)
    with pytest.raises(ModelError, match="no numbers"):
        regionwise.fill(picture(20, 20), np.eye(20, dtype=bool), model)


def test_answers_of_another_size_are_one_line() -> None:
    class Cropping:
        traits = NO_TRAITS

        def fill(self, images: np.ndarray, masks: np.ndarray) -> np.ndarray:
            return images[..., :-1]

    with pytest.raises(ModelError, match="none of ours"):
        regionwise.fill(picture(20, 20), np.eye(20, dtype=bool), Cropping())


def test_each_kind_comes_back_as_it_came(tmp_path: Path) -> None:
    pixels = picture(30, 40)
    mask = np.zeros((30, 40), bool)
    mask[5:15, 10:20] = True
    file, mask_file = tmp_path / "photo.png", tmp_path / "mask.png"
    Image.fromarray(pixels).save(file)
    Image.fromarray(mask).save(mask_file)

    def fill(photo: object, mask: object) -> object:
        return regionwise.fill(photo, mask, "membrane")

    expected = fill(pixels, mask)
    assert isinstance(expected, np.ndarray)
    assert np.array_equal(expected[~mask], pixels[~mask])
    from_image = fill(Image.fromarray(pixels), Image.fromarray(mask))
    from_path, from_text = fill(file, mask_file), fill(str(file), str(mask_file))
    for image in (from_image, from_path, from_text):
        assert isinstance(image, Image.Image)
        assert np.array_equal(np.asarray(image), expected)
    from_bytes = fill(file.read_bytes(), mask_file.read_bytes())
    assert isinstance(from_bytes, bytes)
    assert np.array_equal(np.asarray(open_picture(io.BytesIO(from_bytes))), expected)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_arrays_of_all_kinds(channels: int, dtype: type) -> None:
    pixels = picture(20, 30, dtype, channels)
    mask = np.zeros((20, 30), bool)
    mask[5:10, 5:10] = True
    filled = regionwise.fill(pixels, mask, "membrane")
    assert filled.shape == pixels.shape
    assert filled.dtype == dtype
    assert np.array_equal(filled[~mask], pixels[~mask])


def test_transparent_pixels_are_the_hole() -> None:
    pixels = picture(20, 20, channels=4)
    pixels[..., 3] = 255
    pixels[5:9, 5:9, 3] = 0
    filled = regionwise.fill(pixels, model="membrane")
    assert np.all(filled[..., 3] == 255)
    known = pixels[..., 3] == 255
    assert np.array_equal(filled[known], pixels[known])


def test_an_empty_mask_warns_and_gives_the_photo_back() -> None:
    pixels = picture(20, 20)
    with pytest.warns(RegionwiseWarning, match="empty"):
        filled = regionwise.fill(pixels, np.zeros((20, 20), bool), "membrane")
    assert np.array_equal(filled, pixels)


@pytest.mark.parametrize("size", [(1, 1), (40, 50), (700, 520)])
def test_a_photo_that_is_all_hole_becomes_grey(size: tuple[int, int]) -> None:
    with pytest.warns(RegionwiseWarning, match="100%"):
        filled = regionwise.fill(picture(*size), np.ones(size, bool), "membrane")
    assert np.all(filled == 128)


def test_the_hole_may_be_a_box_inverted_and_grown() -> None:
    photo = read_photo(picture(50, 60))
    box = find_hole(photo, None, FillOptions(box="10,20,5,6")).mask
    assert box.sum() == 30
    assert box[20:26, 10:15].all()
    assert np.array_equal(find_hole(photo, None, FillOptions(box=(10, 20, 5, 6))).mask, box)
    grown = find_hole(photo, None, FillOptions(box=(10, 20, 5, 6), grow=2)).mask
    assert grown.sum() > box.sum()
    assert grown[18, 12]
    inverted = find_hole(photo, None, FillOptions(box=(10, 20, 5, 6), invert_mask=True))
    assert np.array_equal(inverted.mask, ~box)
    assert "99%" in inverted.warnings[0]


def test_a_mask_of_another_size_needs_leave() -> None:
    photo, mask = read_photo(picture(50, 60)), np.zeros((25, 30), bool)
    mask[5, 5] = True
    with pytest.raises(MaskError, match="`resize_mask`"):
        find_hole(photo, mask, FillOptions())
    assert find_hole(photo, mask, FillOptions(resize_mask=True)).mask.sum() == 4


def test_both_mask_and_box_is_one_line() -> None:
    with pytest.raises(MaskError, match="one of them"):
        regionwise.fill(picture(9, 9), np.eye(9, dtype=bool), "membrane", box=(0, 0, 2, 2))


def test_a_large_photo_by_its_polyphase_components() -> None:
    pixels = picture(300, 517)
    hole = np.zeros((300, 517), bool)
    hole[40:250, 100:400] = True
    engine = Inverting()
    options = FillOptions(feather=0, large="polyphase")
    filled = fill_photo(read_photo(pixels), hole, engine, options).color
    assert {shape[2:] for shape in engine.batches} == {(100, 173), (100, 172)}
    assert len(engine.batches) == 9
    assert np.array_equal(filled[~hole], pixels[~hole])
    for y, x in [(0, 0), (1, 2)]:
        part = np.s_[y::3, x::3]
        image = (pixels[part] / np.float32(255)).transpose(2, 0, 1)[None]
        answer = 1 - membrane_fill(image, hole[part][None, None].astype(np.float32))
        error = filled[part] - 255 * answer[0].transpose(1, 2, 0)
        assert np.abs(error[hole[part]]).max() < 0.51


def test_an_unknown_way_with_large_photos_is_one_line() -> None:
    with pytest.raises(RegionwiseError, match=r"large can't be 'whole'; give auto, detail, window"):
        regionwise.fill(picture(9, 9), box=(1, 1, 3, 3), model=Inverting(), large="whole")


def test_the_ensemble_asks_five_times() -> None:
    pixels, engine = picture(20, 30), Inverting()
    filled = regionwise.fill(pixels, box=(5, 5, 9, 4), model=engine, feather=0, ensemble=True)
    once = regionwise.fill(pixels, box=(5, 5, 9, 4), model=Inverting(), feather=0)
    assert sorted(engine.batches) == 3 * [(1, 3, 20, 30)] + 2 * [(1, 3, 30, 20)]
    changed = np.zeros((20, 30), bool)
    changed[5:9, 5:14] = True
    assert np.array_equal(filled[~changed], pixels[~changed])
    assert 0 < np.abs(filled[changed].astype(int) - once[changed]).max() < 64


def test_the_model_may_be_a_file_or_an_engine(tmp_path: Path) -> None:
    pixels, mask = picture(33, 47), np.zeros((33, 47), bool)
    mask[10:20, 10:20] = True
    file = write_blur(tmp_path / "tiny.onnx")
    engine: Engine = regionwise.load_model(file)
    by_file = regionwise.fill(pixels, mask, file)
    assert np.array_equal(by_file, regionwise.fill(pixels, mask, str(file)))
    assert np.array_equal(by_file, regionwise.fill(pixels, mask, engine))
    assert np.array_equal(by_file[~mask], pixels[~mask])


@pytest.mark.parametrize("box", [(1, 2, 3), (1.5, 2, 3, 4), 5, ("1", "2", "3", "4")])
def test_a_box_of_other_things_is_one_line(box: Any) -> None:
    with pytest.raises(MaskError, match="four whole numbers"):
        regionwise.fill(picture(8, 8), box=box, model="membrane")


@pytest.mark.parametrize("name", ["grow", "feather"])
@pytest.mark.parametrize("pixels", [-1, float("nan"), "3"])
def test_what_is_no_number_of_pixels_is_one_line(name: str, pixels: Any) -> None:
    with pytest.raises(RegionwiseError, match=rf"{name} can't be .*; give a number from 0 on"):
        regionwise.fill(picture(8, 8), box=(1, 1, 3, 3), model="membrane", **{name: pixels})


@pytest.mark.parametrize("feather", [1e9, float("inf")])
def test_an_endless_feather_ends(feather: float) -> None:
    photo = picture(24, 24)
    filled = regionwise.fill(photo, box=(4, 4, 9, 9), model="membrane", feather=feather)
    assert np.array_equal(filled[13:], photo[13:])


@pytest.mark.parametrize("model", [None, 5, object()])
def test_what_is_no_model_is_one_line(model: Any) -> None:
    with pytest.raises(ModelError, match="is no model"):
        regionwise.fill(picture(8, 8), box=(1, 1, 3, 3), model=model)


@pytest.mark.parametrize("seed", [-1, 1.5, "a", 2**63])
def test_what_is_no_seed_is_one_line(seed: Any) -> None:
    with pytest.raises(RegionwiseError, match=r"seed can't be .*; give a whole number from 0 to"):
        regionwise.fill(picture(8, 8), box=(1, 1, 3, 3), model="patchmatch", seed=seed)


def test_arrays_of_the_other_byte_order() -> None:
    photo = (picture(9, 9).astype(np.uint16) * 257).astype(">u2")
    filled = regionwise.fill(photo, box=(2, 2, 3, 3), model="membrane")
    assert filled.dtype == photo.dtype
    native = regionwise.fill(photo.astype(np.uint16), box=(2, 2, 3, 3), model="membrane")
    assert np.array_equal(filled, native)


def test_a_mask_of_bools_may_have_three_channels() -> None:
    hole = np.zeros((9, 9, 3), bool)
    hole[2:5, 2:5] = True
    filled = regionwise.fill(picture(9, 9), hole, "membrane")
    assert np.array_equal(filled, regionwise.fill(picture(9, 9), hole[..., 0], "membrane"))
